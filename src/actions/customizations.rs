//! Actions of `argocd-cm`, as data.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::object::GroupVersionKind;

const PREFIX: &str = "resource.customizations.actions.";

/// A value of the ConfigMap that cannot be used. The others are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {message}")]
pub struct ActionProblem {
    /// The key.
    pub key: String,
    /// What is wrong.
    pub message: String,
}

/// One kind's actions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OwnActions {
    /// The script that says what an object offers.
    pub(super) discovery: String,
    /// The scripts by the names of the actions.
    pub(super) definitions: BTreeMap<String, String>,
    /// Whether our own actions are offered as well.
    pub(super) merge_builtin: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Written {
    #[serde(rename = "discovery.lua")]
    discovery: String,
    definitions: Vec<Definition>,
    #[serde(rename = "mergeBuiltinActions")]
    merge_builtin: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Definition {
    name: String,
    #[serde(rename = "action.lua")]
    action: String,
}

/// The users' own actions, by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActionCustomizations {
    kinds: BTreeMap<String, OwnActions>,
}

impl ActionCustomizations {
    /// Reads the data of an `argocd-cm`: a key per kind, and the older map under `resource.customizations`.
    /// `yaml` reads a text as YAML. What cannot be read is left out and named.
    pub fn read(
        data: &BTreeMap<String, String>,
        yaml: &dyn Fn(&str) -> Result<Value, String>,
    ) -> (Self, Vec<ActionProblem>) {
        let (mut read, mut problems) = (Self::default(), Vec::new());
        let mut take = |key: &str, kind: String, text: &str| {
            let written =
                yaml(text).and_then(|value| Written::deserialize(value).map_err(|error| error.to_string()));
            match written {
                Ok(written) => {
                    read.kinds.insert(kind, written.into());
                }
                Err(message) => problems.push(ActionProblem { key: key.to_owned(), message }),
            }
        };
        let old = data.get("resource.customizations").and_then(|text| yaml(text).ok()).unwrap_or_default();
        for (kind, entry) in old.as_object().into_iter().flatten() {
            if let Some(text) = entry.get("actions").and_then(Value::as_str) {
                take("resource.customizations", kind.clone(), text);
            }
        }
        for (key, text) in data {
            let Some(name) = key.strip_prefix(PREFIX) else { continue };
            let kind = match name.split_once('_') {
                Some(("", kind)) => kind.to_owned(),
                Some((group, kind)) => format!("{group}/{kind}"),
                None => name.to_owned(),
            };
            take(key, kind, text);
        }
        (read, problems)
    }

    pub(super) fn of(&self, gvk: &GroupVersionKind) -> Option<&OwnActions> {
        if gvk.group.is_empty() {
            self.kinds.get(&gvk.kind)
        } else {
            self.kinds.get(&format!("{}/{}", gvk.group, gvk.kind))
        }
    }
}

impl From<Written> for OwnActions {
    fn from(written: Written) -> Self {
        let definitions = written.definitions.into_iter().map(|one| (one.name, one.action));
        Self {
            discovery: written.discovery,
            definitions: definitions.collect(),
            merge_builtin: written.merge_builtin,
        }
    }
}
