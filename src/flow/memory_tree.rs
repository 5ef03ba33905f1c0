//! A tree held in memory, for tests and for files that come from elsewhere than a repository.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::tree::{ContentId, Entry, EntryKind, Tree, TreeError, TreeStore};
use super::tree_path::TreePath;

/// Files by path, to build a [`Tree`] from. Directories exist as far as files stand in them. Where a file stands in
/// the way of another one's directory, the directory wins.
#[derive(Debug, Clone, Default)]
pub struct MemoryTree {
    files: BTreeMap<TreePath, (EntryKind, Vec<u8>)>,
}

impl MemoryTree {
    /// No files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file.
    ///
    /// # Errors
    /// A path that leaves the tree.
    pub fn file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Result<Self, TreeError> {
        self.insert_file(TreePath::parse(path)?, content.into());
        Ok(self)
    }

    /// Adds a symbolic link.
    ///
    /// # Errors
    /// A path that leaves the tree; the target may be anything.
    pub fn link(mut self, path: &str, target: &str) -> Result<Self, TreeError> {
        self.insert_link(TreePath::parse(path)?, target.into());
        Ok(self)
    }

    /// Adds a file, or replaces what stands there.
    pub fn insert_file(&mut self, path: TreePath, content: Vec<u8>) {
        self.files.insert(path, (EntryKind::File, content));
    }

    /// Adds a symbolic link, or replaces what stands there.
    pub fn insert_link(&mut self, path: TreePath, target: Vec<u8>) {
        self.files.insert(path, (EntryKind::Symlink, target));
    }

    /// The tree of these files.
    pub fn tree(self) -> Tree {
        let mut directories: BTreeMap<TreePath, BTreeMap<String, Entry>> = BTreeMap::new();
        directories.insert(TreePath::root(), BTreeMap::new());
        for (path, content) in &self.files {
            let mut entry = Some((content.0, content_id(content)));
            let mut path = path.clone();
            // From the file up to the first directory that is known.
            while let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
                let (kind, id) = entry.take().unwrap_or((EntryKind::Directory, content_id(&())));
                let known = directories.contains_key(&parent);
                let entries = directories.entry(parent.clone()).or_default();
                let made = Entry { name: name.to_owned(), kind, id: Some(id) };
                let slot = entries.entry(name.to_owned()).or_insert_with(|| made.clone());
                if made.kind == EntryKind::Directory {
                    *slot = made;
                }
                if known {
                    break;
                }
                path = parent;
            }
        }
        Tree::new(Arc::new(Indexed::new(self.files, directories)))
    }
}

/// The files with their directories listed and identified.
#[derive(Debug)]
struct Indexed {
    files: BTreeMap<TreePath, (EntryKind, Vec<u8>)>,
    directories: BTreeMap<TreePath, Arc<[Entry]>>,
    root: ContentId,
}

impl Indexed {
    fn new(
        files: BTreeMap<TreePath, (EntryKind, Vec<u8>)>,
        listed: BTreeMap<TreePath, BTreeMap<String, Entry>>,
    ) -> Self {
        let mut ids: BTreeMap<TreePath, ContentId> = BTreeMap::new();
        let mut directories = BTreeMap::new();
        // A directory's path sorts before those below it, so from the end its children come first.
        for (dir, entries) in listed.into_iter().rev() {
            let mut entries: Vec<Entry> = entries.into_values().collect();
            for entry in &mut entries {
                if let Some(id) = ids.get(&dir.child(&entry.name)) {
                    entry.id = Some(id.clone());
                }
            }
            let summary: Vec<_> = entries.iter().map(|e| (&e.name, e.kind, e.id.as_ref())).collect();
            ids.insert(dir.clone(), content_id(&summary));
            directories.insert(dir, entries.into());
        }
        let root = ids.remove(&TreePath::root()).unwrap_or_else(|| content_id(&()));
        Self { files, directories, root }
    }
}

fn content_id(content: &impl Hash) -> ContentId {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    ContentId(format!("{:016x}", hasher.finish()).into())
}

impl TreeStore for Indexed {
    fn list(&self, dir: &TreePath) -> Result<Arc<[Entry]>, TreeError> {
        if let Some(entries) = self.directories.get(dir) {
            return Ok(entries.clone());
        }
        let path = dir.clone();
        Err(if self.files.contains_key(dir) {
            TreeError::NotADirectory { path }
        } else {
            TreeError::Missing { path }
        })
    }

    fn read(&self, file: &TreePath, limit: u64) -> Result<Vec<u8>, TreeError> {
        let (_, content) = self.files.get(file).ok_or_else(|| TreeError::Missing { path: file.clone() })?;
        if content.len() as u64 > limit {
            return Err(TreeError::TooLarge { path: file.clone(), limit });
        }
        Ok(content.clone())
    }

    fn root_id(&self) -> Option<ContentId> {
        Some(self.root.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::parse(text).unwrap()
    }

    fn sample() -> MemoryTree {
        let tree =
            MemoryTree::new().file("base/a.yaml", "a: 1").unwrap().file("overlay/b.yaml", "b").unwrap();
        let tree =
            tree.link("overlay/base", "../base").unwrap().link("overlay/a.yaml", "base/a.yaml").unwrap();
        tree.link("out", "../secret").unwrap().link("abs", "/etc/passwd").unwrap()
    }

    #[test]
    fn links_inside_work_and_links_outside_do_not() {
        let tree = sample().link("l1", "l2").unwrap().link("l2", "l1").unwrap().tree();
        assert_eq!(tree.read(&path("overlay/a.yaml")).unwrap(), b"a: 1");
        assert_eq!(tree.list(&path("overlay/base")).unwrap().len(), 1);
        assert_eq!(tree.find_link(&path("overlay/base")).unwrap().unwrap().kind, EntryKind::Symlink);
        for link in ["out", "abs"] {
            let error = tree.read(&path(link)).unwrap_err();
            assert!(matches!(error, TreeError::LinkOutOfBounds { .. }), "{error}");
            assert!(!error.to_string().contains("secret") && !error.to_string().contains("passwd"));
        }
        assert!(matches!(tree.read(&path("l1")), Err(TreeError::LinkLoop { .. })));
        assert!(matches!(tree.read(&path("base")), Err(TreeError::IsADirectory { .. })));
        assert!(matches!(tree.read(&path("base/a.yaml/x")), Err(TreeError::NotADirectory { .. })));
        assert!(matches!(tree.read(&path("nothing")), Err(TreeError::Missing { .. })));
        assert!(matches!(tree.read_limited(&path("base/a.yaml"), 3), Err(TreeError::TooLarge { .. })));
    }

    #[test]
    fn a_walk_is_bounded_and_sorted() {
        let tree = sample().tree();
        let found: Vec<_> = tree.walk(&path("overlay"), 10).unwrap().into_iter().map(|(p, _)| p).collect();
        assert_eq!(found, [path("overlay/a.yaml"), path("overlay/b.yaml"), path("overlay/base")]);
        assert!(matches!(tree.walk(&TreePath::root(), 3), Err(TreeError::TooMany { .. })));
    }

    #[test]
    fn a_read_set_sees_what_was_read_and_nothing_else() {
        let tree = sample().tree().recording();
        tree.read(&path("overlay/a.yaml")).unwrap();
        assert!(tree.find(&path("missing.yaml")).unwrap().is_none());
        let set = tree.read_set();
        let change = |other: MemoryTree| set.first_change(&other.tree()).unwrap().map(|p| p.to_string());
        assert_eq!(change(sample()), None);
        assert_eq!(change(sample().file("overlay/b.yaml", "other").unwrap()), None, "not read");
        assert_eq!(
            change(sample().file("base/new.yaml", "x").unwrap()),
            None,
            "the directory was not listed"
        );
        assert_eq!(change(sample().file("base/a.yaml", "a: 2").unwrap()).as_deref(), Some("base/a.yaml"));
        assert_eq!(
            change(sample().link("overlay/a.yaml", "b.yaml").unwrap()).as_deref(),
            Some("overlay/a.yaml")
        );
        assert_eq!(change(sample().file("missing.yaml", "x").unwrap()).as_deref(), Some("missing.yaml"));
    }

    #[test]
    fn a_directory_that_was_read_as_a_whole_changes_with_anything_in_it() {
        let tree = sample().tree().recording();
        tree.read_whole(&path("base")).unwrap();
        let set = tree.read_set();
        let change = |other: MemoryTree| set.first_change(&other.tree()).unwrap();
        assert_eq!(change(sample()), None);
        assert_eq!(change(sample().file("overlay/b.yaml", "other").unwrap()), None, "elsewhere");
        assert_eq!(change(sample().file("base/deep/new.yaml", "x").unwrap()), Some(path("base")));
        assert_eq!(change(sample().file("base/a.yaml", "a: 2").unwrap()), Some(path("base")));
    }

    #[test]
    fn a_listed_directory_changes_with_its_names() {
        let tree = sample().tree().recording();
        tree.list(&path("base")).unwrap();
        let set = tree.read_set();
        let change = |other: MemoryTree| set.first_change(&other.tree()).unwrap();
        assert_eq!(change(sample().file("base/a.yaml", "a: 2").unwrap()), None, "listed, not read");
        assert_eq!(change(sample().file("base/b.yaml", "x").unwrap()), Some(path("base")));
    }
}
