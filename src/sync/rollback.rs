//! Whether an application goes back by itself to the last revision that was Synced and Healthy.
//!
//! `tiphys.dev/auto-rollback: OnDegraded` asks for it; an application that stays Degraded for
//! `tiphys.dev/auto-rollback-after` (5 minutes where it is not given) after a sync to another revision goes back, and
//! the revision that it went back from is remembered as rejected: auto-sync leaves it alone until there is a newer one.

use std::time::Duration;

use crate::api::{
    Application, Info, Operation, OperationInitiator, RetryStrategy, SyncOperation, Time, annotations,
    parse_go_duration,
};
use crate::flow::{Cause, Problem, Stage};

/// How long an application may be Degraded where the annotation says nothing.
const DEFAULT_AFTER: Duration = Duration::from_secs(300);
/// So many rejected revisions are remembered.
const MOST_REJECTED: usize = 10;
/// Tries of a rollback that fails.
const RETRIES: i64 = 5;
/// Marks the operation, and names the revision that it goes back from.
const MARK: &str = "tiphys.dev/auto-rollback";

/// The answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Rollback {
    /// Nothing to go back from, or nothing to go back to.
    No,
    /// Not yet: ask again after this time.
    Later(Duration),
    /// Go back.
    Start {
        /// The operation.
        operation: Box<Operation>,
        /// The revision that is rejected.
        rejected: String,
        /// Why, for people.
        reason: String,
    },
}

/// Whether the application asks for rollbacks.
pub fn asks_for_rollback(app: &Application) -> bool {
    app.annotation(annotations::AUTO_ROLLBACK) == Some("OnDegraded")
}

/// Whether the revision that was synced last is another one than the last healthy one, so that there may be something
/// to go back from.
pub fn may_roll_back(app: &Application) -> bool {
    let healthy = app.extension_state().healthy_revision;
    asks_for_rollback(app) && !healthy.is_empty() && last_synced(app).is_some_and(|last| last != healthy)
}

fn last_synced(app: &Application) -> Option<&str> {
    let state = app.status.operation_state.as_ref()?;
    state.sync_result.as_ref().map(|result| result.revision.as_str()).filter(|revision| !revision.is_empty())
}

/// Decides for an application that no operation runs on. `degraded` is why it is Degraded now, nothing where it is not.
pub fn decide_rollback(app: &Application, degraded: Option<&str>, now: Time) -> Rollback {
    let (Some(why), true) = (degraded, may_roll_back(app)) else { return Rollback::No };
    let Some(bad) = last_synced(app) else { return Rollback::No };
    let state = app.extension_state();
    let Some(since) = state.degraded_since else { return Rollback::Later(Duration::from_secs(1)) };
    // A commit is not blamed for what was so before it.
    let started = app.status.operation_state.as_ref().map(|operation| operation.started_at);
    let since = started.map_or(since, |started| started.max(since));
    let after = app
        .annotation(annotations::AUTO_ROLLBACK_AFTER)
        .and_then(|text| parse_go_duration(text).ok())
        .unwrap_or(DEFAULT_AFTER);
    let passed = Duration::from_secs(since.seconds_until(now));
    if let Some(rest) = after.checked_sub(passed).filter(|rest| !rest.is_zero()) {
        return Rollback::Later(rest);
    }
    let reason = format!("{bad} was Degraded for {}s: {why}", passed.as_secs());
    let policy = app.spec.sync_policy.clone().unwrap_or_default();
    let sync = SyncOperation {
        revision: state.healthy_revision,
        prune: policy.automated.as_ref().is_some_and(|automated| automated.prune),
        sync_options: policy.sync_options,
        ..SyncOperation::default()
    };
    let operation = Operation {
        sync: Some(sync),
        initiated_by: OperationInitiator { username: String::new(), automated: true },
        info: vec![
            Info { name: MARK.into(), value: bad.to_owned() },
            Info { name: "Reason".into(), value: reason.clone() },
        ],
        retry: RetryStrategy { limit: RETRIES, ..RetryStrategy::default() },
    };
    Rollback::Start { operation: Box::new(operation), rejected: bad.to_owned(), reason }
}

/// The revision that an operation goes back from, where it is a rollback of ours.
pub fn rolled_back_from(operation: &Operation) -> Option<&str> {
    operation.info.iter().find(|info| info.name == MARK).map(|info| info.value.as_str())
}

/// The rejected revisions with one more, the newest last.
pub fn with_rejected(rejected: &[String], revision: &str) -> Vec<String> {
    let mut all: Vec<String> = rejected.iter().filter(|known| *known != revision).cloned().collect();
    all.push(revision.to_owned());
    let surplus = all.len().saturating_sub(MOST_REJECTED);
    all.split_off(surplus)
}

/// Why auto-sync leaves a revision alone, where it was rejected.
pub(super) fn rejection(app: &Application, revisions: &[String]) -> Option<Problem> {
    let state = app.extension_state();
    let revision = revisions.iter().find(|revision| state.rejected_revisions.contains(revision))?;
    let why = app
        .status
        .operation_state
        .iter()
        .filter(|state| rolled_back_from(&state.operation) == Some(revision))
        .flat_map(|state| &state.operation.info)
        .find(|info| info.name == "Reason")
        .map(|info| format!(": {}", info.value))
        .unwrap_or_default();
    let message = format!(
        "auto-rollback went back from {revision}{why}. Auto-sync waits for a newer revision; sync by hand to try it again"
    );
    Some(Problem::stalled(Stage::Sync, Cause::ObjectRefused, message))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::decode_application;

    fn app(synced: &str, after: &str) -> Application {
        decode_application(json!({
            "metadata": {"name": "a", "annotations": {"tiphys.dev/auto-rollback": "OnDegraded",
                                                       "tiphys.dev/auto-rollback-after": after}},
            "spec": {"source": {"repoURL": "r"}, "syncPolicy": {"automated": {"prune": true}}},
            "status": {"tiphys": {"healthyRevision": "good", "degradedSince": "2026-01-01T00:00:00Z",
                                  "rejectedRevisions": ["older"]},
                       "operationState": {"operation": {"sync": {}}, "phase": "Succeeded",
                           "startedAt": "2026-01-01T00:01:00Z", "syncResult": {"revision": synced}}},
        }))
        .unwrap()
    }

    fn at(time: &str) -> Time {
        time.parse().unwrap()
    }

    #[test]
    fn it_goes_back_when_the_time_is_over() {
        let decide =
            |app: &Application, time: &str| decide_rollback(app, Some("Deployment/a: crash"), at(time));
        assert_eq!(
            decide(&app("bad", "2m"), "2026-01-01T00:02:00Z"),
            Rollback::Later(Duration::from_secs(60)),
            "counted from the start of the sync"
        );
        let Rollback::Start { operation, rejected, reason } =
            decide(&app("bad", "2m"), "2026-01-01T00:03:00Z")
        else {
            panic!("it should go back")
        };
        assert_eq!((rejected.as_str(), rolled_back_from(&operation)), ("bad", Some("bad")));
        assert_eq!(reason, "bad was Degraded for 120s: Deployment/a: crash");
        let sync = operation.sync.unwrap();
        assert_eq!((sync.revision.as_str(), sync.prune), ("good", true));
        assert_eq!(decide(&app("good", "2m"), "2026-01-02T00:00:00Z"), Rollback::No);
        assert_eq!(decide_rollback(&app("bad", "2m"), None, at("2026-01-02T00:00:00Z")), Rollback::No);
        assert!(matches!(decide(&app("bad", "soon"), "2026-01-01T00:05:59Z"), Rollback::Later(_)));
    }

    #[test]
    fn a_rejected_revision_is_left_alone_and_the_list_is_bounded() {
        assert!(rejection(&app("bad", ""), &["new".into()]).is_none());
        let problem = rejection(&app("bad", ""), &["older".into()]).unwrap();
        assert!(problem.message.starts_with("auto-rollback went back from older"));
        let many: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        let bounded = with_rejected(&many, "3");
        assert_eq!((bounded.len(), bounded.last().map(String::as_str)), (10, Some("3")));
    }
}
