//! What went wrong, and what happens next.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::api::ConditionType;

/// The stage in which something went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Stage {
    /// Spec and project.
    Validate,
    /// Git, Helm or OCI.
    Source,
    /// Charts, overlays, plain manifests.
    Render,
    /// The cluster, read.
    Observe,
    /// Git and cluster, compared.
    Compare,
    /// Whether to sync, and in which order.
    Sync,
    /// The cluster, written.
    Apply,
    /// Deletion of the application.
    Delete,
}

impl Stage {
    /// The word in logs and metric labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Validate => "validate",
            Self::Source => "source",
            Self::Render => "render",
            Self::Observe => "observe",
            Self::Compare => "compare",
            Self::Sync => "sync",
            Self::Apply => "apply",
            Self::Delete => "delete",
        }
    }
}

/// The closed list of causes, a metric label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Cause {
    /// A field of the spec cannot be what it is.
    InvalidSpec,
    /// The project does not allow it.
    NotPermitted,
    /// Branch, tag or commit does not exist.
    RevisionUnknown,
    /// The repository does not answer, or refuses.
    RepositoryUnreachable,
    /// The folder is not in the revision, or leaves the repository.
    PathInvalid,
    /// The manifests cannot be rendered.
    RenderFailed,
    /// The cluster does not answer, or refuses.
    DestinationUnreachable,
    /// The cluster does not know the kind.
    KindUnknown,
    /// RBAC refuses.
    Forbidden,
    /// The API server refuses the object.
    ObjectRefused,
    /// Too little is known to go on safely.
    Incomplete,
    /// A sync window of the project is closed.
    WindowClosed,
    /// A person has to confirm it first.
    Unconfirmed,
    /// Another application has the object as well.
    SharedResource,
    /// The object comes twice.
    RepeatedResource,
    /// The settings exclude the object.
    ExcludedResource,
    /// Objects belong to nobody.
    Orphaned,
    /// It is not built yet.
    NotSupported,
    /// A defect of ours.
    Internal,
}

/// When to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Next {
    /// Not before something changes: spec, revision, settings.
    Stalled,
    /// After this time.
    Waiting(Duration),
    /// Soon, with growing pauses.
    Retry,
}

/// Something that went wrong with one application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where.
    pub stage: Stage,
    /// Why, from the closed list.
    pub cause: Cause,
    /// Why, in words, with what to do. Holds no credential and no data of a Secret.
    pub message: String,
    /// What happens next.
    pub next: Next,
}

impl Problem {
    /// A problem that lasts until something changes.
    pub fn stalled(stage: Stage, cause: Cause, message: impl Into<String>) -> Self {
        Self { stage, cause, message: message.into(), next: Next::Stalled }
    }

    /// A problem that may pass by itself.
    pub fn retry(stage: Stage, cause: Cause, message: impl Into<String>) -> Self {
        Self { stage, cause, message: message.into(), next: Next::Retry }
    }

    /// The condition under which users find it.
    pub fn condition(&self) -> ConditionType {
        match (self.stage, self.cause) {
            (_, Cause::Orphaned) => ConditionType::OrphanedResourceWarning,
            (Stage::Validate, _) | (_, Cause::NotPermitted | Cause::InvalidSpec) => {
                ConditionType::InvalidSpecError
            }
            (_, Cause::WindowClosed) => ConditionType::SyncWindowWarning,
            (_, Cause::Unconfirmed) => ConditionType::ConfirmationWarning,
            (_, Cause::SharedResource) => ConditionType::SharedResourceWarning,
            (_, Cause::RepeatedResource) => ConditionType::RepeatedResourceWarning,
            (_, Cause::ExcludedResource) => ConditionType::ExcludedResourceWarning,
            (Stage::Sync | Stage::Apply, _) => ConditionType::SyncError,
            (Stage::Delete, _) => ConditionType::DeletionError,
            (_, Cause::Internal) => ConditionType::UnknownError,
            _ => ConditionType::ComparisonError,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}
