//! Whether a sync starts by itself.

use std::time::Duration;

use crate::api::{
    Application, ApplicationSource, Operation, OperationInitiator, OperationPhase, OperationState,
    Requirement, RetryStrategy, SyncCode, SyncOperation, SyncOperationResource, SyncOptions, Time,
};
use crate::flow::{Cause, Comparison, Problem, ResourceComparison, Stage};
use crate::object::{Manifest, str_at};

/// The answer.
#[derive(Clone, Debug, PartialEq)]
pub enum AutoSync {
    /// Start this.
    Start(Box<Operation>),
    /// Ask again after this time: self-heal backs off.
    Later(Duration),
    /// No, and nothing is wrong.
    No,
    /// No, because of this.
    Blocked(Problem),
}

/// Retries of an automated sync whose spec names none.
const DEFAULT_RETRIES: i64 = 5;

/// Decides on an application whose comparison is fresh. `revisions` are the revisions that were compared.
pub fn decide_auto_sync(
    app: &Application,
    comparison: &Comparison,
    revisions: &[String],
    now: Time,
) -> AutoSync {
    let Some(policy) = app.spec.sync_policy.as_ref() else { return AutoSync::No };
    let Some(automated) = policy.automated.as_ref().filter(|_| app.spec.is_automated()) else {
        return AutoSync::No;
    };
    let running = app.status.operation_state.as_ref().is_some_and(|state| !state.phase.is_completed());
    if app.operation.is_some() || running || app.is_deleting() || comparison.status != SyncCode::OutOfSync {
        return AutoSync::No;
    }
    let out_of_sync: Vec<_> =
        comparison.resources.iter().filter(|one| one.status == SyncCode::OutOfSync).collect();
    if !automated.prune && out_of_sync.iter().all(|one| one.requires_pruning) {
        return AutoSync::No;
    }
    if let Some(problem) = super::rollback::rejection(app, revisions) {
        return AutoSync::Blocked(problem);
    }
    if automated.prune && !automated.allow_empty && would_wipe_out(comparison) {
        return AutoSync::Blocked(Problem::stalled(
            Stage::Sync,
            Cause::Incomplete,
            "Skipping sync attempt: auto-sync will wipe out all resources. Set spec.syncPolicy.automated.allowEmpty \
             if the application is meant to become empty, or sync it by hand",
        ));
    }
    let mut sync = SyncOperation {
        revision: if app.spec.sources.is_empty() {
            revisions.first().cloned().unwrap_or_default()
        } else {
            String::new()
        },
        revisions: if app.spec.sources.is_empty() { Vec::new() } else { revisions.to_vec() },
        prune: automated.prune,
        sync_options: policy.sync_options.clone(),
        ..SyncOperation::default()
    };
    if let Some(state) = app.status.operation_state.as_ref().filter(|state| attempted(app, state, revisions))
    {
        if state.phase != OperationPhase::Succeeded {
            return AutoSync::Blocked(failed_before(state, revisions));
        }
        if !automated.self_heal {
            return AutoSync::No;
        }
        let heals: Vec<_> = out_of_sync.into_iter().filter(|one| !is_left_alone(one)).collect();
        if heals.is_empty() {
            return AutoSync::No;
        }
        if let Some(wait) = still_to_wait(state, now) {
            return AutoSync::Later(wait);
        }
        sync.self_heal_attempts_count = attempts_before(state, now).saturating_add(1);
        sync.resources = heals.iter().map(|one| selected(&one.key)).collect();
    }
    AutoSync::Start(Box::new(operation(policy.retry.clone(), sync)))
}

/// What Git no longer holds, and what another sync would do nothing about, again and again: it must stay, or it is on its
/// way out and waits for its finalizers.
fn is_left_alone(one: &ResourceComparison) -> bool {
    let deleting = |live: &Manifest| str_at(live.body(), &["metadata", "deletionTimestamp"]).is_some();
    let stays = one.annotations.options.requirement("Prune") == Some(Requirement::Forbidden);
    one.requires_pruning && (stays || one.live.as_deref().is_some_and(deleting))
}

fn operation(retry: Option<RetryStrategy>, sync: SyncOperation) -> Operation {
    Operation {
        sync: Some(sync),
        initiated_by: OperationInitiator { username: String::new(), automated: true },
        info: Vec::new(),
        retry: retry.unwrap_or(RetryStrategy { limit: DEFAULT_RETRIES, ..RetryStrategy::default() }),
    }
}

fn selected(key: &crate::object::ResourceKey) -> SyncOperationResource {
    SyncOperationResource {
        group: key.group.clone(),
        kind: key.kind.clone(),
        name: key.name.clone(),
        namespace: key.namespace.clone(),
    }
}

/// Whether every object would go: a render that shrank to nothing is more often an accident than a wish.
fn would_wipe_out(comparison: &Comparison) -> bool {
    let mut objects = comparison.resources.iter().filter(|one| !one.annotations.is_hook()).peekable();
    objects.peek().is_some() && objects.all(|one| one.requires_pruning)
}

/// Whether the last operation already synced these revisions with these sources.
fn attempted(app: &Application, state: &OperationState, revisions: &[String]) -> bool {
    let Some(result) = &state.sync_result else { return false };
    let result_revisions =
        if result.revisions.is_empty() { std::slice::from_ref(&result.revision) } else { &result.revisions };
    let comparable =
        |source: &ApplicationSource| ApplicationSource { target_revision: String::new(), ..source.clone() };
    let same_source = if app.spec.sources.is_empty() {
        app.spec.source.as_ref().map(comparable).unwrap_or_default() == comparable(&result.source)
    } else {
        app.spec.sources.iter().map(comparable).eq(result.sources.iter().map(comparable))
    };
    result_revisions == revisions && same_source
}

fn failed_before(state: &OperationState, revisions: &[String]) -> Problem {
    let message = format!(
        "Failed last sync attempt to [{}]: {} (sync by hand to try again, or push a fix)",
        revisions.join(","),
        state.message
    );
    Problem::stalled(Stage::Sync, Cause::ObjectRefused, message)
}

/// How long self-heal waits after `attempts` attempts at the same revision: at once for the first two, then 2 s,
/// times 3 each, up to 300 s.
pub fn self_heal_wait(attempts: i64) -> Duration {
    match u32::try_from(attempts) {
        Ok(0) | Err(_) => Duration::ZERO,
        Ok(attempts) => {
            let seconds = 2_u64.saturating_mul(3_u64.saturating_pow(attempts - 1));
            Duration::from_secs(seconds.min(300))
        }
    }
}

/// So long after a sync that succeeded, self-heal counts from the beginning.
const COOLDOWN: Duration = Duration::from_secs(330);

fn since_end(state: &OperationState, now: Time) -> Duration {
    Duration::from_secs(state.finished_at.unwrap_or(state.started_at).seconds_until(now))
}

/// Attempts of self-heal in a row.
fn attempts_before(state: &OperationState, now: Time) -> i64 {
    if since_end(state, now) >= COOLDOWN {
        return 0;
    }
    state.operation.sync.as_ref().map_or(0, |sync| sync.self_heal_attempts_count)
}

fn still_to_wait(state: &OperationState, now: Time) -> Option<Duration> {
    let wait = self_heal_wait(attempts_before(state, now));
    wait.checked_sub(since_end(state, now)).filter(|rest| !rest.is_zero())
}

/// The options of a sync: those of the operation, then those of the application; the first mention counts.
pub(super) fn merged_options(operation: &SyncOperation, app: Option<&SyncOptions>) -> SyncOptions {
    let mut words = operation.sync_options.0.clone();
    words.extend(app.into_iter().flat_map(|options| options.0.iter().cloned()));
    SyncOptions(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn self_heal_acts_at_once_then_backs_off() {
        let waits: Vec<u64> = (0..8).map(|attempts| self_heal_wait(attempts).as_secs()).collect();
        assert_eq!(waits, [0, 2, 6, 18, 54, 162, 300, 300]);
        assert_eq!(self_heal_wait(i64::MAX).as_secs(), 0, "a count that no controller wrote starts afresh");
    }

    fn decision(app: serde_json::Value, resources: &[(&str, bool, &str)]) -> AutoSync {
        let resources = resources.iter().map(|(name, surplus, options)| {
            let body = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "n",
                "annotations": {"argocd.argoproj.io/sync-options": options}}});
            let object = std::sync::Arc::new(crate::object::Manifest::new(body).unwrap());
            ResourceComparison {
                key: object.key(),
                annotations: crate::api::ResourceAnnotations::of(&object),
                desired: (!surplus).then(|| std::sync::Arc::clone(&object)),
                live: surplus.then_some(object),
                status: SyncCode::OutOfSync,
                unchanged: false,
                predicted: true,
        requires_pruning: *surplus,
                differences: Vec::new(),
                problem: None,
                writing: crate::flow::Writing::default(),
            }
        });
        let comparison =
            Comparison { status: SyncCode::OutOfSync, resources: resources.collect(), problems: Vec::new() };
        let app = crate::api::decode_application(app).unwrap();
        decide_auto_sync(&app, &comparison, &["abc".into()], "2026-11-21T12:00:00Z".parse().unwrap())
    }

    fn app(automated: serde_json::Value, attempts: i64, finished: &str) -> serde_json::Value {
        let source = serde_json::json!({"repoURL": "r", "path": "."});
        let mut app = serde_json::json!({"metadata": {"name": "a"}, "spec": {"source": source, "syncPolicy": {"automated": automated}}});
        if !finished.is_empty() {
            app["status"]["operationState"] = serde_json::json!({"phase": "Succeeded", "startedAt": finished, "finishedAt": finished,
                "operation": {"sync": {"autoHealAttemptsCount": attempts}}, "syncResult": {"revision": "abc", "source": source}});
        }
        app
    }

    #[test]
    fn a_sync_starts_by_itself_only_where_the_policy_says_so() {
        use serde_json::json;
        let starts = |app: serde_json::Value, of: &[(&str, bool, &str)]| {
            matches!(decision(app, of), AutoSync::Start(_))
        };
        let (changed, left) = (("changed", false, ""), ("left", true, ""));
        let all = json!({"prune": true, "selfHeal": true});
        assert!(starts(app(json!({}), 0, ""), &[changed]));
        assert!(!starts(app(json!({"enabled": false}), 0, ""), &[changed]));
        assert!(!starts(app(json!({}), 0, ""), &[left]), "nothing but prunes, and it may not prune");
        assert!(
            matches!(decision(app(all.clone(), 0, ""), &[left]), AutoSync::Blocked(_)),
            "everything would go"
        );
        assert!(starts(app(json!({"prune": true, "allowEmpty": true}), 0, ""), &[left]));
        let long_ago = "2026-11-21T11:00:00Z";
        assert!(
            !starts(app(json!({}), 0, long_ago), &[changed]),
            "the revision was synced, and it does not heal"
        );
        assert!(starts(app(all.clone(), 1, long_ago), &[changed, left]));
        let stays = ("stays", true, "Prune=false");
        assert_eq!(
            decision(
                app(json!({"prune": true, "selfHeal": true, "allowEmpty": true}), 1, long_ago),
                &[stays]
            ),
            AutoSync::No
        );
        let mut deleting = app(all, 0, "");
        deleting["metadata"]["deletionTimestamp"] = json!(long_ago);
        assert!(!starts(deleting, &[changed]));
    }

    #[test]
    fn attempts_of_self_heal_count_until_it_was_quiet_for_a_while() {
        let all = serde_json::json!({"prune": true, "selfHeal": true});
        let changed = [("changed", false, "")];
        let AutoSync::Later(wait) = decision(app(all.clone(), 3, "2026-11-21T11:59:50Z"), &changed) else {
            panic!("the third attempt waits")
        };
        assert_eq!(wait.as_secs(), 8);
        let count = |finished: &str| match decision(app(all.clone(), 3, finished), &changed) {
            AutoSync::Start(operation) => operation.sync.map(|sync| sync.self_heal_attempts_count),
            other => panic!("{other:?}"),
        };
        assert_eq!(count("2026-11-21T11:59:00Z"), Some(4));
        assert_eq!(count("2026-11-21T11:54:00Z"), Some(1), "330 s without a sync");
    }
}
