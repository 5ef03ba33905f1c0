//! Options of a kustomization.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::is_default;

/// What is changed in a kustomization before it is built.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct KustomizeSource {
    /// Prefix of names.
    #[serde(skip_serializing_if = "is_default")]
    pub name_prefix: String,
    /// Suffix of names.
    #[serde(skip_serializing_if = "is_default")]
    pub name_suffix: String,
    /// Image overrides: `[old=]name[:tag|@digest]`.
    #[serde(skip_serializing_if = "is_default")]
    pub images: Vec<String>,
    /// Labels for all objects.
    #[serde(skip_serializing_if = "is_default")]
    pub common_labels: BTreeMap<String, String>,
    /// Kustomize version; read for compatibility.
    #[serde(skip_serializing_if = "is_default")]
    pub version: String,
    /// Annotations for all objects.
    #[serde(skip_serializing_if = "is_default")]
    pub common_annotations: BTreeMap<String, String>,
    /// Overwrites labels that exist.
    #[serde(skip_serializing_if = "is_default")]
    pub force_common_labels: bool,
    /// Overwrites annotations that exist.
    #[serde(skip_serializing_if = "is_default")]
    pub force_common_annotations: bool,
    /// Namespace of all objects.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Replaces `$ARGOCD_APP_…` variables in annotation values.
    #[serde(skip_serializing_if = "is_default")]
    pub common_annotations_envsubst: bool,
    /// Replica overrides.
    #[serde(skip_serializing_if = "is_default")]
    pub replicas: Vec<KustomizeReplica>,
    /// Patches.
    #[serde(skip_serializing_if = "is_default")]
    pub patches: Vec<KustomizePatch>,
    /// Components.
    #[serde(skip_serializing_if = "is_default")]
    pub components: Vec<String>,
    /// Leaves out components that do not exist.
    #[serde(skip_serializing_if = "is_default")]
    pub ignore_missing_components: bool,
    /// Keeps common labels out of selectors.
    #[serde(skip_serializing_if = "is_default")]
    pub label_without_selector: bool,
    /// Kubernetes version for charts inside of the kustomization.
    #[serde(skip_serializing_if = "is_default")]
    pub kube_version: String,
    /// API versions for charts inside of the kustomization.
    #[serde(skip_serializing_if = "is_default")]
    pub api_versions: Vec<String>,
    /// Puts common labels into templates as well.
    #[serde(skip_serializing_if = "is_default")]
    pub label_include_templates: bool,
}

/// A replica override.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct KustomizeReplica {
    /// Name of the workload.
    #[schemars(required)]
    pub name: String,
    /// Number of replicas.
    #[schemars(required)]
    pub count: ReplicaCount,
}

/// A number, or a string that holds one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ReplicaCount {
    /// A number.
    Number(i64),
    /// A string; checked when it is used.
    Text(String),
}

impl Default for ReplicaCount {
    fn default() -> Self {
        Self::Number(0)
    }
}

impl JsonSchema for ReplicaCount {
    fn schema_name() -> Cow<'static, str> {
        "ReplicaCount".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": true})
    }
}

/// A patch, inline or by path.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct KustomizePatch {
    /// File of the patch.
    #[serde(skip_serializing_if = "is_default")]
    pub path: String,
    /// The patch itself.
    #[serde(skip_serializing_if = "is_default")]
    pub patch: String,
    /// Which objects it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<KustomizeSelector>,
    /// `allowNameChange`, `allowKindChange`.
    #[serde(skip_serializing_if = "is_default")]
    pub options: BTreeMap<String, bool>,
}

/// Selects objects for a patch; names are anchored regular expressions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct KustomizeSelector {
    /// API group.
    #[serde(skip_serializing_if = "is_default")]
    pub group: String,
    /// API version.
    #[serde(skip_serializing_if = "is_default")]
    pub version: String,
    /// Kind.
    #[serde(skip_serializing_if = "is_default")]
    pub kind: String,
    /// Name.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Annotation selector.
    #[serde(skip_serializing_if = "is_default")]
    pub annotation_selector: String,
    /// Label selector.
    #[serde(skip_serializing_if = "is_default")]
    pub label_selector: String,
}
