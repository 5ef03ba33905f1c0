//! What an apply would make of an object, guessed without the API server: fields that Git names take Git's values,
//! all others stay.

use serde_json::{Map, Value};

/// Lays a desired object over a live one. Mappings are merged; a list of mappings with names is merged by name;
/// every other list is replaced.
pub fn overlay(desired: &Value, live: &Value) -> Value {
    match (desired, live) {
        (Value::Object(desired), Value::Object(live)) => Value::Object(overlay_fields(desired, live)),
        (Value::Array(desired), Value::Array(live)) => overlay_items(desired, live),
        _ => desired.clone(),
    }
}

fn overlay_fields(desired: &Map<String, Value>, live: &Map<String, Value>) -> Map<String, Value> {
    let mut merged = live.clone();
    for (name, wanted) in desired {
        if wanted.is_null() {
            merged.remove(name);
            continue;
        }
        let value = match live.get(name) {
            Some(there) => overlay(wanted, there),
            None => wanted.clone(),
        };
        merged.insert(name.clone(), value);
    }
    merged
}

fn overlay_items(desired: &[Value], live: &[Value]) -> Value {
    let named = |item: &Value| item.get("name").and_then(Value::as_str).map(str::to_owned);
    if desired.iter().any(|item| named(item).is_none()) {
        return Value::Array(desired.to_vec());
    }
    let merged = desired.iter().map(|wanted| {
        let there = live.iter().find(|there| named(there) == named(wanted));
        there.map_or_else(|| wanted.clone(), |there| overlay(wanted, there))
    });
    Value::Array(merged.collect())
}
