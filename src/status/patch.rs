//! JSON merge patches (RFC 7396).

use serde_json::{Map, Value};

/// The merge patch that turns `old` into `new`; nothing where they are equal.
pub fn merge_patch(old: &Value, new: &Value) -> Option<Value> {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let mut patch = Map::new();
            for (name, value) in new {
                match old.get(name) {
                    None => {
                        patch.insert(name.clone(), value.clone());
                    }
                    Some(before) => {
                        if let Some(inner) = merge_patch(before, value) {
                            patch.insert(name.clone(), inner);
                        }
                    }
                }
            }
            for name in old.keys().filter(|name| !new.contains_key(*name)) {
                patch.insert(name.clone(), Value::Null);
            }
            (!patch.is_empty()).then_some(Value::Object(patch))
        }
        _ => (old != new).then(|| new.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn holds_what_changed_and_nulls_what_went() {
        let old = json!({"a": {"b": 1, "c": 2}, "list": [1, 2], "same": 1});
        let new = json!({"a": {"b": 1, "d": 3}, "list": [1], "same": 1});
        assert_eq!(merge_patch(&old, &new), Some(json!({"a": {"c": null, "d": 3}, "list": [1]})));
        assert_eq!(merge_patch(&old, &old), None);
    }
}
