//! Deployment: paused, past its progress deadline, or how far its roll-out is.

use serde_json::Value;

use crate::flow::{HealthStatus, Reason};
use crate::health::field::{WrongType, boolean, conditions, count, integer, mapping, string};

pub(super) fn rule(object: &Value) -> Result<HealthStatus, WrongType> {
    let (metadata, spec, status) =
        (mapping(object, "metadata")?, mapping(object, "spec")?, mapping(object, "status")?);
    let name = string(metadata, "name")?;
    let wanted = integer(spec, "replicas")?;
    let replicas = count(status, "replicas")?;
    let updated = count(status, "updatedReplicas")?;
    let available = count(status, "availableReplicas")?;
    let conditions = conditions(status)?;
    let (generation, observed) = super::generations(object, status)?;

    if boolean(spec, "paused")? {
        return Ok(HealthStatus::suspended("Deployment is paused"));
    }
    if generation > observed {
        let message =
            "Waiting for rollout to finish: observed deployment generation less than desired generation";
        return Ok(HealthStatus::progressing(message).because(Reason::NotObserved));
    }
    let progressing = conditions.iter().find(|condition| condition.kind == "Progressing");
    if progressing.is_some_and(|condition| condition.reason == "ProgressDeadlineExceeded") {
        let message = format!("Deployment {name:?} exceeded its progress deadline");
        return Ok(HealthStatus::degraded(message).because(Reason::DeadlineExceeded));
    }
    let waiting = match wanted {
        Some(wanted) if updated < wanted => {
            Some(format!("{updated} out of {wanted} new replicas have been updated..."))
        }
        _ if replicas > updated => {
            Some(format!("{} old replicas are pending termination...", replicas.saturating_sub(updated)))
        }
        _ if available < updated => {
            Some(format!("{available} of {updated} updated replicas are available..."))
        }
        _ => None,
    };
    Ok(match waiting {
        Some(waiting) => HealthStatus::progressing(format!("Waiting for rollout to finish: {waiting}"))
            .because(Reason::RollingOut),
        None => HealthStatus::healthy(""),
    })
}
