//! Lists of an AppProject.
//!
//! A pattern that starts with `!` forbids what it names and, as in Argo CD, permits everything else of its list.

use crate::api::{AppProjectSpec, ResourceRestriction};
use crate::flow::Destination;
use crate::object::{ResourceKey, glob_matches, glob_matches_parts};

/// Whether a project allows a repository. `*` stays between two slashes, `**` goes across; alone it is everything.
pub fn permits_source(project: &AppProjectSpec, url: &str) -> bool {
    let url = comparable(url);
    let mut allowed = false;
    for pattern in &project.source_repos {
        let (denies, pattern) = negation(pattern);
        let pattern = comparable(pattern);
        if (pattern == "*" || glob_matches_parts(&pattern, &url, '/')) != denies {
            allowed = true;
        } else if denies {
            return false;
        }
    }
    allowed
}

fn negation(pattern: &str) -> (bool, &str) {
    pattern.strip_prefix('!').map_or((false, pattern), |rest| (true, rest))
}

/// A repository's URL as Argo CD compares it: in lower case, without `.git` and `ssh://`, and with a slash where the
/// short form of ssh has a colon.
fn comparable(url: &str) -> String {
    let url = url.trim().to_lowercase();
    let url = url.strip_prefix("ssh://").map_or_else(
        || {
            let short =
                !url.contains("://") && url.split(['/', ':']).next().is_some_and(|host| host.contains('@'));
            if short { url.replacen(':', "/", 1) } else { url.clone() }
        },
        str::to_owned,
    );
    let url = url.trim_end_matches('/');
    url.strip_suffix(".git").unwrap_or(url).to_owned()
}

/// Whether a project allows an object on a cluster: its kind, and its namespace where it lives in one. The namespace
/// of `cluster` does not count.
pub fn permits_object(
    project: &AppProjectSpec,
    cluster: &Destination,
    key: &ResourceKey,
    namespaced: bool,
) -> bool {
    let place = || Destination { namespace: key.namespace.clone(), ..cluster.clone() };
    permits_kind(project, key, namespaced) && (!namespaced || permits_destination(project, &place()))
}

/// Whether a project allows a namespace of a cluster, by the cluster's address or name.
pub fn permits_destination(project: &AppProjectSpec, destination: &Destination) -> bool {
    let mut allowed = false;
    for rule in &project.destinations {
        let (denies_name, name) = matches_negated(&rule.name, &destination.name);
        let (denies_server, server) = matches_negated(&rule.server, &destination.server);
        let (denies_namespace, namespace) = matches_negated(&rule.namespace, &destination.namespace);
        let name = name && !destination.name.is_empty();
        let server = server && !destination.server.is_empty();
        if (server || name) && namespace {
            allowed = true;
        } else if (denies_name && !name)
            || (denies_server && !server && namespace)
            || (denies_namespace && !namespace && (server || name))
        {
            return false;
        }
    }
    allowed
}

/// Whether the pattern forbids, and whether it lets the text through.
fn matches_negated(pattern: &str, text: &str) -> (bool, bool) {
    let (denies, pattern) = negation(pattern);
    (denies, (pattern == "*" || glob_matches(pattern, text)) != denies)
}

/// Whether a project allows a cluster, by the project that the cluster's Secret names.
pub fn permits_cluster(project: &AppProjectSpec, name: &str, cluster_project: Option<&str>) -> bool {
    !project.permit_only_project_scoped_clusters || cluster_project == Some(name)
}

/// Whether applications of a namespace may use a project. Those of the controller's own namespace always may.
pub fn permits_namespace(project: &AppProjectSpec, namespace: &str, controller_namespace: &str) -> bool {
    namespace.is_empty()
        || namespace == controller_namespace
        || names_namespace(&project.source_namespaces, namespace)
}

/// Whether a list of globs, or of regular expressions between slashes, names a namespace.
pub fn names_namespace(list: &[String], namespace: &str) -> bool {
    list.iter().any(|pattern| {
        let expression = pattern.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        let matches = |expression: &str| {
            regex::RegexBuilder::new(expression)
                .size_limit(1 << 20)
                .build()
                .is_ok_and(|regex| regex.is_match(namespace))
        };
        expression.is_some_and(matches) || glob_matches(pattern, namespace)
    })
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
    use serde_json::json;

    fn project(json: serde_json::Value) -> AppProjectSpec {
        serde_json::from_value(json).unwrap()
    }

    fn at(server: &str, namespace: &str) -> Destination {
        Destination { server: format!("https://{server}"), name: server.into(), namespace: namespace.into() }
    }

    #[test]
    fn sources_match_between_slashes() {
        let permits = |repos: serde_json::Value, url: &str| {
            permits_source(&project(json!({"sourceRepos": repos})), url)
        };
        assert!(permits(json!(["*"]), "https://host/team/app.git"));
        assert!(permits(json!(["https://host/team/*"]), "https://HOST/team/app.git"));
        assert!(!permits(json!(["https://host/*"]), "https://host/team/app"), "a star crosses no slash");
        assert!(permits(json!(["https://host/**"]), "https://host/team/app"));
        assert!(permits(json!(["git@host:team/*"]), "ssh://git@host/team/app.git"));
        assert!(!permits(json!(["*", "!https://host/secret/*"]), "https://host/secret/x.git"));
        assert!(
            permits(json!(["!https://host/secret/*"]), "https://host/app"),
            "a denial alone permits the rest"
        );
        assert!(!permits(json!([]), "https://host/app"));
    }

    #[test]
    fn an_exclamation_mark_forbids() {
        let spec = project(json!({
            "destinations": [{"server": "*", "namespace": "*"}, {"server": "*", "namespace": "!kube-system"}],
        }));
        assert!(
            permits_destination(&spec, &at("a", "team"))
                && !permits_destination(&spec, &at("a", "kube-system"))
        );
        let spec = project(json!({"destinations": [{"server": "!https://prod", "namespace": "*"}]}));
        assert!(
            permits_destination(&spec, &at("dev", "team"))
                && !permits_destination(&spec, &at("prod", "team"))
        );
        let spec = project(
            json!({"destinations": [{"name": "*", "namespace": "*"}, {"name": "!prod", "namespace": "x"}]}),
        );
        assert!(
            permits_destination(&spec, &at("dev", "team"))
                && !permits_destination(&spec, &at("prod", "team"))
        );
    }

    #[test]
    fn a_rule_by_name_forbids_a_namespace_too() {
        let spec = project(json!({
            "destinations": [{"name": "prod", "namespace": "*"}, {"name": "prod", "namespace": "!kube-system"}],
        }));
        assert!(permits_destination(&spec, &at("prod", "team")));
        assert!(
            !permits_destination(&spec, &at("prod", "kube-system")),
            "Argo CD looks at the address alone here"
        );
    }

    #[test]
    fn cluster_scoped_kinds_must_be_listed() {
        let spec = project(json!({"namespaceResourceBlacklist": [{"group": "", "kind": "Secret"}],
            "clusterResourceWhitelist": [{"group": "", "kind": "Namespace", "name": "team-*"}]}));
        let namespace = |name: &str| ResourceKey::new("", "Namespace", "", name);
        assert!(
            permits_kind(&spec, &namespace("team-a"), false) && !permits_kind(&spec, &namespace("a"), false)
        );
        assert!(!permits_kind(&spec, &ResourceKey::new("", "Secret", "n", "a"), true));
        assert!(permits_kind(&spec, &ResourceKey::new("apps", "Deployment", "n", "a"), true));
        let listed = project(json!({"namespaceResourceWhitelist": []}));
        assert!(
            !permits_kind(&listed, &ResourceKey::new("", "ConfigMap", "n", "a"), true),
            "an empty list is a list"
        );
    }

    #[test]
    fn a_project_names_the_namespaces_of_its_applications() {
        let spec = project(json!({"sourceNamespaces": ["team-*", "/^db-[0-9]+$/", "/(/"]}));
        let permits = |namespace: &str| permits_namespace(&spec, namespace, "argocd");
        assert!(permits("argocd") && permits("team-a") && permits("db-1"));
        assert!(!permits("db-x") && !permits("other"));
    }

    #[test]
    fn only_clusters_of_the_project_where_it_says_so() {
        let open = project(json!({}));
        assert!(permits_cluster(&open, "team", None));
        let closed = project(json!({"permitOnlyProjectScopedClusters": true}));
        assert!(permits_cluster(&closed, "team", Some("team")));
        assert!(!permits_cluster(&closed, "team", Some("other")) && !permits_cluster(&closed, "team", None));
    }
}
