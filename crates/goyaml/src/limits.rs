//! Bounds that every reader of the crate keeps.

/// How much text, structure and expansion a reader accepts before it gives up with
/// [`ErrorKind::Limit`](crate::ErrorKind::Limit).
///
/// Go's own rule about excessive aliasing always holds besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest text, in bytes.
    pub bytes: usize,
    /// Deepest nesting of collections, also after aliases are expanded. Go stops at 10,000; the
    /// default is lower so that recursive code on a 2 MiB stack is safe with everything that was read.
    pub depth: usize,
    /// Most nodes in all documents of one call, before aliases are expanded.
    pub nodes: usize,
    /// Most documents in one call.
    pub documents: usize,
    /// Most values that decoding may make, aliases expanded.
    pub values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 256 << 20, depth: 1000, nodes: 20_000_000, documents: 2_000_000, values: 20_000_000 }
    }
}
