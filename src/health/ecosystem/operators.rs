//! Operators: subscriptions of OLM, Grafana's dashboards, routes of OpenShift.

use std::fmt::Write;

use serde_json::Value;

use super::{conditions, is, text};
use crate::flow::{HealthCode, HealthStatus};
use crate::object::{at, list_at, str_at};

pub(super) fn subscription(object: &Value) -> HealthStatus {
    let Some(conditions) = conditions(object) else {
        return HealthStatus::progressing("An install plan for a subscription is pending installation");
    };
    let by_hand = waits_for_approval(object, conditions);
    let (mut degraded, mut pending, mut message) = (0, 0, String::new());
    for (index, condition) in conditions.iter().enumerate().filter(|(_, one)| !one.is_null()) {
        let (kind, status) = (text(condition, "type"), text(condition, "status"));
        if by_hand && kind == "InstallPlanPending" {
            continue;
        }
        if !super::knative::is_complete(condition) {
            return super::needs("type and status of each condition");
        }
        let _ = writeln!(message, "{}: {kind} | {status}", index + 1);
        match kind {
            "InstallPlanPending" if status == "True" => pending += 1,
            "InstallPlanMissing" if text(condition, "reason") != "ReferencedInstallPlanNotFound" => {
                degraded += 1
            }
            "CatalogSourcesUnhealthy" | "InstallPlanFailed" | "ResolutionFailed" if status == "True" => {
                degraded += 1;
            }
            _ => {}
        }
    }
    let state = str_at(object, &["status", "state"]);
    match state {
        None | Some("" | "UpgradeAvailable") => pending += 1,
        Some("UpgradePending") if !by_hand => pending += 1,
        Some("UpgradeFailed") => degraded += 1,
        _ => {}
    }
    let _ = match state {
        None => writeln!(message, ".status.state not yet known"),
        Some("UpgradePending") if by_hand => writeln!(
            message,
            ".status.state is 'UpgradePending' (manual InstallPlan approval pending; treated as healthy)"
        ),
        Some(state) => writeln!(message, ".status.state is '{state}'"),
    };
    let code = match (degraded, pending) {
        (0, 0) => HealthCode::Healthy,
        (0, _) => HealthCode::Progressing,
        _ => HealthCode::Degraded,
    };
    HealthStatus::new(code, message)
}

/// An upgrade of an installed operator that somebody has to approve is as it should be.
fn waits_for_approval(object: &Value, conditions: &[Value]) -> bool {
    let manual = str_at(object, &["spec", "installPlanApproval"]) == Some("Manual");
    let installed = at(object, &["status", "installedCSV"]).is_some_and(|name| !name.is_null());
    manual
        && installed
        && conditions.iter().any(|condition| {
            is(condition, "InstallPlanPending", "True") && text(condition, "reason") == "RequiresApproval"
        })
}

/// Grafana's dashboards and folders: all conditions in one message, the first false one decides.
pub(super) fn grafana(object: &Value) -> HealthStatus {
    let (mut code, mut message) = (HealthCode::Progressing, String::new());
    for condition in conditions(object).unwrap_or_default() {
        let Some(status) = str_at(condition, &["status"]) else { continue };
        if !message.is_empty() {
            message.push_str(", ");
        }
        if let Some(reason) = str_at(condition, &["reason"]) {
            message.push_str(reason);
            if let Some(kind) = str_at(condition, &["type"]) {
                let _ = write!(message, " for {kind}");
                if let Some(said) = str_at(condition, &["message"]) {
                    let _ = write!(message, " because {said}");
                }
            }
        }
        match status {
            "False" => return HealthStatus::degraded(message),
            "True" => code = HealthCode::Healthy,
            _ => {}
        }
    }
    HealthStatus::new(code, message)
}

pub(super) fn route(object: &Value) -> HealthStatus {
    let Some(ingress) = at(object, &["status", "ingress"]).and_then(Value::as_array) else {
        return HealthStatus::progressing("Route is still getting admitted");
    };
    let admitted = |status: &str| {
        let all = ingress.iter().flat_map(|entry| list_at(entry, &["conditions"]));
        all.filter(|condition| is(condition, "Admitted", status)).count()
    };
    if admitted("True") == ingress.len() {
        HealthStatus::healthy("Route is healthy")
    } else if admitted("False") > 0 {
        HealthStatus::degraded("Route is degraded")
    } else {
        HealthStatus::progressing("Route is still getting admitted")
    }
}
