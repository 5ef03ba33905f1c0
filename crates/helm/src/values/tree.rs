//! Values as templates see them: shared, mutable maps, numbers with their Go types.

use std::collections::BTreeMap;

use gotemplate::value::Entries;
use gotemplate::{List, Map, Str, Value};
use serde_json::Value as Json;

/// The map that Go decodes from these entries: integers are `int64`, floats `float64`.
pub(crate) fn from_json(entries: &serde_json::Map<String, Json>) -> Map {
    entries.iter().map(|(k, v)| (k.as_str(), value_from_json(v))).collect()
}

/// The value that Go decodes from this one. What reads JSON and YAML bounds its depth.
pub(crate) fn value_from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => match n.as_i64() {
            Some(i) => Value::Int64(i),
            None => Value::Float64(n.as_f64().unwrap_or(f64::INFINITY)),
        },
        Json::String(s) => Value::from(s.as_str()),
        Json::Array(items) => Value::from(items.iter().map(value_from_json).collect::<Vec<_>>()),
        Json::Object(entries) => Value::Map(from_json(entries)),
    }
}

/// A copy that shares no map or list with the original.
pub(crate) fn deep_copy(map: &Map) -> Map {
    let entries: Entries = map.borrow().iter().map(|(k, v)| (k.clone(), deep_copy_value(v))).collect();
    Map::of(map.map_type(), entries)
}

fn deep_copy_value(value: &Value) -> Value {
    match value {
        Value::Map(map) if !map.is_nil() => Value::Map(deep_copy(map)),
        Value::List(list) if !list.is_nil() => {
            let items = list.borrow().iter().map(deep_copy_value).collect();
            Value::List(List::of(list.list_type(), items))
        }
        other => other.clone(),
    }
}

/// The table at a path of names, each a table.
pub(crate) fn table(map: &Map, path: &str) -> Option<Map> {
    path.split('.').try_fold(map.clone(), |at, name| match at.get(name) {
        Some(Value::Map(inner)) => Some(inner),
        _ => None,
    })
}

/// The value at a path, when it is there and no table (Helm's `PathValue`).
pub(crate) fn path_value(map: &Map, path: &str) -> Option<Value> {
    let (parent, key) = match path.rsplit_once('.') {
        Some((parent, key)) => (table(map, parent)?, key),
        None => (map.clone(), path),
    };
    parent.get(key).filter(|v| !matches!(v, Value::Map(_)))
}

/// A map of these entries; for building contexts.
pub(crate) fn dict<const N: usize>(entries: [(&str, Value); N]) -> Map {
    entries.into_iter().collect()
}

/// A `map[string]string`.
pub(crate) fn string_map(entries: &BTreeMap<String, String>) -> Map {
    let entries = entries.iter().map(|(k, v)| (Str::from(k.as_str()), Value::from(v.as_str())));
    Map::of(&gotemplate::value::types::STRING_MAP, entries.collect())
}
