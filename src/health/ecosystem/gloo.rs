//! Gloo: one state, or one per namespace of the controllers, as a word or as a number.

use serde_json::Value;

use super::{status, text};
use crate::flow::{HealthCode, HealthStatus};

pub(super) fn rule(object: &Value) -> HealthStatus {
    let mut health = HealthStatus::progressing("Update in progress");
    let Some(status) = status(object) else { return health };
    let reports: Vec<&Value> = match status.get("statuses") {
        Some(Value::Object(by_namespace)) => by_namespace.values().collect(),
        Some(Value::Array(list)) => list.iter().collect(),
        _ => Vec::new(),
    };
    for report in reports {
        if let Some(told) = told(report) {
            health = told;
            if health.status != HealthCode::Progressing {
                return health;
            }
        }
    }
    if status.get("state").is_some_and(|state| !state.is_null()) {
        return told(status).unwrap_or(health);
    }
    health
}

fn told(report: &Value) -> Option<HealthStatus> {
    let state = report.get("state")?;
    // The controller writes words; older ones wrote the number of the word in its enumeration.
    let numbered = ["Pending", "Accepted", "Rejected", "Warning"];
    let word = state.as_str().or_else(|| {
        let number = crate::object::i64_at(report, &["state"])?;
        numbered.get(usize::try_from(number).ok()?).copied()
    })?;
    match word {
        "Accepted" => Some(HealthStatus::healthy("The resource has been validated")),
        "Pending" => Some(HealthStatus::suspended("The resource has not yet been validated")),
        "Warning" | "Rejected" => Some(HealthStatus::degraded(text(report, "reason"))),
        _ => None,
    }
}
