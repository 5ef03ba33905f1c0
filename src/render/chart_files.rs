//! The files of a chart: read from a tree, parsed once for everybody.

use std::sync::Arc;

use helm::{ArchiveLimits, Chart, File, IgnoreRules};

use crate::flow::{EntryKind, Problem, Tree, TreePath};

use super::caches::RenderCaches;
use super::{render_problem, tree_problem};

/// Files that one chart may hold.
pub(super) const MOST_FILES: usize = 20_000;

/// Charts that were fetched to stand below `charts/`: the folder's name there, and the chart's files.
pub(super) type Vendored = Vec<(String, Tree, TreePath)>;

/// The chart in a folder, with the fetched ones in its `charts/`. Parsed unless the same content was parsed before; the
/// whole folder counts as read.
pub(super) fn load(
    tree: &Tree,
    root: &TreePath,
    vendored: &Vendored,
    caches: &RenderCaches,
) -> Result<Arc<Chart>, Problem> {
    let key = key_of(tree, root, vendored)?;
    if let Some(known) = key.as_ref().and_then(|key| caches.chart(key)) {
        tree.read_whole(root).map_err(|error| tree_problem(&error))?;
        for (_, tree, root) in vendored {
            tree.read_whole(root).map_err(|error| tree_problem(&error))?;
        }
        return Ok(known);
    }
    let mut read = read(tree, root, key.is_some())?;
    for (name, tree, root) in vendored {
        let inner = self::read(tree, root, key.is_some())?;
        read.has_links |= inner.has_links;
        read.files.extend(
            inner
                .files
                .into_iter()
                .map(|file| File { path: format!("charts/{name}/{}", file.path).into(), data: file.data }),
        );
    }
    let size = read.files.iter().map(|file| file.data.len() + file.path.len()).sum();
    let chart = Chart::load(read.files, &ArchiveLimits::default()).map_err(super::chart::failed)?;
    let chart = Arc::new(chart);
    // What a link leads to is not part of the folder's identity.
    if let Some(key) = key.filter(|_| !read.has_links) {
        caches.keep_chart(key, Arc::clone(&chart), size);
    }
    Ok(chart)
}

/// Names the content; nothing where the tree cannot.
fn key_of(tree: &Tree, root: &TreePath, vendored: &Vendored) -> Result<Option<String>, Problem> {
    let id = |tree: &Tree, root: &TreePath| tree.id(root).map_err(|error| tree_problem(&error));
    let Some(own) = id(tree, root)? else { return Ok(None) };
    let mut key = own.0.to_string();
    for (name, tree, root) in vendored {
        let Some(inner) = id(tree, root)? else { return Ok(None) };
        key.push_str(&format!(" {name}={}", inner.0));
    }
    Ok(Some(key))
}

struct Read {
    files: Vec<File>,
    has_links: bool,
}

/// Reads the files of a chart. Where its folder has an identity and no links, that stands for all of them in the
/// record of what was read.
fn read(tree: &Tree, root: &TreePath, has_id: bool) -> Result<Read, Problem> {
    if has_id {
        let silent = read_files(&tree.unrecorded(), root)?;
        if !silent.has_links {
            tree.read_whole(root).map_err(|error| tree_problem(&error))?;
            return Ok(silent);
        }
    }
    read_files(tree, root)
}

fn read_files(tree: &Tree, root: &TreePath) -> Result<Read, Problem> {
    let ignore = root.child(".helmignore");
    let ignore = match tree.is_file(&ignore).map_err(|error| tree_problem(&error))? {
        true => {
            String::from_utf8_lossy(&tree.read(&ignore).map_err(|error| tree_problem(&error))?).into_owned()
        }
        false => String::new(),
    };
    let rules =
        IgnoreRules::parse(&ignore).map_err(|error| render_problem(format!(".helmignore: {error}")))?;
    let mut read = Read { files: Vec::new(), has_links: false };
    for (path, kind) in tree.walk(root, MOST_FILES).map_err(|error| tree_problem(&error))? {
        let Some(relative) = path.below(root) else { continue };
        read.has_links |= kind == EntryKind::Symlink;
        if kind == EntryKind::Directory || is_ignored(&rules, relative.as_str()) {
            continue;
        }
        if !tree.is_file(&path).map_err(|error| tree_problem(&error))? {
            continue;
        }
        let content = tree.read(&path).map_err(|error| tree_problem(&error))?;
        read.files.push(File::new(relative.as_str(), content));
    }
    Ok(read)
}

/// Whether a file, or a folder that it is in, is ignored.
fn is_ignored(rules: &IgnoreRules, path: &str) -> bool {
    let folders = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
    folders.into_iter().any(|folder| rules.ignores_directory(folder)) || rules.ignores_file(path)
}
