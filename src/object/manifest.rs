//! One object, desired or live.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{GroupVersionKind, ResourceKey, mask_secret, path};

/// Why a value is not an object that could be sent to a cluster.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// The document is a list, a string, a number.
    #[error("a manifest must be a mapping with apiVersion, kind and metadata, this is {0}")]
    NotAnObject(&'static str),
    /// A required field is absent or not a string.
    #[error("field {field} is required and must be a non-empty string{context}")]
    Field {
        /// Path of the field, for example `metadata.name`.
        field: &'static str,
        /// Which object, as far as it is known; starts with a space.
        context: String,
    },
}

/// A Kubernetes object as JSON, checked to have an `apiVersion`, a `kind` and a name (or `generateName`).
///
/// `Debug` and `Display` never show the data of a Secret.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Manifest {
    body: Value,
}

impl Manifest {
    /// Takes a JSON value that is an object of Kubernetes.
    ///
    /// # Errors
    /// Where `apiVersion`, `kind` or both of `metadata.name` and `metadata.generateName` are missing.
    pub fn new(body: Value) -> Result<Self, ManifestError> {
        if !body.is_object() {
            return Err(ManifestError::NotAnObject(type_name(&body)));
        }
        let manifest = Self { body };
        for (field, found) in [("apiVersion", manifest.api_version()), ("kind", manifest.kind())] {
            if found.is_empty() {
                return Err(ManifestError::Field { field, context: manifest.context() });
            }
        }
        if manifest.name().is_empty() && manifest.generate_name().is_empty() {
            return Err(ManifestError::Field { field: "metadata.name", context: manifest.context() });
        }
        Ok(manifest)
    }

    fn context(&self) -> String {
        let known: Vec<String> =
            [("kind", self.kind()), ("name", self.name()), ("namespace", self.namespace())]
                .iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(field, value)| format!("{field} {value}"))
                .collect();
        if known.is_empty() { String::new() } else { format!(" ({})", known.join(", ")) }
    }

    /// The whole object.
    pub fn body(&self) -> &Value {
        &self.body
    }

    /// The whole object, to change. The caller keeps `apiVersion`, `kind` and the name in place.
    pub fn body_mut(&mut self) -> &mut Value {
        &mut self.body
    }

    /// Gives the object away.
    pub fn into_body(self) -> Value {
        self.body
    }

    /// `apiVersion`, for example `apps/v1`.
    pub fn api_version(&self) -> &str {
        path::str_at(&self.body, &["apiVersion"]).unwrap_or_default()
    }

    /// `kind`, for example `Deployment`.
    pub fn kind(&self) -> &str {
        path::str_at(&self.body, &["kind"]).unwrap_or_default()
    }

    /// API group, empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version().split_once('/').map_or("", |(group, _)| group)
    }

    /// Group, version and kind.
    pub fn gvk(&self) -> GroupVersionKind {
        GroupVersionKind::from_api_version(self.api_version(), self.kind())
    }

    /// `metadata.name`; empty where only `generateName` is given.
    pub fn name(&self) -> &str {
        path::str_at(&self.body, &["metadata", "name"]).unwrap_or_default()
    }

    /// `metadata.generateName`, empty where it is not given.
    pub fn generate_name(&self) -> &str {
        path::str_at(&self.body, &["metadata", "generateName"]).unwrap_or_default()
    }

    /// `metadata.namespace`; empty for a cluster-scoped object or one without a namespace of its own.
    pub fn namespace(&self) -> &str {
        path::str_at(&self.body, &["metadata", "namespace"]).unwrap_or_default()
    }

    /// `metadata.uid`, known for live objects.
    pub fn uid(&self) -> &str {
        path::str_at(&self.body, &["metadata", "uid"]).unwrap_or_default()
    }

    /// `metadata.resourceVersion`, known for live objects. An opaque string.
    pub fn resource_version(&self) -> &str {
        path::str_at(&self.body, &["metadata", "resourceVersion"]).unwrap_or_default()
    }

    /// The key that this object has in its cluster.
    pub fn key(&self) -> ResourceKey {
        ResourceKey::new(self.group(), self.kind(), self.namespace(), self.name())
    }

    /// The value of an annotation.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        path::str_at(&self.body, &["metadata", "annotations", name])
    }

    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&str> {
        path::str_at(&self.body, &["metadata", "labels", name])
    }

    /// Sets `metadata.namespace`.
    pub fn set_namespace(&mut self, namespace: &str) {
        if let Some(metadata) = self.metadata_mut() {
            metadata.insert("namespace".into(), Value::String(namespace.into()));
        }
    }

    /// Sets an annotation.
    pub fn set_annotation(&mut self, name: &str, value: &str) {
        self.set_in("annotations", name, value);
    }

    /// Sets a label.
    pub fn set_label(&mut self, name: &str, value: &str) {
        self.set_in("labels", name, value);
    }

    fn set_in(&mut self, group: &str, name: &str, value: &str) {
        if let Some(metadata) = self.metadata_mut() {
            let entries = metadata.entry(group).or_insert_with(|| Value::Object(Map::new()));
            if !entries.is_object() {
                *entries = Value::Object(Map::new());
            }
            if let Some(entries) = entries.as_object_mut() {
                entries.insert(name.into(), Value::String(value.into()));
            }
        }
    }

    fn metadata_mut(&mut self) -> Option<&mut Map<String, Value>> {
        let body = self.body.as_object_mut()?;
        let metadata = body.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
        metadata.as_object_mut()
    }

    /// Whether this is a core `Secret`, whose data nobody may see.
    pub fn is_secret(&self) -> bool {
        self.kind() == "Secret" && self.group().is_empty()
    }
}

impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Manifest({self})")
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_secret() { write!(f, "{}", mask_secret(&self.body)) } else { write!(f, "{}", self.body) }
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn says_which_field_is_missing_on_which_object() {
        let error = Manifest::new(json!({"apiVersion": "v1", "kind": "Pod"})).unwrap_err();
        assert_eq!(
            error.to_string(),
            "field metadata.name is required and must be a non-empty string (kind Pod)"
        );
    }

    #[test]
    fn debug_of_a_secret_shows_no_data() {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"k": "c2VjcmV0"}});
        let shown = format!("{:?}", Manifest::new(secret).unwrap());
        assert!(!shown.contains("c2VjcmV0"), "{shown}");
        assert!(shown.contains("++++"), "{shown}");
    }
}
