//! What may hold an operation back from outside: sync windows, and the time limit of a sync.

use std::time::Duration;

use crate::api::{OperationPhase, OperationState};
use crate::flow::{Cause, Problem, Stage};
use crate::project::{WindowQuestion, WindowVerdict, sync_window_verdict};

use super::operation::Outcome;
use super::reconcile::Work;

/// Whether the project's windows let a sync run now. `running` is the operation that has already begun.
pub(super) fn verdict(work: &Work<'_>, manual: bool, running: Option<&OperationState>) -> WindowVerdict {
    let project = work.shared.store.project(&work.shared.options.namespace, work.app.project());
    let Some(project) = project.filter(|project| !project.spec.sync_windows.is_empty()) else {
        return WindowVerdict::Open;
    };
    let question = WindowQuestion {
        application: work.app.name(),
        written: &work.app.spec.destination,
        resolved: &work.destination,
        manual,
        started: running.map(|state| state.started_at),
    };
    sync_window_verdict(&project.spec.sync_windows, &question, work.now)
}

/// The warning that a closed window leaves on the application.
pub(super) fn warning(message: &str) -> Problem {
    Problem::stalled(Stage::Sync, Cause::WindowClosed, message)
}

/// An operation that a closed window holds: it stays as it is and says so. Nothing where it may go on.
pub(super) fn held(work: &Work<'_>, state: &OperationState) -> Option<Outcome> {
    if state.phase == OperationPhase::Terminating {
        return None;
    }
    let manual = !state.operation.initiated_by.automated;
    let verdict = verdict(work, manual, Some(state));
    let wait = verdict.wait(work.now);
    let WindowVerdict::Closed { message, .. } = verdict else { return None };
    let state = OperationState { message: message.clone(), ..state.clone() };
    Some(Outcome {
        state: Some(state),
        problems: vec![warning(&message)],
        again: Some(wait),
        ..Outcome::default()
    })
}

/// How long an operation may still run; nothing where there is no limit.
pub(super) fn time_left(work: &Work<'_>, state: &OperationState) -> Option<Duration> {
    let limit = work.shared.options.sync_timeout.filter(|limit| !limit.is_zero())?;
    Some(limit.saturating_sub(Duration::from_secs(state.started_at.seconds_until(work.now))))
}
