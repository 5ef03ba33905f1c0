//! What an apply would make of an object, told without the API server: a three-way merge of what was applied last,
//! what is desired, and what is there.
//!
//! Fields that the last apply set and Git no longer names go; fields that Git names take Git's values; all others
//! stay. Lists of built-in kinds whose items have a merge key are merged by it, as the API server does; other lists
//! are replaced.

use serde_json::{Map, Value};

use crate::api::annotations::LAST_APPLIED;
use crate::object::str_at;

use super::merge_keys::{is_set, merge_key};

/// The object that an apply would leave. The last applied state is taken from the live object's annotation.
pub(super) fn overlay(desired: &Value, live: &Value) -> Value {
    let last: Option<Value> = str_at(live, &["metadata", "annotations", LAST_APPLIED])
        .and_then(|text| serde_json::from_str(text).ok());
    let group = str_at(desired, &["apiVersion"])
        .and_then(|version| version.split_once('/'))
        .map_or("", |(group, _)| group);
    let merge = Merge { by_key: is_built_in(group) };
    merge.value("", last.as_ref(), desired, live)
}

/// Kinds of Kubernetes itself; lists of custom resources are merged by no key.
fn is_built_in(group: &str) -> bool {
    !group.contains('.') || group.ends_with(".k8s.io") && !group.starts_with("x-")
}

struct Merge {
    by_key: bool,
}

impl Merge {
    fn value(&self, field: &str, last: Option<&Value>, desired: &Value, live: &Value) -> Value {
        match (desired, live) {
            (Value::Object(desired), Value::Object(live)) => {
                Value::Object(self.fields(last.and_then(Value::as_object), desired, live))
            }
            (Value::Array(desired), Value::Array(live)) => {
                let last = last.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                Value::Array(self.items(field, last, desired, live))
            }
            _ => desired.clone(),
        }
    }

    fn fields(
        &self,
        last: Option<&Map<String, Value>>,
        desired: &Map<String, Value>,
        live: &Map<String, Value>,
    ) -> Map<String, Value> {
        let mut merged = live.clone();
        for name in last.into_iter().flat_map(Map::keys).filter(|name| !desired.contains_key(*name)) {
            merged.remove(name);
        }
        for (name, wanted) in desired {
            if wanted.is_null() {
                merged.remove(name);
                continue;
            }
            let value = match live.get(name) {
                Some(there) => self.value(name, last.and_then(|last| last.get(name)), wanted, there),
                None => wanted.clone(),
            };
            merged.insert(name.clone(), value);
        }
        merged
    }

    fn items(&self, field: &str, last: &[Value], desired: &[Value], live: &[Value]) -> Vec<Value> {
        if self.by_key && is_set(field) {
            return set(last, desired, live);
        }
        let Some(key) = merge_key(field, desired, live).filter(|_| self.by_key) else {
            return desired.to_vec();
        };
        let find =
            |items: &[Value], name: &Value| items.iter().find(|item| item.get(key) == Some(name)).cloned();
        let names = |items: &[Value]| -> Vec<Value> {
            items.iter().filter_map(|item| item.get(key)).cloned().collect()
        };
        let (wanted, before) = (names(desired), names(last));
        // The order is Git's; what only the cluster holds keeps its place behind.
        let mut merged: Vec<Value> = desired
            .iter()
            .map(|item| {
                let name = item.get(key).cloned().unwrap_or_default();
                match find(live, &name) {
                    Some(there) => self.value("", find(last, &name).as_ref(), item, &there),
                    None => item.clone(),
                }
            })
            .collect();
        let foreign = live.iter().filter(|item| {
            item.get(key).is_some_and(|name| !wanted.contains(name) && !before.contains(name))
        });
        merged.extend(foreign.cloned());
        merged
    }
}

/// Lists of plain values that several writers share, such as finalizers.
fn set(last: &[Value], desired: &[Value], live: &[Value]) -> Vec<Value> {
    let mut merged: Vec<Value> =
        live.iter().filter(|item| desired.contains(item) || !last.contains(item)).cloned().collect();
    for item in desired {
        if !merged.contains(item) {
            merged.push(item.clone());
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_injected_sidecar_stays_and_a_dropped_variable_goes() {
        let pod = |containers: Value| json!({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": containers}});
        let last = pod(json!([{"name": "app", "image": "a:1", "env": [{"name": "OLD", "value": "1"}]}]));
        let mut live = pod(json!([
            {"name": "app", "image": "a:1", "env": [{"name": "OLD", "value": "1"}, {"name": "ADDED", "value": "2"}]},
            {"name": "sidecar", "image": "s:1"}
        ]));
        live["metadata"] = json!({"annotations": {LAST_APPLIED: last.to_string()}});
        let merged = overlay(&pod(json!([{"name": "app", "image": "a:2", "env": []}])), &live);
        assert_eq!(
            merged["spec"]["containers"],
            json!([
                {"name": "app", "image": "a:2", "env": [{"name": "ADDED", "value": "2"}]},
                {"name": "sidecar", "image": "s:1"}
            ])
        );
    }

    #[test]
    fn lists_of_custom_resources_are_replaced() {
        let object = |list: Value| json!({"apiVersion": "ray.io/v1", "kind": "RayCluster", "spec": {"containers": list}});
        let merged = overlay(&object(json!([{"name": "a"}])), &object(json!([{"name": "b"}])));
        assert_eq!(merged["spec"]["containers"], json!([{"name": "a"}]));
    }
}
