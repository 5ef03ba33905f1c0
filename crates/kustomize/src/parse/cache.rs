//! Parsed files, kept between builds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use goyaml::Node;
use sha2::{Digest, Sha256};

use crate::error::Result;

/// Parsed files by the hash of their text, so that an unchanged base is not parsed again when its overlay
/// changes. Share one between builds; it forgets everything when it is full.
#[derive(Debug)]
pub struct ParseCache {
    entries: Mutex<HashMap<[u8; 32], Arc<Vec<Node>>>>,
    capacity: usize,
}

impl Default for ParseCache {
    fn default() -> Self {
        Self::with_capacity(4096)
    }
}

impl ParseCache {
    /// A cache of at most this many files.
    pub fn with_capacity(files: usize) -> Self {
        Self { entries: Mutex::new(HashMap::new()), capacity: files }
    }

    /// How many files are kept.
    pub fn len(&self) -> usize {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn get_or_parse(
        &self,
        text: &[u8],
        parse: impl FnOnce(&[u8]) -> Result<Vec<Node>>,
    ) -> Result<Arc<Vec<Node>>> {
        let key: [u8; 32] = Sha256::digest(text).into();
        if let Some(found) = self.entries.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(found));
        }
        let parsed = Arc::new(parse(text)?);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= self.capacity {
            entries.clear();
        }
        entries.insert(key, Arc::clone(&parsed));
        Ok(parsed)
    }
}
