//! `resource.exclusions` and `resource.inclusions`: kinds that the controller keeps its hands off.

use std::collections::BTreeMap;

use goyaml::DecodeOptions;
use serde::Deserialize;

use crate::object::glob_matches;

/// Kinds of clusters; a list that is empty means all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Kinds {
    /// Globs.
    api_groups: Vec<String>,
    /// Names, or `*`.
    kinds: Vec<String>,
    /// Globs over the addresses of API servers.
    clusters: Vec<String>,
}

/// Which kinds are left out: neither watched, compared nor applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceFilter {
    exclusions: Vec<Kinds>,
    inclusions: Vec<Kinds>,
}

/// Kinds that nobody manages by manifests and that change all the time, as in Argo CD.
const ALWAYS_EXCLUDED: [(&str, Option<&str>); 4] = [
    ("events.k8s.io", None),
    ("metrics.k8s.io", None),
    ("", Some("Event")),
    ("coordination.k8s.io", Some("Lease")),
];

impl Kinds {
    fn match_kind(&self, group: &str, kind: &str) -> bool {
        let any = |list: &[String], matches: &dyn Fn(&str) -> bool| {
            list.is_empty() || list.iter().any(|one| matches(one))
        };
        any(&self.api_groups, &|glob| glob_matches(glob, group))
            && any(&self.kinds, &|name| name == "*" || name == kind)
    }

    fn match_cluster(&self, server: &str) -> bool {
        self.clusters.is_empty() || self.clusters.iter().any(|glob| glob_matches(glob, server))
    }
}

impl ResourceFilter {
    /// Reads the data of `argocd-cm`. A list that cannot be read is left out and named in `problems`.
    pub fn read(data: &BTreeMap<String, String>, problems: &mut Vec<String>) -> Self {
        let mut list = |key: &str| -> Vec<Kinds> {
            let Some(text) = data.get(key).filter(|text| !text.trim().is_empty()) else { return Vec::new() };
            let value = goyaml::yaml_to_json(text.as_bytes(), &DecodeOptions::default());
            let read = value.map_err(|error| error.to_string());
            let read =
                read.and_then(|value| serde_json::from_value(value).map_err(|error| error.to_string()));
            read.unwrap_or_else(|error| {
                problems.push(format!("argocd-cm: {key} cannot be read: {error}"));
                Vec::new()
            })
        };
        Self { exclusions: list("resource.exclusions"), inclusions: list("resource.inclusions") }
    }

    /// Whether objects of a kind are left out on a cluster. What is excluded is so even where it is included; where
    /// there are inclusions for the cluster, what they do not name is excluded.
    pub fn excludes(&self, group: &str, kind: &str, server: &str) -> bool {
        let always = ALWAYS_EXCLUDED
            .iter()
            .any(|(known, name)| *known == group && name.is_none_or(|name| name == kind));
        let matches =
            |list: &[Kinds]| list.iter().any(|one| one.match_kind(group, kind) && one.match_cluster(server));
        if always || matches(&self.exclusions) {
            return true;
        }
        !matches(&self.inclusions) && self.inclusions.iter().any(|one| one.match_cluster(server))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(data: &[(&str, &str)]) -> (ResourceFilter, Vec<String>) {
        let data = data.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
        let mut problems = Vec::new();
        (ResourceFilter::read(&data, &mut problems), problems)
    }

    #[test]
    fn exclusions_go_before_inclusions() {
        let (filter, problems) = read(&[
            (
                "resource.exclusions",
                "- apiGroups: ['*.cilium.io']\n- kinds: [Secret]\n  clusters: ['https://prod*']",
            ),
            ("resource.inclusions", "- apiGroups: ['', apps]\n  clusters: ['https://prod.example']"),
        ]);
        assert!(problems.is_empty(), "{problems:?}");
        let (prod, test) = ("https://prod.example", "https://test.example");
        assert!(filter.excludes("api.cilium.io", "CiliumIdentity", test));
        assert!(filter.excludes("", "Secret", prod) && !filter.excludes("", "Secret", test));
        assert!(!filter.excludes("apps", "Deployment", prod));
        assert!(filter.excludes("batch", "Job", prod) && !filter.excludes("batch", "Job", test));
        assert!(filter.excludes("", "Event", test) && filter.excludes("coordination.k8s.io", "Lease", test));
    }

    #[test]
    fn a_list_that_cannot_be_read_is_named() {
        let (filter, problems) = read(&[("resource.exclusions", "apiGroups: x")]);
        assert_eq!(problems.len(), 1);
        assert!(!filter.excludes("apps", "Deployment", "https://x"));
    }
}
