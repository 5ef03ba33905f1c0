//! The one error of this crate: a message in Go's wording, and what it wraps.

use std::fmt;

/// What kind of trouble an [`Error`] reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text of a template is not valid.
    Parse,
    /// Go's `template.ExecError`: execution of a template stopped; the message names the place.
    Exec,
    /// A function or method refused its arguments (what a Go function returns as `error`).
    Func,
    /// A limit of [`Limits`](crate::Limits) is used up. No template can catch it or switch it off.
    Limit,
}

/// An error with Go's text, and the error that it wraps (Go's `%w`), innermost last.
///
/// `to_string()` is Go's `err.Error()`; the text of a cause is already part of the text of what wraps it.
#[derive(Clone, Debug)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    cause: Option<Error>,
}

impl Error {
    /// A function's own error: Go's `errors.New(message)`.
    pub fn new(message: impl Into<String>) -> Self {
        Error::of(ErrorKind::Func, message)
    }

    /// An error of a given kind.
    pub fn of(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner { kind, message: message.into(), cause: None }))
    }

    /// Go's `fmt.Errorf("<prefix>%w", cause)`: the whole text is `prefix` followed by the cause's.
    #[must_use]
    pub fn wrap(prefix: &str, cause: Error) -> Self {
        let message = format!("{prefix}{cause}");
        Error(Box::new(Inner { kind: ErrorKind::Func, message, cause: Some(cause) }))
    }

    pub(crate) fn with_cause(kind: ErrorKind, message: String, cause: Error) -> Self {
        Error(Box::new(Inner { kind, message, cause: Some(cause) }))
    }

    /// The kind of the outermost error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The full text: Go's `err.Error()`.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Go's `errors.Unwrap`.
    pub fn cause(&self) -> Option<&Error> {
        self.0.cause.as_ref()
    }

    /// This error and all that it wraps, outermost first.
    pub fn chain(&self) -> impl Iterator<Item = &Error> {
        std::iter::successors(Some(self), |e| e.cause())
    }

    /// Whether this error or one that it wraps is of `kind` (Go's `errors.As`).
    pub fn is(&self, kind: ErrorKind) -> bool {
        self.chain().any(|e| e.kind() == kind)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_ref().map(|e| e as &(dyn std::error::Error + 'static))
    }
}
