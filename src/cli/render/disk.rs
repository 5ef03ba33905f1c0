//! Folders of the local disk, for `kustomize`: paths and errors as that tool has them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kustomize::{Entry, Error, Fetched, Files, RepoSpec, Tree};

use crate::render::RemoteFiles;

/// The local disk, and what was fetched.
pub(super) struct Disk {
    pub(super) remote: Arc<RemoteFiles>,
}

impl Disk {
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
        let real = Path::new(path).canonicalize().map_err(|_| Self::missing(path))?;
        if real.is_dir() {
            return Ok(Entry::Directory(real.to_string_lossy().into_owned()));
        }
        let directory = real.parent().map_or_else(|| "/".into(), Path::to_string_lossy).into_owned();
        let name = real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Entry::File { directory, name })
    }

    fn read(&self, path: &str) -> Result<Arc<[u8]>, Error> {
        std::fs::read(path).map(Arc::from).map_err(|error| match error.kind() {
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
