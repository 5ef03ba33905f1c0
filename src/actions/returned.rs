//! What scripts of actions return, as values.

use serde_json::{Map, Value, json};

use super::{Action, Change};
use crate::flow::ScriptError;
use crate::object::{bool_at, list_at, str_at};

fn wrong(message: &str) -> ScriptError {
    ScriptError(message.to_owned())
}

/// The actions in what a discovery script returned: a table from names to tables. An empty table is an empty list.
pub(super) fn actions(returned: &Value) -> Result<Vec<Action>, ScriptError> {
    let table = match returned {
        Value::Object(table) => table,
        Value::Array(items) if items.is_empty() => return Ok(Vec::new()),
        _ => return Err(wrong("expect table output from Lua script: a table from names to tables")),
    };
    let action = |(name, entry): (&String, &Value)| Action {
        name: name.clone(),
        disabled: bool_at(entry, &["disabled"]).unwrap_or(false),
        params: list_at(entry, &["params"])
            .iter()
            .filter_map(|param| str_at(param, &["name"]).map(str::to_owned))
            .collect(),
        display_name: str_at(entry, &["displayName"]).unwrap_or_default().to_owned(),
    };
    Ok(table.iter().map(action).collect())
}

/// The changes in what an action returned: the object itself, or a list of operations with their resources.
pub(super) fn changes(returned: Value, object: &Value) -> Result<Vec<Change>, ScriptError> {
    match returned {
        Value::Object(_) => Ok(vec![Change::Patch(restore_mappings(returned, object))]),
        Value::Array(items) => items.into_iter().map(|item| change(item, object)).collect(),
        _ => Err(wrong("expect table output from Lua script: the object, or a list of operations")),
    }
}

fn change(mut item: Value, object: &Value) -> Result<Change, ScriptError> {
    let resource = item.get_mut("resource").map(Value::take).unwrap_or_default();
    if !resource.is_object() {
        return Err(wrong("an operation of an action has no resource"));
    }
    match str_at(&item, &["operation"]) {
        Some("create") => Ok(Change::Create(resource)),
        Some("patch") => Ok(Change::Patch(restore_mappings(resource, object))),
        other => {
            Err(ScriptError(format!("unsupported operation: {:?}; use create or patch", other.unwrap_or(""))))
        }
    }
}

/// Lua does not tell an empty mapping from an empty list: what was a mapping before is one again.
fn restore_mappings(new: Value, old: &Value) -> Value {
    match (new, old) {
        (Value::Object(fields), Value::Object(before)) => {
            let restored = fields.into_iter().map(|(name, value)| {
                let value = match before.get(&name) {
                    Some(old) => restore_mappings(value, old),
                    None => value,
                };
                (name, value)
            });
            Value::Object(restored.collect::<Map<_, _>>())
        }
        (Value::Array(items), Value::Object(_)) if items.is_empty() => json!({}),
        (Value::Array(items), Value::Array(before)) => {
            let restore = |(index, item)| match before.get(index) {
                Some(old) => restore_mappings(item, old),
                None => item,
            };
            Value::Array(items.into_iter().enumerate().map(restore).collect())
        }
        (new, _) => new,
    }
}
