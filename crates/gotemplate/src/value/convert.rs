//! From and to Rust's types and `serde_json`.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{List, Map, Str, Value};

macro_rules! from_via {
    ($($from:ty => $variant:ident),* $(,)?) => {
        $(impl From<$from> for Value {
            fn from(v: $from) -> Self {
                Value::$variant(v.into())
            }
        })*
    };
}

from_via! {
    bool => Bool,
    f64 => Float64,
    &str => String,
    String => String,
    Str => String,
    Arc<[u8]> => Bytes,
    List => List,
    Map => Map,
    u8 => Uint8,
    u64 => Uint64,
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Value::List(List::new(items))
    }
}

/// Go's type for a number without a fraction when JSON is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integers {
    /// `float64`, as `encoding/json` and chart values have it.
    Float64,
    /// `int64` where it fits, as `--set` has it.
    Int64,
}

impl Value {
    /// The value that Go decodes from this JSON.
    ///
    /// `serde_json` bounds the nesting of what it parses, so the recursion is bounded too.
    pub fn from_json(json: &serde_json::Value, integers: Integers) -> Value {
        use serde_json::Value as Json;
        match json {
            Json::Null => Value::Nil,
            Json::Bool(b) => Value::Bool(*b),
            Json::Number(n) => match (n.as_i64(), integers) {
                (Some(i), Integers::Int64) => Value::Int64(i),
                _ => Value::Float64(n.as_f64().unwrap_or(f64::INFINITY)),
            },
            Json::String(s) => Value::from(s.as_str()),
            Json::Array(items) => {
                items.iter().map(|v| Value::from_json(v, integers)).collect::<List>().into()
            }
            Json::Object(entries) => entries
                .iter()
                .map(|(k, v)| (k.as_str(), Value::from_json(v, integers)))
                .collect::<Map>()
                .into(),
        }
    }

    /// The JSON that Go's `encoding/json` would encode; bytes are base64.
    ///
    /// # Errors
    /// What has no JSON form: functions, NaN, infinities, complex numbers, nesting deeper than 10,000 (or a cycle).
    pub fn to_json(&self) -> Result<serde_json::Value, crate::Error> {
        to_json(self, 0)
    }
}

const MAX_JSON_DEPTH: u32 = 1_000;

fn to_json(value: &Value, depth: u32) -> Result<serde_json::Value, crate::Error> {
    use serde_json::Value as Json;
    if depth > MAX_JSON_DEPTH {
        return Err(crate::Error::new("json: unsupported value: encountered a cycle"));
    }
    Ok(match value {
        Value::Nil => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Int(i) | Value::Int64(i) => Json::from(*i),
        Value::Uint8(u) => Json::from(*u),
        Value::Uint64(u) => Json::from(*u),
        Value::Float64(f) => match serde_json::Number::from_f64(*f) {
            Some(n) => Json::Number(n),
            None => return Err(crate::Error::new(format!("json: unsupported value: {f}"))),
        },
        Value::String(s) => Json::String(s.to_text().into_owned()),
        Value::Bytes(b) => Json::String(STANDARD.encode(b)),
        Value::List(l) if l.is_nil() => Json::Null,
        Value::List(l) => {
            Json::Array(l.borrow().iter().map(|v| to_json(v, depth + 1)).collect::<Result<_, _>>()?)
        }
        Value::Map(m) if m.is_nil() => Json::Null,
        Value::Map(m) => {
            let entries = m.borrow();
            let pairs = entries.iter().map(|(k, v)| Ok((k.to_text().into_owned(), to_json(v, depth + 1)?)));
            Json::Object(pairs.collect::<Result<_, crate::Error>>()?)
        }
        Value::Object(o) => match o.to_json() {
            Some(json) => json.map_err(crate::Error::new)?,
            None if o.underlying().is_some() => to_json(&o.underlying().unwrap_or(Value::Nil), depth + 1)?,
            None => {
                let pairs =
                    o.json_fields().into_iter().map(|(k, v)| Ok((k.to_owned(), to_json(&v, depth + 1)?)));
                Json::Object(pairs.collect::<Result<_, crate::Error>>()?)
            }
        },
        Value::Complex(..) | Value::Func(_) => {
            return Err(crate::Error::new(format!("json: unsupported type: {}", value.type_name())));
        }
    })
}
