//! A tree held in memory, for tests and for files that come from elsewhere than a repository.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::tree::{ContentId, Entry, EntryKind, Tree, TreeError, TreeStore};
use super::tree_path::TreePath;

/// Files by path. Directories exist as far as files stand in them.
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
        self.files.insert(TreePath::parse(path)?, (EntryKind::File, content.into()));
        Ok(self)
    }

    /// Adds a symbolic link.
    ///
    /// # Errors
    /// A path that leaves the tree; the target may be anything.
    pub fn link(mut self, path: &str, target: &str) -> Result<Self, TreeError> {
        self.files.insert(TreePath::parse(path)?, (EntryKind::Symlink, target.into()));
        Ok(self)
    }

    /// The tree of these files.
    pub fn tree(self) -> Tree {
        Tree::new(Arc::new(self))
    }

    fn hash_below(&self, dir: &TreePath) -> ContentId {
        let mut hasher = DefaultHasher::new();
        for (path, content) in &self.files {
            if let Some(rest) = path.below(dir) {
                rest.hash(&mut hasher);
                content.hash(&mut hasher);
            }
        }
        ContentId(format!("{:016x}", hasher.finish()).into())
    }
}

impl TreeStore for MemoryTree {
    fn list(&self, dir: &TreePath) -> Result<Arc<[Entry]>, TreeError> {
        let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
        for (path, (kind, _)) in &self.files {
            let Some(rest) = path.below(dir) else { continue };
            let mut parts = rest.parts();
            let Some(name) = parts.next() else {
                return Err(TreeError::NotADirectory { path: dir.clone() });
            };
            let kind = if parts.next().is_some() { EntryKind::Directory } else { *kind };
            entries.entry(name.to_owned()).or_insert_with(|| Entry {
                name: name.to_owned(),
                kind,
                id: Some(self.hash_below(&dir.child(name))),
            });
        }
        if entries.is_empty() && !dir.is_root() {
            return Err(TreeError::Missing { path: dir.clone() });
        }
        Ok(entries.into_values().collect())
    }

    fn read(&self, file: &TreePath, limit: u64) -> Result<Vec<u8>, TreeError> {
        let (_, content) = self.files.get(file).ok_or_else(|| TreeError::Missing { path: file.clone() })?;
        if content.len() as u64 > limit {
            return Err(TreeError::TooLarge { path: file.clone(), limit });
        }
        Ok(content.clone())
    }

    fn root_id(&self) -> Option<ContentId> {
        Some(self.hash_below(&TreePath::root()))
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
    fn a_listed_directory_changes_with_its_names() {
        let tree = sample().tree().recording();
        tree.list(&path("base")).unwrap();
        let set = tree.read_set();
        let change = |other: MemoryTree| set.first_change(&other.tree()).unwrap();
        assert_eq!(change(sample().file("base/a.yaml", "a: 2").unwrap()), None, "listed, not read");
        assert_eq!(change(sample().file("base/b.yaml", "x").unwrap()), Some(path("base")));
    }
}
