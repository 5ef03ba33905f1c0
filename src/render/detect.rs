//! How a folder is rendered: as the source says, or as its files say.

use crate::api::{ApplicationSource, SourceType};
use crate::flow::{Problem, Tree, TreePath};

use super::{render_problem, tree_problem};

/// Names of a kustomization, in the order in which kustomize looks for them.
const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

pub(super) fn detect(
    tree: &Tree,
    root: &TreePath,
    source: &ApplicationSource,
) -> Result<SourceType, Problem> {
    let named: Vec<SourceType> = [
        (source.helm.is_some(), SourceType::Helm),
        (source.kustomize.is_some(), SourceType::Kustomize),
        (source.directory.is_some(), SourceType::Directory),
        (source.plugin.is_some(), SourceType::Plugin),
    ]
    .into_iter()
    .filter_map(|(is_set, kind)| is_set.then_some(kind))
    .collect();
    match named.as_slice() {
        [] => {}
        [one] => return Ok(*one),
        many => {
            return Err(render_problem(format!(
                "multiple application sources defined: {many:?}; keep one of helm, kustomize, directory, plugin"
            )));
        }
    }
    if !source.chart.is_empty() || is_file(tree, root, "Chart.yaml")? {
        return Ok(SourceType::Helm);
    }
    for name in KUSTOMIZATIONS {
        if is_file(tree, root, name)? {
            return Ok(SourceType::Kustomize);
        }
    }
    Ok(SourceType::Directory)
}

fn is_file(tree: &Tree, root: &TreePath, name: &str) -> Result<bool, Problem> {
    tree.is_file(&root.child(name)).map_err(|error| tree_problem(&error))
}
