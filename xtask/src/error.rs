//! The one error of the tooling: a sentence for the developer, with what was being done around it.

use std::fmt;

/// What went wrong, outermost step first, in words that say what to do.
#[derive(Debug)]
pub struct Error(String);

/// A result with the tooling's error.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error that consists of this sentence.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// Adds what was being done to an error of any kind.
pub trait Context<T> {
    /// `doing` is a phrase such as "starting etcd".
    fn context(self, doing: impl fmt::Display) -> Result<T>;
}

impl<T, E: fmt::Display> Context<T> for std::result::Result<T, E> {
    fn context(self, doing: impl fmt::Display) -> Result<T> {
        self.map_err(|error| Error(format!("{doing}: {error}")))
    }
}

impl<T> Context<T> for Option<T> {
    fn context(self, doing: impl fmt::Display) -> Result<T> {
        self.ok_or_else(|| Error(doing.to_string()))
    }
}
