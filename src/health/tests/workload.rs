//! A workload with its pods and nodes: the code, the cause, the words.

use serde_json::{Value, json};

use super::{at, cluster, gpu_node, gpu_spec, pod};
use crate::flow::{Capacity, HealthCode, HealthStatus, PodFacts, Reason};
use crate::health::{
    Customizations, assess,
    workload::{Grace, damp, with_cause},
};

const NOON: &str = "2026-01-01T12:00:00Z";

fn deployment(annotations: Value, progressing: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "llm", "generation": 1, "annotations": annotations},
        "spec": {"replicas": 2},
        "status": {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "conditions": [
            {"type": "Progressing", "status": "False", "reason": progressing}]}})
}

fn health(workload: &Value, pods: &[&PodFacts], capacity: &Capacity, now: &str) -> HealthStatus {
    let raw = assess(workload, &Customizations::none()).unwrap();
    with_cause(workload, raw, pods, capacity, Grace::of(workload), at(now))
}

fn waiting_for_gpus(name: &str) -> PodFacts {
    let message = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.";
    pod(
        name,
        gpu_spec(2),
        json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
        "reason": "Unschedulable", "message": message, "lastTransitionTime": "2026-01-01T10:00:05Z"}]}),
    )
}

fn on_node(mut spec: Value, status: Value) -> PodFacts {
    spec["nodeName"] = json!("a");
    let mut status = status;
    status["conditions"] =
        json!([{"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-01-01T11:00:00Z"}]);
    pod("p", spec, status)
}

fn container(state: Value, restarts: u64) -> Value {
    json!({"phase": "Pending", "containerStatuses": [
        {"name": "model", "image": "registry.example/model:1", "restartCount": restarts, "ready": false, "state": state}]})
}

#[test]
fn waiting_for_capacity_outlasts_the_progress_deadline() {
    let capacity = cluster(vec![gpu_node("a", 1, 0), gpu_node("b", 2, 1), gpu_node("c", 2, 2)]);
    let (one, two) = (waiting_for_gpus("one"), waiting_for_gpus("two"));
    let workload = deployment(json!({}), "ProgressDeadlineExceeded");
    let health = health(&workload, &[&one, &two], &capacity, NOON);
    assert_eq!(health.status, HealthCode::Progressing);
    assert_eq!(health.reason, Some(Reason::WaitingForCapacity));
    assert_eq!(health.message, "waiting for 4 nvidia.com/gpu: 2 free on 3 matching nodes");
    assert_eq!(health.facts.pods, Some(2));
    assert_eq!(health.facts.since, Some(at("2026-01-01T10:00:05Z")));
}

#[test]
fn a_capacity_timeout_ends_the_wait() {
    let capacity = cluster(vec![gpu_node("a", 1, 1)]);
    let waiting = waiting_for_gpus("one");
    let workload = deployment(json!({"tiphys.dev/capacity-timeout": "1h"}), "");
    let early = health(&workload, &[&waiting], &capacity, "2026-01-01T10:30:00Z");
    assert_eq!(early.status, HealthCode::Progressing);
    assert_eq!(early.facts.deadline, Some(at("2026-01-01T11:00:05Z")));
    assert_eq!(health(&workload, &[&waiting], &capacity, NOON).status, HealthCode::Degraded);
}

#[test]
fn without_rights_on_nodes_free_capacity_is_unknown() {
    let health = health(&deployment(json!({}), ""), &[&waiting_for_gpus("one")], &Capacity::default(), NOON);
    assert_eq!(health.message, "waiting for 2 nvidia.com/gpu: free capacity unknown");
}

#[test]
fn pulling_ends_after_thirty_minutes() {
    let pulling = on_node(gpu_spec(1), container(json!({"waiting": {"reason": "ContainerCreating"}}), 0));
    let workload = deployment(json!({}), "ProgressDeadlineExceeded");
    let early = health(&workload, &[&pulling], &Capacity::default(), "2026-01-01T11:29:00Z");
    assert_eq!((early.status, early.reason), (HealthCode::Progressing, Some(Reason::PullingImage)));
    assert_eq!(early.message, "pulling image registry.example/model:1");
    let late = health(&workload, &[&pulling], &Capacity::default(), "2026-01-01T11:31:00Z");
    assert_eq!((late.status, late.reason), (HealthCode::Degraded, Some(Reason::PullingImage)));
}

#[test]
fn starting_up_counts_from_the_start_of_the_container() {
    let mut spec = gpu_spec(1);
    spec["containers"][0]["startupProbe"] =
        json!({"initialDelaySeconds": 60, "periodSeconds": 10, "failureThreshold": 24});
    let starting = on_node(spec, container(json!({"running": {"startedAt": "2026-01-01T11:00:00Z"}}), 0));
    let workload = deployment(json!({}), "ProgressDeadlineExceeded");
    let early = health(&workload, &[&starting], &Capacity::default(), "2026-01-01T11:05:00Z");
    assert_eq!((early.status, early.reason), (HealthCode::Progressing, Some(Reason::StartingUp)));
    assert_eq!(early.facts.deadline, Some(at("2026-01-01T11:05:00Z")));
    let late = health(&workload, &[&starting], &Capacity::default(), "2026-01-01T11:05:01Z");
    assert_eq!(late.status, HealthCode::Degraded);
    let graced = deployment(json!({"tiphys.dev/startup-grace": "2h"}), "ProgressDeadlineExceeded");
    assert_eq!(health(&graced, &[&starting], &Capacity::default(), NOON).status, HealthCode::Progressing);
}

#[test]
fn what_waiting_does_not_mend_degrades_a_gpu_workload_at_once() {
    let cases = [
        ("CrashLoopBackOff", "back-off 20s", Reason::CrashLooping),
        ("ImagePullBackOff", "not found", Reason::ImageMissing),
        ("CreateContainerConfigError", "secret \"hf-token\" not found", Reason::ConfigMissing),
    ];
    for (word, message, reason) in cases {
        let state = json!({"waiting": {"reason": word, "message": message}});
        let failing = on_node(gpu_spec(1), container(state.clone(), 1));
        let health_of = |pod: &PodFacts| {
            let health = health(&deployment(json!({}), ""), &[pod], &Capacity::default(), NOON);
            (health.status, health.reason)
        };
        assert_eq!(health_of(&failing), (HealthCode::Degraded, Some(reason)), "{word}");
        let plain = on_node(json!({"containers": [{"name": "model"}]}), container(state, 1));
        assert_eq!(health_of(&plain), (HealthCode::Progressing, Some(reason)), "{word}");
    }
}

#[test]
fn a_pull_that_timed_out_is_still_a_pull() {
    let state = json!({"waiting": {"reason": "ErrImagePull", "message": "dial tcp: i/o timeout"}});
    let pulling = on_node(gpu_spec(1), container(state, 0));
    let health =
        health(&deployment(json!({}), ""), &[&pulling], &Capacity::default(), "2026-01-01T11:10:00Z");
    assert_eq!((health.status, health.reason), (HealthCode::Progressing, Some(Reason::PullingImage)));
}

#[test]
fn a_quota_that_refuses_pods_is_waited_for() {
    let mut workload = deployment(json!({}), "ProgressDeadlineExceeded");
    let refusal = json!({"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
        "message": "pods \"llm-x\" is forbidden: exceeded quota: gpus, requested: requests.nvidia.com/gpu=2"});
    workload["status"]["conditions"].as_array_mut().unwrap().push(refusal);
    let health = health(&workload, &[], &Capacity::default(), NOON);
    assert_eq!((health.status, health.reason), (HealthCode::Progressing, Some(Reason::WaitingForQuota)));
    assert_eq!(health.message, "waiting for quota gpus, requested: requests.nvidia.com/gpu=2");
}

#[test]
fn a_pod_that_kueue_gates_is_queued() {
    let mut spec = gpu_spec(1);
    spec["schedulingGates"] = json!([{"name": "kueue.x-k8s.io/admission"}]);
    let gated = pod("p", spec, json!({"phase": "Pending"}));
    let health =
        health(&deployment(json!({}), "ProgressDeadlineExceeded"), &[&gated], &Capacity::default(), NOON);
    assert_eq!((health.status, health.reason), (HealthCode::Progressing, Some(Reason::QueuedByKueue)));
}

#[test]
fn a_failure_is_damped_for_its_grace() {
    let grace = Grace::of(&json!({"metadata": {"annotations": {"tiphys.dev/degraded-grace": "2m"}}}));
    let degraded = HealthStatus::degraded("x");
    let damped = |now| damp(degraded.clone(), Some(at("2026-01-01T10:00:00Z")), grace, at(now)).status;
    assert_eq!(damped("2026-01-01T10:01:59Z"), HealthCode::Progressing);
    assert_eq!(damped("2026-01-01T10:02:00Z"), HealthCode::Degraded);
}
