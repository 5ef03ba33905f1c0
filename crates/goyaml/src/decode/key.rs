//! The keys of mappings: their identity in Go, their text in JSON, and Go syntax for messages.

use serde_json::Value;

use crate::gofmt::{float_32, float_64, quote};
use crate::resolve::Resolved;

/// What yaml.v2 decodes a mapping into.
pub(super) const GENERAL_MAP: &str = "map[interface {}]interface {}";

/// What yaml.v3 decodes a mapping with string keys into.
pub(super) const STRING_MAP: &str = "map[string]interface {}";

/// A key with the type that it has in Go; keys of different types are different keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    /// The bits of the float.
    Float(u64),
    Text(String),
}

impl From<Resolved> for Key {
    fn from(resolved: Resolved) -> Self {
        match resolved {
            Resolved::Bool(yes) => Self::Bool(yes),
            Resolved::Int(number) => Self::Int(number),
            Resolved::Uint(number) => Self::Uint(number),
            Resolved::Float(number) => Self::Float(number.to_bits()),
            Resolved::Null | Resolved::Timestamp | Resolved::Str => Self::Null,
        }
    }
}

impl Key {
    /// The key of the JSON object; for a key that JSON cannot have, Go's words about its type and value.
    pub(super) fn into_text(self) -> Result<String, String> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Bool(yes) => Ok(yes.to_string()),
            Self::Int(number) => Ok(number.to_string()),
            Self::Float(bits) => Ok(match f64::from_bits(bits) {
                number if number.is_nan() => ".nan".to_owned(),
                f64::INFINITY => ".inf".to_owned(),
                f64::NEG_INFINITY => "-.inf".to_owned(),
                number => match float_32(number).as_str() {
                    "+Inf" => ".inf".to_owned(),
                    "-Inf" => "-.inf".to_owned(),
                    text => text.to_owned(),
                },
            }),
            Self::Uint(_) => Err(format!("uint64, key: {}", self.go_syntax())),
            Self::Null => Err("%!s(<nil>), key: <nil>".to_owned()),
        }
    }

    /// The key as `%#v` prints it.
    pub(super) fn go_syntax(&self) -> String {
        match self {
            Self::Null => "<nil>".to_owned(),
            Self::Bool(yes) => yes.to_string(),
            Self::Int(number) => number.to_string(),
            Self::Uint(number) => format!("0x{number:x}"),
            Self::Float(bits) => float_64(f64::from_bits(*bits)),
            Self::Text(text) => quote(text),
        }
    }
}

/// A decoded value as `%#v` prints it, with this type of maps.
pub(super) fn go_value(value: &Value, map_type: &str) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| go_value(item, map_type)).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Value::Object(map) => {
            let pairs: Vec<String> = map
                .iter()
                .map(|(key, value)| format!("{}:{}", quote(key), go_value(value, map_type)))
                .collect();
            format!("{map_type}{{{}}}", pairs.join(", "))
        }
        Value::String(text) => quote(text),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => float_64(float),
            _ => number.to_string(),
        },
        Value::Bool(_) => value.to_string(),
    }
}
