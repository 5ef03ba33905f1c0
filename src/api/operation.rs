//! Operations: syncs that somebody asked for, and what became of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::resource_annotations::{HookType, SyncPhase};
use super::{
    ApplicationSource, Info, ManagedNamespaceMetadata, RetryStrategy, SyncOptions, Time, is_default,
};

/// A sync that somebody asks for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Operation {
    /// The sync.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync: Option<SyncOperation>,
    /// Who asks.
    #[serde(skip_serializing_if = "is_default")]
    pub initiated_by: OperationInitiator,
    /// Notes for people.
    #[serde(skip_serializing_if = "is_default")]
    pub info: Vec<Info>,
    /// What happens when it fails.
    #[serde(skip_serializing_if = "is_default")]
    pub retry: RetryStrategy,
}

/// Who asks for an operation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct OperationInitiator {
    /// The user's name.
    #[serde(skip_serializing_if = "is_default")]
    pub username: String,
    /// Whether the controller itself asked.
    #[serde(skip_serializing_if = "is_default")]
    pub automated: bool,
}

/// What to sync.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SyncOperation {
    /// The revision; the spec's where empty.
    #[serde(skip_serializing_if = "is_default")]
    pub revision: String,
    /// Deletes objects that the revision does not hold.
    #[serde(skip_serializing_if = "is_default")]
    pub prune: bool,
    /// Writes nothing.
    #[serde(skip_serializing_if = "is_default")]
    pub dry_run: bool,
    /// With hooks (the default) or without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_strategy: Option<SyncStrategy>,
    /// Only these objects; all where empty. A selective sync runs no hooks.
    #[serde(skip_serializing_if = "is_default")]
    pub resources: Vec<SyncOperationResource>,
    /// Takes this source in the place of the spec's (rollback).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<ApplicationSource>,
    /// Takes these manifests in the place of the source's.
    #[serde(skip_serializing_if = "is_default")]
    pub manifests: Vec<String>,
    /// Options of this sync.
    #[serde(skip_serializing_if = "is_default")]
    pub sync_options: SyncOptions,
    /// Takes these sources in the place of the spec's (rollback).
    #[serde(skip_serializing_if = "is_default")]
    pub sources: Vec<ApplicationSource>,
    /// Revisions of several sources.
    #[serde(skip_serializing_if = "is_default")]
    pub revisions: Vec<String>,
    /// How many times self-heal has already tried at this revision.
    #[serde(rename = "autoHealAttemptsCount", skip_serializing_if = "is_default")]
    pub self_heal_attempts_count: i64,
}

/// With hooks or without.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SyncStrategy {
    /// Applies without hooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apply: Option<SyncStrategyApply>,
    /// Applies with hooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook: Option<SyncStrategyApply>,
}

/// How objects are applied.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SyncStrategyApply {
    /// Deletes and creates again what cannot be changed.
    #[serde(skip_serializing_if = "is_default")]
    pub force: bool,
}

/// One object of a selective sync.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SyncOperationResource {
    /// API group.
    #[serde(skip_serializing_if = "is_default")]
    pub group: String,
    /// Kind.
    #[schemars(required)]
    pub kind: String,
    /// Name.
    #[schemars(required)]
    pub name: String,
    /// Namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
}

/// How far an operation is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum OperationPhase {
    /// Under way.
    #[default]
    Running,
    /// Somebody asked it to stop.
    Terminating,
    /// Objects could not be applied, or hooks failed.
    Failed,
    /// It could not be carried out at all.
    Error,
    /// Done.
    Succeeded,
}

impl OperationPhase {
    /// Whether nothing more will happen.
    pub fn is_completed(self) -> bool {
        matches!(self, Self::Failed | Self::Error | Self::Succeeded)
    }

    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Terminating => "Terminating",
            Self::Failed => "Failed",
            Self::Error => "Error",
            Self::Succeeded => "Succeeded",
        }
    }
}

/// An operation under way, or the last one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OperationState {
    /// What was asked for.
    pub operation: Operation,
    /// How far it is.
    pub phase: OperationPhase,
    /// What happened, or what is waited for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub message: String,
    /// What became of each object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync_result: Option<SyncOperationResult>,
    /// When it started.
    pub started_at: Time,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// How many times it was tried again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub retry_count: i64,
}

/// What became of a sync.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SyncOperationResult {
    /// One entry per object and phase.
    #[serde(skip_serializing_if = "is_default")]
    pub resources: Vec<ResourceResult>,
    /// The revision that was synced.
    #[schemars(required)]
    pub revision: String,
    /// The source at that time.
    #[serde(skip_serializing_if = "is_default")]
    pub source: ApplicationSource,
    /// The sources at that time.
    #[serde(skip_serializing_if = "is_default")]
    pub sources: Vec<ApplicationSource>,
    /// The revisions of several sources.
    #[serde(skip_serializing_if = "is_default")]
    pub revisions: Vec<String>,
    /// Metadata that the namespace got.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_namespace_metadata: Option<ManagedNamespaceMetadata>,
}

/// What became of one object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ResourceResult {
    /// API group.
    #[schemars(required)]
    pub group: String,
    /// API version.
    #[schemars(required)]
    pub version: String,
    /// Kind.
    #[schemars(required)]
    pub kind: String,
    /// Namespace.
    #[schemars(required)]
    pub namespace: String,
    /// Name.
    #[schemars(required)]
    pub name: String,
    /// Result of the write; absent for hooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ResultCode>,
    /// What the API server said.
    #[serde(skip_serializing_if = "is_default")]
    pub message: String,
    /// The hook's type, where the object is a hook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook_type: Option<HookType>,
    /// How far the object is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook_phase: Option<OperationPhase>,
    /// The phase in which it was applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_phase: Option<SyncPhase>,
    /// Images of the object.
    #[serde(skip_serializing_if = "is_default")]
    pub images: Vec<String>,
}

/// Result of the write of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum ResultCode {
    /// Applied.
    Synced,
    /// Refused.
    SyncFailed,
    /// Deleted.
    Pruned,
    /// Should have been deleted, but may not be.
    PruneSkipped,
}
