//! Ingress: waits for an address.

use serde_json::Value;

use crate::flow::HealthStatus;
use crate::health::field::WrongType;
use crate::object::list_at;

#[expect(clippy::unnecessary_wraps, reason = "the shape of every rule")]
pub(super) fn rule(object: &Value) -> Result<HealthStatus, WrongType> {
    let addresses = list_at(object, &["status", "loadBalancer", "ingress"]);
    Ok(if addresses.is_empty() { HealthStatus::progressing("") } else { HealthStatus::healthy("") })
}
