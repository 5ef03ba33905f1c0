//! PreDelete and PostDelete hooks: created, waited for, and cleaned up, wave by wave.
//!
//! How far they are is read from the cluster: a hook carries the deletion that it was created for, so a controller that
//! starts anew finds it, and one that an earlier operation left does not count.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::api::{Application, DeletePolicy, HealthCode, HookType, ResultCode, Time, annotations};
use crate::cluster::OPERATION;
use crate::flow::{ApplyReport, Cause, Comparison, HealthStatus, Manifests, Problem, Stage, Task};
use crate::object::{ResourceKey, str_at};
use crate::source::Freshness;
use crate::sync::{Applying, apply, delete_hook_tasks, delete_hooks};

use super::assess;
use super::comparing::compare_again;
use super::finalize::let_go;
use super::reconcile::Work;
use super::rendering::{Asked, Wanted, want};
use super::validate::validate;

/// Without an event, hooks are looked at again after this time.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How soon a hook is looked for again whose predecessor is on its way out.
const SOON: Duration = Duration::from_millis(500);

/// The hooks of one stage of a deletion.
pub(super) struct Hooks {
    kind: HookType,
    run: &'static str,
    clean_up: &'static str,
}

impl Hooks {
    pub(super) fn of(kind: HookType) -> Self {
        let (run, clean_up) = if kind == HookType::PreDelete {
            (annotations::PRE_DELETE_FINALIZER, annotations::PRE_DELETE_FINALIZER_CLEANUP)
        } else {
            (annotations::POST_DELETE_FINALIZER, annotations::POST_DELETE_FINALIZER_CLEANUP)
        };
        Self { kind, run, clean_up }
    }

    pub(super) fn finalizers(&self) -> [&'static str; 2] {
        [self.run, self.clean_up]
    }

    /// Whether the stage is still to come.
    pub(super) fn is_due(&self, app: &Application) -> bool {
        self.finalizers().iter().any(|finalizer| app.has_finalizer(finalizer))
    }

    fn is_wanted(&self, comparison: &Comparison) -> bool {
        comparison
            .resources
            .iter()
            .any(|one| one.desired.is_some() && one.annotations.hooks.contains(&self.kind))
    }
}

/// The finalizers that an application should have for the hooks in its manifests; nothing where it has them.
pub(super) fn wanted_finalizers(app: &Application, comparison: &Comparison) -> Option<Vec<String>> {
    if app.is_deleting() {
        return None;
    }
    let before = app.metadata.finalizers.clone().unwrap_or_default();
    let mut after = before.clone();
    for hooks in [Hooks::of(HookType::PreDelete), Hooks::of(HookType::PostDelete)] {
        let wanted = hooks.is_wanted(comparison);
        for finalizer in hooks.finalizers() {
            let has = after.iter().any(|one| one == finalizer);
            if wanted && !has {
                after.push(finalizer.to_owned());
            } else if !wanted {
                after.retain(|one| one != finalizer);
            }
        }
    }
    (after != before).then_some(after)
}

/// Runs the hooks of a stage, then cleans them up; takes the stage's finalizers off one by one.
pub(super) async fn run(work: &Work<'_>, hooks: &Hooks) -> Result<Option<Duration>, Problem> {
    let seen = look(work, hooks).await?;
    if work.app.has_finalizer(hooks.run) {
        if let Some(again) = execute(work, hooks, &seen).await? {
            return Ok(Some(again));
        }
        return let_go(work.shared, &work.app, &[hooks.run]).await;
    }
    if let Some(again) = clean_up(work, &seen).await? {
        return Ok(Some(again));
    }
    let_go(work.shared, &work.app, &[hooks.clean_up]).await
}

/// The hooks of a stage and how they are.
struct Seen {
    tasks: Vec<Task>,
    health: BTreeMap<ResourceKey, HealthStatus>,
    operation: String,
}

impl Seen {
    /// The hook, where this deletion has created it and it is not on its way out before it has done its work.
    fn is_there(&self, task: &Task) -> bool {
        let text = |path: &[&str]| task.live.as_ref().and_then(|live| str_at(live.body(), path));
        text(&["metadata", "annotations", OPERATION]) == Some(&self.operation)
            && (text(&["metadata", "deletionTimestamp"]).is_none()
                || self.health_of(task) == HealthCode::Healthy)
    }

    fn health_of(&self, task: &Task) -> HealthCode {
        self.health.get(&task.key).map_or(HealthCode::Healthy, |health| health.status)
    }
}

async fn look(work: &Work<'_>, hooks: &Hooks) -> Result<Seen, Problem> {
    // A hook is written like everything else: only where the project still permits the application.
    validate(work.shared, &work.app).map_err(|problem| unknown(work, hooks, &problem))?;
    let asked = Asked::of_spec(&work.app).map_err(|problem| unknown(work, hooks, &problem))?;
    let freshness = Freshness::Within(Duration::from_secs(3600));
    let wanted: Wanted =
        want(work, &asked, freshness).await.map_err(|problem| unknown(work, hooks, &problem))?;
    let since = work.app.metadata.deletion_timestamp.as_ref().map_or(work.now, |since| Time::new(since.0));
    let mut tasks = delete_hook_tasks(&wanted.comparison, hooks.kind, &wanted.manifests.revision, since);
    // Hooks with generated names are looked for by the names that they get.
    let named =
        Manifests { objects: tasks.iter().map(|task| task.object.clone()).collect(), ..wanted.manifests };
    let comparison = compare_again(work, &named, &wanted.rules).await?;
    for task in &mut tasks {
        let found = comparison.resources.iter().find(|one| one.key == task.key);
        task.live = found.and_then(|one| one.live.clone());
    }
    let health = assess::assess_undamped(work, &comparison).await;
    Ok(Seen { tasks, health, operation: format!("delete-{}", since.timestamp().as_second()) })
}

/// Without the manifests nobody knows which hooks there are.
fn unknown(work: &Work<'_>, hooks: &Hooks, problem: &Problem) -> Problem {
    let finalizer = if work.app.has_finalizer(hooks.run) { hooks.run } else { hooks.clean_up };
    let message = format!(
        "the {:?} hooks cannot be found, so the application is not let go: {problem}. Take the finalizer {} off to \
         delete it without them",
        hooks.kind, finalizer
    );
    Problem::retry(Stage::Delete, Cause::Incomplete, message)
}

/// The next step of the first wave that is not through. Nothing where all hooks have done their work.
async fn execute(work: &Work<'_>, hooks: &Hooks, seen: &Seen) -> Result<Option<Duration>, Problem> {
    for wave in seen.tasks.chunk_by(|left, right| left.wave == right.wave) {
        let absent: Vec<Task> = wave.iter().filter(|task| !seen.is_there(task)).cloned().collect();
        if let Some(task) = absent.iter().find(|task| task.forbidden) {
            let message = format!("{}/{} is not permitted in the project", task.key.kind, task.key.name);
            return Err(way_out(hooks, &message));
        }
        if !absent.is_empty() {
            let how = Applying { dry_run: false, operation_id: &seen.operation };
            let report = apply(&work.cluster, &absent, how).await;
            if let Some(problem) = refusal(&report) {
                return Err(way_out(hooks, &problem.message));
            }
            let all = report.results.len() == absent.len();
            return Ok(Some(if all { LOOK_AGAIN } else { SOON }));
        }
        let failed: Vec<Task> = wave
            .iter()
            .filter(|task| matches!(seen.health_of(task), HealthCode::Degraded | HealthCode::Unknown))
            .cloned()
            .collect();
        if let Some(first) = failed.first() {
            let why = seen.health.get(&first.key).map(|health| health.message.clone()).unwrap_or_default();
            // It is created anew with the next try.
            delete_hooks(&work.cluster, &failed).await;
            let message = format!("{}/{} failed: {why}; it is tried again", first.key.kind, first.key.name);
            return Err(way_out(hooks, &message));
        }
        let waits =
            |task: &Task| matches!(seen.health_of(task), HealthCode::Progressing | HealthCode::Missing);
        if wave.iter().any(waits) {
            return Ok(Some(LOOK_AGAIN));
        }
    }
    Ok(None)
}

fn way_out(hooks: &Hooks, message: &str) -> Problem {
    let message = format!(
        "{:?} hook: {message}. Take the finalizer {} off the application to go on without the hooks",
        hooks.kind, hooks.run
    );
    Problem::retry(Stage::Delete, Cause::ObjectRefused, message)
}

/// Deletes the hooks that ask for it. Nothing where none is left.
async fn clean_up(work: &Work<'_>, seen: &Seen) -> Result<Option<Duration>, Problem> {
    let failed = seen.tasks.iter().any(|task| seen.health_of(task) == HealthCode::Degraded);
    let policy = if failed { DeletePolicy::HookFailed } else { DeletePolicy::HookSucceeded };
    let goes = |task: &&Task| task.live.is_some() && task.delete_policies.contains(&policy);
    let there: Vec<Task> = seen.tasks.iter().filter(goes).cloned().collect();
    if there.is_empty() {
        return Ok(None);
    }
    let leaving: Vec<Task> = there.iter().filter(|task| seen.is_there(task)).cloned().collect();
    if let Some(failure) = delete_hooks(&work.cluster, &leaving).await.into_iter().next() {
        return Err(Problem::retry(Stage::Delete, Cause::ObjectRefused, failure));
    }
    if leaving.is_empty() { Ok(Some(LOOK_AGAIN)) } else { Ok(Some(SOON)) }
}

/// The first object that was refused.
pub(super) fn refusal(report: &ApplyReport) -> Option<Problem> {
    let refused = report.results.iter().find(|one| one.result.status == Some(ResultCode::SyncFailed))?;
    let message = format!("{}/{}: {}", refused.result.kind, refused.result.name, refused.result.message);
    Some(Problem::retry(Stage::Delete, Cause::ObjectRefused, message))
}
