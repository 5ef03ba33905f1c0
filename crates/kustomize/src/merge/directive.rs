//! `$patch: delete | replace | merge`.

use goyaml::{Kind, Node};

use crate::error::{Error, Result};
use crate::tree::{field, is_empty_map, is_null, value};

const KEY: &str = "$patch";

/// What a patch asks to do with the node at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Directive {
    Merge,
    Replace,
    Delete,
}

fn parse(text: &str) -> Result<Directive> {
    match text {
        "delete" => Ok(Directive::Delete),
        "replace" => Ok(Directive::Replace),
        "merge" => Ok(Directive::Merge),
        _ => Err(Error::new(format!("unknown patch strategy '{text}'"))),
    }
}

/// The directive of a node of a patch, which is taken out of it.
pub(super) fn take(patch: &mut Node) -> Result<Directive> {
    match patch.kind {
        Kind::Mapping => of_map(patch),
        Kind::Sequence => of_list(patch),
        _ => Err(Error::new(format!(
            "no implemented strategic merge patch strategy for '{}' ('{}')",
            patch.short_tag(),
            value::print(patch)?
        ))),
    }
}

fn of_map(patch: &mut Node) -> Result<Directive> {
    let Some(found) = patch.get(KEY) else { return Ok(Directive::Merge) };
    let directive = parse(&found.value)?;
    field::clear(patch, KEY)?;
    Ok(directive)
}

/// In a list, the directive stands in an item of its own.
fn of_list(patch: &mut Node) -> Result<Directive> {
    let item = patch.content.iter().find(|item| item.kind == Kind::Mapping && item.get(KEY).is_some());
    let Some(item) = item.filter(|item| item.content.len() <= 2) else { return Ok(Directive::Merge) };
    let Some(text) = item.get(KEY).map(|found| found.value.clone()) else { return Ok(Directive::Merge) };
    let directive = parse(&text)?;
    patch.content.retain(|item| {
        let is_directive =
            item.kind == Kind::Mapping && item.get(KEY).is_some_and(|found| found.value == text);
        !is_null(item) && !is_empty_map(item) && !is_directive
    });
    Ok(directive)
}
