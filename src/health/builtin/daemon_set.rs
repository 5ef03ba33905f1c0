//! DaemonSet: how many of its nodes have the new pod, and how many of those are available.

use serde_json::Value;

use crate::flow::{HealthStatus, Reason};
use crate::health::field::{WrongType, count, mapping, string};

pub(super) fn rule(object: &Value) -> Result<HealthStatus, WrongType> {
    let (metadata, spec, status) =
        (mapping(object, "metadata")?, mapping(object, "spec")?, mapping(object, "status")?);
    let name = string(metadata, "name")?;
    let on_delete = string(mapping(spec, "updateStrategy")?, "type")? == "OnDelete";
    let desired = count(status, "desiredNumberScheduled")?;
    let updated = count(status, "updatedNumberScheduled")?;
    let available = count(status, "numberAvailable")?;
    let (generation, observed) = super::generations(object, status)?;

    if generation > observed {
        let message =
            "Waiting for rollout to finish: observed daemon set generation less than desired generation";
        return Ok(HealthStatus::progressing(message).because(Reason::NotObserved));
    }
    if on_delete {
        let message = format!("daemon set {updated} out of {desired} new pods have been updated");
        return Ok(HealthStatus::healthy(message));
    }
    let waiting = if updated < desired {
        format!("{updated} out of {desired} new pods have been updated...")
    } else if available < desired {
        format!("{available} of {desired} updated pods are available...")
    } else {
        return Ok(HealthStatus::healthy(""));
    };
    let message = format!("Waiting for daemon set {name:?} rollout to finish: {waiting}");
    Ok(HealthStatus::progressing(message).because(Reason::RollingOut))
}
