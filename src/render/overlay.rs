//! Kustomize overlays, joined to the tree.

use std::sync::{Arc, Mutex, PoisonError};

use kustomize::{Build, Entry, Error, ErrorKind, Fetched, Files, Outcome, RepoSpec};

use crate::api::ApplicationSource;
use crate::flow::{EntryKind, Problem, Tree, TreePath};
use crate::object::Manifest;

use super::chart::plain_version;
use super::env::Env;
use super::needs::{Given, Stop};
use super::remote_files::RemoteFiles;
use super::tree_charts::TreeCharts;
use super::{RenderContext, build_options, documents, overlay_edit, render_problem, tree_problem};

/// The files of a tree as a build sees them.
pub(super) struct TreeFiles {
    pub(super) tree: Tree,
    /// The directory as which the tree's root appears: empty for `/`. Trees of one build have different ones, so that
    /// no path of one is taken for a path of another.
    pub(super) prefix: String,
    /// A file whose content is replaced: the kustomization with the application's options in it.
    pub(super) replaced: Option<(String, Arc<[u8]>)>,
    pub(super) remote: Arc<RemoteFiles>,
}

impl TreeFiles {
    fn tree_path(&self, path: &str) -> Result<TreePath, Error> {
        let outside = || Error::with_kind(ErrorKind::NotFound, format!("'{path}' doesn't exist"));
        let inner = path.strip_prefix(&self.prefix).ok_or_else(outside)?;
        TreePath::parse(inner.trim_start_matches('/')).map_err(|error| Error::new(error.to_string()))
    }

    fn shown(&self, path: &TreePath) -> String {
        kustomize::clean_path(&format!("{}/{}", self.prefix, path.as_str()))
    }
}

impl Files for TreeFiles {
    fn resolve(&self, path: &str) -> Result<Entry, Error> {
        let found = self.tree.find(&self.tree_path(path)?).map_err(|error| Error::new(error.to_string()))?;
        let Some(found) = found else {
            return Err(Error::with_kind(ErrorKind::NotFound, format!("'{path}' doesn't exist")));
        };
        if found.kind == EntryKind::Directory {
            return Ok(Entry::Directory(self.shown(&found.path)));
        }
        let directory = found.path.parent().unwrap_or_else(TreePath::root);
        Ok(Entry::File {
            directory: self.shown(&directory),
            name: found.path.file_name().unwrap_or_default().to_owned(),
        })
    }

    fn read(&self, path: &str) -> Result<Arc<[u8]>, Error> {
        if let Some((replaced, content)) = &self.replaced
            && replaced == path
        {
            return Ok(Arc::clone(content));
        }
        self.tree.read(&self.tree_path(path)?).map(Arc::from).map_err(|error| Error::new(error.to_string()))
    }

    fn remote_file(&self, url: &str) -> Fetched<Arc<[u8]>> {
        self.remote.file(url)
    }

    fn remote_tree(&self, spec: &RepoSpec) -> Fetched<kustomize::Tree> {
        RemoteFiles::tree(&self.remote, spec)
    }
}

pub(super) fn render(
    tree: &Tree,
    root: &TreePath,
    source: &ApplicationSource,
    context: &RenderContext,
    given: &Given,
    env: &Env<'_>,
) -> Result<Vec<Manifest>, Stop> {
    let options = source.kustomize.clone().unwrap_or_default();
    let replaced = overlay_edit::edited(tree, root, &options, env)?;
    let needs = Arc::new(Mutex::new(Vec::new()));
    let remote = Arc::new(RemoteFiles::new(given.clone(), Arc::clone(&needs)));
    let mut files = TreeFiles { tree: tree.clone(), prefix: String::new(), replaced: None, remote };
    files.replaced = replaced.map(|(path, content)| (files.shown(&path), Arc::from(content)));
    let start = files.shown(root);
    let mut build = Build::new(Arc::new(files));
    build.cache = Arc::clone(&context.caches.parsed);
    build.charts = Arc::new(TreeCharts::new(
        tree.clone(),
        Arc::clone(&context.caches),
        given.clone(),
        Arc::clone(&needs),
    ));
    build_options::read(&context.kustomize_build_options, &mut build.options)?;
    if build.options.enable_helm {
        let own = |own: &str| if own.is_empty() { context.kube_version.clone() } else { own.to_owned() };
        build.options.helm_kube_version = plain_version(&own(&options.kube_version));
        let versions =
            if options.api_versions.is_empty() { &context.api_versions } else { &options.api_versions };
        build.options.helm_api_versions.extend_from_slice(versions);
    }
    let outcome = build.run(&start).map_err(|error| render_problem(format!("kustomize build: {error}")))?;
    match outcome {
        Outcome::Done(output) => Ok(documents::read_documents("kustomize build", output.text.as_bytes())?),
        Outcome::Needs(_) => {
            let needs = std::mem::take(&mut *needs.lock().unwrap_or_else(PoisonError::into_inner));
            Err(Stop::Needs(needs))
        }
    }
}

/// Where the kustomization of a folder stands.
pub(super) fn kustomization_of(tree: &Tree, root: &TreePath) -> Result<Option<TreePath>, Problem> {
    for name in ["kustomization.yaml", "kustomization.yml", "Kustomization"] {
        let path = root.child(name);
        if tree.is_file(&path).map_err(|error| tree_problem(&error))? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}
