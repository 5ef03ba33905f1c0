//! What is counted as it happens.

use std::collections::HashMap;
use std::time::Duration;

use prometheus::core::{Collector, MetricVec, MetricVecBuilder};
use prometheus::{CounterVec, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry};

use crate::api::OperationPhase;
use crate::flow::{GitRequest, KubernetesRequest, Meter, ObjectName};

/// Buckets of reconciles, in seconds, as Argo CD's.
const RECONCILE_BUCKETS: [f64; 7] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0];
/// Buckets of Git requests, in seconds, as Argo CD's.
const GIT_BUCKETS: [f64; 7] = [0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0];

/// The counters, and the registry that they are in.
pub struct Counters {
    registry: Registry,
    reconciles: HistogramVec,
    health_steps: IntCounterVec,
    syncs: IntCounterVec,
    sync_seconds: CounterVec,
    git_requests: IntCounterVec,
    git_seconds: HistogramVec,
    git_fetch_failures: IntCounterVec,
    git_ls_remote_failures: IntCounterVec,
    pending: IntGaugeVec,
    kubernetes_requests: IntCounterVec,
    cluster_events: IntCounterVec,
}

impl Counters {
    /// Counters at zero.
    ///
    /// # Errors
    /// Where two metrics have one name, which tests find.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        #[cfg(target_os = "linux")]
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        let of = |name: &str| Opts::new(name, help(name));
        let counter =
            |name: &str, labels: &[&str]| in_registry(&registry, IntCounterVec::new(of(name), labels)?);
        let histogram = |name: &str, buckets: &[f64], labels: &[&str]| {
            let options = HistogramOpts::new(name, help(name)).buckets(buckets.to_vec());
            in_registry(&registry, HistogramVec::new(options, labels)?)
        };
        let app = ["namespace", "name", "project"];
        let of_app = |more: &[&'static str]| [app.as_slice(), more].concat();
        Ok(Self {
            reconciles: histogram("argocd_app_reconcile", &RECONCILE_BUCKETS, &["namespace", "dest_server"])?,
            health_steps: counter("tiphys_app_health_steps_total", &["namespace", "dest_server"])?,
            syncs: counter("argocd_app_sync_total", &of_app(&["dest_server", "phase", "dry_run"]))?,
            sync_seconds: in_registry(
                &registry,
                CounterVec::new(of("argocd_app_sync_duration_seconds_total"), &of_app(&["dest_server"]))?,
            )?,
            git_requests: counter("argocd_git_request_total", &["repo", "request_type"])?,
            git_seconds: histogram(
                "argocd_git_request_duration_seconds",
                &GIT_BUCKETS,
                &["repo", "request_type"],
            )?,
            git_fetch_failures: counter("argocd_git_fetch_fail_total", &["repo"])?,
            git_ls_remote_failures: counter("argocd_git_lsremote_fail_total", &["repo"])?,
            pending: in_registry(
                &registry,
                IntGaugeVec::new(of("argocd_repo_pending_request_total"), &["repo"])?,
            )?,
            kubernetes_requests: counter(
                "argocd_app_k8s_request_total",
                &of_app(&[
                    "server",
                    "response_code",
                    "verb",
                    "resource_kind",
                    "resource_namespace",
                    "dry_run",
                ]),
            )?,
            cluster_events: counter("argocd_cluster_events_total", &["server", "group", "kind"])?,
            registry,
        })
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }
}

fn in_registry<C: Collector + Clone + 'static>(
    registry: &Registry,
    metric: C,
) -> Result<C, prometheus::Error> {
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

/// What a metric tells, as its `# HELP` line.
fn help(name: &str) -> &'static str {
    match name {
        "argocd_app_reconcile" => "Application reconciliation performance in seconds.",
        "tiphys_app_health_steps_total" => {
            "Number of times that health was looked at without a comparison, because pods or nodes changed."
        }
        "argocd_app_sync_total" => "Number of application syncs.",
        "argocd_app_sync_duration_seconds_total" => "Application sync performance in seconds total.",
        "argocd_git_request_total" => "Number of requests to Git servers.",
        "argocd_git_request_duration_seconds" => "Duration of requests to Git servers in seconds.",
        "argocd_git_fetch_fail_total" => "Number of fetches from Git servers that failed.",
        "argocd_git_lsremote_fail_total" => "Number of lists of references from Git servers that failed.",
        "argocd_repo_pending_request_total" => "Number of callers that wait for a repository.",
        "argocd_app_k8s_request_total" => {
            "Number of requests to API servers while applications were reconciled."
        }
        "argocd_cluster_events_total" => "Number of changes to objects of watched kinds.",
        _ => "See the documentation of Tiphys.",
    }
}

impl Meter for Counters {
    fn reconciled(&self, application: &ObjectName, server: &str, took: Duration) {
        self.reconciles
            .with_label_values(&[application.namespace.as_str(), server])
            .observe(took.as_secs_f64());
    }

    fn health_looked_at(&self, application: &ObjectName, server: &str) {
        self.health_steps.with_label_values(&[application.namespace.as_str(), server]).inc();
    }

    fn synced(&self, sync: &crate::flow::SyncEnd<'_>) {
        let phase = if sync.phase == OperationPhase::Running { "Unknown" } else { sync.phase.as_str() };
        let dry_run = if sync.dry_run { "true" } else { "false" };
        let name = sync.application;
        let common = [name.namespace.as_str(), name.name.as_str(), sync.project, sync.server];
        let [namespace, name, project, server] = common;
        self.syncs.with_label_values(&[namespace, name, project, server, phase, dry_run]).inc();
        self.sync_seconds.with_label_values(&common).inc_by(sync.took.as_secs_f64());
    }

    fn git_request(&self, repository: &str, request: GitRequest, took: Duration, failed: bool) {
        self.git_requests.with_label_values(&[repository, request.label()]).inc();
        self.git_seconds.with_label_values(&[repository, request.label()]).observe(took.as_secs_f64());
        if failed {
            match request {
                GitRequest::LsRemote => self.git_ls_remote_failures.with_label_values(&[repository]).inc(),
                GitRequest::Fetch => self.git_fetch_failures.with_label_values(&[repository]).inc(),
            }
        }
    }

    fn kubernetes_request(&self, request: &KubernetesRequest<'_>) {
        let code = request.code.to_string();
        let dry_run = if request.dry_run { "true" } else { "false" };
        let ObjectName { namespace, name } = request.application;
        self.kubernetes_requests
            .with_label_values(&[
                namespace.as_str(),
                name.as_str(),
                request.project,
                request.server,
                code.as_str(),
                request.verb,
                request.resource,
                request.namespace,
                dry_run,
            ])
            .inc();
    }

    fn cluster_event(&self, server: &str, group: &str, kind: &str) {
        self.cluster_events.with_label_values(&[server, group, kind]).inc();
    }

    fn forgotten(&self, application: &ObjectName) {
        remove_all(&self.syncs, application);
        remove_all(&self.sync_seconds, application);
        remove_all(&self.kubernetes_requests, application);
    }

    fn repository_pending(&self, repository: &str, waiting: usize) {
        self.pending.with_label_values(&[repository]).set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }
}

/// Takes away every series of an application: names come and go, and series that nobody feeds are never dropped.
fn remove_all<B: MetricVecBuilder>(metrics: &MetricVec<B>, application: &ObjectName)
where
    MetricVec<B>: Collector,
{
    for family in metrics.collect() {
        for metric in family.get_metric() {
            let labels: HashMap<&str, &str> =
                metric.get_label().iter().map(|label| (label.name(), label.value())).collect();
            let is_its = labels.get("namespace") == Some(&application.namespace.as_str())
                && labels.get("name") == Some(&application.name.as_str());
            if is_its {
                // It is only not there if somebody else removed it.
                let _ = metrics.remove(&labels);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_goes_with_the_application() {
        let counters = Counters::new().unwrap();
        let count = |name: &str| {
            counters.kubernetes_request(&KubernetesRequest {
                application: &ObjectName::new("argocd", name),
                project: "p",
                server: "s",
                verb: "Patch",
                resource: "services",
                namespace: "n",
                dry_run: false,
                code: 200,
            });
        };
        count("a");
        count("a");
        count("b");
        let series = || counters.kubernetes_requests.collect()[0].get_metric().len();
        assert_eq!(series(), 2);
        counters.forgotten(&ObjectName::new("argocd", "a"));
        assert_eq!(series(), 1);
        counters.forgotten(&ObjectName::new("other", "b"));
        assert_eq!(series(), 1);
    }
}
