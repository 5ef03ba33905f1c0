//! One question that both the engine and the oracle can answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use gotemplate::value::types::{ANY_LIST, DICT, INT_LIST, STRING_LIST, STRING_MAP};
use gotemplate::{Funcs, Limits, List, Map, MissingKey, Str, TemplateSet, Type, Value, value};
use serde_json::{Value as Json, json};

/// Templates, data, and what is executed.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) templates: Vec<(String, String)>,
    pub(crate) execute: String,
    pub(crate) data: Json,
    pub(crate) missing_key: &'static str,
    pub(crate) funcs: &'static str,
}

/// A defined map type, as Helm's values.
static VALUES: value::MapType =
    value::MapType { name: "main.Values", elem: Type::Any, defined: true, methods: &[] };

impl Case {
    /// One template `t` over some data.
    pub(crate) fn one(text: &str, data: Json) -> Self {
        Case {
            templates: vec![("t".into(), text.into())],
            execute: "t".into(),
            data,
            missing_key: "default",
            funcs: "none",
        }
    }

    /// The request for the oracle.
    pub(crate) fn request(&self) -> Json {
        json!({
            "templates": self.templates,
            "execute": self.execute,
            "data": self.data,
            "missingkey": self.missing_key,
            "funcs": self.funcs,
        })
    }

    /// What the engine answers: the output, or the text of the error.
    pub(crate) fn run(&self) -> Result<Str, String> {
        self.run_within(&Limits::default())
    }

    pub(crate) fn run_within(&self, limits: &Limits) -> Result<Str, String> {
        let funcs = match self.funcs {
            "none" => Funcs::new(),
            _ => Funcs::new().with(gotemplate::sprig::FUNCS),
        };
        let missing = match self.missing_key {
            "zero" => MissingKey::Zero,
            "error" => MissingKey::Error,
            _ => MissingKey::Default,
        };
        let mut set = TemplateSet::new("gotpl", missing);
        for (name, text) in &self.templates {
            set.parse(name, text, &funcs).map_err(|e| e.to_string())?;
        }
        Arc::new(set).execute(&self.execute, decode(&self.data), &funcs, limits).map_err(|e| e.to_string())
    }
}

/// Typed JSON, as the oracle reads it.
pub(crate) fn decode(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => Value::Float64(n.as_f64().unwrap()),
        Json::String(s) => Value::from(s.as_str()),
        Json::Array(items) => items.iter().map(decode).collect::<List>().into(),
        Json::Object(entries) => match entries.iter().next() {
            Some((kind, inner)) if entries.len() == 1 && kind.starts_with('$') => typed(kind, inner),
            _ => entries.iter().map(|(k, v)| (k.as_str(), decode(v))).collect::<Map>().into(),
        },
    }
}

fn typed(kind: &str, inner: &Json) -> Value {
    let number = || inner.as_f64().unwrap_or_default();
    let items = || inner.as_array().cloned().unwrap_or_default();
    let entries = || inner.as_object().cloned().unwrap_or_default();
    let text = |v: &Json| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    match kind {
        "$int" => Value::Int(number() as i64),
        "$int64" => Value::Int64(number() as i64),
        "$uint8" => Value::Uint8(number() as u8),
        "$uint64" => Value::Uint64(number() as u64),
        "$bytes" => Value::Bytes(base64(inner.as_str().unwrap_or_default()).into()),
        "$string" => Value::String(Str::from_bytes(&base64(inner.as_str().unwrap_or_default()))),
        "$nilmap" => Value::Map(Map::nil(&DICT)),
        "$nillist" => Value::List(List::nil(&ANY_LIST)),
        "$strings" => List::of(&STRING_LIST, items().iter().map(|v| Value::from(text(v))).collect()).into(),
        "$ints" => {
            let ints = items().iter().map(|v| Value::Int(v.as_f64().unwrap_or_default() as i64)).collect();
            List::of(&INT_LIST, ints).into()
        }
        "$stringmap" => {
            let entries =
                entries().iter().map(|(k, v)| (Str::from(k.as_str()), Value::from(text(v)))).collect();
            Map::of(&STRING_MAP, entries).into()
        }
        "$values" => {
            let entries: BTreeMap<_, _> =
                entries().iter().map(|(k, v)| (Str::from(k.as_str()), decode(v))).collect();
            Map::of(&VALUES, entries).into()
        }
        _ => Map::from_iter([(kind, decode(inner))]).into(),
    }
}

/// Standard base64; the oracle writes nothing else.
pub(crate) fn base64(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut bits, mut count) = (0u32, 0);
    for b in text.bytes().take_while(|b| *b != b'=') {
        let digit = match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' => 62,
            _ => 63,
        };
        bits = bits << 6 | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    out
}
