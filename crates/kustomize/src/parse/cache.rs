//! Parsed files, kept between builds.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use goyaml::Node;
use sha2::{Digest, Sha256};

use crate::error::Result;

/// Bytes of text whose nodes are kept by default. Nodes need about fifteen times the bytes of their text.
const DEFAULT_BYTES: usize = 16 << 20;

/// Parsed files by the hash of their text, so that an unchanged base is not parsed again when its overlay
/// changes. Share one between builds; it forgets everything when it is full.
#[derive(Debug)]
pub struct ParseCache {
    kept: Mutex<Kept>,
    most_bytes: usize,
}

#[derive(Debug, Default)]
struct Kept {
    files: HashMap<[u8; 32], Vec<Node>>,
    /// Of their texts.
    bytes: usize,
    parsed: u64,
}

impl Default for ParseCache {
    fn default() -> Self {
        Self::with_limit(DEFAULT_BYTES)
    }
}

impl ParseCache {
    /// A cache of the nodes of at most this many bytes of text; with 0 it keeps nothing, for a single build.
    pub fn with_limit(bytes: usize) -> Self {
        Self { kept: Mutex::default(), most_bytes: bytes }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many files are kept.
    pub fn len(&self) -> usize {
        self.lock().files.len()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many files had to be parsed so far.
    pub fn parsed(&self) -> u64 {
        self.lock().parsed
    }

    pub(crate) fn get_or_parse(
        &self,
        text: &[u8],
        parse: impl FnOnce(&[u8]) -> Result<Vec<Node>>,
    ) -> Result<Vec<Node>> {
        if text.len() > self.most_bytes {
            self.lock().parsed += 1;
            return parse(text);
        }
        let key: [u8; 32] = Sha256::digest(text).into();
        if let Some(found) = self.lock().files.get(&key) {
            return Ok(found.clone());
        }
        let nodes = parse(text)?;
        let mut kept = self.lock();
        kept.parsed += 1;
        if kept.bytes + text.len() > self.most_bytes {
            kept.files.clear();
            kept.bytes = 0;
        }
        if kept.files.insert(key, nodes.clone()).is_none() {
            kept.bytes += text.len();
        }
        Ok(nodes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &[u8]) -> Result<Vec<Node>> {
        Ok(vec![Node::scalar(String::from_utf8_lossy(text).into_owned())])
    }

    #[test]
    fn it_keeps_no_more_text_than_it_may() {
        let cache = ParseCache::with_limit(10);
        for (text, parsed, kept) in
            [("12345", 1, 1), ("12345", 1, 1), ("abcde", 2, 2), ("x", 3, 1), ("longer than all", 4, 1)]
        {
            assert_eq!(cache.get_or_parse(text.as_bytes(), parse).unwrap()[0].value, text);
            assert_eq!((cache.parsed(), cache.len()), (parsed, kept), "{text}");
        }
        let none = ParseCache::with_limit(0);
        none.get_or_parse(b"a", parse).unwrap();
        none.get_or_parse(b"a", parse).unwrap();
        assert_eq!((none.parsed(), none.len()), (2, 0));
    }
}
