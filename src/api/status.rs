//! What the controller saw: `status` of an Application.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ApplicationDestination, ApplicationSource, Condition, DriftEntry, HealthCode, IgnoreDifferences,
    OperationState, ResourceCause, RevisionHistory, RevisionNote, SourceHydratorStatus, SourceType, Time,
    is_default,
};

/// `status` of an Application.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ApplicationStatus {
    /// One entry per object.
    #[serde(skip_serializing_if = "is_default")]
    pub resources: Vec<ResourceStatus>,
    /// How Git and cluster compare.
    #[serde(skip_serializing_if = "is_default")]
    pub sync: SyncStatus,
    /// How the objects are.
    #[serde(skip_serializing_if = "is_default")]
    pub health: Health,
    /// Syncs that succeeded, oldest first.
    #[serde(skip_serializing_if = "is_default")]
    pub history: Vec<RevisionHistory>,
    /// What is wrong.
    #[serde(skip_serializing_if = "is_default")]
    pub conditions: Vec<Condition>,
    /// When the application was last compared in full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconciled_at: Option<Time>,
    /// The operation under way, or the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_state: Option<OperationState>,
    /// When the status was last looked at; kept for compatibility.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<Time>,
    /// How the source is rendered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_type: Option<SourceType>,
    /// Images and addresses.
    #[serde(skip_serializing_if = "is_default")]
    pub summary: ApplicationSummary,
    /// Where the health of single objects is kept; kept for compatibility.
    #[serde(skip_serializing_if = "is_default")]
    pub resource_health_source: String,
    /// How several sources are rendered.
    #[serde(skip_serializing_if = "is_default")]
    pub source_types: Vec<SourceType>,
    /// The namespace of the controller that serves the application.
    #[serde(skip_serializing_if = "is_default")]
    pub controller_namespace: String,
    /// The hydrator's status.
    #[serde(skip_serializing_if = "is_default")]
    pub source_hydrator: SourceHydratorStatus,
    /// Status per destination, where there are several. An addition of Tiphys.
    #[serde(skip_serializing_if = "is_default")]
    pub destinations: Vec<DestinationStatus>,
    /// State of our extensions. An addition of Tiphys.
    #[serde(skip_serializing_if = "is_default")]
    pub tiphys: TiphysStatus,
}

/// Whether Git and cluster are the same.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum SyncCode {
    /// The same.
    Synced,
    /// Different.
    OutOfSync,
    /// Could not be compared.
    #[default]
    Unknown,
}

impl SyncCode {
    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Synced => "Synced",
            Self::OutOfSync => "OutOfSync",
            Self::Unknown => "Unknown",
        }
    }
}

/// How Git and cluster compare.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SyncStatus {
    /// The verdict.
    #[schemars(required)]
    pub status: SyncCode,
    /// What was compared.
    #[serde(skip_serializing_if = "is_default")]
    pub compared_to: ComparedTo,
    /// The revision that was compared.
    #[serde(skip_serializing_if = "is_default")]
    pub revision: String,
    /// The revisions of several sources.
    #[serde(skip_serializing_if = "is_default")]
    pub revisions: Vec<String>,
}

/// What was compared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ComparedTo {
    /// The source.
    #[serde(skip_serializing_if = "is_default")]
    pub source: ApplicationSource,
    /// The destination.
    #[schemars(required)]
    pub destination: ApplicationDestination,
    /// The sources.
    #[serde(skip_serializing_if = "is_default")]
    pub sources: Vec<ApplicationSource>,
    /// The fields that did not count.
    #[serde(skip_serializing_if = "is_default")]
    pub ignore_differences: Vec<IgnoreDifferences>,
}

/// Health of the application.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Health {
    /// The verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<HealthCode>,
    /// Why, in words.
    #[serde(skip_serializing_if = "is_default")]
    pub message: String,
    /// When the verdict last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Time>,
}

/// Health of one object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ResourceHealth {
    /// The verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<HealthCode>,
    /// Why, in words.
    #[serde(skip_serializing_if = "is_default")]
    pub message: String,
    /// Kept for compatibility; not written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Time>,
}

/// One object of the application.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ResourceStatus {
    /// API group.
    #[serde(skip_serializing_if = "is_default")]
    pub group: String,
    /// API version.
    #[serde(skip_serializing_if = "is_default")]
    pub version: String,
    /// Kind.
    #[serde(skip_serializing_if = "is_default")]
    pub kind: String,
    /// Namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Name.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Whether it is as Git says; absent for hooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<SyncCode>,
    /// How it is; absent for kinds without health.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<ResourceHealth>,
    /// Whether it is a hook.
    #[serde(skip_serializing_if = "is_default")]
    pub hook: bool,
    /// Whether Git no longer holds it.
    #[serde(skip_serializing_if = "is_default")]
    pub requires_pruning: bool,
    /// Its wave.
    #[serde(skip_serializing_if = "is_default")]
    pub sync_wave: i64,
    /// Whether its deletion waits for somebody.
    #[serde(skip_serializing_if = "is_default")]
    pub requires_deletion_confirmation: bool,
}

/// Images and addresses of an application.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ApplicationSummary {
    /// Addresses at which the application is reached.
    #[serde(rename = "externalURLs", skip_serializing_if = "is_default")]
    pub external_urls: Vec<String>,
    /// Images that run.
    #[serde(skip_serializing_if = "is_default")]
    pub images: Vec<String>,
}

/// Status at one of several destinations. An addition of Tiphys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct DestinationStatus {
    /// The destination's label.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Address of the API server.
    #[serde(skip_serializing_if = "is_default")]
    pub server: String,
    /// Namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// How Git and this cluster compare.
    #[serde(skip_serializing_if = "is_default")]
    pub sync: SyncStatus,
    /// How the objects there are.
    #[serde(skip_serializing_if = "is_default")]
    pub health: Health,
    /// One entry per object.
    #[serde(skip_serializing_if = "is_default")]
    pub resources: Vec<ResourceStatus>,
    /// The operation there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_state: Option<OperationState>,
    /// Syncs there that succeeded.
    #[serde(skip_serializing_if = "is_default")]
    pub history: Vec<RevisionHistory>,
}

/// State of our extensions; where the CRD is Argo CD's, annotation `tiphys.dev/state` holds it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct TiphysStatus {
    /// Commits that auto-rollback went back from, and that auto-sync leaves alone.
    #[serde(skip_serializing_if = "is_default")]
    pub rejected_revisions: Vec<String>,
    /// The last revision that was Synced and Healthy, where auto-rollback is on: its render is stored.
    #[serde(skip_serializing_if = "is_default")]
    pub healthy_revision: String,
    /// Since when the application is Degraded without a break, where auto-rollback is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub degraded_since: Option<Time>,
    /// How many resources of each sync status were left out of `resources` for size.
    #[serde(skip_serializing_if = "is_default")]
    pub omitted_resources: BTreeMap<String, i64>,
    /// The last drifts, oldest first.
    #[serde(skip_serializing_if = "is_default")]
    pub drift: Vec<DriftEntry>,
    /// Who made the revisions of the history.
    #[serde(skip_serializing_if = "is_default")]
    pub revisions: Vec<RevisionNote>,
    /// Why objects are not healthy, the worst first; 50 at most.
    #[serde(skip_serializing_if = "is_default")]
    pub causes: Vec<ResourceCause>,
}
