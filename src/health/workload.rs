//! Cause-typed health of a workload: the raw rule of its kind, seen together with its pods and the cluster's room.
//!
//! - What waits for capacity, quota or Kueue is Progressing for as long as it waits, whatever the workload's own
//!   progress deadline says; only `tiphys.dev/capacity-timeout` ends that.
//! - Pulling images ends after 30 minutes; starting up and loading a model end when probes and
//!   `tiphys.dev/startup-grace` are used up.
//! - A workload that asks for extended resources is Degraded at once by what waiting will not mend (a crash loop,
//!   an image that does not exist). For other workloads the code stays that of the raw rule, and the cause is named.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::cause::{Cause, of_pod};
use super::placement::{is_extended, matches};
use crate::api::{Time, annotations, parse_go_duration};
use crate::flow::{Capacity, Facts, HealthCode, HealthStatus, PodFacts, Reason, Shortage};
use crate::object::{list_at, str_at};

/// Limits that a workload, or its application, asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grace {
    /// `tiphys.dev/capacity-timeout`: how long waiting for capacity, quota or Kueue may last.
    pub capacity_timeout: Option<Duration>,
    /// `tiphys.dev/startup-grace`: how long a container may take to become ready.
    pub startup: Option<Duration>,
    /// `tiphys.dev/degraded-grace`: how long a failure may last before it counts.
    pub degraded: Option<Duration>,
}

impl Grace {
    /// The limits in an object's annotations; what cannot be read counts as not given.
    pub fn of(object: &Value) -> Self {
        let read = |name: &str| parse_go_duration(str_at(object, &["metadata", "annotations", name])?).ok();
        Self {
            capacity_timeout: read(annotations::CAPACITY_TIMEOUT),
            startup: read(annotations::STARTUP_GRACE),
            degraded: read(annotations::DEGRADED_GRACE),
        }
    }

    /// These limits, with those of the application where there are none.
    #[must_use]
    pub fn or(self, application: Self) -> Self {
        Self {
            capacity_timeout: self.capacity_timeout.or(application.capacity_timeout),
            startup: self.startup.or(application.startup),
            degraded: self.degraded.or(application.degraded),
        }
    }
}

/// The health of a workload with its cause.
///
/// `raw` is what the rule of its kind says ([`super::assess`]), `pods` are the pods that it owns, through whatever
/// stands between.
pub fn with_cause(
    workload: &Value,
    raw: HealthStatus,
    pods: &[&PodFacts],
    capacity: &Capacity,
    grace: Grace,
    now: Time,
) -> HealthStatus {
    let open = matches!(raw.status, HealthCode::Progressing)
        || raw.status == HealthCode::Degraded && raw.reason == Some(Reason::DeadlineExceeded);
    if !open && raw.status != HealthCode::Degraded {
        return raw;
    }
    let Some(cause) = over_quota(workload).or_else(|| worst(pods, capacity, grace, now)) else {
        return raw;
    };
    if raw.status == HealthCode::Degraded && !open {
        // A failure of another kind stays what it is; the pods only tell more of it.
        return if raw.reason == Some(Reason::Failed) && cause.failure {
            raw.because(cause.reason)
        } else {
            raw
        };
    }
    let cause = timed_out(cause, grace, now);
    let code = match (cause.failure, raw.status) {
        (true, _) if asks_for_extended(pods) || cause.reason.waits_without_limit() => HealthCode::Degraded,
        (true, code) => code,
        (false, _) => HealthCode::Progressing,
    };
    HealthStatus::new(code, cause.message).because(cause.reason).with_facts(cause.facts)
}

fn asks_for_extended(pods: &[&PodFacts]) -> bool {
    pods.iter().any(|pod| {
        !pod.request.devices.is_empty() || pod.request.resources.keys().any(|name| is_extended(name))
    })
}

/// A quota that refuses pods shows in the workload's own conditions, since the pods do not exist.
fn over_quota(workload: &Value) -> Option<Cause> {
    let refused = list_at(workload, &["status", "conditions"]).iter().find_map(|condition| {
        let applies = str_at(condition, &["type"]) == Some("ReplicaFailure")
            && str_at(condition, &["status"]) == Some("True");
        str_at(condition, &["message"])
            .filter(|_| applies)
            .and_then(|message| message.split_once("exceeded quota: "))
            .map(|(_, details)| (details, str_at(condition, &["lastTransitionTime"])))
    });
    let (details, since) = refused?;
    let facts = Facts { since: since.and_then(|since| since.parse().ok()), ..Facts::default() };
    let message = format!("waiting for quota {details}");
    Some(Cause { reason: Reason::WaitingForQuota, failure: false, message, facts })
}

/// The cause to name: a failure before waiting, what comes first in the list of reasons before what comes later.
fn worst(pods: &[&PodFacts], capacity: &Capacity, grace: Grace, now: Time) -> Option<Cause> {
    let startup = grace.startup.map(|grace| grace.as_secs());
    let mut causes: Vec<(Cause, &PodFacts)> =
        pods.iter().filter_map(|pod| Some((of_pod(pod, capacity, startup, now)?, *pod))).collect();
    causes.sort_by_key(|(cause, _)| (!cause.failure, cause.reason));
    let (mut first, _) = causes.first()?.clone();
    let same: Vec<&PodFacts> = causes
        .iter()
        .filter(|(cause, _)| cause.reason == first.reason && cause.failure == first.failure)
        .map(|(_, pod)| *pod)
        .collect();
    first.facts.pods = u64::try_from(same.len()).ok();
    first.facts.since = causes
        .iter()
        .filter(|(cause, _)| cause.reason == first.reason)
        .filter_map(|(c, _)| c.facts.since)
        .min();
    if first.reason == Reason::WaitingForCapacity {
        first.facts.shortages = shortages(&same, capacity);
        let texts: Vec<String> = first.facts.shortages.iter().map(Shortage::to_string).collect();
        first.message = format!("waiting for {}", texts.join(", "));
    }
    Some(first)
}

/// What the waiting pods ask for together, against what matching nodes have free.
fn shortages(pods: &[&PodFacts], capacity: &Capacity) -> Vec<Shortage> {
    let mut wanted: BTreeMap<&str, u64> = BTreeMap::new();
    for pod in pods {
        let extended = pod.request.resources.iter().filter(|(name, _)| is_extended(name));
        for (name, amount) in extended.chain(&pod.request.devices) {
            let sum = wanted.entry(name).or_default();
            *sum = sum.saturating_add(*amount);
        }
    }
    let shortage = |(resource, wanted): (&str, u64)| {
        let matching = capacity.nodes.as_ref().map(|nodes| {
            nodes.iter().filter(|node| {
                node.allocatable.contains_key(resource) && pods.iter().any(|pod| matches(node, &pod.request))
            })
        });
        let (free, nodes) = matching.map_or((None, None), |nodes| {
            let (mut free, mut count) = (0_u64, 0);
            for node in nodes {
                free = free.saturating_add(node.free.get(resource).copied().unwrap_or(0));
                count += 1;
            }
            (Some(free), Some(count))
        });
        Shortage { resource: resource.to_owned(), wanted, free, matching_nodes: nodes }
    };
    let all: Vec<Shortage> = wanted.into_iter().map(shortage).collect();
    // Where one resource is short, those of which there is enough need no mention.
    let short: Vec<Shortage> = all
        .iter()
        .filter(|shortage| shortage.free.is_none_or(|free| free < shortage.wanted))
        .cloned()
        .collect();
    if short.is_empty() { all } else { short }
}

fn timed_out(mut cause: Cause, grace: Grace, now: Time) -> Cause {
    let (Some(limit), Some(since)) = (grace.capacity_timeout, cause.facts.since) else { return cause };
    if !cause.reason.waits_without_limit() {
        return cause;
    }
    if let Ok(deadline) = since.timestamp().checked_add(limit) {
        cause.facts.deadline = Some(Time::new(deadline));
        if now.timestamp() > deadline {
            cause.failure = true;
            cause.message = format!("{}, for longer than {}s", cause.message, limit.as_secs());
        }
    }
    cause
}

/// Holds back a failure that may pass: Degraded counts only when it has lasted for `tiphys.dev/degraded-grace`.
///
/// `degraded_since` is since when the undamped health is Degraded without a break.
pub fn damp(health: HealthStatus, degraded_since: Option<Time>, grace: Grace, now: Time) -> HealthStatus {
    let (Some(limit), HealthCode::Degraded) = (grace.degraded, health.status) else { return health };
    let since = degraded_since.unwrap_or(now);
    if since.seconds_until(now) >= limit.as_secs() {
        return health;
    }
    HealthStatus { status: HealthCode::Progressing, ..health }
}
