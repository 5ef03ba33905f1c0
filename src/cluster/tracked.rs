//! Whose object it is: by tracking-id, or by label where the settings say so.

use std::sync::Arc;

use serde_json::Value;

use crate::api::annotations::{INSTALLATION_ID, TRACKING_ID};
use crate::object::{list_at, str_at};

/// How objects are known to belong to an application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TrackedBy {
    /// By the annotation `tracking-id`.
    #[default]
    Annotation,
    /// By this label alone.
    Label(String),
}

impl TrackedBy {
    /// The instance that tracks an object.
    pub(super) fn instance_of(&self, body: &Value) -> Option<Arc<str>> {
        match self {
            Self::Annotation => by_annotation(body),
            Self::Label(label) => by_label(body, label),
        }
    }
}

/// The instance of a tracking-id, `app:group/Kind:namespace/name`, if the id is about this very object: a copied
/// object carries somebody else's id and belongs to nobody.
fn by_annotation(body: &Value) -> Option<Arc<str>> {
    let id = str_at(body, &["metadata", "annotations", TRACKING_ID])?;
    let (instance, rest) = id.split_once(':')?;
    let (group_kind, name) = rest.split_once(':')?;
    let api_version = str_at(body, &["apiVersion"])?;
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    let own_kind = format!("{group}/{}", str_at(body, &["kind"])?);
    let object_name = str_at(body, &["metadata", "name"])?;
    let (tracked_namespace, tracked_name) = name.split_once('/')?;
    // Argo CD writes the destination's namespace into the ids of objects that live in none.
    let namespace = str_at(body, &["metadata", "namespace"]).unwrap_or_default();
    let same_place = namespace.is_empty() || tracked_namespace == namespace;
    (group_kind == own_kind && tracked_name == object_name && same_place).then(|| key(body, instance))
}

/// Labels are copied to what is made from an object: what somebody else made is not tracked by its label.
fn by_label(body: &Value, label: &str) -> Option<Arc<str>> {
    let instance = str_at(body, &["metadata", "labels", label]).filter(|instance| !instance.is_empty())?;
    (!is_made_by_others(body)).then(|| key(body, instance))
}

fn key(body: &Value, instance: &str) -> Arc<str> {
    let installation = str_at(body, &["metadata", "annotations", INSTALLATION_ID]).unwrap_or_default();
    Arc::from(instance_key(instance, installation))
}

/// Whether an object was made by a controller from another one, with or without saying so.
pub(super) fn is_made_by_others(body: &Value) -> bool {
    if !list_at(body, &["metadata", "ownerReferences"]).is_empty() {
        return true;
    }
    match str_at(body, &["kind"]).unwrap_or_default() {
        "Endpoints" | "EndpointSlice" => true,
        // Claims of a StatefulSet have no owner, and the set's labels.
        "PersistentVolumeClaim" => {
            let name = str_at(body, &["metadata", "name"]).unwrap_or_default();
            name.rsplit_once('-').is_some_and(|(set, ordinal)| {
                set.contains('-') && !ordinal.is_empty() && ordinal.bytes().all(|byte| byte.is_ascii_digit())
            })
        }
        _ => false,
    }
}

/// How an application of an installation is told from those of the same name of other installations.
pub fn instance_key(instance: &str, installation: &str) -> String {
    if installation.is_empty() { instance.to_owned() } else { format!("{instance}@{installation}") }
}

/// Whether an object that an application had before is still its own, by tracking-id or by label: the way of tracking
/// may have changed since it was written. One with a tracking-id belongs to whom that names.
pub(super) fn is_still_of(body: &Value, instance: &str, label: &str) -> bool {
    if str_at(body, &["metadata", "annotations", TRACKING_ID]).is_some() {
        return by_annotation(body).is_some_and(|tracked| *tracked == *instance);
    }
    by_label(body, label).is_some_and(|tracked| *tracked == *instance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_label_tracks_what_nobody_else_made() {
        let by = TrackedBy::Label("l".into());
        let object = |kind: &str, name: &str| json!({"kind": kind, "metadata": {"name": name, "labels": {"l": "app"}}});
        assert_eq!(by.instance_of(&object("ConfigMap", "a")).as_deref(), Some("app"));
        assert_eq!(by.instance_of(&object("Endpoints", "a")), None);
        assert_eq!(by.instance_of(&object("PersistentVolumeClaim", "data-db-0")), None);
        assert_eq!(by.instance_of(&object("PersistentVolumeClaim", "data")).as_deref(), Some("app"));
        let mut owned = object("Pod", "a");
        owned["metadata"]["ownerReferences"] = json!([{"kind": "ReplicaSet"}]);
        assert_eq!(by.instance_of(&owned), None);
        assert!(is_still_of(&object("ConfigMap", "a"), "app", "l") && !is_still_of(&owned, "app", "l"));
        let mut taken = object("ConfigMap", "a");
        taken["metadata"]["annotations"] = json!({TRACKING_ID: "other:/ConfigMap:/a"});
        assert!(!is_still_of(&taken, "app", "l"));
    }
}
