//! Cluster API: machine pools and the control plane of EKS.

use serde_json::Value;

use super::{conditions, is, status, text};
use crate::flow::{HealthCode, HealthStatus, Reason};
use crate::object::{at, str_at};

pub(super) fn machine_pool(object: &Value) -> HealthStatus {
    let phase = str_at(object, &["status", "phase"]);
    let code = match phase {
        Some("Running" | "Scaling") => HealthCode::Healthy,
        Some("Failed" | "Unknown") => HealthCode::Degraded,
        _ => HealthCode::Progressing,
    };
    let mut message = phase.map(|phase| format!("MachinePool is {phase}")).unwrap_or_default();
    let unmet: Vec<String> = conditions(object)
        .unwrap_or_default()
        .iter()
        .filter(|condition| text(condition, "status") == "False")
        .filter_map(|condition| {
            let kind = str_at(condition, &["type"])?;
            Some(match str_at(condition, &["reason"]) {
                Some(reason) => format!("Not {kind} ({reason})"),
                None => format!("Not {kind}"),
            })
        })
        .collect();
    if !unmet.is_empty() {
        message = format!("{message}: {}", unmet.join(", "));
    }
    HealthStatus::new(code, message)
}

pub(super) fn aws_control_plane(object: &Value) -> HealthStatus {
    let Some(status) = status(object) else { return HealthStatus::progressing("Provisioning...") };
    let (generation, observed) = (at(object, &["metadata", "generation"]), status.get("observedGeneration"));
    if generation.is_some() && observed.is_some_and(|found| !found.is_null()) && generation != observed {
        return HealthStatus::progressing("Waiting for the control plane spec to be reconciled")
            .because(Reason::NotObserved);
    }
    if let Some(message) = str_at(status, &["failureMessage"]).filter(|message| !message.is_empty()) {
        return HealthStatus::degraded(message);
    }
    let Some(conditions) = conditions(object) else { return HealthStatus::progressing("Provisioning...") };
    if conditions.iter().any(|condition| is(condition, "EKSControlPlaneUpdating", "True")) {
        return HealthStatus::progressing("EKS control plane is updating");
    }
    let mut errors = String::new();
    for condition in conditions {
        if is(condition, "Ready", "True") {
            return HealthStatus::healthy("Control plane is ready");
        }
        if text(condition, "status") == "False" && text(condition, "severity") == "Error" {
            errors.push_str(text(condition, "message"));
            errors.push(' ');
        }
    }
    if !errors.is_empty() {
        return HealthStatus::degraded(errors);
    }
    if status.get("ready") == Some(&Value::Bool(false)) {
        return HealthStatus::progressing("Control plane is not ready (.status.ready is false)");
    }
    HealthStatus::progressing("Control plane is not ready")
}
