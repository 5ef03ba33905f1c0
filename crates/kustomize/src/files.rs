//! Where the files of a build come from. The caller implements [`Files`]; this crate touches no disk.

use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::repo_spec::RepoSpec;

/// What stands at a path, symbolic links followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A directory, by its clean absolute path.
    Directory(String),
    /// A file: the clean absolute path of its directory, and its name there.
    File {
        /// The directory.
        directory: String,
        /// The name in the directory.
        name: String,
    },
}

/// What became of a remote reference.
#[derive(Debug)]
pub enum Fetched<T> {
    /// Here it is.
    Done(T),
    /// It is not here yet: the build ends with [`Outcome::Needs`](crate::Outcome::Needs).
    Pending,
    /// It cannot be had; the error tells why.
    Failed(Error),
}

/// A repository that was fetched.
#[derive(Clone)]
pub struct Tree {
    /// Its files.
    pub files: Arc<dyn Files>,
    /// The directory of its root, by its clean absolute path in `files`.
    pub root: String,
}

/// The files that a build may read. Paths are absolute, clean and separated by `/`.
///
/// Whether a path may be read is decided by this crate (root-only unless told otherwise), on what
/// [`Files::resolve`] says that the path really is.
pub trait Files: Send + Sync {
    /// What stands at a path, symbolic links followed.
    ///
    /// # Errors
    /// Nothing is there. The message becomes part of the build's; see [`missing`].
    fn resolve(&self, path: &str) -> Result<Entry>;

    /// The content of a file.
    ///
    /// # Errors
    /// It cannot be read.
    fn read(&self, path: &str) -> Result<Arc<[u8]>>;

    /// The content of an `http` or `https` URL.
    fn remote_file(&self, url: &str) -> Fetched<Arc<[u8]>> {
        Fetched::Failed(Error::with_kind(
            ErrorKind::Refused,
            format!("remote file '{url}' is not allowed here"),
        ))
    }

    /// A Git repository at a revision.
    fn remote_tree(&self, spec: &RepoSpec) -> Fetched<Tree> {
        Fetched::Failed(Error::with_kind(
            ErrorKind::Refused,
            format!("remote repository '{}' is not allowed here", spec.raw()),
        ))
    }
}

/// The error for a path where nothing is, in the words that kustomize has for files on disk.
/// `first` is the first part of the path that does not exist.
pub fn missing(path: &str, first: &str) -> Error {
    Error::with_kind(
        ErrorKind::NotFound,
        format!("evalsymlink failure on '{path}' : lstat {first}: no such file or directory"),
    )
}

/// A path without `.`, `..` and doubled separators, as Go's `filepath.Clean` makes it.
pub fn clean_path(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

/// Two paths joined and cleaned, as Go's `filepath.Join` does it.
pub(crate) fn join_path(base: &str, path: &str) -> String {
    match (base.is_empty(), path.is_empty()) {
        (true, true) => String::new(),
        (true, false) => clean_path(path),
        (false, true) => clean_path(base),
        (false, false) => clean_path(&format!("{base}/{path}")),
    }
}

/// Whether `path` is `directory` or below it.
pub(crate) fn is_in_or_below(path: &str, directory: &str) -> bool {
    directory == "/"
        || path == directory
        || path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}
