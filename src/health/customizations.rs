//! The user's own health rules, from `argocd-cm`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::flow::{HealthStatus, Reason, Script};
use crate::object::GroupVersionKind;

/// A health script in Lua.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthScript {
    /// Text of the script.
    pub text: String,
    /// Whether the standard libraries are open to it (`useOpenLibs`).
    pub open_libs: bool,
}

/// The scripts by `group/Kind` (the group may hold globs; core kinds have no group), and what runs them.
#[derive(Clone, Default)]
pub struct Customizations<'a> {
    scripts: Arc<BTreeMap<String, HealthScript>>,
    runner: Option<&'a dyn Script>,
}

impl<'a> Customizations<'a> {
    /// No customisation: only the rules that come with the program.
    pub fn none() -> Self {
        Self::default()
    }

    /// Scripts by `group/Kind`, and the interpreter that runs them.
    pub fn new(scripts: impl Into<Arc<BTreeMap<String, HealthScript>>>, runner: &'a dyn Script) -> Self {
        Self { scripts: scripts.into(), runner: Some(runner) }
    }

    /// The script for a kind: the exact name first, then the first glob that matches, in the order of the names.
    pub fn script_for(&self, gvk: &GroupVersionKind) -> Option<&HealthScript> {
        let key = if gvk.group.is_empty() { gvk.kind.clone() } else { format!("{}/{}", gvk.group, gvk.kind) };
        let given = |script: &&HealthScript| !script.text.is_empty();
        self.scripts.get(&key).filter(given).or_else(|| {
            self.scripts
                .iter()
                .filter(|(glob, _)| glob_matches(glob, &key))
                .map(|(_, script)| script)
                .find(given)
        })
    }

    /// The answer of the script for this kind, or nothing where there is no script.
    /// A script that gives nothing means: no health. One that fails makes the object Unknown.
    pub(super) fn assess(&self, gvk: &GroupVersionKind, object: &Value) -> Option<Option<HealthStatus>> {
        let script = self.script_for(gvk)?;
        let runner = self.runner?;
        Some(runner.health(&script.text, script.open_libs, object).unwrap_or_else(|failure| {
            Some(HealthStatus::unknown(failure.to_string()).because(Reason::RuleFailed))
        }))
    }
}

/// Matches a glob (`*`, `?`, `[a-z]`, `{a,b}`) against the whole of a text; `*` crosses `/`.
fn glob_matches(glob: &str, text: &str) -> bool {
    let is_glob = glob.contains(['*', '?', '[', '{']);
    is_glob && globset::Glob::new(glob).is_ok_and(|glob| glob.compile_matcher().is_match(text))
}
