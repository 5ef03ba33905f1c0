//! Replaces aliases by copies of what they call, and merge keys by the fields that they bring.

use std::collections::HashMap;

use goyaml::{Kind, Node, tags};

use crate::error::{Error, ErrorKind, Result};

/// How many nodes the aliases of one document may add.
const MOST_COPIED_NODES: usize = 2_000_000;

struct Resolver {
    anchors: HashMap<Box<str>, (Node, usize)>,
    budget: usize,
}

/// Resolves all anchors of a document.
pub(super) fn resolve(root: &mut Node) -> Result<()> {
    let mut resolver = Resolver { anchors: HashMap::new(), budget: MOST_COPIED_NODES };
    resolver.visit(root).map(drop)
}

impl Resolver {
    /// Resolves a node and counts the nodes that it then has.
    fn visit(&mut self, node: &mut Node) -> Result<usize> {
        let anchor = node.anchor.take();
        if node.kind == Kind::Alias {
            return self.expand(node);
        }
        let mut size = 1;
        for child in &mut node.content {
            size += self.visit(child)?;
        }
        if node.kind == Kind::Mapping && node.pairs().any(|(key, _)| key.tag == tags::MERGE) {
            merge(node)?;
        }
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok(size)
    }

    fn expand(&mut self, node: &mut Node) -> Result<usize> {
        let Some((target, size)) = self.anchors.get(node.value.as_str()) else {
            return Err(Error::new(format!("anchor '{}' value contains itself", node.value)));
        };
        self.budget = self
            .budget
            .checked_sub(*size)
            .ok_or_else(|| Error::with_kind(ErrorKind::Limit, "document contains excessive aliasing"))?;
        let size = *size;
        *node = target.clone();
        Ok(size)
    }
}

/// The maps that a merge key brings, the ones that win last.
fn sources(value: Node) -> Result<Vec<Node>> {
    match value.kind {
        Kind::Mapping => Ok(vec![value]),
        Kind::Sequence => {
            let mut found = Vec::new();
            for item in value.content.into_iter().rev() {
                match item.kind {
                    Kind::Sequence => {
                        return Err(Error::new("invalid map merge: received a nested sequence"));
                    }
                    _ => found.extend(sources(item)?),
                }
            }
            Ok(found)
        }
        _ => Err(Error::new("map merge requires map or sequence of maps as the value")),
    }
}

fn merge(node: &mut Node) -> Result<()> {
    let content = std::mem::take(&mut node.content);
    let mut merged = None;
    let mut own: Vec<Node> = Vec::with_capacity(content.len());
    let mut pairs = content.into_iter();
    while let (Some(key), Some(value)) = (pairs.next(), pairs.next()) {
        if key.tag != tags::MERGE {
            own.extend([key, value]);
        } else if merged.replace(value).is_some() {
            return Err(Error::new("duplicate merge key"));
        }
    }
    node.content = own;
    let own_keys: Vec<String> = node.pairs().map(|(key, _)| key.value.clone()).collect();
    for source in merged.map(sources).transpose()?.unwrap_or_default() {
        let mut pairs = source.content.into_iter();
        while let (Some(key), Some(value)) = (pairs.next(), pairs.next()) {
            if own_keys.contains(&key.value) {
                continue;
            }
            match node.get_mut(&key.value) {
                Some(known) => *known = value,
                None => node.content.extend([key, value]),
            }
        }
    }
    Ok(())
}
