//! Where manifests come from and how they are rendered.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{KustomizeSource, is_default};

/// One source of an application.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ApplicationSource {
    /// Address of the Git, Helm or OCI repository.
    #[serde(rename = "repoURL")]
    #[schemars(required)]
    pub repo_url: String,
    /// Folder in the Git repository.
    #[serde(skip_serializing_if = "is_default")]
    pub path: String,
    /// Branch, tag, commit or semver range; `HEAD` where empty.
    #[serde(skip_serializing_if = "is_default")]
    pub target_revision: String,
    /// Helm options.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helm: Option<HelmSource>,
    /// Kustomize options.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kustomize: Option<KustomizeSource>,
    /// Options of a folder of plain manifests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<DirectorySource>,
    /// A config management plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<PluginSource>,
    /// Name of the chart in a Helm repository.
    #[serde(skip_serializing_if = "is_default")]
    pub chart: String,
    /// Name under which value files of other sources reach this one (`$ref/path`).
    #[serde(rename = "ref", skip_serializing_if = "is_default")]
    pub reference: String,
    /// Name of the source, for people.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
}

/// How a source is rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum SourceType {
    /// A Helm chart.
    Helm,
    /// A kustomization.
    Kustomize,
    /// Plain YAML and JSON.
    Directory,
    /// A config management plugin.
    Plugin,
    /// Nothing is rendered of it: other sources read its files.
    #[serde(rename = "")]
    FilesOnly,
}

/// Options of a Helm chart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct HelmSource {
    /// Value files, relative to the chart, or `$ref/path`; later ones win.
    #[serde(skip_serializing_if = "is_default")]
    pub value_files: Vec<String>,
    /// `--set` and `--set-string` parameters.
    #[serde(skip_serializing_if = "is_default")]
    pub parameters: Vec<HelmParameter>,
    /// Release name; the application's name where empty.
    #[serde(skip_serializing_if = "is_default")]
    pub release_name: String,
    /// Values as a block of YAML; `valuesObject` takes precedence.
    #[serde(skip_serializing_if = "is_default")]
    pub values: String,
    /// `--set-file` parameters.
    #[serde(skip_serializing_if = "is_default")]
    pub file_parameters: Vec<HelmFileParameter>,
    /// Helm version; read for compatibility.
    #[serde(skip_serializing_if = "is_default")]
    pub version: String,
    /// Passes the repository's credentials to all domains.
    #[serde(skip_serializing_if = "is_default")]
    pub pass_credentials: bool,
    /// Leaves out value files that do not exist.
    #[serde(skip_serializing_if = "is_default")]
    pub ignore_missing_value_files: bool,
    /// Leaves out the chart's `crds/`.
    #[serde(skip_serializing_if = "is_default")]
    pub skip_crds: bool,
    /// Values as a mapping.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("type" = "object", "x-kubernetes-preserve-unknown-fields" = true))]
    pub values_object: Option<Value>,
    /// Namespace to template with; the destination's where empty.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Kubernetes version to template with; the destination's where empty.
    #[serde(skip_serializing_if = "is_default")]
    pub kube_version: String,
    /// API versions to template with (`[group/]version/kind`); the destination's where empty.
    #[serde(skip_serializing_if = "is_default")]
    pub api_versions: Vec<String>,
    /// Leaves out test hooks.
    #[serde(skip_serializing_if = "is_default")]
    pub skip_tests: bool,
    /// Does not check values against `values.schema.json`.
    #[serde(skip_serializing_if = "is_default")]
    pub skip_schema_validation: bool,
}

/// A `--set` parameter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct HelmParameter {
    /// Path of the value, in `--set` grammar.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// The value.
    #[serde(skip_serializing_if = "is_default")]
    pub value: String,
    /// Keeps `true`, `12` and the like as strings.
    #[serde(skip_serializing_if = "is_default")]
    pub force_string: bool,
}

/// A `--set-file` parameter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HelmFileParameter {
    /// Path of the value.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// The file, relative to the chart.
    #[serde(skip_serializing_if = "is_default")]
    pub path: String,
}

/// Options of a folder of plain manifests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DirectorySource {
    /// Goes into subfolders.
    #[serde(skip_serializing_if = "is_default")]
    pub recurse: bool,
    /// Jsonnet options.
    #[serde(skip_serializing_if = "is_default")]
    pub jsonnet: JsonnetSource,
    /// Glob of paths to leave out.
    #[serde(skip_serializing_if = "is_default")]
    pub exclude: String,
    /// Glob of paths to take.
    #[serde(skip_serializing_if = "is_default")]
    pub include: String,
}

/// Jsonnet options.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct JsonnetSource {
    /// External variables.
    #[serde(skip_serializing_if = "is_default")]
    pub ext_vars: Vec<JsonnetVar>,
    /// Top-level arguments.
    #[serde(skip_serializing_if = "is_default")]
    pub tlas: Vec<JsonnetVar>,
    /// Library folders.
    #[serde(skip_serializing_if = "is_default")]
    pub libs: Vec<String>,
}

/// A variable for Jsonnet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct JsonnetVar {
    /// Name.
    #[schemars(required)]
    pub name: String,
    /// Value.
    #[schemars(required)]
    pub value: String,
    /// Whether the value is code.
    #[serde(skip_serializing_if = "is_default")]
    pub code: bool,
}

/// A config management plugin.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PluginSource {
    /// Name of the plugin.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Environment variables.
    #[serde(skip_serializing_if = "is_default")]
    pub env: Vec<EnvEntry>,
    /// Parameters.
    #[serde(skip_serializing_if = "is_default")]
    pub parameters: Vec<PluginParameter>,
}

/// An environment variable.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EnvEntry {
    /// Name.
    #[schemars(required)]
    pub name: String,
    /// Value.
    #[schemars(required)]
    pub value: String,
}

/// A parameter of a plugin: a string, a mapping or a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PluginParameter {
    /// Name.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// The value, where it is a string.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub string: Option<String>,
    /// The value, where it is a mapping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map: Option<BTreeMap<String, String>>,
    /// The value, where it is a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub array: Option<Vec<String>>,
}
