//! What the annotations of one object say about its sync: wave, hooks, options.
//!
//! Nothing here can fail a sync by itself: an annotation that cannot be read is a problem that is reported, and the
//! object goes on with the default.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::object::Manifest;

use super::{SyncOptions, annotations};

/// A phase of a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum SyncPhase {
    /// Before anything is applied.
    PreSync,
    /// The objects themselves.
    Sync,
    /// After all objects are applied and healthy.
    PostSync,
    /// After a failure.
    SyncFail,
}

/// When an object runs as a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum HookType {
    /// Before anything is applied.
    PreSync,
    /// With the objects.
    Sync,
    /// Never.
    Skip,
    /// After all objects are applied and healthy.
    PostSync,
    /// After a failure.
    SyncFail,
    /// Before the application's objects are deleted.
    PreDelete,
    /// After the application's objects were deleted.
    PostDelete,
}

/// When a hook is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum DeletePolicy {
    /// After the phase succeeded.
    HookSucceeded,
    /// After the phase failed.
    HookFailed,
    /// Before the next one of the same name is created.
    BeforeHookCreation,
}

/// An annotation that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("annotation {name} has the value \"{value}\": {advice}")]
pub struct InvalidAnnotation {
    /// The annotation.
    pub name: &'static str,
    /// Its value, cut at 64 characters.
    pub value: String,
    /// What it should be.
    pub advice: &'static str,
}

/// The annotations of one object, read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResourceAnnotations {
    /// The wave; 0 where none is given.
    pub wave: i64,
    /// The hook types; empty for an ordinary object.
    pub hooks: Vec<HookType>,
    /// When the hook is deleted; `BeforeHookCreation` where none is given.
    pub delete_policies: Vec<DeletePolicy>,
    /// Sync options of the object.
    pub options: SyncOptions,
    /// What could not be read.
    pub problems: Vec<InvalidAnnotation>,
}

impl ResourceAnnotations {
    /// Reads the annotations of one object.
    pub fn of(object: &Manifest) -> Self {
        let mut read = Self::default();
        read.wave = read.wave_of(object);
        read.hooks = hooks_of(object);
        read.delete_policies = delete_policies_of(object);
        if let Some(text) = object.annotation(annotations::SYNC_OPTIONS) {
            read.options = SyncOptions::from_annotation(text);
        }
        if object.annotation(annotations::HELM_RESOURCE_POLICY) == Some("keep") {
            read.options.0.extend(["Prune=false".to_owned(), "Delete=false".to_owned()]);
        }
        read
    }

    /// Whether the object is a hook. A hook is not counted in the application's sync status.
    pub fn is_hook(&self) -> bool {
        !self.hooks.is_empty()
    }

    /// The wave; Helm's hook weight where there is none, or none that can be read.
    fn wave_of(&mut self, object: &Manifest) -> i64 {
        [annotations::SYNC_WAVE, annotations::HELM_HOOK_WEIGHT]
            .into_iter()
            .find_map(|name| self.integer(name, object.annotation(name)?))
            .unwrap_or(0)
    }

    fn integer(&mut self, name: &'static str, text: &str) -> Option<i64> {
        let read = text.trim().parse().ok();
        if read.is_none() {
            self.problems.push(InvalidAnnotation {
                name,
                value: text.chars().take(64).collect(),
                advice: "write an integer between -9223372036854775808 and 9223372036854775807; it counts as absent",
            });
        }
        read
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty())
}

/// The hook types of an object. One whose annotation holds no word that is known never runs, as in Argo CD.
fn hooks_of(object: &Manifest) -> Vec<HookType> {
    let own = object.annotation(annotations::HOOK);
    // Helm 2 marks CRDs with the same annotation, and they are no hooks.
    let helm = object.annotation(annotations::HELM_HOOK).filter(|text| *text != "crd-install");
    let mut hooks: Vec<HookType> = match (own, helm) {
        (Some(text), _) => words(text).filter_map(hook_type).collect(),
        (None, Some(text)) => words(text).filter_map(helm_hook).collect(),
        (None, None) => return Vec::new(),
    };
    if hooks.is_empty() {
        hooks.push(HookType::Skip);
    }
    hooks.sort_unstable();
    hooks.dedup();
    hooks
}

fn hook_type(word: &str) -> Option<HookType> {
    Some(match word {
        "PreSync" => HookType::PreSync,
        "Sync" => HookType::Sync,
        "Skip" => HookType::Skip,
        "PostSync" => HookType::PostSync,
        "SyncFail" => HookType::SyncFail,
        "PreDelete" => HookType::PreDelete,
        "PostDelete" => HookType::PostDelete,
        _ => return None,
    })
}

/// Helm's hooks in phases; test, rollback and other hooks never run.
fn helm_hook(word: &str) -> Option<HookType> {
    Some(match word {
        "crd-install" | "pre-install" | "pre-upgrade" => HookType::PreSync,
        "post-install" | "post-upgrade" => HookType::PostSync,
        "pre-delete" => HookType::PreDelete,
        "post-delete" => HookType::PostDelete,
        "pre-rollback" | "post-rollback" | "test" | "test-success" | "test-failure" => HookType::Skip,
        _ => return None,
    })
}

fn delete_policies_of(object: &Manifest) -> Vec<DeletePolicy> {
    let own =
        words(object.annotation(annotations::HOOK_DELETE_POLICY).unwrap_or_default()).filter_map(|word| {
            Some(match word {
                "HookSucceeded" => DeletePolicy::HookSucceeded,
                "HookFailed" => DeletePolicy::HookFailed,
                "BeforeHookCreation" => DeletePolicy::BeforeHookCreation,
                _ => return None,
            })
        });
    let helm = words(object.annotation(annotations::HELM_HOOK_DELETE_POLICY).unwrap_or_default());
    let helm = helm.filter_map(|word| {
        Some(match word {
            "hook-succeeded" => DeletePolicy::HookSucceeded,
            "hook-failed" => DeletePolicy::HookFailed,
            "before-hook-creation" => DeletePolicy::BeforeHookCreation,
            _ => return None,
        })
    });
    let mut policies: Vec<DeletePolicy> = own.chain(helm).collect();
    if policies.is_empty() {
        policies.push(DeletePolicy::BeforeHookCreation);
    }
    policies.sort_unstable();
    policies.dedup();
    policies
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn with(annotations: serde_json::Value) -> ResourceAnnotations {
        let body =
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "annotations": annotations}});
        ResourceAnnotations::of(&Manifest::new(body).unwrap())
    }

    #[test]
    fn an_unreadable_wave_is_a_problem_and_wave_0() {
        for bad in ["", "one", "9223372036854775808", "1.5"] {
            let read = with(json!({"argocd.argoproj.io/sync-wave": bad}));
            assert_eq!((read.wave, read.problems.len()), (0, 1), "{bad}");
        }
        assert_eq!(with(json!({"argocd.argoproj.io/sync-wave": "-3"})).wave, -3);
    }

    #[test]
    fn helm_hooks_map_to_phases_unless_argo_names_its_own() {
        let read = with(json!({"helm.sh/hook": "pre-install, pre-upgrade", "helm.sh/hook-weight": "-5"}));
        assert_eq!((read.hooks, read.wave), (vec![HookType::PreSync], -5));
        let both = with(json!({"helm.sh/hook": "pre-install", "argocd.argoproj.io/hook": "PostSync"}));
        assert_eq!(both.hooks, [HookType::PostSync]);
        assert_eq!(with(json!({"helm.sh/hook": "crd-install"})).hooks, []);
        assert_eq!(with(json!({"argocd.argoproj.io/hook": "Soon"})).hooks, [HookType::Skip], "it never runs");
    }
}
