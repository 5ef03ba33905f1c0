//! Random changes of live and desired objects, judged by Argo CD's own code where `TIPHYS_ORACLE_ARGO` names the
//! oracle program.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::*;
use crate::object::Manifest;

fn bases() -> Vec<Value> {
    let pod = json!({"serviceAccountName": "web", "terminationGracePeriodSeconds": 30,
        "containers": [
            {"name": "web", "image": "web:1", "ports": [{"containerPort": 80, "protocol": "TCP"}, {"containerPort": 53, "protocol": "UDP"}],
             "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
             "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}},
             "volumeMounts": [{"name": "data", "mountPath": "/data"}], "readinessProbe": {"httpGet": {"path": "/", "port": 80}}},
            {"name": "proxy", "image": "proxy:2", "args": ["-v", "1"]}],
        "tolerations": [{"key": "gpu", "operator": "Exists"}], "volumes": [{"name": "data", "emptyDir": {}}]});
    let meta =
        json!({"name": "web", "namespace": "n", "labels": {"app": "web"}, "annotations": {"note": "x"}});
    vec![
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {"replicas": 2,
            "selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod}}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"selector": {"app": "web"}, "type": "ClusterIP",
            "ports": [{"name": "http", "port": 80, "protocol": "TCP"}, {"name": "dns", "port": 53, "protocol": "UDP"}]}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"a": "1", "b": "", "limits": "1000m"}}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"},
            "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]}),
        json!({"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": meta, "spec": {"headGroupSpec": {"template": {"spec": pod}},
            "workerGroupSpecs": [{"groupName": "gpu", "replicas": 1}, {"groupName": "cpu", "replicas": 0}]}}),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": {"podSelector": {},
            "ingress": [{"ports": [{"port": 80, "protocol": "TCP"}]}], "policyTypes": ["Ingress"]}}),
    ]
}

fn change(random: &mut StdRng, value: &mut Value, depth: usize) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let index = random.random_range(0..fields.len());
            let Some(name) = fields.keys().nth(index).cloned() else { return };
            let fixed = matches!(
                name.as_str(),
                "apiVersion" | "kind" | "name" | "namespace" | "metadata" | "selector"
            );
            match random.random_range(0..10) {
                0 | 1 if !fixed && depth > 1 => {
                    fields.remove(&name);
                }
                _ if fixed => {}
                _ => change(random, &mut fields[&name], depth + 1),
            }
        }
        Value::Array(items) if !items.is_empty() => match random.random_range(0..10) {
            0 | 1 => {
                let index = random.random_range(0..items.len());
                items.remove(index);
            }
            2 => items.reverse(),
            _ => {
                let index = random.random_range(0..items.len());
                change(random, &mut items[index], depth + 1);
            }
        },
        Value::Number(_) => *value = json!(random.random_range(0..4)),
        Value::String(text) => {
            *text = match text.as_str() {
                "1" => "1000m".into(),
                "1Gi" => "1024Mi".into(),
                "TCP" | "UDP" | "Exists" | "Ingress" | "ClusterIP" | "" => return,
                other => format!("{other}x"),
            };
        }
        _ => {}
    }
}

#[test]
fn agrees_with_argo_on_random_changes() {
    let Ok(oracle) = std::env::var("TIPHYS_ORACLE_ARGO") else { return };
    let mut child = Command::new(oracle).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let seeds: u64 = std::env::var("SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(300);
    let (mut wrong, mut shown, mut exact) = (0, String::new(), 0);
    for seed in 0..seeds {
        let mut random = StdRng::seed_from_u64(seed);
        let bases = bases();
        let mut desired = bases[random.random_range(0..bases.len())].clone();
        let (mut live, mut last) = (desired.clone(), desired.clone());
        for object in [&mut desired, &mut live, &mut last] {
            for _ in 0..random.random_range(0..2) {
                change(&mut random, object, 0);
            }
        }
        if random.random_bool(0.5) {
            if !live["metadata"]["annotations"].is_object() {
                live["metadata"]["annotations"] = json!({});
            }
            live["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] =
                json!(last.to_string());
        }
        writeln!(input, "{}", json!({"op": "diff", "live": live, "desired": desired})).unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        // Where Argo CD itself fails there is nothing to agree with.
        if answer.get("error").is_some_and(|error| !error.is_null() && error != "") {
            continue;
        }
        let (Ok(wanted), Ok(there)) = (Manifest::new(desired.clone()), Manifest::new(live.clone())) else {
            continue;
        };
        let (predicted, normal) =
            structural_diff(&wanted, &there, &IgnoreRules::default(), &KnownFields::default());
        let result = &answer["result"];
        exact += usize::from(result["predictedLive"] == predicted && result["normalizedLive"] == normal);
        if result["modified"] != json!(predicted != normal) {
            wrong += 1;
            if wrong <= 8 {
                let ours = differences(&predicted, &normal);
                let theirs = differences(&result["predictedLive"], &result["normalizedLive"]);
                shown += &format!(
                    "seed {seed} {}: ours {ours:?}\n  argo {theirs:?} {}\n",
                    desired["kind"], answer["error"]
                );
            }
        }
    }
    drop(input);
    let _ = child.wait();
    println!("{seeds} seeds: {wrong} verdicts differ, {exact} equal to the last field");
    assert!(wrong == 0, "{wrong} of {seeds}:\n{shown}");
}
