//! Settings of syncs that Argo CD does not have: keys of `argocd-cm` that start with `tiphys.`.

use std::collections::BTreeMap;

/// How syncs go beyond what Argo CD does. Everything is off until the user sets it, but the newest commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncSettings {
    /// `tiphys.sync.confirmKinds`: kinds whose objects are deleted only after somebody confirmed.
    pub confirm_kinds: Vec<ConfirmKind>,
    /// `tiphys.sync.maxPrune`: what `tiphys.dev/max-prune` is for applications without the annotation.
    pub max_prune: Option<String>,
    /// `tiphys.sync.retryKeepsRevision: "true"`: an automated retry stays at the commit it failed at, as in Argo CD.
    pub retry_keeps_revision: bool,
}

/// A kind that needs confirmation: `Kind`, or `Kind.group`; without a group it is that kind of every group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmKind {
    /// The kind.
    pub kind: String,
    /// The group, where one is named.
    pub group: Option<String>,
}

impl ConfirmKind {
    fn read(word: &str) -> Self {
        match word.split_once('.') {
            Some((kind, group)) => Self { kind: kind.to_owned(), group: Some(group.to_owned()) },
            None => Self { kind: word.to_owned(), group: None },
        }
    }

    /// Whether an object of this group and kind is meant.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.kind == kind && self.group.as_deref().is_none_or(|own| own == group)
    }
}

impl SyncSettings {
    /// Reads the data of `argocd-cm`.
    pub fn read(data: &BTreeMap<String, String>) -> Self {
        let words = data.get("tiphys.sync.confirmKinds").map(String::as_str).unwrap_or_default();
        let words = words.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty());
        Self {
            confirm_kinds: words.map(ConfirmKind::read).collect(),
            max_prune: data
                .get("tiphys.sync.maxPrune")
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty()),
            retry_keeps_revision: data
                .get("tiphys.sync.retryKeepsRevision")
                .is_some_and(|text| text.trim() == "true"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_listed_with_or_without_their_group() {
        let data = [(
            "tiphys.sync.confirmKinds".to_owned(),
            "Namespace, Cluster.ray.io\nPersistentVolumeClaim".to_owned(),
        )];
        let settings = SyncSettings::read(&data.into_iter().collect());
        let needs = |group: &str, kind: &str| settings.confirm_kinds.iter().any(|one| one.is(group, kind));
        assert!(needs("", "Namespace") && needs("ray.io", "Cluster") && needs("", "PersistentVolumeClaim"));
        assert!(!needs("other.io", "Cluster") && !needs("", "ConfigMap"));
        assert_eq!(SyncSettings::read(&BTreeMap::new()), SyncSettings::default());
    }
}
