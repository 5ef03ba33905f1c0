//! From the text of a file to the nodes of its objects.

mod anchors;
mod cache;

use std::sync::Arc;

use goyaml::{Kind, Limits, Node, Value};

pub use cache::ParseCache;

use crate::error::{Context, Error, Result};
use crate::resmap::{ResMap, resources};
use crate::resource::Resource;
use crate::schema::Schema;
use crate::tree::{field, is_empty, is_null, meta, value};

/// The objects in a text.
pub(crate) fn parse_resources(
    text: &[u8],
    schema: &Arc<Schema>,
    cache: &ParseCache,
) -> Result<Vec<Resource>> {
    Ok(resources(cache.get_or_parse(text, parse_nodes)?, schema))
}

/// The objects in a file, with the file's name in errors about its syntax.
pub(crate) fn parse_file(
    text: &[u8],
    path: &str,
    schema: &Arc<Schema>,
    cache: &ParseCache,
) -> Result<ResMap> {
    parse_resources(text, schema, cache).and_then(ResMap::from_list).map_err(|error| name_file(error, path))
}

/// Names the file in errors about its syntax.
pub(crate) fn name_file(error: Error, path: &str) -> Error {
    let text = error.message();
    if text.contains("error converting YAML to JSON") || text.contains("error unmarshaling JSON") {
        return error.map_message(|text| format!("YAML file [{path}] encounters a format error.\n{text}\n"));
    }
    if error.is_malformed_yaml() {
        return error.map_message(|text| format!("{text} in File: {path}"));
    }
    error
}

/// The nodes of all objects in a text: lists taken apart, anchors resolved, each with kind and name.
fn parse_nodes(text: &[u8]) -> Result<Vec<Node>> {
    expand_lists(drop_bad(read_documents(text)?)?)
}

/// The documents of a text.
fn read_documents(text: &[u8]) -> Result<Vec<Node>> {
    let text = String::from_utf8_lossy(text);
    let text = if text.contains("\r\n") { text.replace("\r\n", "\n").into() } else { text };
    let documents = split(&text)?;
    let only_one = documents.len() == 1;
    let mut nodes = Vec::new();
    for document in documents {
        let parsed = goyaml::parse_first(document.as_bytes(), &Limits::default())
            .map_err(Error::from)
            .context_with(|| "MalformedYAMLError")?;
        let Some(mut node) = parsed.map(Node::into_root).filter(|node| !is_null(node)) else { continue };
        anchors::resolve(&mut node)?;
        if only_one && is_list(&node) {
            if let Some(items) = node.get_mut("items") {
                nodes.append(&mut items.content);
            }
            continue;
        }
        nodes.push(node);
    }
    Ok(nodes)
}

fn is_list(node: &Node) -> bool {
    let kind = field::field(node, "kind").filter(|kind| !is_empty(kind));
    kind.is_some_and(|kind| matches!(kind.value.as_str(), "List" | "ResourceList"))
        && (node.get("items").is_some() || node.get("functionConfig").is_some())
}

/// Splits at lines that start with `---`.
fn split(text: &str) -> Result<Vec<&str>> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut documents = Vec::new();
    let mut start = 0;
    let mut search = 0;
    while let Some(at) = text.get(search..).and_then(|rest| rest.find("\n---")).map(|at| at + search) {
        let after = at + 4;
        let Some(end) = text.get(after..).and_then(|rest| rest.find('\n')).map(|end| end + after) else {
            break;
        };
        let rest = text.get(after..end).unwrap_or_default().trim();
        if !rest.is_empty() && !rest.starts_with('#') {
            let separator = text.get(at..end).unwrap_or_default().trim();
            return Err(Error::new(format!("invalid document separator: {separator}")));
        }
        documents.push(text.get(start..=at).unwrap_or_default());
        start = end + 1;
        search = start;
    }
    documents.push(text.get(start..).unwrap_or_default());
    Ok(documents)
}

/// Drops empty objects; others must have kind and name.
fn drop_bad(nodes: Vec<Node>) -> Result<Vec<Node>> {
    let mut kept = Vec::with_capacity(nodes.len());
    for node in nodes {
        if is_empty(&node) {
            continue;
        }
        meta::validated(&node)?;
        kept.push(node);
    }
    Ok(kept)
}

/// Replaces every `…List` object by its items.
fn expand_lists(nodes: Vec<Node>) -> Result<Vec<Node>> {
    if !nodes.iter().any(|node| meta::top(node, "kind").ends_with("List")) {
        return Ok(nodes);
    }
    let mut queue = std::collections::VecDeque::from(nodes);
    let mut result = Vec::new();
    while let Some(node) = queue.pop_front() {
        let kind = meta::top(&node, "kind");
        if !kind.ends_with("List") {
            result.push(node);
            continue;
        }
        let map = value::to_map(&node).map_err(|error| {
            let shown = value::print(&node).unwrap_or_default();
            error.map_message(|text| {
                format!("trouble expanding list of {kind}; received error {text} for the following resource:\n{shown}")
            })
        })?;
        match map.get("items") {
            None => result.push(node),
            Some(Value::Null) => {}
            Some(Value::Array(items)) => {
                for item in items {
                    let text = goyaml::json::to_string(item, true);
                    queue.extend(drop_bad(read_documents(text.as_bytes())?)?);
                }
            }
            Some(other) => {
                return Err(Error::new(format!(
                    "expected array in {kind}/items, but found {}",
                    go_type(other)
                )));
            }
        }
    }
    Ok(result)
}

fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int",
        Value::String(_) => "string",
        Value::Null | Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// The first document of a text as a node, null when there is none.
pub(crate) fn parse_one(text: &str) -> Result<Node> {
    let parsed = goyaml::parse_first(text.as_bytes(), &Limits::default())?;
    let mut node = parsed.map_or_else(Node::null, Node::into_root);
    if node.kind != Kind::Scalar {
        anchors::resolve(&mut node)?;
    }
    Ok(node)
}
