//! The source hydrator's fields, kept whole; nothing reads them yet.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Time, is_default};

/// Where dry manifests are read and rendered ones are pushed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SourceHydrator {
    /// Where the dry manifests live.
    #[schemars(required)]
    pub dry_source: DrySource,
    /// Where the rendered manifests are synced from.
    #[schemars(required)]
    pub sync_source: SyncSource,
    /// Where rendered manifests are pushed first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hydrate_to: Option<HydrateTo>,
}

/// Where the dry manifests live.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct DrySource {
    /// Address of the repository.
    #[serde(rename = "repoURL")]
    #[schemars(required)]
    pub repo_url: String,
    /// Branch, tag or commit.
    #[schemars(required)]
    pub target_revision: String,
    /// Folder.
    #[schemars(required)]
    pub path: String,
}

/// Where rendered manifests are synced from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SyncSource {
    /// Branch.
    #[schemars(required)]
    pub target_branch: String,
    /// Folder.
    #[schemars(required)]
    pub path: String,
}

/// Where rendered manifests are pushed first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct HydrateTo {
    /// Branch.
    #[schemars(required)]
    pub target_branch: String,
}

/// What the hydrator did last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SourceHydratorStatus {
    /// The last run that succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_successful_operation: Option<HydrateOperation>,
    /// The run under way, or the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_operation: Option<HydrateOperation>,
}

/// A run of the hydrator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct HydrateOperation {
    /// When it started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// Hydrating, Hydrated or Failed.
    #[serde(skip_serializing_if = "is_default")]
    pub phase: String,
    /// What happened.
    #[serde(skip_serializing_if = "is_default")]
    pub message: String,
    /// The dry commit.
    #[serde(rename = "drySHA", skip_serializing_if = "is_default")]
    pub dry_sha: String,
    /// The commit of the rendered manifests.
    #[serde(rename = "hydratedSHA", skip_serializing_if = "is_default")]
    pub hydrated_sha: String,
    /// The configuration of the run.
    #[serde(skip_serializing_if = "is_default")]
    pub source_hydrator: SourceHydrator,
}
