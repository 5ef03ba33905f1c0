//! APIService: whether the aggregated API answers.

use serde_json::Value;

use crate::flow::HealthStatus;
use crate::health::field::{WrongType, conditions, mapping};

pub(super) fn rule(object: &Value) -> Result<HealthStatus, WrongType> {
    let conditions = conditions(mapping(object, "status")?)?;
    let Some(available) = conditions.iter().find(|condition| condition.kind == "Available") else {
        return Ok(HealthStatus::progressing("Waiting to be processed"));
    };
    let message = format!("{}: {}", available.reason, available.message);
    Ok(if available.status == "True" {
        HealthStatus::healthy(message)
    } else {
        HealthStatus::progressing(message)
    })
}
