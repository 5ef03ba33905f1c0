//! Pod: containers that wait for a bad reason, then the phase, then readiness.
//!
//! A pod that ends by itself (`restartPolicy` Never or OnFailure) is Progressing while it runs, because such pods
//! are hooks more often than not; `argocd.argoproj.io/ignore-restart-policy: "true"` asks for the rule of
//! long-running pods, except on hooks.

use serde_json::Value;

use crate::flow::{HealthCode, HealthStatus, Reason};
use crate::health::field::{WrongType, conditions, count, list, mapping, string};
use crate::health::hook;

const IGNORE_RESTART_POLICY: &str = "argocd.argoproj.io/ignore-restart-policy";

pub(super) fn rule(object: &Value) -> Result<HealthStatus, WrongType> {
    let (metadata, spec, status) =
        (mapping(object, "metadata")?, mapping(object, "spec")?, mapping(object, "status")?);
    let policy = string(spec, "restartPolicy")?;
    let message = string(status, "message")?;
    let conditions = conditions(status)?;
    let containers = list(status, "containerStatuses")?;
    let init_containers = list(status, "initContainerStatuses")?;
    let annotations = mapping(metadata, "annotations")?;
    let ignores_policy = string(annotations, IGNORE_RESTART_POLICY)? == "true" && !hook::is_hook(object);
    let long_running = policy == "Always" || ignores_policy;

    if long_running && let Some(failing) = waiting_for_a_bad_reason(containers)? {
        return Ok(failing);
    }
    Ok(match string(status, "phase")? {
        "Pending" => HealthStatus::progressing(message),
        "Succeeded" => HealthStatus::healthy(message),
        "Failed" => failed(message, init_containers, containers)?,
        "Running" if long_running => {
            if conditions.iter().any(|condition| condition.kind == "Ready" && condition.status == "True") {
                HealthStatus::healthy(message)
            } else if has_ended_before(containers)? {
                HealthStatus::degraded(message).because(Reason::CrashLooping)
            } else {
                HealthStatus::progressing(message).because(Reason::StartingUp)
            }
        }
        "Running" if matches!(policy, "OnFailure" | "Never") => HealthStatus::progressing(message),
        _ => HealthStatus::unknown(message),
    })
}

/// The cause behind the reason word of a waiting container, where it is a failure.
pub(in crate::health) fn waiting_cause(word: &str) -> Option<Reason> {
    match word {
        "CrashLoopBackOff" => Some(Reason::CrashLooping),
        "ImagePullBackOff" | "ErrImagePull" | "ErrImageNeverPull" | "InvalidImageName" => {
            Some(Reason::ImageMissing)
        }
        "CreateContainerConfigError" => Some(Reason::ConfigMissing),
        _ => None,
    }
}

fn waiting_for_a_bad_reason(containers: &[Value]) -> Result<Option<HealthStatus>, WrongType> {
    let (mut messages, mut cause) = (Vec::new(), None);
    for container in containers {
        let waiting = mapping(mapping(container, "state")?, "waiting")?;
        let word = string(waiting, "reason")?;
        if word.starts_with("Err") || word.ends_with("Error") || word.ends_with("BackOff") {
            messages.push(string(waiting, "message")?);
            cause = cause.or(waiting_cause(word));
        }
    }
    Ok((!messages.is_empty())
        .then(|| HealthStatus::degraded(messages.join(", ")).because(cause.unwrap_or(Reason::Failed))))
}

fn failed(message: &str, init: &[Value], containers: &[Value]) -> Result<HealthStatus, WrongType> {
    let degraded = |text: String, reason| HealthStatus::new(HealthCode::Degraded, text).because(reason);
    if !message.is_empty() {
        return Ok(degraded(message.to_owned(), Reason::Failed));
    }
    for container in init.iter().chain(containers) {
        let ended = mapping(mapping(container, "state")?, "terminated")?;
        let (said, word, code) =
            (string(ended, "message")?, string(ended, "reason")?, count(ended, "exitCode")?);
        if !said.is_empty() {
            return Ok(degraded(said.to_owned(), Reason::Failed));
        }
        if word == "OOMKilled" {
            return Ok(degraded(word.to_owned(), Reason::OutOfMemory));
        }
        if code != 0 {
            let name = string(container, "name")?;
            let text = format!("container {name:?} failed with exit code {code}");
            return Ok(degraded(text, Reason::Failed));
        }
    }
    Ok(degraded(String::new(), Reason::Failed))
}

fn has_ended_before(containers: &[Value]) -> Result<bool, WrongType> {
    for container in containers {
        if !mapping(mapping(container, "lastState")?, "terminated")?.is_null() {
            return Ok(true);
        }
    }
    Ok(false)
}
