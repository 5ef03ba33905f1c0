//! The hash of an object's content that becomes a suffix of its name.

use goyaml::{Kind, Node, Value};
use serde_json::Map;
use sha2::{Digest, Sha256};

use crate::error::Result;
use crate::tree::{field, lookup, meta, value};

/// The ten characters for an object.
pub(crate) fn of(node: &Node) -> Result<String> {
    let encoded = match meta::top(node, "kind") {
        "ConfigMap" => encode(node, "ConfigMap", &["data"], "binaryData", false)?,
        "Secret" => encode(node, "Secret", &["data"], "stringData", true)?,
        _ => go_node_json(node),
    };
    let digest = Sha256::digest(encoded.as_bytes());
    let hex: String = digest.iter().take(5).map(|byte| format!("{byte:02x}")).collect();
    Ok(hex.chars().map(without_words).collect())
}

/// Digits and letters are changed so that no bad words come out.
fn without_words(digit: char) -> char {
    match digit {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        other => other,
    }
}

fn part(node: &Node, name: &str) -> Result<Value> {
    // kustomize looks for the field `metadata/name`, which nothing has.
    match lookup::lookup(node, &[name])? {
        None => Ok(Value::String(String::new())),
        Some(found) if found.kind == Kind::Scalar => Ok(Value::String(found.value.clone())),
        Some(found) => Ok(match value::to_value(found)? {
            map @ Value::Object(_) => map,
            _ => Value::Null,
        }),
    }
}

fn encode(node: &Node, kind: &str, maps: &[&str], optional: &str, with_type: bool) -> Result<String> {
    let mut all = Map::new();
    all.insert("kind".to_owned(), Value::String(kind.to_owned()));
    all.insert("name".to_owned(), part(node, "metadata/name")?);
    for map in maps {
        all.insert((*map).to_owned(), part(node, map)?);
    }
    if with_type {
        all.insert("type".to_owned(), part(node, "type")?);
    }
    if field::field(node, optional).is_some()
        && let map @ Value::Object(_) = part(node, optional)?
    {
        all.insert(optional.to_owned(), map);
    }
    Ok(goyaml::json::to_string(&Value::Object(all), true))
}

/// A node as `encoding/json` writes yaml.v3's `Node` struct: kustomize hashes that for other kinds.
fn go_node_json(node: &Node) -> String {
    let mut text = String::new();
    write_node(&mut text, node);
    text
}

fn write_node(text: &mut String, node: &Node) {
    let json = |string: &str| goyaml::json::to_string(&Value::String(string.to_owned()), true);
    let kind = match node.kind {
        Kind::Document => 1,
        Kind::Sequence => 2,
        Kind::Mapping => 4,
        Kind::Scalar => 8,
        Kind::Alias => 16,
    };
    let style: u32 = [
        (goyaml::Style::TAGGED, 1),
        (goyaml::Style::DOUBLE_QUOTED, 2),
        (goyaml::Style::SINGLE_QUOTED, 4),
        (goyaml::Style::LITERAL, 8),
        (goyaml::Style::FOLDED, 16),
        (goyaml::Style::FLOW, 32),
    ]
    .iter()
    .filter(|(flag, _)| node.style.has(*flag))
    .map(|(_, bit)| bit)
    .sum();
    let (line, column) = if node.line == 0 { (0, 0) } else { (node.line, node.column) };
    text.push_str(&format!(
        "{{\"Kind\":{kind},\"Style\":{style},\"Tag\":{},\"Value\":{},\"Anchor\":\"\",\"Alias\":null,\"Content\":",
        json(&node.tag),
        json(&node.value)
    ));
    if node.content.is_empty() {
        text.push_str("null");
    } else {
        for (i, child) in node.content.iter().enumerate() {
            text.push(if i == 0 { '[' } else { ',' });
            write_node(text, child);
        }
        text.push(']');
    }
    text.push_str(&format!(
        ",\"HeadComment\":{},\"LineComment\":{},\"FootComment\":{},\"Line\":{line},\"Column\":{column}}}",
        json(node.head_comment()),
        json(node.line_comment()),
        json(node.foot_comment())
    ));
}
