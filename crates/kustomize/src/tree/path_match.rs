//! Finding all nodes that a replacement's field path means: `[name=regex]`, `*`, positions, fields,
//! made where they are missing when asked for.

use goyaml::{Kind, Node, Style};
use regex::Regex;

use super::{elements_mut, expect_kind, field, is_null, lookup, value};
use crate::error::{Context, Error, Result};

/// A place that a path leads to.
#[derive(Debug)]
pub(crate) enum Place {
    /// In the tree: positions in `content`, from the root on.
    Inside(Vec<usize>),
    /// In a copy that was parsed from the text of a scalar; changes of it reach nobody.
    Detached(Node),
}

/// The node at a place found by [`find`].
pub(crate) fn node_at<'n>(root: &'n mut Node, place: &[usize]) -> Option<&'n mut Node> {
    place.iter().try_fold(root, |node, index| node.content.get_mut(*index))
}

/// All places below `node` that `path` means. With `create`, a missing end of the path is made, its last
/// node of that kind.
pub(crate) fn find(node: &mut Node, path: &[String], create: Option<Kind>) -> Result<Vec<Place>> {
    let Some((part, rest)) = path.split_first() else { return Ok(vec![Place::Inside(Vec::new())]) };
    if let Some(index) = lookup::as_position(part) {
        return by_position(node, index, part, rest, create);
    }
    if lookup::is_list_index(part) {
        return by_value(node, part, rest, create);
    }
    if part == "*" {
        return every(node, rest, create);
    }
    by_field(node, part, rest, create)
}

fn below(index: usize, places: Vec<Place>) -> impl Iterator<Item = Place> {
    places.into_iter().map(move |place| match place {
        Place::Inside(mut path) => {
            path.insert(0, index);
            Place::Inside(path)
        }
        detached @ Place::Detached(_) => detached,
    })
}

fn every(node: &mut Node, rest: &[String], create: Option<Kind>) -> Result<Vec<Place>> {
    let mut found = Vec::new();
    for (i, item) in elements_mut(node)?.iter_mut().enumerate() {
        found.extend(below(i, find(item, rest, create)?));
    }
    Ok(found)
}

fn by_position(
    node: &mut Node,
    index: usize,
    part: &str,
    rest: &[String],
    create: Option<Kind>,
) -> Result<Vec<Place>> {
    let is_sequence = node.kind == Kind::Sequence;
    let items = elements_mut(node)?;
    if let (true, Some(kind)) = (items.len() == index, create) {
        if !is_sequence {
            return Err(Error::new(format!("failed to append element for {part:?}")));
        }
        items.push(lookup::bare(lookup::kind_for_next(rest.first().map(String::as_str), kind)));
    }
    let count = items.len();
    let Some(item) = items.get_mut(index) else {
        return Err(Error::new(format!("index {index} specified but only {count} elements found")));
    };
    Ok(below(index, find(item, rest, create)?).collect())
}

fn by_value(node: &mut Node, part: &str, rest: &[String], create: Option<Kind>) -> Result<Vec<Place>> {
    let (name, pattern) = lookup::split_index(part)?;
    let found = matching_items(node, name, pattern, rest, create)?;
    if !found.is_empty() || create.is_none() {
        return Ok(found);
    }
    expect_kind(node, Kind::Sequence).context_with(|| format!("failed to create element for {part:?}"))?;
    if node.kind != Kind::Sequence {
        return Ok(Vec::new());
    }
    node.content.push(lookup::new_item(name, pattern));
    // An item whose own text does not match its pattern would be made for ever.
    matching_items(node, name, pattern, rest, create)
}

fn matching_items(
    node: &mut Node,
    name: &str,
    pattern: &str,
    rest: &[String],
    create: Option<Kind>,
) -> Result<Vec<Place>> {
    let mut found = Vec::new();
    let mut regex = None;
    for (i, item) in elements_mut(node)?.iter_mut().enumerate() {
        let regex = match &regex {
            Some(regex) => regex,
            None => regex.insert(go_regex(pattern)?),
        };
        if name.is_empty() {
            if regex.is_match(&printed(item)?) {
                found.push(Place::Inside(vec![i]));
            }
            continue;
        }
        let Some(value) = field::field(item, name) else { continue };
        if regex.is_match(&printed(value)?) {
            found.extend(below(i, find(item, rest, create)?));
        }
    }
    Ok(found)
}

/// A regular expression, with Go's message when it is none.
pub(crate) fn go_regex(pattern: &str) -> Result<Regex> {
    Regex::new(pattern).map_err(|error| {
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
        Error::new(format!("error parsing regexp: {}", go_reason(reason, pattern)))
    })
}

fn go_reason(reason: &str, pattern: &str) -> String {
    let rest_from = |mark: &str| pattern.rfind(mark).and_then(|at| pattern.get(at..)).unwrap_or(pattern);
    match reason {
        "unclosed group" => format!("missing closing ): `{pattern}`"),
        "unopened group" => format!("unexpected ): `{pattern}`"),
        "unclosed character class" => format!("missing closing ]: `{}`", rest_from("[")),
        "repetition operator missing expression" => {
            let operator =
                pattern.chars().find(|character| matches!(character, '*' | '+' | '?')).unwrap_or('*');
            format!("missing argument to repetition operator: `{operator}`")
        }
        "incomplete escape sequence, reached end of pattern prematurely" => {
            "trailing backslash at end of expression: ``".to_owned()
        }
        other => format!("{other}: `{pattern}`"),
    }
}

/// A node as it is printed, without blanks around it: what the expressions are matched with.
fn printed(node: &Node) -> Result<String> {
    let simple = node.kind == Kind::Scalar
        && node.style == Style::DEFAULT
        && node.comments.is_none()
        && !node.value.is_empty()
        && node.value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if simple && !field::is_not_string_in_yaml_1_1(&node.value) {
        return Ok(node.value.clone());
    }
    Ok(value::print(node)?.trim().to_owned())
}

fn by_field(node: &mut Node, name: &str, rest: &[String], create: Option<Kind>) -> Result<Vec<Place>> {
    if field::get(node, name)?.is_none() {
        let Some(kind) = create else { return Ok(Vec::new()) };
        if is_null(node) {
            return Ok(Vec::new());
        }
        let made = lookup::bare(lookup::kind_for_next(rest.first().map(String::as_str), kind));
        node.content.push(Node::scalar(name));
        node.content.push(made);
    }
    let Some(position) = node.position(name) else { return Ok(Vec::new()) };
    let index = position * 2 + 1;
    let Some(value) = node.content.get_mut(index) else { return Ok(Vec::new()) };
    if value.kind == Kind::Scalar && !rest.is_empty() {
        return in_text(value, rest, create);
    }
    Ok(below(index, find(value, rest, create)?).collect())
}

/// The places inside of YAML or JSON that stands in a scalar.
fn in_text(scalar: &Node, rest: &[String], create: Option<Kind>) -> Result<Vec<Place>> {
    let limits = goyaml::Limits::default();
    let parsed = goyaml::parse_first(scalar.value.as_bytes(), &limits)?;
    let Some(parsed) = parsed else { return Ok(Vec::new()) };
    let mut root = parsed.into_root();
    let places = find(&mut root, rest, create)?;
    Ok(places
        .into_iter()
        .filter_map(|place| match place {
            Place::Inside(path) => node_at(&mut root, &path).map(|node| Place::Detached(node.clone())),
            detached @ Place::Detached(_) => Some(detached),
        })
        .collect())
}
