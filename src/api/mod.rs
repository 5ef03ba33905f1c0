//! Argo CD's API as typed values: `Application` and `AppProject` of `argoproj.io/v1alpha1`, their annotations and
//! sync options, and the schemas from which `crds/` is generated.
//!
//! Every field of the contract is here, those that no code reads yet included, so that no user's field is dropped
//! when a value goes through us. Names, defaults and meanings are Argo CD's (release 3.6); what is ours is under
//! `tiphys.dev/` or named in the field's doc.
//!
//! Layer 0: imports only `object`; knows no client and no clock.

pub mod annotations;
mod application;
mod cause;
mod condition;
mod crd;
mod destination;
mod duration;
mod health_code;
mod history;
mod hydrator;
mod ignore_rule;
mod ledger;
mod operation;
mod options;
mod project;
mod resource_annotations;
mod source;
mod source_kustomize;
mod status;
mod sync_policy;
mod time;

pub use application::{
    Application, ApplicationSpec, IgnoreDifferences, Info, InvalidApplication, decode_application,
};
pub use cause::{ResourceCause, ResourceShortage};
pub use condition::{Condition, ConditionType};
pub use crd::{application_crd, project_crd};
pub use destination::{ApplicationDestination, DestinationTarget, SourceOverride};
pub use duration::{InvalidDuration, parse_go_duration, parse_retry_duration};
pub use health_code::{HealthCode, UnknownHealthCode};
pub use history::{RevisionHistory, rollback_candidate};
pub use hydrator::{
    DrySource, HydrateOperation, HydrateTo, SourceHydrator, SourceHydratorStatus, SyncSource,
};
pub use ledger::{DriftEntry, RevisionNote};
pub use operation::{
    Operation, OperationInitiator, OperationPhase, OperationState, ResourceResult, ResultCode, SyncOperation,
    SyncOperationResource, SyncOperationResult, SyncStrategy, SyncStrategyApply,
};
pub use options::{PropagationPolicy, Requirement, SyncOptions};
pub use project::{
    AppProject, AppProjectSpec, AppProjectStatus, DestinationServiceAccount, JwtToken, JwtTokens,
    OrphanedResourceKey, OrphanedResources, ProjectRole, ResourceRestriction, SignatureKey, SyncWindow,
};
pub use resource_annotations::{DeletePolicy, HookType, InvalidAnnotation, ResourceAnnotations, SyncPhase};
pub use source::{
    ApplicationSource, DirectorySource, EnvEntry, HelmFileParameter, HelmParameter, HelmSource,
    JsonnetSource, JsonnetVar, PluginParameter, PluginSource, SourceType,
};
pub use source_kustomize::{
    KustomizePatch, KustomizeReplica, KustomizeSelector, KustomizeSource, ReplicaCount,
};
pub use status::{
    ApplicationStatus, ApplicationSummary, ComparedTo, DestinationStatus, Health, ResourceHealth,
    ResourceStatus, SyncCode, SyncStatus, TiphysStatus,
};
pub use sync_policy::{Automated, Backoff, ManagedNamespaceMetadata, RetryStrategy, SyncPolicy};
pub use time::Time;

/// API group of all our kinds.
pub const GROUP: &str = "argoproj.io";
/// API version of all our kinds.
pub const VERSION: &str = "v1alpha1";
/// `apiVersion` of all our kinds.
pub const API_VERSION: &str = "argoproj.io/v1alpha1";

/// Go's `omitempty`: a field that holds nothing is not written.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
