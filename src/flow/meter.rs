//! How the I/O rooms count what they do without knowing who counts.

use std::time::Duration;

use crate::api::OperationPhase;

use super::ObjectName;

/// A kind of request to a Git server, as the metric's label says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GitRequest {
    /// A list of references.
    LsRemote,
    /// Objects.
    Fetch,
}

impl GitRequest {
    /// The value of the label `request_type`.
    pub fn label(self) -> &'static str {
        match self {
            Self::LsRemote => "ls-remote",
            Self::Fetch => "fetch",
        }
    }
}

/// How a sync ended.
#[derive(Debug, Clone, Copy)]
pub struct SyncEnd<'a> {
    /// The application.
    pub application: &'a ObjectName,
    /// Its project.
    pub project: &'a str,
    /// Address of the destination.
    pub server: &'a str,
    /// The phase.
    pub phase: OperationPhase,
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// How long it took.
    pub took: Duration,
}

/// A request to an API server, made while an application was reconciled.
#[derive(Debug, Clone, Copy)]
pub struct KubernetesRequest<'a> {
    /// The application.
    pub application: &'a ObjectName,
    /// Its project.
    pub project: &'a str,
    /// Address of the API server.
    pub server: &'a str,
    /// `Get`, `List`, `Watch`, `Create`, `Update`, `Patch`, `Delete`.
    pub verb: &'static str,
    /// The resource, in plural, as in the address.
    pub resource: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// Status of the answer; 0 where there was none.
    pub code: u16,
}

/// Counts what the I/O rooms do. Implemented by `metrics`; every method may be called from any thread and must not
/// block. Repositories are named by their URL without credentials.
pub trait Meter: Send + Sync {
    /// A reconcile of an application ended. `server` is the destination's address.
    fn reconciled(&self, application: &ObjectName, server: &str, took: Duration) {
        let _ = (application, server, took);
    }

    /// The health of an application was looked at without a comparison, because pods or nodes changed.
    fn health_looked_at(&self, application: &ObjectName, server: &str) {
        let _ = (application, server);
    }

    /// A sync of an application ended.
    fn synced(&self, sync: &SyncEnd<'_>) {
        let _ = sync;
    }

    /// A request to a Git server ended.
    fn git_request(&self, repository: &str, request: GitRequest, took: Duration, failed: bool) {
        let _ = (repository, request, took, failed);
    }

    /// A request to an API server was answered, or failed.
    fn kubernetes_request(&self, request: &KubernetesRequest<'_>) {
        let _ = request;
    }

    /// An object of a watched kind changed.
    fn cluster_event(&self, server: &str, group: &str, kind: &str) {
        let _ = (server, group, kind);
    }

    /// An application is gone: what was counted for it need not be told any more.
    fn forgotten(&self, application: &ObjectName) {
        let _ = application;
    }

    /// The number of callers that wait for a repository changed.
    fn repository_pending(&self, repository: &str, waiting: usize) {
        let _ = (repository, waiting);
    }
}

/// Counts nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoMeter;

impl Meter for NoMeter {}
