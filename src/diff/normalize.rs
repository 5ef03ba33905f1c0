//! Takes out of an object what never counts: what the API server writes by itself.

use serde_json::{Map, Value};

use crate::api::annotations::LAST_APPLIED;
use crate::object::Manifest;

/// Fields of `metadata` that the API server sets.
pub(super) const SERVER_METADATA: &[&str] = &[
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// A copy without the fields that the API server sets, without status, and with empty containers gone.
pub fn normalized(object: &Manifest) -> Value {
    let mut body = object.body().clone();
    strip_server_fields(&mut body);
    body
}

/// Takes out the fields that the API server sets, status, and empty metadata containers.
pub fn strip_server_fields(body: &mut Value) {
    let Some(fields) = body.as_object_mut() else { return };
    fields.remove("status");
    let Some(Value::Object(metadata)) = fields.get_mut("metadata") else { return };
    for name in SERVER_METADATA {
        metadata.remove(*name);
    }
    if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
        annotations.remove(LAST_APPLIED);
    }
    for name in ["annotations", "labels", "finalizers", "ownerReferences"] {
        drop_if_empty(metadata, name);
    }
}

fn drop_if_empty(metadata: &mut Map<String, Value>, name: &str) {
    let empty = match metadata.get(name) {
        Some(Value::Object(fields)) => fields.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Null) => true,
        _ => false,
    };
    if empty {
        metadata.remove(name);
    }
}
