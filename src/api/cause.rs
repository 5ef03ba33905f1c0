//! Why objects are not healthy, as the status keeps it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Time, is_default};

/// Why one object is not healthy: a word of a closed list, and what is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ResourceCause {
    /// API group.
    #[serde(skip_serializing_if = "is_default")]
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Name.
    pub name: String,
    /// The word, for example `WaitingForCapacity`.
    pub reason: String,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// When the object turns Degraded if the cause still holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Time>,
    /// When the next probe is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_probe: Option<Time>,
    /// How many pods the cause holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pods: Option<i64>,
    /// The container that it is about.
    #[serde(skip_serializing_if = "is_default")]
    pub container: String,
    /// What is short.
    #[serde(skip_serializing_if = "is_default")]
    pub shortages: Vec<ResourceShortage>,
    /// Since when the object has failed without a break, where `tiphys.dev/degraded-grace` says when that counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Time>,
}

/// How much of one resource is wanted and how much there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ResourceShortage {
    /// Name, for example `nvidia.com/gpu`.
    pub resource: String,
    /// What the waiting pods ask for, together.
    pub wanted: i64,
    /// What is free on all matching nodes together; absent where the nodes cannot be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free: Option<i64>,
    /// How many nodes match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matching_nodes: Option<i64>,
}
