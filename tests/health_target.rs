//! The fuzz target: every health rule, and everything that reads facts, on any JSON.

use serde_json::{Value, json};
use tiphys::health::{Customizations, assess, assess_rule, facts, kinds_with_rules, pod_owner, pod_sets};

/// Takes the bytes as the body of an object of every kind with a rule.
pub(crate) fn run(data: &[u8]) {
    let Ok(body) = serde_json::from_slice::<Value>(data) else { return };
    let none = Customizations::none();
    let pod = facts::pod(&body);
    for (group, kind) in kinds_with_rules() {
        let mut object = if body.is_object() { body.clone() } else { json!({"status": body}) };
        let group = group.replace('*', "x");
        object["apiVersion"] = json!(if group.is_empty() { "v1".to_owned() } else { format!("{group}/v1") });
        object["kind"] = json!(if kind == "*" { "AnyPolicy" } else { kind });
        let _ = (assess(&object, &none), assess_rule(&object, &none));
        let _ = (pod_sets::pod_sets(&object, 5).len(), pod_owner::belongs(&pod, None, &object));
    }
    let _ = facts::node(&body, &facts::quota(&body).used);
}
