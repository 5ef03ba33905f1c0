//! Deletion of an application: its objects first, in reverse wave order, then its finalizer.

use std::time::Duration;

use crate::api::{PropagationPolicy, Requirement, annotations};
use crate::cluster::{Formerly, ObserveRequest};
use crate::flow::{Action, Cause, Observation, Problem, Stage, Task, WriteOptions};
use crate::sync::{Applying, apply};

use super::Memory;
use super::publish::Changes;
use super::reconcile::{Work, write};

/// How often a deletion is looked at when no event comes.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Deletes what the application owns, and lets it go when nothing is left. Gives when to come back.
pub(super) async fn finalize(work: &Work<'_>, _memory: &mut Memory) -> Result<Option<Duration>, Problem> {
    let Some(propagation) = propagation(work) else { return Ok(None) };
    let instance = work.instance();
    let known_kinds = work.known_kinds();
    let (former, label) = (work.former_objects(), work.shared.store.argocd_cm().instance_label.clone());
    let request = ObserveRequest {
        desired: &[],
        known_kinds: &known_kinds,
        also: &[],
        formerly: Formerly { objects: &former, label: &label },
        instance: &instance,
        predict: None,
        now: work.now,
    };
    let seen = work.cluster.observe(&request).await?;
    if let Some(gap) = seen.gaps.values().next() {
        let message = format!("the application's objects cannot all be seen, so it is not let go: {gap}");
        return Err(Problem::retry(Stage::Delete, Cause::Incomplete, message));
    }
    let tasks = deletions(&seen, propagation);
    let Some(last) = tasks.iter().map(|task| task.wave).max() else { return let_go(work).await };
    let in_wave = tasks.into_iter().filter(|task| task.wave == last);
    let still_there: Vec<Task> = in_wave
        .filter(|task| {
            crate::object::str_at(task.object.body(), &["metadata", "deletionTimestamp"]).is_none()
        })
        .collect();
    let report =
        apply(&work.cluster, &still_there, Applying { dry_run: false, operation_id: "delete" }).await;
    let refused =
        report.results.iter().find(|one| one.result.status == Some(crate::api::ResultCode::SyncFailed));
    if let Some(refused) = refused {
        let message = format!("{}/{}: {}", refused.result.kind, refused.result.name, refused.result.message);
        return Err(Problem::retry(Stage::Delete, Cause::ObjectRefused, message));
    }
    Ok(Some(LOOK_AGAIN))
}

/// One task per object that goes with the application.
fn deletions(seen: &Observation, propagation: PropagationPolicy) -> Vec<Task> {
    let tasks = seen.live.iter().filter_map(|(key, live)| {
        let read = crate::api::ResourceAnnotations::of(live);
        if read.options.requirement("Delete") == Some(Requirement::Forbidden) {
            return None;
        }
        Some(Task {
            phase: crate::api::SyncPhase::Sync,
            wave: read.wave,
            key: key.clone(),
            gvk: live.gvk(),
            action: Action::Prune,
            object: std::sync::Arc::clone(live),
            live: Some(std::sync::Arc::clone(live)),
            hook: None,
            delete_policies: Vec::new(),
            options: WriteOptions { propagation, ..WriteOptions::default() },
            predicted: true,
            refused: None,
            skipped: None,
        })
    });
    tasks.collect()
}

/// How objects are deleted; nothing where no finalizer of ours asks for it.
fn propagation(work: &Work<'_>) -> Option<PropagationPolicy> {
    let app = &work.app;
    if app.has_finalizer(annotations::RESOURCES_FINALIZER_BACKGROUND) {
        return Some(PropagationPolicy::Background);
    }
    let foreground = [annotations::RESOURCES_FINALIZER, annotations::RESOURCES_FINALIZER_FOREGROUND];
    foreground.iter().any(|finalizer| app.has_finalizer(finalizer)).then_some(PropagationPolicy::Foreground)
}

async fn let_go(work: &Work<'_>) -> Result<Option<Duration>, Problem> {
    let ours = [
        annotations::RESOURCES_FINALIZER,
        annotations::RESOURCES_FINALIZER_FOREGROUND,
        annotations::RESOURCES_FINALIZER_BACKGROUND,
    ];
    let left: Vec<String> = work
        .app
        .metadata
        .finalizers
        .iter()
        .flatten()
        .filter(|finalizer| !ours.contains(&finalizer.as_str()))
        .cloned()
        .collect();
    let changes = Changes { finalizers: Some(left), ..Changes::default() };
    write(work.shared, &work.app, &work.app.status, &changes).await?;
    Ok(None)
}
