//! Fields by their owner: `metadata.managedFields` of a live object (structured-merge-diff's `fieldsV1`).

use serde_json::{Map, Value};

use crate::object::list_at;

/// `managedFields` nests as deep as the object; deeper is not followed.
const MAX_DEPTH: usize = 64;

/// Takes out of both objects what one of the managers owns and what differs.
pub(super) fn remove_owned(managers: &[&str], desired: &mut Value, live: &mut Value) {
    let owned: Vec<Value> = list_at(live, &["metadata", "managedFields"])
        .iter()
        .filter(|entry| entry["manager"].as_str().is_some_and(|manager| managers.contains(&manager)))
        .filter_map(|entry| entry.get("fieldsV1").cloned())
        .collect();
    for fields in &owned {
        if let Some(fields) = fields.as_object() {
            remove_in(fields, desired, live, 0);
        }
    }
}

fn remove_in(fields: &Map<String, Value>, desired: &mut Value, live: &mut Value, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    for (name, inner) in fields {
        let Some(inner) = inner.as_object() else { continue };
        if let Some(field) = name.strip_prefix("f:") {
            remove_field(field, inner, desired, live, depth);
        } else if let Some(keys) = name.strip_prefix("k:").and_then(|text| serde_json::from_str(text).ok()) {
            let (Some(desired), Some(live)) = (find(desired, &keys), find(live, &keys)) else { continue };
            remove_in(inner, desired, live, depth + 1);
        }
    }
}

fn remove_field(
    field: &str,
    inner: &Map<String, Value>,
    desired: &mut Value,
    live: &mut Value,
    depth: usize,
) {
    let (Some(desired), Some(live)) = (desired.as_object_mut(), live.as_object_mut()) else { return };
    let (Some(wanted), Some(there)) = (desired.get_mut(field), live.get_mut(field)) else { return };
    if inner.is_empty() {
        if wanted != there {
            desired.remove(field);
            live.remove(field);
        }
    } else {
        remove_in(inner, wanted, there, depth + 1);
    }
}

/// The item of a list with these keys; a key that an item leaves out is taken for its default where it has one.
fn find<'a>(list: &'a mut Value, keys: &Map<String, Value>) -> Option<&'a mut Value> {
    list.as_array_mut()?.iter_mut().find(|item| {
        keys.iter().all(|(name, wanted)| match item.get(name) {
            Some(value) => value == wanted,
            None => name == "protocol" && wanted == "TCP",
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_fields_of_trusted_managers_that_differ_go() {
        let owned = json!({"f:spec": {"f:replicas": {}, "f:template": {"f:containers": {
            "k:{\"name\":\"a\"}": {".": {}, "f:image": {}}}}}});
        let mut live = json!({"metadata": {"managedFields": [{"manager": "hpa", "fieldsV1": owned}]},
            "spec": {"replicas": 5, "paused": true, "template": {"containers": [{"name": "a", "image": "x:2"}]}}});
        let mut desired = json!({"spec": {"replicas": 1, "paused": false,
            "template": {"containers": [{"name": "b"}, {"name": "a", "image": "x:1"}]}}});
        remove_owned(&["kubectl"], &mut desired, &mut live);
        assert_eq!(desired["spec"]["replicas"], 1);
        remove_owned(&["hpa"], &mut desired, &mut live);
        assert_eq!(
            desired["spec"],
            json!({"paused": false, "template": {"containers": [{"name": "b"}, {"name": "a"}]}})
        );
        assert_eq!(live["spec"], json!({"paused": true, "template": {"containers": [{"name": "a"}]}}));
    }
}
