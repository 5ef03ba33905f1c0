//! What is computed at the scrape.

use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{Encoder, Error, GaugeVec, Opts, TextEncoder};

use crate::api::{Application, HealthCode, Time};
use crate::controller::Shared;
use crate::flow::{ObjectName, Reason};

use super::Endpoints;

/// The text that Prometheus reads.
///
/// # Errors
/// Where a metric cannot be encoded.
pub(super) fn text(endpoints: &Endpoints) -> Result<Vec<u8>, Error> {
    let mut families = endpoints.counters.registry().gather();
    families.extend(applications(&endpoints.shared)?);
    families.extend(causes(&endpoints.shared)?);
    families.extend(application_labels(&endpoints.shared, &endpoints.labels)?);
    families.extend(clusters(&endpoints.shared)?);
    let mut text = Vec::new();
    TextEncoder::new().encode(&families, &mut text)?;
    Ok(text)
}

fn gauge(name: &str, help: &str, labels: &[&str]) -> Result<GaugeVec, Error> {
    GaugeVec::new(Opts::new(name, help), labels)
}

fn applications(shared: &Shared) -> Result<Vec<MetricFamily>, Error> {
    let info = gauge(
        "argocd_app_info",
        "Information about application.",
        &[
            "namespace",
            "name",
            "project",
            "autosync_enabled",
            "repo",
            "dest_server",
            "dest_namespace",
            "sync_status",
            "health_status",
            "operation",
        ],
    )?;
    let conditions = gauge(
        "argocd_app_condition",
        "Report application conditions.",
        &["namespace", "name", "project", "condition"],
    )?;
    let orphans = gauge(
        "argocd_app_orphaned_resources_count",
        "Number of orphaned resources per application.",
        &["namespace", "name", "project"],
    )?;
    let unhealthy = gauge(
        "tiphys_app_unhealthy_seconds",
        "Seconds since the health of the application changed to what is neither Healthy nor Suspended.",
        &["namespace", "name", "project", "health_status"],
    )?;
    let queue = gauge("workqueue_depth", "Current depth of workqueue", &["name"])?;
    queue.with_label_values(&["app_reconciliation_queue"]).set(shared.queue_length() as f64);
    let now = Time::new(jiff::Timestamp::now());
    for app in shared.applications() {
        let labels = labels_of(&app);
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        info.with_label_values(&labels).set(1.0);
        let (namespace, name, project) = (app.namespace(), app.name(), app.project());
        let orphaned = shared.orphaned(&ObjectName::new(namespace, app.name()));
        orphans.with_label_values(&[namespace, app.name(), project]).set(orphaned as f64);
        for condition in &app.status.conditions {
            conditions.with_label_values(&[namespace, name, project, condition.kind.as_str()]).inc();
        }
        let health = &app.status.health;
        if let (Some(status), Some(since)) = (health.status, health.last_transition_time)
            && !matches!(status, HealthCode::Healthy | HealthCode::Suspended)
        {
            let seconds = since.seconds_until(now);
            unhealthy.with_label_values(&[namespace, name, project, status.as_str()]).set(seconds as f64);
        }
    }
    Ok([info, conditions, orphans, unhealthy, queue].iter().flat_map(Collector::collect).collect())
}

/// `tiphys_app_unhealthy`: why objects are not healthy.
fn causes(shared: &Shared) -> Result<Vec<MetricFamily>, Error> {
    let causes = gauge(
        "tiphys_app_unhealthy",
        "Number of objects of the application that are not healthy, by cause (a word of a closed list).",
        &["namespace", "name", "project", "cause"],
    )?;
    for app in shared.applications() {
        for cause in &app.extension_state().causes {
            // What the status holds may be anybody's: only words of the list become labels.
            if let Some(known) = Reason::ALL.iter().find(|known| known.as_str() == cause.reason) {
                let labels = [app.namespace(), app.name(), app.project(), known.as_str()];
                causes.with_label_values(&labels).inc();
            }
        }
    }
    Ok(causes.collect())
}

fn labels_of(app: &Application) -> [String; 10] {
    let source = app.spec.all_sources().first().map(|source| source.repo_url.clone()).unwrap_or_default();
    // The URL as users wrote it may hold a password; the parsed form does not print one.
    let repo = crate::flow::printable_url(&source);
    let destination = &app.spec.destination;
    let operation = match (&app.operation, &app.status.operation_state) {
        (Some(_), _) => "sync",
        (None, Some(state)) if !state.phase.is_completed() => "sync",
        _ => "",
    };
    [
        app.namespace().to_owned(),
        app.name().to_owned(),
        app.project().to_owned(),
        app.spec.is_automated().to_string(),
        repo,
        if destination.server.is_empty() { destination.name.clone() } else { destination.server.clone() },
        destination.namespace.clone(),
        app.status.sync.status.as_str().to_owned(),
        app.status.health.status.map_or("Unknown", HealthCode::as_str).to_owned(),
        operation.to_owned(),
    ]
}

/// `argocd_app_labels`: the labels that somebody asked for, under names that Prometheus takes.
fn application_labels(shared: &Shared, wanted: &[String]) -> Result<Vec<MetricFamily>, Error> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut names: Vec<String> = vec!["namespace".into(), "name".into(), "project".into()];
    for label in wanted {
        let name = label_name(label);
        // Two labels that differ only in what Prometheus does not take: the first one is shown.
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let labels =
        gauge("argocd_app_labels", "Argo Application labels converted to Prometheus labels", &names)?;
    for app in shared.applications() {
        let own = app.metadata.labels.clone().unwrap_or_default();
        let value_of = |name: &&str| {
            let label = wanted.iter().find(|label| label_name(label) == **name)?;
            own.get(label).cloned()
        };
        let rest = names.iter().skip(3).map(|name| value_of(name).unwrap_or_default());
        let values: Vec<String> =
            [app.namespace().to_owned(), app.name().to_owned(), app.project().to_owned()]
                .into_iter()
                .chain(rest)
                .collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        labels.with_label_values(&values).set(1.0);
    }
    Ok(labels.collect())
}

/// `team.example.com/name` → `label_team_example_com_name`.
fn label_name(label: &str) -> String {
    let safe = label.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' });
    format!("label_{}", safe.collect::<String>())
}

fn clusters(shared: &Shared) -> Result<Vec<MetricFamily>, Error> {
    let info =
        gauge("argocd_cluster_info", "Information about cluster.", &["server", "k8s_version", "name"])?;
    let status = gauge(
        "argocd_cluster_connection_status",
        "The k8s cluster current connection status.",
        &["server", "k8s_version"],
    )?;
    let objects = gauge(
        "argocd_cluster_api_resource_objects",
        "Number of k8s resource objects in the cache.",
        &["server"],
    )?;
    let kinds =
        gauge("argocd_cluster_api_resources", "Number of monitored kubernetes API resources.", &["server"])?;
    let age = gauge("argocd_cluster_cache_age_seconds", "Cluster cache age in seconds.", &["server"])?;
    for (server, cluster) in shared.connected_clusters() {
        let version = cluster.version.trim_start_matches('v');
        let short: Vec<&str> = version.split('.').take(2).collect();
        let (server, version) = (server.as_str(), short.join("."));
        info.with_label_values(&[server, &version, &shared.cluster_name(server)]).set(1.0);
        status.with_label_values(&[server, &version]).set(if cluster.connected { 1.0 } else { 0.0 });
        objects.with_label_values(&[server]).set(cluster.objects as f64);
        kinds.with_label_values(&[server]).set(cluster.kinds as f64);
        age.with_label_values(&[server]).set(cluster.age.as_secs_f64());
    }
    Ok([info, status, objects, kinds, age].iter().flat_map(Collector::collect).collect())
}

#[cfg(test)]
mod tests {
    use super::{label_name, labels_of};
    use crate::api::Application;
    use serde_json::json;

    #[test]
    fn the_repository_is_shown_without_credentials() {
        let app: Application = serde_json::from_value(json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a", "namespace": "argocd"},
            "spec": {"project": "default", "destination": {"server": "s", "namespace": "n"},
                     "source": {"repoURL": "https://user:t0ken@git.example.com/team/app.git", "path": "."}},
        }))
        .unwrap();
        let labels = labels_of(&app).join(" ");
        assert!(labels.contains("git.example.com/team/app") && !labels.contains("t0ken"), "{labels}");
    }

    #[test]
    fn labels_get_names_that_prometheus_takes() {
        assert_eq!(label_name("team.example.com/cost-center"), "label_team_example_com_cost_center");
    }
}
