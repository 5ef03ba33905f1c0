//! What a sync would do, in which order.

use std::sync::Arc;

use crate::api::annotations::TRACKING_ID;
use crate::api::{
    DeletePolicy, HookType, Requirement, SyncCode, SyncOperation, SyncOperationResource, SyncOptions,
    SyncPhase, Time, is_default,
};
use crate::flow::{Action, Cause, Comparison, Plan, ResourceComparison, Task, WriteOptions};
use crate::object::{Manifest, ResourceKey};

use super::{Guards, NamespaceCreation, auto::merged_options, guard, namespace, order};

/// What a plan is made for.
#[derive(Clone, Debug)]
pub struct PlanRequest<'a> {
    /// The operation.
    pub operation: &'a SyncOperation,
    /// Options of the application.
    pub app_options: Option<&'a SyncOptions>,
    /// The revision, for names of hooks.
    pub revision: &'a str,
    /// When the operation started, for names of hooks.
    pub started_at: Time,
    /// The destination's namespace, where `CreateNamespace=true` is set.
    pub create_namespace: Option<NamespaceCreation>,
    /// What a person has to confirm.
    pub guards: Guards,
}

impl PlanRequest<'_> {
    fn runs_hooks(&self) -> bool {
        let strategy = self.operation.sync_strategy.as_ref();
        let apply_only = strategy.is_some_and(|strategy| strategy.apply.is_some() && strategy.hook.is_none());
        !apply_only && self.operation.resources.is_empty()
    }

    fn forces(&self) -> bool {
        let strategy = self.operation.sync_strategy.clone().unwrap_or_default();
        [strategy.apply, strategy.hook].iter().flatten().any(|how| how.force)
    }

    fn options(&self) -> SyncOptions {
        merged_options(self.operation, self.app_options)
    }
}

/// Makes the plan of a sync: pure, and the same for the same input.
pub fn plan(comparison: &Comparison, request: &PlanRequest<'_>) -> Plan {
    let options = request.options();
    let mut tasks: Vec<Task> = Vec::new();
    for one in &comparison.resources {
        if one.annotations.is_hook() {
            if request.runs_hooks() {
                tasks.extend(hook_tasks(one, request, &options));
            }
        } else if is_selected(&request.operation.resources, &one.key) {
            tasks.extend(object_task(one, request, &options));
        }
    }
    let prune_last = options.switch("PruneLast") == Some(true);
    order::reverse_prune_waves(&mut tasks, |task| {
        let own = crate::api::ResourceAnnotations::of(&task.object).options;
        prune_last || own.switch("PruneLast") == Some(true)
    });
    guard::hold_prunes(&mut tasks, comparison, &request.guards, &options, request.started_at);
    tasks.extend(namespace_task(request, &tasks));
    order::sort(&mut tasks);
    Plan { tasks }
}

/// The namespace is made only where the sync does not bring it itself.
fn namespace_task(request: &PlanRequest<'_>, tasks: &[Task]) -> Option<Task> {
    let creation = request.create_namespace.as_ref()?;
    let brought = tasks.iter().any(|task| {
        task.action == Action::Apply
            && task.key.kind == "Namespace"
            && task.key.group.is_empty()
            && task.key.name == creation.name
    });
    if brought { None } else { namespace::task(creation) }
}

fn is_selected(resources: &[SyncOperationResource], key: &ResourceKey) -> bool {
    resources.is_empty()
        || resources.iter().any(|one| {
            one.kind == key.kind
                && one.group == key.group
                && one.name == key.name
                && (one.namespace.is_empty() || one.namespace == key.namespace)
        })
}

fn object_task(one: &ResourceComparison, request: &PlanRequest<'_>, options: &SyncOptions) -> Option<Task> {
    let only_out_of_sync = options.switch("ApplyOutOfSyncOnly") == Some(true);
    if let Some(desired) = &one.desired {
        if only_out_of_sync && one.status == SyncCode::Synced {
            return None;
        }
        let object = one.writing.object.as_ref().unwrap_or(desired);
        let mut task = new_task(one, Arc::clone(object), Action::Apply, SyncPhase::Sync);
        task.options = write_options(one, request, options);
        task.predicted = one.predicted && one.problem.is_none();
        // What an apply may not change, the write may replace; whether it may is asked again by the dry-run.
        let replaced = task.options.force || task.options.replace;
        let problem = one.problem.as_ref().filter(|one| !(replaced && one.cause == Cause::ObjectRefused));
        task.refused = problem.map(|problem| problem.message.clone());
        return Some(task);
    }
    let live = one.live.as_ref()?;
    let mut task = new_task(one, Arc::clone(live), Action::Prune, SyncPhase::Sync);
    task.options.propagation = options.propagation_policy();
    task.skipped = prune_refused(one, request, options);
    Some(task)
}

/// Why an object that Git no longer holds stays.
fn prune_refused(
    one: &ResourceComparison,
    request: &PlanRequest<'_>,
    options: &SyncOptions,
) -> Option<String> {
    let own = one.annotations.options.requirement("Prune");
    match own.or_else(|| options.requirement("Prune")).unwrap_or(Requirement::Allowed) {
        Requirement::Forbidden => Some("ignored (no prune)".into()),
        _ if !request.operation.prune => Some("ignored (requires pruning)".into()),
        _ => None,
    }
}

fn write_options(one: &ResourceComparison, request: &PlanRequest<'_>, options: &SyncOptions) -> WriteOptions {
    let own = &one.annotations.options;
    let switch = |key: &str| own.switch(key).or_else(|| options.switch(key));
    let (replace, force) =
        (switch("Replace") == Some(true), request.forces() || switch("Force") == Some(true));
    WriteOptions {
        replace,
        force,
        skip_validation: switch("Validate") == Some(false),
        skip_dry_run_on_missing_resource: switch("SkipDryRunOnMissingResource") == Some(true),
        // Both together make the object anew with each sync, as `kubectl replace --force` does: a Job runs again.
        unchanged: one.unchanged && !(replace && force),
        ownership: one.writing.ownership.clone(),
        propagation: options.propagation_policy(),
    }
}

fn new_task(one: &ResourceComparison, object: Arc<Manifest>, action: Action, phase: SyncPhase) -> Task {
    Task {
        phase,
        wave: one.annotations.wave,
        key: one.key.clone(),
        gvk: object.gvk(),
        action,
        live: one.live.clone(),
        object,
        hook: None,
        delete_policies: Vec::new(),
        options: WriteOptions::default(),
        predicted: false,
        refused: None,
        forbidden: one.problem.as_ref().is_some_and(|problem| problem.cause == Cause::NotPermitted),
        skipped: None,
        unconfirmed: None,
    }
}

fn hook_tasks(one: &ResourceComparison, request: &PlanRequest<'_>, options: &SyncOptions) -> Vec<Task> {
    let Some(desired) = &one.desired else { return Vec::new() };
    let phases = one.annotations.hooks.iter().filter_map(|hook| Some((*hook, phase_of(*hook)?)));
    let tasks = phases.filter_map(|(hook, phase)| {
        let object = named_hook(desired, request.revision, request.started_at, &format!("{phase:?}"))?;
        let mut task = new_task(one, Arc::new(object), Action::Apply, phase);
        task.key.name = task.object.name().to_owned();
        // A hook with a generated name is never the object that was there before.
        task.live = one.live.clone().filter(|live| live.name() == task.key.name);
        task.hook = Some(hook);
        task.delete_policies = one.annotations.delete_policies.clone();
        task.options = WriteOptions { unchanged: false, ..write_options(one, request, options) };
        Some(task)
    });
    tasks.collect()
}

fn phase_of(hook: HookType) -> Option<SyncPhase> {
    match hook {
        HookType::PreSync => Some(SyncPhase::PreSync),
        HookType::Sync => Some(SyncPhase::Sync),
        HookType::PostSync => Some(SyncPhase::PostSync),
        HookType::SyncFail => Some(SyncPhase::SyncFail),
        HookType::Skip | HookType::PreDelete | HookType::PostDelete => None,
    }
}

/// The name of a hook is the same whenever the plan of the same operation is made, so that a restarted controller
/// finds the hook that it has already created.
fn named_hook(desired: &Manifest, revision: &str, since: Time, phase: &str) -> Option<Manifest> {
    let mut hook = desired.clone();
    if hook.name().is_empty() {
        let short: String = revision.chars().take(7).collect();
        let seconds = since.timestamp().as_second();
        let name = format!("{}{short}-{phase}-{seconds}", hook.generate_name()).to_lowercase();
        let metadata = hook.body_mut().get_mut("metadata")?.as_object_mut()?;
        metadata.remove("generateName");
        metadata.insert("name".into(), name.clone().into());
        // The tracking-id was made before the name was known, and an id without a name tracks nothing.
        if let Some(id) = hook.annotation(TRACKING_ID).filter(|id| id.ends_with('/')) {
            let id = format!("{id}{name}");
            hook.set_annotation(TRACKING_ID, &id);
        }
    }
    Some(hook)
}

/// The tasks of hooks that run when the application is deleted, in order. `since` is when it was deleted: hooks with
/// generated names keep them for as long as the deletion takes.
pub fn delete_hook_tasks(comparison: &Comparison, hook: HookType, revision: &str, since: Time) -> Vec<Task> {
    let hooks = comparison.resources.iter().filter(|one| one.annotations.hooks.contains(&hook));
    let mut tasks: Vec<Task> = hooks
        .filter_map(|one| {
            let object = named_hook(one.desired.as_ref()?, revision, since, &format!("{hook:?}"))?;
            let mut task = new_task(one, Arc::new(object), Action::Apply, SyncPhase::Sync);
            task.key.name = task.object.name().to_owned();
            task.live = one.live.clone().filter(|live| live.name() == task.key.name);
            task.hook = Some(hook);
            task.delete_policies = one.annotations.delete_policies.clone();
            Some(task)
        })
        .collect();
    order::sort(&mut tasks);
    tasks
}

impl Plan {
    /// Whether there is more than one wave or phase to go through, so that health decides when the next one starts.
    pub fn is_multi_step(&self) -> bool {
        let mut steps: Vec<(SyncPhase, i64)> = self
            .tasks
            .iter()
            .filter(|task| task.phase != SyncPhase::SyncFail)
            .map(|task| (task.phase, task.wave))
            .collect();
        steps.dedup();
        steps.len() > 1
    }
}

/// Whether a hook is deleted once its phase succeeded (or failed).
pub(super) fn deletes_after(task: &Task, failed: bool) -> bool {
    let policy = if failed { DeletePolicy::HookFailed } else { DeletePolicy::HookSucceeded };
    task.hook.is_some() && !is_default(&task.delete_policies) && task.delete_policies.contains(&policy)
}
