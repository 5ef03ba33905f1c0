//! ReplicaSet: whether pods can be made, and how many are available.

use serde_json::Value;

use crate::flow::{HealthStatus, Reason};
use crate::health::field::{WrongType, conditions, count, integer, mapping};

pub(super) fn rule(object: &Value) -> Result<HealthStatus, WrongType> {
    let (spec, status) = (mapping(object, "spec")?, mapping(object, "status")?);
    let wanted = integer(spec, "replicas")?;
    let available = count(status, "availableReplicas")?;
    let conditions = conditions(status)?;
    let (generation, observed) = super::generations(object, status)?;

    if generation > observed {
        let message =
            "Waiting for rollout to finish: observed replica set generation less than desired generation";
        return Ok(HealthStatus::progressing(message).because(Reason::NotObserved));
    }
    let failure = conditions.iter().find(|condition| condition.kind == "ReplicaFailure");
    if let Some(failure) = failure.filter(|condition| condition.status == "True") {
        let quota = failure.message.contains("exceeded quota");
        let reason = if quota { Reason::WaitingForQuota } else { Reason::Failed };
        return Ok(HealthStatus::degraded(failure.message).because(reason));
    }
    Ok(match wanted {
        Some(wanted) if available < wanted => HealthStatus::progressing(format!(
            "Waiting for rollout to finish: {available} out of {wanted} new replicas are available..."
        ))
        .because(Reason::RollingOut),
        _ => HealthStatus::healthy(""),
    })
}
