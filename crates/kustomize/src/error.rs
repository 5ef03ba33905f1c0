//! The one error type of the crate, in kustomize's words.

use std::fmt;

/// What callers have to tell apart; the text is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input is wrong: wait for a change of it.
    #[default]
    Input,
    /// A file or directory does not exist.
    NotFound,
    /// A remote file could not be had (an HTTP error).
    Http,
    /// A node of another kind was expected; see [`Error::invalid_node`].
    InvalidNode {
        /// Whether the node that was found is a scalar.
        scalar: bool,
    },
    /// A bound of [`Limits`](crate::Limits) was passed.
    Limit,
    /// A remote reference is not here yet; the message is the reference.
    Pending,
    /// A plugin that is not built in (exec, container or Go plugin) was asked for.
    Refused,
}

/// An error of a build. `Display` prints what kustomize prints after `Error: `.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    message: String,
    kind: ErrorKind,
    warnings: Vec<String>,
}

/// The result of everything that can fail here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An input error with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self::with_kind(ErrorKind::Input, message)
    }

    /// An error of a given kind.
    pub fn with_kind(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { message: message.into(), kind, warnings: Vec::new() }
    }

    /// The message, as `Display` prints it.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What kind of trouble it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What `kustomize build` says on standard error before the error.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The same error with the warnings of its build.
    pub(crate) fn with_warnings(self, warnings: Vec<String>) -> Self {
        Self { warnings, ..self }
    }

    /// The same error with `prefix: ` in front.
    #[must_use]
    pub fn context(mut self, prefix: impl fmt::Display) -> Self {
        if self.kind == ErrorKind::Pending {
            return self;
        }
        self.message = format!("{prefix}: {}", self.message);
        self
    }

    /// The same kind of error with a message made of the old one.
    #[must_use]
    pub fn map_message(self, change: impl FnOnce(&str) -> String) -> Self {
        if self.kind == ErrorKind::Pending {
            return self;
        }
        Self { message: change(&self.message), ..self }
    }

    /// Whether the text of a file was no YAML.
    pub(crate) fn is_malformed_yaml(&self) -> bool {
        self.message.contains("MalformedYAMLError")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<goyaml::Error> for Error {
    fn from(error: goyaml::Error) -> Self {
        let kind = match error.kind() {
            goyaml::ErrorKind::Limit => ErrorKind::Limit,
            _ => ErrorKind::Input,
        };
        Self::with_kind(kind, error.message())
    }
}

/// Adds context to the error of a result.
pub(crate) trait Context<T> {
    /// `prefix: error`, with the prefix made only when there is an error.
    fn context_with<D: fmt::Display>(self, prefix: impl FnOnce() -> D) -> Result<T>;
}

impl<T> Context<T> for Result<T> {
    fn context_with<D: fmt::Display>(self, prefix: impl FnOnce() -> D) -> Result<T> {
        self.map_err(|error| error.context(prefix()))
    }
}
