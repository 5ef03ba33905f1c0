//! The parts of an object that every Kubernetes object has: kind, name, labels, annotations.

use std::collections::BTreeMap;

use goyaml::{Kind, Node, Style, tags};

use super::{field, is_empty, is_null, lookup};
use crate::error::{Error, Result};

/// Labels or annotations.
pub(crate) type StringMap = BTreeMap<String, String>;

/// Type and identity of an object, as far as they are there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) labels: Option<StringMap>,
    pub(crate) annotations: Option<StringMap>,
}

fn text(node: &Node) -> String {
    if is_null(node) { String::new() } else { node.value.clone() }
}

fn filled<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    field::field(node, name).filter(|value| !is_empty(value))
}

/// The text of a top-level field (`kind`, `apiVersion`), or nothing.
pub(crate) fn top<'n>(node: &'n Node, name: &str) -> &'n str {
    pairs_of(node).find(|(key, _)| key.value == name).map_or("", |(_, value)| &value.value)
}

/// Key and value pairs of whatever the node holds.
fn pairs_of(node: &Node) -> impl Iterator<Item = (&Node, &Node)> {
    node.content.as_chunks::<2>().0.iter().map(|[key, value]| (key, value))
}

fn metadata(node: &Node) -> Option<&Node> {
    if is_null(node) {
        return None;
    }
    pairs_of(node).find(|(key, _)| key.value == "metadata").map(|(_, value)| value).filter(|v| !is_empty(v))
}

fn meta_text<'n>(node: &'n Node, name: &str) -> &'n str {
    metadata(node)
        .and_then(|meta| pairs_of(meta).find(|(key, _)| key.value == name))
        .map(|(_, value)| value)
        .filter(|value| !is_empty(value))
        .map_or("", |value| &value.value)
}

/// `metadata.name`, or nothing.
pub(crate) fn name(node: &Node) -> &str {
    meta_text(node, "name")
}

/// `metadata.namespace`, or nothing.
pub(crate) fn namespace(node: &Node) -> &str {
    meta_text(node, "namespace")
}

fn string_map(node: &Node, name: &str) -> StringMap {
    let Some(map) = metadata(node).and_then(|meta| pairs_of(meta).find(|(key, _)| key.value == name)) else {
        return StringMap::new();
    };
    pairs_of(map.1).map(|(key, value)| (key.value.clone(), value.value.clone())).collect()
}

/// All annotations.
pub(crate) fn annotations(node: &Node) -> StringMap {
    string_map(node, "annotations")
}

/// One annotation.
pub(crate) fn annotation<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    let map = metadata(node).and_then(|meta| pairs_of(meta).find(|(name, _)| name.value == "annotations"))?.1;
    pairs_of(map).find(|(name, _)| name.value == key).map(|(_, value)| value.value.as_str())
}

/// All labels.
pub(crate) fn labels(node: &Node) -> StringMap {
    string_map(node, "labels")
}

/// Type and identity as kyaml's `GetMeta` reads them; `None` when nothing of it is there.
pub(crate) fn read(node: &Node) -> Option<Meta> {
    if is_null(node) {
        return Some(Meta::default());
    }
    let mut meta = Meta::default();
    let mut found = false;
    if let Some(value) = filled(node, "apiVersion") {
        meta.api_version = text(value);
        found = true;
    }
    if let Some(value) = filled(node, "kind") {
        meta.kind = text(value);
        found = true;
    }
    if let Some(metadata) = filled(node, "metadata") {
        if let Some(value) = filled(metadata, "name") {
            meta.name.clone_from(&value.value);
            found = true;
        }
        if let Some(value) = filled(metadata, "namespace") {
            meta.namespace = text(value);
            found = true;
        }
        meta.labels = read_map(metadata, "labels");
        meta.annotations = read_map(metadata, "annotations");
        found |= meta.labels.is_some() || meta.annotations.is_some();
    }
    found.then_some(meta)
}

fn read_map(metadata: &Node, name: &str) -> Option<StringMap> {
    let map = filled(metadata, name)?;
    Some(map.pairs().map(|(key, value)| (text(key), text(value))).collect())
}

/// The meta of an object that has kind and name, else kustomize's error.
pub(crate) fn validated(node: &Node) -> Result<Meta> {
    let Some(meta) = read(node) else { return Err(Error::new("missing Resource metadata")) };
    if meta.kind.is_empty() {
        return Err(Error::new(format!("missing kind in object {}", display(&meta))));
    }
    if !meta.kind.ends_with("List") && meta.name.is_empty() {
        return Err(Error::new(format!("missing metadata.name in object {}", display(&meta))));
    }
    Ok(meta)
}

/// The meta as Go's `%v` prints it.
fn display(meta: &Meta) -> String {
    format!(
        "{{{{{} {}}} {{{{{} {}}} {} {}}}}}",
        meta.api_version,
        meta.kind,
        meta.name,
        meta.namespace,
        go_map(meta.labels.as_ref()),
        go_map(meta.annotations.as_ref())
    )
}

/// A map of strings as Go's `%v` prints it.
pub(crate) fn go_map(map: Option<&StringMap>) -> String {
    let pairs: Vec<String> = map.into_iter().flatten().map(|(key, value)| format!("{key}:{value}")).collect();
    format!("map[{}]", pairs.join(" "))
}

/// Sets a top-level field to a scalar.
pub(crate) fn set_top(node: &mut Node, name: &str, value: &str) -> Result<()> {
    field::set(node, name, Node::scalar(value))
}

/// Sets a field of the metadata to a scalar.
fn set_meta_field(node: &mut Node, name: &str, value: Node) -> Result<()> {
    match lookup::lookup_mut(node, &["metadata"], Some(Kind::Mapping))? {
        Some(meta) => field::set(meta, name, value),
        None => Ok(()),
    }
}

/// Sets `metadata.name`.
pub(crate) fn set_name(node: &mut Node, name: &str) -> Result<()> {
    set_meta_field(node, "name", Node::scalar(name))
}

/// Sets `metadata.name` to a string (never to be read as a number).
pub(crate) fn set_name_string(node: &mut Node, name: &str) -> Result<()> {
    set_meta_field(node, "name", field::string(name))
}

/// Sets `metadata.namespace` to a string.
pub(crate) fn set_namespace_string(node: &mut Node, namespace: &str) -> Result<()> {
    set_meta_field(node, "namespace", field::string(namespace))
}

/// Sets `metadata.namespace`, or removes it when empty.
pub(crate) fn set_namespace(node: &mut Node, namespace: &str) -> Result<()> {
    if !namespace.is_empty() {
        return set_meta_field(node, "namespace", Node::scalar(namespace));
    }
    match lookup::lookup_mut(node, &["metadata"], None)? {
        Some(meta) => field::clear(meta, "namespace"),
        None => Ok(()),
    }
}

fn set_map(node: &mut Node, map: &StringMap, name: &str) -> Result<()> {
    let Some(meta) = lookup::lookup_mut(node, &["metadata"], Some(Kind::Mapping))? else { return Ok(()) };
    field::clear(meta, name)?;
    if map.is_empty() {
        return Ok(());
    }
    let Some(target) = lookup::lookup_mut(meta, &[name], Some(Kind::Mapping))? else { return Ok(()) };
    for (key, value) in map {
        field::set(target, key, field::string(value))?;
    }
    Ok(())
}

/// Replaces all annotations.
pub(crate) fn set_annotations(node: &mut Node, map: &StringMap) -> Result<()> {
    set_map(node, map, "annotations")
}

/// Replaces all labels.
pub(crate) fn set_labels(node: &mut Node, map: &StringMap) -> Result<()> {
    set_map(node, map, "labels")
}

fn add(node: &mut Node, map: &'static str, key: &str, value: &str) -> Result<()> {
    let quoted = Node {
        value: value.to_owned(),
        tag: tags::STR.into(),
        style: Style::SINGLE_QUOTED,
        ..Node::default()
    };
    match lookup::lookup_mut(node, &["metadata", map], Some(Kind::Mapping))? {
        Some(target) => field::set(target, key, quoted),
        None => Ok(()),
    }
}

/// Sets one annotation; empty annotations and metadata are removed before.
pub(crate) fn set_annotation(node: &mut Node, key: &str, value: &str) -> Result<()> {
    if let Some(meta) = lookup::lookup_mut(node, &["metadata"], None)? {
        clear_if_childless(meta, "annotations")?;
    }
    clear_if_childless(node, "metadata")?;
    add(node, "annotations", key, value)
}

fn clear_if_childless(node: &mut Node, name: &str) -> Result<()> {
    super::expect_kind(node, Kind::Mapping)?;
    if field::field(node, name).is_some_and(|value| value.content.is_empty()) {
        node.remove(name);
    }
    Ok(())
}

/// Sets one label.
pub(crate) fn set_label(node: &mut Node, key: &str, value: &str) -> Result<()> {
    add(node, "labels", key, value)
}
