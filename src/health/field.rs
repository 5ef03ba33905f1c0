//! Typed access to the fields of an object, as strict as a decoder into Kubernetes' own types: what is absent or
//! null is the zero value, what has another type is an error.

use serde_json::Value;

/// A field that a rule needs has a type that the kind does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("field {field} must be {wanted}, it is {found}")]
pub(super) struct WrongType {
    field: String,
    wanted: &'static str,
    found: &'static str,
}

type Read<T> = Result<T, WrongType>;

const NOTHING: &Value = &Value::Null;

fn wrong(field: &str, wanted: &'static str, found: &Value) -> WrongType {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    };
    WrongType { field: field.to_owned(), wanted, found }
}

fn field<'a>(parent: &'a Value, name: &str) -> &'a Value {
    parent.get(name).unwrap_or(NOTHING)
}

/// A mapping; null where it is absent.
pub(super) fn mapping<'a>(parent: &'a Value, name: &str) -> Read<&'a Value> {
    match field(parent, name) {
        found @ (Value::Object(_) | Value::Null) => Ok(found),
        found => Err(wrong(name, "a mapping", found)),
    }
}

/// A string; empty where it is absent.
pub(super) fn string<'a>(parent: &'a Value, name: &str) -> Read<&'a str> {
    match field(parent, name) {
        Value::String(text) => Ok(text),
        Value::Null => Ok(""),
        found => Err(wrong(name, "a string", found)),
    }
}

/// An integer of 64 bits, if it is there. A whole float counts.
pub(super) fn integer(parent: &Value, name: &str) -> Read<Option<i64>> {
    match field(parent, name) {
        Value::Null => Ok(None),
        found => crate::object::i64_at(found, &[]).map(Some).ok_or_else(|| wrong(name, "an integer", found)),
    }
}

/// An integer; 0 where it is absent.
pub(super) fn count(parent: &Value, name: &str) -> Read<i64> {
    Ok(integer(parent, name)?.unwrap_or(0))
}

/// A boolean; false where it is absent.
pub(super) fn boolean(parent: &Value, name: &str) -> Read<bool> {
    match field(parent, name) {
        Value::Bool(is) => Ok(*is),
        Value::Null => Ok(false),
        found => Err(wrong(name, "a boolean", found)),
    }
}

/// A list of mappings (null counts as an empty mapping); empty where it is absent.
pub(super) fn list<'a>(parent: &'a Value, name: &str) -> Read<&'a [Value]> {
    match field(parent, name) {
        Value::Array(items) => match items.iter().find(|item| !item.is_object() && !item.is_null()) {
            Some(item) => Err(wrong(name, "a list of mappings", item)),
            None => Ok(items),
        },
        Value::Null => Ok(&[]),
        found => Err(wrong(name, "a list", found)),
    }
}

/// One entry of `status.conditions`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Condition<'a> {
    pub(super) kind: &'a str,
    pub(super) status: &'a str,
    pub(super) reason: &'a str,
    pub(super) message: &'a str,
}

/// The conditions of a status.
pub(super) fn conditions(status: &Value) -> Read<Vec<Condition<'_>>> {
    list(status, "conditions")?
        .iter()
        .map(|entry| {
            Ok(Condition {
                kind: string(entry, "type")?,
                status: string(entry, "status")?,
                reason: string(entry, "reason")?,
                message: string(entry, "message")?,
            })
        })
        .collect()
}
