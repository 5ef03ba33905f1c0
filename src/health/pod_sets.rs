//! Which pods a workload makes: how many of which template, for every kind whose pods the gate counts.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::object::{at, i64_at, list_at, str_at};

/// So many pods of one template.
#[derive(Clone, Debug, PartialEq)]
pub struct PodSet<'a> {
    /// How many.
    pub count: u64,
    /// `spec` of each pod; put together, as far as the scheduler looks at it, for kinds that hold none.
    pub spec: Cow<'a, Value>,
    /// Labels of each pod.
    pub labels: Option<&'a Value>,
}

impl<'a> PodSet<'a> {
    /// So many pods of a template, where there is one.
    fn of(template: Option<&'a Value>, count: u64) -> Option<Self> {
        let template = template?;
        let spec = Cow::Borrowed(at(template, &["spec"])?);
        Some(Self { count, spec, labels: at(template, &["metadata", "labels"]) })
    }

    /// So many pods with a spec of their own.
    fn bare(spec: Cow<'a, Value>, count: u64) -> Self {
        Self { count, spec, labels: None }
    }
}

/// Kinds whose replica specs stand in a mapping by role, and the field that holds it.
const REPLICA_SPECS: &[(&str, &str)] = &[
    ("PyTorchJob", "pytorchReplicaSpecs"),
    ("TFJob", "tfReplicaSpecs"),
    ("MPIJob", "mpiReplicaSpecs"),
    ("XGBoostJob", "xgbReplicaSpecs"),
    ("PaddleJob", "paddleReplicaSpecs"),
];

fn number(value: &Value, path: &[&str], default: u64) -> u64 {
    i64_at(value, path).map_or(default, |count| u64::try_from(count).unwrap_or(0))
}

/// The pods that an object makes; empty for kinds that make none, or that make them by another object.
///
/// A DaemonSet makes one pod per matching node, `nodes` of them at most. Suspended work makes none.
pub fn pod_sets(object: &Value, nodes: u64) -> Vec<PodSet<'_>> {
    let kind = str_at(object, &["kind"]).unwrap_or_default();
    let Some(spec) = object.get("spec") else { return Vec::new() };
    if at(spec, &["suspend"]).and_then(Value::as_bool) == Some(true) {
        return Vec::new();
    }
    match kind {
        "Pod" => PodSet::of(Some(object), 1).into_iter().collect(),
        "Deployment" | "ReplicaSet" | "StatefulSet" | "ReplicationController" | "Rollout" => {
            templated(spec, number(spec, &["replicas"], 1))
        }
        "DaemonSet" => templated(spec, nodes),
        "Job" => job(spec, 1),
        "JobSet" => list_at(spec, &["replicatedJobs"])
            .iter()
            .filter_map(|set| Some((at(set, &["template", "spec"])?, number(set, &["replicas"], 1))))
            .flat_map(|(job_spec, times)| job(job_spec, times))
            .collect(),
        "LeaderWorkerSet" => leader_worker_set(spec),
        "RayCluster" => ray_cluster(spec),
        "RayJob" => at(spec, &["rayClusterSpec"]).map(ray_cluster).unwrap_or_default(),
        "InferenceService" => inference_service(spec),
        "LLMInferenceService" => llm_inference_service(spec),
        "NIMService" => vec![nim_service(spec)],
        "Notebook" => templated(spec, 1),
        "SeldonDeployment" => seldon_deployment(spec),
        "RayService" => at(spec, &["rayClusterConfig"]).map(ray_cluster).unwrap_or_default(),
        _ => by_role(kind, spec),
    }
}

fn templated(spec: &Value, count: u64) -> Vec<PodSet<'_>> {
    PodSet::of(at(spec, &["template"]), count).into_iter().collect()
}

fn job(spec: &Value, times: u64) -> Vec<PodSet<'_>> {
    let parallel = number(spec, &["parallelism"], 1);
    let at_once =
        i64_at(spec, &["completions"]).map_or(parallel, |all| parallel.min(u64::try_from(all).unwrap_or(0)));
    templated(spec, at_once.saturating_mul(times))
}

fn leader_worker_set(spec: &Value) -> Vec<PodSet<'_>> {
    let groups = number(spec, &["replicas"], 1);
    let size = number(spec, &["leaderWorkerTemplate", "size"], 1).max(1);
    let worker = at(spec, &["leaderWorkerTemplate", "workerTemplate"]);
    let leader =
        at(spec, &["leaderWorkerTemplate", "leaderTemplate"]).filter(|one| one.is_object()).or(worker);
    let leaders = PodSet::of(leader, groups);
    let workers = PodSet::of(worker, groups.saturating_mul(size - 1));
    leaders.into_iter().chain(workers).collect()
}

fn ray_cluster(spec: &Value) -> Vec<PodSet<'_>> {
    let head = PodSet::of(at(spec, &["headGroupSpec", "template"]), 1);
    let workers = list_at(spec, &["workerGroupSpecs"]).iter().filter_map(|group| {
        let hosts = number(group, &["numOfHosts"], 1).max(1);
        let replicas = number(group, &["replicas"], number(group, &["minReplicas"], 1));
        PodSet::of(at(group, &["template"]), replicas.saturating_mul(hosts))
    });
    head.into_iter().chain(workers).collect()
}

/// Each component is a pod spec with its server beside the containers: `model`, or the name of a framework.
fn inference_service(spec: &Value) -> Vec<PodSet<'_>> {
    let components = ["predictor", "transformer", "explainer"].into_iter().filter_map(|name| spec.get(name));
    components
        .filter(|component| component.is_object())
        .map(|component| {
            let mut pod = component.clone();
            let servers = component.as_object().into_iter().flatten();
            let servers =
                servers.filter(|(_, value)| value.get("resources").is_some()).map(|(_, value)| value);
            let containers: Vec<Value> =
                list_at(component, &["containers"]).iter().chain(servers).cloned().collect();
            pod["containers"] = json!(containers);
            PodSet::bare(Cow::Owned(pod), number(component, &["minReplicas"], 1))
        })
        .collect()
}

fn llm_inference_service(spec: &Value) -> Vec<PodSet<'_>> {
    let parts = [Some(spec), spec.get("prefill")].into_iter().flatten();
    let set = |part| {
        let template = at(part, &["template"]).filter(|template| template.is_object())?;
        Some(PodSet::bare(Cow::Borrowed(template), number(part, &["replicas"], 1)))
    };
    parts.filter_map(set).collect()
}

fn nim_service(spec: &Value) -> PodSet<'_> {
    let mut pod = json!({"containers": [{"name": "nim", "resources": spec.get("resources")}]});
    for field in ["nodeSelector", "tolerations", "affinity"] {
        if let Some(value) = spec.get(field) {
            pod[field] = value.clone();
        }
    }
    PodSet::bare(Cow::Owned(pod), number(spec, &["replicas"], 1))
}

fn seldon_deployment(spec: &Value) -> Vec<PodSet<'_>> {
    let predictors = list_at(spec, &["predictors"]).iter();
    let sets = predictors.flat_map(|predictor| {
        let count = number(predictor, &["replicas"], 1);
        list_at(predictor, &["componentSpecs"]).iter().filter_map(move |one| PodSet::of(Some(one), count))
    });
    sets.collect()
}

/// Training jobs by role, and Volcano's jobs by task.
fn by_role<'a>(kind: &str, spec: &'a Value) -> Vec<PodSet<'a>> {
    let set = |role: &'a Value| PodSet::of(at(role, &["template"]), number(role, &["replicas"], 1));
    let field = REPLICA_SPECS.iter().find(|(known, _)| *known == kind).map(|(_, field)| *field);
    let roles = field.and_then(|field| spec.get(field)).and_then(Value::as_object);
    roles
        .into_iter()
        .flat_map(|roles| roles.values())
        .chain(list_at(spec, &["tasks"]))
        .filter_map(set)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn counts(object: &Value) -> Vec<u64> {
        pod_sets(object, 3).iter().map(|set| set.count).collect()
    }

    #[test]
    fn counts_pods_of_every_kind() {
        let template = json!({"spec": {"containers": []}});
        assert_eq!(counts(&json!({"kind": "Deployment", "spec": {"template": template}})), [1]);
        assert_eq!(counts(&json!({"kind": "DaemonSet", "spec": {"template": template}})), [3]);
        assert_eq!(
            counts(
                &json!({"kind": "Job", "spec": {"parallelism": 4, "completions": 2, "template": template}})
            ),
            [2]
        );
        let job = json!({"replicas": 2, "template": {"spec": {"parallelism": 3, "template": template}}});
        assert_eq!(counts(&json!({"kind": "JobSet", "spec": {"replicatedJobs": [job]}})), [6]);
        let lws = json!({"kind": "LeaderWorkerSet", "spec": {"replicas": 2,
            "leaderWorkerTemplate": {"size": 4, "workerTemplate": template}}});
        assert_eq!(counts(&lws), [2, 6]);
        let ray = json!({"kind": "RayCluster", "spec": {"headGroupSpec": {"template": template},
            "workerGroupSpecs": [{"replicas": 3, "numOfHosts": 2, "template": template}]}});
        assert_eq!(counts(&ray), [1, 6]);
        let torch = json!({"kind": "PyTorchJob", "spec": {"pytorchReplicaSpecs":
            {"Master": {"template": template}, "Worker": {"replicas": 7, "template": template}}}});
        assert_eq!(counts(&torch), [1, 7]);
        let served = json!({"kind": "InferenceService", "spec": {"predictor": {"minReplicas": 2,
            "tolerations": [{"key": "gpu", "operator": "Exists"}],
            "model": {"modelFormat": {"name": "x"}, "resources": {"limits": {"nvidia.com/gpu": "4"}}}}}});
        assert_eq!(counts(&served), [2]);
        let spec = pod_sets(&served, 1).remove(0).spec.into_owned();
        assert_eq!(spec["containers"][0]["resources"]["limits"]["nvidia.com/gpu"], "4");
        assert_eq!(spec["tolerations"][0]["key"], "gpu");
        let nim = json!({"kind": "NIMService", "spec": {"replicas": 3, "resources": {}}});
        assert_eq!(counts(&nim), [3]);
        let llm = json!({"kind": "LLMInferenceService", "spec": {"replicas": 2, "template": {"containers": []},
            "prefill": {"template": {"containers": []}}}});
        assert_eq!(counts(&llm), [2, 1]);
        assert_eq!(counts(&json!({"kind": "Job", "spec": {"suspend": true, "template": template}})), [0; 0]);
        assert_eq!(counts(&json!({"kind": "ConfigMap"})), [0; 0]);
    }
}
