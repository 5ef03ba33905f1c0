//! Argo Rollouts: phase where the controller reports one, else conditions, pauses, replicas and the strategy.

use serde_json::Value;

use super::{conditions, has_items, number, status, text};
use crate::flow::{HealthStatus, Reason};
use crate::object::{at, bool_at, str_at};

pub(super) fn rule(object: &Value) -> HealthStatus {
    let Some(status) = status(object).filter(|_| is_observed(object)) else {
        return HealthStatus::progressing("Waiting for rollout spec update to be observed")
            .because(Reason::NotObserved);
    };
    if let Some(phase) = str_at(status, &["phase"]) {
        let message = text(status, "message");
        return match phase {
            "Paused" => HealthStatus::suspended(message),
            _ => phase.parse().map_or_else(
                |_| HealthStatus::unknown("Lua returned an invalid health status"),
                |code| HealthStatus::new(code, message),
            ),
        };
    }
    let Some(conditions) = conditions(object) else { return super::needs("status.conditions") };
    for condition in conditions {
        let failed = match text(condition, "type") {
            "InvalidSpec" => true,
            "Progressing" => {
                matches!(text(condition, "reason"), "RolloutAborted" | "ProgressDeadlineExceeded")
            }
            _ => false,
        };
        if failed {
            return HealthStatus::degraded(text(condition, "message"));
        }
    }
    if has_items(status, &["pauseConditions"]) || bool_at(object, &["spec", "paused"]) == Some(true) {
        return HealthStatus::suspended("Rollout is paused");
    }
    let Some(current) = str_at(status, &["currentPodHash"]) else {
        return HealthStatus::progressing("Waiting for rollout to finish: status has not been reconciled.");
    };
    replicas(object, status)
        .or_else(|| strategy(object, status, current))
        .unwrap_or_else(|| HealthStatus::healthy(""))
}

fn is_observed(object: &Value) -> bool {
    // Older controllers wrote a hash here; a number that is ahead counts as seen.
    let as_number = |path: &[&str]| {
        let value = at(object, path)?;
        value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
    };
    let generation = number(object, &["metadata", "generation"]);
    let seen = as_number(&["status", "observedGeneration"])
        .is_none_or(|observed| generation.is_some_and(|generation| observed >= generation));
    let by_reference = at(object, &["spec", "workloadRef"]).is_some_and(|found| !found.is_null())
        && at(object, &["metadata", "annotations"]).is_some_and(|found| !found.is_null());
    seen && (!by_reference
        || as_number(&["metadata", "annotations", "rollout.argoproj.io/workload-generation"])
            == as_number(&["status", "workloadObservedGeneration"]))
}

fn replicas(object: &Value, status: &Value) -> Option<HealthStatus> {
    let desired = number(object, &["spec", "replicas"]).unwrap_or(1.0);
    let updated = number(status, &["updatedReplicas"]).unwrap_or(0.0);
    let available = number(status, &["availableReplicas"]).unwrap_or(0.0);
    let waiting = if updated < desired {
        "More replicas need to be updated"
    } else if available < updated {
        "updated replicas are still becoming available"
    } else {
        return None;
    };
    Some(rolling_out(format!("Waiting for roll out to finish: {waiting}")))
}

fn strategy(object: &Value, status: &Value, current: &str) -> Option<HealthStatus> {
    let stable =
        str_at(status, &["stableRS"]).or_else(|| str_at(status, &["canary", "stableRS"])).unwrap_or_default();
    let chosen = at(object, &["spec", "strategy"]).unwrap_or(&Value::Null);
    if chosen.get("blueGreen").is_some_and(|found| !found.is_null()) {
        if str_at(status, &["blueGreen", "activeSelector"]) != Some(current) {
            return Some(rolling_out("active service cutover pending"));
        }
        return (!stable.is_empty() && stable != current)
            .then(|| rolling_out("waiting for analysis to complete"));
    }
    if chosen.get("canary").is_none_or(Value::is_null) {
        return None;
    }
    if number(status, &["replicas"]).unwrap_or(0.0) > number(status, &["updatedReplicas"]).unwrap_or(0.0) {
        return Some(rolling_out("Waiting for roll out to finish: old replicas are pending termination"));
    }
    (stable != current).then(|| rolling_out("Waiting for rollout to finish steps"))
}

fn rolling_out(message: impl Into<String>) -> HealthStatus {
    HealthStatus::progressing(message).because(Reason::RollingOut)
}
