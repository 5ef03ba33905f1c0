//! Knative's operators and services, and KServe's InferenceService, which counts conditions likewise.

use std::fmt::Write;

use serde_json::Value;

use super::{conditions, is, status, text};
use crate::flow::{HealthStatus, Reason};
use crate::object::str_at;

/// Healthy when so many conditions are true; Progressing while one that matters is not known or false.
fn operator(object: &Value, name: &str, wanted: &[&str], may_be_false: &[&str]) -> HealthStatus {
    let Some(conditions) = conditions(object) else {
        return HealthStatus::progressing(format!("Waiting for {name}"));
    };
    if conditions.iter().any(|condition| !condition.is_null() && !is_complete(condition)) {
        return super::needs("type and status of each condition");
    }
    let (mut met, mut open, mut message) = (0, 0, String::new());
    for (index, condition) in conditions.iter().enumerate().filter(|(_, one)| !one.is_null()) {
        let (kind, status) = (text(condition, "type"), text(condition, "status"));
        let _ = writeln!(message, "{}: {kind} | {status}", index + 1);
        if status == "True" && wanted.contains(&kind) {
            met += 1;
        } else if status == "Unknown" || status == "False" && may_be_false.contains(&kind) {
            open += 1;
        }
    }
    if open > 0 {
        HealthStatus::progressing(message)
    } else if met == wanted.len() {
        HealthStatus::healthy(format!("{name} is healthy."))
    } else {
        HealthStatus::degraded(message)
    }
}

/// Whether a condition has a type and a status in words.
pub(super) fn is_complete(condition: &Value) -> bool {
    str_at(condition, &["type"]).is_some() && str_at(condition, &["status"]).is_some()
}

pub(super) fn eventing(object: &Value) -> HealthStatus {
    operator(object, "KnativeEventing", &["Ready", "InstallSucceeded"], &["Ready"])
}

pub(super) fn serving(object: &Value) -> HealthStatus {
    let wanted = ["Ready", "InstallSucceeded", "DependenciesInstalled", "DeploymentsAvailable"];
    operator(object, "KnativeServing", &wanted, &["Ready", "DeploymentsAvailable"])
}

pub(super) fn service(object: &Value) -> HealthStatus {
    let Some(conditions) = conditions(object) else {
        return HealthStatus::progressing("Waiting for status update.");
    };
    let (mut met, mut failed, mut open, mut message) = (0, 0, 0, String::new());
    for condition in conditions {
        let (kind, status) = (text(condition, "type"), text(condition, "status"));
        if status == "True" && matches!(kind, "ConfigurationsReady" | "RoutesReady" | "Ready") {
            met += 1;
        } else if matches!(status, "False" | "Unknown") {
            let (reason, said) = (text(condition, "reason"), text(condition, "message"));
            let since = if reason.is_empty() { String::new() } else { format!(", since {reason}.") };
            let said = if said.is_empty() { String::new() } else { format!(" {said}") };
            let _ = writeln!(message, "{kind} is {status}{since}{said}");
            if status == "False" { failed += 1 } else { open += 1 }
        }
    }
    if met == 3 && failed == 0 && open == 0 {
        HealthStatus::healthy("Knative Service is healthy.")
    } else if failed > 0 {
        HealthStatus::degraded(message)
    } else {
        HealthStatus::progressing(message)
    }
}

pub(super) fn inference_service(object: &Value) -> HealthStatus {
    let waiting = "Waiting for InferenceService to report status...";
    let Some(status) = status(object) else { return HealthStatus::progressing(waiting) };
    let (mut degraded, mut progressing, mut message) = (false, false, String::new());
    if let Some(model) = status.get("modelStatus").filter(|model| !model.is_null()) {
        let Some(transition) = str_at(model, &["transitionStatus"]) else {
            return super::needs("status.modelStatus.transitionStatus");
        };
        if transition != "UpToDate" {
            progressing = transition == "InProgress";
            degraded = !progressing;
            let _ = write!(message, "0: transitionStatus | {transition}");
        }
    }
    let Some(conditions) = conditions(object) else { return HealthStatus::progressing(waiting) };
    let mut all_met = true;
    for (index, condition) in conditions.iter().enumerate().filter(|(_, one)| !one.is_null()) {
        if is(condition, "Stopped", "True") {
            return HealthStatus::suspended("InferenceService is Stopped");
        }
        let (kind, status) = (text(condition, "type"), text(condition, "status"));
        all_met &= status != "Unknown" && (status != "False" || kind == "Stopped");
        if status != "True" && !is_complete(condition) {
            return super::needs("type and status of each condition");
        }
        if status != "True" && kind != "Stopped" {
            let _ = write!(message, " | {}: {kind} | {status}", index + 1);
            for detail in [text(condition, "reason"), text(condition, "message")] {
                if !detail.is_empty() {
                    let _ = write!(message, " | {detail}");
                }
            }
        }
    }
    if all_met && !progressing && !degraded {
        HealthStatus::healthy("InferenceService is healthy.")
    } else if degraded {
        HealthStatus::degraded(message)
    } else {
        HealthStatus::progressing(message).because(Reason::LoadingModel)
    }
}
