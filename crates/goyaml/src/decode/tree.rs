//! The nodes of one document as yaml.v2 keeps them: no comments, no styles, aliases resolved to nodes.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::Limits;
use crate::compose::{limit_error, unknown_anchor};
use crate::parser::Parser;
use crate::parser::event::{Event, EventKind, Properties};
use crate::scanner::token::{Failure, Mark};

/// The number of a node in its [`Tree`].
pub(super) type Id = u32;

#[derive(Debug)]
pub(super) enum Shape<'a> {
    /// `tag` is in short form and empty when the text has none. An implicit scalar has the type that its text
    /// implies.
    Scalar {
        value: Cow<'a, str>,
        tag: Cow<'a, str>,
        implicit: bool,
    },
    Sequence(Vec<Id>),
    /// Key, value, key, value, …
    Mapping(Vec<Id>),
    Alias {
        name: &'a str,
        target: Id,
    },
}

#[derive(Debug)]
pub(super) struct TreeNode<'a> {
    pub(super) shape: Shape<'a>,
    /// From 1.
    pub(super) line: u32,
    pub(super) column: u32,
}

#[derive(Debug, Default)]
pub(super) struct Tree<'a> {
    nodes: Vec<TreeNode<'a>>,
    anchors: HashMap<&'a str, Id>,
    /// The collections that are open, outermost first.
    open: Vec<Id>,
}

impl<'a> Tree<'a> {
    /// Reads the first document; `None` when there is none.
    pub(super) fn read(parser: &mut Parser<'a>, limits: &Limits) -> Result<Option<Self>, Failure> {
        let mut tree = Self::default();
        loop {
            let Event { kind, start, .. } = parser.next()?;
            match kind {
                EventKind::StreamStart | EventKind::DocumentStart => {}
                EventKind::StreamEnd => return Ok(None),
                EventKind::DocumentEnd => return Ok(Some(tree)),
                EventKind::SequenceStart { properties, .. } => {
                    tree.open(Shape::Sequence(Vec::new()), &properties, start, limits)?
                }
                EventKind::MappingStart { properties, .. } => {
                    tree.open(Shape::Mapping(Vec::new()), &properties, start, limits)?
                }
                EventKind::SequenceEnd | EventKind::MappingEnd => {
                    tree.open.pop();
                }
                EventKind::Scalar { properties, value, implicit, .. } => {
                    let tag = short(properties.tag);
                    let id = tree.add(Shape::Scalar { value, tag, implicit }, start, limits)?;
                    tree.set_anchor(properties.anchor, id);
                }
                EventKind::Alias(name) => {
                    let target = *tree.anchors.get(name).ok_or_else(|| unknown_anchor(name, start))?;
                    tree.add(Shape::Alias { name, target }, start, limits)?;
                }
            }
        }
    }

    pub(super) fn get(&self, id: Id) -> Option<&TreeNode<'a>> {
        self.nodes.get(id as usize)
    }

    fn open(
        &mut self,
        shape: Shape<'a>,
        properties: &Properties<'a>,
        mark: Mark,
        limits: &Limits,
    ) -> Result<(), Failure> {
        if self.open.len() >= limits.depth {
            return Err(limit_error(format!("exceeded max depth of {}", limits.depth), mark));
        }
        let id = self.add(shape, mark, limits)?;
        self.set_anchor(properties.anchor, id);
        self.open.push(id);
        Ok(())
    }

    fn add(&mut self, shape: Shape<'a>, mark: Mark, limits: &Limits) -> Result<Id, Failure> {
        let id = Id::try_from(self.nodes.len()).ok().filter(|_| self.nodes.len() < limits.nodes);
        let Some(id) = id else { return Err(limit_error(format!("more than {} nodes", limits.nodes), mark)) };
        if let Some(parent) = self.open.last().and_then(|parent| self.nodes.get_mut(*parent as usize))
            && let Shape::Sequence(children) | Shape::Mapping(children) = &mut parent.shape
        {
            children.push(id);
        }
        self.nodes.push(TreeNode { shape, line: mark.line + 1, column: mark.column + 1 });
        Ok(id)
    }

    fn set_anchor(&mut self, anchor: Option<&'a str>, id: Id) {
        if let Some(name) = anchor {
            self.anchors.insert(name, id);
        }
    }
}

/// The short form of a tag.
fn short(tag: Cow<'_, str>) -> Cow<'_, str> {
    match tag {
        Cow::Borrowed(tag) => crate::tag::short(tag),
        Cow::Owned(tag) => Cow::Owned(crate::tag::short(&tag).into_owned()),
    }
}
