//! Objects that another application has as well.

use crate::api::annotations::{INSTALLATION_ID, TRACKING_ID};
use crate::flow::{Cause, Comparison, Problem, Stage};
use crate::object::{Manifest, ResourceKey, str_at};
use crate::settings::TrackingMethod;

/// An application, as its objects know it.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// `namespace/name`, for messages.
    pub application: &'a str,
    /// The instance name in tracking-ids and labels.
    pub instance: &'a str,
    /// Mark of the installation, empty for none.
    pub installation: &'a str,
    /// By annotation, label or both.
    pub method: TrackingMethod,
    /// The label's name.
    pub label: &'a str,
}

/// One warning for each object that Git wants and that another application tracks: a sync would take it over, and the
/// other application would take it back.
pub fn shared_resources(comparison: &Comparison, owner: &Owner<'_>) -> Vec<Problem> {
    let pairs = comparison.resources.iter().filter(|one| one.desired.is_some() && !one.annotations.is_hook());
    pairs
        .filter_map(|one| {
            let live = one.live.as_ref()?;
            let other = other_application(live, &one.key, owner)?;
            let message = format!(
                "{}/{} is part of applications {} and {other}; take it out of one of them",
                one.key.kind, one.key.name, owner.application
            );
            Some(Problem::stalled(Stage::Compare, Cause::SharedResource, message))
        })
        .collect()
}

/// Who else tracks an object. A copied tracking-id that is about another object tracks nothing.
fn other_application(live: &Manifest, key: &ResourceKey, owner: &Owner<'_>) -> Option<String> {
    let instance = match owner.method {
        TrackingMethod::Label => str_at(live.body(), &["metadata", "labels", owner.label])?,
        _ => tracked_by(live, key)?,
    };
    if instance.is_empty() {
        return None;
    }
    let installation = live.annotation(INSTALLATION_ID).unwrap_or_default();
    if instance != owner.instance {
        return Some(instance.replace('_', "/"));
    }
    (installation != owner.installation && owner.method != TrackingMethod::Label)
        .then(|| format!("{} of another installation", instance.replace('_', "/")))
}

fn tracked_by<'a>(live: &'a Manifest, key: &ResourceKey) -> Option<&'a str> {
    let (instance, rest) = live.annotation(TRACKING_ID)?.split_once(':')?;
    let (group_kind, place) = rest.split_once(':')?;
    let (namespace, name) = place.split_once('/')?;
    let same_place = key.namespace.is_empty() || namespace == key.namespace;
    (group_kind == format!("{}/{}", key.group, key.kind) && name == key.name && same_place)
        .then_some(instance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn other(tracking: &str, installation: &str) -> Option<String> {
        let live = Manifest::new(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "n",
            "labels": {"app.kubernetes.io/instance": "third"},
            "annotations": {TRACKING_ID: tracking, INSTALLATION_ID: installation}}}),
        )
        .unwrap();
        let owner = Owner {
            application: "argocd/app",
            instance: "app",
            installation: "here",
            method: TrackingMethod::Annotation,
            label: "app.kubernetes.io/instance",
        };
        let by_label = Owner { method: TrackingMethod::Label, ..owner };
        assert_eq!(other_application(&live, &live.key(), &by_label).as_deref(), Some("third"));
        other_application(&live, &live.key(), &owner)
    }

    #[test]
    fn only_an_id_of_somebody_else_about_this_very_object_counts() {
        assert_eq!(other("app:/ConfigMap:n/c", "here"), None);
        assert_eq!(other("team_b:/ConfigMap:n/c", "here").as_deref(), Some("team/b"));
        assert_eq!(other("app:/ConfigMap:n/c", "there").as_deref(), Some("app of another installation"));
        for copied in
            ["b:/ConfigMap:n/d", "b:/Secret:n/c", "b:/ConfigMap:m/c", "b", "", "b:::", ":/ConfigMap:n/c"]
        {
            assert_eq!(other(copied, "here"), None, "{copied}");
        }
    }
}
