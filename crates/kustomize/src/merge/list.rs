//! Lists whose items are merged by keys (containers by name, ports by port and protocol) or as a set.

use std::collections::HashSet;

use goyaml::{Kind, Node};

use super::{ListOrder, Merger, Outcome, directive};
use crate::error::Result;
use crate::merge::directive::Directive;
use crate::schema::Shape;
use crate::tree::element::{self, Arena, Items};
use crate::tree::{field, is_empty_map, is_null};

/// The two lists, their items in one arena.
struct Lists {
    arena: Arena,
    dest: Items,
    patch: Items,
}

impl Lists {
    fn new(dest: Option<&mut Node>, patch: Option<&Node>) -> Self {
        let mut arena = dest.map(|node| std::mem::take(&mut node.content)).unwrap_or_default();
        let dest = (0..arena.len()).collect();
        let start = arena.len();
        arena.extend(patch.into_iter().flat_map(|node| node.content.iter().cloned()));
        let patch = (start..arena.len()).collect();
        Self { arena, dest, patch }
    }

    fn nodes(&self, items: &Items) -> Vec<Node> {
        items.iter().filter_map(|id| self.arena.get(*id)).cloned().collect()
    }
}

impl<'s> Merger<'s> {
    /// Merges two lists by their keys.
    pub(super) fn walk_list(
        self,
        dest: Option<&mut Node>,
        patch: Option<&mut Node>,
        shape: Option<Shape<'s>>,
    ) -> Result<Outcome> {
        match (dest.filter(|dest| !is_null(dest)), patch) {
            (None, None) => Ok(Outcome::Clear),
            (None, Some(patch)) => {
                Ok(if self.settle_list(patch, shape)? { Outcome::Patch } else { Outcome::Clear })
            }
            (Some(_), Some(patch)) if is_null(patch) => Ok(Outcome::Clear),
            (Some(dest), None) => self.merge_lists(dest, None, shape),
            (Some(dest), Some(patch)) => match directive::take(patch)? {
                Directive::Delete => Ok(Outcome::Clear),
                Directive::Replace => {
                    Ok(if self.settle_list(patch, shape)? { Outcome::Patch } else { Outcome::Clear })
                }
                Directive::Merge => self.merge_lists(dest, Some(patch), shape),
            },
        }
    }

    fn merge_lists(self, dest: &mut Node, patch: Option<&Node>, shape: Option<Shape<'s>>) -> Result<Outcome> {
        let merged = self.merge_items(Lists::new(Some(dest), patch), shape, false)?;
        dest.content = merged;
        Ok(Outcome::Dest)
    }

    /// What merging a list with itself leaves.
    pub(super) fn settle_list(self, list: &mut Node, shape: Option<Shape<'s>>) -> Result<bool> {
        if is_null(list) {
            return Ok(false);
        }
        let merged = self.merge_items(Lists::new(Some(list), None), shape, true)?;
        list.content = merged;
        Ok(true)
    }

    fn merge_items(self, mut lists: Lists, shape: Option<Shape<'s>>, with_itself: bool) -> Result<Vec<Node>> {
        let keys = shape.map(Shape::merge_keys).unwrap_or_default();
        let (mut values, keys) = if keys.is_empty() {
            (self.texts(&lists, with_itself), vec![String::new()])
        } else {
            (self.key_values(&lists, &keys, with_itself), keys)
        };
        if values.is_empty() {
            return Ok(lists.nodes(&lists.dest));
        }
        if keys.len() > 1 {
            unify(&mut values);
        }
        let item_shape = shape.and_then(Shape::items);
        let mut merged = Items::new();
        let mut used_keys = keys.clone();
        for wanted in &values {
            let (valid_keys, valid_values) = valid(&values, wanted, &keys);
            let found = self.merge_item(&mut lists, &valid_keys, &valid_values, item_shape, with_itself)?;
            if let Some(id) = found {
                element::set_element(&lists.arena, &mut merged, Some(id), &valid_keys, &valid_values)?;
            }
            used_keys = valid_keys;
        }
        let result = match self.order {
            ListOrder::PatchFirst => {
                element::append_list(&lists.arena, &mut merged, &lists.dest, &used_keys)?;
                &merged
            }
            ListOrder::PatchLast => {
                element::append_list(&lists.arena, &mut lists.dest, &merged, &used_keys)?;
                &lists.dest
            }
        };
        Ok(lists.nodes(result))
    }

    /// Merges the items with these key values; the position of the result, or `None` when it is gone.
    fn merge_item(
        self,
        lists: &mut Lists,
        keys: &[String],
        values: &[String],
        shape: Option<Shape<'s>>,
        with_itself: bool,
    ) -> Result<Option<usize>> {
        let (own_keys, own_values) = valid(std::slice::from_ref(&values.to_vec()), values, keys);
        let dest = element::find(&lists.arena, &lists.dest, &own_keys, &own_values);
        let patch = element::find(&lists.arena, &lists.patch, &own_keys, &own_values);
        let id = if with_itself {
            let Some(id) = dest else { return Ok(None) };
            let Some(node) = lists.arena.get_mut(id) else { return Ok(None) };
            self.settle(node, shape)?.then_some(id)
        } else {
            let mut patch_node = patch.and_then(|id| lists.arena.get(id)).cloned();
            let dest_node = dest.and_then(|id| lists.arena.get_mut(id));
            let outcome = self.walk(dest_node, patch_node.as_mut(), shape)?;
            if let (Some(id), Some(node)) = (patch, patch_node)
                && let Some(slot) = lists.arena.get_mut(id)
            {
                *slot = node;
            }
            match outcome {
                Outcome::Dest => dest,
                Outcome::Patch => patch,
                Outcome::Clear | Outcome::ExplicitNull => None,
            }
        };
        let gone =
            id.and_then(|id| lists.arena.get(id)).is_none_or(|node| is_null(node) || is_empty_map(node));
        if gone {
            element::set_element(&lists.arena, &mut lists.dest, None, keys, values)?;
            return Ok(None);
        }
        if let Some(node) = id.and_then(|id| lists.arena.get_mut(id)) {
            complete(node, keys, values)?;
        }
        Ok(id)
    }

    fn order(self, lists: &Lists, with_itself: bool) -> Vec<&Items> {
        match self.order {
            _ if with_itself => vec![&lists.dest],
            ListOrder::PatchFirst => vec![&lists.patch, &lists.dest],
            ListOrder::PatchLast => vec![&lists.dest, &lists.patch],
        }
    }

    fn key_values(self, lists: &Lists, keys: &[String], with_itself: bool) -> Vec<Vec<String>> {
        let mut seen = HashSet::new();
        let mut values = Vec::new();
        for items in self.order(lists, with_itself) {
            for value in element::key_values(&lists.nodes(items), keys) {
                if seen.insert(value.clone()) {
                    values.push(value);
                }
            }
        }
        values
    }

    fn texts(self, lists: &Lists, with_itself: bool) -> Vec<Vec<String>> {
        let mut seen = HashSet::new();
        let all = self.order(lists, with_itself).into_iter().flatten();
        let texts = all.filter_map(|id| lists.arena.get(*id)).map(|node| node.value.clone());
        texts.filter(|text| seen.insert(text.clone())).map(|text| vec![text]).collect()
    }
}

/// Gives the merged item the key fields that it lacks.
fn complete(node: &mut Node, keys: &[String], values: &[String]) -> Result<()> {
    for (key, value) in keys.iter().zip(values) {
        if value.is_empty() || field::field(node, key).is_some() {
            continue;
        }
        if key.is_empty() {
            if node.kind == Kind::Scalar {
                field::set_scalar(node, Node::scalar(value))?;
            }
        } else {
            field::set(node, key, Node::scalar(value))?;
        }
    }
    Ok(())
}

/// The keys that some item has, and an item's values for them; all keys when no item has any.
fn valid(all: &[Vec<String>], values: &[String], keys: &[String]) -> (Vec<String>, Vec<String>) {
    let has = |i: usize| all.iter().any(|values| values.get(i).is_some_and(|value| !value.is_empty()));
    let present: Vec<bool> = (0..keys.len()).map(has).collect();
    if present.iter().all(|present| !present) {
        return (keys.to_vec(), values.to_vec());
    }
    let is_present = |i: usize| present.get(i).copied().unwrap_or_default();
    let kept_keys = keys.iter().enumerate().filter(|(i, _)| is_present(*i)).map(|(_, key)| key.clone());
    let kept_values = values
        .iter()
        .enumerate()
        .filter(|(i, value)| !value.is_empty() || is_present(*i))
        .map(|(_, value)| value.clone());
    (kept_keys.collect(), kept_values.collect())
}

/// Items that agree in the keys that both have are the same item: a port without protocol is the port.
fn unify(values: &mut [Vec<String>]) {
    for i in 0..values.len() {
        let Some(one) = values.get(i).cloned() else { continue };
        for j in 0..values.len() {
            let Some(other) = values.get(j) else { continue };
            if let Some(both) = common(&one, other) {
                if let Some(slot) = values.get_mut(i) {
                    slot.clone_from(&both);
                }
                if let Some(slot) = values.get_mut(j) {
                    *slot = both;
                }
            }
        }
    }
}

fn common(one: &[String], other: &[String]) -> Option<Vec<String>> {
    if one.len() != other.len() {
        return None;
    }
    let mut agree = false;
    let mut both = Vec::with_capacity(one.len());
    for (a, b) in one.iter().zip(other) {
        if a == b {
            agree = true;
        } else if !a.is_empty() && !b.is_empty() {
            return None;
        }
        both.push(if a.is_empty() { b.clone() } else { a.clone() });
    }
    agree.then_some(both)
}
