//! GitOps Promoter: what its kinds have in common, and the gates that look at environments.

use serde_json::Value;

use super::{status, text};
use crate::flow::{HealthStatus, Reason};
use crate::object::{at, list_at, str_at};

/// The words of one kind.
pub(super) struct Words {
    pub(super) deleting: &'static str,
    pub(super) initial: &'static str,
    pub(super) unobserved: &'static str,
    /// Before `: message` for a reconciliation error.
    pub(super) failed: &'static str,
    /// Before ` (reason): message` for any other failure.
    pub(super) not_ready: &'static str,
    /// Before ` (reason): message` where readiness is not known; nothing for kinds that go on then.
    pub(super) unknown: Option<&'static str>,
    pub(super) no_condition: &'static str,
}

fn truthy(value: Option<&Value>) -> bool {
    value.is_some_and(|value| !matches!(value, Value::Null | Value::Bool(false)))
}

/// What deletion and the Ready condition say; nothing where the object is ready and the kind's own part decides.
pub(super) fn readiness(object: &Value, words: &Words) -> Option<HealthStatus> {
    if truthy(at(object, &["metadata", "deletionTimestamp"])) {
        return Some(HealthStatus::progressing(words.deleting).because(Reason::PendingDeletion));
    }
    let Some(status) = status(object) else { return Some(HealthStatus::progressing(words.initial)) };
    let mut found = false;
    let generation = at(object, &["metadata", "generation"]);
    for condition in list_at(status, &["conditions"]).iter().filter(|entry| text(entry, "type") == "Ready") {
        found = true;
        let observed = condition.get("observedGeneration");
        if truthy(observed) && truthy(generation) && observed != generation {
            return Some(HealthStatus::progressing(words.unobserved).because(Reason::NotObserved));
        }
        let reason = str_at(condition, &["reason"]).unwrap_or("Unknown");
        match (text(condition, "status"), words.unknown) {
            ("False", _) => {
                let message = super::message_or(condition, "Unknown error");
                return Some(HealthStatus::degraded(if reason == "ReconciliationError" {
                    format!("{}: {message}", words.failed)
                } else {
                    format!("{} ({reason}): {message}", words.not_ready)
                }));
            }
            ("Unknown", Some(unknown)) => {
                let message = super::message_or(condition, "Unknown");
                return Some(HealthStatus::progressing(format!("{unknown} ({reason}): {message}")));
            }
            _ => {}
        }
    }
    (!found).then(|| HealthStatus::progressing(words.no_condition))
}

/// A gate over environments: what failed, what is pending, how many passed.
struct Gate {
    reconciled: &'static str,
    failed: &'static str,
    pending: &'static str,
    passed: &'static str,
}

fn environments(object: &Value, gate: &Gate) -> HealthStatus {
    let all = list_at(object, &["status", "environments"]);
    if all.is_empty() {
        return HealthStatus::healthy(gate.reconciled);
    }
    let (mut failed, mut pending, mut passed) = (Vec::new(), Vec::new(), 0);
    for environment in all {
        let branch = str_at(environment, &["branch"]).unwrap_or("?");
        match text(environment, "phase") {
            "failure" => failed.push(branch),
            "success" => passed += 1,
            _ => pending.push(branch),
        }
    }
    if !failed.is_empty() {
        HealthStatus::degraded(format!("{} for branch(es): {}", gate.failed, failed.join(", ")))
    } else if !pending.is_empty() {
        HealthStatus::progressing(format!("{} for branch(es): {}", gate.pending, pending.join(", ")))
    } else {
        HealthStatus::healthy(format!("{} for {passed} environment(s)", gate.passed))
    }
}

pub(super) fn git_commit_status(object: &Value) -> HealthStatus {
    let words = Words {
        deleting: "GitCommitStatus is being deleted",
        initial: "Initializing git commit validation",
        unobserved: "Waiting for GitCommitStatus spec update to be observed",
        failed: "Git commit validation failed",
        not_ready: "Git commit validation not ready",
        unknown: Some("Git commit validation status unknown"),
        no_condition: "GitCommitStatus Ready condition is missing",
    };
    let gate = Gate {
        reconciled: "Git commit validation reconciled",
        failed: "Git commit validation failed",
        pending: "Git commit validation pending",
        passed: "Git commit validation passed",
    };
    readiness(object, &words).unwrap_or_else(|| environments(object, &gate))
}

pub(super) fn timed_commit_status(object: &Value) -> HealthStatus {
    let words = Words {
        deleting: "TimedCommitStatus is being deleted",
        initial: "Initializing timed commit gate",
        unobserved: "Waiting for TimedCommitStatus spec update to be observed",
        failed: "Timed commit gate failed",
        not_ready: "Timed commit gate not ready",
        unknown: Some("Timed commit gate status unknown"),
        no_condition: "TimedCommitStatus Ready condition is missing",
    };
    let gate = Gate {
        reconciled: "Timed commit gate reconciled",
        failed: "Timed commit gate failed",
        pending: "Timed commit gate pending",
        passed: "Timed commit gate satisfied",
    };
    readiness(object, &words).unwrap_or_else(|| environments(object, &gate))
}

pub(super) fn web_request_commit_status(object: &Value) -> HealthStatus {
    let words = Words {
        deleting: "WebRequestCommitStatus is being deleted",
        initial: "Initializing web request commit validation",
        unobserved: "Waiting for WebRequestCommitStatus spec update to be observed",
        failed: "Web request commit validation failed",
        not_ready: "Web request commit validation not ready",
        unknown: Some("Web request commit validation unknown"),
        no_condition: "WebRequestCommitStatus Ready condition is missing",
    };
    let gate = Gate {
        reconciled: "Web request commit validation reconciled",
        failed: "Web request validation failed",
        pending: "Web request validation pending",
        passed: "Web request validation passed",
    };
    readiness(object, &words).unwrap_or_else(|| environments(object, &gate))
}
