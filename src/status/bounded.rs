//! A status that stays small enough to be stored (etcd takes 1.5 MiB), and that says what it left out.
//!
//! What nobody looks for goes first: results of a sync in which nothing happened, then resources that are Synced and
//! Healthy, and only then the rest. Of each kind one entry stays, since the kinds say where left-over objects are
//! looked for; hooks and failures stay as long as anything does.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::api::{
    ApplicationStatus, Condition, ConditionType, HealthCode, OperationPhase, ResourceResult, ResourceStatus,
    ResultCode, SyncCode, Time,
};

/// What an Application may weigh as JSON, in bytes; the rest up to 1 MiB is for managedFields and the envelope.
const APPLICATION_LIMIT: usize = 960 * 1024;
/// What its status may weigh at least, however large the spec is.
const STATUS_LEAST: usize = 256 * 1024;
/// Conditions of one type that are told one by one.
const CONDITIONS_OF_A_TYPE: usize = 20;
/// Images and addresses that are listed where room is short.
const SUMMARY_ENTRIES: usize = 200;

/// The condition that says what was left out.
pub const OMITTED: &str = "OmittedResourcesWarning";
/// The key of left-out results in `status.tiphys.omittedResources`; the other keys are sync statuses.
pub const OMITTED_RESULTS: &str = "Results";

/// What a value weighs as JSON, in bytes, without keeping the text.
pub(super) fn weight(value: &impl Serialize) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Counting does not fail, and a value that cannot be written weighs nothing.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}

/// Cuts a status down so that it and `besides` bytes of the Application stay under 1 MiB. `before` is the status that
/// was there: an unchanged condition keeps its time, and results that it left out of the same operation stay left out.
pub(super) fn bound(status: &mut ApplicationStatus, before: &ApplicationStatus, besides: usize, now: Time) {
    bound_conditions(&mut status.conditions, &before.conditions, now);
    status.tiphys.omitted_resources.clear();
    status.conditions.retain(|condition| condition.kind.as_str() != OMITTED);
    let limit = APPLICATION_LIMIT.saturating_sub(besides).max(STATUS_LEAST);
    let mut excess = weight(status).saturating_sub(limit);
    let mut omitted = Omitted::default();
    if status.operation_state == before.operation_state
        && let Some(left_out) = before.tiphys.omitted_resources.get(OMITTED_RESULTS)
    {
        omitted.counts.insert(OMITTED_RESULTS.to_owned(), *left_out);
    }
    if excess == 0 {
        omitted.tell(status, &before.conditions, now);
        return;
    }
    // The condition and the counts need room themselves.
    excess = excess.saturating_add(2048);
    excess = omitted.results(status, excess, is_uneventful);
    excess = omitted.resources(status, excess, is_fine);
    excess = omitted.results(status, excess, |result| !has_failed(result) && result.hook_type.is_none());
    excess = omitted.resources(status, excess, |one| !is_failing(one) && !one.hook);
    if excess > 0 {
        status.summary.images.truncate(SUMMARY_ENTRIES);
        status.summary.external_urls.truncate(SUMMARY_ENTRIES);
        excess = weight(status).saturating_add(2048).saturating_sub(limit);
    }
    excess = omitted.results(status, excess, |_| true);
    omitted.resources(status, excess, |_| true);
    omitted.tell(status, &before.conditions, now);
}

/// A result that says nothing but "as it should be".
fn is_uneventful(result: &ResourceResult) -> bool {
    result.hook_type.is_none()
        && result.status == Some(ResultCode::Synced)
        && result.hook_phase == Some(OperationPhase::Succeeded)
}

fn has_failed(result: &ResourceResult) -> bool {
    matches!(result.hook_phase, Some(OperationPhase::Failed | OperationPhase::Error))
        || result.status == Some(ResultCode::SyncFailed)
}

fn is_fine(one: &ResourceStatus) -> bool {
    let health = one.health.as_ref().and_then(|health| health.status);
    one.status == Some(SyncCode::Synced)
        && health.is_none_or(|health| health == HealthCode::Healthy)
        && !one.hook
        && !one.requires_pruning
        && !one.requires_deletion_confirmation
}

/// What is worse than waiting: kept longest.
fn is_failing(one: &ResourceStatus) -> bool {
    one.health
        .as_ref()
        .and_then(|health| health.status)
        .is_some_and(|health| matches!(health, HealthCode::Degraded | HealthCode::Unknown))
}

#[derive(Default)]
struct Omitted {
    counts: BTreeMap<String, i64>,
}

impl Omitted {
    fn count(&mut self, what: &str) {
        *self.counts.entry(what.to_owned()).or_default() += 1;
    }

    /// Takes results out, last ones first, until the excess is gone. Gives what is left of the excess.
    fn results(
        &mut self,
        status: &mut ApplicationStatus,
        excess: usize,
        may_go: impl Fn(&ResourceResult) -> bool,
    ) -> usize {
        let result = status.operation_state.as_mut().and_then(|state| state.sync_result.as_mut());
        let Some(result) = result.filter(|_| excess > 0) else { return excess };
        let kind = |one: &ResourceResult| (one.group.clone(), one.version.clone(), one.kind.clone());
        let (left, gone) = thin_out(&mut result.resources, excess, kind, may_go);
        (0..gone.len()).for_each(|_| self.count(OMITTED_RESULTS));
        left
    }

    /// The same for resources.
    fn resources(
        &mut self,
        status: &mut ApplicationStatus,
        excess: usize,
        may_go: impl Fn(&ResourceStatus) -> bool,
    ) -> usize {
        let kind = |one: &ResourceStatus| (one.group.clone(), one.version.clone(), one.kind.clone());
        let (left, gone) = thin_out(&mut status.resources, excess, kind, may_go);
        for one in gone {
            self.count(one.status.map_or("Hook", SyncCode::as_str));
        }
        left
    }

    fn tell(self, status: &mut ApplicationStatus, before: &[Condition], now: Time) {
        if self.counts.is_empty() {
            return;
        }
        let words: Vec<String> = self
            .counts
            .iter()
            .map(|(what, count)| {
                if what == OMITTED_RESULTS {
                    format!("{count} results of the sync")
                } else {
                    format!("{count} {what} resources")
                }
            })
            .collect();
        let message = format!(
            "the status leaves out {} so that the Application stays under 1 MiB; `tiphys app resources` lists all",
            words.join(", ")
        );
        let known = before.iter().find(|one| one.kind.as_str() == OMITTED && one.message == message);
        let since = known.and_then(|known| known.last_transition_time).unwrap_or(now);
        status.conditions.push(Condition {
            kind: ConditionType::Other(OMITTED.to_owned()),
            message,
            last_transition_time: Some(since),
        });
        status.tiphys.omitted_resources = self.counts;
    }
}

/// Takes entries out, from the end, until `excess` bytes are gone; the first entry of each kind stays.
fn thin_out<T: Serialize, K: Ord>(
    entries: &mut Vec<T>,
    excess: usize,
    kind: impl Fn(&T) -> K,
    may_go: impl Fn(&T) -> bool,
) -> (usize, Vec<T>) {
    if excess == 0 {
        return (0, Vec::new());
    }
    let mut seen = BTreeSet::new();
    let firsts: Vec<bool> = entries.iter().map(|one| seen.insert(kind(one))).collect();
    let (mut kept, mut gone, mut left) = (Vec::with_capacity(entries.len()), Vec::new(), excess);
    for (one, is_first) in std::mem::take(entries).into_iter().zip(firsts).rev() {
        if left == 0 || is_first || !may_go(&one) {
            kept.push(one);
        } else {
            left = left.saturating_sub(weight(&one) + 1);
            gone.push(one);
        }
    }
    kept.reverse();
    *entries = kept;
    (left, gone)
}

/// Of each type only the first conditions are told one by one; the rest is a number.
fn bound_conditions(conditions: &mut Vec<Condition>, before: &[Condition], now: Time) {
    let mut told: BTreeMap<ConditionType, usize> = BTreeMap::new();
    let mut more: Vec<Condition> = Vec::new();
    for condition in conditions.iter() {
        *told.entry(condition.kind.clone()).or_default() += 1;
    }
    told.retain(|_, count| *count > CONDITIONS_OF_A_TYPE);
    for (kind, count) in told {
        let mut index = 0;
        conditions.retain(|condition| {
            index += usize::from(condition.kind == kind);
            condition.kind != kind || index <= CONDITIONS_OF_A_TYPE
        });
        let message = format!("and {} more like these", count - CONDITIONS_OF_A_TYPE);
        let known = before.iter().find(|one| one.kind == kind && one.message == message);
        let since = known.and_then(|known| known.last_transition_time).unwrap_or(now);
        more.push(Condition { kind, message, last_transition_time: Some(since) });
    }
    conditions.extend(more);
    conditions.sort_by(|left, right| (&left.kind, &left.message).cmp(&(&right.kind, &right.message)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{HookType, OperationState, ResourceHealth, SyncOperationResult};

    fn now() -> Time {
        "2026-11-21T00:00:00Z".parse().unwrap()
    }

    fn resource(kind: &str, index: usize, status: SyncCode, health: Option<HealthCode>) -> ResourceStatus {
        ResourceStatus {
            version: "v1".into(),
            kind: kind.into(),
            namespace: "a-namespace-with-a-long-name".into(),
            name: format!("an-object-with-a-name-of-more-than-the-usual-length-{index:05}"),
            status: Some(status),
            health: health.map(|health| ResourceHealth { status: Some(health), ..ResourceHealth::default() }),
            ..ResourceStatus::default()
        }
    }

    fn result(kind: &str, index: usize) -> ResourceResult {
        ResourceResult {
            version: "v1".into(),
            kind: kind.into(),
            namespace: "a-namespace-with-a-long-name".into(),
            name: format!("an-object-with-a-name-of-more-than-the-usual-length-{index:05}"),
            status: Some(ResultCode::Synced),
            message: "configmap/an-object-with-a-name-of-more-than-the-usual-length created".into(),
            hook_phase: Some(OperationPhase::Succeeded),
            sync_phase: Some(crate::api::SyncPhase::Sync),
            ..ResourceResult::default()
        }
    }

    /// 5,000 objects: ConfigMaps, a drifted one, a degraded Deployment, one Secret, a hook.
    fn large(sync: SyncCode, health: Option<HealthCode>) -> ApplicationStatus {
        let mut status = ApplicationStatus::default();
        status.resources.extend((0..4997).map(|index| resource("ConfigMap", index, sync, health)));
        status.resources.push(resource("Deployment", 1, SyncCode::Synced, Some(HealthCode::Degraded)));
        status.resources.push(resource("Secret", 1, SyncCode::Synced, None));
        status.resources.push(resource("Service", 1, SyncCode::OutOfSync, None));
        let mut results: Vec<ResourceResult> = (0..5000).map(|index| result("ConfigMap", index)).collect();
        results.push(ResourceResult { hook_type: Some(HookType::PreSync), ..result("Job", 1) });
        let failed = ResourceResult {
            status: Some(ResultCode::SyncFailed),
            hook_phase: Some(OperationPhase::Failed),
            ..result("ConfigMap", 7000)
        };
        results.push(failed);
        status.operation_state = Some(OperationState {
            operation: Default::default(),
            phase: OperationPhase::Succeeded,
            message: String::new(),
            sync_result: Some(SyncOperationResult { resources: results, ..Default::default() }),
            started_at: now(),
            finished_at: None,
            retry_count: 0,
        });
        status
    }

    #[test]
    fn five_thousand_resources_stay_under_a_mebibyte_and_nothing_that_matters_goes() {
        let mut status = large(SyncCode::Synced, None);
        let besides = 40_000;
        assert!(weight(&status) > 1024 * 1024);
        bound(&mut status, &ApplicationStatus::default(), besides, now());
        assert!(weight(&status) + besides <= APPLICATION_LIMIT, "{}", weight(&status));
        let kinds: BTreeSet<&str> = status.resources.iter().map(|one| one.kind.as_str()).collect();
        assert_eq!(kinds, BTreeSet::from(["ConfigMap", "Deployment", "Secret", "Service"]));
        let results = &status.operation_state.as_ref().unwrap().sync_result.as_ref().unwrap().resources;
        assert!(results.iter().any(|one| one.hook_type.is_some()) && results.iter().any(has_failed));
        let total: i64 = status.tiphys.omitted_resources.values().sum();
        assert_eq!(total, 10_002 - i64::try_from(status.resources.len() + results.len()).unwrap());
        let told = status.conditions.iter().find(|one| one.kind.as_str() == OMITTED).unwrap();
        assert!(told.message.contains("results of the sync"), "{}", told.message);
        // The same again gives the same: nothing is written twice.
        let mut again = large(SyncCode::Synced, None);
        let later: Time = "2026-11-22T00:00:00Z".parse().unwrap();
        let before = ApplicationStatus { conditions: status.conditions.clone(), ..Default::default() };
        bound(&mut again, &before, besides, later);
        assert_eq!(again, status);
        // What is stored is cut already: a reconcile in which nothing happens still says so.
        let mut stored = status.clone();
        bound(&mut stored, &status, besides, later);
        assert_eq!(stored, status);
    }

    #[test]
    fn a_first_sync_of_many_missing_objects_is_cut_too_and_failures_stay() {
        let mut status = large(SyncCode::OutOfSync, Some(HealthCode::Missing));
        bound(&mut status, &ApplicationStatus::default(), 400_000, now());
        assert!(weight(&status) + 400_000 <= APPLICATION_LIMIT, "{}", weight(&status));
        assert!(status.resources.iter().any(|one| one.kind == "Deployment"));
        assert!(status.tiphys.omitted_resources["OutOfSync"] > 0);
    }

    #[test]
    fn a_small_status_is_left_alone_and_conditions_are_counted() {
        let mut status = ApplicationStatus::default();
        status.resources.push(resource("ConfigMap", 1, SyncCode::Synced, None));
        let condition = |index: usize| Condition {
            kind: ConditionType::ComparisonError,
            message: format!("{index:03}"),
            last_transition_time: Some(now()),
        };
        status.conditions = (0..100).map(condition).collect();
        bound(&mut status, &ApplicationStatus::default(), 0, now());
        assert_eq!(status.resources.len(), 1);
        assert_eq!(status.conditions.len(), 21);
        assert_eq!(status.conditions[20].message, "and 80 more like these");
        assert!(status.tiphys.omitted_resources.is_empty());
    }
}
