//! Marks objects as an application's, and sets the namespaces that they do not name.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::api::annotations::{INSTALLATION_ID, TRACKING_ID};
use crate::object::{GroupKind, Manifest, list_at, str_at};
use crate::settings::TrackingMethod;

/// Whether objects of a kind live in namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In namespaces.
    Namespaced,
    /// In none.
    Cluster,
    /// The cluster does not know the kind.
    Unknown,
}

/// How objects are marked.
#[derive(Clone, Copy, Debug)]
pub struct Tracking<'a> {
    /// The instance name: the application's name, with its namespace where that is not the controller's.
    pub instance: &'a str,
    /// By annotation, label or both.
    pub method: TrackingMethod,
    /// The label's name.
    pub label: &'a str,
    /// Namespace of objects that name none.
    pub namespace: &'a str,
    /// Mark of the installation, empty for none.
    pub installation_id: &'a str,
}

/// Labels hold at most this many characters.
pub const LONGEST_LABEL: usize = 63;

/// Marks objects. `scope_of` answers for kinds that the cluster knows; kinds that come with a CRD in the same set
/// have the scope that the CRD says.
pub fn track(
    objects: &[Arc<Manifest>],
    tracking: &Tracking<'_>,
    scope_of: impl Fn(&Manifest) -> Scope,
) -> Vec<Arc<Manifest>> {
    let cluster_scoped_here = cluster_scoped_by_crd(objects);
    let mark = |object: &Arc<Manifest>| {
        let mut marked = (**object).clone();
        let kind = GroupKind::new(marked.group(), marked.kind());
        let scope = match scope_of(&marked) {
            Scope::Unknown if cluster_scoped_here.contains(&kind) => Scope::Cluster,
            Scope::Unknown => Scope::Namespaced,
            known => known,
        };
        match scope {
            Scope::Cluster => drop_namespace(&mut marked),
            _ if marked.namespace().is_empty() => marked.set_namespace(tracking.namespace),
            _ => {}
        }
        set_marks(&mut marked, tracking);
        Arc::new(marked)
    };
    objects.iter().map(mark).collect()
}

fn set_marks(object: &mut Manifest, tracking: &Tracking<'_>) {
    if tracking.method != TrackingMethod::Label {
        let id = format!(
            "{}:{}/{}:{}/{}",
            tracking.instance,
            object.group(),
            object.kind(),
            object.namespace(),
            object.name()
        );
        object.set_annotation(TRACKING_ID, &id);
    }
    if tracking.method != TrackingMethod::Annotation {
        let cut: String = tracking.instance.chars().take(LONGEST_LABEL).collect();
        object.set_label(tracking.label, &cut);
    }
    if !tracking.installation_id.is_empty() {
        object.set_annotation(INSTALLATION_ID, tracking.installation_id);
    }
}

fn drop_namespace(object: &mut Manifest) {
    if let Some(metadata) =
        object.body_mut().get_mut("metadata").and_then(|metadata| metadata.as_object_mut())
    {
        metadata.remove("namespace");
    }
}

fn cluster_scoped_by_crd(objects: &[Arc<Manifest>]) -> BTreeSet<GroupKind> {
    let crds = objects.iter().filter(|object| object.kind() == "CustomResourceDefinition");
    let scoped = crds.filter(|crd| str_at(crd.body(), &["spec", "scope"]) == Some("Cluster"));
    let kind = |crd: &Arc<Manifest>| {
        let group = str_at(crd.body(), &["spec", "group"])?;
        let kind = str_at(crd.body(), &["spec", "names", "kind"])?;
        (!list_at(crd.body(), &["spec", "versions"]).is_empty()).then(|| GroupKind::new(group, kind))
    };
    scoped.filter_map(kind).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sets_the_namespace_only_where_there_is_one() {
        let objects = [
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}),
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "b", "namespace": "wrong"}}),
        ]
        .map(|body| Arc::new(Manifest::new(body).unwrap()));
        let tracking = Tracking {
            instance: "app",
            method: TrackingMethod::Annotation,
            label: "l",
            namespace: "team",
            installation_id: "",
        };
        let scope = |object: &Manifest| match object.kind() {
            "Namespace" => Scope::Cluster,
            _ => Scope::Namespaced,
        };
        let tracked = track(&objects, &tracking, scope);
        assert_eq!(tracked[0].annotation(TRACKING_ID), Some("app:/ConfigMap:team/a"));
        assert_eq!(tracked[1].annotation(TRACKING_ID), Some("app:/Namespace:/b"));
        assert_eq!(tracked[1].namespace(), "");
    }
}
