//! Who wrote a field: a JSON pointer looked up in `metadata.managedFields` (structured-merge-diff's `fieldsV1`).

use serde_json::{Map, Value};

use crate::flow::FieldWriter;
use crate::object::str_at;

/// Deeper than any pointer that the comparison gives.
const DEEPEST: usize = 64;

/// The managers that own a field of a live object, the one that wrote last first. `entries` is the list of
/// `metadata.managedFields`, `live` the object without it. Empty where nobody owns the field: it is not there.
pub fn writers_of(entries: &Value, live: &Value, pointer: &str) -> Vec<FieldWriter> {
    let tokens: Vec<String> = pointer.split('/').skip(1).map(unescape).collect();
    let mut writers: Vec<FieldWriter> = entries
        .as_array()
        .into_iter()
        .flatten()
        .filter(|entry| {
            entry.get("fieldsV1").and_then(Value::as_object).is_some_and(|set| owns(set, live, &tokens, 0))
        })
        .map(writer)
        .collect();
    sort(&mut writers);
    writers
}

/// The manager that wrote last to anything but the status, ours (`ours`) aside: for a field that was taken away,
/// which nobody owns any more.
pub fn last_writer(entries: &Value, ours: &str) -> Option<FieldWriter> {
    let entries = entries.as_array().into_iter().flatten();
    let mut writers: Vec<FieldWriter> =
        entries.map(writer).filter(|one| one.subresource != "status" && one.manager != ours).collect();
    sort(&mut writers);
    writers.into_iter().next()
}

fn sort(writers: &mut [FieldWriter]) {
    writers.sort_by(|left, right| right.time.cmp(&left.time).then_with(|| left.manager.cmp(&right.manager)));
}

fn writer(entry: &Value) -> FieldWriter {
    let text = |field: &str| str_at(entry, &[field]).unwrap_or_default().to_owned();
    FieldWriter {
        manager: text("manager"),
        operation: text("operation"),
        subresource: text("subresource"),
        time: str_at(entry, &["time"]).and_then(|time| time.parse().ok()),
    }
}

fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// Whether a set of fields holds the one under `tokens`, something below it, or all of what it is in.
fn owns(set: &Map<String, Value>, live: &Value, tokens: &[String], depth: usize) -> bool {
    let Some((token, rest)) = tokens.split_first() else { return true };
    if depth > 0 && set.is_empty() {
        // A leaf: the manager owns everything below it.
        return true;
    }
    if depth > DEEPEST {
        return false;
    }
    let null = Value::Null;
    match live {
        Value::Array(items) => {
            let Some(item) = token.parse::<usize>().ok().and_then(|index| items.get(index)) else {
                return false;
            };
            set.iter().any(|(name, inner)| {
                is_item(name, token, item)
                    && inner.as_object().is_some_and(|inner| owns(inner, item, rest, depth + 1))
            })
        }
        _ => {
            let field = live.get(token).unwrap_or(&null);
            let inner = set.get(&format!("f:{token}")).and_then(Value::as_object);
            inner.is_some_and(|inner| owns(inner, field, rest, depth + 1))
        }
    }
}

/// Whether a path element of a list means this item: by keys, by value, or by index.
fn is_item(element: &str, index: &str, item: &Value) -> bool {
    if let Some(keys) = element.strip_prefix("k:") {
        let keys: Option<Map<String, Value>> = serde_json::from_str(keys).ok();
        return keys.is_some_and(|keys| {
            keys.iter().all(|(name, wanted)| match item.get(name) {
                Some(value) => value == wanted,
                None => name == "protocol" && wanted == "TCP",
            })
        });
    }
    if let Some(value) = element.strip_prefix("v:") {
        return serde_json::from_str::<Value>(value).is_ok_and(|value| value == *item);
    }
    element.strip_prefix("i:") == Some(index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn managers(pointer: &str) -> Vec<String> {
        let entries = json!([
            {"manager": "argocd-controller", "operation": "Apply", "time": "2026-11-21T07:00:00Z", "fieldsV1": {
                "f:spec": {"f:selector": {}, "f:template": {"f:containers": {
                    "k:{\"name\":\"main\"}": {".": {}, "f:name": {}, "f:image": {}}}}}}},
            {"manager": "kubectl-edit", "operation": "Update", "time": "2026-11-21T08:00:00Z", "fieldsV1": {
                "f:spec": {"f:template": {"f:containers": {"k:{\"name\":\"main\"}": {"f:image": {}}}}}}},
            {"manager": "hpa", "operation": "Update", "subresource": "scale", "fieldsV1": {
                "f:spec": {"f:replicas": {}}, "f:metadata": {"f:annotations": {"f:a/b": {}},
                "f:finalizers": {"v:\"x\"": {}}}}},
            {"manager": "broken", "fieldsV1": "no mapping"},
        ]);
        let live = json!({"spec": {"replicas": 5, "selector": {"app": "x"}, "template": {"containers": [
            {"name": "side"}, {"name": "main", "image": "y"}]}},
            "metadata": {"annotations": {"a/b": "1"}, "finalizers": ["x"]}});
        writers_of(&entries, &live, pointer).into_iter().map(|one| one.manager).collect()
    }

    #[test]
    fn a_pointer_finds_its_owners_newest_first() {
        assert_eq!(managers("/spec/replicas"), ["hpa"]);
        assert_eq!(managers("/spec/template/containers/1/image"), ["kubectl-edit", "argocd-controller"]);
        assert_eq!(managers("/spec/template/containers/0"), [""; 0]);
        assert_eq!(managers("/spec/selector/app"), ["argocd-controller"], "a leaf owns what is below it");
        assert_eq!(managers("/metadata/annotations/a~1b"), ["hpa"]);
        assert_eq!(managers("/metadata/finalizers/0"), ["hpa"]);
        assert_eq!(managers("/spec/template"), ["kubectl-edit", "argocd-controller"]);
        assert_eq!(managers("/status/x"), [""; 0]);
    }
}
