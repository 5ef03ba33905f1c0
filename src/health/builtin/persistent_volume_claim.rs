//! PersistentVolumeClaim: its phase.

use serde_json::Value;

use crate::flow::{HealthStatus, Reason};
use crate::health::field::{WrongType, mapping, string};

pub(super) fn rule(object: &Value) -> Result<HealthStatus, WrongType> {
    Ok(match string(mapping(object, "status")?, "phase")? {
        "Lost" => HealthStatus::degraded(""),
        "Pending" => HealthStatus::progressing("").because(Reason::WaitingForVolume),
        "Bound" => HealthStatus::healthy(""),
        _ => HealthStatus::unknown(""),
    })
}
