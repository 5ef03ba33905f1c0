//! A folder of plain YAML and JSON.

use crate::api::{ApplicationSource, DirectorySource};
use crate::flow::{EntryKind, Problem, Tree, TreePath};
use crate::object::{Manifest, glob_matches};

use super::{documents, render_problem, tree_problem};

/// How many files one folder may hold.
const MOST_FILES: usize = 50_000;
/// Bytes of all manifests of one application together.
const MOST_BYTES: usize = 100 << 20;

pub(super) fn render(
    tree: &Tree,
    root: &TreePath,
    source: &ApplicationSource,
) -> Result<Vec<Manifest>, Problem> {
    let options = source.directory.clone().unwrap_or_default();
    if options.jsonnet != Default::default() {
        return Err(render_problem(
            "spec.source.directory.jsonnet: Jsonnet is not supported yet; render it in CI",
        ));
    }
    let mut objects = Vec::new();
    let mut bytes = 0;
    for path in files(tree, root, &options)? {
        let relative = path.below(root).unwrap_or_else(|| path.clone());
        if !is_wanted(relative.as_str(), &options) {
            continue;
        }
        let text = tree.read(&path).map_err(|error| tree_problem(&error))?;
        bytes += text.len();
        if bytes > MOST_BYTES {
            return Err(render_problem(format!(
                "the manifests are larger than {} MB together",
                MOST_BYTES >> 20
            )));
        }
        objects.extend(documents::read_documents(path.as_str(), &text)?);
    }
    Ok(objects)
}

fn files(tree: &Tree, root: &TreePath, options: &DirectorySource) -> Result<Vec<TreePath>, Problem> {
    let is_manifest = |path: &TreePath| {
        let name = path.file_name().unwrap_or_default();
        [".yaml", ".yml", ".json"].iter().any(|ending| name.ends_with(ending))
    };
    let mut found = Vec::new();
    if options.recurse {
        let walked = tree.walk(root, MOST_FILES).map_err(|error| tree_problem(&error))?;
        found.extend(
            walked.into_iter().filter(|(_, kind)| *kind != EntryKind::Directory).map(|(path, _)| path),
        );
    } else {
        let entries = tree.list(root).map_err(|error| tree_problem(&error))?;
        found.extend(
            entries.iter().filter(|one| one.kind != EntryKind::Directory).map(|one| root.child(&one.name)),
        );
    }
    found.retain(is_manifest);
    found.sort();
    let mut files = Vec::new();
    for path in found {
        if tree.is_file(&path).map_err(|error| tree_problem(&error))? {
            files.push(path);
        }
    }
    Ok(files)
}

fn is_wanted(path: &str, options: &DirectorySource) -> bool {
    let matches = |patterns: &str| braces(patterns).iter().any(|glob| glob_matches(glob, path));
    if !options.exclude.is_empty() && matches(&options.exclude) {
        return false;
    }
    options.include.is_empty() || matches(&options.include)
}

/// `{a.yaml,b/*.yaml}` is a choice of globs.
fn braces(pattern: &str) -> Vec<String> {
    let Some((before, rest)) = pattern.split_once('{') else { return vec![pattern.to_owned()] };
    let Some((choices, after)) = rest.split_once('}') else { return vec![pattern.to_owned()] };
    choices.split(',').map(|choice| format!("{before}{}{after}", choice.trim())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn include_and_exclude_take_choices() {
        let options = DirectorySource {
            include: "{*.yaml,sub/*}".into(),
            exclude: "secret*".into(),
            ..DirectorySource::default()
        };
        assert!(is_wanted("a.yaml", &options) && is_wanted("sub/b.json", &options));
        assert!(!is_wanted("secret.yaml", &options) && !is_wanted("a.json", &options));
    }
}
