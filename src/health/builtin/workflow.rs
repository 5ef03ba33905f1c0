//! Argo Workflow: its phase.

use serde_json::Value;

use crate::flow::HealthStatus;
use crate::health::field::WrongType;
use crate::object::str_at;

#[expect(clippy::unnecessary_wraps, reason = "the shape of every rule")]
pub(super) fn rule(object: &Value) -> Result<HealthStatus, WrongType> {
    let message = str_at(object, &["status", "message"]).unwrap_or_default();
    Ok(match str_at(object, &["status", "phase"]).unwrap_or_default() {
        "" | "Pending" | "Running" => HealthStatus::progressing(message),
        "Succeeded" => HealthStatus::healthy(message),
        "Failed" | "Error" => HealthStatus::degraded(message),
        _ => HealthStatus::unknown(message),
    })
}
