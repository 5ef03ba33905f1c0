//! The answerer behind metrics.k8s.io of a cluster: what pods and nodes would use.
//!
//! A pod uses half of what its containers request, or what its annotation `tiphys.dev/kwok-cpu` says
//! (such as `900m`, for each container). Without it, an autoscaler would report that it has no metrics.

use std::path::Path;
use std::sync::Arc;
use std::{fs, thread};

use serde_json::{Value, json};

use crate::cluster::{Api, Identity};
use crate::error::{Context, Result};
use crate::http::{Request, Response, Server};

const VERSION: &str = "metrics.k8s.io/v1beta1";

/// Answers on this port for the cluster in this folder until the process is ended.
pub fn run(port: u16, cluster: &Path) -> Result<()> {
    let read = |name: &str| fs::read_to_string(cluster.join(name)).context(name);
    let identity = Identity { certificate: read("pki/metrics.crt")?, key: read("pki/metrics.key")? };
    let api = Api::new(&read("server")?, &cluster.join("pki/ca.crt"), &read("admin.token")?)?;
    let _server =
        Server::start(port, Some(&identity), Arc::new(move |request| Some(answer(&api, &request))))?;
    loop {
        thread::park();
    }
}

fn answer(api: &Api, request: &Request<'_>) -> Response {
    let found = match request.path.trim_matches('/').split('/').collect::<Vec<_>>()[..] {
        ["apis"] => Ok(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": [group()]})),
        ["apis", "metrics.k8s.io"] => Ok(group()),
        ["apis", "metrics.k8s.io", "v1beta1"] => Ok(resources()),
        ["apis", "metrics.k8s.io", "v1beta1", "nodes"] => nodes(api),
        ["apis", "metrics.k8s.io", "v1beta1", "pods"] => pods(api, "/api/v1/pods", &request.query),
        ["apis", "metrics.k8s.io", "v1beta1", "namespaces", namespace, "pods"] => {
            pods(api, &format!("/api/v1/namespaces/{namespace}/pods"), &request.query)
        }
        ["apis", "metrics.k8s.io", "v1beta1", "namespaces", namespace, "pods", name] => api
            .get(&format!("/api/v1/namespaces/{namespace}/pods/{name}"))
            .map(|pod| pod_metrics(&pod.unwrap_or_default())),
        _ => return Response::text(404, "application/json", "{}"),
    };
    match found {
        Ok(body) => Response::text(200, "application/json", body.to_string()),
        Err(error) => Response::text(500, "text/plain", error.to_string()),
    }
}

fn group() -> Value {
    let version = json!({"groupVersion": VERSION, "version": "v1beta1"});
    json!({"kind": "APIGroup", "apiVersion": "v1", "name": "metrics.k8s.io", "versions": [version], "preferredVersion": version})
}

fn resources() -> Value {
    let resource = |name: &str, kind: &str, namespaced: bool| json!({"name": name, "singularName": "", "namespaced": namespaced, "kind": kind, "verbs": ["get", "list"]});
    let list = [resource("nodes", "NodeMetrics", false), resource("pods", "PodMetrics", true)];
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": VERSION, "resources": list})
}

fn nodes(api: &Api) -> Result<Value> {
    let items: Vec<_> = api
        .list("/api/v1/nodes")?
        .iter()
        .map(|node| {
            let name = &node["metadata"]["name"];
            json!({"metadata": {"name": name}, "timestamp": now(node), "window": "10s", "usage": {"cpu": "1", "memory": "1Gi"}})
        })
        .collect();
    Ok(json!({"kind": "NodeMetricsList", "apiVersion": VERSION, "metadata": {}, "items": items}))
}

fn pods(api: &Api, path: &str, query: &str) -> Result<Value> {
    let selected = query
        .split('&')
        .filter(|pair| pair.starts_with("labelSelector=") || pair.starts_with("fieldSelector="));
    let query: Vec<_> = selected.collect();
    let pods = api.list(&format!("{path}?{}", query.join("&")))?;
    let running = pods.iter().filter(|pod| pod["status"]["phase"] == "Running");
    let items: Vec<_> = running.map(pod_metrics).collect();
    Ok(json!({"kind": "PodMetricsList", "apiVersion": VERSION, "metadata": {}, "items": items}))
}

fn pod_metrics(pod: &Value) -> Value {
    let asked = pod.pointer("/metadata/annotations/tiphys.dev~1kwok-cpu").and_then(Value::as_str);
    let usage = |container: &Value| {
        let request =
            container.pointer("/resources/requests/cpu").and_then(Value::as_str).and_then(millicores);
        let cpu = asked.and_then(millicores).or(request.map(|millis| millis / 2)).unwrap_or(10);
        json!({"name": container["name"], "usage": {"cpu": format!("{cpu}m"), "memory": "64Mi"}})
    };
    let containers: Vec<_> = pod["spec"]["containers"].as_array().into_iter().flatten().map(usage).collect();
    json!({
        "metadata": {"name": pod["metadata"]["name"], "namespace": pod["metadata"]["namespace"], "labels": pod["metadata"]["labels"]},
        "timestamp": now(pod),
        "window": "10s",
        "containers": containers,
    })
}

/// `500m` or `2` in thousandths of a core.
fn millicores(quantity: &str) -> Option<u64> {
    match quantity.strip_suffix('m') {
        Some(millis) => millis.parse().ok(),
        None => quantity.parse::<u64>().ok().map(|cores| cores * 1000),
    }
}

/// A time that is not before the pod's start. The autoscaler compares it with nothing else once its
/// initialisation period is zero, so the object's own creation time does.
fn now(object: &Value) -> &Value {
    &object["metadata"]["creationTimestamp"]
}
