//! What Kubernetes itself does to objects of certain kinds when it reads them: two spellings become one.

use base64::Engine;
use serde_json::{Map, Value};

use crate::object::{at_mut, str_at};
use crate::settings::{Customizations, KnownTypeField};

use super::quantity::{canonical_duration, canonical_quantity};
use super::structural::is_built_in;

/// Objects nest no deeper where they come from an API server.
const MAX_DEPTH: usize = 128;

/// What the system says about kinds beyond their ignore rules.
#[derive(Clone, Debug, Default)]
pub struct KnownFields {
    fields: Vec<KnownTypeField>,
    ignore_aggregated_roles: bool,
}

impl KnownFields {
    /// Takes them from the settings.
    pub fn new(system: &Customizations) -> Self {
        Self {
            fields: system.known_type_fields.clone(),
            ignore_aggregated_roles: system.ignore_aggregated_roles,
        }
    }
}

impl KnownFields {
    /// Brings what the system names into one spelling, in an object that comes from an API server.
    pub fn normalize(&self, body: &mut Value) {
        if self.fields.is_empty() && !self.ignore_aggregated_roles {
            return;
        }
        let version = str_at(body, &["apiVersion"]).unwrap_or_default().to_owned();
        let kind = str_at(body, &["kind"]).unwrap_or_default().to_owned();
        let group = version.split_once('/').map_or("", |(group, _)| group);
        if group == "rbac.authorization.k8s.io" && kind == "ClusterRole" {
            role(body, self.ignore_aggregated_roles);
        }
        self.known_types(group, &kind, body);
    }

    fn known_types(&self, group: &str, kind: &str, body: &mut Value) {
        for field in self.fields.iter().filter(|field| field.group == group && field.kind == kind) {
            known_type(body, &field.field, &field.known_type);
        }
    }
}

/// Brings an object into the form that an API server would store.
pub fn normalize_kind(body: &mut Value, known: &KnownFields) {
    if let Some(Value::Object(metadata)) = body.get_mut("metadata") {
        metadata.remove("creationTimestamp");
    }
    let version = str_at(body, &["apiVersion"]).unwrap_or_default().to_owned();
    let kind = str_at(body, &["kind"]).unwrap_or_default().to_owned();
    let group = version.split_once('/').map_or("", |(group, _)| group);
    if is_built_in(&version) {
        canonical("", body, 0);
    }
    match (group, kind.as_str()) {
        ("", "Secret") => secret(body),
        ("", "Endpoints") => endpoints(body),
        ("rbac.authorization.k8s.io", "ClusterRole" | "Role") => role(body, known.ignore_aggregated_roles),
        ("argoproj.io", "Rollout") => {
            if let Some(pod) = at_mut(body, &["spec", "template", "spec"]) {
                canonical("", pod, 0);
            }
        }
        _ => {}
    }
    known.known_types(group, &kind, body);
}

/// `stringData` is `data` that is not encoded yet; an empty value may be null.
fn secret(body: &mut Value) {
    let Some(fields) = body.as_object_mut() else { return };
    if let Some(Value::Object(plain)) = fields.get("stringData") {
        let plain = plain.clone();
        let data = fields.entry("data").or_insert_with(|| Value::Object(Map::new()));
        if data.is_null() {
            *data = Value::Object(Map::new());
        }
        let Some(data) = data.as_object_mut() else { return };
        for (name, value) in plain {
            let value = match value {
                Value::String(text) => {
                    Value::String(base64::engine::general_purpose::STANDARD.encode(text.as_bytes()))
                }
                other => other,
            };
            data.insert(name, value);
        }
        fields.remove("stringData");
    }
    if let Some(Value::Object(data)) = fields.get_mut("data") {
        for value in data.values_mut().filter(|value| value.is_null()) {
            *value = Value::String(String::new());
        }
    }
}

fn endpoints(body: &mut Value) {
    for subset in body.get_mut("subsets").and_then(Value::as_array_mut).into_iter().flatten() {
        for port in subset.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(port) = port.as_object_mut() {
                port.entry("protocol").or_insert_with(|| "TCP".into());
            }
        }
    }
}

/// The rules of an aggregated role are written by a controller.
fn role(body: &mut Value, ignore_aggregated: bool) {
    let Some(fields) = body.as_object_mut() else { return };
    let aggregated = ignore_aggregated && fields.get("aggregationRule").is_some_and(Value::is_object);
    if aggregated || fields.get("rules").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        fields.insert("rules".to_owned(), Value::Null);
    }
}

fn known_type(value: &mut Value, path: &[String], known: &str) {
    if let Value::Array(items) = value {
        for item in items {
            known_type(item, path, known);
        }
        return;
    }
    if let Some((name, rest)) = path.split_first() {
        if let Some(inner) = value.get_mut(name) {
            known_type(inner, rest, known);
        }
        return;
    }
    match known {
        "core/Quantity" | "core/v1/Quantity" => quantity(value),
        "meta/v1/Duration" => {
            if let Some(text) = value.as_str().and_then(canonical_duration) {
                *value = Value::String(text);
            }
        }
        "core/v1/ResourceList" => quantities(value),
        known if known.starts_with("core/v1/") => canonical("", value, 0),
        _ => {}
    }
}

fn quantity(value: &mut Value) {
    let text = match value {
        Value::String(text) => canonical_quantity(text),
        Value::Number(number) => canonical_quantity(&number.to_string()),
        _ => None,
    };
    if let Some(text) = text {
        *value = Value::String(text);
    }
}

fn quantities(value: &mut Value) {
    value.as_object_mut().into_iter().flat_map(Map::values_mut).for_each(quantity);
}

/// Maps of quantities by resource.
const QUANTITY_MAPS: &[&str] = &[
    "allocatable",
    "capacity",
    "default",
    "defaultRequest",
    "hard",
    "limits",
    "max",
    "maxLimitRequestRatio",
    "min",
    "overhead",
    "podFixed",
    "requests",
];
/// Fields that hold one quantity.
const QUANTITIES: &[&str] = &["averageValue", "divisor", "sizeLimit"];
/// Maps whose keys are the user's, where nothing is left out.
const FREE_MAPS: &[&str] = &[
    "annotations",
    "binaryData",
    "data",
    "labels",
    "matchLabels",
    "nodeSelector",
    "parameters",
    "stringData",
];
/// Fields in which false says the same as nothing.
const FALSE_IS_NOTHING: &[&str] = &[
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "paused",
    "publishNotReadyAddresses",
    "readOnly",
    "stdin",
    "stdinOnce",
    "tty",
];
/// Fields in which the empty text says the same as nothing.
const EMPTY_IS_NOTHING: &[&str] =
    &["clusterIP", "dnsPolicy", "loadBalancerIP", "nodeName", "serviceAccountName", "subPath", "value"];

/// Drops what says nothing (nulls, empty lists and maps, false and empty texts where they are the same as nothing)
/// and writes quantities in one way, as reading into the types of Kubernetes and writing again does.
fn canonical(field: &str, value: &mut Value, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    match value {
        Value::Object(_) if QUANTITY_MAPS.contains(&field) => quantities(value),
        Value::Object(fields) => {
            fields.retain(|name, value| !says_nothing(name, value));
            for (name, value) in fields.iter_mut().filter(|(name, _)| !FREE_MAPS.contains(&name.as_str())) {
                if QUANTITIES.contains(&name.as_str()) {
                    quantity(value);
                } else {
                    canonical(name, value, depth + 1);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| canonical("", item, depth + 1)),
        _ => {}
    }
}

fn says_nothing(name: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty() && name != "rules",
        Value::Object(fields) => {
            fields.is_empty() && (FREE_MAPS.contains(&name) || QUANTITY_MAPS.contains(&name))
        }
        Value::Bool(false) => FALSE_IS_NOTHING.contains(&name),
        Value::String(text) => text.is_empty() && EMPTY_IS_NOTHING.contains(&name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn normal(mut body: Value, known: &KnownFields) -> Value {
        normalize_kind(&mut body, known);
        body
    }

    #[test]
    fn a_secret_is_compared_encoded() {
        let secret =
            json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"a": "x"}, "data": {"b": null}});
        assert_eq!(normal(secret, &KnownFields::default())["data"], json!({"a": "eA==", "b": ""}));
    }

    #[test]
    fn pods_have_one_spelling() {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"creationTimestamp": null, "labels": {}},
            "spec": {"hostNetwork": false, "volumes": [], "containers": [
                {"name": "a", "env": [{"name": "E", "value": ""}], "resources": {"limits": {"cpu": 0.5, "memory": "1024Mi"}}}]}});
        assert_eq!(
            normal(pod, &KnownFields::default()),
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {"containers": [
                {"name": "a", "env": [{"name": "E"}], "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}}}]}})
        );
    }

    #[test]
    fn known_types_of_custom_resources_and_aggregated_roles() {
        let data = [
            (
                "resource.customizations.knownTypeFields.x.io_Job",
                "[{field: spec.groups.memory, type: core/Quantity}]",
            ),
            ("resource.compareoptions", "ignoreAggregatedRoles: true"),
        ];
        let data = data.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
        let known = KnownFields::new(&Customizations::read(&data));
        let job =
            json!({"apiVersion": "x.io/v1", "kind": "Job", "spec": {"groups": [{"memory": "1000m"}, {}]}});
        assert_eq!(normal(job, &known)["spec"]["groups"], json!([{"memory": "1"}, {}]));
        let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "aggregationRule": {"x": 1}, "rules": [1]});
        assert_eq!(normal(role, &known)["rules"], Value::Null);
    }
}
