//! Deletion of an application: PreDelete hooks, its objects in reverse wave order, PostDelete hooks; each stage ends
//! with its finalizer.
//!
//! Nothing happens before somebody confirmed what needs confirmation. What the project no longer permits, CRDs, the
//! application itself and what says `Delete=false` stay behind, as with Argo CD.

use std::sync::Arc;
use std::time::Duration;

use crate::api::{
    Application, HookType, PropagationPolicy, Requirement, ResourceAnnotations, Time, annotations,
};
use crate::cluster::{Formerly, ObserveRequest, Recall};
use crate::flow::{Action, Cause, Next, ObjectName, Observation, Problem, Stage, Task, WriteOptions};
use crate::object::str_at;
use crate::project::permits_object;
use crate::sync::{Applying, apply, describe};

use super::delete_hooks::{self, Hooks};
use super::publish::Changes;
use super::reconcile::{Work, write};
use super::{Shared, clusters, stepping};

/// How often a deletion is looked at when no event comes.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Goes on with the deletion of an application. Gives when to come back; nothing where there is nothing left to do.
pub(super) async fn finalize(
    shared: &Shared,
    app: Arc<Application>,
    name: &ObjectName,
    now: Time,
) -> Result<Option<Duration>, Problem> {
    let wanted = &app.spec.destination;
    let found = shared.store.destination(&wanted.server, &wanted.name, &wanted.namespace);
    let Some(destination) = found else {
        return abandon(shared, &app).await;
    };
    let cluster = clusters::cluster(shared, &destination).await?;
    let work = Work { shared, app, name, destination, cluster, now, recall: Arc::default() };
    let propagation = propagation(&work.app);
    if let Some(propagation) = propagation {
        confirm(&work, &doomed(&work, propagation).await?)?;
    }
    let (before, after) = (Hooks::of(HookType::PreDelete), Hooks::of(HookType::PostDelete));
    if before.is_due(&work.app) {
        return delete_hooks::run(&work, &before).await;
    }
    if let Some(propagation) = propagation {
        return delete_objects(&work, propagation).await;
    }
    if after.is_due(&work.app) {
        return delete_hooks::run(&work, &after).await;
    }
    Ok(None)
}

/// The cluster is not known any more: there is nothing that could be deleted, and nothing to wait for.
async fn abandon(shared: &Shared, app: &Application) -> Result<Option<Duration>, Problem> {
    if !shared.store.knows_clusters() {
        let message = "the cluster Secrets have not been read yet, so the application is not let go";
        return Err(Problem::retry(Stage::Delete, Cause::Incomplete, message));
    }
    tracing::warn!(
        application = app.name(),
        stage = "delete",
        "the destination is not known: its objects stay"
    );
    let hooks = [Hooks::of(HookType::PreDelete), Hooks::of(HookType::PostDelete)];
    let ours = hooks.iter().flat_map(Hooks::finalizers).chain(CASCADE);
    let_go(shared, app, &ours.collect::<Vec<_>>()).await
}

/// Finalizers that delete the application's objects.
const CASCADE: [&str; 3] = [
    annotations::RESOURCES_FINALIZER,
    annotations::RESOURCES_FINALIZER_FOREGROUND,
    annotations::RESOURCES_FINALIZER_BACKGROUND,
];

/// How objects are deleted; nothing where no finalizer of ours asks for it.
fn propagation(app: &Application) -> Option<PropagationPolicy> {
    if app.has_finalizer(annotations::RESOURCES_FINALIZER_BACKGROUND) {
        return Some(PropagationPolicy::Background);
    }
    CASCADE.iter().any(|finalizer| app.has_finalizer(finalizer)).then_some(PropagationPolicy::Foreground)
}

/// One task per object that goes with the application.
async fn doomed(work: &Work<'_>, propagation: PropagationPolicy) -> Result<Vec<Task>, Problem> {
    let seen = observe(work).await?;
    if let Some(gap) = seen.gaps.values().next() {
        let message = format!("the application's objects cannot all be seen, so it is not let go: {gap}");
        return Err(Problem::retry(Stage::Delete, Cause::Incomplete, message));
    }
    let options =
        work.app.spec.sync_policy.as_ref().map(|policy| policy.sync_options.clone()).unwrap_or_default();
    let project = work.shared.store.project(&work.shared.options.namespace, work.app.project());
    let mut tasks = Vec::new();
    let mut live: Vec<_> = seen.live.iter().collect();
    live.sort_unstable_by_key(|(key, _)| *key);
    for (key, live) in live {
        let read = ResourceAnnotations::of(live);
        let requirement = read.options.requirement("Delete").or_else(|| options.requirement("Delete"));
        let itself = key.group == crate::api::GROUP
            && key.kind == "Application"
            && (key.namespace.as_str(), key.name.as_str()) == (work.app.namespace(), work.app.name());
        let is_crd = key.group == "apiextensions.k8s.io" && key.kind == "CustomResourceDefinition";
        let permitted = project.as_ref().is_none_or(|project| {
            permits_object(&project.spec, &work.destination, key, !key.namespace.is_empty())
        });
        if requirement == Some(Requirement::Forbidden) || itself || is_crd || !permitted {
            continue;
        }
        tasks.push(Task {
            phase: crate::api::SyncPhase::Sync,
            wave: read.wave,
            key: key.clone(),
            gvk: live.gvk(),
            action: Action::Prune,
            object: Arc::clone(live),
            live: Some(Arc::clone(live)),
            hook: None,
            delete_policies: Vec::new(),
            options: WriteOptions { propagation, ..WriteOptions::default() },
            predicted: true,
            refused: None,
            forbidden: false,
            skipped: None,
            unconfirmed: None,
        });
    }
    Ok(tasks)
}

async fn observe(work: &Work<'_>) -> Result<Observation, Problem> {
    let (instance, known_kinds) = (work.instance(), work.known_kinds());
    let (former, label) = (work.former_objects(), work.shared.store.argocd_cm().instance_label.clone());
    let request = ObserveRequest {
        desired: &[],
        known_kinds: &known_kinds,
        also: &[],
        formerly: Formerly { objects: &former, label: &label },
        instance: &instance,
        operation: "",
        predict: None,
        now: work.now,
    };
    work.cluster.observe(&request, &mut Recall::default()).await
}

/// Nothing is deleted, and no hook runs, before what needs it was confirmed.
fn confirm(work: &Work<'_>, tasks: &[Task]) -> Result<(), Problem> {
    let guards = stepping::guards(work);
    let since = work.app.metadata.deletion_timestamp.as_ref().map_or(work.now, |since| Time::new(since.0));
    if guards.is_approved(since) {
        return Ok(());
    }
    let options =
        work.app.spec.sync_policy.as_ref().map(|policy| policy.sync_options.clone()).unwrap_or_default();
    let held: Vec<Task> = tasks
        .iter()
        .filter_map(|task| {
            let reason =
                guards.reason("Delete", task, &options).or_else(|| guards.reason("Prune", task, &options));
            reason.map(|reason| Task { unconfirmed: Some(reason), ..task.clone() })
        })
        .collect();
    if held.is_empty() {
        return Ok(());
    }
    let held: Vec<&Task> = held.iter().collect();
    Err(Problem {
        stage: Stage::Delete,
        cause: Cause::Unconfirmed,
        message: format!("Waiting for confirmation of the deletion of {}", describe(&held)),
        next: Next::Stalled,
    })
}

/// Deletes the last wave that is left; lets the application go when no object is.
async fn delete_objects(
    work: &Work<'_>,
    propagation: PropagationPolicy,
) -> Result<Option<Duration>, Problem> {
    let tasks = doomed(work, propagation).await?;
    let Some(last) = tasks.iter().map(|task| task.wave).max() else {
        return let_go(work.shared, &work.app, &CASCADE).await;
    };
    let is_leaving = |task: &Task| str_at(task.object.body(), &["metadata", "deletionTimestamp"]).is_some();
    let staying: Vec<Task> =
        tasks.into_iter().filter(|task| task.wave == last && !is_leaving(task)).collect();
    let report = apply(&work.cluster, &staying, Applying { dry_run: false, operation_id: "delete" }).await;
    if let Some(problem) = delete_hooks::refusal(&report) {
        return Err(problem);
    }
    Ok(Some(LOOK_AGAIN))
}

/// Takes finalizers off. The next stage begins when the Application comes back without them.
pub(super) async fn let_go(
    shared: &Shared,
    app: &Application,
    finalizers: &[&str],
) -> Result<Option<Duration>, Problem> {
    let all = app.metadata.finalizers.iter().flatten();
    let left: Vec<String> = all.filter(|one| !finalizers.contains(&one.as_str())).cloned().collect();
    let changes = Changes { finalizers: Some(left), ..Changes::default() };
    write(shared, app, &app.status, &changes).await?;
    Ok(Some(Duration::ZERO))
}
