//! References to directories in Git repositories: `https://host/org/repo//path?ref=v1`,
//! `github.com/org/repo/path`, `git@host:org/repo.git`.

mod query;

use std::time::Duration;

use crate::error::{Error, Result};
use crate::files::clean_path;
use query::Query;

/// A directory in a Git repository, as a kustomization names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoSpec {
    raw: String,
    host: String,
    repo_path: String,
    kustomization_path: String,
    query: Query,
}

const SCHEMES: [&str; 4] = ["ssh://", "https://", "http://", "file://"];

impl RepoSpec {
    /// What the text says, if it is a reference to a repository at all.
    ///
    /// # Errors
    /// It is none: an absolute path, a relative path, an unknown scheme.
    pub fn parse(text: &str) -> Result<Self> {
        if text.starts_with('/') {
            return Err(Error::new(format!("uri looks like abs path: {text}")));
        }
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        let (host, path) = split_host(address)?;
        let (repo_path, kustomization_path) = split_path(path, host.starts_with("file://"))?;
        Ok(Self { raw: text.to_owned(), host, repo_path, kustomization_path, query: Query::parse(query) })
    }

    /// The text that was parsed.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// What to clone.
    pub fn clone_url(&self) -> String {
        format!("{}{}", self.host, self.repo_path)
    }

    /// The directory in the repository; empty for its root.
    pub fn path(&self) -> &str {
        &self.kustomization_path
    }

    /// Branch, tag or commit; empty for the default branch.
    pub fn reference(&self) -> &str {
        &self.query.reference
    }

    /// The time that the kustomization allows for fetching, when it says so.
    pub fn timeout(&self) -> Option<Duration> {
        self.query.timeout
    }

    /// Whether submodules are wanted.
    pub fn submodules(&self) -> bool {
        self.query.submodules
    }
}

fn strip_prefix_ignoring_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// The user name before an `@`, with the `@`.
fn split_user(text: &str) -> (&str, &str) {
    let Some(at) = text.find('@') else { return ("", text) };
    let (name, rest) = text.split_at(at);
    let valid = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '-');
    if valid { text.split_at(at + 1) } else { ("", if rest.is_empty() { name } else { text }) }
}

fn split_host(text: &str) -> Result<(String, &str)> {
    let text = strip_prefix_ignoring_case(text, "git::").unwrap_or(text);
    let found = SCHEMES.iter().find_map(|scheme| Some((*scheme, strip_prefix_ignoring_case(text, scheme)?)));
    let (scheme, rest) = found.unwrap_or(("", text));
    let (user, rest) = split_user(rest);
    let lower = rest.to_lowercase();
    let is_github = lower.starts_with("github.com/") || lower.starts_with("github.com:");
    let like_scp = scheme.is_empty() && (!user.is_empty() || is_github);
    if scheme.is_empty() && !like_scp {
        return Err(Error::new("failed to parse scheme"));
    }
    if scheme == "file://" {
        let at = text.len() - rest.len() - user.len();
        return Ok((scheme.to_owned(), &text[at..]));
    }
    let (host, path) = match separator(rest, like_scp) {
        Some(at) => rest.split_at(at + 1),
        None => (rest, ""),
    };
    let host = if !is_github {
        format!("{scheme}{user}{host}")
    } else if scheme == "ssh://" || !user.is_empty() {
        format!("{user}github.com:")
    } else {
        "https://github.com/".to_owned()
    };
    if host.len() == scheme.len() + user.len() {
        return Err(Error::new("failed to parse host segment"));
    }
    Ok((host, path))
}

fn separator(text: &str, like_scp: bool) -> Option<usize> {
    let slash = text.find('/');
    match (slash, text.find(':').filter(|_| like_scp)) {
        (None, colon) => colon,
        (Some(slash), Some(colon)) if colon > 0 && colon < slash => Some(colon),
        (slash, _) => slash,
    }
}

fn split_path(text: &str, is_file: bool) -> Result<(String, String)> {
    let parsed = marked(text).or_else(|| by_length(text, is_file));
    let Some((repo, path)) = parsed.filter(|(repo, _)| !repo.is_empty()) else {
        return Err(Error::new("failed to parse repo path segment"));
    };
    let inside = clean_path(path.strip_prefix('/').unwrap_or(&path));
    if inside.split('/').next() == Some("..") {
        return Err(Error::new(format!("url path exits repo: {text}")));
    }
    Ok((repo, path.strip_prefix('/').unwrap_or(&path).to_owned()))
}

fn marked(text: &str) -> Option<(String, String)> {
    if let Some(at) = text.find("_git/") {
        let (before, after) = text.split_at(at + 5);
        let (name, path) = after.split_once('/').unwrap_or((after, ""));
        return Some((format!("{before}{name}"), path.to_owned()));
    }
    if let Some((repo, path)) = text.split_once("//") {
        return Some((repo.to_owned(), path.to_owned()));
    }
    let at = text.find(".git")?;
    let (repo, path) = text.split_at(at + 4);
    Some((repo.to_owned(), path.to_owned()))
}

fn by_length(text: &str, is_file: bool) -> Option<(String, String)> {
    if is_file {
        return Some((text.to_owned(), String::new()));
    }
    let parts: Vec<&str> = text.split('/').collect();
    let (repo, path) = parts.split_at_checked(2)?;
    Some((repo.join("/"), path.join("/")))
}
