//! Loading files from where a kustomization stands, with kustomize's restrictions and wording.

use std::sync::Arc;

use crate::error::{Context, Error, ErrorKind, Result};
use crate::files::{Entry, Fetched, Files, clean_path, is_in_or_below, join_path};
use crate::repo_spec::RepoSpec;

/// From where a kustomization may load files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LoadRestrictor {
    /// Only from its own directory and below.
    #[default]
    RootOnly,
    /// From everywhere.
    None,
}

/// A repository in which a loader stands.
struct Repository {
    spec: RepoSpec,
    directory: String,
}

/// Loads what a kustomization in one directory refers to.
pub(crate) struct Loader {
    files: Arc<dyn Files>,
    root: String,
    restrictor: LoadRestrictor,
    repository: Option<Repository>,
    referrer: Option<Arc<Loader>>,
    depth: usize,
}

const NOT_A_DIRECTORY: &str = "must build at directory";

fn pending(reference: &str) -> Error {
    Error::with_kind(ErrorKind::Pending, reference)
}

fn directory_at(files: &dyn Files, path: &str) -> Result<String> {
    if path.is_empty() {
        return Err(Error::new("directory path cannot be empty"));
    }
    match files.resolve(path).context_with(|| "not a valid directory")? {
        Entry::Directory(directory) => Ok(directory),
        Entry::File { .. } => Err(Error::new(format!("'{path}': file is not directory"))),
    }
}

/// Whether a path is a URL of a file to be had by HTTP.
pub(crate) fn is_remote_file(path: &str) -> bool {
    let scheme = path.split(':').next().unwrap_or_default();
    scheme.len() < path.len() && (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"))
}

impl Loader {
    /// A loader for the directory (or repository) that the build starts at.
    pub(crate) fn start(files: Arc<dyn Files>, path: &str, restrictor: LoadRestrictor) -> Result<Arc<Self>> {
        if let Ok(spec) = RepoSpec::parse(path) {
            return Self::at_repository(files, spec, None);
        }
        let root = directory_at(files.as_ref(), path).context_with(|| NOT_A_DIRECTORY)?;
        Ok(Arc::new(Self { files, root, restrictor, repository: None, referrer: None, depth: 0 }))
    }

    /// The directory of the kustomization, absolute and clean.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// How many kustomizations stand between this one and the one that the build started at.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    fn ancestors(self: &Arc<Self>) -> impl Iterator<Item = Arc<Self>> {
        std::iter::successors(Some(Arc::clone(self)), |loader| loader.referrer.clone())
    }

    /// A loader for a directory that this kustomization refers to.
    pub(crate) fn enter(self: &Arc<Self>, path: &str) -> Result<Arc<Self>> {
        if path.is_empty() {
            return Err(Error::new("new root cannot be empty"));
        }
        if let Ok(spec) = RepoSpec::parse(path) {
            self.refuse_repository_cycle(&spec)?;
            return Self::at_repository(Arc::clone(&self.files), spec, Some(Arc::clone(self)));
        }
        if path.starts_with('/') {
            return Err(Error::new(format!("new root '{path}' cannot be absolute")));
        }
        if is_ambiguous(path) {
            return Err(Error::new(format!(
                "path {path:?} is ambiguous: resolves to {:?} after normalization, which is likely not the \
                 intended target; check for YAML indentation errors in your kustomization file",
                clean_path(path)
            )));
        }
        let root = directory_at(self.files.as_ref(), &join_path(&self.root, path))
            .context_with(|| NOT_A_DIRECTORY)?;
        self.refuse_leaving_repository(&root)?;
        self.refuse_cycle(&root)?;
        Ok(Arc::new(Self {
            files: Arc::clone(&self.files),
            root,
            restrictor: self.restrictor,
            repository: None,
            referrer: Some(Arc::clone(self)),
            depth: self.depth + 1,
        }))
    }

    fn at_repository(
        files: Arc<dyn Files>,
        spec: RepoSpec,
        referrer: Option<Arc<Self>>,
    ) -> Result<Arc<Self>> {
        let tree = match files.remote_tree(&spec) {
            Fetched::Done(tree) => tree,
            Fetched::Pending => return Err(pending(spec.raw())),
            Fetched::Failed(error) => return Err(error),
        };
        let path = join_path(&tree.root, spec.path());
        let root = match tree.files.resolve(&path)? {
            Entry::Directory(directory) => directory,
            Entry::File { name, .. } => {
                return Err(Error::new(format!("'{path}' refers to file '{name}'; expecting directory")));
            }
        };
        if !is_in_or_below(&root, &tree.root) {
            return Err(Error::new(format!("{path:?} refers to directory outside of repo {:?}", tree.root)));
        }
        let depth = referrer.as_ref().map_or(0, |referrer| referrer.depth + 1);
        Ok(Arc::new(Self {
            files: tree.files,
            root,
            restrictor: LoadRestrictor::RootOnly,
            repository: Some(Repository { spec, directory: tree.root }),
            referrer,
            depth,
        }))
    }

    fn refuse_leaving_repository(self: &Arc<Self>, root: &str) -> Result<()> {
        for loader in self.ancestors() {
            let Some(repository) = &loader.repository else { continue };
            if is_in_or_below(root, &repository.directory) {
                return Ok(());
            }
            return Err(Error::new(format!(
                "security; bases in kustomizations found in cloned git repos must be within the repo, but base \
                 '{root}' is outside '{}'",
                repository.directory
            )));
        }
        Ok(())
    }

    fn refuse_cycle(self: &Arc<Self>, candidate: &str) -> Result<()> {
        match self.ancestors().find(|loader| is_in_or_below(&loader.root, candidate)) {
            Some(visited) => Err(Error::new(format!(
                "cycle detected: candidate root '{candidate}' contains visited root '{}'",
                visited.root
            ))),
            None => Ok(()),
        }
    }

    fn refuse_repository_cycle(self: &Arc<Self>, spec: &RepoSpec) -> Result<()> {
        for loader in self.ancestors() {
            if let Some(repository) = &loader.repository
                && repository.spec.raw().starts_with(spec.raw())
            {
                return Err(Error::new(format!(
                    "cycle detected: URI '{}' referenced by previous URI '{}'",
                    spec.raw(),
                    repository.spec.raw()
                )));
            }
        }
        Ok(())
    }

    /// The content of a file, by its path from here or its URL.
    pub(crate) fn load(&self, path: &str) -> Result<Arc<[u8]>> {
        if is_remote_file(path) {
            return match self.files.remote_file(path) {
                Fetched::Done(content) => Ok(content),
                Fetched::Pending => Err(pending(path)),
                Fetched::Failed(error) => Err(error),
            };
        }
        let absolute = if path.starts_with('/') { path.to_owned() } else { join_path(&self.root, path) };
        if self.restrictor == LoadRestrictor::None {
            return self.files.read(&absolute);
        }
        match self.files.resolve(&absolute)? {
            Entry::Directory(_) => Err(Error::new(format!("'{absolute}' must resolve to a file"))),
            Entry::File { directory, .. } if !is_in_or_below(&directory, &self.root) => {
                Err(Error::new(format!("security; file '{absolute}' is not in or below '{}'", self.root)))
            }
            Entry::File { directory, name } => self.files.read(&join_path(&directory, &name)),
        }
    }
}

/// Whether a part of a path has dots in it that a slip of indentation left there.
fn is_ambiguous(path: &str) -> bool {
    path.split('/').any(|part| !matches!(part, "" | "." | "..") && part.contains(".."))
}
