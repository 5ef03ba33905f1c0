//! What an operation wants: the state of the spec's sources, or of the sources, revisions and manifests that it names.

use crate::api::{Operation, SyncOperation, SyncOperationResult};
use crate::flow::Problem;
use crate::source::Freshness;
use crate::sync::rolled_back_from;

use super::operation::LOOK_AGAIN;
use super::reconcile::Work;
use super::rendering::{Asked, Wanted, want, want_manifests};
use super::rollback;

/// The desired state of an operation.
pub(super) enum Target<'a> {
    /// That of the spec.
    Spec(&'a Wanted),
    /// That of another source or revision.
    Other(Box<Wanted>),
}

impl std::ops::Deref for Target<'_> {
    type Target = Wanted;

    fn deref(&self) -> &Wanted {
        match self {
            Self::Spec(wanted) => wanted,
            Self::Other(wanted) => wanted,
        }
    }
}

/// The desired state of the operation: that of the spec, or of the sources and revisions that the operation names.
pub(super) async fn desired<'a>(
    work: &Work<'_>,
    wanted: &'a Wanted,
    operation: &Operation,
    result: &SyncOperationResult,
) -> Result<Target<'a>, Problem> {
    let sync = operation.sync.clone().unwrap_or_default();
    let asked = Asked::of_result(result);
    let newest = wanted.manifests.all_revisions();
    if !sync.manifests.is_empty() {
        let is_pinned = !result.revision.is_empty() || !result.revisions.is_empty();
        let revisions = if is_pinned { asked.revisions } else { newest.to_vec() };
        let brought = want_manifests(work, &sync.manifests, revisions, asked.several).await?;
        return Ok(Target::Other(Box::new(brought)));
    }
    let spec = Asked::of_spec(&work.app)?;
    let is_newest = asked.revisions == spec.revisions || asked.revisions == newest;
    if asked.sources == spec.sources && asked.several == spec.several && is_newest {
        return Ok(Target::Spec(wanted));
    }
    // A rollback works while Git does not.
    if rolled_back_from(operation).is_some()
        && let Some(stored) = rollback::stored(work, &result.revision).await?
    {
        return Ok(Target::Other(Box::new(stored)));
    }
    let other = want(work, &asked, Freshness::Within(LOOK_AGAIN)).await?;
    Ok(Target::Other(Box::new(other)))
}

/// The same work by the options of an operation, where these change how objects are compared and applied.
pub(super) fn with_options<'a>(work: &Work<'a>, sync: &SyncOperation) -> Option<Work<'a>> {
    let of_app =
        work.app.spec.sync_policy.as_ref().map(|policy| policy.sync_options.clone()).unwrap_or_default();
    let changes = |key: &str| {
        let asked = sync.sync_options.switch(key);
        asked.is_some() && asked != of_app.switch(key)
    };
    if !changes("RespectIgnoreDifferences") && !changes("ClientSideApplyMigration") {
        return None;
    }
    let mut app = (*work.app).clone();
    let policy = app.spec.sync_policy.get_or_insert_default();
    policy.sync_options.0.splice(0..0, sync.sync_options.0.iter().cloned());
    Some(Work {
        shared: work.shared,
        app: std::sync::Arc::new(app),
        name: work.name,
        destination: work.destination.clone(),
        cluster: std::sync::Arc::clone(&work.cluster),
        now: work.now,
        recall: std::sync::Arc::clone(&work.recall),
    })
}
