//! Kafka clusters of Banzai Cloud: brokers, Cruise Control and the cluster together.

use serde_json::Value;

use super::{status, text};
use crate::flow::HealthStatus;
use crate::object::str_at;

pub(super) fn kafka_cluster(object: &Value) -> HealthStatus {
    let waiting = || HealthStatus::progressing("Waiting for KafkaCluster");
    let Some(status) = status(object) else { return waiting() };
    let state = text(status, "state");
    if state == "ClusterRollingUpgrading" {
        return HealthStatus::progressing("Kafka Cluster is Rolling Upgrading.");
    }
    let brokers: Vec<&Value> = match status.get("brokersState") {
        Some(Value::Object(brokers)) => brokers.values().collect(),
        Some(Value::Array(brokers)) => brokers.iter().collect(),
        _ => return waiting(),
    };
    let in_sync = |broker: &&Value| {
        let action = str_at(broker, &["gracefulActionState", "cruiseControlState"]).unwrap_or_default();
        text(broker, "configurationState") == "ConfigInSync"
            && matches!(action, "GracefulUpscaleSucceeded" | "GracefulDownscaleSucceeded")
    };
    if !brokers.iter().all(in_sync) {
        return HealthStatus::degraded("Broker Config is out of Sync or CruiseControlState is not Ready");
    }
    match (str_at(status, &["cruiseControlTopicStatus"]), state) {
        (Some("CruiseControlTopicReady"), "ClusterRunning") => {
            HealthStatus::healthy("Kafka Brokers, CruiseControl and cluster are in Healthy State.")
        }
        (None | Some("CruiseControlTopicNotReady"), "ClusterReconciling") => {
            HealthStatus::progressing("Kafka Cluster is Reconciling.")
        }
        _ => waiting(),
    }
}
