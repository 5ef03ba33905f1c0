//! A path inside a tree: normalised, relative to the root, and unable to leave it.

use super::TreeError;

/// Longest path that is looked at, in bytes. Longer ones come from nobody's repository.
const MAX_PATH_BYTES: usize = 4096;

/// A normalised path inside a [`Tree`](super::Tree): no leading `/`, no `.`, no `..`, no empty part. The empty
/// path is the root. Parts may hold any other character, a newline included: Git allows them.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(String);

impl TreePath {
    /// The root of the tree.
    pub fn root() -> Self {
        Self::default()
    }

    /// Reads a path that a user wrote, such as `spec.source.path`. `.` and the empty text are the root.
    ///
    /// # Errors
    /// [`TreeError::Absolute`] for a leading `/`, [`TreeError::LeavesRoot`] where `..` would go above the root or
    /// the path holds a NUL or is longer than 4096 bytes.
    pub fn parse(text: &str) -> Result<Self, TreeError> {
        if text.starts_with('/') {
            return Err(TreeError::Absolute { path: show_path(text) });
        }
        Self::root().join(text)
    }

    /// Reads `text` as seen from this directory; a leading `/` means the root of the tree, as in Helm value files.
    ///
    /// # Errors
    /// As [`TreePath::parse`], an absolute path aside.
    pub fn join(&self, text: &str) -> Result<Self, TreeError> {
        let leaves = || TreeError::LeavesRoot { path: show_path(text) };
        if text.len() > MAX_PATH_BYTES || text.contains('\0') {
            return Err(leaves());
        }
        let mut path = if text.starts_with('/') { Self::root() } else { self.clone() };
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => path = path.parent().ok_or_else(leaves)?,
                name => path = path.child(name),
            }
        }
        if path.0.len() > MAX_PATH_BYTES { Err(leaves()) } else { Ok(path) }
    }

    /// The path of an entry of this directory. `name` is one name as a tree lists it, without `/`.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        debug_assert!(!name.contains('/'), "one name, not a path");
        if self.0.is_empty() { Self(name.to_owned()) } else { Self(format!("{}/{name}", self.0)) }
    }

    /// The directory that holds this entry; none for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        Some(self.0.rsplit_once('/').map_or_else(Self::root, |(parent, _)| Self(parent.to_owned())))
    }

    /// The last name of the path; none for the root.
    pub fn file_name(&self) -> Option<&str> {
        if self.is_root() { None } else { self.0.rsplit('/').next() }
    }

    /// The names from the root down.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|part| !part.is_empty())
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The path as text with `/` between its parts; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The rest of this path below `dir`, or none if it is not below it. The rest of `dir` itself is the root.
    pub fn below(&self, dir: &Self) -> Option<Self> {
        if dir.is_root() {
            return Some(self.clone());
        }
        let rest = self.0.strip_prefix(dir.as_str())?;
        if rest.is_empty() {
            return Some(Self::root());
        }
        rest.strip_prefix('/').map(|rest| Self(rest.to_owned()))
    }
}

impl std::fmt::Display for TreePath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_root() { f.write_str(".") } else { f.write_str(&show_path(&self.0)) }
    }
}

/// A path as a message shows it: control characters escaped, so that a name cannot forge a line of a log, and
/// cut at 200 characters.
pub(crate) fn show_path(text: &str) -> String {
    let mut shown = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == 200 {
            shown.push('…');
            break;
        }
        if character.is_control() { shown.extend(character.escape_default()) } else { shown.push(character) }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised_and_stay_inside() {
        let read = |text: &str| TreePath::parse(text).map(|path| path.as_str().to_owned());
        assert_eq!(read("./a//b/../c/").unwrap(), "a/c");
        assert_eq!(read("").unwrap(), "");
        assert_eq!(read(".").unwrap(), "");
        assert_eq!(read("a\nb/-x;y").unwrap(), "a\nb/-x;y");
        assert_eq!(read("%2e%2e/x").unwrap(), "%2e%2e/x", "URL escapes are plain characters");
        assert!(matches!(read("a/../.."), Err(TreeError::LeavesRoot { .. })));
        assert!(matches!(read("../../../../etc/passwd"), Err(TreeError::LeavesRoot { .. })));
        assert!(matches!(read("/etc/passwd"), Err(TreeError::Absolute { .. })));
        assert!(matches!(read("a\0b"), Err(TreeError::LeavesRoot { .. })));
        assert!(matches!(read(&"x/".repeat(3000)), Err(TreeError::LeavesRoot { .. })));
    }

    #[test]
    fn joined_paths_start_at_the_directory_or_the_root() {
        let chart = TreePath::parse("charts/web").unwrap();
        assert_eq!(chart.join("../values.yaml").unwrap().as_str(), "charts/values.yaml");
        assert_eq!(chart.join("/values.yaml").unwrap().as_str(), "values.yaml");
        assert!(chart.join("../../..").is_err());
        assert_eq!(chart.join("x").unwrap().below(&chart).unwrap().as_str(), "x");
        assert!(TreePath::parse("charts/web2").unwrap().below(&chart).is_none());
    }

    #[test]
    fn messages_show_no_control_characters() {
        assert_eq!(TreePath::parse("a\n\u{1b}[31mb").unwrap().to_string(), "a\\n\\u{1b}[31mb");
    }
}
