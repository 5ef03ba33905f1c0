//! `RespectIgnoreDifferences=true`: what is applied carries the live values of the fields that do not count.

use serde_json::{Map, Value};

use crate::object::ResourceKey;

use super::IgnoreRules;
use super::merge_keys::merge_key;
use super::normalize::SERVER_METADATA;

impl IgnoreRules {
    /// The object that is applied in the place of `desired`: where fields do not count, it says what is there, and
    /// nothing where nothing is there. `owners` are the live object's `managedFields`, where rules name managers.
    /// Nothing where that is the desired object itself.
    pub fn respecting(
        &self,
        key: &ResourceKey,
        desired: &Value,
        live: &Value,
        owners: &[Value],
    ) -> Option<Value> {
        if !self.concerns(key) {
            return None;
        }
        let mut applied = desired.clone();
        self.remove_ignored(key, &mut applied);
        for place in self.places(key, live) {
            if is_writable(&place) {
                copy(&place, live, &mut applied, "");
            }
        }
        self.copy_managed(key, &mut applied, live, owners);
        (applied != *desired).then_some(applied)
    }
}

/// Status and what the API server sets by itself are never applied.
fn is_writable(place: &[String]) -> bool {
    match place {
        [first, ..] if first == "status" => false,
        [first, second, ..] if first == "metadata" => !SERVER_METADATA.contains(&second.as_str()),
        _ => true,
    }
}

fn copy(place: &[String], live: &Value, applied: &mut Value, field: &str) {
    let Some((step, rest)) = place.split_first() else { return };
    match (live, applied) {
        (Value::Object(there), Value::Object(fields)) => {
            let Some(value) = there.get(step) else { return };
            if rest.is_empty() {
                fields.insert(step.clone(), value.clone());
                return;
            }
            // A list is not begun for the sake of one item: the others would be missing.
            if !fields.contains_key(step) && value.is_object() {
                fields.insert(step.clone(), Value::Object(Map::new()));
            }
            if let Some(inner) = fields.get_mut(step) {
                copy(rest, value, inner, step);
            }
        }
        (Value::Array(there), Value::Array(items)) => {
            let Some((index, item)) =
                step.parse::<usize>().ok().and_then(|index| Some((index, there.get(index)?)))
            else {
                return;
            };
            let key = merge_key(field, items, there);
            let same = |other: &Value| key.is_some_and(|key| other.get(key) == item.get(key));
            let found = match key {
                Some(_) => items.iter().position(same),
                None => (index < items.len()).then_some(index),
            };
            let may_add = key.is_some() || index == items.len();
            match found.and_then(|found| items.get_mut(found)) {
                Some(inner) if rest.is_empty() => *inner = item.clone(),
                Some(inner) => copy(rest, item, inner, ""),
                None if rest.is_empty() && may_add => items.push(item.clone()),
                None => {}
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::IgnoreDifferences;
    use crate::eval::JqPaths;
    use crate::settings::Customizations;
    use serde_json::json;

    fn rules(rule: Value) -> IgnoreRules {
        let rule: IgnoreDifferences = serde_json::from_value(rule).unwrap();
        let (rules, problems) = IgnoreRules::read(&[rule], &Customizations::default(), &JqPaths);
        assert!(problems.is_empty(), "{problems:?}");
        rules
    }

    fn respecting(rule: Value, desired: &Value, live: &Value) -> Option<Value> {
        let key = ResourceKey::new("apps", "Deployment", "n", "web");
        rules(rule).respecting(&key, desired, live, &[])
    }

    #[test]
    fn live_values_are_copied_and_what_is_not_there_is_not_applied() {
        let desired = json!({"metadata": {"labels": {"a": "1"}}, "spec": {"replicas": 1, "paused": true}});
        let live = json!({"metadata": {"labels": {"a": "1"}, "annotations": {"note": "x"}}, "spec": {"replicas": 5}, "status": {"a": 1}});
        let rule = json!({"kind": "Deployment", "group": "apps",
            "jsonPointers": ["/spec/replicas", "/spec/paused", "/metadata/annotations/note", "/status"]});
        assert_eq!(
            respecting(rule, &desired, &live).unwrap(),
            json!({"metadata": {"labels": {"a": "1"}, "annotations": {"note": "x"}}, "spec": {"replicas": 5}})
        );
        let other = json!({"kind": "StatefulSet", "group": "apps", "jsonPointers": ["/spec/replicas"]});
        assert_eq!(respecting(other, &desired, &live), None);
    }

    #[test]
    fn items_of_lists_are_found_by_their_keys() {
        let rule = json!({"kind": "Deployment", "group": "apps", "jqPathExpressions": [
            ".spec.containers[] | select(.name == \"proxy\")", ".spec.containers[] | select(.name == \"web\") | .image"]});
        let desired = json!({"spec": {"containers": [{"name": "web", "image": "w:1", "args": ["x"]}]}});
        let live = json!({"spec": {"containers": [{"name": "proxy", "image": "p:7"}, {"name": "web", "image": "w:9"}]}});
        assert_eq!(
            respecting(rule, &desired, &live).unwrap(),
            json!({"spec": {"containers": [{"name": "web", "args": ["x"], "image": "w:9"}, {"name": "proxy", "image": "p:7"}]}})
        );
    }
}
