//! Job: complete, failed, suspended, or at work. A job that Kueue holds back waits in a queue: it is not suspended
//! by anybody's wish.

use serde_json::Value;

use crate::flow::{HealthStatus, Reason};
use crate::health::field::{WrongType, boolean, conditions, mapping};
use crate::object::str_at;

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
    let queued = (suspended || boolean(mapping(object, "spec")?, "suspend")?) && is_managed_by_kueue(object);
    if queued && failed.is_none() {
        let message = if message.is_empty() { "queued by Kueue" } else { message };
        return Ok(HealthStatus::progressing(message).because(Reason::QueuedByKueue));
    }
    Ok(match failed {
        _ if !finished => HealthStatus::progressing(message),
        Some((said, "DeadlineExceeded")) => HealthStatus::degraded(said).because(Reason::DeadlineExceeded),
        Some((said, _)) => HealthStatus::degraded(said),
        None if suspended => HealthStatus::suspended(message),
        None => HealthStatus::healthy(message),
    })
}

/// Whether Kueue decides when a job runs: by its label, or as the job's manager.
fn is_managed_by_kueue(object: &Value) -> bool {
    let label = str_at(object, &["metadata", "labels", "kueue.x-k8s.io/queue-name"]);
    let manager = str_at(object, &["spec", "managedBy"]);
    label.is_some_and(|name| !name.is_empty())
        || manager.is_some_and(|name| name.starts_with("kueue.x-k8s.io/"))
}
