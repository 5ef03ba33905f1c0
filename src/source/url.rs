//! Where a repository is: schemes that may be used, forms that are refused, and names that are never printed.

use std::fmt;

use super::error::SourceError;
use super::repository::SecretText;

/// Longest URL that is looked at, in bytes.
const MAX_URL_BYTES: usize = 2048;

/// How a repository is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Smart HTTP over TLS; also Helm repositories.
    Https,
    /// Smart HTTP in the clear; also Helm repositories.
    Http,
    /// SSH, as `ssh://` or `user@host:path`.
    Ssh,
    /// Git's own unauthenticated protocol.
    Git,
    /// A repository on this machine.
    File,
    /// An OCI registry.
    Oci,
}

impl Scheme {
    fn name(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
            Self::Ssh => "ssh",
            Self::Git => "git",
            Self::File => "file",
            Self::Oci => "oci",
        }
    }

    /// The port that is used when the URL names none; 0 for files.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Https | Self::Oci => 443,
            Self::Http => 80,
            Self::Ssh => 22,
            Self::Git => 9418,
            Self::File => 0,
        }
    }
}

/// The URL of a repository, parsed. `Display` and `Debug` show neither password nor token; the user is shown for
/// SSH only (`git@…`), since in an https URL it may be a token.
#[derive(Clone, PartialEq, Eq)]
pub struct RepoUrl {
    scheme: Scheme,
    user: Option<String>,
    password: Option<SecretText>,
    host: String,
    port: Option<u16>,
    /// As the server gets it: with its leading `/` except in the form `host:path`.
    path: String,
    /// Written as `user@host:path`.
    scp_like: bool,
}

impl RepoUrl {
    /// Reads a URL as a user wrote it: `https`, `http`, `ssh`, `git`, `file` and `oci` URLs, `user@host:path`, and
    /// an absolute local path.
    ///
    /// # Errors
    /// [`SourceError::InvalidUrl`] for every other scheme (`ext::` and other remote helpers among them), a leading
    /// `-`, control characters, a query or a fragment. The message does not repeat the URL.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(invalid("it is empty"));
        }
        if text.len() > MAX_URL_BYTES {
            return Err(invalid("it is longer than 2048 bytes"));
        }
        if text.starts_with('-') {
            return Err(invalid("it starts with '-'"));
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(invalid("it contains spaces or control characters"));
        }
        if text.starts_with('/') {
            return Ok(Self::local(text.to_owned()));
        }
        match text.split_once("://") {
            Some((scheme, rest)) => Self::parse_with_scheme(scheme, rest),
            None => Self::parse_scp_like(text),
        }
    }

    fn local(path: String) -> Self {
        let host = String::new();
        Self { scheme: Scheme::File, user: None, password: None, host, port: None, path, scp_like: false }
    }

    fn parse_with_scheme(scheme: &str, rest: &str) -> Result<Self, SourceError> {
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            "ssh" | "git+ssh" | "ssh+git" => Scheme::Ssh,
            "git" => Scheme::Git,
            "file" => Scheme::File,
            "oci" => Scheme::Oci,
            _ => return Err(invalid("its scheme is not one of https, http, ssh, git, file, oci")),
        };
        let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        if path.contains(['?', '#']) || authority.contains(['?', '#', '\\']) {
            return Err(invalid("it has a query or a fragment"));
        }
        if scheme == Scheme::File {
            if !authority.is_empty() && authority != "localhost" {
                return Err(invalid("a file URL must have no host: file:///path"));
            }
            return Ok(Self::local(percent_decode(path)?));
        }
        let (user, password, host_port) = split_userinfo(authority)?;
        let (host, port) = split_port(host_port)?;
        let path = if matches!(scheme, Scheme::Ssh | Scheme::Git) {
            let path = percent_decode(path)?;
            // ssh://host/~user/x means the home directory of user, as in git.
            if path.starts_with("/~") { path.trim_start_matches('/').to_owned() } else { path }
        } else {
            path.to_owned()
        };
        Ok(Self { scheme, user, password, host, port, path, scp_like: false })
    }

    fn parse_scp_like(text: &str) -> Result<Self, SourceError> {
        let hint = "it is neither a URL nor of the form user@host:path";
        let (before, path) = text.split_once(':').ok_or_else(|| invalid(hint))?;
        if path.starts_with(':') {
            return Err(invalid("remote helpers such as ext:: are not supported"));
        }
        if before.contains('/') || path.is_empty() {
            return Err(invalid(hint));
        }
        if path.starts_with('-') {
            return Err(invalid("its path starts with '-'"));
        }
        let (user, password, host) = split_userinfo(before)?;
        check_host(host)?;
        let (host, path) = (host.to_ascii_lowercase(), path.to_owned());
        Ok(Self { scheme: Scheme::Ssh, user, password, host, port: None, path, scp_like: true })
    }

    /// How the repository is reached.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host in lower case, IPv6 addresses without brackets; empty for files.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, by default the scheme's.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or_else(|| self.scheme.default_port())
    }

    /// The path as the server gets it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The user of the URL, if it names one.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The password of the URL, if it holds one.
    pub fn password(&self) -> Option<&SecretText> {
        self.password.as_ref()
    }

    /// `host` or `host:port` as a Host header and a CONNECT request write it.
    pub(crate) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match self.port {
            Some(port) if port != self.scheme.default_port() => format!("{host}:{port}"),
            _ => host,
        }
    }

    /// Names the repository for caches: forms of one URL that surely mean one repository are equal. Case of the
    /// path counts, unlike in [`normalize_git_url`]. No password; the user only where it selects what is seen (SSH).
    pub(crate) fn identity(&self) -> String {
        let path = self.path.trim_end_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        let user = match (self.scheme, &self.user) {
            (Scheme::Ssh, Some(user)) => format!("{user}@"),
            _ => String::new(),
        };
        format!("{}://{user}{}:{}/{}", self.scheme.name(), self.host, self.port(), path)
    }

    /// This URL with the user and password of another one.
    #[must_use]
    pub(crate) fn with_login_of(&self, other: &Self) -> Self {
        Self { user: other.user.clone(), password: other.password.clone(), ..self.clone() }
    }

    /// This URL without user and password.
    #[must_use]
    pub fn without_login(&self) -> Self {
        Self { user: None, password: None, ..self.clone() }
    }

    /// Reads the URL of an OCI registry, which Argo CD has without a scheme: `registry.example.com/charts`.
    ///
    /// # Errors
    /// As [`RepoUrl::parse`].
    pub fn parse_registry(text: &str) -> Result<Self, SourceError> {
        let text = text.trim();
        if text.contains("://") { Self::parse(text) } else { Self::parse(&format!("oci://{text}")) }
    }

    /// The URL of a submodule as seen from this repository: `../x` and `./x` are relative to it.
    ///
    /// # Errors
    /// As [`RepoUrl::parse`], and where `..` leaves the host. A local path is refused unless this is one too.
    pub(crate) fn join_submodule(&self, text: &str) -> Result<Self, SourceError> {
        if !(text.starts_with("./") || text.starts_with("../")) {
            let url = Self::parse(text)?;
            if url.scheme == Scheme::File && self.scheme != Scheme::File {
                return Err(invalid("a submodule of a remote repository may not be a local path"));
            }
            return Ok(url);
        }
        let mut parts: Vec<&str> = self.path.trim_end_matches('/').split('/').collect();
        for part in text.trim_end_matches('/').split('/') {
            match part {
                "." | "" => {}
                ".." => {
                    parts
                        .pop()
                        .filter(|part| !part.is_empty())
                        .ok_or_else(|| invalid("it leads above the host"))?;
                }
                name => parts.push(name),
            }
        }
        let path = parts.join("/");
        if path.chars().any(char::is_control) || path.contains(['?', '#']) || path.starts_with('-') {
            return Err(invalid("its path has forbidden characters"));
        }
        Ok(Self { path, ..self.clone() })
    }
}

impl fmt::Display for RepoUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scheme == Scheme::File {
            return write!(f, "file://{}", self.path);
        }
        let user = match (self.scheme, &self.user) {
            (Scheme::Ssh, Some(user)) => format!("{user}@"),
            _ => String::new(),
        };
        if self.scp_like {
            return write!(f, "{user}{}:{}", self.host, self.path);
        }
        let slash = if self.path.starts_with('/') { "" } else { "/" };
        write!(f, "{}://{user}{}{slash}{}", self.scheme.name(), self.authority(), self.path)
    }
}

impl fmt::Debug for RepoUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RepoUrl({self})")
    }
}

/// A URL as Argo CD compares it (`NormalizeGitURL`): lower case, without `.git`, SSH forms as one. None where Go's
/// parser refuses it. For equality alone: user and password stay in it, so it is never printed.
pub fn normalize_git_url(text: &str) -> Option<String> {
    let lower = text.trim().to_lowercase();
    let mut url = lower;
    if is_ssh_url(&url) && !url.starts_with("ssh://") {
        url = format!("ssh://{}", url.replacen(':', "/", 1));
    }
    let url = url.strip_suffix(".git").unwrap_or(&url);
    if url.chars().any(char::is_control) {
        return None;
    }
    Some(url.strip_prefix("ssh://").unwrap_or(url).to_owned())
}

/// Whether two URLs mean the same repository to Argo CD.
pub fn same_git_url(left: &str, right: &str) -> bool {
    match (normalize_git_url(left), normalize_git_url(right)) {
        (Some(left), Some(right)) => !left.is_empty() && left == right,
        _ => left == right,
    }
}

/// Argo CD's test: an optional `ssh://`, a user without `/` or `:`, one `@`.
fn is_ssh_url(url: &str) -> bool {
    let rest = url.strip_prefix("ssh://").unwrap_or(url);
    match rest.split_once('@') {
        Some((user, host)) => !user.contains(['/', ':']) && !host.is_empty() && !host.contains('@'),
        None => false,
    }
}

fn invalid(reason: &str) -> SourceError {
    SourceError::InvalidUrl { reason: reason.to_owned() }
}

fn split_userinfo(authority: &str) -> Result<(Option<String>, Option<SecretText>, &str), SourceError> {
    let Some((userinfo, host)) = authority.rsplit_once('@') else {
        return Ok((None, None, authority));
    };
    let (user, password) = match userinfo.split_once(':') {
        Some((user, password)) => (user, Some(SecretText::new(percent_decode(password)?))),
        None => (userinfo, None),
    };
    let user = percent_decode(user)?;
    if user.starts_with('-') {
        return Err(invalid("its user starts with '-'"));
    }
    Ok(((!user.is_empty()).then_some(user), password, host))
}

fn split_port(host_port: &str) -> Result<(String, Option<u16>), SourceError> {
    let bad_port = || invalid("its port is not a number from 1 to 65535");
    let (host, port) = if let Some(rest) = host_port.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or_else(|| invalid("its host has no closing ]"))?;
        host.parse::<std::net::Ipv6Addr>().map_err(|_| invalid("its host is not an IPv6 address"))?;
        (
            host,
            after
                .strip_prefix(':')
                .or(if after.is_empty() { Some("") } else { None })
                .ok_or_else(bad_port)?,
        )
    } else {
        let (host, port) = host_port.split_once(':').unwrap_or((host_port, ""));
        check_host(host)?;
        (host, port)
    };
    let port = match port {
        "" => None,
        port => Some(port.parse::<u16>().ok().filter(|port| *port != 0).ok_or_else(bad_port)?),
    };
    Ok((host.to_ascii_lowercase(), port))
}

fn check_host(host: &str) -> Result<(), SourceError> {
    if host.is_empty() {
        return Err(invalid("it has no host"));
    }
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    if host.starts_with('-') || !host.chars().all(allowed) {
        return Err(invalid("its host has forbidden characters"));
    }
    Ok(())
}

fn percent_decode(text: &str) -> Result<String, SourceError> {
    let bad = || invalid("it has a broken %-escape");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16)).ok_or_else(bad);
        let value = digit()? * 16 + digit()?;
        bytes.push(u8::try_from(value).map_err(|_| bad())?);
    }
    let text = String::from_utf8(bytes).map_err(|_| bad())?;
    if text.chars().any(char::is_control) { Err(bad()) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_never_shown() {
        let url = RepoUrl::parse("https://user:s3cr%40t@Git.Example.com:8443/a/b.git").unwrap();
        assert_eq!(
            format!("{url} {url:?}"),
            "https://git.example.com:8443/a/b.git RepoUrl(https://git.example.com:8443/a/b.git)"
        );
        assert_eq!(url.password().unwrap().expose(), "s3cr@t");
        assert_eq!(RepoUrl::parse("https://ghp_token@host/x").unwrap().to_string(), "https://host/x");
        assert_eq!(RepoUrl::parse("git@host:org/x.git").unwrap().to_string(), "git@host:org/x.git");
        assert_eq!(RepoUrl::parse("ssh://git:pw@host:2222/x").unwrap().to_string(), "ssh://git@host:2222/x");
        let error = RepoUrl::parse("https://user:s3cret@host/x?y").unwrap_err();
        assert!(!error.to_string().contains("s3cret"));
    }

    #[test]
    fn hostile_urls_are_refused() {
        for text in [
            "",
            "--upload-pack=touch /tmp/x",
            "-x",
            "ext::sh -c true",
            "ext::sh%20-c",
            "gopher://h/x",
            "https://",
            "https://-h/x",
            "ssh://-oProxyCommand=x/y",
            "git@-oProxyCommand=x:y",
            "host:-x",
            "https://h/x#y",
            "https://h:99999/",
            "https://h\n/x",
            "file://other/x",
            "https://a\\b/x",
            "ssh://-u@h/x",
            "h/x:y",
            "https://%zz@h/x",
            "ssh://h/a%0ab",
            "fd::17",
            "https://[::1/x",
        ] {
            assert!(RepoUrl::parse(text).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn one_repository_has_one_identity() {
        let identity = |text: &str| RepoUrl::parse(text).unwrap().identity();
        assert_eq!(identity("https://Host/a.git"), identity("https://u:p@host:443/a/"));
        assert_ne!(identity("https://host/a"), identity("https://host/A"));
        assert_ne!(identity("ssh://a@host/x"), identity("ssh://b@host/x"));
        assert_eq!(RepoUrl::parse("ssh://git@h/~me/x").unwrap().path(), "~me/x");
        assert_eq!(RepoUrl::parse("https://[::1]:81/x").unwrap().to_string(), "https://[::1]:81/x");
    }

    #[test]
    fn equality_is_as_argo_cd_sees_it() {
        assert!(same_git_url("git@GitHub.com:Org/Repo.git", "ssh://git@github.com/org/repo"));
        assert!(same_git_url("https://github.com/Org/Repo.git", " https://github.com/org/repo"));
        assert!(!same_git_url("https://github.com/org/repo", "http://github.com/org/repo"));
        assert!(!same_git_url("https://u@github.com/org/repo", "https://github.com/org/repo"));
    }

    #[test]
    fn submodule_urls_are_relative_to_the_repository() {
        let url = RepoUrl::parse("https://u:p@host/org/app.git").unwrap();
        assert_eq!(url.join_submodule("../lib.git").unwrap().to_string(), "https://host/org/lib.git");
        assert_eq!(url.join_submodule("./sub").unwrap().to_string(), "https://host/org/app.git/sub");
        assert!(url.join_submodule("../../../x").is_err());
        assert!(url.join_submodule("/etc").is_err());
        assert!(url.join_submodule("file:///etc").is_err());
        assert!(url.join_submodule("ext::sh -c true").is_err());
        let scp = RepoUrl::parse("git@host:org/app.git").unwrap();
        assert_eq!(scp.join_submodule("../lib.git").unwrap().to_string(), "git@host:org/lib.git");
    }
}
