//! The status of an application from what was seen.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::api::{
    Application, ApplicationStatus, ApplicationSummary, ComparedTo, ConditionType, DriftEntry, Health,
    HealthCode, OperationState, ResourceCause, ResourceHealth, ResourceStatus, RevisionHistory, RevisionNote,
    SourceType, SyncCode, SyncStatus, Time, TiphysStatus,
};
use crate::flow::{Comparison, HealthStatus, Problem};
use crate::object::{Manifest, ResourceKey, list_at, str_at};

use super::bounded::{bound, weight};
use super::merge_conditions;

/// What was seen and done in one reconcile. What is absent was not reached; the status before stays.
#[derive(Debug, Default)]
pub struct Seen<'a> {
    /// How Git and cluster compare.
    pub comparison: Option<&'a Comparison>,
    /// Health of single objects.
    pub health: Option<&'a BTreeMap<ResourceKey, HealthStatus>>,
    /// Health of the application, with a message.
    pub rolled_up: Option<(HealthCode, String)>,
    /// Revisions of the sources, as far as they were resolved.
    pub revisions: Vec<String>,
    /// How the sources were rendered.
    pub source_types: Vec<SourceType>,
    /// The operation, where there is one.
    pub operation_state: Option<OperationState>,
    /// An entry for the history, where a sync has just succeeded.
    pub synced: Option<RevisionHistory>,
    /// State of our extensions, where it is known anew.
    pub extension: Option<TiphysStatus>,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// The drift ledger, where it was looked at.
    pub drift: Option<Vec<DriftEntry>>,
    /// Why objects are not healthy, where that was looked at.
    pub causes: Option<Vec<ResourceCause>>,
    /// Who made the revisions of the history, where that was looked at.
    pub revisions_made: Option<Vec<RevisionNote>>,
    /// Namespace of the controller.
    pub controller_namespace: &'a str,
}

/// Conditions that a reconcile evaluates; conditions of other types stay as they are.
const EVALUATED: [ConditionType; 11] = [
    ConditionType::DeletionError,
    ConditionType::InvalidSpecError,
    ConditionType::ComparisonError,
    ConditionType::SyncError,
    ConditionType::UnknownError,
    ConditionType::SharedResourceWarning,
    ConditionType::RepeatedResourceWarning,
    ConditionType::ExcludedResourceWarning,
    ConditionType::OrphanedResourceWarning,
    ConditionType::SyncWindowWarning,
    ConditionType::ConfirmationWarning,
];

/// Puts the new status together. `reconciledAt` moves only together with something else.
pub fn compose(app: &Application, seen: &Seen<'_>, now: Time) -> ApplicationStatus {
    let before = &app.status;
    let mut status = before.clone();
    status.conditions = merge_conditions(&before.conditions, &seen.problems, &EVALUATED, now);
    status.controller_namespace = seen.controller_namespace.to_owned();
    status.sync = sync_status(app, seen);
    if let Some(comparison) = seen.comparison {
        status.resources = resources(comparison, seen.health);
        status.summary = summary(comparison);
        let several = app.spec.has_multiple_sources();
        status.source_type = seen.source_types.first().copied().filter(|_| !several);
        status.source_types = if several { seen.source_types.clone() } else { Vec::new() };
    }
    let rolled_up = seen.rolled_up.clone().or_else(|| {
        seen.problems
            .iter()
            .any(|problem| problem.condition().is_error())
            .then(|| (HealthCode::Unknown, String::new()))
    });
    if let Some((code, message)) = rolled_up {
        status.health = health(&before.health, code, message, now);
    }
    if seen.operation_state.is_some() {
        status.operation_state.clone_from(&seen.operation_state);
    }
    if let Some(entry) = &seen.synced {
        add_history(&mut status.history, entry, app.spec.revision_history_limit);
    }
    if let Some(extension) = &seen.extension {
        status.tiphys.rejected_revisions.clone_from(&extension.rejected_revisions);
        status.tiphys.healthy_revision.clone_from(&extension.healthy_revision);
        status.tiphys.degraded_since = extension.degraded_since;
    }
    if let Some(drift) = &seen.drift {
        status.tiphys.drift.clone_from(drift);
    }
    if let Some(causes) = &seen.causes {
        status.tiphys.causes.clone_from(causes);
    }
    if let Some(made) = &seen.revisions_made {
        status.tiphys.revisions.clone_from(made);
    }
    bound(&mut status, before, weight_besides(app), now);
    if status != *before {
        status.reconciled_at = Some(now);
    }
    status
}

/// What of an Application is not its status, in bytes of JSON.
fn weight_besides(app: &Application) -> usize {
    weight(&app.spec) + weight(&app.metadata) + weight(&app.operation)
}

fn sync_status(app: &Application, seen: &Seen<'_>) -> SyncStatus {
    let mut sync = app.status.sync.clone();
    let Some(comparison) = seen.comparison else {
        sync.status = SyncCode::Unknown;
        return sync;
    };
    sync.status = comparison.status;
    sync.compared_to = ComparedTo {
        source: if app.spec.sources.is_empty() {
            app.spec.source.clone().unwrap_or_default()
        } else {
            Default::default()
        },
        destination: app.spec.destination.clone(),
        sources: app.spec.sources.clone(),
        ignore_differences: app.spec.ignore_differences.clone(),
    };
    if app.spec.sources.is_empty() {
        sync.revision = seen.revisions.first().cloned().unwrap_or_default();
        sync.revisions.clear();
    } else {
        sync.revision.clear();
        sync.revisions.clone_from(&seen.revisions);
    }
    sync
}

fn resources(
    comparison: &Comparison,
    health: Option<&BTreeMap<ResourceKey, HealthStatus>>,
) -> Vec<ResourceStatus> {
    let entries = comparison.resources.iter().filter_map(|one| {
        let object = one.desired.as_ref().or(one.live.as_ref())?;
        let is_hook = one.annotations.is_hook();
        if is_hook && one.live.is_none() {
            return None;
        }
        let health = health.and_then(|all| all.get(&one.key)).map(|health| ResourceHealth {
            status: Some(health.status),
            message: health.message.clone(),
            last_transition_time: None,
        });
        Some(ResourceStatus {
            group: one.key.group.clone(),
            version: object.gvk().version,
            kind: one.key.kind.clone(),
            namespace: one.key.namespace.clone(),
            name: one.key.name.clone(),
            status: (!is_hook).then_some(one.status),
            health,
            hook: is_hook,
            requires_pruning: one.requires_pruning,
            sync_wave: one.annotations.wave,
            requires_deletion_confirmation: ["Prune", "Delete"].iter().any(|key| {
                one.annotations.options.requirement(key) == Some(crate::api::Requirement::Confirm)
            }),
        })
    });
    entries.collect()
}

pub(super) fn health(before: &Health, code: HealthCode, message: String, now: Time) -> Health {
    let unchanged = before.status == Some(code);
    Health {
        status: Some(code),
        message,
        last_transition_time: if unchanged { before.last_transition_time } else { Some(now) },
    }
}

fn add_history(history: &mut Vec<RevisionHistory>, entry: &RevisionHistory, limit: Option<i64>) {
    let mut entry = entry.clone();
    entry.id = history.last().map_or(0, |last| last.id.saturating_add(1));
    history.push(entry);
    let limit = usize::try_from(limit.unwrap_or(10)).unwrap_or(0);
    let surplus = history.len().saturating_sub(limit);
    history.drain(..surplus);
}

fn summary(comparison: &Comparison) -> ApplicationSummary {
    let mut images = BTreeSet::new();
    let mut urls = BTreeSet::new();
    for live in comparison.resources.iter().filter_map(|one| one.live.as_ref()) {
        collect_images(live, &mut images);
        collect_urls(live, &mut urls);
    }
    ApplicationSummary { external_urls: urls.into_iter().collect(), images: images.into_iter().collect() }
}

const POD_SPECS: [&[&str]; 3] =
    [&["spec"], &["spec", "template", "spec"], &["spec", "jobTemplate", "spec", "template", "spec"]];

fn collect_images(object: &Manifest, images: &mut BTreeSet<String>) {
    for path in POD_SPECS {
        let Some(spec) = crate::object::at(object.body(), path) else { continue };
        for field in ["initContainers", "containers"] {
            images.extend(
                list_at(spec, &[field]).iter().filter_map(|one| str_at(one, &["image"])).map(str::to_owned),
            );
        }
    }
}

/// Addresses of Ingresses that have an address.
fn collect_urls(object: &Manifest, urls: &mut BTreeSet<String>) {
    if object.kind() != "Ingress" || list_at(object.body(), &["status", "loadBalancer", "ingress"]).is_empty()
    {
        return;
    }
    let with_tls: BTreeSet<&str> = list_at(object.body(), &["spec", "tls"])
        .iter()
        .flat_map(|tls| list_at(tls, &["hosts"]))
        .filter_map(Value::as_str)
        .collect();
    for rule in list_at(object.body(), &["spec", "rules"]) {
        let Some(host) = str_at(rule, &["host"]) else { continue };
        let scheme = if with_tls.contains(host) { "https" } else { "http" };
        for path in list_at(rule, &["http", "paths"]) {
            let path = str_at(path, &["path"]).unwrap_or_default().trim_end_matches('*');
            urls.insert(format!("{scheme}://{host}{}", path.trim_end_matches('/')));
        }
    }
}
