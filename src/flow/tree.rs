//! The files of one revision, read-only, as the renderers see them.
//!
//! A [`Tree`] knows nothing of Git or of the file system: a [`TreeStore`] behind it lists directories and reads
//! files (`source` has one for a commit, one for a local directory). What is decided here holds for all of them:
//! symbolic links are followed inside the tree only, sizes are bounded, and what was read can be recorded.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::read_set::ReadSet;
use super::tree_path::TreePath;

/// Links followed on the way to one entry before it counts as a loop (as Linux does).
const MAX_LINKS: usize = 40;
/// Longest target of a symbolic link, in bytes.
const MAX_LINK_BYTES: u64 = 4096;
/// Files larger than this are not read unless the caller names another limit: 64 MiB.
pub const DEFAULT_FILE_LIMIT: u64 = 64 << 20;

/// What an entry of a directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A regular file, executable or not.
    File,
    /// A directory.
    Directory,
    /// A symbolic link; [`Tree`] follows it inside the tree.
    Symlink,
    /// A Git submodule that was not fetched.
    Submodule,
}

/// One entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name: one part of a path, in any characters but `/` and NUL.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Identifies the content, directories included: equal ids are equal content. None where the store has no
    /// cheap identity (a local directory).
    pub id: Option<ContentId>,
}

/// The identity of a file's or a directory's content: Git's object id, in lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentId(pub Arc<str>);

/// Why something in a tree could not be read. Messages name paths, never content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// The path starts with `/`.
    #[error("path {path:?} is absolute; it must be relative to the root of the repository")]
    Absolute {
        /// As the user wrote it.
        path: String,
    },
    /// The path has more `..` than directories.
    #[error("path {path:?} leads out of the repository")]
    LeavesRoot {
        /// As the user wrote it.
        path: String,
    },
    /// Nothing is there.
    #[error("{path}: no such file or directory in this revision")]
    Missing {
        /// What was asked for.
        path: TreePath,
    },
    /// A file stands where a directory is needed.
    #[error("{path} is not a directory")]
    NotADirectory {
        /// The file.
        path: TreePath,
    },
    /// A directory stands where a file is needed.
    #[error("{path} is a directory, not a file")]
    IsADirectory {
        /// The directory.
        path: TreePath,
    },
    /// A symbolic link points to something outside of the tree. Its target is not shown.
    #[error("{path} is a symbolic link that leads out of the repository")]
    LinkOutOfBounds {
        /// The link.
        path: TreePath,
    },
    /// Symbolic links that lead to each other.
    #[error("{path}: too many levels of symbolic links")]
    LinkLoop {
        /// What was asked for.
        path: TreePath,
    },
    /// A submodule that was not fetched stands in the way.
    #[error("{path} is a submodule that was not fetched; submodules are off or not listed in .gitmodules")]
    Submodule {
        /// The submodule.
        path: TreePath,
    },
    /// The file is larger than the caller reads.
    #[error("{path} is larger than {limit} bytes")]
    TooLarge {
        /// The file.
        path: TreePath,
        /// Bytes allowed.
        limit: u64,
    },
    /// More entries than the caller takes.
    #[error("{path} holds more than {limit} entries")]
    TooMany {
        /// The directory that was walked.
        path: TreePath,
        /// Entries allowed.
        limit: usize,
    },
    /// A directory with a name that no honest Git writes: `..`, `.git`, empty, or with a `/` in it.
    #[error("directory {path} has an entry with a forbidden name; the repository is damaged or hostile")]
    HostileName {
        /// The directory.
        path: TreePath,
    },
    /// The store failed: the cache was deleted or damaged by someone else, or the disk failed. Worth a retry.
    #[error("{path} could not be read: {reason}")]
    Unreadable {
        /// What was read.
        path: TreePath,
        /// What the store said.
        reason: String,
    },
}

/// Where the entries of a tree come from. Paths given to it hold no symbolic links: [`Tree`] has resolved them.
pub trait TreeStore: Send + Sync + std::fmt::Debug {
    /// The entries of a directory, sorted by the bytes of their names.
    ///
    /// # Errors
    /// [`TreeError::Missing`], [`TreeError::NotADirectory`], [`TreeError::HostileName`], [`TreeError::Unreadable`].
    fn list(&self, dir: &TreePath) -> Result<Arc<[Entry]>, TreeError>;

    /// The content of a file, or the target of a symbolic link. `limit` is in bytes.
    ///
    /// # Errors
    /// [`TreeError::TooLarge`], [`TreeError::Missing`], [`TreeError::Unreadable`].
    fn read(&self, file: &TreePath, limit: u64) -> Result<Vec<u8>, TreeError>;

    /// The identity of the root directory, where the store has one.
    fn root_id(&self) -> Option<ContentId>;

    /// Whether the store still stands; one that lost its files is to be had anew.
    fn is_sound(&self) -> bool {
        true
    }
}

/// Where a path leads after its symbolic links are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The path without symbolic links.
    pub path: TreePath,
    /// What is there.
    pub kind: EntryKind,
    /// The identity of its content.
    pub id: Option<ContentId>,
}

/// The files of one revision, read-only. Cheap to clone; clones share what they record.
#[derive(Debug, Clone)]
pub struct Tree {
    store: Arc<dyn TreeStore>,
    record: Option<Arc<Mutex<ReadSet>>>,
}

impl Tree {
    /// A tree over a store.
    pub fn new(store: Arc<dyn TreeStore>) -> Self {
        Self { store, record: None }
    }

    /// The same files, with a fresh record of what is read through this tree and its clones.
    #[must_use]
    pub fn recording(&self) -> Self {
        Self { store: self.store.clone(), record: Some(Arc::default()) }
    }

    /// The same files, without a record.
    #[must_use]
    pub fn unrecorded(&self) -> Self {
        Self { store: self.store.clone(), record: None }
    }

    /// Records that everything in and below a directory counts as read: any other content there is a change. For what
    /// is known by the identity of its directory.
    ///
    /// # Errors
    /// As [`Tree::find`], and where there is no directory.
    pub fn read_whole(&self, dir: &TreePath) -> Result<(), TreeError> {
        let found = self.find(dir)?.ok_or_else(|| TreeError::Missing { path: dir.clone() })?;
        if found.kind != EntryKind::Directory {
            return Err(TreeError::NotADirectory { path: dir.clone() });
        }
        self.note(|set| set.read_whole(&found.path, found.id.clone()));
        Ok(())
    }

    /// What was read so far; empty unless the tree came from [`Tree::recording`].
    pub fn read_set(&self) -> ReadSet {
        let locked = self.record.as_ref().map(|record| record.lock().unwrap_or_else(PoisonError::into_inner));
        locked.map_or_else(ReadSet::default, |set| set.clone())
    }

    /// What stands at a path after following symbolic links, or none if nothing does.
    ///
    /// # Errors
    /// A link that leads out of the tree or loops, a file or a submodule on the way, a store that fails.
    pub fn find(&self, path: &TreePath) -> Result<Option<Found>, TreeError> {
        self.resolve(path, true)
    }

    /// What stands at a path; a symbolic link at its end is not followed.
    ///
    /// # Errors
    /// As [`Tree::find`].
    pub fn find_link(&self, path: &TreePath) -> Result<Option<Found>, TreeError> {
        self.resolve(path, false)
    }

    /// Whether a file stands at the path.
    ///
    /// # Errors
    /// A store that fails, or a link that leads out of the tree. A file or submodule in the way is "no".
    pub fn is_file(&self, path: &TreePath) -> Result<bool, TreeError> {
        match self.find(path) {
            Ok(found) => Ok(found.is_some_and(|found| found.kind == EntryKind::File)),
            Err(TreeError::NotADirectory { .. } | TreeError::Submodule { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads a file of up to [`DEFAULT_FILE_LIMIT`] bytes, following symbolic links.
    ///
    /// # Errors
    /// As [`Tree::find`], and where there is no file or it is too large.
    pub fn read(&self, path: &TreePath) -> Result<Vec<u8>, TreeError> {
        self.read_limited(path, DEFAULT_FILE_LIMIT)
    }

    /// Reads a file of up to `limit` bytes, following symbolic links.
    ///
    /// # Errors
    /// As [`Tree::read`].
    pub fn read_limited(&self, path: &TreePath, limit: u64) -> Result<Vec<u8>, TreeError> {
        let found = self.find(path)?.ok_or_else(|| TreeError::Missing { path: path.clone() })?;
        match found.kind {
            EntryKind::File => self.store.read(&found.path, limit),
            EntryKind::Submodule => Err(TreeError::Submodule { path: path.clone() }),
            EntryKind::Directory | EntryKind::Symlink => Err(TreeError::IsADirectory { path: path.clone() }),
        }
    }

    /// The entries of a directory, sorted by the bytes of their names, following symbolic links to the directory.
    ///
    /// # Errors
    /// As [`Tree::find`], and where there is no directory.
    pub fn list(&self, dir: &TreePath) -> Result<Arc<[Entry]>, TreeError> {
        let found = self.find(dir)?.ok_or_else(|| TreeError::Missing { path: dir.clone() })?;
        match found.kind {
            EntryKind::Directory => {
                let entries = self.store.list(&found.path)?;
                self.note(|set| set.listed(&found.path, found.id.clone(), &entries));
                Ok(entries)
            }
            EntryKind::Submodule => Err(TreeError::Submodule { path: dir.clone() }),
            EntryKind::File | EntryKind::Symlink => Err(TreeError::NotADirectory { path: dir.clone() }),
        }
    }

    /// The files below a directory, links not followed and given as links, in the order of their paths. Submodules
    /// that were not fetched are left out, as Git leaves their directories empty.
    ///
    /// # Errors
    /// As [`Tree::list`]; [`TreeError::TooMany`] beyond `limit` entries.
    pub fn walk(&self, dir: &TreePath, limit: usize) -> Result<Vec<(TreePath, EntryKind)>, TreeError> {
        let mut files = Vec::new();
        let mut seen = 0_usize;
        let mut pending = vec![dir.clone()];
        while let Some(next) = pending.pop() {
            for entry in self.list(&next)?.iter() {
                seen += 1;
                if seen > limit {
                    return Err(TreeError::TooMany { path: dir.clone(), limit });
                }
                let path = next.child(&entry.name);
                match entry.kind {
                    EntryKind::Directory => pending.push(path),
                    EntryKind::File | EntryKind::Symlink => files.push((path, entry.kind)),
                    EntryKind::Submodule => {}
                }
            }
        }
        files.sort_by(|(left, _), (right, _)| left.cmp(right));
        Ok(files)
    }

    /// The identity of what stands at a path, for caches; none where nothing does or the store has no identities.
    ///
    /// # Errors
    /// As [`Tree::find`].
    pub fn id(&self, path: &TreePath) -> Result<Option<ContentId>, TreeError> {
        Ok(self.find(path)?.and_then(|found| found.id))
    }

    fn note(&self, write: impl FnOnce(&mut ReadSet)) {
        if let Some(record) = &self.record {
            write(&mut record.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Follows a path part by part as a kernel would, with `..` of link targets seen from the link's own directory.
    fn resolve(&self, asked: &TreePath, follow_last: bool) -> Result<Option<Found>, TreeError> {
        let mut pending: VecDeque<String> = asked.parts().map(str::to_owned).collect();
        let mut here = Found { path: TreePath::root(), kind: EntryKind::Directory, id: self.store.root_id() };
        let mut links = 0_usize;
        while let Some(part) = pending.pop_front() {
            if here.kind == EntryKind::Submodule {
                return Err(TreeError::Submodule { path: here.path });
            }
            if here.kind != EntryKind::Directory {
                return Err(TreeError::NotADirectory { path: here.path });
            }
            if part == ".." {
                let Some(parent) = here.path.parent() else {
                    return Err(TreeError::LinkOutOfBounds { path: asked.clone() });
                };
                // The parent was passed on the way down, so it is a directory.
                here = Found { id: self.directory_id(&parent)?, path: parent, kind: EntryKind::Directory };
                continue;
            }
            let path = here.path.child(&part);
            let Some(entry) = self.lookup(&here.path, &part)? else { return Ok(None) };
            if entry.kind == EntryKind::Symlink && (follow_last || !pending.is_empty()) {
                links += 1;
                if links > MAX_LINKS {
                    return Err(TreeError::LinkLoop { path: asked.clone() });
                }
                self.prepend_target(&path, &mut pending)?;
                continue;
            }
            here = Found { path, kind: entry.kind, id: entry.id };
        }
        Ok(Some(here))
    }

    fn lookup(&self, dir: &TreePath, name: &str) -> Result<Option<Entry>, TreeError> {
        let entries = self.store.list(dir)?;
        let entry = find_entry(&entries, name).cloned();
        self.note(|set| set.looked_up(&dir.child(name), entry.as_ref()));
        Ok(entry)
    }

    fn directory_id(&self, dir: &TreePath) -> Result<Option<ContentId>, TreeError> {
        let (Some(parent), Some(name)) = (dir.parent(), dir.file_name()) else {
            return Ok(self.store.root_id());
        };
        Ok(find_entry(&self.store.list(&parent)?, name).and_then(|entry| entry.id.clone()))
    }

    fn prepend_target(&self, link: &TreePath, pending: &mut VecDeque<String>) -> Result<(), TreeError> {
        let out_of_bounds = || TreeError::LinkOutOfBounds { path: link.clone() };
        let target = self.store.read(link, MAX_LINK_BYTES)?;
        let target = String::from_utf8(target).map_err(|_| out_of_bounds())?;
        if target.is_empty() || target.starts_with('/') || target.contains('\0') {
            return Err(out_of_bounds());
        }
        for part in target.split('/').rev().filter(|part| !part.is_empty() && *part != ".") {
            pending.push_front(part.to_owned());
        }
        Ok(())
    }
}

/// The entry of that name in a list sorted by name.
pub fn find_entry<'a>(entries: &'a [Entry], name: &str) -> Option<&'a Entry> {
    let at = entries.binary_search_by(|entry| entry.name.as_str().cmp(name)).ok()?;
    entries.get(at)
}
