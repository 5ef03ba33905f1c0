//! Plans of random manifests, judged by Argo CD's own code where `TIPHYS_ORACLE_ARGO` names the oracle program.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::{Guards, PlanRequest, plan};
use crate::api::{ResourceAnnotations, SyncOperation, SyncOptions, Time};
use crate::flow::{Action, Comparison, ResourceComparison, Task};
use crate::object::Manifest;

const KINDS: [(&str, &str); 12] = [
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
    ("v1", "PersistentVolumeClaim"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("batch/v1", "Job"),
    ("networking.k8s.io/v1", "Ingress"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("example.com/v1", "Gadget"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
];

fn one_of<'a>(random: &mut StdRng, words: &[&'a str]) -> &'a str {
    words[random.random_range(0..words.len())]
}

fn annotations(random: &mut StdRng, hooks: bool) -> Value {
    let mut all = json!({});
    if random.random_range(0..2) == 0 {
        all["argocd.argoproj.io/sync-wave"] = json!(one_of(random, &["-2", "0", "1", "3", "7", "x", ""]));
    }
    if hooks && random.random_range(0..3) == 0 {
        all["argocd.argoproj.io/hook"] = json!(one_of(
            random,
            &["PreSync", "Sync", "PostSync", "SyncFail", "Skip", "PreSync,PostSync", "Nonsense"]
        ));
    } else if hooks && random.random_range(0..4) == 0 {
        all["helm.sh/hook"] = json!(one_of(
            random,
            &["pre-install", "post-install,post-upgrade", "pre-upgrade", "test", "crd-install"]
        ));
        all["helm.sh/hook-weight"] = json!(one_of(random, &["-5", "5", "0"]));
    }
    if random.random_range(0..4) == 0 {
        all["argocd.argoproj.io/hook-delete-policy"] = json!(one_of(
            random,
            &["HookSucceeded", "HookFailed, HookSucceeded", "BeforeHookCreation", "Other"]
        ));
    }
    if random.random_range(0..5) == 0 {
        all["argocd.argoproj.io/sync-options"] =
            json!(one_of(random, &["PruneLast=true", "Prune=false", "Replace=true"]));
    }
    all
}

fn object(random: &mut StdRng, name: &str, hooks: bool) -> Value {
    let (version, kind) = KINDS[random.random_range(0..KINDS.len())];
    json!({"apiVersion": version, "kind": kind,
           "metadata": {"name": name, "namespace": "n", "annotations": annotations(random, hooks)}})
}

/// What Git wants, and what is left from before.
fn world(random: &mut StdRng) -> (Vec<Value>, Vec<Value>) {
    let count = random.random_range(1..14);
    let mut targets: Vec<Value> = (0..count).map(|at| object(random, &format!("want-{at}"), true)).collect();
    if random.random_range(0..3) == 0 {
        targets.push(json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": "n", "annotations": annotations(random, false)}}));
    }
    if random.random_range(0..3) == 0 {
        targets.push(json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "gadgets.example.com", "annotations": annotations(random, false)},
            "spec": {"group": "example.com", "names": {"kind": "Gadget"}}}));
    }
    let surplus = random.random_range(0..6);
    let live = (0..surplus).map(|at| object(random, &format!("left-{at}"), false)).collect();
    (targets, live)
}

fn compared(targets: &[Value], live: &[Value]) -> Comparison {
    let entry = |body: &Value, wanted: bool| {
        let mut object = Arc::new(Manifest::new(body.clone()).unwrap());
        if matches!(object.kind(), "Namespace" | "CustomResourceDefinition") {
            let mut bare = (*object).clone();
            bare.body_mut()["metadata"].as_object_mut().unwrap().remove("namespace");
            object = Arc::new(bare);
        }
        ResourceComparison {
            key: object.key(),
            annotations: ResourceAnnotations::of(&object),
            desired: wanted.then(|| Arc::clone(&object)),
            live: (!wanted).then(|| Arc::clone(&object)),
            status: crate::api::SyncCode::OutOfSync,
            unchanged: false,
            predicted: true,
            requires_pruning: !wanted,
            differences: Vec::new(),
            problem: None,
            writing: crate::flow::Writing::default(),
        }
    };
    let wanted = targets.iter().map(|body| entry(body, true));
    let resources = wanted.chain(live.iter().map(|body| entry(body, false))).collect();
    Comparison { status: crate::api::SyncCode::OutOfSync, resources, problems: Vec::new() }
}

fn line(phase: &str, wave: i64, kind: &str, name: &str) -> String {
    format!("{phase}/{wave} {kind}/{name}")
}

/// `Phase/wave hook|resource group/Kind:namespace/name old->new …`, and whether it is a prune.
fn read(task: &str) -> (String, bool) {
    let words: Vec<&str> = task.split(' ').collect();
    let (phase, wave) = words[0].split_once('/').unwrap();
    let (group_kind, place) = words[2].split_once(':').unwrap();
    let (kind, name) = (group_kind.rsplit_once('/').unwrap().1, place.split_once('/').unwrap().1);
    (line(phase, wave.parse().unwrap(), kind, name), words[3].ends_with("->nil"))
}

fn ours(task: &Task) -> (String, bool) {
    let phase = format!("{:?}", task.phase);
    (line(&phase, task.wave, &task.key.kind, &task.key.name), task.action == Action::Prune)
}

/// Applies in their order; prunes by wave, since those of one wave go side by side.
fn split(tasks: Vec<(String, bool)>) -> (Vec<String>, Vec<String>) {
    let (prunes, applies): (Vec<_>, Vec<_>) = tasks.into_iter().partition(|(_, prune)| *prune);
    let mut prunes: Vec<String> = prunes.into_iter().map(|(line, _)| line).collect();
    prunes.sort();
    (applies.into_iter().map(|(line, _)| line).collect(), prunes)
}

#[test]
#[allow(clippy::too_many_lines, reason = "one conversation with the oracle")]
fn plans_are_those_of_argo_cd() {
    let Ok(oracle) = std::env::var("TIPHYS_ORACLE_ARGO") else { return };
    let mut child = Command::new(oracle).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let seeds: u64 = std::env::var("TIPHYS_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(150);
    let (mut wrong, mut report, mut tasks_seen) = (0, String::new(), 0);
    let started: Time = "2026-01-01T00:00:00Z".parse().unwrap();
    for seed in 0..seeds {
        let mut random = StdRng::seed_from_u64(seed);
        let (targets, live) = world(&mut random);
        let prune_last = random.random_range(0..4) == 0;
        writeln!(
            input,
            "{}",
            json!({"op": "sync", "targets": targets, "live": live, "namespace": "elsewhere", "revision": "0123456789",
            "options": {"prune": true, "pruneLast": prune_last}, "maxSteps": 1})
        )
        .unwrap();
        input.flush().unwrap();
        let mut text = String::new();
        output.read_line(&mut text).unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        let theirs = answer["result"]["tasks"].as_array().cloned().unwrap_or_default();
        let theirs: Vec<_> =
            theirs.iter().filter_map(Value::as_str).filter(|task| !task.is_empty()).map(read).collect();
        let operation = SyncOperation { prune: true, ..SyncOperation::default() };
        let options = SyncOptions(if prune_last { vec!["PruneLast=true".into()] } else { Vec::new() });
        let request = PlanRequest {
            operation: &operation,
            app_options: Some(&options),
            revision: "0123456789",
            started_at: started,
            create_namespace: None,
            guards: Guards::default(),
        };
        let made = plan(&compared(&targets, &live), &request);
        tasks_seen += made.tasks.len();
        let (ours, theirs) = (split(made.tasks.iter().map(ours).collect()), split(theirs));
        if ours != theirs {
            wrong += 1;
            if wrong <= 3 {
                writeln!(
                    report,
                    "seed {seed}\n  ours   {ours:?}\n  theirs {theirs:?}\n  of {}",
                    json!(targets)
                )
                .unwrap();
            }
        }
        // What the annotations say, object by object.
        for target in &targets {
            writeln!(input, "{}", json!({"op": "hook", "object": target})).unwrap();
            input.flush().unwrap();
            text.clear();
            output.read_line(&mut text).unwrap();
            let facts: Value = serde_json::from_str::<Value>(&text).unwrap()["result"].take();
            let read = ResourceAnnotations::of(&Manifest::new(target.clone()).unwrap());
            assert_eq!(facts["wave"], read.wave, "seed {seed}: {target}");
            if read.is_hook() {
                let mut policies: Vec<String> =
                    serde_json::from_value(facts["deletePolicies"].clone()).unwrap_or_default();
                policies.sort();
                let mut own: Vec<String> =
                    read.delete_policies.iter().map(|policy| format!("{policy:?}")).collect();
                own.sort();
                assert_eq!(policies, own, "seed {seed}: {target}");
            }
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    assert!(tasks_seen > 500, "too few tasks: {tasks_seen}");
    assert!(wrong == 0, "{wrong} of {seeds} plans differ\n{report}");
}
