//! The capacity gate: what fits, what does not, and what an update frees itself.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{cluster, gpu_node, gpu_spec, pod};
use crate::flow::{Capacity, PodFacts, QuotaFacts, Resources};
use crate::health::gate::{GateMode, GateReport, GateWorkload, check, given_up};

fn workload(kind: &str, replicas: u64, gpus: u64) -> Value {
    json!({"kind": kind, "metadata": {"name": "llm", "namespace": "ml"},
        "spec": {"replicas": replicas, "template": {"spec": gpu_spec(gpus)}}})
}

fn running(node: &str, gpus: u64) -> PodFacts {
    let mut spec = gpu_spec(gpus);
    spec["nodeName"] = json!(node);
    pod("old", spec, json!({"phase": "Running"}))
}

fn gate(desired: &Value, replaces_pods: bool, pods: &[&PodFacts], capacity: &Capacity) -> GateReport {
    let claim_templates = BTreeMap::new();
    check(&[GateWorkload { desired, replaces_pods, pods, claim_templates: &claim_templates }], &[], capacity)
}

fn message(report: &GateReport) -> &str {
    match report {
        GateReport::Short { message, .. } | GateReport::Unknown { message } => message,
        GateReport::Fits => "fits",
    }
}

#[test]
fn a_new_workload_needs_room_for_all_of_its_pods() {
    let capacity = cluster(vec![gpu_node("a", 1, 0), gpu_node("b", 2, 1), gpu_node("c", 2, 2)]);
    assert_eq!(gate(&workload("Deployment", 2, 1), false, &[], &capacity), GateReport::Fits);
    let short = gate(&workload("Deployment", 4, 1), false, &[], &capacity);
    assert_eq!(message(&short), "waiting for 4 nvidia.com/gpu: 2 free on 3 matching nodes");
    assert!(!short.lets_go(GateMode::Wait) && short.lets_go(GateMode::Warn));
    let split = gate(&workload("Deployment", 1, 2), false, &[], &capacity);
    assert_eq!(
        message(&split),
        "waiting for 2 nvidia.com/gpu: 2 free on 3 matching nodes, at most 1 on one of them"
    );
}

#[test]
fn pods_that_stay_need_no_new_room() {
    let capacity = cluster(vec![gpu_node("a", 2, 2)]);
    let (one, two) = (running("a", 1), running("a", 1));
    assert_eq!(gate(&workload("Deployment", 2, 1), false, &[&one, &two], &capacity), GateReport::Fits);
    let more = gate(&workload("Deployment", 3, 1), false, &[&one, &two], &capacity);
    assert_eq!(message(&more), "waiting for 1 nvidia.com/gpu: 0 free on 1 matching node");
}

#[test]
fn an_update_that_frees_what_it_needs_is_not_held() {
    let capacity = cluster(vec![gpu_node("a", 1, 1)]);
    let old = running("a", 1);
    let mut recreate = workload("Deployment", 1, 1);
    recreate["spec"]["strategy"] = json!({"type": "Recreate"});
    assert_eq!(gate(&recreate, true, &[&old], &capacity), GateReport::Fits);
    assert_eq!(gate(&workload("StatefulSet", 1, 1), true, &[&old], &capacity), GateReport::Fits);
    let mut unavailable = workload("Deployment", 1, 1);
    unavailable["spec"]["strategy"] = json!({"rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}});
    assert_eq!(gate(&unavailable, true, &[&old], &capacity), GateReport::Fits);
    let surge = gate(&workload("Deployment", 1, 1), true, &[&old], &capacity);
    assert_eq!(
        message(&surge),
        "waiting for 1 nvidia.com/gpu: 0 free on 1 matching node for the roll-out's first pod"
    );
}

#[test]
fn selectors_and_taints_narrow_the_nodes() {
    let mut tainted = gpu_node("a", 4, 0);
    tainted.taints = vec![crate::flow::Taint {
        key: "nvidia.com/gpu".into(),
        value: "present".into(),
        effect: "NoSchedule".into(),
    }];
    let capacity = cluster(vec![tainted]);
    let mut desired = workload("Deployment", 1, 1);
    assert_eq!(
        message(&gate(&desired, false, &[], &capacity)),
        "waiting for 1 nvidia.com/gpu: 0 free on 0 matching nodes"
    );
    desired["spec"]["template"]["spec"]["tolerations"] =
        json!([{"key": "nvidia.com/gpu", "operator": "Exists"}]);
    assert_eq!(gate(&desired, false, &[], &capacity), GateReport::Fits);
    desired["spec"]["template"]["spec"]["affinity"] = json!({"nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "pool", "operator": "NotIn", "values": ["gpu"]}]}]}}});
    assert!(matches!(gate(&desired, false, &[], &capacity), GateReport::Short { .. }));
}

#[test]
fn quotas_and_unseen_nodes_are_told() {
    let quota = QuotaFacts {
        namespace: "ml".into(),
        name: "gpus".into(),
        hard: Resources::from([("requests.nvidia.com/gpu".to_owned(), 4)]),
        used: Resources::from([("requests.nvidia.com/gpu".to_owned(), 3)]),
    };
    let capacity = Capacity { quotas: vec![quota], ..cluster(vec![gpu_node("a", 8, 0)]) };
    assert_eq!(
        message(&gate(&workload("Deployment", 2, 1), false, &[], &capacity)),
        "waiting for 2 nvidia.com/gpu: quota gpus allows 1"
    );
    let blind = gate(&workload("Deployment", 2, 1), false, &[], &Capacity::default());
    assert_eq!(message(&blind), "free capacity unknown: the nodes cannot be listed");
    assert!(blind.lets_go(GateMode::Wait));
}

#[test]
fn devices_of_claims_are_counted() {
    let mut desired = workload("Deployment", 2, 0);
    desired["spec"]["template"]["spec"] = json!({"containers": [{"name": "model"}],
        "resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": "one-gpu"}]});
    let template = json!({"spec": {"spec": {"devices": {"requests": [
        {"name": "gpu", "exactly": {"deviceClassName": "gpu.nvidia.com", "count": 2}}]}}}});
    let claim_templates = BTreeMap::from([("one-gpu".to_owned(), template)]);
    let wave = [GateWorkload {
        desired: &desired,
        replaces_pods: false,
        pods: &[],
        claim_templates: &claim_templates,
    }];
    let mut capacity = cluster(vec![gpu_node("a", 0, 0)]);
    capacity.devices.insert("gpu.nvidia.com".into(), 3);
    assert_eq!(
        message(&check(&wave, &[], &capacity)),
        "waiting for 4 devices of class gpu.nvidia.com: 3 free"
    );
    capacity.devices.insert("gpu.nvidia.com".into(), 4);
    assert_eq!(check(&wave, &[], &capacity), GateReport::Fits);
}

#[test]
fn workloads_without_gpus_are_not_counted() {
    let desired = json!({"kind": "Deployment", "spec": {"replicas": 1_000_000, "template": {"spec":
        {"containers": [{"resources": {"requests": {"cpu": "64"}}}]}}}});
    assert_eq!(gate(&desired, false, &[], &Capacity::default()), GateReport::Fits);
}

#[test]
fn a_daemon_set_asks_for_one_pod_on_each_matching_node() {
    let capacity = cluster(vec![gpu_node("a", 1, 0), gpu_node("b", 1, 0)]);
    let mut desired = workload("DaemonSet", 0, 1);
    assert_eq!(gate(&desired, false, &[], &capacity), GateReport::Fits);
    let there = running("a", 1);
    let full = cluster(vec![gpu_node("a", 1, 1), gpu_node("b", 1, 0)]);
    assert_eq!(gate(&desired, false, &[&there], &full), GateReport::Fits);
    let other = cluster(vec![gpu_node("a", 1, 1), gpu_node("b", 1, 1)]);
    assert_eq!(
        message(&gate(&desired, false, &[&there], &other)),
        "waiting for 1 nvidia.com/gpu: 0 free on 1 matching node"
    );
    desired["spec"]["template"]["spec"]["nodeSelector"] = json!({"kubernetes.io/hostname": "a"});
    assert_eq!(gate(&desired, false, &[&there], &other), GateReport::Fits);
}

#[test]
fn what_the_same_update_takes_away_is_free() {
    let capacity = cluster(vec![gpu_node("a", 2, 2)]);
    let (one, two) = (running("a", 1), running("a", 1));
    let claim_templates = BTreeMap::new();
    let new = workload("Deployment", 1, 1);
    let wave =
        [GateWorkload { desired: &new, replaces_pods: false, pods: &[], claim_templates: &claim_templates }];
    assert!(matches!(check(&wave, &[], &capacity), GateReport::Short { .. }));
    assert_eq!(check(&wave, &[&one], &capacity), GateReport::Fits);
    // A workload of the same wave that becomes smaller.
    let smaller = workload("StatefulSet", 1, 1);
    let pods = [&one, &two];
    let both = [
        wave[0],
        GateWorkload {
            desired: &smaller,
            replaces_pods: false,
            pods: &pods,
            claim_templates: &claim_templates,
        },
    ];
    assert_eq!(check(&both, &[], &capacity), GateReport::Fits);
    assert_eq!(given_up(&smaller, &pods, 1).len(), 1);
}

#[test]
fn pods_that_wait_are_counted_once_by_a_quota() {
    let quota = QuotaFacts {
        namespace: "ml".into(),
        name: "gpus".into(),
        hard: Resources::from([("requests.nvidia.com/gpu".to_owned(), 2)]),
        used: Resources::from([("requests.nvidia.com/gpu".to_owned(), 2)]),
    };
    let capacity = Capacity { quotas: vec![quota], ..cluster(vec![gpu_node("a", 8, 1)]) };
    let (bound, waits) = (running("a", 1), pod("waits", gpu_spec(1), json!({"phase": "Pending"})));
    assert_eq!(gate(&workload("Deployment", 2, 1), false, &[&bound, &waits], &capacity), GateReport::Fits);
}

#[test]
fn a_suspended_job_of_kueue_counts_against_its_queue() {
    let mut job = json!({"kind": "Job", "metadata": {"name": "train", "namespace": "ml",
        "labels": {"kueue.x-k8s.io/queue-name": "gpus"}},
        "spec": {"suspend": true, "parallelism": 2, "template": {"spec": gpu_spec(1)}}});
    let mut capacity = cluster(vec![gpu_node("a", 8, 0)]);
    capacity.queues.insert("ml/gpus".into(), Resources::from([("nvidia.com/gpu".to_owned(), 1)]));
    assert_eq!(
        message(&gate(&job, false, &[], &capacity)),
        "waiting for 2 nvidia.com/gpu: queue ml/gpus admits 1"
    );
    job["metadata"]["labels"] = json!({});
    assert_eq!(gate(&job, false, &[], &capacity), GateReport::Fits, "nobody makes pods of it");
}
