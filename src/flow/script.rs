//! What runs a user's scripts: a trait here, so that pure rooms can ask without knowing an interpreter.

use std::collections::BTreeMap;

use serde_json::Value;

use super::HealthStatus;

/// A script did not give an answer: it does not compile, it failed, it ran into a limit, or it answered nonsense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ScriptError(pub String);

/// Runs scripts under limits. Implemented by `eval`.
pub trait Script: Sync {
    /// Runs a health script on an object. `open_libs` opens the standard libraries (`useOpenLibs`).
    ///
    /// Gives nothing where the script returns nothing.
    ///
    /// # Errors
    /// Whatever keeps the script from giving a health status.
    fn health(
        &self,
        text: &str,
        open_libs: bool,
        object: &Value,
    ) -> Result<Option<HealthStatus>, ScriptError>;

    /// Runs a script of a resource action on an object, without the standard libraries, and gives what it returned.
    /// `parameters` are its global `actionParams`.
    ///
    /// # Errors
    /// Whatever keeps the script from returning a value.
    fn run(
        &self,
        text: &str,
        object: &Value,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Value, ScriptError>;
}
