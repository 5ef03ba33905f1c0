//! The only writer to a destination: carries out one step and reports what became of each object.
//!
//! Inside of a wave, prunes go first, then kinds in their order; objects of the same place in that order are written
//! side by side. An object that is refused hides no other. Every write is a server-side apply by
//! `argocd-controller`, conflicts forced, unless the object's options say otherwise.

mod ownership;
mod replace;

use std::future::Future;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions, PropagationPolicy, ValidationDirective};

use crate::api::{OperationPhase, PropagationPolicy as Propagation, ResultCode, annotations};
use crate::cluster::{Cluster, KindInfo, OPERATION, WatchedObject};
use crate::flow::{Action, AppliedResource, ApplyReport, Task, Written};
use crate::object::{i64_at, kind_rank, str_at};

use super::step::result_of;

/// Writes at the same time.
const PARALLEL: usize = 10;
/// Tries of a write that the API server was too busy for.
const TRIES: u32 = 4;

/// How a step is carried out.
#[derive(Clone, Copy, Debug)]
pub struct Applying<'a> {
    /// Writes nothing, and says what would be refused.
    pub dry_run: bool,
    /// What tells this operation from every other one of the application.
    pub operation_id: &'a str,
}

/// Writes the objects of one step.
pub async fn apply(cluster: &Cluster, tasks: &[Task], how: Applying<'_>) -> ApplyReport {
    let mut results: Vec<Option<AppliedResource>> = tasks.iter().map(|_| None).collect();
    for batch in batches(tasks) {
        let mut writes: Vec<BoxFuture<'_, (usize, Option<AppliedResource>)>> = Vec::new();
        for (index, task) in batch.into_iter().filter_map(|index| Some((index, tasks.get(index)?))) {
            writes.push(async move { (index, one(cluster, task, how).await) }.boxed());
        }
        let written: Vec<_> = stream::iter(writes).buffer_unordered(PARALLEL).collect().await;
        for (index, result) in written {
            if let Some(place) = results.get_mut(index) {
                *place = result;
            }
        }
    }
    ApplyReport { results: results.into_iter().flatten().collect() }
}

/// Deletes hooks that are done with.
pub async fn delete_hooks(cluster: &Cluster, tasks: &[Task]) -> Vec<String> {
    let mut deletions: Vec<BoxFuture<'_, Option<String>>> = Vec::new();
    for task in tasks {
        let deletion = async move {
            let kind = kind_of(cluster, task).await.ok()?;
            delete(cluster, &kind, task, false).await.err().map(|message| format!("{}: {message}", task.key))
        };
        deletions.push(deletion.boxed());
    }
    let failures: Vec<Option<String>> = stream::iter(deletions).buffer_unordered(PARALLEL).collect().await;
    failures.into_iter().flatten().collect()
}

/// Indexes of tasks that may be written side by side, in the order in which the batches are written.
fn batches(tasks: &[Task]) -> Vec<Vec<usize>> {
    let place = |task: &Task| match task.action {
        Action::Prune => 0,
        Action::Apply => kind_rank(&task.key.kind) + 1,
    };
    let mut places: Vec<(usize, usize)> = tasks.iter().map(place).zip(0..).collect();
    places.sort_unstable();
    let chunks = places.chunk_by(|left, right| left.0 == right.0);
    chunks.map(|chunk| chunk.iter().map(|(_, index)| *index).collect()).collect()
}

/// Writes one object. Nothing where it has to be tried again: an old hook of the same name is still on its way out.
async fn one(cluster: &Cluster, task: &Task, how: Applying<'_>) -> Option<AppliedResource> {
    let kind = match kind_of(cluster, task).await {
        Ok(kind) => kind,
        Err(message) => return Some(failed(task, message)),
    };
    match task.action {
        Action::Prune => Some(prune(cluster, &kind, task, how).await),
        Action::Apply if task.hook.is_some() && !how.dry_run => create_hook(cluster, &kind, task, how).await,
        Action::Apply if task.options.unchanged && !how.dry_run => Some(unchanged(task)),
        Action::Apply => Some(write(cluster, &kind, task, how).await),
    }
}

async fn kind_of(cluster: &Cluster, task: &Task) -> Result<std::sync::Arc<KindInfo>, String> {
    match cluster.discovery().find(&task.gvk).await {
        Ok(Some(kind)) => Ok(kind),
        Ok(None) => Err(format!(
            "The Kubernetes API could not find {}/{} for requested resource {}/{}. Make sure the \"{}\" CRD is \
             installed on the destination cluster",
            task.gvk.group, task.gvk.kind, task.key.namespace, task.key.name, task.gvk.kind
        )),
        Err(error) => Err(format!("the cluster does not answer: {error}")),
    }
}

async fn write(cluster: &Cluster, kind: &KindInfo, task: &Task, how: Applying<'_>) -> AppliedResource {
    let api = kind.api(cluster.client(), &task.key.namespace);
    if !how.dry_run
        && !task.options.replace
        && !task.options.ownership.is_none()
        && let Err(error) = ownership::move_ownership(cluster, kind, task).await
    {
        return failed(task, message_of(task, &error));
    }
    let answer = if task.options.replace {
        replace::replace(cluster, kind, task, how).await
    } else {
        let params = PatchParams {
            dry_run: how.dry_run,
            field_validation: task.options.skip_validation.then_some(ValidationDirective::Ignore),
            ..PatchParams::apply(annotations::FIELD_MANAGER).force()
        };
        let patch = Patch::Apply(task.object.body());
        let answer = again_while(is_passing_apply, || api.patch(&task.key.name, &params, &patch)).await;
        match answer {
            Err(error) if task.options.force && is_immutable(&error) => {
                replace::recreate(&api, task, how).await
            }
            other => other,
        }
    };
    match answer {
        Ok(mut answer) => {
            answer.complete(&kind.resource);
            applied(cluster, task, answer, how).await
        }
        Err(error) => failed(task, message_of(task, &error)),
    }
}

async fn applied(
    cluster: &Cluster,
    task: &Task,
    answer: WatchedObject,
    how: Applying<'_>,
) -> AppliedResource {
    let before = task.live.as_ref().map(|live| live.resource_version().to_owned());
    let text = |field: &str| str_at(&answer.body, &["metadata", field]).unwrap_or_default().to_owned();
    let written = Written {
        uid: text("uid"),
        resource_version: text("resourceVersion"),
        generation: i64_at(&answer.body, &["metadata", "generation"]).unwrap_or(0),
        changed: before.as_deref() != Some(&text("resourceVersion")),
    };
    let verb = match (&before, written.changed) {
        (None, _) => "created",
        (Some(_), true) => "configured",
        (Some(_), false) => "unchanged",
    };
    if !how.dry_run {
        if task.key.kind == "CustomResourceDefinition" {
            cluster.discovery().expect_new_kinds().await;
        }
        cluster.take_in(&task.gvk, &task.object, answer);
    }
    let suffix = if how.dry_run { " (dry run)" } else { "" };
    synced(task, format!("{} {verb}{suffix}", display_name(task)), Some(written))
}

/// `deployment.apps/web`, as kubectl prints it.
fn display_name(task: &Task) -> String {
    let kind = task.key.kind.to_lowercase();
    let dot = if task.key.group.is_empty() { "" } else { "." };
    format!("{kind}{dot}{}/{}", task.key.group, task.key.name)
}

fn synced(task: &Task, message: String, written: Option<Written>) -> AppliedResource {
    let mut result = result_of(task);
    result.status = task.hook.is_none().then_some(ResultCode::Synced);
    result.hook_phase = Some(OperationPhase::Running);
    result.message = message;
    AppliedResource { result, written }
}

fn unchanged(task: &Task) -> AppliedResource {
    synced(task, format!("{} unchanged", display_name(task)), None)
}

fn failed(task: &Task, message: String) -> AppliedResource {
    let mut result = result_of(task);
    result.status = Some(ResultCode::SyncFailed);
    result.hook_phase = Some(OperationPhase::Failed);
    result.message = message;
    AppliedResource { result, written: None }
}

fn gone(error: kube::Error) -> Result<(), kube::Error> {
    match error {
        kube::Error::Api(status) if status.code == 404 => Ok(()),
        other => Err(other),
    }
}

async fn prune(cluster: &Cluster, kind: &KindInfo, task: &Task, how: Applying<'_>) -> AppliedResource {
    let mut result = result_of(task);
    if let Some(reason) = &task.skipped {
        result.status = Some(ResultCode::PruneSkipped);
        result.hook_phase = Some(OperationPhase::Succeeded);
        result.message.clone_from(reason);
        return AppliedResource { result, written: None };
    }
    match delete(cluster, kind, task, how.dry_run).await {
        Ok(()) => {
            result.status = Some(ResultCode::Pruned);
            result.hook_phase = Some(OperationPhase::Running);
            result.message = if how.dry_run { "pruned (dry run)".into() } else { "pruned".into() };
            AppliedResource { result, written: None }
        }
        Err(message) => failed(task, message),
    }
}

/// Deletes the very object that was seen: one that was made anew in the meantime stays.
async fn delete(cluster: &Cluster, kind: &KindInfo, task: &Task, dry_run: bool) -> Result<(), String> {
    let uid = task.live.as_ref().map(|live| live.uid().to_owned()).filter(|uid| !uid.is_empty());
    let params = DeleteParams {
        dry_run,
        propagation_policy: Some(match task.options.propagation {
            Propagation::Foreground => PropagationPolicy::Foreground,
            Propagation::Background => PropagationPolicy::Background,
            Propagation::Orphan => PropagationPolicy::Orphan,
        }),
        preconditions: uid.map(|uid| Preconditions { uid: Some(uid), resource_version: None }),
        ..DeleteParams::default()
    };
    let api = kind.api(cluster.client(), &task.key.namespace);
    let answer = again(|| api.delete(&task.key.name, &params)).await.map(drop).or_else(gone);
    answer.map_err(|error| message_of(task, &error))
}

/// Creates a hook. One of the same name that an earlier operation left is deleted first; nothing is reported until it
/// is gone, so that the step comes again. One that this operation has already created is taken as it is.
async fn create_hook(
    cluster: &Cluster,
    kind: &KindInfo,
    task: &Task,
    how: Applying<'_>,
) -> Option<AppliedResource> {
    let api = kind.api(cluster.client(), &task.key.namespace);
    match again(|| api.get_opt(&task.key.name)).await {
        Ok(None) => {}
        Ok(Some(mut there)) => {
            there.complete(&kind.resource);
            let made_by = str_at(&there.body, &["metadata", "annotations", OPERATION]).map(str::to_owned);
            let deleting = str_at(&there.body, &["metadata", "deletionTimestamp"]).is_some();
            if made_by.as_deref() == Some(how.operation_id) && !deleting {
                return Some(applied(cluster, task, there, how).await);
            }
            if !task.delete_policies.contains(&crate::api::DeletePolicy::BeforeHookCreation) {
                return Some(write(cluster, kind, task, how).await);
            }
            if !deleting {
                let params = DeleteParams::background();
                if let Err(error) =
                    again(|| api.delete(&task.key.name, &params)).await.map(drop).or_else(gone)
                {
                    return Some(failed(task, message_of(task, &error)));
                }
            }
            return None;
        }
        Err(error) => return Some(failed(task, message_of(task, &error))),
    }
    let mut hook = task.clone();
    let mut object = (*task.object).clone();
    object.set_annotation(OPERATION, how.operation_id);
    hook.object = std::sync::Arc::new(object);
    hook.live = None;
    Some(write(cluster, kind, &hook, how).await)
}

/// Tries a request again while the API server is too busy or the connection breaks.
async fn again<T, F, R>(request: R) -> Result<T, kube::Error>
where
    R: FnMut() -> F,
    F: Future<Output = Result<T, kube::Error>>,
{
    again_while(is_passing, request).await
}

async fn again_while<T, F, R>(passes: fn(&kube::Error) -> bool, mut request: R) -> Result<T, kube::Error>
where
    R: FnMut() -> F,
    F: Future<Output = Result<T, kube::Error>>,
{
    let mut pause = Duration::from_millis(100);
    for _ in 1..TRIES {
        match request().await {
            Err(error) if passes(&error) => {
                tokio::time::sleep(pause).await;
                pause *= 3;
            }
            other => return other,
        }
    }
    request().await
}

fn is_passing(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => status.code == 429 || status.code >= 500,
        kube::Error::HyperError(_) | kube::Error::Service(_) => true,
        _ => false,
    }
}

/// A forced apply conflicts with nobody: a 409 is one of the API server's own, such as two writers of one quota.
fn is_passing_apply(error: &kube::Error) -> bool {
    is_passing(error)
        || matches!(error, kube::Error::Api(status) if status.code == 409 && status.reason == "Conflict")
}

/// Whether the API server refuses the object as it is: it says in many words that a field cannot be changed.
fn is_immutable(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 422)
}

fn message_of(task: &Task, error: &kube::Error) -> String {
    match error {
        // The API server quotes values in some messages.
        kube::Error::Api(status) if task.object.is_secret() => format!("{} ({})", status.reason, status.code),
        kube::Error::Api(status) if status.code == 403 => {
            format!("{}; give the controller's service account this right", status.message)
        }
        kube::Error::Api(status) if is_immutable(error) && status.message.contains("immutable") => {
            format!("{}; set the sync option Force=true to delete it and create it anew", status.message)
        }
        kube::Error::Api(status) => status.message.clone(),
        other => other.to_string(),
    }
}
