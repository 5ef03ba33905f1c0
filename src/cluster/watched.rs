//! Objects as they come from lists, watches and writes: decoded once, without managedFields.
//!
//! managedFields are the larger part of most objects. They are hashed while they are read and never kept; the hash
//! tells whether ownership changed.

use std::borrow::Cow;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::core::{ApiResource, DynamicResourceScope};
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::diff::FieldManagers;
use crate::object::str_at;

/// What requests for a kind are made of, where nobody has to discover it.
pub fn resource(group: &str, version: &str, kind: &str, plural: &str) -> ApiResource {
    let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    ApiResource {
        group: group.into(),
        version: version.into(),
        api_version,
        kind: kind.into(),
        plural: plural.into(),
    }
}

/// An object from the API server. `Debug` shows its name only.
#[derive(Clone)]
pub struct WatchedObject {
    /// What kube needs: name, namespace, uid, resourceVersion.
    meta: ObjectMeta,
    /// The object without managedFields.
    pub body: Value,
    /// Hash of who owns which fields; times do not count.
    pub ownership: u64,
    /// Who owns fields of it.
    pub managers: FieldManagers,
}

/// An object with its `managedFields`, for the few questions that need them.
#[derive(Clone, Debug)]
pub struct OwnedObject {
    /// The object without them.
    pub object: WatchedObject,
    /// `metadata.managedFields`.
    pub managed: Vec<Value>,
}

impl WatchedObject {
    /// Fills in `apiVersion` and `kind`, which items of a list do not carry.
    pub fn complete(&mut self, resource: &ApiResource) {
        if let Some(fields) = self.body.as_object_mut() {
            fields.entry("apiVersion").or_insert_with(|| resource.api_version.clone().into());
            fields.entry("kind").or_insert_with(|| resource.kind.clone().into());
        }
    }

    /// `metadata.name`.
    pub fn name(&self) -> &str {
        self.meta.name.as_deref().unwrap_or_default()
    }

    /// `metadata.namespace`, empty for cluster-scoped objects.
    pub fn namespace(&self) -> &str {
        self.meta.namespace.as_deref().unwrap_or_default()
    }

    /// `metadata.resourceVersion` as a number; 0 for a server that counts otherwise.
    pub fn version_number(&self) -> u64 {
        self.meta.resource_version.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0)
    }
}

impl fmt::Debug for WatchedObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace(), self.name())
    }
}

impl Serialize for WatchedObject {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.body.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for WatchedObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (mut ownership, mut managers) = (0, FieldManagers::default());
        let fields = Fields { ownership: &mut ownership, managers: &mut managers, inside_metadata: false };
        let body = fields.deserialize(deserializer)?;
        Ok(Self::from_parts(body, ownership, managers))
    }
}

impl WatchedObject {
    fn from_parts(body: Value, ownership: u64, managers: FieldManagers) -> Self {
        let text = |field: &str| str_at(&body, &["metadata", field]).map(str::to_owned);
        let meta = ObjectMeta {
            name: text("name"),
            namespace: text("namespace"),
            uid: text("uid"),
            resource_version: text("resourceVersion"),
            ..ObjectMeta::default()
        };
        Self { meta, body, ownership, managers }
    }
}

impl<'de> Deserialize<'de> for OwnedObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut body = Value::deserialize(deserializer)?;
        let metadata = body.get_mut("metadata").and_then(Value::as_object_mut);
        let managed = match metadata.and_then(|metadata| metadata.remove("managedFields")) {
            Some(Value::Array(entries)) => entries,
            _ => Vec::new(),
        };
        let object = WatchedObject::from_parts(body, hash_ownership(&managed), FieldManagers::of(&managed));
        Ok(Self { object, managed })
    }
}

/// Reads a mapping field by field; leaves out `metadata.managedFields`.
struct Fields<'a> {
    ownership: &'a mut u64,
    managers: &'a mut FieldManagers,
    inside_metadata: bool,
}

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of Kubernetes")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = access.next_key::<Cow<'de, str>>()? {
            match (self.inside_metadata, name.as_ref()) {
                (false, "metadata") => {
                    let inner = Fields {
                        ownership: &mut *self.ownership,
                        managers: &mut *self.managers,
                        inside_metadata: true,
                    };
                    fields.insert(name.into_owned(), access.next_value_seed(inner)?);
                }
                (true, "managedFields") => {
                    let entries = access.next_value::<Option<Vec<Value>>>()?.unwrap_or_default();
                    *self.ownership = hash_ownership(&entries);
                    *self.managers = FieldManagers::of(&entries);
                }
                (true, "selfLink") => drop(access.next_value::<IgnoredAny>()?),
                _ => {
                    fields.insert(name.into_owned(), access.next_value()?);
                }
            }
        }
        Ok(Value::Object(fields))
    }
}

/// Entries of subresources (status writers) and times do not count.
fn hash_ownership(entries: &[Value]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for entry in entries {
        if str_at(entry, &["subresource"]).is_some_and(|name| !name.is_empty()) {
            continue;
        }
        for field in ["manager", "operation", "apiVersion"] {
            str_at(entry, &[field]).unwrap_or_default().hash(&mut hasher);
        }
        entry.get("fieldsV1").map(Value::to_string).unwrap_or_default().hash(&mut hasher);
    }
    hasher.finish()
}

impl Resource for WatchedObject {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(resource: &ApiResource) -> Cow<'_, str> {
        resource.kind.as_str().into()
    }

    fn group(resource: &ApiResource) -> Cow<'_, str> {
        resource.group.as_str().into()
    }

    fn version(resource: &ApiResource) -> Cow<'_, str> {
        resource.version.as_str().into()
    }

    fn api_version(resource: &ApiResource) -> Cow<'_, str> {
        resource.api_version.as_str().into()
    }

    fn plural(resource: &ApiResource) -> Cow<'_, str> {
        resource.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.meta
    }
}

impl Resource for OwnedObject {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(resource: &ApiResource) -> Cow<'_, str> {
        resource.kind.as_str().into()
    }

    fn group(resource: &ApiResource) -> Cow<'_, str> {
        resource.group.as_str().into()
    }

    fn version(resource: &ApiResource) -> Cow<'_, str> {
        resource.version.as_str().into()
    }

    fn api_version(resource: &ApiResource) -> Cow<'_, str> {
        resource.api_version.as_str().into()
    }

    fn plural(resource: &ApiResource) -> Cow<'_, str> {
        resource.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.object.meta
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.object.meta
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn managed_fields_are_hashed_and_dropped_and_times_do_not_count() {
        let read = |manager: &str, time: &str| -> WatchedObject {
            let text = format!(
                r#"{{"kind":"ConfigMap","metadata":{{"name":"a","managedFields":[{{"manager":"{manager}",
                "time":"{time}","fieldsV1":{{"f:data":{{}}}}}},{{"manager":"kubelet","subresource":"status"}}],
                "resourceVersion":"12"}},"data":{{"k":"v"}}}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        let one = read("argocd-controller", "2026-01-01T00:00:00Z");
        assert!(one.body.pointer("/metadata/managedFields").is_none());
        assert_eq!((one.name(), one.version_number()), ("a", 12));
        assert_eq!(one.ownership, read("argocd-controller", "2026-02-02T00:00:00Z").ownership);
        assert_ne!(one.ownership, read("kubectl", "2026-01-01T00:00:00Z").ownership);
    }
}
