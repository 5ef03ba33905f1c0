//! What a render read of a tree, so that a later commit can be asked: has any of it changed?

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use super::tree::{ContentId, Entry, EntryKind, Tree, TreeError};
use super::tree_path::TreePath;

/// What was seen at one path.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    /// The kind, or none where nothing stood.
    kind: Option<EntryKind>,
    /// The content; compared for files and links. For directories only a short cut: equal ids end the comparison.
    id: Option<ContentId>,
    /// Hash of names and kinds, if the directory was listed.
    listing: Option<u64>,
    /// Whether everything below a directory counts as read.
    whole: bool,
}

/// The paths that were looked at, listed or read through [`Tree::recording`], with what stood there. Paths hold no
/// symbolic links: a link that was followed is in the set itself, and so is where it led.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadSet {
    paths: BTreeMap<TreePath, Seen>,
}

impl ReadSet {
    /// Whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Number of paths that were looked at.
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// The paths, in order.
    pub fn paths(&self) -> impl Iterator<Item = &TreePath> {
        self.paths.keys()
    }

    /// Adds what another render of the same commit read.
    pub fn extend(&mut self, other: Self) {
        for (path, seen) in other.paths {
            let mine = self.paths.get(&path);
            let listing = seen.listing.or(mine.and_then(|mine| mine.listing));
            let whole = seen.whole || mine.is_some_and(|mine| mine.whole);
            let merged = Seen { listing, whole, ..seen };
            self.paths.insert(path, merged);
        }
    }

    /// The first path of this set that differs in `tree`: a render that read nothing else prints the same text
    /// from it. None if nothing differs. A store without identities always differs.
    ///
    /// # Errors
    /// A store that fails. A path that can no longer be reached counts as changed.
    pub fn first_change(&self, tree: &Tree) -> Result<Option<TreePath>, TreeError> {
        let mut unchanged: Option<&TreePath> = None;
        for (path, seen) in &self.paths {
            // Below a directory whose identity is the same, all is the same. Paths come in order of their text, so
            // siblings such as `a-b` may stand between `a` and `a/c`; they only end the short cut early.
            if unchanged.is_some_and(|dir| path.below(dir).is_some()) {
                continue;
            }
            let now = match tree.find_link(path) {
                Ok(found) => found,
                Err(error @ TreeError::Unreadable { .. }) => return Err(error),
                Err(_) => return Ok(Some(path.clone())),
            };
            if seen.kind != now.as_ref().map(|found| found.kind) {
                return Ok(Some(path.clone()));
            }
            let same_id = seen.id.is_some() && now.and_then(|found| found.id) == seen.id;
            match seen.kind {
                None => {}
                Some(EntryKind::Directory) if same_id => unchanged = Some(path),
                Some(EntryKind::Directory) if seen.whole => return Ok(Some(path.clone())),
                Some(EntryKind::Directory) => {
                    let differs = |listing| Ok(listing != hash_listing(&tree.list(path)?));
                    if seen.listing.map_or(Ok(false), differs)? {
                        return Ok(Some(path.clone()));
                    }
                }
                Some(_) if same_id => {}
                Some(_) => return Ok(Some(path.clone())),
            }
        }
        Ok(None)
    }

    pub(super) fn looked_up(&mut self, path: &TreePath, entry: Option<&Entry>) {
        let seen = Seen {
            kind: entry.map(|entry| entry.kind),
            id: entry.and_then(|entry| entry.id.clone()),
            listing: None,
            whole: false,
        };
        self.paths.entry(path.clone()).or_insert(seen);
    }

    pub(super) fn listed(&mut self, dir: &TreePath, id: Option<ContentId>, entries: &[Entry]) {
        let listing = Some(hash_listing(entries));
        let whole = self.paths.get(dir).is_some_and(|seen| seen.whole);
        self.paths.insert(dir.clone(), Seen { kind: Some(EntryKind::Directory), id, listing, whole });
    }

    pub(super) fn read_whole(&mut self, dir: &TreePath, id: Option<ContentId>) {
        let listing = self.paths.get(dir).and_then(|seen| seen.listing);
        self.paths.insert(dir.clone(), Seen { kind: Some(EntryKind::Directory), id, listing, whole: true });
    }
}

/// Names and kinds, not contents. Lives as long as the process, so the hasher may change with the standard library.
fn hash_listing(entries: &[Entry]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for entry in entries {
        entry.name.hash(&mut hasher);
        entry.kind.hash(&mut hasher);
    }
    hasher.finish()
}
