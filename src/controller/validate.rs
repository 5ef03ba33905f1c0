//! What is checked before anything is fetched: destination, retry policy, project.

use std::collections::BTreeSet;

use crate::api::{AppProject, Application, ApplicationSource};
use crate::flow::{Cause, Destination, Problem, Stage};
use crate::project::{permits_cluster, permits_destination, permits_namespace, permits_source};

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
    validate_project(shared, app, &destination)?;
    Ok(destination)
}

/// What the project says of the application: namespace, sources, destination.
fn validate_project(shared: &Shared, app: &Application, destination: &Destination) -> Result<(), Problem> {
    let controller_namespace = &shared.options.namespace;
    let Some(project) = shared.store.project(controller_namespace, app.project()) else {
        // Argo CD makes the default project by itself. It allows everything, but to applications of its own namespace.
        let at_home = app.namespace().is_empty() || app.namespace() == controller_namespace;
        if app.project() == "default" && at_home {
            return Ok(());
        }
        return Err(invalid(format!(
            "application references project {} which does not exist",
            app.project()
        )));
    };
    let refused = |what: String| Problem::stalled(Stage::Validate, Cause::NotPermitted, what);
    if !permits_namespace(&project.spec, app.namespace(), controller_namespace) {
        return Err(refused(format!(
            "application '{}' in namespace '{}' is not permitted to use project '{}': add the namespace to the \
             project's sourceNamespaces",
            app.name(),
            app.namespace(),
            app.project()
        )));
    }
    if !project.spec.signature_keys.is_empty() {
        return Err(Problem::stalled(
            Stage::Validate,
            Cause::NotSupported,
            format!(
                "project '{}' demands signed commits (signatureKeys), which Tiphys does not verify yet: nothing is synced",
                app.project()
            ),
        ));
    }
    validate_lists(shared, app, &project, destination)
}

/// Repositories, destinations and clusters that the project lists.
fn validate_lists(
    shared: &Shared,
    app: &Application,
    project: &AppProject,
    destination: &Destination,
) -> Result<(), Problem> {
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
    if !permits_destination(&project.spec, destination) {
        return Err(refused(format!(
            "application destination server '{}' and namespace '{}' do not match any of the allowed destinations in \
             project '{}'",
            destination.server,
            destination.namespace,
            app.project()
        )));
    }
    if !permits_cluster_of(shared, project, app.project(), destination) {
        return Err(refused(format!(
            "project '{}' permits only clusters of its own, and cluster {} is none: set project in the cluster's Secret",
            app.project(),
            destination.server
        )));
    }
    Ok(())
}

fn permits_cluster_of(shared: &Shared, project: &AppProject, name: &str, destination: &Destination) -> bool {
    let secret = shared.store.cluster(&destination.server);
    permits_cluster(&project.spec, name, secret.as_ref().map(|secret| secret.project.as_str()))
}

/// The sources of an application: `spec.sources`, otherwise the one `spec.source`. Each says where it is.
pub(super) fn the_sources(app: &Application) -> Result<Vec<&ApplicationSource>, Problem> {
    let unsupported = |what: &str| Problem::stalled(Stage::Validate, Cause::NotSupported, what.to_owned());
    if app.spec.source_hydrator.is_some() {
        return Err(unsupported("spec.sourceHydrator is not supported yet; use spec.source"));
    }
    if !app.spec.destinations.is_empty() {
        return Err(unsupported("spec.destinations is not supported yet; use spec.destination"));
    }
    let sources = app.spec.all_sources();
    if sources.is_empty() {
        return Err(invalid("spec.source is missing: name a repository"));
    }
    let several = app.spec.has_multiple_sources();
    for source in &sources {
        check_source(source, several)?;
    }
    check_references(&sources)?;
    Ok(sources)
}

fn check_source(source: &ApplicationSource, several: bool) -> Result<(), Problem> {
    if source.repo_url.is_empty() {
        return Err(invalid("spec.source.repoURL is required: name a repository"));
    }
    if several && source.path.is_empty() && source.chart.is_empty() && source.reference.is_empty() {
        let url = crate::flow::printable_url(&source.repo_url);
        return Err(invalid(format!(
            "spec.source.repoURL and either source.path, source.chart, or source.ref are required for source {url}"
        )));
    }
    if !source.chart.is_empty() && source.target_revision.is_empty() {
        return Err(invalid("spec.source.targetRevision is required if the manifest source is a helm chart"));
    }
    Ok(())
}

/// The names by which sources refer to each other.
fn check_references(sources: &[&ApplicationSource]) -> Result<(), Problem> {
    let mut known = BTreeSet::new();
    for reference in sources.iter().map(|source| source.reference.as_str()).filter(|name| !name.is_empty()) {
        if !reference.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
            return Err(invalid(format!(
                "sources.ref {reference} cannot contain any special characters except '_' and '-'"
            )));
        }
        if !known.insert(reference) {
            return Err(invalid(format!(
                "invalid sources: multiple sources had the same `ref` key {reference}"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn judged(spec: Value) -> Result<usize, String> {
        let app = crate::api::decode_application(json!({"metadata": {"name": "a"}, "spec": spec})).unwrap();
        the_sources(&app).map(|sources| sources.len()).map_err(|problem| problem.message)
    }

    #[test]
    fn sources_win_over_source_and_each_is_checked() {
        let git = json!({"repoURL": "https://host/r", "path": "a"});
        let values = json!({"repoURL": "https://host/v", "ref": "values"});
        assert_eq!(judged(json!({"source": git})), Ok(1));
        assert_eq!(judged(json!({"source": git, "sources": [git, values]})), Ok(2));
        assert!(judged(json!({})).unwrap_err().contains("spec.source is missing"));
        let refused = [
            (json!({"sources": [{"repoURL": "https://host/r"}]}), "source.path, source.chart, or source.ref"),
            (json!({"sources": [git, values, values]}), "the same `ref` key"),
            (json!({"sources": [git, {"repoURL": "u", "ref": "a/b"}]}), "special characters"),
            (json!({"source": {"repoURL": "u", "chart": "c"}}), "targetRevision is required"),
            (json!({"source": {"path": "c"}}), "repoURL is required"),
        ];
        for (spec, expected) in refused {
            let message = judged(spec.clone()).unwrap_err();
            assert!(message.contains(expected), "{spec}: {message}");
        }
    }
}
