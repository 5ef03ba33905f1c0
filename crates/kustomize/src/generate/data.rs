//! Data of ConfigMaps and Secrets: which text goes where, and how it is encoded.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use goyaml::{Kind, Node};

use crate::error::Result;
use crate::tree::meta::StringMap;
use crate::tree::{field, lookup};

/// Contents by key.
pub(crate) type Entries = BTreeMap<String, Vec<u8>>;

const LINE: usize = 70;

/// Base64 in lines of 70 characters, each with a line break, when it is longer than that.
fn encode(bytes: &[u8]) -> String {
    let encoded = STANDARD.encode(bytes);
    if encoded.len() < LINE {
        return encoded;
    }
    let mut text = String::with_capacity(encoded.len() + encoded.len() / LINE + 1);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text
}

fn add(node: &mut Node, map: &str, key: &str, text: &str) -> Result<()> {
    match lookup::lookup_mut(node, &[map], Some(Kind::Mapping))? {
        Some(target) => field::set(target, key, field::string(text)),
        None => Ok(()),
    }
}

/// Texts go to `data`, everything else encoded to `binaryData`.
pub(crate) fn load_config_map(node: &mut Node, entries: &Entries) -> Result<()> {
    for (key, bytes) in entries {
        match std::str::from_utf8(bytes) {
            Ok(text) => add(node, "data", key, text)?,
            Err(_) => add(node, "binaryData", key, &encode(bytes))?,
        }
    }
    Ok(())
}

/// Everything goes encoded to `data`.
pub(crate) fn load_secret(node: &mut Node, entries: &Entries) -> Result<()> {
    lookup::lookup_mut(node, &["data"], Some(Kind::Mapping))?;
    entries.iter().try_for_each(|(key, bytes)| add(node, "data", key, &encode(bytes)))
}

/// Sets merged data of a ConfigMap or Secret.
pub(crate) fn load_strings(node: &mut Node, map: &StringMap, binary: bool) -> Result<()> {
    let name = if binary { "binaryData" } else { "data" };
    map.iter().try_for_each(|(key, text)| add(node, name, key, text))
}
