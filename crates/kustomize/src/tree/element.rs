//! Items of lists that are merged by keys.
//!
//! kyaml works on pointers: one item can stand in two lists at once. Here lists are lists of positions
//! in an arena of nodes.

use goyaml::{Kind, Node};

use super::{expect_kind, is_empty_map, is_null, lookup};
use crate::error::Result;

/// Nodes by position.
pub(crate) type Arena = Vec<Node>;

/// A list of positions in an arena.
pub(crate) type Items = Vec<usize>;

fn node(arena: &Arena, id: usize) -> Option<&Node> {
    arena.get(id)
}

/// Whether an item has the given texts in the key fields. An empty text asks only for the field.
fn matches(item: &Node, keys: &[String], values: &[String]) -> Result<bool> {
    let mut found = false;
    for (i, key) in keys.iter().enumerate() {
        if let Some(value) = values.get(i) {
            found = field_matches(item, key, value)?;
        }
        if !found {
            return Ok(false);
        }
    }
    Ok(found)
}

fn field_matches(item: &Node, key: &str, value: &str) -> Result<bool> {
    if is_null(item) {
        return Ok(false);
    }
    if key.is_empty() {
        expect_kind(item, Kind::Scalar)?;
        return Ok(item.value == value);
    }
    expect_kind(item, Kind::Mapping)?;
    Ok(item.get(key).is_some_and(|found| value.is_empty() || found.value == value))
}

/// Replaces the items that have these key values by `element`, or appends it; without an element,
/// removes them. Null and empty items are dropped on the way.
pub(crate) fn set_element(
    arena: &Arena,
    items: &mut Items,
    element: Option<usize>,
    keys: &[String],
    values: &[String],
) -> Result<()> {
    let one_key = [String::new()];
    let keys = if keys.is_empty() { &one_key[..] } else { keys };
    let by_fields = keys.first().is_some_and(|key| !key.is_empty())
        && values.first().is_some_and(|value| !value.is_empty());
    let mut kept = Items::with_capacity(items.len() + 1);
    let mut replaced = false;
    for &id in items.iter() {
        let Some(item) = node(arena, id) else { continue };
        if is_null(item) || is_empty_map(item) {
            continue;
        }
        if item.kind != Kind::Mapping && by_fields {
            kept.push(id);
            continue;
        }
        if !matches(item, keys, values)? {
            if !values.is_empty() {
                kept.push(id);
            }
            continue;
        }
        replaced = true;
        kept.extend(element);
    }
    *items = kept;
    if let Some(id) = element
        && !replaced
        && node(arena, id).is_some_and(|item| !is_null(item))
    {
        items.push(id);
    }
    Ok(())
}

/// Puts all of `from` into `into`: where the key values are the same, the item of `from` takes the place.
pub(crate) fn append_list(arena: &Arena, into: &mut Items, from: &Items, keys: &[String]) -> Result<()> {
    for &id in from {
        let Some(item) = node(arena, id) else { continue };
        if keys.first().is_none_or(String::is_empty) {
            set_element(arena, into, Some(id), &[String::new()], std::slice::from_ref(&item.value))?;
            continue;
        }
        let mut values = Vec::with_capacity(keys.len());
        for key in keys {
            match super::field::get(item, key)? {
                Some(value) => values.push(value.value.clone()),
                None => into.push(id),
            }
        }
        if keys.len() > 1 {
            set_element(arena, into, None, keys, &values)?;
        }
        set_element(arena, into, Some(id), keys, &values)?;
    }
    Ok(())
}

/// The first item with these key values.
pub(crate) fn find(arena: &Arena, items: &Items, keys: &[String], values: &[String]) -> Option<usize> {
    if keys.len() != values.len() {
        return None;
    }
    items.iter().copied().find(|id| {
        node(arena, *id).is_some_and(|item| {
            if keys.first().is_none_or(String::is_empty) {
                return lookup::item_matches(item, keys, values);
            }
            item.kind == Kind::Mapping && !is_null(item) && lookup::item_matches(item, keys, values)
        })
    })
}

/// The texts of the key fields of every item (empty where a field is missing or empty).
pub(crate) fn key_values(items: &[Node], keys: &[String]) -> Vec<Vec<String>> {
    let text = |item: &Node, key: &str| {
        let value = super::field::field(item, key).filter(|value| !super::is_empty(value));
        value.map_or_else(String::new, |value| value.value.clone())
    };
    items.iter().map(|item| keys.iter().map(|key| text(item, key)).collect()).collect()
}
