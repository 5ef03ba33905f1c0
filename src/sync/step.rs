//! What a running sync does next.

use std::collections::{BTreeSet, HashMap};

use crate::api::{HealthCode, OperationPhase, ResourceResult, ResultCode, SyncPhase};
use crate::flow::{Action, Assessment, Blocked, Plan, Step, Task};
use crate::object::ResourceKey;

use super::Results;
use super::guard::awaiting;
use super::plan::deletes_after;

/// How the message of an operation begins that somebody stopped: it is not tried again.
pub const TERMINATED: &str = "Operation terminated";

/// How far a sync is.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// What became of each task so far.
    pub results: Results,
    /// Whether everything that can be was dry-run.
    pub dry_run_done: bool,
    /// Whether the operation writes nothing.
    pub dry_run_only: bool,
    /// Whether somebody asked the operation to stop.
    pub terminating: bool,
}

/// Decides on the next step. Marks in `progress` what health says of the tasks that were written before.
pub fn step(plan: &Plan, progress: &mut Progress, seen: &HashMap<ResourceKey, Assessment>) -> Step {
    if progress.terminating {
        return terminate(plan, progress, seen);
    }
    if let Some(creation) = pending_namespace(plan, progress) {
        return Step::Apply(vec![creation]);
    }
    if !progress.dry_run_done && progress.results.values().all(is_namespace) {
        let refused: Vec<&Task> = plan.tasks.iter().filter(|task| task.refused.is_some()).collect();
        if !refused.is_empty() {
            record_refusals(&refused, progress);
            let first = refused.iter().find_map(|task| Some((task, task.refused.as_ref()?)));
            let why = first.map(|(task, why)| format!(": {}/{}: {why}", task.key.kind, task.key.name));
            let message = "one or more objects failed to apply (dry run)";
            return done(OperationPhase::Failed, format!("{message}{}", why.unwrap_or_default()));
        }
        let unchecked = to_dry_run(plan, progress.dry_run_only);
        if !unchecked.is_empty() {
            return Step::DryRun(unchecked);
        }
    }
    if progress.dry_run_only {
        return done(OperationPhase::Succeeded, "successfully synced (dry run)");
    }
    mark_health(plan, progress, seen);
    // The project may have changed since the sync began.
    let forbidden = |task: &&Task| task.forbidden && phase_in(progress, task).is_none();
    let forbidden: Vec<&Task> = plan.tasks.iter().filter(forbidden).collect();
    record_refusals(&forbidden, progress);
    next_wave(plan, progress, seen)
}

fn done(phase: OperationPhase, message: impl Into<String>) -> Step {
    Step::Done { phase, message: message.into() }
}

fn is_namespace(result: &ResourceResult) -> bool {
    result.kind == "Namespace" && result.group.is_empty() && result.sync_phase == Some(SyncPhase::PreSync)
}

fn pending_namespace(plan: &Plan, progress: &Progress) -> Option<Task> {
    let task = plan.tasks.first().filter(|task| task.wave == i64::MIN && task.key.kind == "Namespace")?;
    let made = progress.results.get(task.phase, &task.key).is_some();
    (!progress.dry_run_only && !made).then(|| task.clone())
}

/// The tasks that are dry-run before anything is written. What needs a Namespace or a CRD of the same plan is dry-run
/// by the API server when its own wave comes. An operation that is a dry run by itself tells of every other object.
fn to_dry_run(plan: &Plan, whole: bool) -> Vec<Task> {
    let made_here = plan.tasks.iter().filter(|task| {
        task.action == Action::Apply && task.live.is_none() && (whole || task.wave != i64::MIN)
    });
    let (mut namespaces, mut kinds) = (BTreeSet::new(), BTreeSet::new());
    for task in made_here {
        let field = |path: &[&str]| crate::object::str_at(task.object.body(), path).unwrap_or_default();
        match task.key.kind.as_str() {
            "Namespace" => {
                namespaces.insert(task.key.name.as_str());
            }
            "CustomResourceDefinition" => {
                kinds.insert((field(&["spec", "group"]), field(&["spec", "names", "kind"])));
            }
            _ => {}
        }
    }
    let unknown = |task: &Task| {
        namespaces.contains(task.key.namespace.as_str())
            || kinds.contains(&(task.key.group.as_str(), task.key.kind.as_str()))
    };
    let needs = |task: &Task| {
        task.action == Action::Apply
            && !task.predicted
            && task.skipped.is_none()
            && !task.options.skip_dry_run_on_missing_resource
    };
    plan.tasks.iter().filter(|task| !unknown(task) && (whole || needs(task))).cloned().collect()
}

fn record_refusals(refused: &[&Task], progress: &mut Progress) {
    for task in refused {
        let mut result = result_of(task);
        result.status = Some(ResultCode::SyncFailed);
        result.hook_phase = Some(OperationPhase::Failed);
        result.message = task.refused.clone().unwrap_or_default();
        progress.results.insert(task.phase, task.key.clone(), result);
    }
}

/// The entry of a task in the operation's results, before anything became of it.
pub(super) fn result_of(task: &Task) -> ResourceResult {
    ResourceResult {
        group: task.key.group.clone(),
        version: task.gvk.version.clone(),
        kind: task.key.kind.clone(),
        namespace: task.key.namespace.clone(),
        name: task.key.name.clone(),
        hook_type: task.hook,
        sync_phase: Some(task.phase),
        ..ResourceResult::default()
    }
}

/// Turns what health says into the phases of the tasks that were written.
fn mark_health(plan: &Plan, progress: &mut Progress, seen: &HashMap<ResourceKey, Assessment>) {
    // The destination's namespace is nobody's object: it is there once it is written.
    let made =
        progress.results.values_mut().filter(|result| is_namespace(result) && result.hook_type.is_none());
    for result in made.filter(|result| result.hook_phase == Some(OperationPhase::Running)) {
        result.hook_phase = Some(OperationPhase::Succeeded);
    }
    for task in &plan.tasks {
        let Some(result) = progress.results.get_mut(task.phase, &task.key) else { continue };
        if result.hook_phase != Some(OperationPhase::Running) {
            continue;
        }
        let Some(assessment) = seen.get(&task.key) else { continue };
        if task.action == Action::Prune {
            if !assessment.present {
                result.hook_phase = Some(OperationPhase::Succeeded);
            }
            continue;
        }
        if !assessment.present && task.hook.is_none() {
            // Somebody has deleted what was just applied: nobody waits for it, and self-heal brings it back.
            result.hook_phase = Some(OperationPhase::Succeeded);
            continue;
        }
        if !assessment.present || !assessment.counts {
            continue;
        }
        let phase = phase_of(task, assessment);
        if phase != OperationPhase::Running && !(assessment.message.is_empty()) {
            result.message.clone_from(&assessment.message);
        }
        result.hook_phase = Some(phase);
    }
}

fn phase_of(task: &Task, assessment: &Assessment) -> OperationPhase {
    match assessment.health {
        None | Some(HealthCode::Healthy) => OperationPhase::Succeeded,
        Some(HealthCode::Degraded) => OperationPhase::Failed,
        Some(HealthCode::Unknown) if task.hook.is_some() => OperationPhase::Failed,
        Some(_) if !assessment.holds_wave => OperationPhase::Succeeded,
        Some(_) => OperationPhase::Running,
    }
}

fn phase_in(progress: &Progress, task: &Task) -> Option<OperationPhase> {
    progress.results.get(task.phase, &task.key).and_then(|result| result.hook_phase)
}

fn next_wave(plan: &Plan, progress: &Progress, seen: &HashMap<ResourceKey, Assessment>) -> Step {
    let failing: Vec<&Task> = plan.tasks.iter().filter(|task| task.phase == SyncPhase::SyncFail).collect();
    let tasks: Vec<&Task> = plan.tasks.iter().filter(|task| task.phase != SyncPhase::SyncFail).collect();
    let multi_step = plan.is_multi_step();
    let failed = tasks.iter().any(|task| {
        matches!(phase_in(progress, task), Some(OperationPhase::Failed | OperationPhase::Error))
            && (multi_step || task.hook.is_some() || was_refused(progress, task))
    });
    let running = |task: &&&Task| phase_in(progress, task) == Some(OperationPhase::Running);
    if failed {
        return fail(&failing, progress, seen, &tasks);
    }
    let waited: Vec<&Task> =
        tasks.iter().filter(running).filter(|task| multi_step || task.hook.is_some()).copied().collect();
    let pending: Vec<&Task> =
        tasks.iter().filter(|task| phase_in(progress, task).is_none()).copied().collect();
    if let Some(first) = pending.first() {
        if !waited.is_empty() {
            return Step::Wait(blocked(&waited, seen));
        }
        let here: Vec<&Task> = pending
            .iter()
            .filter(|task| task.phase == first.phase && task.wave == first.wave)
            .copied()
            .collect();
        let held: Vec<&Task> = here.iter().filter(|task| task.unconfirmed.is_some()).copied().collect();
        if !held.is_empty() {
            return Step::Confirm(awaiting(&held));
        }
        return Step::Apply(here.into_iter().cloned().collect());
    }
    // The last wave is not waited for, except its hooks and what is being deleted.
    let hooks: Vec<&Task> =
        waited.iter().filter(|task| task.hook.is_some() || task.action == Action::Prune).copied().collect();
    if !hooks.is_empty() {
        return Step::Wait(blocked(&hooks, seen));
    }
    finish(&tasks, seen, false, OperationPhase::Succeeded, "successfully synced (all tasks run)")
}

fn was_refused(progress: &Progress, task: &Task) -> bool {
    progress.results.get(task.phase, &task.key).and_then(|result| result.status)
        == Some(ResultCode::SyncFailed)
}

/// After a failure the SyncFail hooks run, all of them, and are waited for.
fn fail(
    failing: &[&Task],
    progress: &Progress,
    seen: &HashMap<ResourceKey, Assessment>,
    tasks: &[&Task],
) -> Step {
    let pending: Vec<&&Task> = failing.iter().filter(|task| phase_in(progress, task).is_none()).collect();
    let running: Vec<&Task> = failing
        .iter()
        .filter(|task| phase_in(progress, task) == Some(OperationPhase::Running))
        .copied()
        .collect();
    if let Some(first) = pending.first()
        && running.is_empty()
    {
        let here = pending.iter().filter(|task| task.wave == first.wave);
        return Step::Apply(here.map(|task| (**task).clone()).collect());
    }
    if !running.is_empty() {
        return Step::Wait(blocked(&running, seen));
    }
    let all: Vec<&Task> = tasks.iter().chain(failing).copied().collect();
    let first = tasks.iter().find_map(|task| {
        let result = progress.results.get(task.phase, &task.key)?;
        matches!(result.hook_phase, Some(OperationPhase::Failed | OperationPhase::Error))
            .then(|| format!("{}/{}: {}", result.kind, result.name, result.message))
    });
    let message = match first {
        Some(first) => format!("one or more synchronization tasks completed unsuccessfully, reason: {first}"),
        None => "one or more synchronization tasks completed unsuccessfully".to_owned(),
    };
    finish(&all, seen, true, OperationPhase::Failed, &message)
}

/// Hooks that are done with are deleted before the operation ends.
fn finish(
    tasks: &[&Task],
    seen: &HashMap<ResourceKey, Assessment>,
    failed: bool,
    phase: OperationPhase,
    message: &str,
) -> Step {
    let present = |task: &Task| seen.get(&task.key).is_some_and(|one| one.present && !one.deleting);
    let leftover: Vec<Task> = tasks
        .iter()
        .filter(|task| deletes_after(task, failed) && present(task))
        .map(|task| (*task).clone())
        .collect();
    if leftover.is_empty() { done(phase, message) } else { Step::DeleteHooks(leftover) }
}

fn blocked(tasks: &[&Task], seen: &HashMap<ResourceKey, Assessment>) -> Vec<Blocked> {
    tasks
        .iter()
        .map(|task| Blocked { key: task.key.clone(), because: because(task, seen.get(&task.key)) })
        .collect()
}

fn because(task: &Task, seen: Option<&Assessment>) -> String {
    match seen {
        Some(one) if !one.message.is_empty() => one.message.clone(),
        _ if task.action == Action::Prune => "waiting for deletion".into(),
        _ if task.hook.is_some() => "waiting for completion of hook".into(),
        _ => "waiting for healthy state".into(),
    }
}

/// Hooks that run are deleted; what was applied stays.
fn terminate(plan: &Plan, progress: &Progress, seen: &HashMap<ResourceKey, Assessment>) -> Step {
    let running = |task: &&Task| {
        task.hook.is_some()
            && phase_in(progress, task) == Some(OperationPhase::Running)
            && seen.get(&task.key).is_some_and(|one| one.present && !one.deleting)
    };
    let hooks: Vec<Task> = plan.tasks.iter().filter(running).cloned().collect();
    if hooks.is_empty() { done(OperationPhase::Failed, TERMINATED) } else { Step::DeleteHooks(hooks) }
}
