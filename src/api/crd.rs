//! The CustomResourceDefinitions, from the types: what `cargo xtask crds` writes to `crds/`.
//!
//! A schema of Kubernetes is structural: every node has one type, nothing is referred to, and nothing is nullable
//! unless it says so. The types are written so that schemars' inlined output needs few corrections.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::{
    AppProjectSpec, AppProjectStatus, ApplicationSpec, ApplicationStatus, GROUP, Operation, VERSION,
};

/// The CRD of Application.
pub fn application_crd() -> Value {
    let columns = [
        ("Sync Status", ".status.sync.status", 0),
        ("Health Status", ".status.health.status", 0),
        ("Revision", ".status.sync.revision", 10),
        ("Project", ".spec.project", 10),
    ];
    let columns: Vec<Value> = columns
        .iter()
        .map(|(name, path, priority)| {
            let mut column = json!({"name": name, "type": "string", "jsonPath": path});
            if *priority > 0 {
                column["priority"] = json!(priority);
            }
            column
        })
        .collect();
    let mut version = version_of(
        json!({
            "spec": schema_of::<ApplicationSpec>(),
            "status": schema_of::<ApplicationStatus>(),
            "operation": schema_of::<Operation>(),
        }),
        "Application: the desired state of a set of objects, and what was seen of it.",
    );
    version["additionalPrinterColumns"] = Value::Array(columns);
    // Argo CD's CRD declares an empty status subresource as absent: status is an ordinary field.
    definition("Application", "applications", &["app", "apps"], version)
}

/// The CRD of AppProject.
pub fn project_crd() -> Value {
    let version = version_of(
        json!({"spec": schema_of::<AppProjectSpec>(), "status": schema_of::<AppProjectStatus>()}),
        "AppProject: what the applications of a team may do.",
    );
    definition("AppProject", "appprojects", &["appproj", "appprojs"], version)
}

fn version_of(fields: Value, description: &str) -> Value {
    let mut properties = json!({
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
    });
    if let (Some(all), Value::Object(fields)) = (properties.as_object_mut(), fields) {
        all.extend(fields);
    }
    json!({
        "name": VERSION,
        "served": true,
        "storage": true,
        "schema": {"openAPIV3Schema": {
            "description": description,
            "type": "object",
            "required": ["metadata", "spec"],
            "properties": properties,
        }},
    })
}

fn definition(kind: &str, plural: &str, short_names: &[&str], version: Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": format!("{plural}.{GROUP}"),
            "labels": {"app.kubernetes.io/part-of": "tiphys"},
        },
        "spec": {
            "group": GROUP,
            "names": {
                "kind": kind,
                "listKind": format!("{kind}List"),
                "plural": plural,
                "singular": kind.to_lowercase(),
                "shortNames": short_names,
            },
            "scope": "Namespaced",
            "versions": [version],
        },
    })
}

fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::openapi3().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let schema = SchemaGenerator::new(settings).into_root_schema_for::<T>();
    let mut schema = schema.to_value();
    make_structural(&mut schema);
    schema
}

/// Takes out what the API server refuses or what would refuse a user's object.
fn make_structural(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            for keyword in ["title", "nullable", "default", "$schema", "components"] {
                fields.remove(keyword);
            }
            unwrap_single(fields);
            join_enum_descriptions(fields);
            if let Some(format) = fields.get("format").and_then(Value::as_str)
                && ["uint64", "uint32", "uint", "int"].contains(&format)
            {
                fields.remove("format");
            }
            for (name, field) in fields.iter_mut() {
                if name == "properties" {
                    field
                        .as_object_mut()
                        .into_iter()
                        .flatten()
                        .for_each(|(_, property)| make_structural(property));
                } else {
                    make_structural(field);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(make_structural),
        _ => {}
    }
}

/// `allOf` or `anyOf` of one schema (and perhaps null) is that schema.
fn unwrap_single(fields: &mut Map<String, Value>) {
    if fields.contains_key("x-kubernetes-int-or-string") {
        return;
    }
    for word in ["allOf", "anyOf"] {
        let Some(Value::Array(choices)) = fields.get(word) else { continue };
        let is_null = |choice: &Value| {
            choice.get("type") == Some(&json!("null")) || choice.get("enum") == Some(&json!([null]))
        };
        let real: Vec<Value> = choices.iter().filter(|choice| !is_null(choice)).cloned().collect();
        if let [Value::Object(only)] = real.as_slice() {
            let only = only.clone();
            fields.remove(word);
            for (name, value) in only {
                fields.entry(name).or_insert(value);
            }
        }
    }
}

/// An enum whose variants have docs comes as `oneOf` of constants; Kubernetes wants `enum`.
fn join_enum_descriptions(fields: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = fields.get("oneOf") else { return };
    let constant = |choice: &Value| {
        choice.get("const").cloned().or_else(|| choice.get("enum")?.as_array()?.first().cloned())
    };
    let words: Option<Vec<Value>> = choices.iter().map(constant).collect();
    if words.is_some() {
        fields.remove("oneOf");
        // The words are not closed: whoever wrote a status before us may know others.
        fields.insert("type".into(), json!("string"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuse_keywords(schema: &Value, path: &str) {
        let Some(fields) = schema.as_object() else { return };
        for word in ["$ref", "oneOf", "nullable", "allOf", "not", "definitions"] {
            assert!(!fields.contains_key(word), "{path} has {word}");
        }
        assert!(
            fields.contains_key("type") || fields.contains_key("x-kubernetes-int-or-string"),
            "{path} has no type: {schema}"
        );
        for (name, property) in fields.get("properties").and_then(Value::as_object).into_iter().flatten() {
            refuse_keywords(property, &format!("{path}.{name}"));
        }
        for word in ["items", "additionalProperties"] {
            if let Some(inner) = fields.get(word) {
                refuse_keywords(inner, &format!("{path}.{word}"));
            }
        }
    }

    #[test]
    fn the_schemas_are_structural() {
        for crd in [application_crd(), project_crd()] {
            let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
            for name in ["spec", "status", "operation"] {
                if let Some(field) = schema["properties"].get(name) {
                    refuse_keywords(field, name);
                }
            }
        }
    }
}
