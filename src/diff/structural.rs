//! What an apply would make of an object, told without the API server: a three-way merge of what was applied last,
//! what is desired, and what is there.
//!
//! Fields that the last apply set and Git no longer names go; fields that Git names take Git's values; all others
//! stay. Lists of built-in kinds whose items have a merge key are merged by it, as the API server does; other lists
//! are replaced.

use serde_json::{Map, Value};

use crate::api::annotations::LAST_APPLIED;
use crate::object::str_at;

use super::defaults::add_defaults;
use super::merge_keys::{is_set, merge_key};

/// What the live object's annotation says was applied last.
pub(super) fn last_applied(live: &Value) -> Option<Value> {
    str_at(live, &["metadata", "annotations", LAST_APPLIED]).and_then(|text| serde_json::from_str(text).ok())
}

/// The object that an apply would leave, and the live object beside it, both with the defaults of their kind.
/// Without a last applied state nothing goes.
pub(super) fn predict(last: Option<&Value>, desired: &Value, live: &Value) -> (Value, Value) {
    let mut desired = desired.clone();
    if str_at(&desired, &["apiVersion"]).is_some_and(is_built_in) {
        drop_empty_lists(&mut desired);
    }
    let mut last = last.cloned().unwrap_or_else(|| desired.clone());
    for body in [&mut desired, &mut last] {
        leave_out_namespace(body);
    }
    drop_role_rules(&desired, live, &mut last);
    name_role_rules(&mut desired);
    let version = str_at(&desired, &["apiVersion"]).unwrap_or_default();
    let merge = Merge { by_key: is_built_in(version) };
    let mut live = live.clone();
    let mut predicted = merge.value("", Some(&last), &desired, &live);
    if merge.by_key {
        add_defaults(&mut predicted);
        add_defaults(&mut live);
    }
    (predicted, live)
}

/// An empty list of a built-in kind says no more than if it were not there: the API server does not write it down.
fn drop_empty_lists(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
            fields.retain(|name, value| name == "containers" || !empty(value));
            fields.values_mut().for_each(drop_empty_lists);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_empty_lists),
        _ => {}
    }
}

fn is_role(body: &Value) -> bool {
    matches!(str_at(body, &["kind"]), Some("ClusterRole" | "Role"))
        && str_at(body, &["apiVersion"])
            .is_some_and(|version| version.starts_with("rbac.authorization.k8s.io/"))
}

/// A list of rules that is there and empty (normalised to null) takes the rules away, whatever was applied last.
fn drop_role_rules(desired: &Value, live: &Value, last: &mut Value) {
    let rules = |body: &Value| body.get("rules").cloned();
    let (Some(Value::Null), true) = (rules(desired), is_role(desired)) else { return };
    if let (Some(there), Some(last)) = (rules(live).filter(|rules| !rules.is_null()), last.as_object_mut()) {
        last.insert("rules".to_owned(), there);
    }
}

/// The rules of a role are always part of an apply: a role without rules takes them away, unless others make them.
fn name_role_rules(desired: &mut Value) {
    let is_role = is_role(desired);
    if let Some(fields) = desired.as_object_mut()
        && is_role
        && !fields.contains_key("aggregationRule")
    {
        fields.entry("rules").or_insert(Value::Null);
    }
}

/// The live object always names its namespace; Git need not.
fn leave_out_namespace(body: &mut Value) {
    let Some(Value::Object(metadata)) = body.get_mut("metadata") else { return };
    metadata.remove("namespace");
    let empty = |value: &Value| value.is_null() || value.as_object().is_some_and(Map::is_empty);
    if metadata.get("annotations").is_some_and(empty) {
        metadata.remove("annotations");
    }
}

/// Kinds of Kubernetes itself; lists of custom resources are merged by no key.
pub(super) fn is_built_in(api_version: &str) -> bool {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    GROUPS.contains(&group)
}

/// API groups that every cluster has.
const GROUPS: &[&str] = &[
    "",
    "admissionregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "extensions",
    "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

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
        // A null in Git names nothing: it takes away only what the last apply had set.
        let names = |name: &&String| desired.get(*name).is_none_or(Value::is_null);
        for (name, _) in last.into_iter().flatten().filter(|(name, was)| names(name) && !was.is_null()) {
            merged.remove(name);
        }
        for (name, wanted) in desired {
            if wanted.is_null() {
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
        if !self.by_key || field == "volumeClaimTemplates" {
            // The server may have added fields to items; a list in which only such differ stays.
            return if trimmed_list(last, live) == desired { live.to_vec() } else { desired.to_vec() };
        }
        if is_set(field) {
            return set(last, desired, live);
        }
        let Some(key) = merge_key(field, desired, live) else { return desired.to_vec() };
        let find =
            |items: &[Value], name: &Value| items.iter().find(|item| item.get(key) == Some(name)).cloned();
        let names = |items: &[Value]| -> Vec<Value> {
            items.iter().filter_map(|item| item.get(key)).cloned().collect()
        };
        let (wanted, before, places) = (names(desired), names(last), names(live));
        let place =
            |item: &Value| item.get(key).and_then(|name| places.iter().position(|known| known == name));
        let mut foreign = live
            .iter()
            .filter(|item| item.get(key).is_some_and(|name| !wanted.contains(name) && !before.contains(name)))
            .peekable();
        // The order is Git's; what only the cluster holds keeps its place among what it stands before.
        let mut merged: Vec<Value> = Vec::new();
        for item in desired {
            while let (Some(at), Some(own)) = (foreign.peek().and_then(|one| place(one)), place(item))
                && at < own
            {
                merged.extend(foreign.next().cloned());
            }
            let name = item.get(key).cloned().unwrap_or_default();
            merged.push(match find(live, &name) {
                Some(there) => self.value("", find(last, &name).as_ref(), item, &there),
                None => item.clone(),
            });
        }
        merged.extend(foreign.cloned());
        merged
    }
}

/// The live list without what its items have beyond those of the list before.
fn trimmed_list(before: &[Value], live: &[Value]) -> Vec<Value> {
    live.iter()
        .enumerate()
        .map(|(index, there)| {
            before.get(index).map_or_else(|| there.clone(), |before| trimmed(before, there))
        })
        .collect()
}

fn trimmed(before: &Value, live: &Value) -> Value {
    match (before, live) {
        (Value::Object(before), Value::Object(live)) => Value::Object(
            before
                .iter()
                .filter_map(|(name, before)| Some((name.clone(), trimmed(before, live.get(name)?))))
                .collect(),
        ),
        (Value::Array(before), Value::Array(live)) => Value::Array(trimmed_list(before, live)),
        _ => live.clone(),
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

    fn overlay(desired: &Value, live: &Value) -> Value {
        predict(last_applied(live).as_ref(), desired, live).0
    }

    #[test]
    fn an_injected_sidecar_stays_and_a_dropped_variable_goes() {
        let pod = |containers: Value| json!({"apiVersion": "v1", "kind": "PodTemplate", "spec": {"containers": containers}});
        let (old, kept) = (json!({"name": "OLD", "value": "1"}), json!({"name": "KEPT", "value": "1"}));
        let last = pod(json!([{"name": "app", "image": "a:1", "env": [old, kept]}]));
        let mut live = pod(json!([
            {"name": "app", "image": "a:1", "env": [old, kept, {"name": "ADDED", "value": "2"}]},
            {"name": "sidecar", "image": "s:1"}
        ]));
        live["metadata"] = json!({"annotations": {LAST_APPLIED: last.to_string()}});
        let merged = overlay(&pod(json!([{"name": "app", "image": "a:2", "env": [kept]}])), &live);
        assert_eq!(
            merged["spec"]["containers"],
            json!([
                {"name": "app", "image": "a:2", "env": [kept, {"name": "ADDED", "value": "2"}]},
                {"name": "sidecar", "image": "s:1"}
            ])
        );
        // An empty list is not written down, so the whole of it goes, as with kubectl.
        let merged = overlay(&pod(json!([{"name": "app", "image": "a:2", "env": []}])), &live);
        assert_eq!(merged["spec"]["containers"][0], json!({"name": "app", "image": "a:2"}));
    }

    #[test]
    fn lists_of_custom_resources_are_replaced() {
        let object = |list: Value| json!({"apiVersion": "ray.io/v1", "kind": "RayCluster", "spec": {"containers": list}});
        let merged = overlay(&object(json!([{"name": "a"}])), &object(json!([{"name": "b"}])));
        assert_eq!(merged["spec"]["containers"], json!([{"name": "a"}]));
    }
}
