//! Service: one of type LoadBalancer waits for an address, every other is healthy.

use serde_json::Value;

use crate::flow::HealthStatus;
use crate::health::field::{WrongType, list, mapping, string};

pub(super) fn rule(object: &Value) -> Result<HealthStatus, WrongType> {
    let (spec, status) = (mapping(object, "spec")?, mapping(object, "status")?);
    let addresses = list(mapping(status, "loadBalancer")?, "ingress")?;
    let waits = string(spec, "type")? == "LoadBalancer" && addresses.is_empty();
    Ok(if waits { HealthStatus::progressing("") } else { HealthStatus::healthy("") })
}
