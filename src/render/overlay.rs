//! Kustomize overlays, joined to the tree.

use std::sync::Arc;

use kustomize::{Build, Entry, Error, ErrorKind, Files, LoadRestrictor, Outcome};

use crate::api::ApplicationSource;
use crate::flow::{EntryKind, Problem, Tree, TreePath};
use crate::object::Manifest;

use super::chart::TreeCharts;
use super::{RenderContext, documents, overlay_edit, render_problem, tree_problem};

/// The files of a tree as a build sees them: the tree's root is `/`.
struct TreeFiles {
    tree: Tree,
    /// A file whose content is replaced: the kustomization with the application's options in it.
    replaced: Option<(String, Arc<[u8]>)>,
}

fn tree_path(path: &str) -> Result<TreePath, Error> {
    TreePath::parse(path.trim_start_matches('/')).map_err(|error| Error::new(error.to_string()))
}

fn shown(path: &TreePath) -> String {
    kustomize::clean_path(&format!("/{}", path.as_str()))
}

impl Files for TreeFiles {
    fn resolve(&self, path: &str) -> Result<Entry, Error> {
        let found = self.tree.find(&tree_path(path)?).map_err(|error| Error::new(error.to_string()))?;
        let Some(found) = found else {
            return Err(Error::with_kind(ErrorKind::NotFound, format!("'{path}' doesn't exist")));
        };
        if found.kind == EntryKind::Directory {
            return Ok(Entry::Directory(shown(&found.path)));
        }
        let directory = found.path.parent().unwrap_or_else(TreePath::root);
        Ok(Entry::File {
            directory: shown(&directory),
            name: found.path.file_name().unwrap_or_default().to_owned(),
        })
    }

    fn read(&self, path: &str) -> Result<Arc<[u8]>, Error> {
        if let Some((replaced, content)) = &self.replaced
            && replaced == path
        {
            return Ok(Arc::clone(content));
        }
        self.tree.read(&tree_path(path)?).map(Arc::from).map_err(|error| Error::new(error.to_string()))
    }
}

pub(super) fn render(
    tree: &Tree,
    root: &TreePath,
    source: &ApplicationSource,
    context: &RenderContext,
) -> Result<Vec<Manifest>, Problem> {
    let options = source.kustomize.clone().unwrap_or_default();
    let replaced = overlay_edit::edited(tree, root, &options, context)?;
    let files = TreeFiles {
        tree: tree.clone(),
        replaced: replaced.map(|(path, content)| (shown(&path), Arc::from(content))),
    };
    let mut build = Build::new(Arc::new(files));
    build.charts = Arc::new(TreeCharts::new(tree.clone()));
    read_build_options(&context.kustomize_build_options, &mut build)?;
    let outcome =
        build.run(&shown(root)).map_err(|error| render_problem(format!("kustomize build: {error}")))?;
    match outcome {
        Outcome::Done(output) => documents::read_documents("kustomize build", output.text.as_bytes()),
        Outcome::Needs(needs) => Err(render_problem(format!(
            "remote bases and files are not supported yet: {}; copy them into the repository",
            needs.join(", ")
        ))),
    }
}

/// `kustomize.buildOptions` of argocd-cm.
fn read_build_options(options: &str, build: &mut Build) -> Result<(), Problem> {
    let mut words = options.split_whitespace().flat_map(|word| word.split('='));
    while let Some(word) = words.next() {
        match word {
            "--enable-helm" => build.options.enable_helm = true,
            "--load-restrictor"
                if words.next().is_some_and(|value| value.to_lowercase().ends_with("none")) =>
            {
                build.options.load_restrictor = LoadRestrictor::None;
            }
            "--enable-alpha-plugins" | "--enable-exec" | "--network" => {
                return Err(render_problem(format!(
                    "kustomize.buildOptions: {word} runs programs and is refused; take it out of argocd-cm"
                )));
            }
            _ => {}
        }
    }
    Ok(())
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
