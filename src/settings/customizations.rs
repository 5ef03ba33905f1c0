//! `resource.customizations` and `resource.compareoptions` of `argocd-cm`, as far as they are about comparing.

use std::collections::BTreeMap;

use goyaml::{DecodeOptions, Numbers};
use serde::Deserialize;
use serde_json::Value;

use super::known_drift::known_drift;
use crate::api::IgnoreDifferences;

/// What the system says about comparing, for all applications.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Customizations {
    /// Fields that do not count, per kind (globs; `*` for all).
    pub ignore_differences: Vec<IgnoreDifferences>,
    /// Fields of custom resources that hold a type of Kubernetes.
    pub known_type_fields: Vec<KnownTypeField>,
    /// `ignoreAggregatedRoles`: rules of a ClusterRole with an aggregationRule do not count.
    pub ignore_aggregated_roles: bool,
    /// Ready rules for what other controllers write, as far as they are on.
    pub known_drift: Vec<IgnoreDifferences>,
    /// `ignoreDifferencesOnResourceUpdates`: a change of ignored fields alone needs no new comparison.
    pub ignore_differences_on_resource_updates: bool,
    /// What could not be read, and what to write instead.
    pub problems: Vec<String>,
}

/// A field that holds a type of Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownTypeField {
    /// API group of the custom resource.
    pub group: String,
    /// Its kind.
    pub kind: String,
    /// Names of fields from the root; lists on the way are entered.
    pub field: Vec<String>,
    /// `core/Quantity`, `meta/v1/Duration`, `core/v1/PodSpec`, …
    pub known_type: String,
}

/// One kind's customizations as they are written, in either style.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Written {
    #[serde(rename = "ignoreDifferences")]
    ignore: Option<String>,
    #[serde(rename = "knownTypeFields")]
    known: Vec<WrittenField>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct WrittenField {
    field: String,
    #[serde(rename = "type")]
    known_type: String,
}

#[derive(Debug, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct CompareOptions {
    ignore_aggregated_roles: bool,
    /// A text, or `off` without quotes, which YAML reads as false.
    ignore_resource_status_field: Value,
    ignore_differences_on_resource_updates: bool,
}

impl Default for CompareOptions {
    fn default() -> Self {
        Self {
            ignore_aggregated_roles: false,
            ignore_resource_status_field: Value::Null,
            ignore_differences_on_resource_updates: true,
        }
    }
}

const MAP: &str = "resource.customizations";
const OPTIONS: &str = "resource.compareoptions";
const CRD: (&str, &str) = ("apiextensions.k8s.io", "CustomResourceDefinition");

impl Customizations {
    /// Reads the data of `argocd-cm`. What cannot be read is left out and named in `problems`.
    pub fn read(data: &BTreeMap<String, String>) -> Self {
        let mut read = Self::default();
        let mut kinds: BTreeMap<(String, String), Written> = BTreeMap::new();
        let written: BTreeMap<String, Written> = read.yaml(MAP, data.get(MAP).map_or("", String::as_str));
        for (key, one) in written {
            let (group, kind) = key.split_once('/').unwrap_or(("", &key));
            kinds.insert((group.to_owned(), kind.to_owned()), one);
        }
        for (key, text) in data {
            let Some((what, name)) =
                key.strip_prefix("resource.customizations.").and_then(|rest| rest.split_once('.'))
            else {
                continue;
            };
            let at = match name {
                "all" => ("*".to_owned(), "*".to_owned()),
                _ => {
                    let (group, kind) = name.split_once('_').unwrap_or(("", name));
                    (group.to_owned(), kind.to_owned())
                }
            };
            match what {
                "ignoreDifferences" => kinds.entry(at).or_default().ignore = Some(text.clone()),
                "knownTypeFields" => kinds.entry(at).or_default().known = read.yaml(key, text),
                _ => {}
            }
        }
        for ((group, kind), one) in kinds {
            read.add(&group, &kind, one);
        }
        read.add_options(data.get(OPTIONS).map_or("", String::as_str));
        let (rules, problems) = known_drift(data);
        read.known_drift = rules;
        read.problems.extend(problems);
        read
    }

    fn add(&mut self, group: &str, kind: &str, written: Written) {
        if let Some(text) = &written.ignore {
            let key = format!("{MAP}.ignoreDifferences.{group}_{kind}");
            let mut rule: IgnoreDifferences = self.yaml(&key, text);
            rule.group = group.to_owned();
            rule.kind = kind.to_owned();
            rule.name.clear();
            rule.namespace.clear();
            self.ignore_differences.push(rule);
        }
        for one in written.known {
            self.known_type_fields.push(KnownTypeField {
                group: group.to_owned(),
                kind: kind.to_owned(),
                field: one.field.split('.').map(str::to_owned).collect(),
                known_type: one.known_type,
            });
        }
    }

    fn add_options(&mut self, text: &str) {
        let options: CompareOptions = self.yaml(OPTIONS, text);
        self.ignore_aggregated_roles = options.ignore_aggregated_roles;
        self.ignore_differences_on_resource_updates = options.ignore_differences_on_resource_updates;
        let (group, kind) = match &options.ignore_resource_status_field {
            Value::Bool(false) => return,
            Value::String(word) if matches!(word.as_str(), "none" | "off" | "false") => return,
            Value::String(word) if word == "crd" => CRD,
            Value::String(word) if !matches!(word.as_str(), "" | "all") => {
                self.problems.push(format!(
                    "argocd-cm: {OPTIONS}: ignoreResourceStatusField is \"{word}\": use all, crd or none; all is taken"
                ));
                ("*", "*")
            }
            _ => ("*", "*"),
        };
        self.ignore_differences.push(IgnoreDifferences {
            group: group.to_owned(),
            kind: kind.to_owned(),
            json_pointers: vec!["/status".to_owned()],
            ..IgnoreDifferences::default()
        });
    }

    fn yaml<T: Default + for<'de> Deserialize<'de>>(&mut self, key: &str, text: &str) -> T {
        if text.trim().is_empty() {
            return T::default();
        }
        let options = DecodeOptions { numbers: Numbers::Json, ..DecodeOptions::default() };
        let value = goyaml::yaml_to_json(text.as_bytes(), &options).map_err(|error| error.to_string());
        let read = value.and_then(|value| serde_json::from_value(value).map_err(|error| error.to_string()));
        read.unwrap_or_else(|error| {
            self.problems.push(format!("argocd-cm: {key} cannot be read and is left out: {error}"));
            T::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(data: &[(&str, &str)]) -> Customizations {
        let none = ("tiphys.knownDrift", "none");
        let all = data.iter().chain([&none]);
        Customizations::read(&all.map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect())
    }

    #[test]
    fn both_styles_and_the_status_rule_are_read() {
        let read = read(&[
            (
                "resource.customizations",
                "apps/Deployment:\n  ignoreDifferences: |\n    jsonPointers: [/spec/replicas]\n",
            ),
            ("resource.customizations.ignoreDifferences.all", "managedFieldsManagers: [hpa]"),
            (
                "resource.customizations.knownTypeFields.ray.io_RayCluster",
                "- field: spec.memory\n  type: core/Quantity",
            ),
            ("resource.compareoptions", "ignoreAggregatedRoles: true"),
        ]);
        assert!(read.problems.is_empty(), "{:?}", read.problems);
        let kinds: Vec<(&str, &str)> =
            read.ignore_differences.iter().map(|rule| (rule.group.as_str(), rule.kind.as_str())).collect();
        assert_eq!(kinds, [("*", "*"), ("apps", "Deployment"), ("*", "*")]);
        assert_eq!(read.ignore_differences[2].json_pointers, ["/status"]);
        assert_eq!(read.known_type_fields[0].field, ["spec", "memory"]);
        assert!(read.ignore_aggregated_roles);
    }

    #[test]
    fn what_cannot_be_read_is_named_and_off_means_none() {
        let read = read(&[
            ("resource.customizations.ignoreDifferences.apps_Deployment", "jsonPointers: 5"),
            ("resource.compareoptions", "ignoreResourceStatusField: off"),
        ]);
        assert_eq!(read.problems.len(), 1);
        assert!(read.ignore_differences.iter().all(|rule| rule.json_pointers.is_empty()));
    }
}
