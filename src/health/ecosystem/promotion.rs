//! GitOps Promoter: how far a change is on its way through the environments.

use std::fmt::Write;

use serde_json::Value;

use super::promoter::{Words, readiness};
use super::text;
use crate::flow::HealthStatus;
use crate::object::{at, list_at, str_at};

const MISSING: &str = "commit DRY SHA is missing or empty";

/// Commit statuses by phase.
#[derive(Default)]
struct Tally<'a> {
    pending: Vec<&'a str>,
    failed: Vec<&'a str>,
    passed: usize,
}

impl<'a> Tally<'a> {
    fn of(statuses: &'a [Value]) -> Self {
        let mut tally = Self::default();
        for status in statuses {
            match text(status, "phase") {
                "pending" => tally.pending.push(text(status, "key")),
                "failure" => tally.failed.push(text(status, "key")),
                "success" => tally.passed += 1,
                _ => {}
            }
        }
        tally
    }

    fn is_clean(&self) -> bool {
        self.pending.is_empty() && self.failed.is_empty()
    }

    fn sentence(&self) -> String {
        let (pending, passed, failed) = (self.pending.len(), self.passed, self.failed.len());
        let mut text = format!("{pending} pending, {passed} successful, {failed} failed. ");
        for (word, keys) in [("Pending", &self.pending), ("Failed", &self.failed)] {
            if !keys.is_empty() {
                let _ = write!(text, "{word} commit statuses: {}. ", keys.join(", "));
            }
        }
        text
    }
}

fn short(sha: &str) -> &str {
    sha.get(..7).unwrap_or(sha)
}

fn sha<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    str_at(value, path).filter(|sha| !sha.is_empty())
}

pub(super) fn change_transfer_policy(object: &Value) -> HealthStatus {
    let words = Words {
        deleting: "Change transfer policy is being deleted.",
        initial: "Initializing change transfer policy",
        unobserved: "Waiting for change transfer policy spec update to be observed",
        failed: "Change transfer policy reconciliation failed",
        not_ready: "Change transfer policy reconciliation failed",
        unknown: None,
        no_condition: "Change transfer policy is not ready yet",
    };
    if let Some(health) = readiness(object, &words) {
        return health;
    }
    let Some(active) = sha(object, &["status", "active", "dry", "sha"]) else {
        return HealthStatus::progressing(format!("The active {MISSING}."));
    };
    let Some(proposed) = sha(object, &["status", "proposed", "dry", "sha"]) else {
        return HealthStatus::progressing(format!("The proposed {MISSING}."));
    };
    if proposed != active {
        let tally = Tally::of(list_at(object, &["status", "proposed", "commitStatuses"]));
        let (from, to) = (short(active), short(proposed));
        return HealthStatus::progressing(format!(
            "Promotion in progress from '{from}' to '{to}': {}",
            tally.sentence()
        ));
    }
    let tally = Tally::of(list_at(object, &["status", "active", "commitStatuses"]));
    if tally.is_clean() {
        return HealthStatus::healthy(format!("Environment is up-to-date on commit {}.", short(active)));
    }
    HealthStatus::healthy(format!(
        "Environment is up-to-date, but there are non-successful active commit statuses: {}",
        tally.sentence()
    ))
}

/// The commit that the hydrator has worked on: its note where there is one, else the proposed commit itself.
fn hydrated(environment: &Value) -> Option<&str> {
    sha(environment, &["proposed", "note", "drySha"])
        .or_else(|| sha(environment, &["proposed", "dry", "sha"]))
}

pub(super) fn strategy(object: &Value) -> HealthStatus {
    let words = Words {
        deleting: "Promotion strategy is being deleted",
        initial: "Initializing promotion strategy",
        unobserved: "Waiting for promotion strategy spec update to be observed",
        failed: "Promotion strategy reconciliation failed",
        not_ready: "Promotion strategy reconciliation failed",
        unknown: None,
        no_condition: "Promotion strategy is not ready yet",
    };
    if let Some(health) = readiness(object, &words) {
        return health;
    }
    let environments = list_at(object, &["status", "environments"]);
    let Some(first) = environments.first() else {
        return HealthStatus::degraded("Promotion strategy has no environments configured");
    };
    incomplete(environments)
        .or_else(|| environments.iter().find_map(in_progress))
        .unwrap_or_else(|| settled(environments, first))
}

fn incomplete(environments: &[Value]) -> Option<HealthStatus> {
    for environment in environments {
        let branch = text(environment, "branch");
        let missing = if sha(environment, &["active", "dry", "sha"]).is_none() {
            "active"
        } else if hydrated(environment).is_none() {
            "proposed"
        } else {
            continue;
        };
        let message = format!("The {missing} {MISSING} in environment '{branch}'.");
        return Some(HealthStatus::progressing(message));
    }
    let proposed = environments.first().and_then(hydrated);
    environments.iter().any(|environment| hydrated(environment) != proposed).then(|| {
        HealthStatus::progressing(
            "Not all environments have the same proposed commit SHA. This likely means the hydrator has not run for \
             all environments yet.",
        )
    })
}

fn in_progress(environment: &Value) -> Option<HealthStatus> {
    let proposed = at(environment, &["proposed", "dry", "sha"]);
    let active = at(environment, &["active", "dry", "sha"]);
    if proposed == active {
        return None;
    }
    let tally = Tally::of(list_at(environment, &["proposed", "commitStatuses"]));
    let shown = |value: Option<&Value>| short(value.and_then(Value::as_str).unwrap_or_default()).to_owned();
    Some(HealthStatus::progressing(format!(
        "Promotion in progress for environment '{}' from '{}' to '{}': {}Hydrator has processed dry commit '{}'. ",
        text(environment, "branch"),
        shown(active),
        shown(proposed),
        tally.sentence(),
        short(hydrated(environment).unwrap_or_default()),
    )))
}

fn settled(environments: &[Value], first: &Value) -> HealthStatus {
    let open: Vec<String> = environments
        .iter()
        .filter_map(|environment| {
            let tally = Tally::of(list_at(environment, &["active", "commitStatuses"]));
            let (failed, pending) = (tally.failed.len(), tally.pending.len());
            let branch = text(environment, "branch");
            (!tally.is_clean()).then(|| format!("{branch} ({failed} failed, {pending} pending)"))
        })
        .collect();
    if !open.is_empty() {
        return HealthStatus::healthy(format!(
            "Environments are up-to-date, but some environments have non-successful commit statuses: {}.",
            open.join(", ")
        ));
    }
    HealthStatus::healthy(format!(
        "All environments are up-to-date on commit '{}'. Hydrator has processed dry commit '{}'.",
        short(sha(first, &["active", "dry", "sha"]).unwrap_or_default()),
        short(hydrated(first).unwrap_or_default()),
    ))
}
