//! When to look at an application again without being told.

use std::time::Duration;

use crate::api::OperationState;
use crate::flow::{Comparison, Next};

use super::Memory;
use super::operation::Outcome;
use super::reconcile::wait_after;
use super::rendering::Wanted;

/// At once where something came while a sync ran, soon where too little was seen.
pub(super) fn when_again(
    memory: &mut Memory,
    outcome: &Outcome,
    wanted: &Wanted,
    comparison: &Comparison,
    refreshed: bool,
) -> Option<Duration> {
    // Somebody may have asked for another refresh while the sync ran: both are one annotation, which goes now.
    memory.ask_git = refreshed && outcome.state.is_some();
    if memory.ask_git || is_overtaken(outcome, wanted) {
        return Some(Duration::ZERO);
    }
    // A kind that could be listed at last tells nobody: its objects may be just as they were.
    let passing = comparison.problems.iter().find(|problem| problem.next == Next::Retry);
    let Some(problem) = passing else {
        memory.gaps = 0;
        return outcome.again;
    };
    let soon = wait_after(problem, &mut memory.gaps);
    outcome.again.into_iter().chain(soon).min()
}

/// How Git's newest and the cluster compare. What an operation saw last counts only where it is at the newest
/// revision: as Git was when it began says nothing of Git as it is.
pub(super) fn compared<'a>(
    seen: Option<&'a Comparison>,
    state: Option<&OperationState>,
    wanted: &'a Wanted,
) -> &'a Comparison {
    seen.filter(|_| !is_elsewhere(state, wanted)).unwrap_or(&wanted.comparison)
}

/// Whether the operation is about another revision than the newest.
fn is_elsewhere(state: Option<&OperationState>, wanted: &Wanted) -> bool {
    let Some(result) = state.and_then(|state| state.sync_result.as_ref()) else {
        return false;
    };
    let one = std::slice::from_ref(&result.revision);
    let revisions = if result.revisions.is_empty() { one } else { result.revisions.as_slice() };
    revisions.iter().any(|revision| !revision.is_empty()) && revisions != wanted.manifests.all_revisions()
}

/// Whether an operation has ended at another revision than the newest: a commit came while it ran, and nobody else
/// would tell of it before the next poll.
fn is_overtaken(outcome: &Outcome, wanted: &Wanted) -> bool {
    outcome.state.as_ref().is_some_and(|state| state.phase.is_completed())
        && is_elsewhere(outcome.state.as_ref(), wanted)
}
