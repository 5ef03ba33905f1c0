//! What goes wrong with a source, in words for the person whose Application it is.
//!
//! No message holds a credential: URLs are [`RepoUrl`](super::RepoUrl) (whose `Display` drops them), and what a
//! server says is passed through [`Access::redact`](super::Access::redact) before it leaves the room.

use std::time::Duration;

use crate::flow::{Cause, Problem, Stage, TreeError};

/// Whether trying again can help, and on what it depends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Someone must change the Application, the repository's settings or the repository.
    Change,
    /// It may pass by itself: a network, a server, a lost cache.
    Retry,
}

/// Why a source could not be had. Cheap to clone: one failure is told to every application that waited for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The URL cannot be used.
    #[error("repository URL is not valid: {reason}")]
    InvalidUrl {
        /// What is wrong with it, without the URL (it may hold a password).
        reason: String,
    },
    /// Credentials, certificates or keys in the repository's Secret cannot be used.
    #[error("{url}: {reason}")]
    InvalidAccess {
        /// The repository.
        url: String,
        /// What is wrong, without the value.
        reason: String,
    },
    /// No connection: name resolution, TCP, proxy, TLS or SSH handshake.
    #[error("{url}: cannot connect: {reason}")]
    Unreachable {
        /// The repository.
        url: String,
        /// What failed.
        reason: String,
    },
    /// The server's certificate or host key is not trusted.
    #[error("{url}: server is not trusted: {reason}")]
    Untrusted {
        /// The repository.
        url: String,
        /// What failed and which setting would change it.
        reason: String,
    },
    /// The server wants credentials, or other ones.
    #[error("{url}: authentication failed ({reason}); check the repository's credentials")]
    Unauthenticated {
        /// The repository.
        url: String,
        /// What the server answered.
        reason: String,
    },
    /// There is no such repository, or the credentials may not see it.
    #[error("{url}: repository not found, or the credentials have no access to it ({reason})")]
    NotFound {
        /// The repository.
        url: String,
        /// What the server answered.
        reason: String,
    },
    /// The server answered with something else than expected.
    #[error("{url}: {reason}")]
    BadAnswer {
        /// The repository.
        url: String,
        /// What came.
        reason: String,
    },
    /// The server failed or asked to come back later.
    #[error("{url}: server error: {reason}")]
    ServerError {
        /// The repository.
        url: String,
        /// What it answered.
        reason: String,
    },
    /// A redirect that is not followed.
    #[error("{url}: refused to follow a redirect: {reason}")]
    RedirectRefused {
        /// The repository.
        url: String,
        /// Where it led and why that is refused.
        reason: String,
    },
    /// The time allowed was over.
    #[error("{url}: no answer in {} while {doing}", seconds(*allowed))]
    TimedOut {
        /// The repository.
        url: String,
        /// What was waited for.
        doing: &'static str,
        /// How long was allowed.
        allowed: Duration,
    },
    /// The caller gave up.
    #[error("{url}: cancelled while {doing}")]
    Cancelled {
        /// The repository.
        url: String,
        /// What was under way.
        doing: &'static str,
    },
    /// More bytes than allowed.
    #[error("{url}: {what} is larger than the {limit} bytes allowed")]
    TooLarge {
        /// The repository.
        url: String,
        /// What is too large.
        what: String,
        /// Bytes allowed.
        limit: u64,
    },
    /// The revision names nothing in this repository.
    #[error("{url}: revision {revision:?} not found{nearby}")]
    UnknownRevision {
        /// The repository.
        url: String,
        /// As the user wrote it.
        revision: String,
        /// What exists that looks alike; starts with `: ` or `; ` or is empty.
        nearby: String,
    },
    /// A short commit id that several objects start with.
    #[error("{url}: short commit id {revision:?} is ambiguous; write more of its digits")]
    AmbiguousRevision {
        /// The repository.
        url: String,
        /// As the user wrote it.
        revision: String,
    },
    /// The repository has no commit yet.
    #[error("{url}: the repository is empty; push a first commit")]
    EmptyRepository {
        /// The repository.
        url: String,
    },
    /// Chart or version that a Helm repository or registry does not have.
    #[error("{url}: {reason}")]
    UnknownChart {
        /// The repository.
        url: String,
        /// Which chart, and what exists.
        reason: String,
    },
    /// A downloaded archive is broken or hostile.
    #[error("{url}: archive refused: {reason}")]
    BadArchive {
        /// The repository.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A submodule that cannot be had.
    #[error("submodule {path}: {reason}")]
    Submodule {
        /// Where it is mounted.
        path: String,
        /// Why.
        reason: String,
    },
    /// The cache on disk failed: full, gone, no permission, or held by another process.
    #[error("{url}: cache: {reason}")]
    Cache {
        /// The repository.
        url: String,
        /// What failed.
        reason: String,
    },
    /// A file or directory of the tree.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

impl SourceError {
    /// Whether a retry without anybody's change can help.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::InvalidUrl { .. }
            | Self::InvalidAccess { .. }
            | Self::Untrusted { .. }
            | Self::RedirectRefused { .. }
            | Self::AmbiguousRevision { .. }
            | Self::TooLarge { .. }
            | Self::BadArchive { .. }
            | Self::Submodule { .. } => Remedy::Change,
            Self::Tree(TreeError::Unreadable { .. }) => Remedy::Retry,
            Self::Tree(_) => Remedy::Change,
            // What the server denies today it may grant tomorrow, without any change in the cluster.
            Self::Unauthenticated { .. }
            | Self::NotFound { .. }
            | Self::UnknownRevision { .. }
            | Self::EmptyRepository { .. }
            | Self::UnknownChart { .. }
            | Self::Unreachable { .. }
            | Self::BadAnswer { .. }
            | Self::ServerError { .. }
            | Self::TimedOut { .. }
            | Self::Cancelled { .. }
            | Self::Cache { .. } => Remedy::Retry,
        }
    }

    /// The same error with every text that came from outside passed through `clean`.
    #[must_use]
    pub(crate) fn map_text(mut self, clean: impl Fn(&str) -> String) -> Self {
        match &mut self {
            Self::InvalidUrl { reason }
            | Self::InvalidAccess { reason, .. }
            | Self::Unreachable { reason, .. }
            | Self::Untrusted { reason, .. }
            | Self::Unauthenticated { reason, .. }
            | Self::NotFound { reason, .. }
            | Self::BadAnswer { reason, .. }
            | Self::ServerError { reason, .. }
            | Self::RedirectRefused { reason, .. }
            | Self::UnknownChart { reason, .. }
            | Self::BadArchive { reason, .. }
            | Self::Submodule { reason, .. }
            | Self::Cache { reason, .. } => *reason = clean(reason),
            Self::TimedOut { .. }
            | Self::Cancelled { .. }
            | Self::TooLarge { .. }
            | Self::UnknownRevision { .. }
            | Self::AmbiguousRevision { .. }
            | Self::EmptyRepository { .. }
            | Self::Tree(_) => {}
        }
        self
    }

    /// Takes an error of this room back out of the `io::Error` that carried it through a `Read` or `Write`.
    pub(crate) fn from_io(error: std::io::Error, otherwise: impl FnOnce(String) -> Self) -> Self {
        match error.downcast::<Self>() {
            Ok(inner) => inner,
            Err(error) => otherwise(error.to_string()),
        }
    }
}

impl From<SourceError> for Problem {
    fn from(error: SourceError) -> Self {
        let cause = match &error {
            SourceError::InvalidUrl { .. } => Cause::InvalidSpec,
            SourceError::UnknownRevision { .. }
            | SourceError::AmbiguousRevision { .. }
            | SourceError::EmptyRepository { .. }
            | SourceError::UnknownChart { .. } => Cause::RevisionUnknown,
            SourceError::Tree(TreeError::Unreadable { .. }) => Cause::Incomplete,
            SourceError::Tree(_) => Cause::PathInvalid,
            _ => Cause::RepositoryUnreachable,
        };
        match error.remedy() {
            Remedy::Change => Self::stalled(Stage::Source, cause, error.to_string()),
            Remedy::Retry => Self::retry(Stage::Source, cause, error.to_string()),
        }
    }
}

/// One line of text from a server: printable characters only, cut at 300.
pub(crate) fn one_line(text: &str) -> String {
    let line = text.split(['\n', '\r']).map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.chars().filter(|character| !character.is_control()).take(300).collect()
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}
