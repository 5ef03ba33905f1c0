//! OpenKruise: workloads with partitions.

use serde_json::Value;

use super::{number, printed, status};
use crate::flow::HealthStatus;
use crate::object::at;

const WAITING: &str = "Waiting for initialization";

/// The status, where it is of the newest generation.
fn observed(object: &Value) -> Option<&Value> {
    let status = status(object)?;
    let field = |value, path: &[&str]| at(value, path).filter(|found| !found.is_null());
    let generation = field(object, &["metadata", "generation"]);
    let same = match (generation, field(status, &["observedGeneration"])) {
        (Some(generation), Some(observed)) => crate::health::rules::equal(generation, observed),
        (generation, observed) => generation == observed,
    };
    same.then_some(status)
}

pub(super) fn daemon_set(object: &Value) -> HealthStatus {
    let Some(status) = observed(object) else { return HealthStatus::progressing(WAITING) };
    let rolling = at(object, &["spec", "updateStrategy", "rollingUpdate"]).unwrap_or(&Value::Null);
    let count = |field: &str| number(status, &[field]);
    let (updated, desired) = (count("updatedNumberScheduled"), count("desiredNumberScheduled"));
    if rolling.get("paused") == Some(&Value::Bool(true)) || updated.is_none() {
        return HealthStatus::suspended("Daemonset is paused");
    }
    let partition = number(rolling, &["partition"]).unwrap_or(0.0);
    if partition != 0.0 && number(object, &["metadata", "generation"]).unwrap_or(0.0) > 1.0 {
        let by_hand = updated > desired.map(|desired| desired - partition);
        return if by_hand {
            HealthStatus::suspended("Daemonset needs manual intervention")
        } else {
            HealthStatus::progressing(WAITING)
        };
    }
    if updated == desired && count("numberAvailable") == desired {
        HealthStatus::healthy("All Daemonset workloads are ready and updated")
    } else if updated == desired && count("numberUnavailable") == desired {
        HealthStatus::degraded("Some pods are not ready or available")
    } else {
        HealthStatus::progressing(WAITING)
    }
}

pub(super) fn stateful_set(object: &Value) -> HealthStatus {
    let Some(status) = observed(object) else { return HealthStatus::progressing(WAITING) };
    let rolling = at(object, &["spec", "updateStrategy", "rollingUpdate"]).unwrap_or(&Value::Null);
    let count = |field: &str| number(status, &[field]);
    if rolling.get("paused") == Some(&Value::Bool(true)) || count("updatedAvailableReplicas").is_none() {
        return HealthStatus::suspended("Statefulset is paused");
    }
    // An absent partition is not zero for this rule.
    let partition = number(rolling, &["partition"]);
    if partition != Some(0.0) && number(object, &["metadata", "generation"]).unwrap_or(0.0) > 1.0 {
        let Some(partition) = partition else { return super::needs("a partition") };
        let by_hand = count("updatedReplicas") > count("replicas").map(|replicas| replicas - partition);
        return if by_hand {
            HealthStatus::suspended("Statefulset needs manual intervention")
        } else {
            HealthStatus::progressing(WAITING)
        };
    }
    if count("updatedAvailableReplicas") == count("replicas") {
        HealthStatus::healthy("All Statefulset workloads are ready and updated")
    } else {
        HealthStatus::degraded("Some replicas are not ready or available")
    }
}

pub(super) fn game_server_set(object: &Value) -> HealthStatus {
    let waiting = || HealthStatus::progressing("Waiting for GameServerSet initialization");
    let Some(status) = observed(object) else { return waiting() };
    let rolling = at(object, &["spec", "updateStrategy", "rollingUpdate"]).unwrap_or(&Value::Null);
    let count = |field: &str| number(status, &[field]).unwrap_or(0.0);
    if rolling.get("paused") == Some(&Value::Bool(true)) {
        return HealthStatus::suspended("GameServerSet is paused");
    }
    let partition = number(rolling, &["partition"]).unwrap_or(0.0);
    if partition != 0.0 && count("updatedReplicas") >= count("replicas") - partition {
        let partition = printed(partition);
        return HealthStatus::suspended(format!("Partition={partition}, waiting for manual intervention"));
    }
    if count("updatedReadyReplicas") == count("replicas") {
        return HealthStatus::healthy("All GameServerSet replicas are updated and ready");
    }
    if count("readyReplicas") < count("replicas") {
        let (ready, all) = (printed(count("readyReplicas")), printed(count("replicas")));
        return HealthStatus::progressing(format!("ReadyReplicas {ready}/{all}, still progressing"));
    }
    waiting()
}
