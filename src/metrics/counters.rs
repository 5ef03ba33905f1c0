//! What is counted as it happens.

use std::time::Duration;

use prometheus::{CounterVec, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry};

use crate::api::OperationPhase;
use crate::flow::{GitRequest, Meter, ObjectName};

/// Buckets of reconciles, in seconds, as Argo CD's.
const RECONCILE_BUCKETS: [f64; 7] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0];
/// Buckets of Git requests, in seconds, as Argo CD's.
const GIT_BUCKETS: [f64; 7] = [0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0];

/// The counters, and the registry that they are in.
pub struct Counters {
    registry: Registry,
    reconciles: HistogramVec,
    syncs: IntCounterVec,
    sync_seconds: CounterVec,
    git_requests: IntCounterVec,
    git_seconds: HistogramVec,
    git_fetch_failures: IntCounterVec,
    git_ls_remote_failures: IntCounterVec,
    pending: IntGaugeVec,
}

impl Counters {
    /// Counters at zero.
    ///
    /// # Errors
    /// Where two metrics have one name, which tests find.
    pub fn new() -> Result<Self, prometheus::Error> {
        let histogram = |name: &str, help: &str, buckets: &[f64], labels: &[&str]| {
            HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels)
        };
        let counter =
            |name: &str, help: &str, labels: &[&str]| IntCounterVec::new(Opts::new(name, help), labels);
        let counters = Self {
            registry: Registry::new(),
            reconciles: histogram(
                "argocd_app_reconcile",
                "Application reconciliation performance in seconds.",
                &RECONCILE_BUCKETS,
                &["namespace", "dest_server"],
            )?,
            syncs: counter(
                "argocd_app_sync_total",
                "Number of application syncs.",
                &["namespace", "name", "project", "dest_server", "phase", "dry_run"],
            )?,
            sync_seconds: CounterVec::new(
                Opts::new(
                    "argocd_app_sync_duration_seconds_total",
                    "Application sync performance in seconds total.",
                ),
                &["namespace", "name", "project", "dest_server"],
            )?,
            git_requests: counter(
                "argocd_git_request_total",
                "Number of git requests performed by repo server",
                &["repo", "request_type"],
            )?,
            git_seconds: histogram(
                "argocd_git_request_duration_seconds",
                "Git requests duration seconds.",
                &GIT_BUCKETS,
                &["repo", "request_type"],
            )?,
            git_fetch_failures: counter(
                "argocd_git_fetch_fail_total",
                "Number of git fetch requests failures",
                &["repo"],
            )?,
            git_ls_remote_failures: counter(
                "argocd_git_lsremote_fail_total",
                "Number of git ls-remote requests failures",
                &["repo"],
            )?,
            pending: IntGaugeVec::new(
                Opts::new(
                    "argocd_repo_pending_request_total",
                    "Number of pending requests requiring repository lock",
                ),
                &["repo"],
            )?,
        };
        counters.register()?;
        Ok(counters)
    }

    fn register(&self) -> Result<(), prometheus::Error> {
        self.registry.register(Box::new(self.reconciles.clone()))?;
        self.registry.register(Box::new(self.syncs.clone()))?;
        self.registry.register(Box::new(self.sync_seconds.clone()))?;
        self.registry.register(Box::new(self.git_requests.clone()))?;
        self.registry.register(Box::new(self.git_seconds.clone()))?;
        self.registry.register(Box::new(self.git_fetch_failures.clone()))?;
        self.registry.register(Box::new(self.git_ls_remote_failures.clone()))?;
        self.registry.register(Box::new(self.pending.clone()))?;
        #[cfg(target_os = "linux")]
        self.registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        Ok(())
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }
}

impl Meter for Counters {
    fn reconciled(&self, application: &ObjectName, server: &str, took: Duration) {
        self.reconciles
            .with_label_values(&[application.namespace.as_str(), server])
            .observe(took.as_secs_f64());
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

    fn repository_pending(&self, repository: &str, waiting: usize) {
        self.pending.with_label_values(&[repository]).set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }
}
