//! Conditions of an Application: what is wrong, for people.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Time;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What sort of thing.
    #[serde(rename = "type")]
    pub kind: ConditionType,
    /// What is wrong and what to do.
    pub message: String,
    /// When the condition appeared or its message changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Time>,
}

/// The sorts of conditions, in Argo CD's words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ConditionType {
    /// The application cannot be deleted.
    DeletionError,
    /// The application's spec or its project does not allow it.
    InvalidSpecError,
    /// Manifests could not be fetched, rendered or compared.
    ComparisonError,
    /// An automated sync failed.
    SyncError,
    /// Anything unexpected.
    UnknownError,
    /// An object belongs to another application as well.
    SharedResourceWarning,
    /// An object comes twice in one application.
    RepeatedResourceWarning,
    /// An object is excluded by configuration.
    ExcludedResourceWarning,
    /// Objects in the namespace belong to no application.
    OrphanedResourceWarning,
    /// A sync window of the project is closed. An addition of Tiphys.
    SyncWindowWarning,
    /// Something waits until a person confirms it. An addition of Tiphys.
    ConfirmationWarning,
    /// A type that we do not know, written by somebody else.
    #[serde(untagged)]
    Other(String),
}

impl ConditionType {
    /// The word in the API.
    pub fn as_str(&self) -> &str {
        match self {
            Self::DeletionError => "DeletionError",
            Self::InvalidSpecError => "InvalidSpecError",
            Self::ComparisonError => "ComparisonError",
            Self::SyncError => "SyncError",
            Self::UnknownError => "UnknownError",
            Self::SharedResourceWarning => "SharedResourceWarning",
            Self::RepeatedResourceWarning => "RepeatedResourceWarning",
            Self::ExcludedResourceWarning => "ExcludedResourceWarning",
            Self::OrphanedResourceWarning => "OrphanedResourceWarning",
            Self::SyncWindowWarning => "SyncWindowWarning",
            Self::ConfirmationWarning => "ConfirmationWarning",
            Self::Other(word) => word,
        }
    }

    /// Whether the condition is an error, not a warning.
    pub fn is_error(&self) -> bool {
        self.as_str().ends_with("Error")
    }
}

impl JsonSchema for ConditionType {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ConditionType".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string"})
    }
}
