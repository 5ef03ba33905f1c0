//! Folders of the local disk, for `kustomize`: paths and errors as that tool has them.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use kustomize::{Entry, Error, ErrorKind, Fetched, Files, RepoSpec, Tree};

use crate::render::RemoteFiles;

/// Longest file that is read: a device has no end.
const MOST_BYTES: u64 = 256 << 20;

/// The local disk, and what was fetched.
pub(super) struct Disk {
    remote: Arc<RemoteFiles>,
    /// Where directories that were looked up really are: a build asks for the same ones again and again.
    directories: Mutex<HashMap<PathBuf, PathBuf>>,
}

impl Disk {
    pub(super) fn new(remote: Arc<RemoteFiles>) -> Self {
        Self { remote, directories: Mutex::default() }
    }

    fn directory(&self, path: &Path) -> std::io::Result<PathBuf> {
        let known = self.directories.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let real = path.canonicalize()?;
        let mut directories = self.directories.lock().unwrap_or_else(PoisonError::into_inner);
        directories.insert(path.to_owned(), real.clone());
        Ok(real)
    }

    /// The path without links, and whether it is a directory.
    fn real(&self, path: &Path) -> std::io::Result<(PathBuf, bool)> {
        if let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
            let candidate = self.directory(parent)?.join(name);
            let kind = candidate.symlink_metadata()?.file_type();
            if !kind.is_symlink() {
                return Ok((candidate, kind.is_dir()));
            }
        }
        let real = path.canonicalize()?;
        let is_directory = real.is_dir();
        Ok((real, is_directory))
    }

    /// kustomize names the first part of a path that does not exist.
    fn missing(path: &str) -> Error {
        let mut first = PathBuf::new();
        for part in Path::new(path).components() {
            first.push(part);
            if !first.exists() {
                break;
            }
        }
        kustomize::missing(path, &first.to_string_lossy())
    }
}

impl Files for Disk {
    fn resolve(&self, path: &str) -> Result<Entry, Error> {
        let (real, is_directory) = self.real(Path::new(path)).map_err(|_| Self::missing(path))?;
        if is_directory {
            return Ok(Entry::Directory(real.to_string_lossy().into_owned()));
        }
        let directory = real.parent().map_or_else(|| "/".into(), Path::to_string_lossy).into_owned();
        let name = real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Entry::File { directory, name })
    }

    fn read(&self, path: &str) -> Result<Arc<[u8]>, Error> {
        let limited = std::fs::File::open(path).and_then(|file| {
            let mut content =
                Vec::with_capacity(file.metadata().map_or(0, |about| about.len().min(MOST_BYTES) as usize));
            file.take(MOST_BYTES + 1).read_to_end(&mut content).map(|_| content)
        });
        if limited.as_ref().is_ok_and(|content| content.len() as u64 > MOST_BYTES) {
            return Err(Error::with_kind(
                ErrorKind::Limit,
                format!("{path}: the file is longer than {MOST_BYTES} bytes"),
            ));
        }
        limited.map(Arc::from).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::new(format!("open {path}: no such file or directory")),
            std::io::ErrorKind::IsADirectory => Error::new(format!("read {path}: is a directory")),
            _ => Error::new(format!("open {path}: {error}")),
        })
    }

    fn remote_file(&self, url: &str) -> Fetched<Arc<[u8]>> {
        self.remote.file(url)
    }

    fn remote_tree(&self, spec: &RepoSpec) -> Fetched<Tree> {
        RemoteFiles::tree(&self.remote, spec)
    }
}
