//! The order of the output.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::id::{Gvk, ResId};
use crate::kustomization::{LegacySortOptions, SortOptions};
use crate::resmap::ResMap;

const FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

const LAST: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// The rank of a kind: below zero for the first, above for the last.
fn default_rank(kind: &str) -> i64 {
    let position = |list: &[&str]| list.iter().position(|known| *known == kind).map(|at| at as i64);
    position(&FIRST).map(|at| at - FIRST.len() as i64).or(position(&LAST).map(|at| at + 1)).unwrap_or(0)
}

fn or<'t>(text: &'t str, none: &'t str) -> &'t str {
    if text.is_empty() { none } else { text }
}

fn gvk_text(gvk: &Gvk) -> String {
    format!("{}_{}_{}", or(&gvk.group, "~G"), or(&gvk.version, "~V"), or(&gvk.kind, "~K"))
}

/// The order of kinds in lists of field specs and name references.
pub(crate) fn gvk_key(gvk: &Gvk) -> (i64, String) {
    (default_rank(&gvk.kind), gvk_text(gvk))
}

fn id_text(id: &ResId) -> String {
    format!("{}|{}|{}", id.gvk, or(&id.namespace, "~X"), or(&id.name, "~N"))
}

/// Sorts the objects as `sortOptions` says.
pub(crate) fn sort(map: &mut ResMap, options: &SortOptions) -> Result<()> {
    match (options.order.as_str(), &options.legacy) {
        ("fifo", None) => Ok(()),
        ("fifo", Some(_)) => Err(Error::new(
            "the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', not 'legacy'",
        )),
        ("legacy", legacy) => {
            sort_legacy(map, legacy.as_ref());
            Ok(())
        }
        _ => Err(Error::new("the field 'sortOptions.order' must be one of [fifo, legacy]")),
    }
}

/// Sorts the objects by kind: Namespaces first, webhooks last.
pub(crate) fn sort_legacy(map: &mut ResMap, options: Option<&LegacySortOptions>) {
    let own: Option<HashMap<&str, i64>> = options.map(|options| {
        let count = options.first.len() as i64;
        let first = options.first.iter().enumerate().map(|(i, kind)| (kind.as_str(), i as i64 - count));
        let last = options.last.iter().enumerate().map(|(i, kind)| (kind.as_str(), i as i64 + 1));
        first.chain(last).collect()
    });
    let rank = |kind: &str| match &own {
        Some(own) => own.get(kind).copied().unwrap_or(0),
        None => default_rank(kind),
    };
    map.list.sort_by_cached_key(|resource| {
        let id = resource.current_id();
        (rank(&id.gvk.kind), gvk_text(&id.gvk), id_text(id))
    });
}
