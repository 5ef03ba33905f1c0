//! Which objects of a namespace are orphans in the eyes of a project.

use crate::api::AppProjectSpec;
use crate::object::{ResourceKey, glob_matches};

use super::permits_kind;

/// Whether an object that no application has counts as an orphan: the project allows its kind, nobody makes it in each
/// namespace anyway, and the project does not ignore it.
pub fn is_orphan(project: &AppProjectSpec, key: &ResourceKey) -> bool {
    let Some(orphaned) = &project.orphaned_resources else { return false };
    if key.namespace.is_empty() || !permits_kind(project, key, true) || is_in_every_namespace(key) {
        return false;
    }
    let ignores = |pattern: &str, text: &str| pattern.is_empty() || glob_matches(pattern, text);
    !orphaned.ignore.iter().any(|one| {
        ignores(&one.kind, &key.kind) && glob_matches(&one.group, &key.group) && ignores(&one.name, &key.name)
    })
}

fn is_in_every_namespace(key: &ResourceKey) -> bool {
    let is = |kind: &str, name: &str| key.group.is_empty() && key.kind == kind && key.name == name;
    is("ServiceAccount", "default")
        || is("ConfigMap", "kube-root-ca.crt")
        || (key.namespace == "default" && is("Service", "kubernetes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{OrphanedResourceKey, OrphanedResources};

    #[test]
    fn what_is_ignored_or_everywhere_is_no_orphan() {
        let ignore =
            OrphanedResourceKey { kind: "ConfigMap".into(), name: "cache-*".into(), ..Default::default() };
        let project = AppProjectSpec {
            orphaned_resources: Some(OrphanedResources { warn: None, ignore: vec![ignore] }),
            ..AppProjectSpec::default()
        };
        let key = |kind: &str, name: &str| ResourceKey::new("", kind, "n", name);
        assert!(is_orphan(&project, &key("ConfigMap", "left")));
        assert!(!is_orphan(&project, &key("ConfigMap", "cache-1")));
        assert!(!is_orphan(&project, &key("ConfigMap", "kube-root-ca.crt")));
        assert!(!is_orphan(&AppProjectSpec::default(), &key("ConfigMap", "left")));
    }
}
