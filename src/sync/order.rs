//! The order of tasks.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::api::SyncPhase;
use crate::flow::{Action, Task};
use crate::object::{compare_kinds, str_at};

/// Sorts tasks by phase, wave, kind and name, prunes of a wave before its applies and in reverse order of kinds; then
/// moves what others need in front of them: CRDs before their objects, Namespaces before what lives in them.
pub(super) fn sort(tasks: &mut Vec<Task>) {
    tasks.sort_by(compare);
    move_dependencies(tasks);
}

fn compare(left: &Task, right: &Task) -> Ordering {
    let kinds = match (left.action, right.action) {
        (Action::Prune, Action::Prune) => compare_kinds(&right.key.kind, &left.key.kind),
        _ => compare_kinds(&left.key.kind, &right.key.kind),
    };
    (left.phase, left.wave, is_apply(left))
        .cmp(&(right.phase, right.wave, is_apply(right)))
        .then(kinds)
        .then_with(|| left.key.name.cmp(&right.key.name))
        .then_with(|| left.key.cmp(&right.key))
}

/// Reverses the waves of prunes among each other (the first of them changes places with the last), so that what was
/// made last goes first; prunes that come last get a wave after every other.
pub(super) fn reverse_prune_waves(tasks: &mut [Task], is_last: impl Fn(&Task) -> bool) {
    let mut waves: Vec<i64> = tasks.iter().filter(|task| is_prune(task)).map(|task| task.wave).collect();
    waves.sort_unstable();
    waves.dedup();
    let reversed: BTreeMap<i64, i64> = waves.iter().copied().zip(waves.iter().rev().copied()).collect();
    for task in tasks.iter_mut().filter(|task| is_prune(task)) {
        task.wave = reversed.get(&task.wave).copied().unwrap_or(task.wave);
    }
    let last = tasks.iter().filter(|task| task.phase == SyncPhase::Sync).map(|task| task.wave).max();
    let after = last.unwrap_or(0).max(0).saturating_add(1);
    for task in tasks.iter_mut().filter(|task| is_prune(task)) {
        if is_last(task) {
            task.wave = after;
        }
    }
}

fn is_apply(task: &Task) -> bool {
    task.action == Action::Apply
}

fn is_prune(task: &Task) -> bool {
    task.action == Action::Prune
}

/// What a task provides to others.
fn provides(task: &Task) -> Option<String> {
    match task.key.kind.as_str() {
        "CustomResourceDefinition" if task.key.group == "apiextensions.k8s.io" => {
            let group = str_at(task.object.body(), &["spec", "group"])?;
            let kind = str_at(task.object.body(), &["spec", "names", "kind"])?;
            Some(format!("kind {group}/{kind}"))
        }
        "Namespace" if task.key.group.is_empty() => Some(format!("namespace {}", task.key.name)),
        _ => None,
    }
}

fn needs(task: &Task) -> [String; 2] {
    [format!("kind {}/{}", task.key.group, task.key.kind), format!("namespace {}", task.key.namespace)]
}

/// Moves a provider that comes later than its first user right in front of it, into the user's phase and wave.
fn move_dependencies(tasks: &mut Vec<Task>) {
    let mut at = 0;
    while at < tasks.len() {
        let provided = tasks.get(at).filter(|task| task.action == Action::Apply).and_then(provides);
        let first_user = provided.and_then(|provided| {
            tasks
                .iter()
                .take(at)
                .position(|task| task.action == Action::Apply && needs(task).contains(&provided))
        });
        if let Some(user) = first_user {
            let mut provider = tasks.remove(at);
            if let Some(user) = tasks.get(user) {
                (provider.phase, provider.wave) = (user.phase, user.wave);
            }
            tasks.insert(user, provider);
        }
        at += 1;
    }
}
