//! What is computed at the scrape.

use prometheus::core::Collector;
use prometheus::{Encoder, GaugeVec, Opts, TextEncoder};

use crate::api::{Application, HealthCode};
use crate::controller::Shared;
use crate::flow::ObjectName;

use super::Counters;

/// The text that Prometheus reads.
///
/// # Errors
/// Where a metric cannot be encoded.
pub(super) fn text(counters: &Counters, shared: &Shared) -> Result<Vec<u8>, prometheus::Error> {
    let mut families = counters.registry().gather();
    families.extend(applications(shared)?);
    let mut text = Vec::new();
    TextEncoder::new().encode(&families, &mut text)?;
    Ok(text)
}

fn applications(shared: &Shared) -> Result<Vec<prometheus::proto::MetricFamily>, prometheus::Error> {
    let info = GaugeVec::new(
        Opts::new("argocd_app_info", "Information about application."),
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
    let conditions = GaugeVec::new(
        Opts::new("argocd_app_condition", "Report application conditions."),
        &["namespace", "name", "condition"],
    )?;
    let orphans = GaugeVec::new(
        Opts::new("argocd_app_orphaned_resources_count", "Number of orphaned resources per application."),
        &["namespace", "name", "project"],
    )?;
    let queue = GaugeVec::new(Opts::new("workqueue_depth", "Current depth of workqueue"), &["name"])?;
    queue.with_label_values(&["app_reconciliation_queue"]).set(shared.queue_length() as f64);
    let clusters =
        GaugeVec::new(Opts::new("argocd_cluster_info", "Information about cluster."), &["server", "name"])?;
    for server in shared.connected_clusters() {
        clusters.with_label_values(&[server.as_str(), ""]).set(1.0);
    }
    for app in shared.applications() {
        let labels = labels_of(&app);
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        info.with_label_values(&labels).set(1.0);
        let name = ObjectName::new(app.namespace(), app.name());
        let count = shared.orphaned(&name) as f64;
        orphans.with_label_values(&[app.namespace(), app.name(), app.project()]).set(count);
        for condition in &app.status.conditions {
            conditions.with_label_values(&[app.namespace(), app.name(), condition.kind.as_str()]).inc();
        }
    }
    Ok([info.collect(), conditions.collect(), orphans.collect(), queue.collect(), clusters.collect()]
        .concat())
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
