//! Mutated objects of every kind with a rule, judged by Argo CD's own code where `TIPHYS_ORACLE_ARGO` names the oracle
//! program. The objects are our own: those of the golden cases, and `seeds.jsonl` for the kinds whose rule is code.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::health::{Customizations, assess};

/// Kinds whose rule is that of a newer Argo CD than the oracle's; `*` at the end stands for all kinds of the group.
const NEWER: [&str; 19] = [
    "apiextensions.k8s.io/CustomResourceDefinition",
    "autoscaling/HorizontalPodAutoscaler",
    "batch/CronJob",
    "ceph.rook.io/*",
    "cloud.google.com/*",
    "cluster.x-k8s.io/Cluster",
    "controlplane.cluster.x-k8s.io/AWSManagedControlPlane",
    "crossplane.io/*",
    "numaflow.numaproj.io/*",
    "opentelemetry.io/OpenTelemetryCollector",
    "operators.coreos.com/Subscription",
    "postgresql.cnpg.io/Cluster",
    "projectcontour.io/HTTPProxy",
    "promoter.argoproj.io/*",
    "rabbitmq.com/RabbitmqCluster",
    "services.cloud.sap.com/*",
    "upbound.io/*",
    "work.karmada.io/ResourceBinding",
    "microgateway.airlock.com/*",
];

const WORDS: [&str; 8] = ["True", "False", "Unknown", "Ready", "Failed", "Running", "Progressing", ""];

fn kind_of(object: &Value) -> String {
    let api = object["apiVersion"].as_str().unwrap_or_default();
    let group = api.split_once('/').map_or("", |(group, _)| group);
    format!("{group}/{}", object["kind"].as_str().unwrap_or_default())
}

fn is_newer(kind: &str) -> bool {
    NEWER.iter().any(|newer| match newer.strip_suffix("/*") {
        Some(group) => kind.split('/').next().is_some_and(|of| of.ends_with(group)),
        None => *newer == kind,
    })
}

/// The texts that stand in fields of one name, in all objects of a kind.
type Vocabulary = BTreeMap<(String, String), BTreeSet<String>>;

fn collect(kind: &str, value: &Value, into: &mut Vocabulary) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if let Value::String(text) = value {
                    into.entry((kind.to_owned(), name.clone())).or_default().insert(text.clone());
                }
                collect(kind, value, into);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(kind, item, into)),
        _ => {}
    }
}

/// JSON pointers to everything inside of a value.
fn pointers(value: &Value, at: &str, into: &mut Vec<String>) {
    let mut add = |name: &str, value: &Value| {
        let pointer = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        pointers(value, &pointer, into);
        into.push(pointer);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| add(name, value)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| add(&index.to_string(), value));
        }
        _ => {}
    }
}

fn remove(object: &mut Value, pointer: &str) {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return };
    match object.pointer_mut(parent) {
        Some(Value::Object(fields)) => drop(fields.remove(&name.replace("~1", "/").replace("~0", "~"))),
        Some(Value::Array(items)) => {
            if let Ok(index) = name.parse::<usize>() {
                items.remove(index);
            }
        }
        _ => {}
    }
}

fn mutate(random: &mut StdRng, object: &mut Value, words: &Vocabulary) {
    let mut all = Vec::new();
    pointers(object, "", &mut all);
    all.retain(|pointer| {
        pointer.starts_with("/status")
            || pointer == "/metadata/generation"
            || pointer.starts_with("/spec") && pointer.matches('/').count() < 5
    });
    let Some(pointer) = all.choose(random) else { return };
    if random.random_range(0..10) < 3 {
        return remove(object, pointer);
    }
    let field = pointer.rsplit('/').next().unwrap_or_default().to_owned();
    let kind = kind_of(object);
    // A condition of each type stands in a list once.
    let taken: BTreeSet<String> = {
        let mut own = Vocabulary::new();
        collect(&kind, object, &mut own);
        own.remove(&(kind.clone(), "type".to_owned())).unwrap_or_default()
    };
    let Some(value) = object.pointer_mut(pointer) else { return };
    match value {
        Value::String(text) => {
            let known: Vec<&String> = words.get(&(kind, field.clone())).into_iter().flatten().collect();
            let new = match known.choose(random) {
                Some(word) if random.random_range(0..10) < 8 => (*word).clone(),
                _ => (*WORDS.choose(random).unwrap()).to_owned(),
            };
            if field != "type" || !taken.contains(&new) {
                *text = new;
            }
        }
        Value::Bool(is) => *is = !*is,
        Value::Number(number) if field == "observedGeneration" && random.random_range(0..5) == 0 => {
            *value = json!(number.to_string());
        }
        Value::Number(_) => *value = json!(random.random_range(0..6)),
        Value::Array(items) if random.random_range(0..2) == 0 => items.shuffle(random),
        Value::Array(items) => items.truncate(1),
        _ => {}
    }
}

#[test]
fn mutated_objects_are_as_healthy_as_for_argo_cd() {
    let Ok(oracle) = std::env::var("TIPHYS_ORACLE_ARGO") else { return };
    let golden = include_str!("golden.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["object"].take());
    let seeds = include_str!("seeds.jsonl").lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut of_kind: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut words = Vocabulary::new();
    for object in golden.chain(seeds).filter(|object| !is_newer(&kind_of(object))) {
        collect(&kind_of(&object), &object, &mut words);
        of_kind.entry(kind_of(&object)).or_default().push(object);
    }
    let mut child = Command::new(oracle).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, mut output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    let rounds: u64 = std::env::var("TIPHYS_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(15);
    let (mut judged, mut wrong) = (0, Vec::new());
    for (kind, objects) in &of_kind {
        for round in 0..rounds {
            let mut random = StdRng::seed_from_u64(round);
            let mut object = objects.choose(&mut random).unwrap().clone();
            for _ in 0..random.random_range(1..4) {
                mutate(&mut random, &mut object, &words);
            }
            writeln!(input, "{}", json!({"op": "health", "object": object})).unwrap();
            input.flush().unwrap();
            let mut text = String::new();
            output.read_line(&mut text).unwrap();
            let answer: Value = serde_json::from_str(&text).unwrap();
            let result = &answer["result"];
            let Some(status) = result["status"].as_str().filter(|_| answer["error"].is_null()) else {
                continue;
            };
            judged += 1;
            let health = assess(&object, &Customizations::none());
            let ours = health.as_ref().map(|health| (health.status.as_str(), health.message.trim()));
            let message = result["message"].as_str().unwrap_or_default().trim();
            if ours != Some((status, message)) {
                wrong.push(format!("{kind} ({round}): {ours:?}, Argo CD: {status} {message:?}\n  {object}"));
            }
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    assert!(judged > 1000 || rounds < 15, "too few were judged: {judged}");
    assert!(wrong.is_empty(), "{} of {judged} differ\n{}", wrong.len(), wrong.join("\n"));
}
