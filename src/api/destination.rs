//! Where objects go.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HelmSource, KustomizeSource, is_default};

/// A cluster, by address or by name, and the namespace of objects that name none.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ApplicationDestination {
    /// Address of the API server; `https://kubernetes.default.svc` is the controller's own cluster.
    #[serde(skip_serializing_if = "is_default")]
    pub server: String,
    /// Namespace of objects that name none of their own.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Name of the cluster, in the place of `server`.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
}

/// One of several destinations of an application. An addition of Tiphys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct DestinationTarget {
    /// Address of the API server.
    #[serde(skip_serializing_if = "is_default")]
    pub server: String,
    /// Name of the cluster; beside `server` it is a label.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Namespace of objects that name none of their own.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// What this destination takes differently, for example an overlay per region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceOverride>,
}

/// Fields of the source that one destination overrides.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SourceOverride {
    /// Folder in the repository.
    #[serde(skip_serializing_if = "is_default")]
    pub path: String,
    /// Branch, tag or commit.
    #[serde(skip_serializing_if = "is_default")]
    pub target_revision: String,
    /// Helm options.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helm: Option<HelmSource>,
    /// Kustomize options.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kustomize: Option<KustomizeSource>,
}
