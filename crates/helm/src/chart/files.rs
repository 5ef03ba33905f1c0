//! The files that a chart is loaded from, as values: nothing here knows where they come from.

use std::sync::Arc;

use super::ignore::IgnoreRules;
use crate::{Error, Result};

/// One file: its path inside the chart, with `/`, and its bytes. Cloning is cheap.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// Relative path with `/` between elements, e.g. `templates/deployment.yaml`.
    pub path: Arc<str>,
    /// Contents, without a byte order mark.
    pub data: Arc<[u8]>,
}

impl File {
    /// A file. A UTF-8 byte order mark at its start is dropped, as Helm does.
    pub fn new(path: impl Into<Arc<str>>, data: impl Into<Vec<u8>>) -> Self {
        File::shared(path, data.into().into())
    }

    /// As [`File::new`], of bytes that need no copy (unless they begin with a byte order mark).
    pub fn shared(path: impl Into<Arc<str>>, data: Arc<[u8]>) -> Self {
        let data = match data.strip_prefix(BYTE_ORDER_MARK) {
            Some(rest) => rest.into(),
            None => data,
        };
        File { path: path.into(), data }
    }

    /// The contents as text; bytes that are no UTF-8 are replaced.
    pub(crate) fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.data)
    }
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} bytes)", self.path, self.data.len())
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Name of the file with ignore rules.
const HELM_IGNORE: &str = ".helmignore";

/// Sorts the files of a directory in the order in which Helm walks it and drops what `.helmignore` names.
///
/// # Errors
/// A rule that Helm refuses.
pub(crate) fn select(mut files: Vec<File>) -> Result<Vec<File>> {
    let rules = files.iter().find(|f| &*f.path == HELM_IGNORE);
    let rules = IgnoreRules::parse(&rules.map(File::text).unwrap_or_default()).map_err(Error::Load)?;
    files.retain(|f| !rules.ignores_file(&f.path));
    files.sort_by(|a, b| a.path.split('/').cmp(b.path.split('/')));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walk_order_and_byte_order_mark() {
        let files = ["b", "a/z", "a.yaml", "a/b/c", "a-x"].map(|p| File::new(p, "\u{feff}x"));
        let files = select(files.to_vec()).unwrap();
        let paths: Vec<_> = files.iter().map(|f| &*f.path).collect();
        assert_eq!(paths, ["a/b/c", "a/z", "a-x", "a.yaml", "b"]);
        assert!(files.iter().all(|f| *f.data == *b"x"));
    }
}
