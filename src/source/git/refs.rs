//! The references of a repository as its server lists them, and what a `targetRevision` means among them.

use std::collections::BTreeMap;

use crate::source::versions::{newest, range_of};

/// Names shown in the message for an unknown revision.
const MAX_NEARBY: usize = 5;

/// Where a reference points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteRef {
    /// The object it names, in lower-case hex: a commit, or the tag object of an annotated tag.
    pub object: String,
    /// What an annotated tag leads to in the end.
    pub peeled: Option<String>,
    /// The reference that a symbolic one (`HEAD`) names.
    pub symbolic: Option<String>,
}

impl RemoteRef {
    /// The object behind annotated tags.
    pub fn commit(&self) -> &str {
        self.peeled.as_deref().unwrap_or(&self.object)
    }
}

/// References by full name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RefList {
    pub(crate) refs: BTreeMap<String, RemoteRef>,
}

/// What a revision came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// A reference: its full name and the object behind it.
    Reference {
        /// `refs/heads/main`; for `HEAD` the branch that it names, or `HEAD`.
        name: String,
        /// Full commit id.
        commit: String,
    },
    /// A full commit id, taken as written.
    Commit(String),
    /// Hex digits that are no reference: the start of a commit id.
    ShortId(String),
    /// Nothing; the text names what exists nearby.
    Unknown {
        /// To put behind "not found"; may be empty.
        nearby: String,
    },
}

/// Whether a revision is a full commit id.
pub fn is_commit_id(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a revision may be the start of a commit id: seven digits or more, as in Argo CD.
pub fn is_short_id(revision: &str) -> bool {
    (7..40).contains(&revision.len()) && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl RefList {
    /// Whether the repository has no references.
    pub fn is_empty(&self) -> bool {
        self.refs.is_empty()
    }

    /// The references with their full names, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RemoteRef)> {
        self.refs.iter().map(|(name, reference)| (name.as_str(), reference))
    }

    /// Short names of the tags.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.refs.keys().filter_map(|name| name.strip_prefix("refs/tags/"))
    }

    /// Short names of the branches.
    pub fn branches(&self) -> impl Iterator<Item = &str> {
        self.refs.keys().filter_map(|name| name.strip_prefix("refs/heads/"))
    }

    /// What a revision means here. In this order: a full commit id (taken as written, as Argo CD does); the newest
    /// tag that a semver range allows; a reference by the rules of `git rev-parse` (as written, then below `refs/`,
    /// tags, branches); the start of a commit id. Empty means `HEAD`. Where a tag and a branch have one name,
    /// the tag wins, as in Git; Argo CD takes either.
    pub fn resolve(&self, revision: &str) -> Resolved {
        let revision = if revision.is_empty() { "HEAD" } else { revision };
        if is_commit_id(revision) {
            return Resolved::Commit(revision.to_ascii_lowercase());
        }
        let newest = range_of(revision).and_then(|range| newest(&range, self.tags()));
        if let Some(tag) = newest
            && let Some((name, reference)) = self.refs.get_key_value(&format!("refs/tags/{tag}"))
        {
            return Resolved::Reference { name: name.clone(), commit: reference.commit().to_owned() };
        }
        for prefix in ["", "refs/", "refs/tags/", "refs/heads/"] {
            let name = format!("{prefix}{revision}");
            if let Some(reference) = self.refs.get(&name) {
                let name = reference.symbolic.clone().unwrap_or(name);
                return Resolved::Reference { name, commit: reference.commit().to_owned() };
            }
        }
        if is_short_id(revision) {
            return Resolved::ShortId(revision.to_ascii_lowercase());
        }
        Resolved::Unknown { nearby: self.nearby(revision) }
    }

    /// Branches and tags whose names are like the revision, else the first branches.
    fn nearby(&self, revision: &str) -> String {
        if self.refs.is_empty() {
            return String::new();
        }
        if revision == "HEAD" {
            return format!(
                "; HEAD names a branch that does not exist, branches are: {}",
                join(self.branches())
            );
        }
        let asked = revision.to_lowercase();
        let mut alike: Vec<(usize, &str)> = self
            .branches()
            .chain(self.tags())
            .map(|name| (distance(&asked, &name.to_lowercase()), name))
            .filter(|(distance, name)| {
                *distance <= 2.max(asked.len() / 3) || name.to_lowercase().contains(&asked)
            })
            .collect();
        alike.sort_unstable();
        alike.dedup_by_key(|(_, name)| *name);
        if alike.is_empty() {
            let branches = join(self.branches());
            return if branches.is_empty() { String::new() } else { format!("; branches are: {branches}") };
        }
        format!("; did you mean: {}", join(alike.into_iter().map(|(_, name)| name)))
    }
}

fn join<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.take(MAX_NEARBY + 1).collect();
    let shown = names.iter().take(MAX_NEARBY).map(|name| crate::source::error::one_line(name));
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if names.len() > MAX_NEARBY {
        text.push_str(", …");
    }
    text
}

/// Levenshtein distance, over at most 64 characters of each.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (count, character) in left.chars().take(64).enumerate() {
        let mut diagonal = std::mem::replace(row.first_mut().unwrap_or(&mut 0), count + 1);
        let mut before = count + 1;
        for (cell, other) in row.iter_mut().skip(1).zip(&right) {
            let replaced = diagonal + usize::from(character != *other);
            diagonal = *cell;
            *cell = replaced.min(diagonal + 1).min(before + 1);
            before = *cell;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[(&str, char)]) -> RefList {
        let make = |(name, digit): &(&str, char)| {
            let object = digit.to_string().repeat(40);
            ((*name).to_owned(), RemoteRef { object, peeled: None, symbolic: None })
        };
        RefList { refs: names.iter().map(make).collect() }
    }

    fn commit(resolved: Resolved) -> String {
        match resolved {
            Resolved::Reference { commit, .. } => commit.chars().take(1).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn references_are_found_as_git_finds_them() {
        let refs = list(&[
            ("HEAD", 'a'),
            ("refs/heads/main", 'a'),
            ("refs/heads/v1", 'b'),
            ("refs/tags/v1", 'c'),
            ("refs/heads/deadbeef", 'd'),
            ("refs/pull/1/head", 'e'),
        ]);
        assert_eq!(commit(refs.resolve("")), "a");
        assert_eq!(commit(refs.resolve("main")), "a");
        assert_eq!(commit(refs.resolve("v1")), "c");
        assert_eq!(commit(refs.resolve("v1.*")), "c");
        assert!(matches!(refs.resolve("v2.*"), Resolved::Unknown { .. }));
        assert_eq!(commit(refs.resolve("refs/heads/v1")), "b");
        assert_eq!(commit(refs.resolve("heads/v1")), "b");
        assert_eq!(commit(refs.resolve("deadbeef")), "d");
        assert_eq!(commit(refs.resolve("pull/1/head")), "e");
        assert_eq!(refs.resolve("ABCDEF0"), Resolved::ShortId("abcdef0".into()));
        assert_eq!(refs.resolve(&"A".repeat(40)), Resolved::Commit("a".repeat(40)));
    }

    #[test]
    fn an_unknown_revision_names_what_is_near() {
        let refs =
            list(&[("refs/heads/main", 'a'), ("refs/heads/release-1", 'b'), ("refs/tags/v1.2.0", 'c')]);
        let nearby = |revision: &str| match refs.resolve(revision) {
            Resolved::Unknown { nearby } => nearby,
            other => panic!("{other:?}"),
        };
        assert_eq!(nearby("mian"), "; did you mean: main");
        assert_eq!(nearby("release"), "; did you mean: release-1");
        assert_eq!(nearby("v1.2"), "; did you mean: v1.2.0");
        assert_eq!(nearby("something-else"), "; branches are: main, release-1");
        assert_eq!(
            nearby("HEAD"),
            "; HEAD names a branch that does not exist, branches are: main, release-1"
        );
    }
}
