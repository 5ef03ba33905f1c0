//! Right of the arrow: the message, as text with fields in braces.
//!
//! | piece | gives |
//! |---|---|
//! | `{message}`, `{reason}`, `{type}`, `{status}` | a field of the condition at hand |
//! | `{.status.phase}` | a field of the object |
//! | `{[Ready].reason}` | a field of the last condition that passes the tests |
//! | `{message,reason\|text}` | the first that is there; else the text |
//! | `{.status.message*}` | the items of a list, with commas between them |
//!
//! A message that is one field alone may be empty; a field inside of a longer text must be there, or the rule
//! fails as Argo CD's does.

use std::borrow::Cow;

use serde_json::Value;

use super::MissingPart;
use super::test::{Operand, Scope, Test, find, parse_list};

/// A message with fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(&'static str),
    Field { name: &'static str, sources: Vec<Source>, default: Option<&'static str> },
}

#[derive(Clone, Debug, PartialEq)]
enum Source {
    Operand(Operand),
    Found(Vec<Test>, Operand),
}

impl Template {
    pub(super) fn parse(text: &'static str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            if !before.is_empty() {
                pieces.push(Piece::Text(before));
            }
            let (field, after) = after.split_once('}')?;
            pieces.push(parse_piece(field)?);
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest));
        }
        Some(Self(pieces))
    }

    pub(super) fn fill(&self, scope: &Scope<'_>) -> Result<String, MissingPart> {
        let alone = self.0.len() == 1;
        let mut message = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => message.push_str(text),
                Piece::Field { name, sources, default } => {
                    let found = sources.iter().find_map(|source| text_of(&source.get(scope)));
                    match (found, default) {
                        (Some(text), _) => message.push_str(&text),
                        (None, Some(text)) => message.push_str(text),
                        (None, None) if alone => {}
                        (None, None) => return Err(MissingPart((*name).to_owned())),
                    }
                }
            }
        }
        Ok(message)
    }
}

fn parse_piece(text: &'static str) -> Option<Piece> {
    let (name, default) = match text.rsplit_once('|') {
        // A bar inside of the brackets of a test separates values.
        Some((name, default)) if !default.contains(']') => (name, Some(default)),
        _ => (text, None),
    };
    let name = name.strip_suffix('*').unwrap_or(name);
    let sources: Option<Vec<Source>> = if name.starts_with('[') {
        Some(vec![Source::parse(name)?])
    } else {
        name.split(',').map(Source::parse).collect()
    };
    Some(Piece::Field { name, sources: sources?, default })
}

impl Source {
    fn parse(text: &'static str) -> Option<Self> {
        if let Some(inner) = text.strip_prefix('[') {
            let (tests, field) = inner.split_once("].")?;
            return Some(Self::Found(parse_list(tests)?, Operand::Condition(field)));
        }
        if text.starts_with(['.', '#']) {
            return Operand::parse(text).map(Self::Operand);
        }
        (!text.is_empty()).then_some(Self::Operand(Operand::Condition(text)))
    }

    fn get<'a>(&self, scope: &Scope<'a>) -> Cow<'a, Value> {
        match self {
            Self::Operand(operand) => operand.get(scope),
            Self::Found(tests, operand) => operand.get(&Scope { condition: find(tests, scope), ..*scope }),
        }
    }
}

/// A value as text inside of a message: strings as they are, whole numbers without a point, lists with commas.
pub(in crate::health) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Array(items) => {
            let texts: Option<Vec<String>> = items.iter().map(scalar_text).collect();
            texts.map(|texts| texts.join(", "))
        }
        other => scalar_text(other),
    }
}

fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(match number.as_f64() {
            Some(float) if float.fract() == 0.0 && float.abs() < 1e15 => format!("{float:.0}"),
            _ => number.to_string(),
        }),
        _ => None,
    }
}
