//! Lists of an AppProject.

use crate::api::{AppProjectSpec, ResourceRestriction};
use crate::flow::Destination;
use crate::object::{ResourceKey, glob_matches};

/// Whether a project allows a repository.
pub fn permits_source(project: &AppProjectSpec, url: &str) -> bool {
    let url = comparable(url);
    let mut allowed = false;
    for pattern in &project.source_repos {
        match pattern.strip_prefix('!') {
            Some(denied) if glob_matches(&comparable(denied), &url) => return false,
            Some(_) => {}
            None => allowed |= pattern == "*" || glob_matches(&comparable(pattern), &url),
        }
    }
    allowed
}

fn comparable(url: &str) -> String {
    let url = url.trim_end_matches('/');
    url.strip_suffix(".git").unwrap_or(url).to_lowercase()
}

/// Whether a project allows a namespace of a cluster. A rule that starts with `!` forbids.
pub fn permits_destination(project: &AppProjectSpec, destination: &Destination) -> bool {
    let mut allowed = false;
    for rule in &project.destinations {
        let denies_server = rule.server.starts_with('!') || rule.name.starts_with('!');
        let denies_namespace = rule.namespace.starts_with('!');
        let server = cluster_matches(&rule.server, &rule.name, destination);
        let pattern = rule.namespace.strip_prefix('!').unwrap_or(&rule.namespace);
        let namespace = glob_matches(pattern, &destination.namespace);
        if server && namespace {
            if denies_server || denies_namespace {
                return false;
            }
            allowed = true;
        }
    }
    allowed
}

fn cluster_matches(server: &str, name: &str, destination: &Destination) -> bool {
    let bare = |pattern: &str| pattern.strip_prefix('!').unwrap_or(pattern).to_owned();
    let by_server = !server.is_empty() && glob_matches(&bare(server), &destination.server);
    let by_name = !name.is_empty() && glob_matches(&bare(name), &destination.name);
    by_server || by_name
}

fn matches(list: &[ResourceRestriction], key: &ResourceKey) -> bool {
    list.iter().any(|rule| {
        glob_matches(&rule.group, &key.group)
            && glob_matches(&rule.kind, &key.kind)
            && (rule.name.is_empty() || glob_matches(&rule.name, &key.name))
    })
}

/// Whether a project allows an object by its kind. Cluster-scoped kinds must be listed; namespaced ones must not be
/// denied, and must be listed where there is a list.
pub fn permits_kind(project: &AppProjectSpec, key: &ResourceKey, namespaced: bool) -> bool {
    if namespaced {
        let listed = project.namespace_resource_whitelist.as_ref().is_none_or(|list| matches(list, key));
        listed && !matches(&project.namespace_resource_blacklist, key)
    } else {
        matches(&project.cluster_resource_whitelist, key)
            && !matches(&project.cluster_resource_blacklist, key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ApplicationDestination;

    fn project(json: serde_json::Value) -> AppProjectSpec {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn an_exclamation_mark_forbids() {
        let spec = project(serde_json::json!({
            "sourceRepos": ["*", "!https://host/secret*"],
            "destinations": [{"server": "*", "namespace": "*"}, {"server": "*", "namespace": "!kube-system"}],
        }));
        assert!(permits_source(&spec, "https://host/app.git"));
        assert!(!permits_source(&spec, "https://host/secret/x.git"));
        let at = |namespace: &str| Destination {
            server: "https://a".into(),
            name: "a".into(),
            namespace: namespace.into(),
        };
        assert!(permits_destination(&spec, &at("team")));
        assert!(!permits_destination(&spec, &at("kube-system")));
        assert_eq!(
            spec.destinations[1],
            ApplicationDestination {
                server: "*".into(),
                namespace: "!kube-system".into(),
                name: String::new()
            }
        );
    }

    #[test]
    fn cluster_scoped_kinds_must_be_listed() {
        let spec =
            project(serde_json::json!({"namespaceResourceBlacklist": [{"group": "", "kind": "Secret"}]}));
        assert!(!permits_kind(&spec, &ResourceKey::new("", "Namespace", "", "a"), false));
        assert!(!permits_kind(&spec, &ResourceKey::new("", "Secret", "n", "a"), true));
        assert!(permits_kind(&spec, &ResourceKey::new("apps", "Deployment", "n", "a"), true));
    }
}
