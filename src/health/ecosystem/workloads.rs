//! Workloads of several operators: canaries, Spin applications, collectors, virtual machines.

use serde_json::Value;

use super::{conditions, is, message_or, number, printed, status, text};
use crate::flow::{HealthCode, HealthStatus};
use crate::object::{at, list_at, str_at};

pub(super) fn canary(object: &Value) -> HealthStatus {
    let Some(status) = status(object) else { return HealthStatus::unknown("No status") };
    let weight = status.get("canaryWeight");
    let weight = weight.and_then(|weight| weight.as_f64().or_else(|| weight.as_str()?.parse().ok()));
    let Some(weight) = weight else { return super::needs("status.canaryWeight") };
    let phase = text(status, "phase");
    let mut parts = Vec::new();
    if weight > 0.0 {
        parts.push(format!("Canary Weight: {} %", printed(weight)));
    }
    parts.extend(
        list_at(status, &["conditions"]).iter().map(|condition| text(condition, "message").to_owned()),
    );
    let code = match phase {
        "Failed" => HealthCode::Degraded,
        "Progressing" | "Finalising" | "Promoting" => HealthCode::Progressing,
        "Succeeded" | "Initialized" => HealthCode::Healthy,
        _ => HealthCode::Unknown,
    };
    HealthStatus::new(code, format!("{phase} --- {}", parts.join(" --- ")))
}

pub(super) fn spin_app(object: &Value) -> HealthStatus {
    let Some(status) = status(object) else {
        return HealthStatus::progressing("Waiting for status to be available");
    };
    let (mut available, mut said, mut progressing) = (false, "", None);
    for condition in list_at(status, &["conditions"]) {
        let truth = text(condition, "status");
        match text(condition, "type") {
            "Progressing" if truth == "False" && deployment_failed(condition) => {
                return HealthStatus::degraded(message_or(condition, "Application deployment has failed"));
            }
            "Progressing" if truth == "True" => {
                progressing = Some(message_or(condition, "Application progress status"));
            }
            "Available" => {
                available = truth == "True";
                let otherwise = if available {
                    "Application availability status"
                } else {
                    "Application is not available"
                };
                said = message_or(condition, otherwise);
            }
            _ => {}
        }
    }
    if !available {
        return HealthStatus::degraded(said);
    }
    let ready = number(status, &["readyReplicas"]).unwrap_or(0.0);
    let desired = number(object, &["spec", "replicas"]).unwrap_or(1.0);
    let counts = format!("{}/{}", printed(ready), printed(desired));
    if ready < desired {
        return HealthStatus::progressing(format!("Waiting for replicas to be ready ({counts})"));
    }
    match progressing {
        Some(message) => HealthStatus::progressing(message),
        None => HealthStatus::healthy(format!("Application is healthy with {counts} replicas ready")),
    }
}

fn deployment_failed(condition: &Value) -> bool {
    let message = text(condition, "message").to_lowercase();
    text(condition, "reason") == "ProgressDeadlineExceeded"
        || message.contains("timeout")
        || message.contains("failed")
}

pub(super) fn telemetry_collector(object: &Value) -> HealthStatus {
    let Some(status) = status(object) else {
        return HealthStatus::progressing("Waiting for OpenTelemetry Collector status");
    };
    let mode = str_at(object, &["spec", "mode"]);
    let replicas = at(status, &["scale", "statusReplicas"]).filter(|found| !found.is_null());
    let Some(replicas) = replicas else {
        return if mode == Some("sidecar") {
            HealthStatus::healthy("Collector is running in sidecar mode")
        } else {
            HealthStatus::progressing("Scale status not available")
        };
    };
    let Some((ready, total)) = replicas.as_str().and_then(ready_of_total) else {
        let shown = replicas.as_str().map_or_else(|| replicas.to_string(), str::to_owned);
        return HealthStatus::progressing(format!("Unable to parse replica status: {shown}"));
    };
    match (ready, total) {
        (0, 0) if mode == Some("daemonset") => HealthStatus::healthy("DaemonSet has no eligible nodes (0/0)"),
        (0, _) => HealthStatus::degraded("No replicas are ready"),
        _ if ready == total => HealthStatus::healthy("All replicas are ready"),
        _ => HealthStatus::progressing("Replicas are starting up"),
    }
}

/// Reads the first `1/3` in a text.
fn ready_of_total(text: &str) -> Option<(u64, u64)> {
    text.match_indices('/').find_map(|(at, _)| {
        let (before, after) = (text.get(..at)?, text.get(at + 1..)?);
        let start = before.rfind(|sign: char| !sign.is_ascii_digit()).map_or(0, |end| end + 1);
        let end = after.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(after.len());
        Some((before.get(start..)?.parse().ok()?, after.get(..end)?.parse().ok()?))
    })
}

pub(super) fn virtual_machine(object: &Value) -> HealthStatus {
    let mut health = HealthStatus::progressing("No status available");
    let Some(status) = status(object) else { return health };
    for condition in conditions(object).unwrap_or_default() {
        if is(condition, "Paused", "True") {
            return HealthStatus::suspended("Paused");
        }
        if text(condition, "type") == "Ready" {
            let created =
                status.get("created").is_some_and(|made| !matches!(made, Value::Null | Value::Bool(false)));
            health = match text(condition, "status") {
                "True" => HealthStatus::healthy("Running"),
                _ if created => HealthStatus { message: "Starting".into(), ..health },
                _ => HealthStatus::suspended("Stopped"),
            };
        }
    }
    if let Some(printable) = str_at(status, &["printableStatus"]) {
        health.message = printable.to_owned();
    }
    health
}
