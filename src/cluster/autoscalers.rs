//! Whether somebody scales a workload: asked only where it matters, which is when Git drops `spec.replicas`.

use kube::Api;
use kube::api::ListParams;
use serde_json::Value;

use crate::flow::{Cause, Problem, Stage};
use crate::object::{GroupVersionKind, Manifest, at, str_at};

use super::{Cluster, WatchedObject};

/// Kinds that scale others, with their group and version.
const AUTOSCALERS: [(&str, &str); 2] =
    [("autoscaling/v2", "HorizontalPodAutoscaler"), ("keda.sh/v1alpha1", "ScaledObject")];

/// Whether an object is an autoscaler of the workload.
pub(super) fn scales(autoscaler: &Value, workload: &Manifest) -> bool {
    let kind = str_at(autoscaler, &["kind"]).unwrap_or_default();
    if !AUTOSCALERS.iter().any(|(_, known)| *known == kind) {
        return false;
    }
    let Some(target) = at(autoscaler, &["spec", "scaleTargetRef"]) else { return false };
    let group = |version: &str| version.split_once('/').map_or("", |(group, _)| group).to_owned();
    // A ScaledObject need not say that it means a Deployment.
    let version = str_at(target, &["apiVersion"]).unwrap_or("apps/v1");
    str_at(target, &["name"]) == Some(workload.name())
        && str_at(target, &["kind"]).unwrap_or("Deployment") == workload.kind()
        && group(version) == workload.group()
}

impl Cluster {
    /// Whether an autoscaler in the workload's namespace targets it. A kind that may not be listed has no objects
    /// that we could know of.
    pub(super) async fn is_autoscaled(&self, workload: &Manifest) -> Result<bool, Problem> {
        for (version, kind) in AUTOSCALERS {
            let gvk = GroupVersionKind::from_api_version(version, kind);
            let found = self.discovery().find(&gvk).await.map_err(|error| unseen(workload, &error))?;
            let Some(info) = found else { continue };
            let api: Api<WatchedObject> = info.api(self.client(), workload.namespace());
            let list = match api.list(&ListParams::default()).await {
                Ok(list) => list.items,
                Err(kube::Error::Api(status)) if matches!(status.code, 403 | 404) => continue,
                Err(error) => return Err(unseen(workload, &error)),
            };
            let mut objects = list.into_iter().map(|mut object| {
                object.complete(&info.resource);
                object.body
            });
            if objects.any(|object| scales(&object, workload)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn unseen(workload: &Manifest, error: &kube::Error) -> Problem {
    let message = format!("the autoscalers of {} cannot be read: {error}", workload.key());
    Problem::retry(Stage::Observe, Cause::DestinationUnreachable, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn autoscalers_are_known_by_their_target() {
        let web = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}});
        let web = Manifest::new(web).unwrap();
        let hpa =
            |target: Value| json!({"kind": "HorizontalPodAutoscaler", "spec": {"scaleTargetRef": target}});
        assert!(scales(&hpa(json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"})), &web));
        assert!(!scales(&hpa(json!({"apiVersion": "x.io/v1", "kind": "Deployment", "name": "web"})), &web));
        assert!(scales(&json!({"kind": "ScaledObject", "spec": {"scaleTargetRef": {"name": "web"}}}), &web));
        assert!(!scales(
            &json!({"kind": "ScaledObject", "spec": {"scaleTargetRef": {"name": "other"}}}),
            &web
        ));
    }
}
