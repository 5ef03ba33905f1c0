//! What becomes of the objects of an operation: from the status into the steps, and back into status and history.

use std::time::Instant;

use crate::api::{OperationPhase, OperationState, ResultCode, RevisionHistory, SyncOperation};
use crate::flow::ApplyReport;
use crate::object::ResourceKey;
use crate::sync::Progress;

use super::Memory;

pub(super) fn progress_of(state: &OperationState, memory: &Memory, sync: &SyncOperation) -> Progress {
    let results = state.sync_result.iter().flat_map(|result| &result.resources).filter_map(|one| {
        let key = ResourceKey::new(&one.group, &one.kind, &one.namespace, &one.name);
        Some((one.sync_phase?, key, one.clone()))
    });
    let mut known = memory.results.iter().filter(|(id, _)| *id == id_of(state)).map(|(_, kept)| kept);
    Progress {
        results: match known.next() {
            Some(kept) => kept.results.clone(),
            None => results.collect(),
        },
        dry_run_done: memory.dry_run_done.as_deref() == Some(&id_of(state)),
        dry_run_only: sync.dry_run,
        terminating: state.phase == OperationPhase::Terminating,
    }
}

pub(super) fn take_results(progress: &mut Progress, memory: &mut Memory, report: ApplyReport) {
    for one in report.results {
        let result = one.result;
        let key = ResourceKey::new(&result.group, &result.kind, &result.namespace, &result.name);
        if let Some(written) = one.written {
            memory.written.insert(key.clone(), (written, Instant::now()));
        }
        if let Some(phase) = result.sync_phase {
            progress.results.insert(phase, key, result);
        }
    }
}

pub(super) fn take_refusals(progress: &mut Progress, report: &ApplyReport) {
    for one in &report.results {
        let result = one.result.clone();
        let key = ResourceKey::new(&result.group, &result.kind, &result.namespace, &result.name);
        if let (Some(ResultCode::SyncFailed), Some(phase)) = (result.status, result.sync_phase) {
            progress.results.insert(phase, key, result);
        }
    }
}

pub(super) fn refusal(report: &ApplyReport) -> String {
    let first = report.results.iter().find(|one| one.result.status == Some(ResultCode::SyncFailed));
    let reason =
        first.map(|one| format!(": {}/{}: {}", one.result.kind, one.result.name, one.result.message));
    format!("one or more objects failed to apply (dry run){}", reason.unwrap_or_default())
}

pub(super) fn store_results(state: &mut OperationState, progress: &Progress) {
    if let Some(result) = state.sync_result.as_mut() {
        result.resources = progress.results.in_order();
    }
}

pub(super) fn history_entry(state: &OperationState) -> Option<RevisionHistory> {
    let result = state.sync_result.as_ref()?;
    let several = !result.sources.is_empty();
    Some(RevisionHistory {
        revision: if several { String::new() } else { result.revision.clone() },
        deployed_at: state.finished_at?,
        id: 0,
        source: if several { Default::default() } else { result.source.clone() },
        deploy_started_at: Some(state.started_at),
        sources: result.sources.clone(),
        revisions: result.revisions.clone(),
        initiated_by: state.operation.initiated_by.clone(),
    })
}

/// What tells this operation from every other one of the application.
pub(super) fn id_of(state: &OperationState) -> String {
    format!("{}-{}", state.started_at.timestamp().as_second(), state.retry_count)
}
