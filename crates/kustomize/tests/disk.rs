//! Files on disk and in memory, for tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kustomize::{Entry, Error, Fetched, Files, RepoSpec, Tree, missing};

/// Files on disk.
pub(crate) struct Disk;

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

impl Files for Disk {
    fn resolve(&self, path: &str) -> Result<Entry, Error> {
        let real = Path::new(path).canonicalize().map_err(|_| {
            let mut first = PathBuf::new();
            for part in Path::new(path).components() {
                first.push(part);
                if !first.exists() {
                    break;
                }
            }
            missing(path, &text(&first))
        })?;
        if real.is_dir() {
            return Ok(Entry::Directory(text(&real)));
        }
        let name = real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Entry::File { directory: text(real.parent().unwrap_or(Path::new("/"))), name })
    }

    fn read(&self, path: &str) -> Result<Arc<[u8]>, Error> {
        std::fs::read(path).map(Arc::from).map_err(|error| Error::new(format!("open {path}: {error}")))
    }
}

/// Files in memory, by clean absolute path. Remote references are pending until they are added.
#[derive(Default, Clone)]
pub(crate) struct Memory {
    files: BTreeMap<String, Vec<u8>>,
    remote_files: BTreeMap<String, Vec<u8>>,
    remote_trees: BTreeMap<String, Memory>,
}

impl Memory {
    /// Files with these contents.
    pub(crate) fn new<P: Into<String>, C: Into<Vec<u8>>>(files: impl IntoIterator<Item = (P, C)>) -> Self {
        let files = files.into_iter().map(|(path, content)| (path.into(), content.into())).collect();
        Self { files, ..Self::default() }
    }

    /// With the content of a URL.
    pub(crate) fn with_file(mut self, url: &str, content: &str) -> Self {
        self.remote_files.insert(url.to_owned(), content.as_bytes().to_vec());
        self
    }

    /// With the files of a repository, by its URL for cloning.
    pub(crate) fn with_tree(mut self, url: &str, tree: Memory) -> Self {
        self.remote_trees.insert(url.to_owned(), tree);
        self
    }
}

impl Files for Memory {
    fn resolve(&self, path: &str) -> Result<Entry, Error> {
        if self.files.contains_key(path) {
            let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
            let directory = if directory.is_empty() { "/" } else { directory };
            return Ok(Entry::File { directory: directory.to_owned(), name: name.to_owned() });
        }
        let prefix = if path == "/" { "/".to_owned() } else { format!("{path}/") };
        if self.files.keys().any(|file| file.starts_with(&prefix)) {
            return Ok(Entry::Directory(path.to_owned()));
        }
        Err(missing(path, path))
    }

    fn read(&self, path: &str) -> Result<Arc<[u8]>, Error> {
        self.files.get(path).map(|content| Arc::from(content.as_slice())).ok_or_else(|| missing(path, path))
    }

    fn remote_file(&self, url: &str) -> Fetched<Arc<[u8]>> {
        if self.remote_trees.keys().any(|tree| url.starts_with(tree)) {
            return Fetched::Failed(Error::new("URL is a git repository"));
        }
        match self.remote_files.get(url) {
            Some(content) => Fetched::Done(Arc::from(content.as_slice())),
            None => Fetched::Pending,
        }
    }

    fn remote_tree(&self, spec: &RepoSpec) -> Fetched<Tree> {
        match self.remote_trees.get(&spec.clone_url()) {
            Some(tree) => Fetched::Done(Tree { files: Arc::new(tree.clone()), root: "/".to_owned() }),
            None => Fetched::Pending,
        }
    }
}
