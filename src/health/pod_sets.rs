//! Which pods a workload makes: how many of which template, for every kind whose pods the gate counts.

use serde_json::Value;

use crate::object::{at, i64_at, list_at, str_at};

/// So many pods of one template.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PodSet<'a> {
    /// How many.
    pub count: u64,
    /// `spec` of each pod.
    pub spec: &'a Value,
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
        "Pod" => vec![PodSet { count: 1, spec }],
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
        "RayService" => at(spec, &["rayClusterConfig"]).map(ray_cluster).unwrap_or_default(),
        _ => by_role(kind, spec),
    }
}

fn templated(spec: &Value, count: u64) -> Vec<PodSet<'_>> {
    at(spec, &["template", "spec"]).map(|spec| PodSet { count, spec }).into_iter().collect()
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
    let worker = at(spec, &["leaderWorkerTemplate", "workerTemplate", "spec"]);
    let leader = at(spec, &["leaderWorkerTemplate", "leaderTemplate", "spec"]).or(worker);
    let leaders = leader.map(|spec| PodSet { count: groups, spec });
    let workers = worker.map(|spec| PodSet { count: groups.saturating_mul(size - 1), spec });
    leaders.into_iter().chain(workers).collect()
}

fn ray_cluster(spec: &Value) -> Vec<PodSet<'_>> {
    let head = at(spec, &["headGroupSpec", "template", "spec"]).map(|spec| PodSet { count: 1, spec });
    let workers = list_at(spec, &["workerGroupSpecs"]).iter().filter_map(|group| {
        let hosts = number(group, &["numOfHosts"], 1).max(1);
        let replicas = number(group, &["replicas"], number(group, &["minReplicas"], 1));
        Some(PodSet { count: replicas.saturating_mul(hosts), spec: at(group, &["template", "spec"])? })
    });
    head.into_iter().chain(workers).collect()
}

/// Training jobs by role, and Volcano's jobs by task.
fn by_role<'a>(kind: &str, spec: &'a Value) -> Vec<PodSet<'a>> {
    let set = |role: &'a Value| {
        Some(PodSet { count: number(role, &["replicas"], 1), spec: at(role, &["template", "spec"])? })
    };
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
        assert_eq!(counts(&json!({"kind": "Job", "spec": {"suspend": true, "template": template}})), [0; 0]);
        assert_eq!(counts(&json!({"kind": "ConfigMap"})), [0; 0]);
    }
}
