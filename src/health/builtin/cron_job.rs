//! CronJob: whether its last run ended well.

use serde_json::Value;

use crate::flow::HealthStatus;
use crate::health::field::WrongType;
use crate::object::{at, bool_at, list_at};

#[expect(clippy::unnecessary_wraps, reason = "the shape of every rule")]
pub(super) fn rule(object: &Value) -> Result<HealthStatus, WrongType> {
    if bool_at(object, &["spec", "suspend"]) == Some(true) {
        return Ok(HealthStatus::healthy("CronJob is Suspended"));
    }
    let Some(status) = object.get("status").filter(|status| !status.is_null()) else {
        return Ok(HealthStatus::progressing("Waiting for CronJob"));
    };
    let time = |field: &str| at(status, &[field]).and_then(Value::as_str);
    let Some(scheduled) = time("lastScheduleTime") else {
        return Ok(HealthStatus::healthy("CronJob has not been scheduled yet"));
    };
    let Some(succeeded) = time("lastSuccessfulTime") else {
        let message = "The CronJob never completed successfully. It may not be healthy";
        return Ok(HealthStatus::healthy(message));
    };
    if !list_at(status, &["active"]).is_empty() {
        let message = "The job is running. Its last execution may not have been successful";
        return Ok(HealthStatus::healthy(message));
    }
    // Both are RFC 3339 in UTC, so that the order of the texts is that of the times.
    Ok(if succeeded < scheduled {
        HealthStatus::degraded("CronJob has not completed its last execution successfully")
    } else {
        HealthStatus::healthy("CronJob has completed its last execution successfully")
    })
}
