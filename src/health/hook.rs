//! Whether an object is a hook: hooks count differently for the health of a pod and of an application.

use serde_json::Value;

use crate::object::{list_at, str_at};

const HOOK: &str = "argocd.argoproj.io/hook";
const HELM_HOOK: &str = "helm.sh/hook";
const HOOK_FINALIZER: &str = "argocd.argoproj.io/hook-finalizer";
const PHASES: &[&str] = &["PreSync", "Sync", "PostSync", "SyncFail", "Skip"];

fn annotation<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    str_at(object, &["metadata", "annotations", name])
}

/// Whether the object runs in a phase of the sync instead of being part of the application.
pub fn is_hook(object: &Value) -> bool {
    match annotation(object, HOOK) {
        Some(_) => !is_skipped(object),
        // Helm uses the same annotation for CRDs, which are no hooks.
        None => annotation(object, HELM_HOOK).is_some_and(|value| value != "crd-install"),
    }
}

/// Whether the object's only hook phase is Skip: it is left out of every sync.
pub fn is_skipped(object: &Value) -> bool {
    let mut phases = annotation(object, HOOK)
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|word| PHASES.contains(word))
        .peekable();
    phases.peek().is_some() && phases.all(|word| word == "Skip")
}

/// Whether the object holds the finalizer that keeps a finished hook until its phase is over.
pub(super) fn has_hook_finalizer(object: &Value) -> bool {
    list_at(object, &["metadata", "finalizers"]).iter().any(|name| name == HOOK_FINALIZER)
}
