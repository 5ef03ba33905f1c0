//! What was synced when, and what can be gone back to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ApplicationSource, OperationInitiator, Time, is_default};

/// One sync that succeeded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevisionHistory {
    /// The revision.
    #[serde(default, skip_serializing_if = "is_default")]
    pub revision: String,
    /// When the sync ended.
    pub deployed_at: Time,
    /// Its number, counted up from 0.
    pub id: i64,
    /// The source at that time.
    #[serde(default, skip_serializing_if = "is_default")]
    pub source: ApplicationSource,
    /// When the sync started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deploy_started_at: Option<Time>,
    /// The sources at that time.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sources: Vec<ApplicationSource>,
    /// The revisions of several sources.
    #[serde(default, skip_serializing_if = "is_default")]
    pub revisions: Vec<String>,
    /// Who asked.
    #[serde(default, skip_serializing_if = "is_default")]
    pub initiated_by: OperationInitiator,
}

/// The entry to go back to: the one with the given id, or the one before the last.
pub fn rollback_candidate(history: &[RevisionHistory], id: Option<i64>) -> Option<&RevisionHistory> {
    match id {
        Some(id) => history.iter().find(|entry| entry.id == id),
        None => history.len().checked_sub(2).and_then(|index| history.get(index)),
    }
}
