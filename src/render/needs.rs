//! What a render needs besides its own tree. A render asks; whoever called it checks whether that is allowed, fetches,
//! and renders again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::flow::{ReadSet, Tree};

/// Something outside of the tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// The files of the source with this `ref`.
    Source(String),
    /// A Git repository that a kustomization names.
    Repository {
        /// What to clone.
        url: String,
        /// Branch, tag or commit; empty for the default branch.
        revision: String,
        /// Whether its submodules are wanted.
        submodules: bool,
        /// The time that the kustomization allows, where it says so.
        timeout: Option<Duration>,
    },
    /// A file of a kustomization.
    File {
        /// Its http or https URL.
        url: String,
        /// The repository that the URL may mean instead, where it can.
        repository: Option<String>,
    },
    /// A value file, by its URL.
    ValueFile(String),
    /// A chart that another one depends on.
    Chart {
        /// URL of the repository, or `@name` or `alias:name` of one that is declared.
        repository: String,
        /// Name of the chart.
        name: String,
        /// Version or range.
        version: String,
        /// Whether credentials may be sent to other servers than the repository's.
        pass_credentials: bool,
    },
}

/// What became of a need.
#[derive(Clone, Debug)]
pub enum Got {
    /// Files.
    Tree(Tree),
    /// The content of a file.
    File(Arc<[u8]>),
    /// The server answered, and the file is not there; in words.
    Absent(String),
    /// It cannot be had; in words.
    Refused(String),
}

/// What was fetched so far for one render. Clones share what they record.
#[derive(Clone, Debug, Default)]
pub struct Given {
    all: BTreeMap<Need, Got>,
    used: Arc<Mutex<BTreeSet<Need>>>,
}

impl Given {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what was fetched.
    pub fn insert(&mut self, need: Need, got: Got) {
        self.all.insert(need, got);
    }

    /// What was fetched for a need; nothing where it is still to be fetched. Counts as used.
    pub fn get(&self, need: &Need) -> Option<&Got> {
        let got = self.all.get(need)?;
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(need.clone());
        Some(got)
    }

    /// What was fetched for a need, without counting it as used.
    pub fn peek(&self, need: &Need) -> Option<&Got> {
        self.all.get(need)
    }

    /// The same, with a fresh record of what is used and of what is read of trees.
    #[must_use]
    pub fn recording(&self) -> Self {
        let all = self.all.iter().map(|(need, got)| {
            let got = match got {
                Got::Tree(tree) => Got::Tree(tree.recording()),
                other => other.clone(),
            };
            (need.clone(), got)
        });
        Self { all: all.collect(), used: Arc::default() }
    }

    /// What was used since [`Given::recording`], and as what it was found.
    pub fn used(&self) -> Vec<(Need, Seen)> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = |need: &Need| Some((need.clone(), Seen::of(self.all.get(need)?)));
        used.iter().filter_map(seen).collect()
    }
}

/// As what a need was found: enough to tell whether it is still the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// What was read of the files.
    Tree(ReadSet),
    /// The content.
    File(Arc<[u8]>),
    /// Why there is nothing.
    Nothing(String),
}

impl Seen {
    fn of(got: &Got) -> Self {
        match got {
            Got::Tree(tree) => Self::Tree(tree.read_set()),
            Got::File(content) => Self::File(Arc::clone(content)),
            Got::Absent(why) | Got::Refused(why) => Self::Nothing(why.clone()),
        }
    }

    /// Whether a render would find the same.
    pub fn is_still(&self, got: &Got) -> bool {
        match (self, got) {
            (Self::Tree(read), Got::Tree(tree)) => {
                read.first_change(tree).is_ok_and(|change| change.is_none())
            }
            (Self::File(before), Got::File(now)) => before == now,
            (Self::Nothing(before), Got::Absent(now) | Got::Refused(now)) => before == now,
            _ => false,
        }
    }
}

/// Why a render stops.
#[derive(Debug)]
pub(super) enum Stop {
    /// It cannot be done.
    Problem(crate::flow::Problem),
    /// It needs these first.
    Needs(Vec<Need>),
}

impl From<crate::flow::Problem> for Stop {
    fn from(problem: crate::flow::Problem) -> Self {
        Self::Problem(problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{MemoryTree, TreePath};

    #[test]
    fn what_was_used_is_compared_with_what_is_there_now() {
        let tree = |text: &str| MemoryTree::new().file("a", text).unwrap().file("b", "x").unwrap().tree();
        let need = Need::Source("values".into());
        let mut given = Given::new();
        given.insert(need.clone(), Got::Tree(tree("1")));
        given.insert(Need::ValueFile("u".into()), Got::Absent("404".into()));
        let given = given.recording();
        let Some(Got::Tree(read)) = given.get(&need) else { panic!("it was given") };
        read.read(&TreePath::parse("a").unwrap()).unwrap();
        let used = given.used();
        assert_eq!(used.len(), 1, "the file was not asked for");
        assert!(used[0].1.is_still(&Got::Tree(tree("1"))));
        assert!(!used[0].1.is_still(&Got::Tree(tree("2"))));
        assert!(!used[0].1.is_still(&Got::Refused("gone".into())));
    }
}
