//! The one error of this crate: a message in Go's wording, and what it wraps.

use std::fmt;
use std::sync::OnceLock;

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

/// A thousand templates that include each other give an error of a thousand levels. Each level keeps only its own words,
/// and the whole text is put together when somebody asks for it.
#[derive(Clone, Debug)]
struct Inner {
    kind: ErrorKind,
    /// This error's own words, followed by those of the cause.
    words: String,
    cause: Option<Error>,
    /// Number of errors in the chain.
    levels: u32,
    text: OnceLock<String>,
}

/// An error of more levels is not wrapped again. Helm stops a recursion after 1,000.
const MAX_LEVELS: u32 = 1_200;

/// Words of the wrapping errors that a text shows at most, and those of the innermost one.
const MAX_TEXT: usize = 256 << 10;
const MAX_LEAF: usize = 4 << 20;

impl Error {
    /// A function's own error: Go's `errors.New(message)`.
    pub fn new(message: impl Into<String>) -> Self {
        Error::of(ErrorKind::Func, message)
    }

    /// An error of a given kind.
    pub fn of(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error::build(kind, message.into(), None)
    }

    /// Go's `fmt.Errorf("<prefix>%w", cause)`: the whole text is `prefix` followed by the cause's.
    #[must_use]
    pub fn wrap(prefix: &str, cause: Error) -> Self {
        Error::with_cause(ErrorKind::Func, prefix.to_owned(), cause)
    }

    pub(crate) fn with_cause(kind: ErrorKind, words: String, cause: Error) -> Self {
        if cause.0.levels >= MAX_LEVELS {
            return cause;
        }
        Error::build(kind, words, Some(cause))
    }

    fn build(kind: ErrorKind, words: String, cause: Option<Error>) -> Self {
        let levels = cause.as_ref().map_or(0, |c| c.0.levels) + 1;
        Error(Box::new(Inner { kind, words, cause, levels, text: OnceLock::new() }))
    }

    /// The kind of the outermost error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The full text: Go's `err.Error()`.
    pub fn message(&self) -> &str {
        if self.0.cause.is_none() {
            return &self.0.words;
        }
        self.0.text.get_or_init(|| {
            let mut text = String::new();
            for error in self.chain() {
                let max = if error.0.cause.is_some() { MAX_TEXT } else { text.len() + MAX_LEAF };
                let room = max.saturating_sub(text.len()).min(error.0.words.len());
                text.push_str(error.0.words.get(..room).unwrap_or_default());
            }
            text
        })
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
        f.write_str(self.message())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_ref().map(|e| e as &(dyn std::error::Error + 'static))
    }
}

impl Drop for Inner {
    /// One level after the other: a chain of a thousand must not take a thousand frames of stack.
    fn drop(&mut self) {
        let mut next = self.cause.take();
        while let Some(mut error) = next {
            next = error.0.cause.take();
        }
    }
}
