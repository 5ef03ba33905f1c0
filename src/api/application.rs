//! The Application: what a team wants to run where.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    ApplicationDestination, ApplicationSource, ApplicationStatus, DestinationTarget, Operation,
    SourceHydrator, SyncPolicy, TiphysStatus, is_default,
};

/// An Application. `status` is an ordinary field and `operation` stands beside `spec`, as in Argo CD.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Application {
    /// Name, namespace, annotations, finalizers.
    pub metadata: ObjectMeta,
    /// What is wanted.
    pub spec: ApplicationSpec,
    /// What was seen; written by the controller.
    #[serde(skip_serializing_if = "is_default")]
    pub status: ApplicationStatus,
    /// A sync that somebody asks for; moved to `status.operationState` when it starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
}

/// The wish: sources, destination, policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ApplicationSpec {
    /// Where the manifests come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<ApplicationSource>,
    /// Where the objects go.
    pub destination: ApplicationDestination,
    /// Several destinations of one application. An addition of Tiphys.
    #[serde(skip_serializing_if = "is_default")]
    pub destinations: Vec<DestinationTarget>,
    /// The AppProject; empty means `default`.
    pub project: String,
    /// When and how a sync runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_policy: Option<SyncPolicy>,
    /// Fields that do not count in the comparison.
    #[serde(skip_serializing_if = "is_default")]
    pub ignore_differences: Vec<IgnoreDifferences>,
    /// Links and notes for people.
    #[serde(skip_serializing_if = "is_default")]
    pub info: Vec<Info>,
    /// How many syncs `status.history` keeps; 10 where absent, none at zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision_history_limit: Option<i64>,
    /// Several sources of one application; `source` is then not read.
    #[serde(skip_serializing_if = "is_default")]
    pub sources: Vec<ApplicationSource>,
    /// Pushes rendered manifests to Git before they are synced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_hydrator: Option<SourceHydrator>,
}

/// Fields of some objects that do not count in the comparison.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct IgnoreDifferences {
    /// API group, may be a glob.
    #[serde(skip_serializing_if = "is_default")]
    pub group: String,
    /// Kind, may be a glob.
    #[schemars(required)]
    pub kind: String,
    /// Name of the object; every name where empty.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Namespace of the object; every namespace where empty.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// JSON pointers (RFC 6901) to the fields.
    #[serde(rename = "jsonPointers", skip_serializing_if = "is_default")]
    pub json_pointers: Vec<String>,
    /// jq path expressions that select the fields.
    #[serde(rename = "jqPathExpressions", skip_serializing_if = "is_default")]
    pub jq_path_expressions: Vec<String>,
    /// Field managers whose fields do not count.
    #[serde(skip_serializing_if = "is_default")]
    pub managed_fields_managers: Vec<String>,
}

/// A link or note.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Info {
    /// What it is.
    pub name: String,
    /// The text or address.
    pub value: String,
}

/// An Application whose fields have wrong types.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the Application cannot be read: {message}; correct that field")]
pub struct InvalidApplication {
    /// The path of the field and what is wrong with it.
    pub message: String,
}

/// Reads an Application from the JSON of the API server or of a file.
///
/// Fields that are `null` count as absent, as they do after a round through Go's types; inside of `valuesObject`
/// they stay, because there they delete a chart's default.
///
/// # Errors
/// Where a field has a type that it cannot have; the message names it.
pub fn decode_application(mut body: Value) -> Result<Application, InvalidApplication> {
    drop_nulls(&mut body, 0);
    let read: Result<Application, _> = serde_json::from_value(body);
    let mut app = read.map_err(|error| InvalidApplication { message: error.to_string() })?;
    // Argo CD's CRD has no room for our state in the status.
    if is_default(&app.status.tiphys)
        && let Some(text) = app.annotation(super::annotations::STATE)
    {
        app.status.tiphys = serde_json::from_str(text).unwrap_or_default();
    }
    Ok(app)
}

/// Deeper than any Application; what is below it is left as it is.
const DEEPEST: usize = 64;

fn drop_nulls(value: &mut Value, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            for (name, field) in fields.iter_mut() {
                if name != "valuesObject" {
                    drop_nulls(field, depth + 1);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| drop_nulls(item, depth + 1)),
        _ => {}
    }
}

impl Application {
    /// `metadata.name`, empty for an object that was never stored.
    pub fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// `metadata.namespace`.
    pub fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or_default()
    }

    /// The project's name, with Argo CD's default.
    pub fn project(&self) -> &str {
        if self.spec.project.is_empty() { "default" } else { &self.spec.project }
    }

    /// The value of an annotation.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.metadata.annotations.as_ref()?.get(name).map(String::as_str)
    }

    /// Whether a finalizer is set.
    pub fn has_finalizer(&self, name: &str) -> bool {
        self.metadata.finalizers.iter().flatten().any(|known| known == name)
    }

    /// Whether the application is on its way out.
    pub fn is_deleting(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }

    /// State of our extensions.
    pub fn extension_state(&self) -> TiphysStatus {
        self.status.tiphys.clone()
    }

    /// The name that tracking-ids carry: `namespace_name` outside of the controller's namespace.
    pub fn instance_name(&self, controller_namespace: &str) -> String {
        if self.namespace().is_empty() || self.namespace() == controller_namespace {
            self.name().to_owned()
        } else {
            format!("{}_{}", self.namespace(), self.name())
        }
    }
}

impl ApplicationSpec {
    /// All sources: `sources` where it is given, otherwise the one `source`.
    pub fn all_sources(&self) -> Vec<&ApplicationSource> {
        if self.sources.is_empty() { self.source.iter().collect() } else { self.sources.iter().collect() }
    }

    /// Whether the sources are those of `sources`.
    pub fn has_multiple_sources(&self) -> bool {
        !self.sources.is_empty()
    }

    /// The first source: the one that stands where the API has place for one only.
    pub fn first_source(&self) -> Option<&ApplicationSource> {
        self.sources.first().or(self.source.as_ref())
    }

    /// Whether syncs start by themselves.
    pub fn is_automated(&self) -> bool {
        let automated = self.sync_policy.as_ref().and_then(|policy| policy.automated.as_ref());
        automated.is_some_and(|automated| automated.enabled != Some(false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nulls_are_absent_but_those_of_values_object_stay() {
        let app = decode_application(json!({
            "metadata": {"name": "a"},
            "spec": {"source": {"repoURL": "r", "helm": {"valueFiles": null, "valuesObject": {"a": null}}},
                     "syncPolicy": {"automated": null, "syncOptions": null}}
        }))
        .unwrap();
        assert!(!app.spec.is_automated());
        let helm = app.spec.source.unwrap().helm.unwrap();
        assert_eq!(helm.values_object, Some(json!({"a": null})));
    }

    #[test]
    fn a_wrong_type_is_an_error_that_says_so() {
        let error =
            decode_application(json!({"spec": {"syncPolicy": {"retry": {"limit": "x"}}}})).unwrap_err();
        assert!(error.to_string().contains("invalid type"), "{error}");
    }
}
