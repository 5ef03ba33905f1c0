//! The capacity gate in front of a wave: asks [`gate::check`] with what the wave will request, and holds the wave or
//! warns. What is asked about, and what it means, is decided there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::api::annotations::GPU_GATE;
use crate::cluster::{Limits, WorkloadView};
use crate::flow::{Action, Comparison, Plan, PodFacts, Task};
use crate::health::gate::{self, GateMode, GateReport, GateWorkload};
use crate::health::pod_sets::pod_sets;
use crate::object::{ResourceKey, list_at, str_at};

use super::Memory;
use super::publish::send_event;
use super::reconcile::Work;

/// How the message of an operation begins that the gate holds.
pub(super) const HELD: &str = "GPU gate: ";

/// Why a wave is held, or nothing where it goes on.
pub(super) async fn holds(
    work: &Work<'_>,
    memory: &mut Memory,
    comparison: &Comparison,
    plan: &Plan,
    wave: &[Task],
) -> Option<String> {
    let (asked, mode) = asked(work, wave);
    let first = asked.first()?;
    let instance = work.instance();
    // From before the first look: what changes in between is heard.
    work.cluster.wait_for_capacity(&instance, true);
    let report = look(work, comparison, plan, &asked).await;
    let lets_go = report.lets_go(mode);
    work.cluster.wait_for_capacity(&instance, !lets_go);
    let message = match &report {
        GateReport::Fits => return None,
        GateReport::Short { message, .. } | GateReport::Unknown { message } => {
            format!("{HELD}{message} ({}/{}{})", first.key.kind, first.key.name, others(asked.len()))
        }
    };
    if memory.gate_said.as_deref() != Some(message.as_str()) {
        tracing::info!(application = %work.name, stage = "sync", held = !lets_go, "{message}");
        send_event(work.shared, &work.app, "Warning", "GpuGate", &message);
        memory.gate_said = Some(message.clone());
    }
    (!lets_go).then_some(message)
}

fn others(count: usize) -> String {
    match count {
        0 | 1 => String::new(),
        many => format!(" and {} more", many - 1),
    }
}

/// The workloads of the wave that the gate looks at, and the strictest of their modes.
fn asked<'a>(work: &Work<'_>, wave: &'a [Task]) -> (Vec<&'a Task>, GateMode) {
    let of_app = work.app.annotation(GPU_GATE);
    let mut strictest = GateMode::Warn;
    let asked = wave
        .iter()
        .filter(|task| {
            let makes_pods =
                task.action == Action::Apply && task.skipped.is_none() && !task.options.unchanged;
            if !makes_pods || !gate::concerns(task.object.body()) {
                return false;
            }
            let word = task.object.annotation(GPU_GATE).or(of_app);
            let mode = word.map_or(GateMode::default(), |word| {
                word.parse().unwrap_or_else(|error| {
                    tracing::warn!(application = %work.name, "{}/{}: {error}; Warn is taken", task.key.kind, task.key.name);
                    GateMode::default()
                })
            });
            if mode == GateMode::Wait {
                strictest = mode;
            }
            mode != GateMode::Off
        })
        .collect();
    (asked, strictest)
}

async fn look(work: &Work<'_>, comparison: &Comparison, plan: &Plan, asked: &[&Task]) -> GateReport {
    let namespaces: BTreeSet<String> =
        plan.tasks.iter().map(|task| task.key.namespace.clone()).filter(|name| !name.is_empty()).collect();
    let limits = Limits {
        queues: asked.iter().any(|task| gate::queue_of(task.object.body()).is_some()),
        devices: asked.iter().any(|task| asks_for_devices(task.object.body())),
    };
    let mut room = work.cluster.room(&namespaces, limits).await;
    let mut view = work.cluster.workloads(&work.instance(), &namespaces).await;
    view.capacity.quotas = std::mem::take(&mut room.quotas);
    view.capacity.queues = std::mem::take(&mut room.queues);
    view.capacity.devices = std::mem::take(&mut room.devices);
    for task in plan.tasks.iter().filter(|task| task.key.kind == "ResourceClaimTemplate") {
        let here = room.claim_templates.entry(task.key.namespace.clone()).or_default();
        here.insert(task.key.name.clone(), task.object.body().clone());
    }
    let none = BTreeMap::new();
    let pods: Vec<Vec<&PodFacts>> = asked.iter().map(|task| pods_of(&view, task)).collect();
    let wave: Vec<GateWorkload<'_>> = asked
        .iter()
        .zip(&pods)
        .map(|(task, pods)| GateWorkload {
            desired: task.object.body(),
            replaces_pods: replaces_pods(task, comparison),
            pods,
            claim_templates: room.claim_templates.get(&task.key.namespace).unwrap_or(&none),
        })
        .collect();
    let looked_at: BTreeSet<&ResourceKey> = asked.iter().map(|task| &task.key).collect();
    let leaving = leaving(plan, &looked_at, &view);
    gate::check(&wave, &leaving, &view.capacity)
}

fn asks_for_devices(desired: &Value) -> bool {
    pod_sets(desired, 1).iter().any(|set| !list_at(&set.spec, &["resourceClaims"]).is_empty())
}

fn pods_of<'a>(view: &'a WorkloadView, task: &Task) -> Vec<&'a PodFacts> {
    task.live.as_ref().map(|live| view.pods_of(live.body())).unwrap_or_default()
}

/// Pods that the rest of the plan takes away, in whatever wave: a gate must not wait for what comes behind it.
fn leaving<'a>(plan: &Plan, looked_at: &BTreeSet<&ResourceKey>, view: &'a WorkloadView) -> Vec<&'a PodFacts> {
    let others = plan.tasks.iter().filter(|task| !looked_at.contains(&task.key) && task.skipped.is_none());
    others
        .filter(|task| !pod_sets(task.live.as_ref().map_or(&Value::Null, |live| live.body()), 1).is_empty())
        .flat_map(|task| match task.action {
            Action::Prune => pods_of(view, task),
            Action::Apply => gate::given_up(task.object.body(), &pods_of(view, task), u64::MAX),
        })
        .collect()
}

/// Whether the apply makes the workload replace its pods: what the pods are made from changes.
fn replaces_pods(task: &Task, comparison: &Comparison) -> bool {
    let strategy = str_at(task.object.body(), &["spec", "updateStrategy", "type"]);
    if task.live.is_none() || strategy == Some("OnDelete") || task.key.kind == "ReplicaSet" {
        return false;
    }
    let templated = ["Deployment", "StatefulSet", "DaemonSet", "Rollout", "ReplicationController", "Job"];
    let changes_pods = |pointer: &str| {
        if templated.contains(&task.key.kind.as_str()) {
            pointer.starts_with("/spec/template")
        } else {
            let count = pointer.rsplit('/').next().unwrap_or_default();
            pointer.starts_with("/spec")
                && !matches!(count, "replicas" | "minReplicas" | "maxReplicas" | "suspend")
        }
    };
    let compared = comparison.resources.iter().find(|one| one.key == task.key);
    compared.is_some_and(|one| one.differences.iter().any(|difference| changes_pods(&difference.pointer)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::api::{ResourceAnnotations, SyncCode, SyncPhase};
    use crate::flow::{FieldDifference, ResourceComparison, WriteOptions};
    use crate::object::Manifest;

    fn task(kind: &str, strategy: &str) -> Task {
        let body = json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "a", "namespace": "n"},
            "spec": {"updateStrategy": {"type": strategy}}});
        let object = Arc::new(Manifest::new(body).unwrap());
        Task {
            phase: SyncPhase::Sync,
            wave: 0,
            key: object.key(),
            gvk: object.gvk(),
            action: Action::Apply,
            live: Some(Arc::clone(&object)),
            object,
            hook: None,
            delete_policies: Vec::new(),
            options: WriteOptions::default(),
            predicted: true,
            refused: None,
            skipped: None,
            forbidden: Default::default(),
            unconfirmed: Default::default(),
        }
    }

    fn replaces(kind: &str, strategy: &str, pointer: &str) -> bool {
        let task = task(kind, strategy);
        let one = ResourceComparison {
            key: task.key.clone(),
            desired: Some(Arc::clone(&task.object)),
            live: task.live.clone(),
            annotations: ResourceAnnotations::of(&task.object),
            status: SyncCode::OutOfSync,
            unchanged: false,
            writing: Default::default(),
            predicted: true,
            requires_pruning: false,
            differences: vec![FieldDifference { pointer: pointer.into(), predicted: None, live: None }],
            problem: None,
        };
        let comparison =
            Comparison { status: SyncCode::OutOfSync, resources: vec![one], problems: Vec::new() };
        replaces_pods(&task, &comparison)
    }

    #[test]
    fn pods_are_replaced_when_their_template_changes() {
        assert!(replaces("Deployment", "", "/spec/template/spec/containers/0/image"));
        assert!(!replaces("Deployment", "", "/spec/replicas"));
        assert!(!replaces("StatefulSet", "OnDelete", "/spec/template/metadata/labels/x"));
        assert!(replaces("RayCluster", "", "/spec/workerGroupSpecs/0/template/spec/containers/0/image"));
        assert!(!replaces("RayCluster", "", "/spec/workerGroupSpecs/0/replicas"));
    }
}
