//! Job: complete, failed, suspended, or at work.

use serde_json::Value;

use crate::flow::{HealthStatus, Reason};
use crate::health::field::{WrongType, conditions, mapping};

pub(super) fn rule(object: &Value) -> Result<HealthStatus, WrongType> {
    let status = mapping(object, "status")?;
    let (mut failed, mut finished, mut suspended) = (None, false, false);
    let mut message = "";
    for condition in conditions(status)? {
        match condition.kind {
            "Failed" => {
                failed = Some((condition.message, condition.reason));
                finished = true;
            }
            "Complete" => {
                message = condition.message;
                finished = true;
            }
            // A Suspended condition also ends the wait when it says False: so does Argo CD, whatever the job does next.
            "Suspended" => {
                message = condition.message;
                finished = true;
                suspended |= condition.status == "True";
            }
            _ => {}
        }
    }
    Ok(match failed {
        _ if !finished => HealthStatus::progressing(message),
        Some((said, "DeadlineExceeded")) => HealthStatus::degraded(said).because(Reason::DeadlineExceeded),
        Some((said, _)) => HealthStatus::degraded(said),
        None if suspended => HealthStatus::suspended(message),
        None => HealthStatus::healthy(message),
    })
}
