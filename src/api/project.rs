//! The AppProject: what the applications of a team may do.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ApplicationDestination, is_default};

/// An AppProject.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AppProject {
    /// Name and namespace.
    pub metadata: ObjectMeta,
    /// What is allowed.
    pub spec: AppProjectSpec,
    /// Tokens of roles.
    #[serde(skip_serializing_if = "is_default")]
    pub status: AppProjectStatus,
}

/// What is allowed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct AppProjectSpec {
    /// Repositories, globs, `!` for not.
    #[serde(skip_serializing_if = "is_default")]
    pub source_repos: Vec<String>,
    /// Clusters and namespaces, globs, `!` for not.
    #[serde(skip_serializing_if = "is_default")]
    pub destinations: Vec<ApplicationDestination>,
    /// What the project is for.
    #[serde(skip_serializing_if = "is_default")]
    #[schemars(length(max = 255))]
    pub description: String,
    /// Roles of the project.
    #[serde(skip_serializing_if = "is_default")]
    pub roles: Vec<ProjectRole>,
    /// Cluster-scoped kinds that are allowed; none where empty.
    #[serde(skip_serializing_if = "is_default")]
    pub cluster_resource_whitelist: Vec<ResourceRestriction>,
    /// Namespaced kinds that are not allowed.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace_resource_blacklist: Vec<ResourceRestriction>,
    /// Watches objects that belong to no application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orphaned_resources: Option<OrphanedResources>,
    /// When syncs may run.
    #[serde(skip_serializing_if = "is_default")]
    pub sync_windows: Vec<SyncWindow>,
    /// Namespaced kinds that are allowed; all where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace_resource_whitelist: Option<Vec<ResourceRestriction>>,
    /// OpenPGP keys with which commits must be signed.
    #[serde(skip_serializing_if = "is_default")]
    pub signature_keys: Vec<SignatureKey>,
    /// Cluster-scoped kinds that are not allowed.
    #[serde(skip_serializing_if = "is_default")]
    pub cluster_resource_blacklist: Vec<ResourceRestriction>,
    /// Namespaces, besides the controller's, in which applications of the project may live.
    #[serde(skip_serializing_if = "is_default")]
    pub source_namespaces: Vec<String>,
    /// Only clusters that belong to the project.
    #[serde(skip_serializing_if = "is_default")]
    pub permit_only_project_scoped_clusters: bool,
    /// Service accounts as which syncs run.
    #[serde(skip_serializing_if = "is_default")]
    pub destination_service_accounts: Vec<DestinationServiceAccount>,
}

/// Group and kind, both globs; `name` restricts further.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ResourceRestriction {
    /// API group.
    #[schemars(required)]
    pub group: String,
    /// Kind.
    #[schemars(required)]
    pub kind: String,
    /// Name, a glob; every name where empty.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
}

/// A role of a project.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ProjectRole {
    /// Name.
    #[schemars(required)]
    pub name: String,
    /// What the role is for.
    #[serde(skip_serializing_if = "is_default")]
    pub description: String,
    /// Policies, in casbin's lines.
    #[serde(skip_serializing_if = "is_default")]
    pub policies: Vec<String>,
    /// Tokens of the role.
    #[serde(skip_serializing_if = "is_default")]
    pub jwt_tokens: Vec<JwtToken>,
    /// Groups that have the role.
    #[serde(skip_serializing_if = "is_default")]
    pub groups: Vec<String>,
}

/// A token of a role.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct JwtToken {
    /// Issued at, seconds since 1970.
    #[schemars(required)]
    pub iat: i64,
    /// Expires at, seconds since 1970; never where 0.
    #[serde(skip_serializing_if = "is_default")]
    pub exp: i64,
    /// Id of the token.
    #[serde(skip_serializing_if = "is_default")]
    pub id: String,
}

/// How objects that belong to no application are watched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct OrphanedResources {
    /// Whether there is a warning; on where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warn: Option<bool>,
    /// Objects that do not count.
    #[serde(skip_serializing_if = "is_default")]
    pub ignore: Vec<OrphanedResourceKey>,
}

/// Objects that do not count as orphaned; all three are globs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct OrphanedResourceKey {
    /// API group.
    #[serde(skip_serializing_if = "is_default")]
    pub group: String,
    /// Kind.
    #[serde(skip_serializing_if = "is_default")]
    pub kind: String,
    /// Name.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
}

/// An OpenPGP key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SignatureKey {
    /// Key id in hexadecimal.
    #[serde(rename = "keyID")]
    #[schemars(required)]
    pub key_id: String,
}

/// When syncs may run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SyncWindow {
    /// `allow` or `deny`.
    #[serde(skip_serializing_if = "is_default")]
    pub kind: String,
    /// When the window opens, in cron's form.
    #[serde(skip_serializing_if = "is_default")]
    pub schedule: String,
    /// How long it stays open.
    #[serde(skip_serializing_if = "is_default")]
    pub duration: String,
    /// Applications, globs.
    #[serde(skip_serializing_if = "is_default")]
    pub applications: Vec<String>,
    /// Namespaces, globs.
    #[serde(skip_serializing_if = "is_default")]
    pub namespaces: Vec<String>,
    /// Clusters, globs.
    #[serde(skip_serializing_if = "is_default")]
    pub clusters: Vec<String>,
    /// Whether a person may sync all the same.
    #[serde(skip_serializing_if = "is_default")]
    pub manual_sync: bool,
    /// Whether a sync that runs when the window closes may go on.
    #[serde(skip_serializing_if = "is_default")]
    pub sync_overrun: bool,
    /// Time zone of the schedule; UTC where empty.
    #[serde(skip_serializing_if = "is_default")]
    pub time_zone: String,
    /// Whether applications, namespaces and clusters must all match.
    #[serde(rename = "andOperator", skip_serializing_if = "is_default")]
    pub use_and_operator: bool,
    /// What the window is for.
    #[serde(skip_serializing_if = "is_default")]
    pub description: String,
}

/// A service account as which syncs run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct DestinationServiceAccount {
    /// Address of the API server, a glob.
    #[schemars(required)]
    pub server: String,
    /// Namespace, a glob.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// The account: `name` or `namespace:name`.
    #[schemars(required)]
    pub default_service_account: String,
}

/// Tokens by role.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AppProjectStatus {
    /// Tokens by role.
    #[serde(rename = "jwtTokensByRole", skip_serializing_if = "is_default")]
    pub jwt_tokens_by_role: BTreeMap<String, JwtTokens>,
}

/// A list of tokens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct JwtTokens {
    /// The tokens.
    #[serde(skip_serializing_if = "is_default")]
    pub items: Vec<JwtToken>,
}
