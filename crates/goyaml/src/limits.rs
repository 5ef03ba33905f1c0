//! Bounds that every reader of the crate keeps.

use crate::{Error, ErrorKind};

/// How much text, structure and expansion a reader accepts before it gives up with
/// [`ErrorKind::Limit`].
///
/// Go's own rule about excessive aliasing always holds besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest text, in bytes.
    pub bytes: usize,
    /// Deepest nesting of collections, also after aliases are expanded. Go stops at 10,000; the default
    /// of 400 is lower so that recursive code (dropping a value is such code) is safe on a 2 MiB stack, in
    /// debug builds too, with everything that was read. Objects of clusters nest less than 100 deep.
    pub depth: usize,
    /// Most nodes in all documents of one call, before aliases are expanded.
    pub nodes: usize,
    /// Most documents in one call.
    pub documents: usize,
    /// Most values that decoding may make, aliases expanded.
    pub values: usize,
}

impl Limits {
    /// The default of `depth`, which the writers keep as well.
    pub(crate) const DEPTH: usize = 400;

    /// Go's words about nesting that is too deep.
    #[cold]
    pub(crate) fn too_deep(depth: usize) -> Error {
        Error::new(ErrorKind::Limit, format!("yaml: exceeded max depth of {depth}"))
    }

    /// The error of too many decoded values.
    #[cold]
    pub(crate) fn too_many_values(values: usize) -> Error {
        Error::new(ErrorKind::Limit, format!("yaml: more than {values} values"))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 256 << 20,
            depth: Self::DEPTH,
            nodes: 4_000_000,
            documents: 2_000_000,
            values: 5_000_000,
        }
    }
}
