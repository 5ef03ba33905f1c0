//! Fields that differ and belong to managers that the user trusts.

use serde_json::{Map, Value};

use super::field_set::{FieldSet, has_keys, keys_of};

/// Takes out of both objects what one of the managers owns and what differs. `owners` are the live object's
/// `managedFields`.
pub(super) fn remove_owned(managers: &[&str], owners: &[Value], desired: &mut Value, live: &mut Value) {
    each_owned(managers, owners, |fields| {
        walk(fields, desired, live, &mut |wanted, there, name| {
            wanted.remove(name);
            there.remove(name);
        })
    });
}

/// Gives `desired` the live values of what one of the managers owns and what differs.
pub(super) fn copy_owned(managers: &[&str], owners: &[Value], desired: &mut Value, live: &Value) {
    let mut live = live.clone();
    each_owned(managers, owners, |fields| {
        walk(fields, desired, &mut live, &mut |wanted, there, name| {
            if let Some(value) = there.get(name) {
                wanted.insert(name.to_owned(), value.clone());
            }
        })
    });
}

fn each_owned(managers: &[&str], owners: &[Value], mut with: impl FnMut(&FieldSet)) {
    for entry in owners {
        if entry["manager"].as_str().is_some_and(|manager| managers.contains(&manager)) {
            with(&FieldSet::read(entry.get("fieldsV1").unwrap_or(&Value::Null)));
        }
    }
}

/// What is done with a field that both objects have and in which they differ.
type OnField<'a> = dyn FnMut(&mut Map<String, Value>, &mut Map<String, Value>, &str) + 'a;

fn walk(fields: &FieldSet, desired: &mut Value, live: &mut Value, on: &mut OnField<'_>) {
    for (step, inner) in &fields.children {
        if let Some(name) = step.strip_prefix("f:") {
            let (Some(wanted), Some(there)) = (desired.as_object_mut(), live.as_object_mut()) else {
                continue;
            };
            let (Some(left), Some(right)) = (wanted.get_mut(name), there.get_mut(name)) else { continue };
            if !inner.children.is_empty() {
                walk(inner, left, right, on);
            } else if left != right {
                on(wanted, there, name);
            }
        } else if let Some(keys) = keys_of(step) {
            let find = |item: &&mut Value| has_keys(item, &keys);
            let wanted = desired.as_array_mut().and_then(|items| items.iter_mut().find(find));
            let there = live.as_array_mut().and_then(|items| items.iter_mut().find(find));
            if let (Some(wanted), Some(there)) = (wanted, there) {
                walk(inner, wanted, there, on);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_fields_of_trusted_managers_that_differ_go() {
        let owned = json!({"f:spec": {"f:replicas": {}, "f:template": {"f:containers": {
            "k:{\"name\":\"a\"}": {".": {}, "f:image": {}}}}}});
        let owners = [json!({"manager": "hpa", "fieldsV1": owned})];
        let mut live = json!({
            "spec": {"replicas": 5, "paused": true, "template": {"containers": [{"name": "a", "image": "x:2"}]}}});
        let mut desired = json!({"spec": {"replicas": 1, "paused": false,
            "template": {"containers": [{"name": "b"}, {"name": "a", "image": "x:1"}]}}});
        let mut applied = desired.clone();
        copy_owned(&["hpa"], &owners, &mut applied, &live);
        assert_eq!(applied["spec"]["replicas"], 5);
        assert_eq!(applied["spec"]["template"]["containers"][1]["image"], "x:2");
        remove_owned(&["kubectl"], &owners, &mut desired, &mut live);
        assert_eq!(desired["spec"]["replicas"], 1);
        remove_owned(&["hpa"], &owners, &mut desired, &mut live);
        assert_eq!(
            desired["spec"],
            json!({"paused": false, "template": {"containers": [{"name": "b"}, {"name": "a"}]}})
        );
        assert_eq!(live["spec"], json!({"paused": true, "template": {"containers": [{"name": "a"}]}}));
    }
}
