//! Conditions that are ours: one per type, set or taken away as a whole.

use crate::api::{ApplicationStatus, Condition, ConditionType, Time};

/// Sets the one condition of a type, or takes it away. An unchanged one keeps its time; a change moves
/// `reconciledAt`.
pub fn set_note(status: &mut ApplicationStatus, kind: &str, message: Option<String>, now: Time) {
    let before: Vec<&Condition> = status.conditions.iter().filter(|one| one.kind.as_str() == kind).collect();
    let same = match (before.as_slice(), &message) {
        ([], None) => true,
        ([one], Some(message)) => one.message == *message,
        _ => false,
    };
    if same {
        return;
    }
    status.conditions.retain(|one| one.kind.as_str() != kind);
    if let Some(message) = message {
        let condition = Condition {
            kind: ConditionType::Other(kind.to_owned()),
            message,
            last_transition_time: Some(now),
        };
        let place = status.conditions.partition_point(|one| one.kind.as_str() < kind);
        status.conditions.insert(place, condition);
    }
    status.reconciled_at = Some(now);
}
