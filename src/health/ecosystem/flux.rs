//! Flux's sources: they count what succeeded and what is still at work.

use serde_json::Value;

use super::{conditions, needs, text};
use crate::flow::HealthStatus;
use crate::object::{at, bool_at, str_at};

pub(super) fn source(object: &Value) -> HealthStatus {
    if at(object, &["spec"]).is_none_or(Value::is_null) {
        return needs("spec");
    }
    if bool_at(object, &["spec", "suspend"]) == Some(true) {
        return HealthStatus::suspended(format!("{} is suspended", text(object, "kind")));
    }
    let Some(conditions) = conditions(object) else { return HealthStatus::progressing("Status unknown") };
    let (mut at_work, mut succeeded, mut message) = (0, 0, String::new());
    for condition in conditions {
        let reason = text(condition, "reason");
        match (text(condition, "type"), text(condition, "status")) {
            ("Ready", status) => {
                succeeded += i32::from(status == "True");
                at_work += i32::from(status == "Unknown");
                reason.clone_into(&mut message);
            }
            ("Reconciling", "True") => at_work += 1,
            ("ArtifactOutdated", "True") => message = format!("{message} {reason}"),
            ("ArtifactInStorage", "True") => succeeded += 1,
            _ => {}
        }
    }
    if at_work == 2 {
        HealthStatus::progressing(message)
    } else if succeeded == 2 {
        HealthStatus::healthy(message)
    } else {
        HealthStatus::degraded(message)
    }
}

pub(super) fn helm_repository(object: &Value) -> HealthStatus {
    let suspended = bool_at(object, &["spec", "suspend"]) == Some(true);
    if !suspended && str_at(object, &["spec", "type"]) == Some("oci") {
        return HealthStatus::healthy(
            "Helm repositories of type 'oci' do not contain any information in the status.",
        );
    }
    source(object)
}
