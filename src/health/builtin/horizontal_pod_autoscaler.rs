//! HorizontalPodAutoscaler: its conditions; version 1 keeps them as JSON in an annotation.

use serde::Deserialize;
use serde_json::Value;

use crate::flow::HealthStatus;
use crate::health::field::{Condition, WrongType, conditions, mapping, string};
use crate::object::str_at;

const CONDITIONS_ANNOTATION: &str = "autoscaling.alpha.kubernetes.io/conditions";

/// Condition type and reason that mean failure.
const FAILURES: &[(&str, &str)] = &[
    ("AbleToScale", "FailedGetScale"),
    ("AbleToScale", "FailedUpdateScale"),
    ("ScalingActive", "FailedGetResourceMetric"),
    ("ScalingActive", "FailedGetObjectMetric"),
    ("ScalingActive", "FailedGetPodsMetric"),
    ("ScalingActive", "FailedGetExternalMetric"),
    ("ScalingActive", "FailedComputeMetricsReplicas"),
    ("ScalingActive", "InvalidSelector"),
];

/// A condition inside of the annotation; either spelling of its names is read.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Noted {
    #[serde(alias = "Type")]
    r#type: String,
    #[serde(alias = "Reason")]
    reason: String,
    #[serde(alias = "Message")]
    message: String,
    #[serde(alias = "Status")]
    status: String,
}

pub(super) fn rule(object: &Value) -> Result<HealthStatus, WrongType> {
    if str_at(object, &["apiVersion"]) != Some("autoscaling/v1") {
        return Ok(judge(&conditions(mapping(object, "status")?)?));
    }
    let annotations = mapping(mapping(object, "metadata")?, "annotations")?;
    let text = string(annotations, CONDITIONS_ANNOTATION)?;
    if annotations.get(CONDITIONS_ANNOTATION).is_none() {
        return Ok(judge(&[]));
    }
    Ok(match serde_json::from_str::<Option<Vec<Noted>>>(text) {
        Ok(noted) => judge(&noted.iter().flatten().map(Noted::as_condition).collect::<Vec<_>>()),
        Err(error) => HealthStatus::unknown(format!(
            "annotation {CONDITIONS_ANNOTATION} holds no list of conditions: {error}"
        )),
    })
}

impl Noted {
    fn as_condition(&self) -> Condition<'_> {
        Condition { kind: &self.r#type, status: &self.status, reason: &self.reason, message: &self.message }
    }
}

fn judge(conditions: &[Condition<'_>]) -> HealthStatus {
    let fails = |condition: &&Condition<'_>| FAILURES.contains(&(condition.kind, condition.reason));
    if let Some(failure) = conditions.iter().find(fails) {
        return HealthStatus::degraded(failure.message);
    }
    let works = |condition: &&Condition<'_>| {
        matches!(condition.kind, "AbleToScale" | "ScalingLimited") && condition.status == "True"
    };
    match conditions.iter().find(works) {
        Some(condition) => HealthStatus::healthy(condition.message),
        None => HealthStatus::progressing("Waiting to Autoscale"),
    }
}
