//! Operations: starting them, stepping through them, ending them.

use std::time::Duration;

use crate::api::{
    Application, ApplicationStatus, Operation, OperationPhase, OperationState, RevisionHistory,
    SyncOperationResult, Time,
};
use crate::flow::{Cause, Comparison, Problem, Stage};
use crate::project::WindowVerdict;
use crate::settings::SyncSettings;
use crate::status::{Seen, compose};
use crate::sync::{
    AWAITING, AutoSync, Rollback, TERMINATED, decide_auto_sync, rolled_back_from, with_rejected,
};

use super::publish::Changes;
use super::reconcile::{Work, write};
use super::rendering::{Asked, Wanted};
use super::stepping::go_on;
use super::{Memory, gate, ledger, rollback, windows};

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
    /// Whether the operation is about something else than the newest state of the spec's sources.
    pub(super) elsewhere: bool,
    /// What is wrong.
    pub(super) problems: Vec<Problem>,
    /// Why the capacity gate holds a wave, where it does.
    pub(super) held: Option<String>,
    /// When to come back.
    pub(super) again: Option<Duration>,
}

/// Without an event, a wait is looked at again after this time.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Goes on with the operation under way, or starts one that was asked for or that the policy wants. Without a source,
/// `wanted` is the last healthy state, and nothing but a rollback to it is started.
pub(super) async fn drive(
    work: &Work<'_>,
    memory: &mut Memory,
    wanted: &Wanted,
    has_source: bool,
) -> Result<Outcome, Problem> {
    let running = work.app.status.operation_state.clone().filter(|state| !state.phase.is_completed());
    if let Some(state) = running {
        return resume(work, memory, wanted, state).await;
    }
    if let Some(operation) = &work.app.operation {
        return start(work, memory, wanted, operation.clone(), true).await;
    }
    let later = match rollback::decide(work, memory, wanted).await {
        Rollback::Start { operation, .. } => return start(work, memory, wanted, *operation, false).await,
        Rollback::Later(after) => Some(after),
        Rollback::No => None,
    };
    let outcome = if has_source {
        by_policy(work, memory, wanted).await?
    } else {
        Outcome { again: Some(LOOK_AGAIN), ..Outcome::default() }
    };
    let again = rollback::earlier(outcome.again, later);
    Ok(Outcome { again, ..outcome })
}

/// What the policy wants: to try again what failed, or to sync what is out of sync.
async fn by_policy(work: &Work<'_>, memory: &mut Memory, wanted: &Wanted) -> Result<Outcome, Problem> {
    if let Some(outcome) = retry(work, memory, wanted).await? {
        return Ok(outcome);
    }
    match decide_auto_sync(&work.app, &wanted.comparison, wanted.manifests.all_revisions(), work.now) {
        AutoSync::Start(operation) => match windows::verdict(work, false, None) {
            WindowVerdict::Open => match memory.ledger.restrain(*operation) {
                Ok(operation) => start(work, memory, wanted, operation, false).await,
                Err(pause) => Ok(Outcome { again: Some(pause), ..Outcome::default() }),
            },
            closed => Ok(closed_window(work, &closed)),
        },
        AutoSync::Later(after) => Ok(Outcome { again: Some(after), ..Outcome::default() }),
        AutoSync::Blocked(problem) => Ok(Outcome { problems: vec![problem], ..Outcome::default() }),
        AutoSync::No => Ok(Outcome::default()),
    }
}

/// Goes on with an operation, unless a window closed in the meantime; ends it where its time is over.
async fn resume(
    work: &Work<'_>,
    memory: &mut Memory,
    wanted: &Wanted,
    mut state: OperationState,
) -> Result<Outcome, Problem> {
    if let Some(held) = windows::held(work, &state) {
        return Ok(held);
    }
    let newest = wanted.manifests.all_revisions();
    if is_superseded(&state, newest) {
        let message = format!("superseded by revision {} while it waited", newest.join(","));
        finish(&mut state, OperationPhase::Failed, &message, work.now);
        return Ok(Outcome { state: Some(state), again: Some(Duration::ZERO), ..Outcome::default() });
    }
    let left = windows::time_left(work, &state);
    if left.is_some_and(|left| left.is_zero()) {
        state.phase = OperationPhase::Terminating;
        "operation is terminating due to timeout".clone_into(&mut state.message);
    }
    let mut outcome = go_on(work, memory, wanted, state, false).await?;
    if outcome.state.as_ref().is_some_and(|state| !state.phase.is_completed())
        && let Some(left) = left.filter(|left| !left.is_zero())
    {
        outcome.again = Some(outcome.again.map_or(left, |again| again.min(left)));
    }
    Ok(outcome)
}

/// Whether an automated operation waits for a confirmation, or for capacity, that a newer commit has made pointless. One
/// that goes back to an older revision waits on purpose.
fn is_superseded(state: &OperationState, newest: &[String]) -> bool {
    let Some(result) = &state.sync_result else { return false };
    let single = std::slice::from_ref(&result.revision);
    let pinned = if result.revisions.is_empty() { single } else { result.revisions.as_slice() };
    state.operation.initiated_by.automated
        && rolled_back_from(&state.operation).is_none()
        && state.phase == OperationPhase::Running
        && (state.message.starts_with(AWAITING) || state.message.starts_with(gate::HELD))
        && pinned.iter().any(|revision| !revision.is_empty())
        && pinned != newest
}

fn closed_window(work: &Work<'_>, verdict: &WindowVerdict) -> Outcome {
    let WindowVerdict::Closed { message, .. } = verdict else { return Outcome::default() };
    Outcome {
        problems: vec![windows::warning(message)],
        again: Some(verdict.wait(work.now)),
        ..Outcome::default()
    }
}

/// An operation that failed and may be tried again: the newest revision replaces the one that it was pinned to.
async fn retry(work: &Work<'_>, memory: &mut Memory, wanted: &Wanted) -> Result<Option<Outcome>, Problem> {
    let Some(state) = work.app.status.operation_state.clone() else { return Ok(None) };
    let failed = matches!(state.phase, OperationPhase::Failed | OperationPhase::Error);
    let terminated = state.message.starts_with(TERMINATED);
    if !failed || terminated || !state.operation.retry.allows(state.retry_count) {
        return Ok(None);
    }
    let wait = state.operation.retry.wait_before(state.retry_count).unwrap_or(LOOK_AGAIN);
    let passed = state.finished_at.unwrap_or(state.started_at).seconds_until(work.now);
    let rest = wait.saturating_sub(Duration::from_secs(passed));
    let mut result = state.sync_result.clone().unwrap_or_default();
    let automated = state.operation.initiated_by.automated;
    let keeps = SyncSettings::read(&work.shared.store.argocd_cm().data).retry_keeps_revision
        || rolled_back_from(&state.operation) == Some(&wanted.manifests.revision);
    let manifests = &wanted.manifests;
    let is_same = (&result.revision, &result.revisions) == (&manifests.revision, &manifests.revisions);
    if automated && !keeps && !is_same {
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
    let window = windows::verdict(work, !automated, Some(&state));
    if window != WindowVerdict::Open {
        let mut outcome = closed_window(work, &window);
        outcome.problems.push(last_failure(&state));
        return Ok(Some(outcome));
    }
    let mut operation = state.operation.clone();
    if let Some(sync) = operation.sync.as_mut().filter(|_| state.operation.retry.refresh) {
        sync.revision.clear();
        sync.revisions.clear();
        result.revision.clear();
        result.revisions.clear();
    }
    let mut next = begin(work, &operation);
    if let Some(begun) = next.sync_result.as_mut() {
        (begun.revision, begun.revisions) = (result.revision, result.revisions);
    }
    next.retry_count = state.retry_count.saturating_add(1);
    store_start(work, memory, wanted, &next, false).await?;
    go_on(work, memory, wanted, next, true).await.map(Some)
}

fn last_failure(state: &OperationState) -> Problem {
    let message = format!("Failed sync attempt: {} (it is tried again)", state.message);
    Problem::stalled(Stage::Sync, Cause::ObjectRefused, message)
}

/// The sources of an operation that begins: its own, or those of the spec; and the revisions that it names.
fn begin(work: &Work<'_>, operation: &Operation) -> OperationState {
    let spec = &work.app.spec;
    let sync = operation.sync.clone().unwrap_or_default();
    let named = !sync.sources.is_empty() || sync.source.is_some();
    let (source, sources) = if named {
        (sync.source, sync.sources)
    } else {
        (spec.first_source().cloned(), spec.sources.clone())
    };
    let mut revisions = sync.revisions;
    // One revision for several sources is that of the first.
    if !sources.is_empty() && revisions.is_empty() && !sync.revision.is_empty() {
        revisions = sources.iter().map(|source| source.target_revision.clone()).collect();
        if let Some(first) = revisions.first_mut() {
            first.clone_from(&sync.revision);
        }
    }
    OperationState {
        operation: operation.clone(),
        phase: OperationPhase::Running,
        message: "waiting to start".into(),
        sync_result: Some(SyncOperationResult {
            revision: sync.revision,
            source: source.unwrap_or_default(),
            sources,
            revisions,
            ..Default::default()
        }),
        started_at: work.now,
        finished_at: None,
        retry_count: 0,
    }
}

/// An operation that wants what the spec wants is about the revisions that were just compared, whatever is pushed while
/// it runs.
fn pin(work: &Work<'_>, wanted: &Wanted, state: &mut OperationState) {
    let Some(result) = state.sync_result.as_mut() else { return };
    if Asked::of_spec(&work.app).is_ok_and(|spec| Asked::of_result(result) == spec) {
        result.revision.clone_from(&wanted.manifests.revision);
        result.revisions.clone_from(&wanted.manifests.revisions);
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
        let mut state = begin(work, &operation);
        finish(
            &mut state,
            OperationPhase::Error,
            "Invalid operation request: no operation specified",
            work.now,
        );
        return Ok(Outcome { state: Some(state), operation_taken: taken, ..Outcome::default() });
    }
    let mut state = begin(work, &operation);
    if let Some(held) = windows::held(work, &state) {
        // It takes the newest revision when the window opens.
        return Ok(Outcome { operation_taken: taken, ..held });
    }
    pin(work, wanted, &mut state);
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
    memory.gate_said = None;
    let result = state.sync_result.clone().unwrap_or_default();
    ledger::note_revisions(work, &mut memory.ledger, &result).await;
    let seen = Seen {
        drift: Some(memory.ledger.entries.clone()),
        revisions_made: Some(memory.ledger.revisions.clone()),
        comparison: Some(&wanted.comparison),
        revisions: wanted.manifests.all_revisions().to_vec(),
        source_types: wanted.manifests.source_types.clone(),
        operation_state: Some(state.clone()),
        extension: rolled_back_from(&state.operation).map(|rejected| {
            let mut extension = work.app.extension_state();
            extension.rejected_revisions = with_rejected(&extension.rejected_revisions, rejected);
            extension
        }),
        problems: wanted.comparison.problems.iter().chain(&wanted.notes).cloned().collect(),
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

/// An operation that was asked for while the application cannot be reconciled at all ends with the reason. One that
/// runs goes on when a problem may pass by itself, and ends where the application may no longer do what it does.
pub(super) fn fail_pending(
    app: &Application,
    problem: &Problem,
    now: Time,
    status: &mut ApplicationStatus,
    changes: &mut Changes,
) {
    let running = status.operation_state.as_mut().filter(|state| !state.phase.is_completed());
    if let Some(state) = running {
        if problem.cause == Cause::NotPermitted {
            finish(state, OperationPhase::Error, &problem.message, now);
        }
        return;
    }
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
