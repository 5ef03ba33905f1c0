//! What is checked before anything is fetched: destination, retry policy, project.

use crate::api::{Application, ApplicationSource};
use crate::flow::{Cause, Destination, Problem, Stage};
use crate::project::{permits_destination, permits_source};

use super::Shared;

pub(super) fn invalid(message: impl Into<String>) -> Problem {
    Problem::stalled(Stage::Validate, Cause::InvalidSpec, message)
}

/// What does not depend on the source: destination and project.
pub(super) fn validate(shared: &Shared, app: &Application) -> Result<Destination, Problem> {
    let wanted = &app.spec.destination;
    if !wanted.server.is_empty() && !wanted.name.is_empty() {
        return Err(invalid("spec.destination has both server and name: keep one of them"));
    }
    if wanted.server.is_empty() && wanted.name.is_empty() {
        return Err(invalid("spec.destination has neither server nor name: set one of them"));
    }
    let destination =
        shared.store.destination(&wanted.server, &wanted.name, &wanted.namespace).ok_or_else(|| {
            let cluster = if wanted.server.is_empty() { &wanted.name } else { &wanted.server };
            invalid(format!(
                "there are no clusters with this name or address: {cluster}; add a cluster Secret for it"
            ))
        })?;
    if let Some(policy) = &app.spec.sync_policy
        && let Some(retry) = &policy.retry
    {
        retry.wait_before(0).map_err(|error| invalid(format!("spec.syncPolicy.retry.backoff: {error}")))?;
    }
    let Some(project) = shared.store.project(&shared.options.namespace, app.project()) else {
        // Argo CD makes the default project by itself, and it allows everything.
        if app.project() == "default" {
            return Ok(destination);
        }
        return Err(invalid(format!(
            "application references project {} which does not exist",
            app.project()
        )));
    };
    let refused = |what: String| Problem::stalled(Stage::Validate, Cause::NotPermitted, what);
    for source in app.spec.all_sources() {
        if !permits_source(&project.spec, &source.repo_url) {
            let url = crate::source::RepoUrl::parse(&source.repo_url)
                .map(|url| url.to_string())
                .unwrap_or_default();
            return Err(refused(format!(
                "application repo {url} is not permitted in project '{}'",
                app.project()
            )));
        }
    }
    if !permits_destination(&project.spec, &destination) {
        return Err(refused(format!(
            "application destination server '{}' and namespace '{}' do not match any of the allowed destinations in \
             project '{}'",
            destination.server,
            destination.namespace,
            app.project()
        )));
    }
    Ok(destination)
}

pub(super) fn the_source(app: &Application) -> Result<&ApplicationSource, Problem> {
    let unsupported = |what: &str| Problem::stalled(Stage::Validate, Cause::NotSupported, what.to_owned());
    if !app.spec.sources.is_empty() {
        return Err(unsupported("spec.sources: several sources are not supported yet; use spec.source"));
    }
    if app.spec.source_hydrator.is_some() {
        return Err(unsupported("spec.sourceHydrator is not supported yet; use spec.source"));
    }
    if !app.spec.destinations.is_empty() {
        return Err(unsupported("spec.destinations is not supported yet; use spec.destination"));
    }
    let source =
        app.spec.source.as_ref().ok_or_else(|| invalid("spec.source is missing: name a repository"))?;
    Ok(source)
}
