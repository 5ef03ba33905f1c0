//! `cargo bench -p tiphys --bench health`: the health of 10,000 objects of all kinds with a rule on one core, and of one
//! object by a Lua rule.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "prints its figures")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tiphys::eval::LuaRunner;
use tiphys::health::{Customizations, HealthScript, assess};

const OBJECTS: usize = 10_000;
const ROUNDS: usize = 20;

/// A rule as users write them: a loop over the conditions.
const RULE: &str = r#"
hs = {}
if obj.status ~= nil then
  if obj.status.conditions ~= nil then
    for i, condition in ipairs(obj.status.conditions) do
      if condition.type == "Ready" and condition.status == "False" then
        hs.status = "Degraded"
        hs.message = condition.message
        return hs
      end
      if condition.type == "Ready" and condition.status == "True" then
        hs.status = "Healthy"
        hs.message = condition.message
        return hs
      end
    end
  end
end
hs.status = "Progressing"
hs.message = "Waiting for certificate"
return hs
"#;

fn deployment(number: usize) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": format!("d-{number}"), "namespace": "n", "generation": 3,
                     "labels": {"app": "d"}, "annotations": {"deployment.kubernetes.io/revision": "3"}},
        "spec": {"replicas": 2, "progressDeadlineSeconds": 600, "template": {"spec": {"containers": [
            {"name": "main", "image": "registry.example.com/main:1", "ports": [{"containerPort": 80}]}]}}},
        "status": {"observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2,
                   "availableReplicas": 2 - (number % 2), "conditions": [
            {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable", "message": "fine"},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable", "message": "done"}]}})
}

fn pod(number: usize) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": format!("p-{number}"), "namespace": "n"},
        "spec": {"restartPolicy": "Always", "nodeName": "a", "containers": [{"name": "main", "image": "x:1"}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
                   "containerStatuses": [{"name": "main", "ready": true, "restartCount": 0,
                                          "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}]}})
}

/// Objects of every kind whose rule is data, Deployments and Pods.
fn objects() -> Vec<Value> {
    let golden: Vec<Value> = include_str!("../src/health/tests/golden.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["object"].take())
        .collect();
    (0..OBJECTS)
        .map(|number| match number % 4 {
            0 => deployment(number),
            1 => pod(number),
            _ => golden[number % golden.len()].clone(),
        })
        .collect()
}

fn least(mut run: impl FnMut()) -> Duration {
    run();
    let took = |run: &mut dyn FnMut()| {
        let started = Instant::now();
        run();
        started.elapsed()
    };
    (0..ROUNDS).map(|_| took(&mut run)).min().unwrap_or_default()
}

fn main() {
    let (objects, none) = (objects(), Customizations::none());
    let native = least(|| {
        let healthy = objects.iter().filter(|object| assess(object, &none).is_some()).count();
        assert!(healthy > OBJECTS / 2);
    });
    println!("health of {OBJECTS} objects by native rules: {:.1} ms", native.as_secs_f64() * 1e3);

    let runner = LuaRunner::new(None);
    let certificate = json!({"apiVersion": "cert-manager.io/v1", "kind": "Certificate",
        "metadata": {"name": "web", "namespace": "n", "generation": 2},
        "spec": {"secretName": "web", "dnsNames": ["a.example.com", "b.example.com"],
                 "issuerRef": {"name": "acme", "kind": "ClusterIssuer"}},
        "status": {"notAfter": "2027-01-01T00:00:00Z", "conditions": [
            {"type": "Issuing", "status": "False", "reason": "x", "message": "y", "observedGeneration": 2},
            {"type": "Ready", "status": "True", "reason": "Ready", "message": "up to date", "observedGeneration": 2}]}});
    for (name, text) in
        [("a rule with a loop over conditions", RULE), ("an empty rule", "return {status = 'Healthy'}")]
    {
        let script = HealthScript { text: text.to_owned(), open_libs: false };
        let scripts = BTreeMap::from([("cert-manager.io/Certificate".to_owned(), script)]);
        let customizations = Customizations::new(scripts, &runner);
        let lua = least(|| {
            for _ in 0..1000 {
                assert!(assess(&certificate, &customizations).is_some());
            }
        });
        println!("{name} in Lua, conversion of the object included: {:.1} µs", lua.as_secs_f64() * 1e3);
    }
}
