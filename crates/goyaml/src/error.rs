//! The one error type of the crate. Knows Go's wording, and where in the text it happened.

/// What went wrong, in broad terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is not YAML (scanner, parser or encoding of the input).
    Syntax,
    /// The text is YAML, but does not decode into what was asked (wrong type, duplicate key, bad merge).
    Type,
    /// A bound of [`Limits`](crate::Limits) was passed, or Go's rule about excessive aliasing.
    Limit,
    /// The value cannot be written as YAML.
    Emit,
}

/// An error of reading or writing YAML.
///
/// `Display` prints exactly what the Go library prints, for example
/// `yaml: line 3: did not find expected key`; [`line`](Self::line) and [`column`](Self::column)
/// are the true position (Go's message is sometimes a line off, and says nothing for line 1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    message: String,
    kind: ErrorKind,
    line: Option<u32>,
    column: Option<u32>,
}

impl Error {
    /// An error with Go's message and no position.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { message: message.into(), kind, line: None, column: None }
    }

    /// The same error at a position, both counted from 1.
    pub(crate) fn at(mut self, line: u32, column: u32) -> Self {
        self.line = Some(line);
        self.column = Some(column);
        self
    }

    /// The same error with `prefix` in front of its message.
    pub(crate) fn prefixed(mut self, prefix: &str) -> Self {
        self.message.insert_str(0, prefix);
        self
    }

    /// The message as Go prints it; the same as `Display`.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What went wrong, in broad terms.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The line of the problem, counted from 1, when known.
    pub fn line(&self) -> Option<u32> {
        self.line
    }

    /// The column of the problem, counted from 1 in characters, when known.
    pub fn column(&self) -> Option<u32> {
        self.column
    }
}
