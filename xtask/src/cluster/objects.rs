//! What a new cluster is given: the disposable mark, nodes, storage classes, the metrics API.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::api::Api;
use crate::error::{Context, Result};

/// The label on kube-system that allows tests to do as they like with a cluster.
pub const DISPOSABLE: &str = "tiphys.dev/disposable";

/// A simulated node.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// How many `nvidia.com/gpu` it has; 0 for a plain node.
    pub gpus: u32,
}

/// Adds or changes a simulated node; KWOK makes it Ready.
pub fn apply_node(api: &Api, node: &Node) -> Result<()> {
    let Node { name, gpus } = node;
    let mut labels = json!({
        "type": "kwok",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/zone": "zone-a",
        "topology.kubernetes.io/region": "region-a",
    });
    let mut capacity = json!({"cpu": "64", "memory": "256Gi", "ephemeral-storage": "1Ti", "pods": "1000"});
    if *gpus > 0 {
        capacity["nvidia.com/gpu"] = json!(gpus.to_string());
        labels["nvidia.com/gpu.present"] = json!("true");
        labels["nvidia.com/gpu.product"] = json!("NVIDIA-H100-80GB-HBM3");
        labels["nvidia.com/gpu.count"] = json!(gpus.to_string());
        labels["nvidia.com/gpu.memory"] = json!("81559");
    }
    let object = json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}},
    });
    api.apply(&format!("/api/v1/nodes/{name}"), &object)?;
    let status = json!({"status": {"capacity": capacity, "allocatable": capacity}});
    api.merge(&format!("/api/v1/nodes/{name}/status"), &status)?;
    Ok(())
}

/// Whether the node has reported itself Ready.
pub(super) fn is_ready(node: &Value) -> bool {
    let conditions = node.pointer("/status/conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().any(|c| c["type"] == "Ready" && c["status"] == "True")
}

/// Marks the cluster, so that tests may run on it.
pub(super) fn mark_disposable(api: &Api) -> Result<()> {
    api.merge("/api/v1/namespaces/kube-system", &json!({"metadata": {"labels": {DISPOSABLE: "true"}}}))?;
    Ok(())
}

/// `standard` (default, binds at once) and `local` (waits for its first consumer).
pub(super) fn apply_storage_classes(api: &Api) -> Result<()> {
    for (name, mode, default) in
        [("standard", "Immediate", "true"), ("local", "WaitForFirstConsumer", "false")]
    {
        let class = json!({
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": name, "annotations": {"storageclass.kubernetes.io/is-default-class": default}},
            "provisioner": "tiphys.dev/kwok",
            "reclaimPolicy": "Delete",
            "volumeBindingMode": mode,
        });
        api.apply(&format!("/apis/storage.k8s.io/v1/storageclasses/{name}"), &class)?;
    }
    Ok(())
}

/// Registers our answerer for metrics.k8s.io; an ExternalName service lets it live on loopback.
pub(super) fn register_metrics(api: &Api, port: u16, ca: &Path) -> Result<()> {
    let service = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "metrics", "namespace": "kube-system"},
        "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]},
    });
    api.apply("/api/v1/namespaces/kube-system/services/metrics", &service)?;
    let bundle = STANDARD.encode(fs::read(ca).context(ca.display())?);
    let registration = json!({
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1beta1.metrics.k8s.io"},
        "spec": {
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "caBundle": bundle,
            "service": {"name": "metrics", "namespace": "kube-system", "port": port},
        },
    });
    api.apply("/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io", &registration)?;
    Ok(())
}
