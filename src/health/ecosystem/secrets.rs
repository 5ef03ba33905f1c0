//! Secrets and identities whose rules read more than a table can say.

use serde_json::Value;

use super::{conditions, is, status, text};
use crate::flow::HealthStatus;
use crate::object::str_at;

/// External Secrets: only the newest condition, the last of the list, counts.
pub(super) fn cluster_external_secret(object: &Value) -> HealthStatus {
    let Some(conditions) = conditions(object) else {
        return HealthStatus::progressing("Waiting for ClusterExternalSecret");
    };
    let Some(last) = conditions.last() else { return super::needs("a condition") };
    if is(last, "Ready", "True") {
        HealthStatus::healthy(text(last, "message"))
    } else if is(last, "PartiallyReady", "True") || is(last, "NotReady", "True") {
        HealthStatus::degraded(text(last, "message"))
    } else {
        HealthStatus::progressing("Waiting for ClusterExternalSecret")
    }
}

/// Kubernetes External Secrets: the status is a word, or an error in words.
pub(super) fn external_secret(object: &Value) -> HealthStatus {
    let waiting = "Waiting for ExternalSecret.";
    let Some(status) = status(object) else { return HealthStatus::progressing(waiting) };
    match str_at(status, &["status"]) {
        None => super::needs("status.status"),
        Some("SUCCESS") => HealthStatus::healthy("Fetched ExternalSecret."),
        Some(error) if error.starts_with("ERROR") => HealthStatus::degraded(error.replace("ERROR, ", "")),
        Some(_) => HealthStatus::progressing(waiting),
    }
}

/// Keycloak: the oldest of the conditions that tell decides.
pub(super) fn keycloak(object: &Value) -> HealthStatus {
    let Some(conditions) = conditions(object) else {
        return HealthStatus::progressing("Waiting for Keycloak status conditions to exist");
    };
    let mut sorted: Vec<&Value> = conditions.iter().collect();
    sorted.sort_by_key(|condition| {
        let changed = str_at(condition, &["lastTransitionTime"]);
        (changed.is_none(), changed)
    });
    for condition in sorted {
        if is(condition, "Ready", "True") {
            return HealthStatus::healthy("");
        }
        if is(condition, "HasErrors", "True") {
            return HealthStatus::degraded(format!("Has Errors: {}", text(condition, "message")));
        }
    }
    HealthStatus::progressing("")
}
