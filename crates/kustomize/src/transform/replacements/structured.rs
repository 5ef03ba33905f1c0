//! Targets inside of YAML or JSON that stands in a scalar: `data.config\.json.server.port`.

use goyaml::{Kind, Limits, Node};

use super::set_places;
use crate::error::{Error, Result};
use crate::kustomization::FieldOptions;
use crate::tree::{lookup, path_match, share, value as values};

/// Sets the value in the text of a scalar on the path.
///
/// # Errors
/// There is no such scalar, or the path does not lead on inside of it: the caller then tries without.
pub(super) fn set(node: &mut Node, value: &Node, path: &str, options: Option<&FieldOptions>) -> Result<()> {
    let parts = lookup::split_smart(path);
    let Some((scalar_path, inner_path, mut document)) = find_text(node, &parts) else {
        return Err(Error::new("no structured data found in path"));
    };
    let create = options.is_some_and(|options| options.create).then_some(value.kind);
    let places = path_match::find(document.root_mut(), inner_path, create)?;
    if places.is_empty() {
        return Err(Error::new("unable to find field in structured data"));
    }
    set_places(document.root_mut(), places, value, options)?;
    let Some(scalar) = lookup::lookup_mut(node, scalar_path, None)? else { return Ok(()) };
    scalar.value = print(&document, &scalar.value)?;
    share::note(scalar);
    Ok(())
}

/// The first scalar on the path that is YAML: its path, the rest of the path, and what it holds.
fn find_text<'p>(node: &Node, parts: &'p [String]) -> Option<(&'p [String], &'p [String], Node)> {
    (1..parts.len()).find_map(|i| {
        let (path, rest) = parts.split_at_checked(i)?;
        let scalar = lookup::lookup(node, path).ok().flatten().filter(|found| found.kind == Kind::Scalar)?;
        let document = goyaml::parse_first(scalar.value.as_bytes(), &Limits::default()).ok()?;
        Some((path, rest, document.unwrap_or_default()))
    })
}

fn print(document: &Node, original: &str) -> Result<String> {
    let text = values::print(document)?;
    if !original.trim_start().starts_with(['{', '[']) {
        return Ok(text.trim().to_owned());
    }
    let value = values::to_value(document.root())?;
    Ok(if original.contains('\n') && original.contains("  ") {
        goyaml::json::to_string_indent(&value, "", "  ", true)
    } else {
        goyaml::json::to_string(&value, true)
    })
}
