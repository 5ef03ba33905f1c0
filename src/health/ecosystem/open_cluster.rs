//! Open Cluster Management: policies, and which clusters or templates do not comply.

use serde_json::Value;

use super::{has_items, status, text};
use crate::flow::{HealthCode, HealthStatus};
use crate::object::{at, list_at, str_at};

fn compliance(status: &Value) -> Option<HealthCode> {
    let word = status.get("compliant").filter(|word| !word.is_null())?;
    Some(if word == "Compliant" { HealthCode::Healthy } else { HealthCode::Degraded })
}

pub(super) fn configuration_policy(object: &Value) -> HealthStatus {
    let found = status(object).and_then(|status| Some((status, compliance(status)?)));
    let Some((status, code)) = found else {
        return HealthStatus::progressing("Waiting for the status to be reported");
    };
    if status.get("lastEvaluatedGeneration") != at(object, &["metadata", "generation"]) {
        return HealthStatus::progressing("Waiting for the status to be updated");
    }
    let Some(details) = status.get("compliancyDetails").and_then(Value::as_array) else {
        return HealthStatus::progressing("Waiting for compliance");
    };
    let messages: Vec<String> = details
        .iter()
        .flat_map(|detail| list_at(detail, &["conditions"]))
        .filter_map(|condition| {
            Some(format!("{} - {}", str_at(condition, &["type"])?, str_at(condition, &["message"])?))
        })
        .collect();
    HealthStatus::new(code, messages.join("; "))
}

pub(super) fn policy(object: &Value) -> HealthStatus {
    let disabled = at(object, &["spec", "disabled"]);
    if disabled.is_some_and(|value| !matches!(value, Value::Null | Value::Bool(false))) {
        return HealthStatus::healthy("Policy is disabled");
    }
    let waiting = || HealthStatus::progressing("Waiting for the status to be reported");
    let Some(status) = status(object) else { return waiting() };
    let Some(code) = compliance(status) else {
        let nowhere = status.get("status").is_none_or(Value::is_null) && has_items(status, &["placement"]);
        return if nowhere { HealthStatus::healthy("No clusters match this policy") } else { waiting() };
    };
    let failing = |list: &str, name: &[&str]| -> Option<Vec<String>> {
        let entries = status.get(list)?.as_array()?;
        let failing = entries.iter().filter(|entry| text(entry, "compliant") != "Compliant");
        Some(failing.filter_map(|entry| str_at(entry, name)).map(str::to_owned).collect())
    };
    let (what, names) = match failing("status", &["clustername"]) {
        Some(names) => ("clusters", Some(names)),
        None => ("templates", failing("details", &["templateMeta", "name"])),
    };
    let message = match names {
        Some(names) if names.is_empty() => format!("All {what} are compliant"),
        Some(names) => format!("NonCompliant {what}: {}", names.join(", ")),
        None => String::new(),
    };
    HealthStatus::new(code, message)
}
