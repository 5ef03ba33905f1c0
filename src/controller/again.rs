//! When to look at an application again without being told.

use std::time::Duration;

use crate::flow::{Comparison, Next};

use super::Memory;
use super::operation::Outcome;
use super::reconcile::wait_after;

/// At once where something came while a sync ran, soon where too little was seen.
pub(super) fn when_again(
    memory: &mut Memory,
    outcome: &Outcome,
    comparison: &Comparison,
    refreshed: bool,
) -> Option<Duration> {
    // Somebody may have asked for another refresh while the sync ran: both are one annotation, which goes now.
    memory.ask_git = refreshed && outcome.state.is_some();
    if memory.ask_git || is_overtaken(outcome) {
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

/// Whether an operation about something else than Git's newest has ended: what that leaves to do, nobody else would
/// tell before the next poll.
fn is_overtaken(outcome: &Outcome) -> bool {
    outcome.elsewhere && outcome.state.as_ref().is_some_and(|state| state.phase.is_completed())
}
