//! Operations: starting them, stepping through them, ending them.

use std::time::Duration;

use crate::api::{
    Application, ApplicationStatus, Operation, OperationPhase, OperationState, RevisionHistory,
    SyncOperationResult, Time,
};
use crate::flow::{Cause, Comparison, Problem, Stage};
use crate::status::{Seen, compose};
use crate::sync::{AutoSync, decide_auto_sync};

use super::Memory;
use super::publish::Changes;
use super::reconcile::{Work, write};
use super::rendering::Wanted;
use super::stepping::go_on;

/// What driving the operation came to.
#[derive(Default)]
pub(super) struct Outcome {
    /// The operation's state now; absent where there is none.
    pub(super) state: Option<OperationState>,
    /// Whether `operation` was moved to `status.operationState`.
    pub(super) operation_taken: bool,
    /// An entry for the history.
    pub(super) synced: Option<RevisionHistory>,
    /// How Git and cluster compare after the writes, where there were any.
    pub(super) comparison: Option<Comparison>,
    /// What is wrong.
    pub(super) problems: Vec<Problem>,
    /// When to come back.
    pub(super) again: Option<Duration>,
}

/// Without an event, a wait is looked at again after this time.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Goes on with the operation under way, or starts one that was asked for or that the policy wants.
pub(super) async fn drive(work: &Work<'_>, memory: &mut Memory, wanted: &Wanted) -> Result<Outcome, Problem> {
    let running = work.app.status.operation_state.clone().filter(|state| !state.phase.is_completed());
    if let Some(state) = running {
        return go_on(work, memory, wanted, state, false).await;
    }
    if let Some(operation) = &work.app.operation {
        return start(work, memory, wanted, operation.clone(), true).await;
    }
    let revisions = [wanted.manifests.revision.clone()];
    if let Some(outcome) = retry(work, memory, wanted).await? {
        return Ok(outcome);
    }
    match decide_auto_sync(&work.app, &wanted.comparison, &revisions, work.now) {
        AutoSync::Start(operation) => start(work, memory, wanted, *operation, false).await,
        AutoSync::Later(after) => Ok(Outcome { again: Some(after), ..Outcome::default() }),
        AutoSync::Blocked(problem) => Ok(Outcome { problems: vec![problem], ..Outcome::default() }),
        AutoSync::No => Ok(Outcome::default()),
    }
}

/// An operation that failed and may be tried again: the newest revision replaces the one that it was pinned to.
async fn retry(work: &Work<'_>, memory: &mut Memory, wanted: &Wanted) -> Result<Option<Outcome>, Problem> {
    let Some(state) = work.app.status.operation_state.clone() else { return Ok(None) };
    let failed = matches!(state.phase, OperationPhase::Failed | OperationPhase::Error);
    let terminated = state.message.starts_with("Operation terminated");
    if !failed || terminated || !state.operation.retry.allows(state.retry_count) {
        return Ok(None);
    }
    let wait = state.operation.retry.wait_before(state.retry_count).unwrap_or(LOOK_AGAIN);
    let passed = state.finished_at.unwrap_or(state.started_at).seconds_until(work.now);
    let rest = wait.saturating_sub(Duration::from_secs(passed));
    let pinned = state.sync_result.as_ref().map(|result| result.revision.clone()).unwrap_or_default();
    let automated = state.operation.initiated_by.automated;
    if automated && pinned != wanted.manifests.revision {
        // A newer commit: an operation of its own, with its own count.
        return Ok(None);
    }
    if !rest.is_zero() {
        return Ok(Some(Outcome {
            again: Some(rest),
            problems: vec![last_failure(&state)],
            ..Outcome::default()
        }));
    }
    let mut next = begin(work, &state.operation, &pinned);
    next.retry_count = state.retry_count.saturating_add(1);
    store_start(work, memory, wanted, &next, false).await?;
    go_on(work, memory, wanted, next, true).await.map(Some)
}

fn last_failure(state: &OperationState) -> Problem {
    let message = format!("Failed sync attempt: {} (it is tried again)", state.message);
    Problem::stalled(Stage::Sync, Cause::ObjectRefused, message)
}

fn begin(work: &Work<'_>, operation: &Operation, revision: &str) -> OperationState {
    let named = operation.sync.as_ref().and_then(|sync| sync.source.as_ref());
    let source = named.or(work.app.spec.source.as_ref()).cloned().unwrap_or_default();
    OperationState {
        operation: operation.clone(),
        phase: OperationPhase::Running,
        message: "waiting to start".into(),
        sync_result: Some(SyncOperationResult {
            revision: revision.to_owned(),
            source,
            ..Default::default()
        }),
        started_at: work.now,
        finished_at: None,
        retry_count: 0,
    }
}

async fn start(
    work: &Work<'_>,
    memory: &mut Memory,
    wanted: &Wanted,
    operation: Operation,
    taken: bool,
) -> Result<Outcome, Problem> {
    if operation.sync.is_none() {
        let mut state = begin(work, &operation, "");
        finish(
            &mut state,
            OperationPhase::Error,
            "Invalid operation request: no operation specified",
            work.now,
        );
        return Ok(Outcome { state: Some(state), operation_taken: taken, ..Outcome::default() });
    }
    let state = begin(work, &operation, &wanted.manifests.revision);
    store_start(work, memory, wanted, &state, taken).await?;
    let mut outcome = go_on(work, memory, wanted, state, true).await?;
    outcome.operation_taken = false;
    Ok(outcome)
}

/// Stores that the operation runs, and which objects it is about, before the first write to the destination: a
/// controller that is killed in the middle, or an application that is deleted then, loses sight of none.
async fn store_start(
    work: &Work<'_>,
    memory: &mut Memory,
    wanted: &Wanted,
    state: &OperationState,
    taken: bool,
) -> Result<(), Problem> {
    memory.written.clear();
    memory.dry_run_done = None;
    let seen = Seen {
        comparison: Some(&wanted.comparison),
        revisions: vec![wanted.manifests.revision.clone()],
        source_types: vec![wanted.manifests.source_type],
        operation_state: Some(state.clone()),
        problems: wanted.comparison.problems.clone(),
        controller_namespace: &work.shared.options.namespace,
        ..Seen::default()
    };
    let status = compose(&work.app, &seen, work.now);
    let changes = Changes { operation_taken: taken, ..Changes::default() };
    write(work.shared, &work.app, &status, &changes).await
}

pub(super) fn finish(state: &mut OperationState, phase: OperationPhase, message: &str, now: Time) {
    state.phase = phase;
    state.message = message.to_owned();
    state.finished_at = Some(now);
}

/// An operation that was asked for while the application cannot be reconciled at all ends with the reason.
pub(super) fn fail_pending(
    app: &Application,
    problem: &Problem,
    now: Time,
    status: &mut ApplicationStatus,
    changes: &mut Changes,
) {
    let Some(operation) = &app.operation else { return };
    status.operation_state = Some(OperationState {
        operation: operation.clone(),
        phase: OperationPhase::Error,
        message: problem.message.clone(),
        sync_result: None,
        started_at: now,
        finished_at: Some(now),
        retry_count: 0,
    });
    changes.operation_taken = true;
}
