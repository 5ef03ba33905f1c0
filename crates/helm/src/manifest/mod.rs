//! What templates printed: documents, hooks, their order, and the text of `helm template`.

mod head;
pub(crate) mod order;
pub(crate) mod print;
pub(crate) mod split;

use std::collections::BTreeMap;

pub(crate) use head::sort_files;

/// One object that a chart renders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Path of the template, with the path of its chart: `app/charts/db/templates/x.yaml`.
    pub source: String,
    /// The YAML document without separator.
    pub text: String,
    /// `apiVersion`, empty when absent.
    pub api_version: String,
    /// `kind`, empty when absent.
    pub kind: String,
    /// `metadata.name`, empty when absent.
    pub name: String,
    /// `metadata.annotations`.
    pub annotations: BTreeMap<String, String>,
}

/// An object that Helm creates at a point of a release's life and not as part of the release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// The object.
    pub manifest: Manifest,
    /// When it runs.
    pub events: Vec<HookEvent>,
    /// Order among the hooks of an event, lowest first.
    pub weight: i64,
    /// When it is deleted, as the annotation says, in lower case.
    pub delete_policies: Vec<String>,
    /// When its log is shown, as the annotation says, in lower case.
    pub output_log_policies: Vec<String>,
}

impl Hook {
    /// Whether this hook only runs with `helm test`.
    pub fn is_test(&self) -> bool {
        self.events.contains(&HookEvent::Test)
    }
}

/// A point of a release's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are Helm's")]
pub enum HookEvent {
    PreInstall,
    PostInstall,
    PreDelete,
    PostDelete,
    PreUpgrade,
    PostUpgrade,
    PreRollback,
    PostRollback,
    Test,
}

impl HookEvent {
    /// The event of this name; `test-success` is Helm 2's word for `test`.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "pre-install" => HookEvent::PreInstall,
            "post-install" => HookEvent::PostInstall,
            "pre-delete" => HookEvent::PreDelete,
            "post-delete" => HookEvent::PostDelete,
            "pre-upgrade" => HookEvent::PreUpgrade,
            "post-upgrade" => HookEvent::PostUpgrade,
            "pre-rollback" => HookEvent::PreRollback,
            "post-rollback" => HookEvent::PostRollback,
            "test" | "test-success" => HookEvent::Test,
            _ => return None,
        })
    }
}
