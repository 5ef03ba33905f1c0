//! Paths through an object: `spec`, `template`, `containers`, `[name=web]`, `0`, `-`.

use goyaml::{Kind, Node, Style};

use super::{elements, elements_mut, expect_kind, field, is_null};
use crate::error::{Error, Result};

/// Whether a part of a path picks an item of a list by the value of a field.
pub(crate) fn is_list_index(part: &str) -> bool {
    part.starts_with('[') && part.ends_with(']')
}

/// Whether a part of a path is the position of an item.
pub(crate) fn as_position(part: &str) -> Option<usize> {
    atoi(part).and_then(|number| usize::try_from(number).ok())
}

/// What Go's `strconv.Atoi` reads.
pub(crate) fn atoi(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.strip_prefix('+').unwrap_or(text).parse().ok())
        .flatten()
}

/// `[name=value]` as name and value; the name is empty for lists of scalars.
pub(crate) fn split_index(part: &str) -> Result<(&str, &str)> {
    let inner = part.strip_suffix(']').unwrap_or(part);
    let inner = inner.strip_prefix('[').unwrap_or(inner);
    inner
        .split_once('=')
        .ok_or_else(|| Error::new("list path element must contain fieldName=fieldValue for element to match"))
}

/// The kind that a missing field gets when what follows in the path is `next`.
pub(crate) fn kind_for_next(next: Option<&str>, last: Kind) -> Kind {
    match next {
        None | Some("") => last,
        Some(part) if is_list_index(part) || as_position(part).is_some() => Kind::Sequence,
        Some(_) => Kind::Mapping,
    }
}

/// A node without tag and content.
pub(crate) fn bare(kind: Kind) -> Node {
    Node { kind, style: Style::DEFAULT, ..Node::default() }
}

fn clean<S: AsRef<str>>(path: &[S]) -> Vec<&str> {
    path.iter().map(|part| part.as_ref().trim()).filter(|part| !part.is_empty()).collect()
}

enum Step<'p> {
    Position(usize),
    Last,
    Item(&'p str, &'p str),
    Field(&'p str),
}

fn step(part: &str) -> Result<Step<'_>> {
    if let Some(number) = atoi(part) {
        return usize::try_from(number)
            .map(Step::Position)
            .map_err(|_| Error::new(format!("array index {number} cannot be negative")));
    }
    match part {
        "-" => Ok(Step::Last),
        "*" => Err(Error::new("wildcard is not supported in PathGetter")),
        _ if is_list_index(part) => split_index(part).map(|(name, value)| Step::Item(name, value)),
        _ => Ok(Step::Field(part)),
    }
}

fn find_item(node: &Node, name: &str, value: &str) -> Result<Option<usize>> {
    Ok(elements(node)?.iter().position(|item| item_matches(item, &[name], &[value])))
}

/// Whether an item has these values in these fields (a scalar, when the first field has no name).
pub(crate) fn item_matches<S: AsRef<str>>(item: &Node, names: &[S], values: &[S]) -> bool {
    if names.first().is_none_or(|name| name.as_ref().is_empty()) {
        return values.first().is_some_and(|value| item.value == value.as_ref());
    }
    item.kind == Kind::Mapping
        && names
            .iter()
            .zip(values)
            .all(|(name, value)| item.get(name.as_ref()).is_some_and(|found| found.value == value.as_ref()))
}

/// The node at a path, if it is there.
pub(crate) fn lookup<'n, S: AsRef<str>>(node: &'n Node, path: &[S]) -> Result<Option<&'n Node>> {
    let mut at = node;
    for part in clean(path) {
        let next = match step(part)? {
            Step::Position(index) => elements(at)?.get(index),
            Step::Last => elements(at)?.last(),
            Step::Item(name, value) => match find_item(at, name, value)? {
                Some(index) => elements(at)?.get(index),
                None => None,
            },
            Step::Field(name) => field::get(at, name)?,
        };
        let Some(next) = next else { return Ok(None) };
        at = next;
    }
    Ok(Some(at))
}

/// The node at a path, for changing. With `create`, missing parts are made; the last gets that kind.
pub(crate) fn lookup_mut<'n, S: AsRef<str>>(
    node: &'n mut Node,
    path: &[S],
    create: Option<Kind>,
) -> Result<Option<&'n mut Node>> {
    let parts = clean(path);
    let mut at = node;
    for (i, part) in parts.iter().enumerate() {
        let next = match step(part)? {
            Step::Position(index) => elements_mut(at)?.get_mut(index),
            Step::Last => elements_mut(at)?.last_mut(),
            Step::Item(name, value) => item_mut(at, name, value, create.is_some())?,
            Step::Field(name) => {
                let kind = create.map(|last| kind_for_next(parts.get(i + 1).copied(), last));
                field_mut(at, name, kind)?
            }
        };
        let Some(next) = next else { return Ok(None) };
        at = next;
    }
    Ok(Some(at))
}

fn item_mut<'n>(node: &'n mut Node, name: &str, value: &str, create: bool) -> Result<Option<&'n mut Node>> {
    let found = find_item(node, name, value)?;
    if is_null(node) {
        return Ok(None);
    }
    let items = elements_mut(node)?;
    let index = match found {
        Some(index) => index,
        None if create => {
            items.push(new_item(name, value));
            items.len() - 1
        }
        None => return Ok(None),
    };
    Ok(items.get_mut(index))
}

/// The item that `[name=value]` asks for.
pub(crate) fn new_item(name: &str, value: &str) -> Node {
    if name.is_empty() {
        return Node::scalar(value);
    }
    Node { content: vec![Node::scalar(name), Node::scalar(value)], ..bare(Kind::Mapping) }
}

fn field_mut<'n>(node: &'n mut Node, name: &str, create: Option<Kind>) -> Result<Option<&'n mut Node>> {
    if is_null(node) {
        return Ok(None);
    }
    expect_kind(node, Kind::Mapping)?;
    if node.get(name).is_none() {
        let Some(kind) = create else { return Ok(None) };
        node.content.push(Node::scalar(name));
        node.content.push(bare(kind));
    }
    Ok(node.get_mut(name))
}

/// Splits at `delimiter`; a backslash before it keeps it, and one at the very front is ignored.
pub(crate) fn split_path(path: &str, delimiter: char) -> Vec<String> {
    let mut parts: Vec<&str> = path.split(delimiter).collect();
    if parts.len() > 1 && parts.first().is_some_and(|first| first.is_empty()) {
        parts.remove(0);
    }
    let mut result: Vec<String> = Vec::with_capacity(parts.len());
    for part in parts {
        match result.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push(delimiter);
                last.push_str(part);
            }
            _ => result.push(part.to_owned()),
        }
    }
    result
}

/// [`split_path`] at dots, that keeps `[name=a.b]` together and takes `[a.b]` for the field `a.b`.
pub(crate) fn split_smart(path: &str) -> Vec<String> {
    let mut result = Vec::new();
    let mut parts = split_path(path, '.').into_iter();
    while let Some(part) = parts.next() {
        if !part.starts_with('[') || part.ends_with(']') {
            result.push(part);
            continue;
        }
        let mut joined = part;
        for more in parts.by_ref() {
            joined.push('.');
            joined.push_str(&more);
            if more.ends_with(']') {
                break;
            }
        }
        if joined.contains('=') {
            result.push(joined);
        } else {
            result.push(joined.trim_matches(['[', ']']).to_owned());
        }
    }
    result
}
