//! A directory of this machine as a tree, for the command line (`tiphys render … DIR`).

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::flow::{ContentId, Entry, EntryKind, Tree, TreeError, TreePath, TreeStore};

/// Reads a local directory. Symbolic links are followed by [`Tree`] and so stay inside, as in a repository; `.git`
/// is left out. Contents have no identity, so nothing read from here is ever "unchanged".
#[derive(Debug)]
pub struct DirTree {
    root: PathBuf,
}

impl DirTree {
    /// The tree of a directory.
    ///
    /// # Errors
    /// [`TreeError::Unreadable`] where there is no directory.
    pub fn open(root: &Path) -> Result<Tree, TreeError> {
        let failed = |reason: String| TreeError::Unreadable { path: TreePath::root(), reason };
        let shown = root.display();
        let root = root.canonicalize().map_err(|error| failed(format!("{shown}: {error}")))?;
        if !root.is_dir() {
            return Err(failed(format!("{shown} is not a directory")));
        }
        Ok(Tree::new(Arc::new(Self { root })))
    }

    /// The place on disk, whose directories are real ones: a link that was put there since `Tree` looked leads
    /// elsewhere when resolved.
    fn place(&self, path: &TreePath) -> Result<PathBuf, TreeError> {
        let place = path.parts().fold(self.root.clone(), |place, part| place.join(part));
        let parent = if path.is_root() { Some(place.as_path()) } else { place.parent() };
        let real = parent.map(Path::canonicalize).transpose().map_err(|error| unreadable(path, &error))?;
        if real.as_deref() == parent {
            Ok(place)
        } else {
            Err(TreeError::LinkOutOfBounds { path: path.clone() })
        }
    }
}

impl TreeStore for DirTree {
    fn list(&self, dir: &TreePath) -> Result<Arc<[Entry]>, TreeError> {
        let place = self.place(dir)?;
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(place).map_err(|error| unreadable(dir, &error))? {
            let entry = entry.map_err(|error| unreadable(dir, &error))?;
            let kind = entry.file_type().map_err(|error| unreadable(dir, &error))?;
            let kind = if kind.is_symlink() {
                EntryKind::Symlink
            } else if kind.is_dir() {
                EntryKind::Directory
            } else if kind.is_file() {
                EntryKind::File
            } else {
                // Sockets, pipes and devices are in no repository.
                continue;
            };
            // Names that are not UTF-8 cannot be asked for; they are listed so that nothing vanishes in silence.
            let name = entry.file_name().to_string_lossy().into_owned();
            if name != ".git" {
                entries.push(Entry { name, kind, id: None });
            }
        }
        entries.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(entries.into())
    }

    fn read(&self, file: &TreePath, limit: u64) -> Result<Vec<u8>, TreeError> {
        let place = self.place(file)?;
        let found = place.symlink_metadata().map_err(|error| unreadable(file, &error))?;
        if found.is_symlink() {
            let target = std::fs::read_link(&place).map_err(|error| unreadable(file, &error))?;
            return Ok(target.to_string_lossy().into_owned().into_bytes());
        }
        let mut bytes = Vec::new();
        let opened = std::fs::File::open(&place).map_err(|error| unreadable(file, &error))?;
        let real = place.canonicalize().map_err(|error| unreadable(file, &error))?;
        if real != place {
            return Err(TreeError::LinkOutOfBounds { path: file.clone() });
        }
        // The file may grow while it is read.
        let read = opened.take(limit.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| unreadable(file, &error))?;
        if bytes.len() as u64 > limit {
            return Err(TreeError::TooLarge { path: file.clone(), limit });
        }
        Ok(bytes)
    }

    fn root_id(&self) -> Option<ContentId> {
        None
    }
}

fn unreadable(path: &TreePath, error: &std::io::Error) -> TreeError {
    match error.kind() {
        std::io::ErrorKind::NotFound => TreeError::Missing { path: path.clone() },
        std::io::ErrorKind::NotADirectory => TreeError::NotADirectory { path: path.clone() },
        _ => TreeError::Unreadable { path: path.clone(), reason: error.to_string() },
    }
}
