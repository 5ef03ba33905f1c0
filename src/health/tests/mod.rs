//! Tests that take several files of the room together.

mod gate;
mod golden;
mod never_panics;
mod oracle_tests;
mod workload;

use serde_json::{Value, json};

use super::facts;
use crate::api::Time;
use crate::flow::{Capacity, NodeFacts, PodFacts, Resources};

/// A node with so many GPUs, of which some are used.
fn gpu_node(name: &str, gpus: u64, used: u64) -> NodeFacts {
    let body = json!({"metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "pool": "gpu"}},
        "status": {"allocatable": {"cpu": "8", "memory": "32Gi", "pods": "110", "nvidia.com/gpu": gpus.to_string()},
                   "conditions": [{"type": "Ready", "status": "True"}]}});
    facts::node(&body, &Resources::from([("nvidia.com/gpu".to_owned(), used)]))
}

fn cluster(nodes: Vec<NodeFacts>) -> Capacity {
    Capacity { nodes: Some(nodes), ..Capacity::default() }
}

fn at(text: &str) -> Time {
    text.parse().unwrap()
}

/// The spec of a pod that asks for GPUs.
fn gpu_spec(gpus: u64) -> Value {
    json!({"containers": [{"name": "model", "image": "registry.example/model:1",
        "resources": {"limits": {"nvidia.com/gpu": gpus.to_string()}}}]})
}

/// A pod with this spec and status.
fn pod(name: &str, spec: Value, status: Value) -> PodFacts {
    facts::pod(&json!({"metadata": {"name": name, "creationTimestamp": "2026-01-01T10:00:00Z"},
        "spec": spec, "status": status}))
}
