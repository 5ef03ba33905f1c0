//! Actions on objects: which an object offers, and what running one would change. A pure room: the change is a value,
//! and whoever asked for it writes it with rights of their own.
//!
//! An action of `argocd-cm` (`resource.customizations.actions.<group>_<kind>`) stands before one of ours with the same
//! name; ours are left out where a kind has a customization without `mergeBuiltinActions`.

mod builtin;
mod customizations;
mod returned;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

pub use customizations::{ActionCustomizations, ActionProblem};

use crate::api::Time;
use crate::flow::{Script, ScriptError};
use crate::object::{GroupVersionKind, str_at};

/// An action that an object offers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Action {
    /// The name by which it is run.
    pub name: String,
    /// Whether it cannot be run in the state that the object is in.
    pub disabled: bool,
    /// Names of its parameters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<String>,
    /// For people; the name where it is empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub display_name: String,
}

/// What running an action would change.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The object, or another one, as it shall be.
    Patch(Value),
    /// A new object.
    Create(Value),
}

/// Why an action cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// The object offers no such action.
    #[error("{kind} offers no action {name:?}; it offers {offered}")]
    Unknown {
        /// Kind of the object.
        kind: String,
        /// The name that was asked for.
        name: String,
        /// Names of those that there are.
        offered: String,
    },
    /// The action is there, but not in this state of the object.
    #[error("action {0:?} is disabled in the state that the object is in")]
    Disabled(String),
    /// A parameter is missing or is none that the action understands.
    #[error("{0}")]
    Parameter(String),
    /// The script failed, or returned what is no change.
    #[error(transparent)]
    Script(#[from] ScriptError),
}

/// What scripts and actions need besides the object.
#[derive(Clone, Copy)]
pub struct ActionContext<'a> {
    /// The user's own actions.
    pub customizations: &'a ActionCustomizations,
    /// What runs scripts.
    pub runner: &'a dyn Script,
    /// The time.
    pub now: Time,
}

fn kind_of(object: &Value) -> GroupVersionKind {
    let text = |field: &str| str_at(object, &[field]).unwrap_or_default();
    GroupVersionKind::from_api_version(text("apiVersion"), text("kind"))
}

/// The actions that an object offers, by name.
///
/// # Errors
/// A discovery script that fails.
pub fn available(object: &Value, context: &ActionContext<'_>) -> Result<Vec<Action>, ScriptError> {
    let gvk = kind_of(object);
    let own = context.customizations.of(&gvk);
    let mut found: BTreeMap<String, Action> = BTreeMap::new();
    if let Some(own) = own {
        let returned = context.runner.run(&own.discovery, object, &BTreeMap::new())?;
        for action in returned::actions(&returned)? {
            found.insert(action.name.clone(), action);
        }
    }
    if own.is_none_or(|own| own.merge_builtin) {
        for action in builtin::available(&gvk, object) {
            found.entry(action.name.clone()).or_insert(action);
        }
    }
    Ok(found.into_values().collect())
}

/// What running an action with these parameters would change.
///
/// # Errors
/// An action that the object does not offer, or not now; a parameter that is missing; a script that fails.
pub fn run(
    object: &Value,
    name: &str,
    parameters: &BTreeMap<String, String>,
    context: &ActionContext<'_>,
) -> Result<Vec<Change>, ActionError> {
    let gvk = kind_of(object);
    let offered = available(object, context)?;
    let Some(action) = offered.iter().find(|action| action.name == name) else {
        let names: Vec<&str> = offered.iter().map(|action| action.name.as_str()).collect();
        let offered = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        return Err(ActionError::Unknown { kind: gvk.kind, name: name.to_owned(), offered });
    };
    if action.disabled {
        return Err(ActionError::Disabled(name.to_owned()));
    }
    if let Some(missing) = action.params.iter().find(|param| !parameters.contains_key(*param)) {
        return Err(ActionError::Parameter(format!("action {name:?} needs a value: --param {missing}=…")));
    }
    let script = context.customizations.of(&gvk).and_then(|own| own.definitions.get(name));
    match script {
        Some(script) => {
            let returned = context.runner.run(script, object, parameters)?;
            Ok(returned::changes(returned, object)?)
        }
        None => builtin::run(&gvk, object, name, parameters, context.now),
    }
}

/// The table of our own actions in Markdown, for the documentation.
pub fn table() -> String {
    let mut table = String::from("| group | kind | actions |\n|---|---|---|\n");
    for (group, kind, actions) in builtin::table() {
        let actions: Vec<String> = actions.iter().map(|name| format!("`{name}`")).collect();
        table.push_str(&format!("| `{group}` | `{kind}` | {} |\n", actions.join(", ")));
    }
    table
}

#[cfg(test)]
mod tests;
