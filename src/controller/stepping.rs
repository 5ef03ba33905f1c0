//! Stepping through an operation: plan, next step, write, look again; until it waits or ends.

use std::time::Duration;

use crate::api::{OperationPhase, OperationState, ResultCode, SyncCode, SyncOperation, Time, annotations};
use crate::flow::{Blocked, Cause, Comparison, Problem, Stage, Step, SyncEnd, Task};
use crate::settings::SyncSettings;
use crate::sync::{
    Applying, Guards, NamespaceCreation, PlanRequest, Progress, TERMINATED, apply, delete_hooks, plan, step,
};

use super::comparing::compare_again;
use super::operation::{LOOK_AGAIN, Outcome, finish};
use super::reconcile::Work;
use super::rendering::Wanted;
use super::results::{
    history_entry, id_of, progress_of, refusal, store_results, take_refusals, take_results,
};
use super::target::{Target, desired, with_options};
use super::{Memory, assess, gate, impersonation, windows};

/// More steps than any plan has: a sync that goes round in circles ends.
const MOST_STEPS: usize = 10_000;

/// Up to so many results the status has room for all of them; of more, those in which nothing happened may be left out.
const STORED_RESULTS: usize = 500;

/// An operation while it is stepped through.
struct Run<'a> {
    target: Target<'a>,
    state: OperationState,
    progress: Progress,
    comparison: Comparison,
}

pub(super) async fn go_on(
    work: &Work<'_>,
    memory: &mut Memory,
    wanted: &Wanted,
    mut state: OperationState,
    fresh: bool,
) -> Result<Outcome, Problem> {
    let sync = state.operation.sync.clone().unwrap_or_default();
    let pinned = state.sync_result.clone().unwrap_or_default();
    let target = desired(work, wanted, &state.operation, &pinned).await?;
    if let Some(result) = state.sync_result.as_mut() {
        result.revision.clone_from(&target.manifests.revision);
        result.revisions.clone_from(&target.manifests.revisions);
    }
    if !fresh {
        tracing::debug!(application = %work.name, "going on with the operation under way");
    }
    let progress = progress_of(&state, memory, &sync);
    let own = with_options(work, &sync);
    let (work, comparison) = match &own {
        Some(work) => (work, compare_again(work, &target.manifests, &target.rules).await?),
        None => (work, target.comparison.clone()),
    };
    let of_spec = matches!(target, Target::Spec(_));
    let run = Run { target, state, progress, comparison };
    let mut outcome = run.through(work, memory, &sync).await?;
    if !of_spec {
        // How the cluster compares with what the operation wanted says nothing of how it compares with Git.
        outcome.comparison = compare_again(work, &wanted.manifests, &wanted.rules).await.ok();
        outcome.elsewhere = true;
    }
    Ok(outcome)
}

/// What a step leaves to do.
enum Left {
    /// The next step.
    GoOn,
    /// To wait.
    Wait {
        /// For what.
        blocked: Vec<Blocked>,
        /// At most how long.
        soon: Option<Duration>,
    },
    /// To wait for capacity, before anything of the wave is written.
    Held {
        /// What is short.
        message: String,
    },
    /// Nothing.
    End {
        /// How it ended.
        phase: OperationPhase,
        /// In words.
        message: String,
    },
}

/// How soon a hook is looked for again whose predecessor is on its way out.
const HOOK_AGAIN: Duration = Duration::from_millis(500);

impl Run<'_> {
    /// Step by step, until it waits or ends.
    async fn through(
        mut self,
        work: &Work<'_>,
        memory: &mut Memory,
        sync: &SyncOperation,
    ) -> Result<Outcome, Problem> {
        if let Err(why) = impersonation::account(work) {
            let message = format!("failed to find a matching service account to impersonate: {why}");
            return Ok(self.end(work, memory, OperationPhase::Error, &message));
        }
        if let Some(shared) = self.fails_on_shared(work, sync) {
            return Ok(self.end(
                work,
                memory,
                OperationPhase::Failed,
                &format!("Shared resource found: {shared}"),
            ));
        }
        for _ in 0..MOST_STEPS {
            let request =
                plan_request(work, sync, &self.target.manifests.revision, self.state.started_at).await?;
            let the_plan = plan(&self.comparison, &request);
            let health = assess::assess_all(work, memory, &self.comparison).await;
            let (seen, soon) = assess::assessments(
                &the_plan.tasks,
                &self.comparison,
                &health,
                &memory.written,
                &self.progress,
            );
            let next = step(&the_plan, &mut self.progress, &seen);
            tracing::debug!(application = %work.name, stage = "sync", step = ?kind_of(&next), "next step");
            let left = match next {
                Step::DryRun(tasks) => self.dry_run(work, memory, &tasks).await,
                Step::Apply(tasks) => {
                    match gate::holds(work, memory, &self.comparison, &the_plan, &tasks).await {
                        Some(message) => Left::Held { message },
                        None => self.apply(work, memory, &tasks).await?,
                    }
                }
                Step::DeleteHooks(tasks) => self.delete_hooks(work, &tasks).await?,
                Step::Wait(blocked) => Left::Wait { blocked, soon },
                Step::Confirm(message) => return Ok(self.await_confirmation(message)),
                Step::Done { phase, message } => Left::End { phase, message },
            };
            match left {
                Left::GoOn => {}
                Left::Wait { blocked, soon } => {
                    memory.results = (self.progress.results.len() > STORED_RESULTS)
                        .then(|| (id_of(&self.state), self.progress.clone()));
                    return Ok(self.wait(&blocked, soon));
                }
                Left::Held { message } => return Ok(self.held(message)),
                Left::End { phase, message } => return Ok(self.end(work, memory, phase, &message)),
            }
        }
        Ok(self.end(
            work,
            memory,
            OperationPhase::Error,
            "the sync makes no progress; this is a defect of Tiphys",
        ))
    }

    /// `FailOnSharedResource=true`: nothing is written while another application has one of the objects.
    fn fails_on_shared(&self, work: &Work<'_>, sync: &SyncOperation) -> Option<String> {
        let of_app = work.app.spec.sync_policy.as_ref().map(|policy| &policy.sync_options);
        let asked = [Some(&sync.sync_options), of_app]
            .iter()
            .flatten()
            .find_map(|options| options.switch("FailOnSharedResource"));
        if asked != Some(true) || !self.progress.results.is_empty() {
            return None;
        }
        let shared = self.comparison.problems.iter().find(|problem| problem.cause == Cause::SharedResource);
        shared.map(|problem| problem.message.clone())
    }

    async fn dry_run(&mut self, work: &Work<'_>, memory: &mut Memory, tasks: &[Task]) -> Left {
        let id = id_of(&self.state);
        let report = apply(&work.cluster, tasks, Applying { dry_run: true, operation_id: &id }).await;
        let refused = report.results.iter().any(|one| one.result.status == Some(ResultCode::SyncFailed));
        if refused {
            take_refusals(&mut self.progress, &report);
            return Left::End { phase: OperationPhase::Failed, message: refusal(&report) };
        }
        if self.progress.dry_run_only {
            take_results(&mut self.progress, memory, report);
        }
        self.progress.dry_run_done = true;
        memory.dry_run_done = Some(id);
        Left::GoOn
    }

    async fn apply(&mut self, work: &Work<'_>, memory: &mut Memory, tasks: &[Task]) -> Result<Left, Problem> {
        let id = id_of(&self.state);
        let report = apply(&work.cluster, tasks, Applying { dry_run: false, operation_id: &id }).await;
        let waiting = report.results.len() < tasks.len();
        take_results(&mut self.progress, memory, report);
        self.look_again(work).await?;
        Ok(if waiting { Left::Wait { blocked: Vec::new(), soon: Some(HOOK_AGAIN) } } else { Left::GoOn })
    }

    async fn delete_hooks(&mut self, work: &Work<'_>, tasks: &[Task]) -> Result<Left, Problem> {
        let failures = delete_hooks(&work.cluster, tasks).await;
        for task in tasks {
            work.cluster.take_out(&task.gvk, &task.key);
        }
        self.look_again(work).await?;
        let Some(failure) = failures.first() else { return Ok(Left::GoOn) };
        tracing::warn!(application = %work.name, stage = "apply", "a hook could not be deleted: {failure}");
        Ok(Left::Wait { blocked: Vec::new(), soon: Some(LOOK_AGAIN) })
    }

    async fn look_again(&mut self, work: &Work<'_>) -> Result<(), Problem> {
        let target = &self.target;
        self.comparison = compare_again(work, &target.manifests, &target.rules).await?;
        Ok(())
    }

    /// Somebody has to confirm. The annotation that does so brings the application back.
    fn await_confirmation(mut self, message: String) -> Outcome {
        store_results(&mut self.state, &self.progress);
        self.state.message.clone_from(&message);
        Outcome {
            state: Some(self.state),
            comparison: Some(self.comparison),
            problems: vec![Problem::stalled(Stage::Sync, Cause::Unconfirmed, message)],
            ..Outcome::default()
        }
    }

    fn wait(mut self, blocked: &[Blocked], soon: Option<Duration>) -> Outcome {
        store_results(&mut self.state, &self.progress);
        self.state.message = match blocked {
            [] => "one or more tasks are running".to_owned(),
            [one] => format!("waiting for {one}"),
            [one, rest @ ..] => format!("waiting for {one} and {} more resources", rest.len()),
        };
        Outcome {
            state: Some(self.state),
            comparison: Some(self.comparison),
            again: Some(soon.map_or(LOOK_AGAIN, |soon| soon.max(Duration::from_millis(50)))),
            ..Outcome::default()
        }
    }

    fn held(self, message: String) -> Outcome {
        let mut outcome = self.wait(&[], None);
        if let Some(state) = outcome.state.as_mut() {
            state.message.clone_from(&message);
        }
        Outcome { held: Some(message), ..outcome }
    }

    fn end(mut self, work: &Work<'_>, memory: &mut Memory, phase: OperationPhase, message: &str) -> Outcome {
        store_results(&mut self.state, &self.progress);
        memory.written.clear();
        memory.results = None;
        memory.dry_run_done = None;
        let mut state = self.state;
        let ending = ending(work, &state, message);
        finish(&mut state, phase, &ending, Time::new(jiff::Timestamp::now()));
        let sync = state.operation.sync.clone().unwrap_or_default();
        let counts = phase == OperationPhase::Succeeded && !sync.dry_run && sync.resources.is_empty();
        let synced = counts.then(|| history_entry(&state)).flatten();
        tracing::info!(application = %work.name, stage = "sync", phase = phase.as_str(), "{message}");
        let seconds = state.finished_at.map_or(0, |finished| state.started_at.seconds_until(finished));
        work.shared.meter.synced(&SyncEnd {
            application: work.name,
            project: work.app.project(),
            server: &work.destination.server,
            phase,
            dry_run: sync.dry_run,
            took: Duration::from_secs(seconds),
        });
        let failed = matches!(phase, OperationPhase::Failed | OperationPhase::Error);
        let tries = failed && !message.starts_with(TERMINATED);
        let again = (tries && state.operation.retry.allows(state.retry_count))
            .then(|| state.operation.retry.wait_before(state.retry_count).unwrap_or(LOOK_AGAIN));
        // What changed while it ran was told of then, and nobody tells of it again.
        let drifted = phase == OperationPhase::Succeeded && self.comparison.status == SyncCode::OutOfSync;
        let again = again.or(drifted.then_some(Duration::ZERO));
        Outcome { state: Some(state), synced, comparison: Some(self.comparison), again, ..Outcome::default() }
    }
}

/// The last message of an operation: why it was terminated, and how many times it was tried.
fn ending(work: &Work<'_>, state: &OperationState, message: &str) -> String {
    let timed_out =
        message == TERMINATED && windows::time_left(work, state).is_some_and(|left| left.is_zero());
    let cause = if timed_out { ", triggered by controller sync timeout" } else { "" };
    match state.retry_count {
        0 => format!("{message}{cause}"),
        tries => format!("{message}{cause} (retried {tries} times)."),
    }
}

fn kind_of(step: &Step) -> &'static str {
    match step {
        Step::DryRun(_) => "dry-run",
        Step::Apply(_) => "apply",
        Step::DeleteHooks(_) => "delete hooks",
        Step::Wait(_) => "wait",
        Step::Confirm(_) => "confirm",
        Step::Done { .. } => "done",
    }
}

pub(super) async fn plan_request<'a>(
    work: &'a Work<'_>,
    sync: &'a SyncOperation,
    revision: &'a str,
    started_at: Time,
) -> Result<PlanRequest<'a>, Problem> {
    let policy = work.app.spec.sync_policy.as_ref();
    let app_options = policy.map(|policy| &policy.sync_options);
    let creates = [Some(&sync.sync_options), app_options]
        .iter()
        .flatten()
        .any(|options| options.switch("CreateNamespace") == Some(true));
    let create_namespace = if creates && !work.destination.namespace.is_empty() {
        let live = work.cluster.namespace(&work.destination.namespace).await?;
        let metadata = policy.and_then(|policy| policy.managed_namespace_metadata.clone());
        Some(NamespaceCreation { name: work.destination.namespace.clone(), live, metadata })
    } else {
        None
    };
    Ok(PlanRequest {
        operation: sync,
        app_options,
        revision,
        started_at,
        create_namespace,
        guards: guards(work),
    })
}

/// What a person has to confirm before objects of the application are deleted.
pub(super) fn guards(work: &Work<'_>) -> Guards {
    let settings = SyncSettings::read(&work.shared.store.argocd_cm().data);
    Guards {
        confirm_kinds: settings.confirm_kinds,
        max_prune: work.app.annotation(annotations::MAX_PRUNE).map(str::to_owned).or(settings.max_prune),
        approved: work.app.annotation(annotations::DELETION_APPROVED).and_then(|text| text.parse().ok()),
    }
}
