//! Conditions keep the time at which they appeared.

use crate::api::{Condition, ConditionType, Time};
use crate::flow::Problem;

/// The longest message of a condition, in characters: status is bounded.
const LONGEST: usize = 2000;

/// Conditions from problems. A condition that was there with the same message keeps its time; conditions of types
/// that are not ours to evaluate stay.
pub fn merge_conditions(
    before: &[Condition],
    problems: &[Problem],
    evaluated: &[ConditionType],
    now: Time,
) -> Vec<Condition> {
    let mut merged: Vec<Condition> =
        before.iter().filter(|condition| !evaluated.contains(&condition.kind)).cloned().collect();
    for problem in problems {
        let kind = problem.condition();
        let message = shorten(&problem.message);
        if merged.iter().any(|known| known.kind == kind && known.message == message) {
            continue;
        }
        let since = before
            .iter()
            .find(|known| known.kind == kind && known.message == message)
            .and_then(|known| known.last_transition_time);
        merged.push(Condition { kind, message, last_transition_time: Some(since.unwrap_or(now)) });
    }
    merged.sort_by(|left, right| (&left.kind, &left.message).cmp(&(&right.kind, &right.message)));
    merged
}

fn shorten(message: &str) -> String {
    if message.chars().count() <= LONGEST {
        return message.to_owned();
    }
    let cut: String = message.chars().take(LONGEST).collect();
    format!("{cut}…")
}
