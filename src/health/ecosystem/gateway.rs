//! Gateway API: gateways, routes and policies, whose conditions stand under parents, listeners and ancestors.

use serde_json::Value;

use super::{has_items, is, message_or, status, text};
use crate::flow::HealthStatus;
use crate::object::{at, list_at, str_at};

/// What one list of conditions says: a failure, that something is not programmed yet, or nothing to complain about.
fn judge(conditions: &[Value], prefix: &str, programming: &str) -> Option<HealthStatus> {
    for kind in ["ResolvedRefs", "Accepted"] {
        if let Some(failed) = conditions.iter().find(|condition| is(condition, kind, "False")) {
            let otherwise = format!("Failed condition: {kind}");
            return Some(HealthStatus::degraded(format!("{prefix}{}", message_or(failed, &otherwise))));
        }
    }
    let waiting = conditions
        .iter()
        .find(|condition| text(condition, "type") == "Programmed" && text(condition, "status") != "True")?;
    Some(HealthStatus::progressing(format!("{prefix}{}", message_or(waiting, programming))))
}

fn parent_name<'a>(entry: &'a Value, reference: &str) -> &'a str {
    str_at(entry, &[reference, "name"]).unwrap_or_default()
}

/// Whether every condition that names a generation names the newest.
fn is_observed(object: &Value, conditions: &[Value]) -> bool {
    let Some(generation) = at(object, &["metadata", "generation"]) else { return true };
    !conditions.is_empty()
        && conditions
            .iter()
            .filter_map(|condition| condition.get("observedGeneration"))
            .all(|observed| observed == generation)
}

fn route(object: &Value, kind: &str, by_generation: bool) -> HealthStatus {
    let mut healthy = false;
    for parent in list_at(object, &["status", "parents"]) {
        let Some(conditions) = parent.get("conditions").and_then(Value::as_array) else { continue };
        if by_generation && !is_observed(object, conditions) {
            continue;
        }
        let prefix = format!("Parent {}: ", parent_name(parent, "parentRef"));
        if let Some(health) = judge(conditions, &prefix, "Route is still being programmed") {
            return health;
        }
        healthy |= !conditions.is_empty();
    }
    if healthy {
        HealthStatus::healthy(format!("{kind} is healthy"))
    } else {
        HealthStatus::progressing(format!("Waiting for {kind} status"))
    }
}

pub(super) fn grpc_route(object: &Value) -> HealthStatus {
    route(object, "GRPCRoute", false)
}

pub(super) fn http_route(object: &Value) -> HealthStatus {
    route(object, "HTTPRoute", true)
}

pub(super) fn gateway(object: &Value) -> HealthStatus {
    let own = super::conditions(object);
    if let Some(health) = judge(own.unwrap_or_default(), "", "Gateway is still being programmed") {
        return health;
    }
    for listener in list_at(object, &["status", "listeners"]) {
        let conditions = list_at(listener, &["conditions"]);
        if let Some(health) = judge(conditions, "Listener: ", "Listener is still being programmed") {
            return health;
        }
    }
    if own.is_some() || has_items(object, &["status", "listeners"]) {
        HealthStatus::healthy("Gateway is healthy")
    } else {
        HealthStatus::progressing("Waiting for Gateway status")
    }
}

/// One ancestor's conditions: a failure, or whether it accepts the policy.
#[allow(
    clippy::result_large_err,
    reason = "a health status is what a failure is here, and is made once per object"
)]
fn ancestor(entry: &Value) -> Result<bool, HealthStatus> {
    let mut accepted = false;
    for condition in list_at(entry, &["conditions"]) {
        if matches!(text(condition, "type"), "Accepted" | "ResolvedRefs") {
            if text(condition, "status") != "True" {
                let (name, message) = (parent_name(entry, "ancestorRef"), text(condition, "message"));
                return Err(HealthStatus::degraded(format!("Ancestor {name}: {message}")));
            }
            accepted |= text(condition, "type") == "Accepted";
        }
    }
    Ok(accepted)
}

/// The first ancestor that has not seen the newest generation. Conditions without a generation are stale if `strict`.
fn stale_ancestor(object: &Value, strict: bool) -> Option<&str> {
    let generation = at(object, &["metadata", "generation"])?;
    let stale = |condition: &Value| match condition.get("observedGeneration") {
        Some(observed) => observed != generation,
        None => strict,
    };
    let ancestors = list_at(object, &["status", "ancestors"]);
    let found = ancestors.iter().find(|entry| list_at(entry, &["conditions"]).iter().any(stale))?;
    Some(parent_name(found, "ancestorRef"))
}

pub(super) fn backend_tls_policy(object: &Value) -> HealthStatus {
    if let Some(name) = stale_ancestor(object, false) {
        let message = format!("Waiting for Ancestor {name} to update BackendTLSPolicy status");
        return HealthStatus::progressing(message);
    }
    let mut healthy = false;
    for entry in list_at(object, &["status", "ancestors"]) {
        match ancestor(entry) {
            Ok(accepted) => healthy |= accepted,
            Err(health) => return health,
        }
    }
    if healthy {
        HealthStatus::healthy("BackendTLSPolicy is healthy")
    } else {
        HealthStatus::progressing("Waiting for BackendTLSPolicy status")
    }
}

/// Airlock Microgateway: policies report per ancestor, other kinds have nothing to report.
pub(super) fn microgateway(object: &Value) -> HealthStatus {
    let kind = text(object, "kind");
    if !kind.ends_with("Policy") {
        return HealthStatus::healthy(format!("{kind} is healthy"));
    }
    if status(object).is_some()
        && let Some(name) = stale_ancestor(object, true)
    {
        return HealthStatus::progressing(format!("Waiting for Ancestor {name} to update {kind} status"));
    }
    let mut health = HealthStatus::progressing(format!("Waiting for {kind} status"));
    for entry in list_at(object, &["status", "ancestors"]) {
        health = match ancestor(entry) {
            Ok(true) => HealthStatus::healthy(format!("{kind} is healthy")),
            Ok(false) => {
                let name = parent_name(entry, "ancestorRef");
                HealthStatus::degraded(format!("Ancestor {name}: {kind} is not accepted"))
            }
            Err(failed) => return failed,
        };
    }
    health
}
