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
    /// Names that are globs, in their order.
    globs: Vec<(globset::GlobMatcher, String)>,
    runner: Option<&'a dyn Script>,
}

impl<'a> Customizations<'a> {
    /// No customisation: only the rules that come with the program.
    pub fn none() -> Self {
        Self::default()
    }

    /// Scripts by `group/Kind`, and the interpreter that runs them.
    pub fn new(scripts: impl Into<Arc<BTreeMap<String, HealthScript>>>, runner: &'a dyn Script) -> Self {
        let scripts = scripts.into();
        let globs = scripts.keys().filter_map(|name| Some((matcher(name)?, name.clone()))).collect();
        Self { scripts, globs, runner: Some(runner) }
    }

    /// The script for a kind: the exact name first, then the first glob that matches, in the order of the names.
    pub fn script_for(&self, gvk: &GroupVersionKind) -> Option<&HealthScript> {
        if self.scripts.is_empty() {
            return None;
        }
        let key = if gvk.group.is_empty() { gvk.kind.clone() } else { format!("{}/{}", gvk.group, gvk.kind) };
        let given = |script: &&HealthScript| !script.text.is_empty();
        self.scripts.get(&key).filter(given).or_else(|| {
            let matching = self.globs.iter().filter(|(glob, _)| glob.is_match(&key));
            matching.filter_map(|(_, name)| self.scripts.get(name)).find(given)
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

/// The matcher of a name that is a glob (`*`, `?`, `[a-z]`, `{a,b}`) for whole texts; `*` crosses `/`.
fn matcher(name: &str) -> Option<globset::GlobMatcher> {
    let glob = name.contains(['*', '?', '[', '{']).then(|| globset::Glob::new(name).ok()).flatten()?;
    Some(glob.compile_matcher())
}
