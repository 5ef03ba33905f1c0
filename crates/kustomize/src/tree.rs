//! Operations on the nodes of a Kubernetes object, with the meaning that kyaml gives them.
//!
//! Knows nothing of resources, identities or files.

pub(crate) mod element;
pub(crate) mod field;
pub(crate) mod field_spec;
pub(crate) mod lookup;
pub(crate) mod meta;
pub(crate) mod path_match;
pub(crate) mod share;
pub(crate) mod value;

use goyaml::{Kind, Node, tags};

use crate::error::{Error, ErrorKind, Result};

/// Whether a node says that it is null (missing nodes are `None` in this crate).
pub(crate) fn is_null(node: &Node) -> bool {
    node.tag == tags::NULL
}

/// Whether a node is null, an empty collection, or a node without any content.
pub(crate) fn is_empty(node: &Node) -> bool {
    let root = node.root();
    is_null(root) || matches!(root.kind, Kind::Mapping | Kind::Sequence) && root.content.is_empty()
}

/// Whether a node is missing, null or an empty mapping.
pub(crate) fn is_empty_map(node: &Node) -> bool {
    is_null(node) || node.kind == Kind::Mapping && node.content.is_empty()
}

/// Whether kyaml takes the node for a string: its tag says so, or it has none.
pub(crate) fn is_string(node: &Node) -> bool {
    node.kind == Kind::Scalar && (node.tag == tags::STR || node.tag.is_empty())
}

/// The name that kyaml's messages give to a kind of node.
pub(crate) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Document => "DocumentNode",
        Kind::Mapping => "MappingNode",
        Kind::Sequence => "SequenceNode",
        Kind::Scalar => "ScalarNode",
        Kind::Alias => "AliasNode",
    }
}

/// A node of another kind than expected is an error, unless it is null.
pub(crate) fn expect_kind(node: &Node, kind: Kind) -> Result<()> {
    let root = node.root();
    if is_null(root) || root.kind == kind {
        return Ok(());
    }
    let mut message =
        format!("wrong node kind: expected {} but got {}", kind_name(kind), kind_name(root.kind));
    if let Ok(text) = value::print(node) {
        message.push_str(": node contents:\n");
        message.push_str(&text);
    }
    Err(Error::with_kind(ErrorKind::InvalidNode { scalar: root.kind == Kind::Scalar }, message))
}

/// The items of a sequence; an error for other kinds, nothing for null.
pub(crate) fn elements(node: &Node) -> Result<&[Node]> {
    expect_kind(node, Kind::Sequence)?;
    Ok(&node.root().content)
}

/// The items of a sequence, for changing.
pub(crate) fn elements_mut(node: &mut Node) -> Result<&mut Vec<Node>> {
    expect_kind(node, Kind::Sequence)?;
    Ok(&mut node.root_mut().content)
}
