//! What a source's `targetRevision` came to: a commit, a chart version, an OCI digest.

/// What a revision names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RevisionKind {
    /// A Git commit; the id is its 40 hex digits.
    Commit,
    /// A version of a chart in a Helm repository; the id is the version.
    ChartVersion,
    /// An artifact of an OCI registry; the id is the version or the digest that the user asked for.
    OciArtifact,
}

/// A `targetRevision` resolved: what `status.sync.revision` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// What kind of name the id is.
    pub kind: RevisionKind,
    /// The exact, immutable name: a full commit id or a chart version.
    pub id: String,
    /// What the user asked for, as written; empty stands for `HEAD` or the newest version.
    pub requested: String,
    /// The full name of the branch or tag that was meant (`refs/heads/main`), where there is one.
    pub reference: Option<String>,
    /// `sha256:…` of the archive or manifest, for charts and OCI artifacts.
    pub digest: Option<String>,
}

/// What a commit says of itself, for history and the UI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitInfo {
    /// `Name <mail>`.
    pub author: String,
    /// Author date, seconds since 1970 UTC.
    pub date: i64,
    /// The whole message, cut at 8 KiB.
    pub message: String,
    /// Whether the commit carries a signature (it is not checked here).
    pub signed: bool,
}

impl CommitInfo {
    /// The first line of the message.
    pub fn subject(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }
}
