//! What each stage came to, from the top down.

use crate::api::{HealthCode, OperationPhase, SyncCode};
use crate::flow::{Cause, Problem, Stage};
use crate::object::ResourceKey;

use super::{Evidence, Finding, Level, StageLine, named};

/// The level of a stage.
fn level_of(stage: Stage) -> Level {
    match stage {
        Stage::Validate => Level::Spec,
        Stage::Source => Level::Source,
        Stage::Render => Level::Render,
        Stage::Observe => Level::Cluster,
        Stage::Compare => Level::Compare,
        Stage::Sync | Stage::Apply | Stage::Delete => Level::Sync,
    }
}

/// A problem as a finding. Its message says what to do already.
pub(super) fn of_problem(problem: &Problem) -> Finding {
    let level = match (problem.stage, problem.cause) {
        (_, Cause::NotPermitted | Cause::InvalidSpec) => Level::Spec,
        // The folder is a field of the spec, but it is Git that does not hold it.
        (_, Cause::PathInvalid) => Level::Source,
        (stage, _) => level_of(stage),
    };
    Finding::new(level, None, problem.message.clone())
}

/// One line per stage that was reached, and the one that was not.
pub(super) fn lines(evidence: &Evidence<'_>) -> Vec<StageLine> {
    let failed = evidence.problem.map(|problem| of_problem(problem).level);
    let mut lines = Vec::new();
    let mut line = |stage: Level, message: String, ok: bool| {
        let reached = failed.is_none_or(|failed| stage < failed);
        let here = failed == Some(stage);
        lines.push(StageLine {
            stage,
            ok: (reached || here).then_some(reached && ok),
            message: if here {
                "failed".to_owned()
            } else if reached {
                message
            } else {
                "not reached".to_owned()
            },
        });
    };
    line(Level::Spec, format!("project {}", evidence.app.project()), true);
    line(Level::Source, source(evidence), true);
    let wanted = evidence
        .comparison
        .map_or(0, |comparison| comparison.resources.iter().filter(|one| one.desired.is_some()).count());
    line(Level::Render, objects(wanted), true);
    let (message, ok) = compared(evidence);
    line(Level::Compare, message, ok);
    let (message, ok) = synced(evidence);
    line(Level::Sync, message, ok);
    let health = evidence.rolled_up.unwrap_or(HealthCode::Unknown);
    line(Level::Workload, health.as_str().to_owned(), health == HealthCode::Healthy);
    lines
}

fn source(evidence: &Evidence<'_>) -> String {
    let source = evidence.app.spec.all_sources().first().map(|source| (*source).clone()).unwrap_or_default();
    let target = if source.target_revision.is_empty() { "HEAD" } else { &source.target_revision };
    let revision = evidence.revision;
    let is_commit = revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    let short = if is_commit { revision.get(..7).unwrap_or(revision) } else { revision };
    if short == target || short.is_empty() { target.to_owned() } else { format!("{target} is {short}") }
}

fn compared(evidence: &Evidence<'_>) -> (String, bool) {
    let Some(comparison) = evidence.comparison else { return ("nothing to compare".into(), false) };
    let different = comparison.resources.iter().filter(|one| one.status == SyncCode::OutOfSync).count();
    let all = comparison.resources.len();
    match (comparison.status, different) {
        (SyncCode::Synced, _) => (format!("{} as Git says", objects_are(all)), true),
        (SyncCode::Unknown, 0) => ("not everything could be seen".to_owned(), false),
        _ => (format!("{different} of {} not as Git says", objects_are(all)), false),
    }
}

fn synced(evidence: &Evidence<'_>) -> (String, bool) {
    let Some(state) = &evidence.app.status.operation_state else { return ("never synced".into(), true) };
    let wave = wave_under_way(evidence);
    match state.phase {
        OperationPhase::Succeeded => ("the last sync succeeded".into(), true),
        phase if phase.is_completed() => (format!("the last sync failed: {}", state.message), false),
        phase => {
            let at = wave.map(|(wave, object)| format!(", wave {wave} at {}", named(&object)));
            (format!("{}{}: {}", phase.as_str(), at.unwrap_or_default(), state.message), true)
        }
    }
}

/// The wave of the first object that the operation has written and still waits for.
fn wave_under_way(evidence: &Evidence<'_>) -> Option<(i64, ResourceKey)> {
    let result = evidence.app.status.operation_state.as_ref()?.sync_result.as_ref()?;
    let running = result.resources.iter().find(|one| one.hook_phase == Some(OperationPhase::Running))?;
    let key = ResourceKey::new(&running.group, &running.kind, &running.namespace, &running.name);
    let one = evidence.comparison?.resources.iter().find(|one| one.key == key)?;
    Some((one.annotations.wave, key))
}

fn objects(count: usize) -> String {
    if count == 1 { "1 object".to_owned() } else { format!("{count} objects") }
}

fn objects_are(count: usize) -> String {
    format!("{} {}", objects(count), if count == 1 { "is" } else { "are" })
}
