//! Git against cluster, and what a sync made of it: refusals, hooks, drift, what was not synced yet.

use std::collections::BTreeMap;

use crate::api::{OperationPhase, OperationState, ResourceResult, ResultCode, SyncCode};
use crate::flow::{Next, ResourceComparison};
use crate::object::ResourceKey;

use super::ownership::{drifted, is_foreign, writer};
use super::{Evidence, Finding, Found, Level, named, rank, running};

/// The condition of two writers that fight over a field.
pub(super) const FIGHT: &str = "FieldFightWarning";
/// Fields of one object that are told one by one.
const MOST_FIELDS: usize = 5;
/// Objects of one sort that are told one by one.
const MOST_OBJECTS: usize = 10;

/// Everything about objects that are not as Git says.
pub(super) fn findings(evidence: &Evidence<'_>, found: &mut Found) {
    let state = evidence.app.status.operation_state.as_ref();
    let refused = refusals(evidence, state, found);
    let Some(comparison) = evidence.comparison else { return };
    for problem in &comparison.problems {
        let told = comparison.resources.iter().any(|one| one.problem.as_ref() == Some(problem));
        if !told {
            found.cause(rank::STAGE, super::stages::of_problem(problem));
        }
    }
    let mut pending = Vec::new();
    for one in comparison.resources.iter().filter(|one| one.status == SyncCode::OutOfSync) {
        if refused.contains_key(&one.key) {
            continue;
        }
        let (drift, old) = fields(evidence, one);
        for finding in drift {
            found.cause(rank::DRIFT, finding);
        }
        if old || one.live.is_none() || one.requires_pruning {
            pending.push(one);
        }
    }
    not_synced_yet(evidence, state, &pending, found);
}

/// What the controller has found that does not show from here: a fight over a field, a prune that it refuses.
pub(super) fn conditions(evidence: &Evidence<'_>, found: &mut Found) {
    for condition in &evidence.app.status.conditions {
        let word = condition.kind.as_str();
        // A failed sync is told object by object, what is left out is no cause, and we do not quote ourselves.
        let is_told = condition.message.starts_with("Failed ") || word == super::CONDITION;
        if is_told || !(condition.kind.is_error() || word == FIGHT) {
            continue;
        }
        let said = |finding: &Finding| {
            condition.message.contains(&finding.message)
                || finding.message.contains(&condition.message)
                || (word == FIGHT && is_fought_over(&condition.message, finding))
        };
        if !found.causes.iter().any(|(_, finding)| said(finding)) {
            let mut finding = Finding::new(Level::Sync, None, format!("{word}: {}", condition.message));
            finding.since = condition.last_transition_time;
            found.cause(rank::REFUSED, finding);
        }
    }
}

/// Whether a drift is what the condition of a fight is about.
fn is_fought_over(message: &str, finding: &Finding) -> bool {
    let field = finding.field.as_ref().map(|field| field.pointer.as_str());
    let object = finding.object.as_ref().map(named);
    object.is_some_and(|object| message.contains(&object))
        && field.is_some_and(|field| message.contains(field))
}

/// Objects that the API server, the project or RBAC refused, and hooks that failed. Gives their keys.
fn refusals(
    evidence: &Evidence<'_>,
    state: Option<&OperationState>,
    found: &mut Found,
) -> BTreeMap<ResourceKey, ()> {
    let mut refused = BTreeMap::new();
    for one in evidence.comparison.iter().flat_map(|comparison| &comparison.resources) {
        let Some(problem) = &one.problem else { continue };
        let mut finding = super::stages::of_problem(problem);
        let message = finding.message.strip_prefix(&format!("{}: ", one.key)).map(str::to_owned);
        finding.message = message.unwrap_or(finding.message);
        finding.object = Some(one.key.clone());
        finding.advice.extend(advice_on(&finding.message));
        found.cause(if problem.next == Next::Retry { rank::STAGE } else { rank::REFUSED }, finding);
        refused.insert(one.key.clone(), ());
    }
    let over = state.filter(|state| state.phase != OperationPhase::Succeeded && concerns(evidence, state));
    let results =
        over.iter().filter_map(|state| state.sync_result.as_ref()).flat_map(|result| &result.resources);
    for result in results.filter(|result| failed(result)) {
        let key = ResourceKey::new(&result.group, &result.kind, &result.namespace, &result.name);
        if refused.insert(key.clone(), ()).is_some() {
            continue;
        }
        let mut finding = match result.hook_type {
            Some(hook) => {
                Finding::new(Level::Sync, Some(&key), format!("{hook:?} hook failed: {}", result.message))
                    .advise("nothing after the hook was applied; mend it, then sync again")
            }
            None if result.status == Some(ResultCode::SyncFailed) => {
                Finding::new(Level::Sync, Some(&key), format!("was refused: {}", result.message))
            }
            None => continue,
        };
        finding.advice.extend(advice_on(&result.message));
        finding.evidence = running::below(evidence, &key);
        found.cause(rank::REFUSED, finding);
    }
    refused
}

fn failed(result: &ResourceResult) -> bool {
    result.status == Some(ResultCode::SyncFailed)
        || matches!(result.hook_phase, Some(OperationPhase::Failed | OperationPhase::Error))
}

/// Whether the last operation is about what is wanted now.
fn concerns(evidence: &Evidence<'_>, state: &OperationState) -> bool {
    let revision = state.sync_result.as_ref().map_or("", |result| result.revision.as_str());
    evidence.revision.is_empty() || revision.is_empty() || revision == evidence.revision
}

fn advice_on(message: &str) -> Option<String> {
    let advice = if message.contains("immutable") && !message.contains("Force=true") {
        "the field cannot be changed in place: set the annotation argocd.argoproj.io/sync-options: \
         Force=true on the object to delete it and create it anew"
    } else if message.contains("forbidden") && message.contains("exceeded quota") {
        "raise the ResourceQuota or ask for less"
    } else if message.contains("is forbidden: User") && !message.contains("give the controller") {
        "give the controller's service account this right"
    } else {
        return None;
    };
    Some(advice.to_owned())
}

/// The fields in which an object differs: those that somebody else wrote, and whether others are older wishes of Git.
fn fields(evidence: &Evidence<'_>, one: &ResourceComparison) -> (Vec<Finding>, bool) {
    let (mut drift, mut old, mut more) = (Vec::new(), false, 0_usize);
    if one.live.is_none() {
        return (drift, false);
    }
    // At the revision that was synced last, whatever differs was changed in the cluster.
    let synced = was_synced(evidence);
    for field in &one.differences {
        let writer = writer(evidence, one, field);
        let is_drift = synced || (is_foreign(writer.as_ref()) && field.live.is_some());
        if !is_drift {
            old = true;
        } else if drift.len() < MOST_FIELDS {
            drift.push(drifted(evidence, one, field, writer));
        } else {
            more += 1;
        }
    }
    if let (Some(last), true) = (drift.last_mut(), more > 0) {
        last.evidence.push(Finding::new(
            Level::Compare,
            None,
            format!("and {more} more fields of this object"),
        ));
    }
    (drift, old)
}

fn was_synced(evidence: &Evidence<'_>) -> bool {
    let state = evidence.app.status.operation_state.as_ref();
    state.is_some_and(|state| {
        state.phase == OperationPhase::Succeeded
            && !evidence.revision.is_empty()
            && state.sync_result.as_ref().is_some_and(|result| result.revision == evidence.revision)
    })
}

/// Objects that Git and a sync would change, create or delete: the question is why no sync did.
fn not_synced_yet(
    evidence: &Evidence<'_>,
    state: Option<&OperationState>,
    pending: &[&ResourceComparison],
    found: &mut Found,
) {
    if pending.is_empty() {
        return;
    }
    let running = state.is_some_and(|state| !state.phase.is_completed());
    let because = if running {
        let message = state.map_or("", |state| state.message.as_str());
        if message.starts_with("waiting") {
            format!("the sync is {message}")
        } else {
            "a sync is under way".to_owned()
        }
    } else if state.is_some_and(|state| state.phase != OperationPhase::Succeeded && concerns(evidence, state))
    {
        "the sync failed before it".to_owned()
    } else {
        "no sync has applied it".to_owned()
    };
    let explained = running || found.causes.iter().any(|(rank, _)| *rank <= rank::REFUSED);
    if !explained {
        found.cause(rank::DRIFT, why_no_sync(evidence, state, pending));
    }
    for one in pending.iter().take(MOST_OBJECTS) {
        let what = if one.requires_pruning {
            "is no longer in Git and not deleted yet"
        } else if one.live.is_none() {
            "is not created yet"
        } else {
            "has Git's older state"
        };
        found.consequences.push(Finding::new(Level::Sync, Some(&one.key), format!("{what}: {because}")));
    }
    if let Some(more) = pending.len().checked_sub(MOST_OBJECTS).filter(|more| *more > 0) {
        found.consequences.push(Finding::new(
            Level::Sync,
            None,
            format!("and {more} more objects like these"),
        ));
    }
}

fn why_no_sync(
    evidence: &Evidence<'_>,
    state: Option<&OperationState>,
    pending: &[&ResourceComparison],
) -> Finding {
    let app = evidence.app;
    let count = pending.len();
    let objects = if count == 1 {
        pending.first().map_or(String::new(), |one| named(&one.key))
    } else {
        format!("{count} objects")
    };
    let failed = state.filter(|state| {
        matches!(state.phase, OperationPhase::Failed | OperationPhase::Error) && concerns(evidence, state)
    });
    if let Some(state) = failed {
        return Finding::new(Level::Sync, None, format!("the last sync failed: {}", state.message))
            .advise(format!("`tiphys app sync {}` tries again", app.name()));
    }
    let automated = app.spec.sync_policy.as_ref().and_then(|policy| policy.automated.as_ref());
    let Some(automated) = automated.filter(|_| app.spec.is_automated()) else {
        return Finding::new(Level::Sync, None, format!("{objects}: Git changed, and automated sync is off"))
            .advise(format!("`tiphys app sync {}`, or set spec.syncPolicy.automated", app.name()));
    };
    if !automated.prune && pending.iter().all(|one| one.requires_pruning) {
        return Finding::new(
            Level::Sync,
            None,
            format!("{objects}: no longer in Git, and automated pruning is off"),
        )
        .advise(format!("`tiphys app sync {} --prune`, or set spec.syncPolicy.automated.prune", app.name()));
    }
    if was_synced(evidence) && !automated.self_heal {
        return Finding::new(
            Level::Sync,
            None,
            format!("{objects}: changed in the cluster, and self-heal is off"),
        )
        .advise(format!("`tiphys app sync {}`, or set spec.syncPolicy.automated.selfHeal", app.name()));
    }
    Finding::new(Level::Sync, None, format!("{objects}: the controller has not synced this yet"))
        .advise("look at the conditions of the Application and at the controller's log if this lasts")
}
