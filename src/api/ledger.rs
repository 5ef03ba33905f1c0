//! What we remember of an application besides Argo CD's own status: drifts, and who made its revisions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Time, is_default};

/// One field of one object that somebody changed in the cluster, how often, and whether it was put right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DriftEntry {
    /// API group.
    #[serde(default, skip_serializing_if = "is_default")]
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Namespace.
    #[serde(default, skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Name.
    pub name: String,
    /// JSON pointer to the field; empty where the whole object was deleted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub field: String,
    /// What was there, as JSON, cut short; masked for Secrets.
    #[serde(default, skip_serializing_if = "is_default")]
    pub live: String,
    /// What Git says, as JSON, cut short; masked for Secrets.
    #[serde(default, skip_serializing_if = "is_default")]
    pub desired: String,
    /// The field manager that wrote it; empty where that is not known.
    #[serde(default, skip_serializing_if = "is_default")]
    pub manager: String,
    /// When it was seen, the last time that it happened.
    pub since: Time,
    /// When it was gone again; absent while it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healed: Option<Time>,
    /// How often it happened.
    #[serde(default, skip_serializing_if = "is_default")]
    pub times: i64,
    /// When it happened the last few times, oldest first: so that two writers who fight are recognised.
    #[serde(default, skip_serializing_if = "is_default")]
    pub recent: Vec<Time>,
}

/// Who made a revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevisionNote {
    /// The commit.
    pub revision: String,
    /// `Name <mail>`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub author: String,
    /// The author's date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Time>,
    /// The first line of the message.
    #[serde(default, skip_serializing_if = "is_default")]
    pub subject: String,
}
