//! StatefulSet: how many pods are ready, and how far a partitioned or full update is.

use serde_json::Value;

use crate::flow::{HealthStatus, Reason};
use crate::health::field::{WrongType, count, integer, mapping, string};

pub(super) fn rule(object: &Value) -> Result<HealthStatus, WrongType> {
    let (spec, status) = (mapping(object, "spec")?, mapping(object, "status")?);
    let strategy = mapping(spec, "updateStrategy")?;
    let rolling = mapping(strategy, "rollingUpdate")?;
    let strategy_type = string(strategy, "type")?;
    let partition = integer(rolling, "partition")?;
    let wanted = integer(spec, "replicas")?;
    let ready = count(status, "readyReplicas")?;
    let updated = count(status, "updatedReplicas")?;
    let current = count(status, "currentReplicas")?;
    let update_revision = string(status, "updateRevision")?;
    let current_revision = string(status, "currentRevision")?;
    let (generation, observed) = super::generations(object, status)?;

    if observed == 0 || generation > observed {
        return Ok(HealthStatus::progressing("Waiting for statefulset spec update to be observed...")
            .because(Reason::NotObserved));
    }
    if let Some(wanted) = wanted.filter(|wanted| ready < *wanted) {
        let missing = wanted.saturating_sub(ready);
        return Ok(rolling_out(format!("Waiting for {missing} pods to be ready...")));
    }
    if strategy_type == "RollingUpdate" && !rolling.is_null() {
        let share = wanted.zip(partition).map(|(wanted, partition)| wanted.saturating_sub(partition));
        return Ok(match share {
            Some(share) if updated < share => rolling_out(format!(
                "Waiting for partitioned roll out to finish: {updated} out of {share} new pods have been updated..."
            )),
            _ => HealthStatus::healthy(format!(
                "partitioned roll out complete: {updated} new pods have been updated..."
            )),
        });
    }
    if strategy_type == "OnDelete" {
        return Ok(HealthStatus::healthy(format!("statefulset has {ready} ready pods")));
    }
    if update_revision != current_revision {
        return Ok(rolling_out(format!(
            "waiting for statefulset rolling update to complete {updated} pods at revision {update_revision}..."
        )));
    }
    Ok(HealthStatus::healthy(format!(
        "statefulset rolling update complete {current} pods at revision {current_revision}..."
    )))
}

fn rolling_out(message: String) -> HealthStatus {
    HealthStatus::progressing(message).because(Reason::RollingOut)
}
