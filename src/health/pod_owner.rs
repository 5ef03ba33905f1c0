//! Which pods belong to an object: by their owner, or by the labels that operators put on the pods of their objects.

use serde_json::Value;

use crate::flow::PodFacts;
use crate::object::{at, str_at};

/// Kinds whose pods they own, directly or through a ReplicaSet.
const OWNERS: &[(&str, &str)] = &[
    ("", "Pod"),
    ("apps", "DaemonSet"),
    ("apps", "Deployment"),
    ("apps", "ReplicaSet"),
    ("apps", "StatefulSet"),
    ("apps.kruise.io", "BroadcastJob"),
    ("apps.kruise.io", "CloneSet"),
    ("apps.kruise.io", "DaemonSet"),
    ("apps.kruise.io", "StatefulSet"),
    ("argoproj.io", "Rollout"),
    ("batch", "Job"),
];

/// The label whose value is the name of the object, by kind.
const LABELS: &[(&str, &str, &str)] = &[
    ("apps.nvidia.com", "NIMService", "app"),
    ("argoproj.io", "Workflow", "workflows.argoproj.io/workflow"),
    ("batch.volcano.sh", "Job", "volcano.sh/job-name"),
    ("jobset.x-k8s.io", "JobSet", "jobset.sigs.k8s.io/jobset-name"),
    ("kubeflow.org", "JAXJob", "training.kubeflow.org/job-name"),
    ("kubeflow.org", "MPIJob", "training.kubeflow.org/job-name"),
    ("kubeflow.org", "Notebook", "notebook-name"),
    ("kubeflow.org", "PaddleJob", "training.kubeflow.org/job-name"),
    ("kubeflow.org", "PyTorchJob", "training.kubeflow.org/job-name"),
    ("kubeflow.org", "TFJob", "training.kubeflow.org/job-name"),
    ("kubeflow.org", "XGBoostJob", "training.kubeflow.org/job-name"),
    ("leaderworkerset.x-k8s.io", "LeaderWorkerSet", "leaderworkerset.sigs.k8s.io/name"),
    ("machinelearning.seldon.io", "SeldonDeployment", "seldon-deployment-id"),
    ("ray.io", "RayCluster", "ray.io/cluster"),
    ("serving.knative.dev", "Service", "serving.knative.dev/service"),
    ("serving.kserve.io", "InferenceService", "serving.kserve.io/inferenceservice"),
    ("serving.kserve.io", "LLMInferenceService", "app.kubernetes.io/name"),
    ("sparkoperator.k8s.io", "SparkApplication", "sparkoperator.k8s.io/app-name"),
    ("trainer.kubeflow.org", "TrainJob", "jobset.sigs.k8s.io/jobset-name"),
];

/// Objects that make a RayCluster, and where their status names it.
const RAY_CLUSTERS: &[(&str, &[&[&str]])] = &[
    ("RayJob", &[&["status", "rayClusterName"]]),
    (
        "RayService",
        &[
            &["status", "activeServiceStatus", "rayClusterName"],
            &["status", "pendingServiceStatus", "rayClusterName"],
        ],
    ),
];

const RAY: &str = "ray.io";
const RAY_LABEL: &str = "ray.io/cluster";

/// Whether objects of a kind have pods that tell why they are not healthy.
pub fn has_pods(group: &str, kind: &str) -> bool {
    OWNERS.contains(&(group, kind))
        || LABELS.iter().any(|(of_group, of_kind, _)| (*of_group, *of_kind) == (group, kind))
        || group == RAY && RAY_CLUSTERS.iter().any(|(known, _)| *known == kind)
}

/// Whether a pod belongs to a workload. `owner` is the uid of the owner of the pod's own owner, where that is known.
pub fn belongs(pod: &PodFacts, owner: Option<&str>, workload: &Value) -> bool {
    let text = |path: &[&str]| str_at(workload, path).unwrap_or_default();
    let (namespace, name) = (text(&["metadata", "namespace"]), text(&["metadata", "name"]));
    if pod.namespace != namespace {
        return false;
    }
    let (api_version, kind) = (text(&["apiVersion"]), text(&["kind"]));
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    if kind == "Pod" && group.is_empty() {
        return pod.name == name;
    }
    let uid = text(&["metadata", "uid"]);
    if !uid.is_empty() && (pod.owner == uid || owner == Some(uid)) {
        return true;
    }
    let labelled = |label: &str, value: &str| {
        !value.is_empty() && pod.request.labels.get(label).is_some_and(|found| found == value)
    };
    let by_label = LABELS.iter().find(|(of_group, of_kind, _)| (*of_group, *of_kind) == (group, kind));
    if let Some((_, _, label)) = by_label {
        return labelled(label, name);
    }
    let clusters = RAY_CLUSTERS.iter().find(|(known, _)| group == RAY && *known == kind);
    clusters.is_some_and(|(_, paths)| {
        paths.iter().any(|path| {
            let cluster = at(workload, path).and_then(Value::as_str).unwrap_or_default();
            labelled(RAY_LABEL, cluster)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::{facts, kinds_with_rules};
    use serde_json::json;

    fn pod(label: &str, value: &str) -> PodFacts {
        facts::pod(&json!({"metadata": {"name": "p", "namespace": "ml", "labels": {label: value},
            "ownerReferences": [{"uid": "of-a-job", "controller": true}]}}))
    }

    #[test]
    fn pods_are_found_by_owner_and_by_label() {
        let object = |api: &str, kind: &str, status: Value| {
            json!({"apiVersion": api, "kind": kind,
                   "metadata": {"namespace": "ml", "name": "train", "uid": "u"}, "status": status})
        };
        let deployment = object("apps/v1", "Deployment", json!({}));
        assert!(belongs(&pod("x", "y"), Some("u"), &deployment));
        assert!(!belongs(&pod("x", "y"), Some("v"), &deployment));
        for (group, kind, label) in LABELS {
            let object = object(&format!("{group}/v1"), kind, json!({}));
            assert!(belongs(&pod(label, "train"), None, &object), "{kind}");
            assert!(!belongs(&pod(label, "other"), None, &object), "{kind}");
        }
        let job = object("ray.io/v1", "RayJob", json!({"rayClusterName": "train-x7"}));
        assert!(belongs(&pod("ray.io/cluster", "train-x7"), None, &job));
        assert!(!belongs(&pod("ray.io/cluster", "train"), None, &job));
        let elsewhere = json!({"apiVersion": "ray.io/v1", "kind": "RayCluster",
                               "metadata": {"namespace": "other", "name": "train"}});
        assert!(!belongs(&pod("ray.io/cluster", "train"), None, &elsewhere));
    }

    #[test]
    fn every_kind_with_pods_has_a_rule() {
        let known: Vec<(&str, &str)> = kinds_with_rules().collect();
        for (group, kind) in
            OWNERS.iter().copied().chain(LABELS.iter().map(|(group, kind, _)| (*group, *kind)))
        {
            assert!(known.contains(&(group, kind)), "{group}/{kind}");
            assert!(has_pods(group, kind));
        }
    }
}
