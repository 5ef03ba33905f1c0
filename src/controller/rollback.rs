//! Going back to the last healthy revision: what is stored while an application is healthy, and what is done with it
//! when it is not. Whether to go back is decided in `sync`.

use std::time::Duration;

use crate::api::{Application, HealthCode, OperationPhase, OperationState, SyncCode, TiphysStatus};
use crate::flow::{Cause, Comparison, Problem, Stage};
use crate::sync::{Rollback, asks_for_rollback, decide_rollback, may_roll_back, rolled_back_from};

use super::publish::send_event;
use super::reconcile::Work;
use super::rendering::{Wanted, want_rendered};
use super::{Memory, Shared, assess, render_store};

/// Whether to go back now. `Later` says when to ask again.
pub(super) async fn decide(work: &Work<'_>, memory: &mut Memory, wanted: &Wanted) -> Rollback {
    if !may_roll_back(&work.app) {
        return Rollback::No;
    }
    let health = assess::assess_all(work, memory, &wanted.comparison).await;
    let (code, message) = assess::roll_up(&work.app, &wanted.comparison, &health);
    let degraded = (code == HealthCode::Degraded).then_some(message.as_str());
    let decided = decide_rollback(&work.app, degraded, work.now);
    if let Rollback::Start { reason, operation, .. } = &decided {
        let back_to = operation.sync.as_ref().map(|sync| sync.revision.as_str()).unwrap_or_default();
        let text = format!("Rolling back to {back_to}: {reason}");
        tracing::warn!(application = %work.name, stage = "sync", "{text}");
        send_event(work.shared, &work.app, "Warning", "AutoRollback", &text);
    }
    decided
}

/// The desired state that is stored for a revision; nothing where none is stored.
pub(super) async fn stored(work: &Work<'_>, revision: &str) -> Result<Option<Wanted>, Problem> {
    let loaded = render_store::load(work.shared, &work.app, revision).await.map_err(|error| {
        let message = format!("the stored render of {revision} cannot be read: {error}");
        Problem::retry(Stage::Sync, Cause::Incomplete, message)
    })?;
    let Some(rendering) = loaded else { return Ok(None) };
    want_rendered(work, rendering, revision).await.map(Some)
}

/// The last healthy state in place of what the source does not give, where there may be something to go back from.
///
/// # Errors
/// The problem of the source, where there is nothing to go back from or to.
pub(super) async fn without_source(work: &Work<'_>, problem: &Problem) -> Result<Wanted, Problem> {
    let under_way = work
        .app
        .status
        .operation_state
        .as_ref()
        .is_some_and(|state| !state.phase.is_completed() && rolled_back_from(&state.operation).is_some());
    let applies = matches!(problem.stage, Stage::Source | Stage::Render)
        && work.app.operation.is_none()
        && (under_way || may_roll_back(&work.app));
    if !applies {
        return Err(problem.clone());
    }
    let healthy = work.app.extension_state().healthy_revision;
    stored(work, &healthy).await?.ok_or_else(|| problem.clone())
}

/// The state of auto-rollback after a reconcile: what is healthy is stored, and since when something is not.
pub(super) async fn remember(
    work: &Work<'_>,
    app: &Application,
    wanted: &Wanted,
    comparison: &Comparison,
    (health, _): &(HealthCode, String),
    operation: &Option<OperationState>,
) -> TiphysStatus {
    let (shared, now) = (work.shared, work.now);
    let before = app.extension_state();
    if !asks_for_rollback(app) {
        return forget(shared, app, before).await;
    }
    let mut state = before;
    state.degraded_since = (*health == HealthCode::Degraded).then(|| state.degraded_since.unwrap_or(now));
    let operation = operation.as_ref().or(app.status.operation_state.as_ref());
    let idle = operation.is_none_or(|state| state.phase == OperationPhase::Succeeded);
    let good = *health == HealthCode::Healthy && comparison.status == SyncCode::Synced && idle;
    let revision = &wanted.manifests.revision;
    if !good || *revision == state.healthy_revision {
        return state;
    }
    match render_store::save(shared, app, &wanted.manifests).await {
        Ok(()) => {
            state.healthy_revision.clone_from(revision);
            state.rejected_revisions.retain(|rejected| rejected != revision);
        }
        Err(error) => tracing::warn!(
            application = app.name(),
            "the render of {revision} could not be stored, so that there is no going back to it: {error}"
        ),
    }
    state
}

/// An application that no longer asks for rollbacks keeps nothing of them.
async fn forget(shared: &Shared, app: &Application, mut state: TiphysStatus) -> TiphysStatus {
    if state.healthy_revision.is_empty()
        && state.rejected_revisions.is_empty()
        && state.degraded_since.is_none()
    {
        return state;
    }
    if let Err(error) = render_store::forget(shared, app).await {
        tracing::warn!(application = app.name(), "stored renders could not be dropped: {error}");
        return state;
    }
    state.healthy_revision.clear();
    state.rejected_revisions.clear();
    state.degraded_since = None;
    state
}

/// The earlier of two times to come back.
pub(super) fn earlier(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    one.into_iter().chain(other).min()
}
