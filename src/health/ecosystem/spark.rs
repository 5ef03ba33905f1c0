//! SparkApplication: the state of the application, and how many executors run.

use serde_json::{Map, Value};

use super::{number, status, text};
use crate::flow::{HealthCode, HealthStatus};
use crate::object::{at, str_at};

pub(super) fn rule(object: &Value) -> HealthStatus {
    let waiting = || HealthStatus::progressing("Waiting for Executor pods");
    let Some(status) = status(object) else { return waiting() };
    let Some(application) = status.get("applicationState") else {
        return super::needs("status.applicationState");
    };
    let Some(state) = str_at(application, &["state"]) else { return waiting() };
    match state {
        "" => HealthStatus::progressing("SparkApplication was added, enqueuing it for submission"),
        "RUNNING" if enough_executors(object, status) => HealthStatus::healthy("SparkApplication is Running"),
        "SUBMITTED" => HealthStatus::progressing("SparkApplication was submitted successfully"),
        "COMPLETED" => HealthStatus::healthy("SparkApplication was Completed"),
        "FAILED" | "SUBMISSION_FAILED" | "FAILING" => {
            HealthStatus::degraded(text(application, "errorMessage"))
        }
        "PENDING_RERUN" => HealthStatus::progressing("SparkApplication is Pending Rerun"),
        "INVALIDATING" => HealthStatus::new(HealthCode::Missing, "SparkApplication is in InvalidatingState"),
        "SUCCEEDING" => HealthStatus::progressing(
            "The driver pod has completed; the executor pods end and are cleaned up, and count as completed.",
        ),
        "UNKNOWN" => HealthStatus::progressing(
            "SparkApplication is in UnknownState because either driver pod or one or all executor pods in unknown state  ",
        ),
        _ => waiting(),
    }
}

fn enough_executors(object: &Value, status: &Value) -> bool {
    let Some(executors) = status.get("executorState").and_then(Value::as_object) else { return false };
    let running = executors.values().filter(|state| *state == "RUNNING").count() as f64;
    let instances = number(object, &["spec", "executor", "instances"]);
    if instances == Some(running) {
        return true;
    }
    if let Some((least, most)) = allowed(object) {
        return running >= least && running <= most;
    }
    let dynamic = at(object, &["spec", "dynamicAllocation"]).is_some_and(|found| !found.is_null());
    !dynamic && instances.is_none() && running >= 1.0
}

/// Fewest and most executors under dynamic allocation, from the spec or from Spark's own settings.
fn allowed(object: &Value) -> Option<(f64, f64)> {
    let dynamic = at(object, &["spec", "dynamicAllocation"]);
    if dynamic
        .and_then(|dynamic| dynamic.get("enabled"))
        .is_some_and(|on| !matches!(on, Value::Null | Value::Bool(false)))
    {
        let bound = |field: &str| number(dynamic?, &[field]);
        return Some((bound("minExecutors").unwrap_or(0.0), bound("maxExecutors").unwrap_or(f64::INFINITY)));
    }
    let settings = at(object, &["spec", "sparkConf"])?.as_object()?;
    ["spark.streaming.dynamicAllocation", "spark.dynamicAllocation"]
        .into_iter()
        .find_map(|prefix| range(settings, prefix))
}

fn range(settings: &Map<String, Value>, prefix: &str) -> Option<(f64, f64)> {
    if settings.get(&format!("{prefix}.enabled"))?.as_str()? != "true" {
        return None;
    }
    let bound = |field: &str| {
        let value = settings.get(&format!("{prefix}.{field}"))?;
        value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
    };
    Some((bound("minExecutors").unwrap_or(0.0), bound("maxExecutors").unwrap_or(f64::INFINITY)))
}
