//! Schemas that a file gives to its own fields, as comments: `hosts: # {"x-kubernetes-patch-strategy": "merge"}`.

use std::collections::HashMap;

use goyaml::Node;
use serde_json::Value;

use crate::schema::Table;

/// What the comments of two trees say, by their text.
#[derive(Debug, Default)]
pub(super) struct CommentSchemas(HashMap<String, Table>);

impl CommentSchemas {
    pub(super) fn of(trees: [&Node; 2]) -> Self {
        let mut found = Self::default();
        let mut open: Vec<&Node> = trees.into();
        while let Some(node) = open.pop() {
            open.extend(&node.content);
            let Some(text) = text_of(node).filter(|text| !found.0.contains_key(*text)) else { continue };
            if let Ok(Value::Object(schema)) = serde_json::from_str(text)
                && !schema.is_empty()
            {
                found.0.insert(text.to_owned(), Table::of_field(Value::Object(schema)));
            }
        }
        found
    }

    /// The schema of a node's own comment.
    pub(super) fn get(&self, node: &Node) -> Option<&Table> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(text_of(node)?)
    }

    /// The schema that the maps' own comments give to a field: that of its value, else that of its key (where the
    /// comment of a list stands), in the first map that has one.
    pub(super) fn of_field(&self, maps: [Option<&Node>; 2], name: &str) -> Option<&Table> {
        if self.0.is_empty() {
            return None;
        }
        let mut fields =
            maps.into_iter().flatten().filter_map(|map| map.pairs().find(|(key, _)| key.value == name));
        fields.find_map(|(key, value)| self.get(value).or_else(|| self.get(key)))
    }
}

/// The comment that counts, if it may be JSON: the one at the end of the line hides the one before it.
fn text_of(node: &Node) -> Option<&str> {
    node.comments.as_ref()?;
    let comment = [node.line_comment(), node.head_comment()].into_iter().find(|text| !text.is_empty())?;
    let text = comment.trim_start_matches('#').trim();
    text.starts_with('{').then_some(text)
}
