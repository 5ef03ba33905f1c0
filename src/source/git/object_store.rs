//! Reading objects of a mirror from many threads, and a commit's files as a [`TreeStore`].

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use git2::{ErrorCode, ObjectType, Odb, Oid, Repository, RepositoryOpenFlags};

use crate::flow::{ContentId, Entry, EntryKind, TreeError, TreePath, TreeStore, find_entry};

/// Largest tree object (one directory) that is read: 64 MiB is about a million entries.
const MAX_TREE_BYTES: usize = 64 << 20;
/// Directories of one commit that are kept parsed.
const MAX_CACHED_DIRECTORIES: usize = 4096;
/// Open handles kept for reuse.
const MAX_IDLE_HANDLES: usize = 4;

/// The object database of one mirror. libgit2's handles serve one thread at a time, so there is a pool of them.
#[derive(Debug)]
pub(crate) struct ObjectStore {
    path: PathBuf,
    idle: Mutex<Vec<Handle>>,
    /// Set when an object that must be there was not: the mirror is then made anew.
    damaged: AtomicBool,
}

struct Handle(Repository);

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handle")
    }
}

impl ObjectStore {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::default(), damaged: AtomicBool::new(false) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }

    /// Forgets open handles and damage, after the mirror was made anew.
    pub(crate) fn reset(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.damaged.store(false, Ordering::Relaxed);
    }

    /// Runs `work` with a handle that no other thread uses.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&Repository) -> Result<T, git2::Error>,
    ) -> Result<T, git2::Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let handle = match idle {
            Some(handle) => handle,
            None => Handle(open_bare(&self.path)?),
        };
        let result = work(&handle.0);
        // A handle that failed is dropped: it may hold files that another process has replaced.
        if result.is_ok() {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < MAX_IDLE_HANDLES {
                idle.push(handle);
            }
        }
        result
    }

    /// Has the mirror made anew the next time it is locked.
    pub(crate) fn set_damaged(&self) {
        self.damaged.store(true, Ordering::Relaxed);
    }

    fn damaged(&self, path: &TreePath, error: &git2::Error) -> TreeError {
        self.set_damaged();
        TreeError::Unreadable { path: path.clone(), reason: format!("cache damaged: {}", error.message()) }
    }
}

/// Opens a bare repository without looking at parent directories or the environment.
pub(crate) fn open_bare(path: &Path) -> Result<Repository, git2::Error> {
    let none: [&str; 0] = [];
    Repository::open_ext(path, RepositoryOpenFlags::BARE | RepositoryOpenFlags::NO_SEARCH, none)
}

/// The files of one commit.
#[derive(Debug)]
pub(crate) struct CommitTree {
    objects: Arc<ObjectStore>,
    root: Oid,
    directories: Mutex<HashMap<TreePath, Arc<[Entry]>>>,
}

impl CommitTree {
    /// `root` is the id of the commit's tree object.
    pub(crate) fn new(objects: Arc<ObjectStore>, root: Oid) -> Self {
        Self { objects, root, directories: Mutex::default() }
    }

    fn entry(&self, path: &TreePath) -> Result<(EntryKind, Oid), TreeError> {
        let missing = || TreeError::Missing { path: path.clone() };
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok((EntryKind::Directory, self.root));
        };
        let entries = self.list(&parent)?;
        let entry = find_entry(&entries, name).ok_or_else(missing)?;
        let id = entry.id.as_ref().and_then(|id| Oid::from_str(&id.0).ok()).ok_or_else(missing)?;
        Ok((entry.kind, id))
    }
}

impl TreeStore for CommitTree {
    fn list(&self, dir: &TreePath) -> Result<Arc<[Entry]>, TreeError> {
        let cached = self.directories.lock().unwrap_or_else(PoisonError::into_inner).get(dir).cloned();
        if let Some(entries) = cached {
            return Ok(entries);
        }
        // Goes up one directory at a time; a path has at most a few thousand parts, and Tree asks from the top down,
        // so that the parent is cached.
        let (kind, id) = self.entry(dir)?;
        if kind != EntryKind::Directory {
            return Err(TreeError::NotADirectory { path: dir.clone() });
        }
        let raw = self
            .objects
            .with(|repository| read_object(&repository.odb()?, id, ObjectType::Tree, MAX_TREE_BYTES));
        let raw = raw.map_err(|error| self.objects.damaged(dir, &error))?;
        let raw =
            raw.ok_or_else(|| TreeError::TooLarge { path: dir.clone(), limit: MAX_TREE_BYTES as u64 })?;
        let entries: Arc<[Entry]> =
            parse_tree(&raw).ok_or_else(|| TreeError::HostileName { path: dir.clone() })?.into();
        let mut directories = self.directories.lock().unwrap_or_else(PoisonError::into_inner);
        if directories.len() >= MAX_CACHED_DIRECTORIES {
            directories.clear();
        }
        directories.insert(dir.clone(), entries.clone());
        Ok(entries)
    }

    fn read(&self, file: &TreePath, limit: u64) -> Result<Vec<u8>, TreeError> {
        let (kind, id) = self.entry(file)?;
        if !matches!(kind, EntryKind::File | EntryKind::Symlink) {
            return Err(TreeError::IsADirectory { path: file.clone() });
        }
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let blob =
            self.objects.with(|repository| read_object(&repository.odb()?, id, ObjectType::Blob, most));
        let blob = blob.map_err(|error| self.objects.damaged(file, &error))?;
        blob.ok_or_else(|| TreeError::TooLarge { path: file.clone(), limit })
    }

    fn root_id(&self) -> Option<ContentId> {
        Some(content_id(self.root))
    }

    fn is_sound(&self) -> bool {
        !self.objects.is_damaged()
    }
}

fn content_id(id: Oid) -> ContentId {
    ContentId(id.to_string().into())
}

/// An object's bytes; none if it is larger than `most`. The size is known before anything is unpacked.
fn read_object(
    odb: &Odb<'_>,
    id: Oid,
    kind: ObjectType,
    most: usize,
) -> Result<Option<Vec<u8>>, git2::Error> {
    let (size, found) = odb.read_header(id)?;
    if found != kind {
        return Err(git2::Error::new(ErrorCode::Invalid, git2::ErrorClass::Odb, "object of another kind"));
    }
    if size > most {
        return Ok(None);
    }
    Ok(Some(odb.read(id)?.data().to_vec()))
}

/// Parses a tree object: `<mode> <name>\0<20 bytes of id>`, again and again. None for what no honest Git writes.
/// Names that are not UTF-8 get replacement characters.
pub(super) fn parse_tree(mut raw: &[u8]) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    while !raw.is_empty() {
        let space = raw.iter().position(|byte| *byte == b' ')?;
        let (mode, rest) = (raw.get(..space)?, raw.get(space + 1..)?);
        let end = rest.iter().position(|byte| *byte == 0)?;
        let (name, rest) = (rest.get(..end)?, rest.get(end + 1..)?);
        let (id, rest) = rest.split_at_checked(20)?;
        let mode = u32::from_str_radix(std::str::from_utf8(mode).ok()?, 8).ok()?;
        let kind = match mode & 0o170_000 {
            0o040_000 => EntryKind::Directory,
            0o120_000 => EntryKind::Symlink,
            0o160_000 => EntryKind::Submodule,
            _ => EntryKind::File,
        };
        let name = String::from_utf8_lossy(name).into_owned();
        let forbidden = name.is_empty() || name == "." || name == ".." || name.contains('/');
        if forbidden || name.eq_ignore_ascii_case(".git") {
            return None;
        }
        entries.push(Entry { name, kind, id: Some(content_id(Oid::from_bytes(id).ok()?)) });
        raw = rest;
    }
    // Git sorts directories as if their names ended in a slash.
    entries.sort_by(|left, right| left.name.cmp(&right.name));
    let twice = entries.windows(2).any(|pair| matches!(pair, [left, right] if left.name == right.name));
    (!twice).then_some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(mode: &str, name: &[u8]) -> Vec<u8> {
        [mode.as_bytes(), b" ", name, b"\0", &[7; 20]].concat()
    }

    #[test]
    fn trees_are_parsed_and_sorted_by_name() {
        let raw = [entry("100644", b"a.b"), entry("40000", b"a"), entry("120000", b"new\nline")].concat();
        let names: Vec<_> = parse_tree(&raw).unwrap().into_iter().map(|e| (e.name, e.kind)).collect();
        let expected =
            [("a", EntryKind::Directory), ("a.b", EntryKind::File), ("new\nline", EntryKind::Symlink)];
        assert_eq!(names, expected.map(|(name, kind)| (name.to_owned(), kind)));
    }

    #[test]
    fn hostile_trees_are_refused() {
        for name in [&b".."[..], b".", b"", b"../x", b"/etc", b".git", b".GIT"] {
            assert!(parse_tree(&entry("100644", name)).is_none(), "{name:?}");
        }
        assert!(parse_tree(&[entry("100644", b"a"), entry("40000", b"a")].concat()).is_none());
        assert!(parse_tree(b"100644 a\0short").is_none());
        assert!(parse_tree(b"1").is_none());
    }
}
