//! Fields of mappings: reading, setting with kyaml's rules about styles, removing.

use goyaml::{Kind, Node, Style, tags};

use super::{expect_kind, is_null, is_string, share};
use crate::error::Result;

/// The value of a field; `None` on null, an error on a node that is no mapping.
pub(crate) fn get<'n>(node: &'n Node, name: &str) -> Result<Option<&'n Node>> {
    if is_null(node) {
        return Ok(None);
    }
    expect_kind(node, Kind::Mapping)?;
    Ok(node.get(name))
}

/// The value of a field, for changing.
pub(crate) fn get_mut<'n>(node: &'n mut Node, name: &str) -> Result<Option<&'n mut Node>> {
    if is_null(node) {
        return Ok(None);
    }
    expect_kind(node, Kind::Mapping)?;
    Ok(node.get_mut(name))
}

/// The value of a field of a mapping; `None` for everything else.
pub(crate) fn field<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    if node.kind == Kind::Mapping { node.get(name) } else { None }
}

/// Removes a field.
pub(crate) fn clear(node: &mut Node, name: &str) -> Result<()> {
    expect_kind(node, Kind::Mapping)?;
    if node.kind == Kind::Mapping {
        node.remove(name);
    }
    Ok(())
}

/// Quotes a string without a style whose text YAML 1.1 would not take for a string.
fn quote_if_ambiguous(value: &mut Node) {
    if is_string(value) && value.style == Style::DEFAULT && is_not_string_in_yaml_1_1(&value.value) {
        value.style = Style::DOUBLE_QUOTED;
    }
}

/// Sets a field, replacing the value in place (its style stays) or appending the field. A null value
/// removes the field.
pub(crate) fn set(node: &mut Node, name: &str, mut value: Node) -> Result<()> {
    quote_if_ambiguous(&mut value);
    if is_null(&value) {
        return clear(node, name);
    }
    put(node, name, value)
}

/// Sets a field also to an explicit null.
pub(crate) fn put(node: &mut Node, name: &str, mut value: Node) -> Result<()> {
    if let Some(old) = get_mut(node, name)? {
        value.style = old.style;
        share::overwrite(old, value);
    } else {
        node.content.push(Node::scalar(name));
        node.content.push(value);
    }
    Ok(())
}

/// Overwrites a scalar in place; its style stays.
pub(crate) fn set_scalar(node: &mut Node, mut value: Node) -> Result<()> {
    quote_if_ambiguous(&mut value);
    expect_kind(node, Kind::Scalar)?;
    if !is_null(&value) {
        value.style = node.style;
        share::overwrite(node, value);
    }
    Ok(())
}

/// A scalar with a tag (empty: to be implied).
pub(crate) fn tagged(value: &str, tag: &'static str) -> Node {
    Node { value: value.to_owned(), tag: tag.into(), ..Node::default() }
}

/// A string as yaml.v3's `SetString` makes it: literal style when it has several lines.
pub(crate) fn string(value: &str) -> Node {
    let style = if value.contains('\n') { Style::LITERAL } else { Style::DEFAULT };
    Node { value: value.to_owned(), tag: tags::STR.into(), style, ..Node::default() }
}

/// Whether YAML 1.1 reads the text as something else than a string (`yes`, `12`, `a: b`).
pub(crate) fn is_not_string_in_yaml_1_1(value: &str) -> bool {
    if value.is_empty() || value.contains('\n') || is_plain_word(value) {
        return false;
    }
    let options =
        goyaml::DecodeOptions { numbers: goyaml::Numbers::Yaml, ..goyaml::DecodeOptions::default() };
    match goyaml::decode(value.as_bytes(), &options) {
        Ok(goyaml::Value::String(_)) | Err(_) => false,
        Ok(_) => true,
    }
}

/// Words that are certainly strings, so that most names need no parser.
fn is_plain_word(value: &str) -> bool {
    const NO_STRINGS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    value.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'/'))
        && !NO_STRINGS.iter().any(|word| value.eq_ignore_ascii_case(word))
}
