//! Go's `string`: immutable bytes that are usually, but not always, UTF-8.
//!
//! Templates cut strings at byte positions (`trunc`, `slice`), decode base64 and read binary files, so a Go string
//! may hold any bytes. [`Str`] keeps text and raw bytes apart, so that the common case costs no validation.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A Go string: cheap to clone, any bytes.
///
/// Invariant: the `Bytes` form never holds valid UTF-8, so that [`Str::as_str`] needs no check.
/// Equality, order and hash are those of the bytes.
#[derive(Clone)]
pub struct Str(Repr);

#[derive(Clone)]
enum Repr {
    Text(Arc<str>),
    Bytes(Arc<[u8]>),
}

impl Str {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Text(s) => s.as_bytes(),
            Repr::Bytes(b) => b,
        }
    }

    /// The text, or `None` when the bytes are not UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Repr::Text(s) => Some(s),
            Repr::Bytes(_) => None,
        }
    }

    /// The text with each invalid byte replaced by U+FFFD, as Go's `range` over a string yields it.
    pub fn to_text(&self) -> Cow<'_, str> {
        match &self.0 {
            Repr::Text(s) => Cow::Borrowed(s),
            Repr::Bytes(b) => Cow::Owned(lossy(b)),
        }
    }

    /// Length in bytes, as Go's `len`.
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The string of these bytes; text when they are UTF-8.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(s) => Str(Repr::Text(Arc::from(s))),
            Err(_) => Str(Repr::Bytes(Arc::from(bytes))),
        }
    }

    /// The shared text, when this is text: lets another structure keep it without a copy.
    pub fn to_arc(&self) -> Option<Arc<str>> {
        match &self.0 {
            Repr::Text(s) => Some(Arc::clone(s)),
            Repr::Bytes(_) => None,
        }
    }
}

/// One U+FFFD for each byte that is not part of a valid encoding (Go), not one for each maximal subpart (Rust).
fn lossy(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        for _ in chunk.invalid() {
            out.push(char::REPLACEMENT_CHARACTER);
        }
    }
    out
}

impl Default for Str {
    fn default() -> Self {
        Str::from("")
    }
}

impl From<&str> for Str {
    fn from(s: &str) -> Self {
        Str(Repr::Text(Arc::from(s)))
    }
}

impl From<String> for Str {
    fn from(s: String) -> Self {
        Str(Repr::Text(Arc::from(s)))
    }
}

impl From<Arc<str>> for Str {
    fn from(s: Arc<str>) -> Self {
        Str(Repr::Text(s))
    }
}

impl From<Cow<'_, str>> for Str {
    fn from(s: Cow<'_, str>) -> Self {
        Str(Repr::Text(Arc::from(s)))
    }
}

impl From<Vec<u8>> for Str {
    fn from(bytes: Vec<u8>) -> Self {
        Str::from_bytes(&bytes)
    }
}

impl PartialEq for Str {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Str {}

impl PartialEq<str> for Str {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Str {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialOrd for Str {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Str {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for Str {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl Borrow<[u8]> for Str {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl AsRef<[u8]> for Str {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.to_text(), f)
    }
}

impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&*self.to_text(), f)
    }
}
