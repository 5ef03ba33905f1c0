//! What a sync would do, in which order, and how far it is.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::api::{
    DeletePolicy, HealthCode, HookType, OperationPhase, PropagationPolicy, ResourceResult, SyncPhase,
};
use crate::object::{GroupVersionKind, Manifest, ResourceKey};

use super::OwnershipChange;

/// How one object of a running sync is, as far as the next step depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// Whether the object is there.
    pub present: bool,
    /// Whether the object is on its way out.
    pub deleting: bool,
    /// Its health, where its kind has any.
    pub health: Option<HealthCode>,
    /// Why, in words.
    pub message: String,
    /// Whether the health was seen after the write (DESIGN decision 7).
    pub counts: bool,
    /// Whether the wave waits for the object; a claim that waits for its first consumer is not waited for.
    pub holds_wave: bool,
}

/// What is done with one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Action {
    /// Written, or created.
    Apply,
    /// Deleted, since Git no longer holds it.
    Prune,
}

/// One object in one phase of a sync.
#[derive(Clone, Debug)]
pub struct Task {
    /// The phase.
    pub phase: SyncPhase,
    /// The wave inside of the phase. For a prune: the negated wave, after all others where PruneLast says so.
    pub wave: i64,
    /// Key of the object. The name of a hook with `generateName` is filled in.
    pub key: ResourceKey,
    /// Group, version and kind.
    pub gvk: GroupVersionKind,
    /// What is done.
    pub action: Action,
    /// The object to write; for a prune the object that is there.
    pub object: Arc<Manifest>,
    /// The object that is there.
    pub live: Option<Arc<Manifest>>,
    /// The hook type, where the object is a hook.
    pub hook: Option<HookType>,
    /// When the hook is deleted.
    pub delete_policies: Vec<DeletePolicy>,
    /// How the object is written.
    pub options: WriteOptions,
    /// Whether the API server has already said what the write would do, so that no dry-run is needed.
    pub predicted: bool,
    /// Why the object would be refused, where that is known before anything is written.
    pub refused: Option<String>,
    /// Whether the project does not allow the object at all.
    pub forbidden: bool,
    /// Why nothing is done with the object, where nothing is.
    pub skipped: Option<String>,
    /// Why a person has to confirm first, where nobody has yet.
    pub unconfirmed: Option<String>,
}

/// How one object is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WriteOptions {
    /// `Replace=true`: PUT, not apply.
    pub replace: bool,
    /// `Force=true`: delete and create what cannot be changed.
    pub force: bool,
    /// `Validate=false`: unknown fields are not refused.
    pub skip_validation: bool,
    /// `SkipDryRunOnMissingResource=true`.
    pub skip_dry_run_on_missing_resource: bool,
    /// Whether the apply would change nothing, so that no request is needed.
    pub unchanged: bool,
    /// What happens to the ownership of fields before the write.
    #[serde(skip)]
    pub ownership: OwnershipChange,
    /// How dependents of a deleted object are treated.
    #[serde(skip)]
    pub propagation: PropagationPolicy,
}

/// The ordered tasks of a sync: by phase, wave, kind and name.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The tasks, in order.
    pub tasks: Vec<Task>,
}

/// What a sync does next.
#[derive(Clone, Debug)]
pub enum Step {
    /// Check these objects against the API server without writing.
    DryRun(Vec<Task>),
    /// Write these objects: one wave of one phase. Prunes come last.
    Apply(Vec<Task>),
    /// Delete these hooks, which have done their work.
    DeleteHooks(Vec<Task>),
    /// Come back when something changed: what is waited for, one line per object.
    Wait(Vec<Blocked>),
    /// Come back when a person has confirmed: what is waited for, and how to confirm.
    Confirm(String),
    /// Nothing more to do.
    Done {
        /// How it ended.
        phase: OperationPhase,
        /// In words.
        message: String,
    },
}

/// What a sync waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Blocked {
    /// The object.
    pub key: ResourceKey,
    /// Why, for example `waiting for 4 nvidia.com/gpu: 2 free on 3 matching nodes`.
    pub because: String,
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}: {}", self.key.kind, self.key.name, self.because)
    }
}

/// What became of the writes of one step.
#[derive(Clone, Debug, Default)]
pub struct ApplyReport {
    /// One result per task, in the order of the tasks.
    pub results: Vec<AppliedResource>,
}

/// What became of one write.
#[derive(Clone, Debug)]
pub struct AppliedResource {
    /// The entry for `operationState.syncResult.resources`.
    pub result: ResourceResult,
    /// What the object's health is counted from.
    pub written: Option<Written>,
}

/// The answer of the API server to a write, as far as health needs it (DESIGN decision 7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Uid of the object.
    pub uid: String,
    /// resourceVersion of the answer.
    pub resource_version: String,
    /// Generation of the answer; 0 where the kind counts none.
    pub generation: i64,
    /// Whether the write changed anything.
    pub changed: bool,
}
