//! What is worth a warning on an Application beside how it compares: kinds that are left out, orphans.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::api::annotations;
use crate::flow::{Cause, Comparison, Problem, Stage};
use crate::object::{Manifest, ResourceKey};
use crate::project::is_orphan;

use super::reconcile::Work;

/// How old the names of a namespace may be before they are listed anew.
const ORPHANS_AGE: Duration = Duration::from_secs(180);
/// The same when somebody asks for a refresh.
const FRESH: Duration = Duration::from_secs(5);
/// Orphans that a message names.
const NAMED: usize = 5;

/// Takes out objects of kinds that the settings leave out, with a warning for each.
pub(super) fn split_excluded(
    work: &Work<'_>,
    objects: Vec<Arc<Manifest>>,
) -> (Vec<Arc<Manifest>>, Vec<Problem>) {
    let settings = work.shared.store.argocd_cm();
    let server = &work.destination.server;
    let (excluded, kept): (Vec<_>, Vec<_>) = objects
        .into_iter()
        .partition(|object| settings.resources.excludes(object.group(), object.kind(), server));
    let warnings = excluded.iter().map(|object| {
        let message = format!(
            "Resource {}/{} {} is excluded in the settings",
            object.group(),
            object.kind(),
            object.name()
        );
        Problem::stalled(Stage::Compare, Cause::ExcludedResource, message)
    });
    (kept, warnings.collect())
}

/// The warning that there are objects in the application's namespace that belong to nobody, where the project asks.
pub(super) async fn orphans(work: &Work<'_>, comparison: &Comparison) -> Option<Problem> {
    let project = work.shared.store.project(&work.shared.options.namespace, work.app.project());
    let namespace = &work.destination.namespace;
    let asked = project.filter(|project| project.spec.orphaned_resources.is_some() && !namespace.is_empty());
    let Some(project) = asked else {
        note(work, 0);
        return None;
    };
    let refreshed = work.app.annotation(annotations::REFRESH).is_some();
    let settings = work.shared.store.argocd_cm();
    let server = &work.destination.server;
    let leave_out = |kind: &crate::cluster::KindInfo| {
        settings.resources.excludes(&kind.gvk.group, &kind.gvk.kind, server)
    };
    let age = if refreshed { FRESH } else { ORPHANS_AGE };
    let found = match work.cluster.inhabitants(namespace, age, leave_out).await {
        Ok(found) => found,
        Err(problem) => return Some(problem),
    };
    let own: BTreeSet<&ResourceKey> = comparison.resources.iter().map(|one| &one.key).collect();
    let orphans: Vec<&ResourceKey> = found
        .iter()
        .filter(|one| {
            let foreign =
                one.tracked.as_ref().is_some_and(|instance| work.shared.application_of(instance).is_some());
            !foreign && !own.contains(&one.key) && is_orphan(&project.spec, &one.key)
        })
        .map(|one| &one.key)
        .collect();
    note(work, orphans.len());
    let warns = project.spec.orphaned_resources.as_ref().is_some_and(|orphaned| orphaned.warn != Some(false));
    (warns && !orphans.is_empty()).then(|| {
        let names: Vec<String> =
            orphans.iter().take(NAMED).map(|key| format!("{}/{}", key.kind, key.name)).collect();
        let more = if orphans.len() > NAMED { ", …" } else { "" };
        let message = format!(
            "Application has {} orphaned resources: {}{more}; put them into Git, delete them, or ignore them in the \
             project's orphanedResources",
            orphans.len(),
            names.join(", ")
        );
        Problem::stalled(Stage::Compare, Cause::Orphaned, message)
    })
}

fn note(work: &Work<'_>, count: usize) {
    let mut orphans = work.shared.orphans.lock().unwrap_or_else(PoisonError::into_inner);
    if count == 0 {
        orphans.remove(work.name);
    } else {
        orphans.insert(work.name.clone(), count);
    }
}
