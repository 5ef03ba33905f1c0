//! Strategic merge of a patch into an object, as kyaml's `merge2` does it.
//!
//! Every field of the object is visited, also those that the patch does not name: that is what drops
//! empty fields and doubled list items, as kustomize does.

mod comment;
mod directive;
mod list;

use std::collections::BTreeSet;

use goyaml::{Kind, Node, tags};

use crate::error::Result;
use crate::schema::{Schema, Shape};
use crate::tree::{expect_kind, field, is_null, meta};
use comment::CommentSchemas;
use directive::Directive;

/// Which of the lists stands first in the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListOrder {
    /// New items before those of the object (patches).
    PatchFirst,
    /// New items after (chart values).
    PatchLast,
}

/// What is left of a node after a merge.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The object's node, changed in place.
    Dest,
    /// The patch's node.
    Patch,
    /// Nothing: the field goes.
    Clear,
    /// A null that was written out in the object.
    ExplicitNull,
}

/// Merges `patch` into `dest`. False when the patch deletes the object.
pub(crate) fn merge(dest: &mut Node, patch: &mut Node, schema: &Schema, order: ListOrder) -> Result<bool> {
    let comments = CommentSchemas::of([dest, patch]);
    let merger = Merger { schema, comments: &comments, order };
    match merger.walk(Some(dest), Some(patch), None)? {
        Outcome::Dest => Ok(true),
        Outcome::Patch => {
            *dest = std::mem::take(patch);
            Ok(true)
        }
        Outcome::Clear | Outcome::ExplicitNull => Ok(false),
    }
}

#[derive(Clone, Copy)]
pub(super) struct Merger<'s> {
    schema: &'s Schema,
    comments: &'s CommentSchemas,
    order: ListOrder,
}

fn present(node: Option<&Node>) -> Option<&Node> {
    node.filter(|node| !is_null(node))
}

impl<'s> Merger<'s> {
    fn shape(self, dest: Option<&Node>, patch: Option<&Node>, known: Option<Shape<'s>>) -> Option<Shape<'s>> {
        let mut nodes = [dest, patch].into_iter().filter_map(present);
        if let Some(written) = nodes.find_map(|node| self.comments.get(node)) {
            return Some(self.schema.of_field(written));
        }
        if known.is_some() {
            return known;
        }
        [dest, patch].into_iter().filter_map(present).find_map(|node| {
            let (api_version, kind) = (text_of(node, "apiVersion")?, text_of(node, "kind")?);
            self.schema.of_kind(api_version, kind)
        })
    }

    fn field_shape(
        self,
        maps: [Option<&Node>; 2],
        name: &str,
        shape: Option<Shape<'s>>,
    ) -> Option<Shape<'s>> {
        let written = self.comments.of_field(maps, name).map(|written| self.schema.of_field(written));
        written.or_else(|| shape?.field(name))
    }

    /// Merges one node. At least one of the two is there.
    pub(super) fn walk(
        self,
        dest: Option<&mut Node>,
        patch: Option<&mut Node>,
        shape: Option<Shape<'s>>,
    ) -> Result<Outcome> {
        let shape = self.shape(dest.as_deref(), patch.as_deref(), shape);
        let mut dest = dest;
        if let (Some(dest), Some(patch)) = (dest.as_deref_mut(), patch.as_deref())
            && dest.kind != Kind::Scalar
            && dest.content.is_empty()
        {
            dest.style = patch.style;
        }
        let kind = present(dest.as_deref()).or(present(patch.as_deref())).map(|node| node.kind);
        if let Some(kind @ (Kind::Mapping | Kind::Sequence | Kind::Scalar)) = kind {
            for node in [dest.as_deref(), patch.as_deref()].into_iter().flatten() {
                expect_kind(node, kind)?;
            }
        }
        match kind {
            None | Some(Kind::Mapping) => self.walk_map(dest, patch, shape),
            Some(Kind::Sequence) if shape.is_some_and(Shape::merges_items) => {
                self.walk_list(dest, patch, shape)
            }
            Some(Kind::Sequence | Kind::Scalar) => {
                Ok(if patch.is_some() { Outcome::Patch } else { Outcome::Dest })
            }
            Some(Kind::Document | Kind::Alias) => Ok(Outcome::Clear),
        }
    }

    fn walk_map(
        self,
        dest: Option<&mut Node>,
        patch: Option<&mut Node>,
        shape: Option<Shape<'s>>,
    ) -> Result<Outcome> {
        match (dest.filter(|dest| !is_null(dest) || patch.is_none()), patch) {
            (Some(dest), None) if is_null(dest) => {
                Ok(if dest.value.is_empty() { Outcome::Clear } else { Outcome::ExplicitNull })
            }
            (None, None) => Ok(Outcome::Clear),
            (None, Some(patch)) => {
                if directive::take(patch).is_ok_and(|found| found == Directive::Delete) {
                    return Ok(Outcome::Clear);
                }
                self.settle_map(patch, shape)?;
                Ok(Outcome::Patch)
            }
            (Some(dest), None) => {
                self.merge_fields(dest, None, shape)?;
                Ok(Outcome::Dest)
            }
            (Some(_), Some(patch)) if is_null(patch) => Ok(Outcome::Clear),
            (Some(dest), Some(patch)) => match directive::take(patch)? {
                Directive::Delete => Ok(Outcome::Clear),
                Directive::Replace => {
                    self.settle_map(patch, shape)?;
                    Ok(Outcome::Patch)
                }
                Directive::Merge => {
                    self.merge_fields(dest, Some(patch), shape)?;
                    Ok(Outcome::Dest)
                }
            },
        }
    }

    fn merge_fields(
        self,
        dest: &mut Node,
        mut patch: Option<&mut Node>,
        shape: Option<Shape<'s>>,
    ) -> Result<()> {
        let names: BTreeSet<String> = [Some(&*dest), patch.as_deref()]
            .into_iter()
            .flatten()
            .flat_map(|node| node.pairs().map(|(key, _)| key.value.clone()))
            .collect();
        for name in names {
            let field_shape = self.field_shape([Some(&*dest), patch.as_deref()], &name, shape);
            let patch_value = patch.as_deref_mut().and_then(|patch| patch.get_mut(&name));
            match (dest.get_mut(&name), patch_value) {
                (dest_value, Some(patch_value)) => {
                    match self.walk(dest_value, Some(patch_value), field_shape)? {
                        Outcome::Dest => quote(dest.get_mut(&name)),
                        Outcome::Patch => {
                            let value = patch_value.clone();
                            let style = patch
                                .as_deref()
                                .map_or(goyaml::Style::DEFAULT, |patch| key_style(patch, &name));
                            let is_new = dest.get(&name).is_none();
                            field::set(dest, &name, value)?;
                            if let (true, Some((key, _))) = (is_new, dest.pairs_mut().next_back())
                                && key.value == name
                            {
                                key.style = style;
                            }
                        }
                        Outcome::Clear => field::clear(dest, &name)?,
                        Outcome::ExplicitNull => {}
                    }
                }
                (Some(dest_value), None) => match self.walk(Some(dest_value), None, field_shape)? {
                    Outcome::Clear => field::clear(dest, &name)?,
                    Outcome::Dest => quote(dest.get_mut(&name)),
                    Outcome::Patch | Outcome::ExplicitNull => {}
                },
                (None, None) => {}
            }
        }
        Ok(())
    }

    /// What merging a node with itself leaves: directives, nulls and doubled items go. This happens to
    /// what a patch brings new.
    pub(super) fn settle(self, node: &mut Node, shape: Option<Shape<'s>>) -> Result<bool> {
        let shape = self.shape(Some(node), None, shape);
        match node.kind {
            _ if is_null(node) => Ok(false),
            Kind::Mapping => match directive::take(node)? {
                Directive::Delete => Ok(false),
                Directive::Replace | Directive::Merge => self.settle_map(node, shape).map(|()| true),
            },
            Kind::Sequence if shape.is_some_and(Shape::merges_items) => match directive::take(node)? {
                Directive::Delete => Ok(false),
                Directive::Replace | Directive::Merge => self.settle_list(node, shape),
            },
            _ => Ok(true),
        }
    }

    fn settle_map(self, node: &mut Node, shape: Option<Shape<'s>>) -> Result<()> {
        if node.kind != Kind::Mapping {
            return Ok(());
        }
        let names: BTreeSet<String> = node.pairs().map(|(key, _)| key.value.clone()).collect();
        for name in names {
            let field_shape = self.field_shape([Some(&*node), None], &name, shape);
            let Some(value) = node.get_mut(&name) else { continue };
            if self.settle(value, field_shape)? {
                quote(node.get_mut(&name));
            } else {
                field::clear(node, &name)?;
            }
        }
        Ok(())
    }
}

fn key_style(node: &Node, name: &str) -> goyaml::Style {
    node.pairs().find(|(key, _)| key.value == name).map_or(goyaml::Style::DEFAULT, |(key, _)| key.style)
}

fn text_of<'n>(node: &'n Node, name: &str) -> Option<&'n str> {
    if node.kind != Kind::Mapping {
        return None;
    }
    let text = meta::top(node, name);
    (!text.is_empty()).then_some(text)
}

/// Setting a field to what it is already still quotes strings without a tag that would be read as
/// something else.
fn quote(node: Option<&mut Node>) {
    if let Some(node) = node
        && node.kind == Kind::Scalar
        && node.tag.is_empty()
        && node.style == goyaml::Style::DEFAULT
        && field::is_not_string_in_yaml_1_1(&node.value)
    {
        node.style = goyaml::Style::DOUBLE_QUOTED;
        node.tag = tags::STR.into();
    }
}
