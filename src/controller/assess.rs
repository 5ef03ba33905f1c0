//! Health of what was observed, brought to where it is needed: status, roll-up, and the next step of a sync.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::api::{Application, HealthCode, annotations};
use crate::cluster::OPERATION;
use crate::flow::{Assessment, Comparison, HealthStatus, Reason, ResourceComparison, Task, Written};
use crate::health::pod_owner::has_pods;
use crate::health::workload::{Grace, damp};
use crate::health::{self, Customizations, Member};
use crate::object::{Manifest, ResourceKey, i64_at, str_at};

use crate::sync::Progress;

use super::Memory;
use super::reconcile::Work;

/// How long a kind without observedGeneration may take until its health counts after a write (DESIGN decision 7).
const SETTLE: Duration = Duration::from_secs(2);

/// Health of every live object that has a rule, with its cause where it is not healthy.
pub(super) async fn assess_all(
    work: &Work<'_>,
    memory: &mut Memory,
    comparison: &Comparison,
) -> BTreeMap<ResourceKey, HealthStatus> {
    let mut assessed = assess_undamped(work, comparison).await;
    damp_failures(work, memory, comparison, &mut assessed);
    assessed
}

/// The same with failures that are not old enough to count.
pub(super) async fn assess_undamped(
    work: &Work<'_>,
    comparison: &Comparison,
) -> BTreeMap<ResourceKey, HealthStatus> {
    let scripts = work.shared.store.health_scripts();
    let customizations = Customizations::new(Arc::clone(&scripts), &work.shared.scripts);
    let live = comparison.resources.iter().filter_map(|one| Some((&one.key, one.live.as_ref()?)));
    let mut known = work.recall.health(&scripts, live, |live| assess_one(live, &customizations));
    let mut assessed: BTreeMap<ResourceKey, HealthStatus> = BTreeMap::new();
    let mut open: Vec<(&ResourceKey, &Manifest)> = Vec::new();
    for one in &comparison.resources {
        match &one.live {
            Some(live) => {
                let Some(health) = known.remove(&one.key) else { continue };
                if has_causes(&one.key)
                    && !matches!(health.status, HealthCode::Healthy | HealthCode::Suspended)
                {
                    open.push((&one.key, live));
                }
                assessed.insert(one.key.clone(), health);
            }
            None if one.annotations.is_hook() => {}
            None => drop(assessed.insert(one.key.clone(), HealthStatus::missing())),
        }
    }
    if !open.is_empty() {
        name_causes(work, &open, &mut assessed).await;
    }
    assessed
}

/// The health of one object. A hook that has finished counts as it ended while it is deleted, by its
/// `ttlSecondsAfterFinished` or by whomever.
fn assess_one(live: &Manifest, customizations: &Customizations<'_>) -> Option<HealthStatus> {
    let health = health::assess(live.body(), customizations);
    let deleting = str_at(live.body(), &["metadata", "deletionTimestamp"]).is_some();
    if !deleting || str_at(live.body(), &["metadata", "annotations", OPERATION]).is_none() {
        return health;
    }
    let mut body = live.body().clone();
    if let Some(metadata) = body.get_mut("metadata").and_then(serde_json::Value::as_object_mut) {
        metadata.remove("deletionTimestamp");
    }
    let ended = health::assess(&body, customizations);
    ended.filter(|one| matches!(one.status, HealthCode::Healthy | HealthCode::Degraded)).or(health)
}

/// Failures that have not lasted for `tiphys.dev/degraded-grace` do not count yet.
fn damp_failures(
    work: &Work<'_>,
    memory: &mut Memory,
    comparison: &Comparison,
    assessed: &mut BTreeMap<ResourceKey, HealthStatus>,
) {
    let of_app = grace_of_app(&work.app);
    let before = memory
        .failing
        .take()
        .unwrap_or_else(|| crate::status::failing_since(&work.app.extension_state().causes));
    let mut failing = BTreeMap::new();
    memory.failure_counts_in = None;
    for one in &comparison.resources {
        let (Some(live), Some(health)) = (&one.live, assessed.get_mut(&one.key)) else { continue };
        let grace = Grace::of(live.body()).or(of_app);
        let Some(limit) = grace.degraded.filter(|_| health.status == HealthCode::Degraded) else { continue };
        let since = before.get(&one.key).copied().unwrap_or(work.now);
        failing.insert(one.key.clone(), since);
        let rest = limit.saturating_sub(Duration::from_secs(since.seconds_until(work.now)));
        if !rest.is_zero() {
            let soonest = memory.failure_counts_in.map_or(rest, |soonest| soonest.min(rest));
            memory.failure_counts_in = Some(soonest);
        }
        *health = damp(health.clone(), Some(since), grace, work.now);
    }
    memory.failing = Some(failing);
}

/// The limits that the application sets for all of its objects.
fn grace_of_app(app: &Application) -> Grace {
    let annotations = serde_json::to_value(&app.metadata.annotations).unwrap_or_default();
    Grace::of(&json!({"metadata": {"annotations": annotations}}))
}

/// Kinds whose pods, or whose storage class, tell more than the object itself.
fn has_causes(key: &ResourceKey) -> bool {
    has_pods(&key.group, &key.kind) || key.kind == "PersistentVolumeClaim" && key.group.is_empty()
}

async fn name_causes(
    work: &Work<'_>,
    open: &[(&ResourceKey, &Manifest)],
    assessed: &mut BTreeMap<ResourceKey, HealthStatus>,
) {
    let instance = work.instance();
    let namespaces: BTreeSet<String> = open.iter().map(|(key, _)| key.namespace.clone()).collect();
    let view = work.cluster.workloads(&instance, &namespaces).await;
    let of_app = grace_of_app(&work.app);
    for (key, live) in open {
        let Some(raw) = assessed.get(*key).cloned() else { continue };
        let health = if key.kind == "PersistentVolumeClaim" {
            if !view.classes.waits_for_consumer(live.body()) {
                continue;
            }
            raw.because(Reason::WaitingForFirstConsumer)
        } else {
            let grace = Grace::of(live.body()).or(of_app);
            health::workload::with_cause(
                live.body(),
                raw,
                &view.pods_of(live.body()),
                &view.capacity,
                grace,
                work.now,
            )
        };
        assessed.insert((*key).clone(), health);
    }
}

/// Health of the application, and why.
pub(super) fn roll_up(
    app: &Application,
    comparison: &Comparison,
    health: &BTreeMap<ResourceKey, HealthStatus>,
) -> (HealthCode, String) {
    verdict(&members(app, comparison), health)
}

/// What the roll-up needs to know of the objects besides their health.
pub(super) fn members(app: &Application, comparison: &Comparison) -> Vec<(ResourceKey, Member)> {
    let member = |one: &ResourceComparison| {
        let object = one.live.as_ref().or(one.desired.as_ref());
        let is_application = one.key.kind == "Application" && one.key.group == crate::api::GROUP;
        let member = Member {
            live: one.live.is_some(),
            health: None,
            hook: one.annotations.is_hook(),
            ignored: object.is_some_and(|object| ignores_health(object)),
            itself: is_application && one.key.name == app.name() && one.key.namespace == app.namespace(),
            application: is_application,
        };
        (one.key.clone(), member)
    };
    comparison.resources.iter().map(member).collect()
}

/// Health of the application with these objects, and why.
pub(super) fn verdict(
    members: &[(ResourceKey, Member)],
    health: &BTreeMap<ResourceKey, HealthStatus>,
) -> (HealthCode, String) {
    let with_health: Vec<Member> = members
        .iter()
        .map(|(key, member)| Member { health: health.get(key).map(|health| health.status), ..*member })
        .collect();
    let rolled_up = health::roll_up(&with_health);
    let cause = rolled_up.causes.iter().find_map(|index| {
        let (key, _) = members.get(*index)?;
        let health = health.get(key)?;
        (!health.message.is_empty()).then(|| format!("{}/{}: {}", key.kind, key.name, health.message))
    });
    (rolled_up.health, cause.unwrap_or_default())
}

/// An application whose wave is held for want of capacity is Progressing, where nothing is worse.
pub(super) fn held(rolled_up: (HealthCode, String), held: Option<&str>) -> (HealthCode, String) {
    match held {
        Some(why) if !rolled_up.0.is_worse_than(HealthCode::Missing) => {
            (HealthCode::Progressing, why.to_owned())
        }
        _ => rolled_up,
    }
}

fn ignores_health(object: &Manifest) -> bool {
    object.annotation(annotations::IGNORE_HEALTHCHECK) == Some("true")
}

/// What the next step of a sync needs to know of its hooks and of the objects that it waits for. Gives as well after how long to look again, where
/// something does not count yet only because of time.
pub(super) fn assessments(
    tasks: &[Task],
    comparison: &Comparison,
    health: &BTreeMap<ResourceKey, HealthStatus>,
    written: &HashMap<ResourceKey, (Written, Instant)>,
    progress: &Progress,
) -> (HashMap<ResourceKey, Assessment>, Option<Duration>) {
    let mut soon = None;
    let live: HashMap<&ResourceKey, &Manifest> =
        comparison.resources.iter().filter_map(|one| Some((&one.key, &**one.live.as_ref()?))).collect();
    let running = progress.results.running();
    let mut seen = HashMap::new();
    for task in tasks.iter().filter(|task| task.hook.is_some() || running.contains(&task.key)) {
        let Some(object) = live.get(&task.key) else {
            seen.insert(task.key.clone(), absent());
            continue;
        };
        let health = health.get(&task.key);
        let counts = match written.get(&task.key) {
            Some((written, at)) if health.is_some() => {
                let rest = SETTLE.saturating_sub(at.elapsed());
                let counts = has_settled(object, written, rest);
                if !counts {
                    soon = Some(soon.map_or(rest, |soon: Duration| soon.min(rest)));
                }
                counts
            }
            _ => true,
        };
        seen.insert(
            task.key.clone(),
            Assessment {
                present: true,
                deleting: str_at(object.body(), &["metadata", "deletionTimestamp"]).is_some(),
                health: health.map(|health| health.status),
                message: health.map(|health| health.message.clone()).unwrap_or_default(),
                counts,
                holds_wave: health
                    .is_none_or(|health| health.reason != Some(Reason::WaitingForFirstConsumer)),
            },
        );
    }
    (seen, soon)
}

fn absent() -> Assessment {
    Assessment {
        present: false,
        deleting: false,
        health: Some(HealthCode::Missing),
        message: String::new(),
        counts: false,
        holds_wave: true,
    }
}

/// Whether the health of an object was seen after the write: its controller has observed the generation that was
/// written; a kind that does not say so is waited for until somebody wrote it again, or for two seconds.
fn has_settled(object: &Manifest, written: &Written, rest: Duration) -> bool {
    if !written.changed {
        return true;
    }
    let version = |text: &str| text.parse::<u64>().unwrap_or(0);
    let now = version(object.resource_version());
    let then = version(&written.resource_version);
    if now < then {
        return false;
    }
    match i64_at(object.body(), &["status", "observedGeneration"]) {
        Some(observed) => observed >= written.generation,
        None => now > then || rest.is_zero(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn settled(version: &str, observed: Option<i64>, rest: u64) -> bool {
        let mut body = json!({"apiVersion": "apps/v1", "kind": "Deployment",
                              "metadata": {"name": "d", "resourceVersion": version}});
        if let Some(observed) = observed {
            body["status"] = json!({"observedGeneration": observed});
        }
        let written =
            Written { uid: "u".into(), resource_version: "10".into(), generation: 2, changed: true };
        has_settled(&Manifest::new(body).unwrap(), &written, Duration::from_secs(rest))
    }

    #[test]
    fn health_counts_only_from_what_was_seen_after_the_write() {
        assert!(!settled("9", Some(2), 0), "an older state of the object");
        assert!(!settled("11", Some(1), 0), "the controller has not observed the generation");
        assert!(settled("11", Some(2), 2));
        assert!(!settled("10", None, 1), "nobody wrote status yet");
        assert!(settled("11", None, 1) && settled("10", None, 0));
    }
}
