//! Reading what Helm needs to know of each document: kind, name, annotations; and sorting hooks from manifests.

use std::borrow::Cow;
use std::collections::BTreeMap;

use gotemplate::Str;
use serde_json::Value;

use super::order::install_key;
use super::split::split_documents;
use super::{Hook, HookEvent, Manifest};
use crate::{Error, Result};

const HOOK: &str = "helm.sh/hook";
const HOOK_WEIGHT: &str = "helm.sh/hook-weight";
const HOOK_DELETE: &str = "helm.sh/hook-delete-policy";
const HOOK_LOG: &str = "helm.sh/hook-output-log-policy";

/// Splits rendered files into hooks and manifests, each in install order. `files` is sorted by path; partials and
/// notes are not in it.
///
/// # Errors
/// [`Error::Manifest`]: `YAML parse error on PATH: …`.
pub(crate) fn sort_files(files: &BTreeMap<String, Str>) -> Result<(Vec<Hook>, Vec<Manifest>)> {
    let mut hooks = Vec::new();
    let mut manifests = Vec::new();
    for (path, bytes) in files {
        let text = bytes.to_text();
        let is_text = matches!(text, Cow::Borrowed(_));
        for document in split_documents(&text) {
            let manifest = match document {
                // What is no UTF-8 is no YAML either: ask for the words that say so.
                part if !is_text && part.contains(char::REPLACEMENT_CHARACTER) => {
                    decode(bytes.as_bytes()).and_then(|_| read(path, part))
                }
                part => read(path, part),
            };
            let manifest =
                manifest.map_err(|e| Error::Manifest(format!("YAML parse error on {path}: {e}")))?;
            match manifest.annotations.get(HOOK) {
                None => manifests.push(manifest),
                Some(events) => {
                    if let Some(events) = parse_events(events) {
                        hooks.push(hook(manifest, events));
                    }
                }
            }
        }
    }
    hooks.sort_by(|a, b| install_key(&a.manifest.kind).cmp(&install_key(&b.manifest.kind)));
    manifests.sort_by(|a, b| install_key(&a.kind).cmp(&install_key(&b.kind)));
    Ok((hooks, manifests))
}

/// All events, or `None` when one of them is unknown: Helm then drops the object.
fn parse_events(names: &str) -> Option<Vec<HookEvent>> {
    names.split(',').map(|name| HookEvent::parse(&name.trim().to_lowercase())).collect()
}

fn hook(manifest: Manifest, events: Vec<HookEvent>) -> Hook {
    let policies = |name: &str| match manifest.annotations.get(name) {
        Some(list) => list.split(',').map(|p| p.trim().to_lowercase()).collect(),
        None => Vec::new(),
    };
    let weight = manifest.annotations.get(HOOK_WEIGHT).and_then(|w| w.parse().ok()).unwrap_or(0);
    let (delete_policies, output_log_policies) = (policies(HOOK_DELETE), policies(HOOK_LOG));
    Hook { manifest, events, weight, delete_policies, output_log_policies }
}

fn decode(document: &[u8]) -> Result<Value, String> {
    let options = goyaml::DecodeOptions { numbers: goyaml::Numbers::Yaml, ..Default::default() };
    goyaml::decode(document, &options).map_err(|e| e.to_string())
}

fn read(path: &str, document: &str) -> Result<Manifest, String> {
    let value = decode(document.as_bytes())?;
    let mut manifest = Manifest {
        source: path.to_owned(),
        text: document.to_owned(),
        api_version: String::new(),
        kind: String::new(),
        name: String::new(),
        annotations: BTreeMap::new(),
    };
    match &value {
        Value::Null => {}
        Value::Object(fields) => {
            let mut entries: Vec<_> = fields.iter().collect();
            entries.sort_by_key(|(k, _)| *k);
            let mut first_error = None;
            for (name, field) in entries {
                if let Err(e) = read_field(&mut manifest, name, field) {
                    first_error.get_or_insert(e);
                }
            }
            first_error.map_or(Ok(()), Err)?;
        }
        other => return Err(mismatch(other, "value of type util.SimpleHead")),
    }
    Ok(manifest)
}

fn read_field(manifest: &mut Manifest, name: &str, value: &Value) -> Result<(), String> {
    if name.eq_ignore_ascii_case("apiVersion") {
        set_text(&mut manifest.api_version, value, "SimpleHead.apiVersion")
    } else if name.eq_ignore_ascii_case("kind") {
        set_text(&mut manifest.kind, value, "SimpleHead.kind")
    } else if name.eq_ignore_ascii_case("metadata") {
        read_metadata(manifest, value)
    } else {
        Ok(())
    }
}

fn read_metadata(manifest: &mut Manifest, value: &Value) -> Result<(), String> {
    let fields = match value {
        Value::Null => return Ok(()),
        Value::Object(fields) => fields,
        other => {
            let ty = "struct { Name string \"json:\\\"name\\\"\"; Annotations map[string]string \"json:\\\"annotations\\\"\" }";
            return Err(mismatch(other, &format!("struct field SimpleHead.metadata of type {ty}")));
        }
    };
    let mut first_error = None;
    for (name, value) in fields {
        let read = if name.eq_ignore_ascii_case("name") {
            set_text(&mut manifest.name, value, ".metadata.name")
        } else if name.eq_ignore_ascii_case("annotations") {
            read_annotations(manifest, value)
        } else {
            Ok(())
        };
        if let Err(e) = read {
            first_error.get_or_insert(e);
        }
    }
    first_error.map_or(Ok(()), Err)
}

fn read_annotations(manifest: &mut Manifest, value: &Value) -> Result<(), String> {
    let place = ".metadata.annotations";
    let entries = match value {
        Value::Null => return Ok(()),
        Value::Object(entries) => entries,
        other => return Err(mismatch(other, &format!("struct field {place} of type map[string]string"))),
    };
    let mut first_error = None;
    for (name, value) in entries {
        let mut text = String::new();
        match set_text(&mut text, value, place) {
            Ok(()) => {
                manifest.annotations.insert(name.clone(), text);
            }
            Err(e) => {
                first_error.get_or_insert(e);
            }
        }
    }
    first_error.map_or(Ok(()), Err)
}

fn set_text(to: &mut String, value: &Value, place: &str) -> Result<(), String> {
    match value {
        Value::Null => {}
        Value::String(text) => to.clone_from(text),
        scalar => match goyaml::scalar_text(scalar) {
            Some(text) => *to = text,
            None => return Err(mismatch(value, &format!("struct field {place} of type string"))),
        },
    }
    Ok(())
}

fn mismatch(value: &Value, place: &str) -> String {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    format!("error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} into Go {place}")
}
