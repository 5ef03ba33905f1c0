//! Databases and storage clusters that count their nodes.

use serde_json::Value;

use super::{number, printed, status, text};
use crate::flow::{HealthCode, HealthStatus};
use crate::object::{at, str_at};

pub(super) fn cassandra(object: &Value) -> HealthStatus {
    let waiting = || HealthStatus::progressing("Waiting for Cassandra Cluster");
    let racks: Vec<&Value> = match at(object, &["status", "racks"]) {
        Some(Value::Object(racks)) => racks.values().collect(),
        Some(Value::Array(racks)) => racks.iter().collect(),
        _ => return waiting(),
    };
    let there = |rack: &Value, field: &str| rack.get(field).filter(|value| !value.is_null()).cloned();
    let complete = racks.iter().all(|rack| {
        there(rack, "members").zip(there(rack, "readyMembers")).is_none_or(|(all, ready)| all == ready)
    });
    if complete { HealthStatus::healthy("") } else { waiting() }
}

pub(super) fn ceph_cluster(object: &Value) -> HealthStatus {
    let Some(status) = status(object) else {
        return HealthStatus::progressing("Waiting for status to be reported");
    };
    let (mut code, mut messages) = (HealthCode::Progressing, Vec::new());
    if let Some(health) = str_at(status, &["ceph", "health"]) {
        code = match health {
            "HEALTH_OK" => HealthCode::Healthy,
            "HEALTH_WARN" | "HEALTH_ERR" => HealthCode::Degraded,
            _ => HealthCode::Progressing,
        };
        messages.push(format!("Ceph health is {health}{}", ceph_details(status)));
    }
    if let Some(state) = str_at(status, &["state"]).filter(|_| code == HealthCode::Healthy) {
        messages.push(format!("Ceph cluster state is {state}"));
        code = match state {
            "Created" | "Connected" => HealthCode::Healthy,
            "Error" => HealthCode::Degraded,
            _ => HealthCode::Progressing,
        };
    }
    messages.push(text(status, "message").to_owned());
    messages.retain(|message| !message.is_empty());
    HealthStatus::new(code, messages.join(" - "))
}

fn ceph_details(status: &Value) -> String {
    let details = at(status, &["ceph", "details"]).and_then(Value::as_object);
    let messages: Vec<&str> =
        details.into_iter().flatten().filter_map(|(_, detail)| str_at(detail, &["message"])).collect();
    if messages.is_empty() { String::new() } else { format!(" ({})", messages.join("; ")) }
}

pub(super) fn elasticsearch(object: &Value) -> HealthStatus {
    judge_elasticsearch(object).unwrap_or_else(|| {
        HealthStatus::unknown(
            "Elasticsearch Cluster status is unknown. Ensure your ArgoCD is current and then check for/file a bug \
             report: https://github.com/argoproj/argo-cd/issues",
        )
    })
}

fn judge_elasticsearch(object: &Value) -> Option<HealthStatus> {
    let available = number(object, &["status", "availableNodes"])?;
    let sets = crate::object::list_at(object, &["spec", "nodeSets"]);
    let wanted: f64 = sets.iter().filter_map(|set| number(set, &["count"])).sum();
    if available < wanted {
        return Some(HealthStatus::progressing(format!(
            "The desired amount of availableNodes is {} but the current amount is {}",
            printed(wanted),
            printed(available)
        )));
    }
    if available > wanted {
        return None;
    }
    let status = status(object)?;
    let (phase, health) = (str_at(status, &["phase"])?, str_at(status, &["health"])?);
    let check = "Check the status of indices, replicas and shards";
    Some(match (phase, health) {
        ("Ready", "green") => HealthStatus::healthy("Elasticsearch Cluster status is Green"),
        ("Ready", "yellow") => {
            HealthStatus::progressing(format!("Elasticsearch Cluster status is Yellow. {check}"))
        }
        ("Ready", "red") => HealthStatus::degraded(format!("Elasticsearch Cluster status is Red. {check}")),
        ("ApplyingChanges" | "MigratingData", _) => {
            HealthStatus::progressing(format!("Elasticsearch phase is {phase}"))
        }
        ("Invalid", _) => HealthStatus::degraded("Elasticsearch phase is Invalid"),
        _ => return None,
    })
}
