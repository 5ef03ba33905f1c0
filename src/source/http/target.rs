//! Where an HTTP request goes, and where a redirect may lead.

use std::net::IpAddr;

use crate::source::error::{SourceError, one_line};
use crate::source::url::{RepoUrl, Scheme};

/// Scheme, host, port and path of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) https: bool,
    /// Lower case, IPv6 without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Path and query, with a leading `/`.
    pub(crate) path: String,
}

impl Target {
    /// A path below a repository's URL. `oci` counts as https.
    pub(crate) fn below(url: &RepoUrl, rest: &str) -> Self {
        let path = format!("{}{rest}", url.path().trim_end_matches('/'));
        Self { https: url.scheme() != Scheme::Http, host: url.host().to_owned(), port: url.port(), path }
    }

    /// Reads an absolute http or https URL, such as that of a chart in an index.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (url, query) = text.split_once('?').map_or((text, None), |(url, query)| (url, Some(query)));
        let url = url.split('#').next()?;
        let url = RepoUrl::parse(url).ok()?;
        if !matches!(url.scheme(), Scheme::Http | Scheme::Https) || url.user().is_some() {
            return None;
        }
        let mut target = Self::below(&url, "");
        url.path().clone_into(&mut target.path);
        if let Some(query) = query {
            let query = query.split('#').next().unwrap_or_default();
            target.path = format!("{}?{query}", target.path);
        }
        Some(target)
    }

    /// `host` or `host:port`, as the Host header has it.
    pub(crate) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let default_port = if self.https { 443 } else { 80 };
        if self.port == default_port { host } else { format!("{host}:{}", self.port) }
    }

    /// Scheme, host and path for messages; the query may hold a signature and is left out.
    pub(crate) fn shown(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        let path = self.path.split('?').next().unwrap_or_default();
        format!("{scheme}://{}{path}", self.authority())
    }

    /// Whether credentials meant for `self` may be sent to `other`: the same server, or the same host on its
    /// standard ports after a move from http to https.
    pub(crate) fn shares_credentials(&self, other: &Self) -> bool {
        let same = self.https == other.https && self.port == other.port;
        let upgrade = !self.https && self.port == 80 && other.https && other.port == 443;
        self.host == other.host && (same || upgrade)
    }

    /// Where a `Location` leads.
    ///
    /// # Errors
    /// [`SourceError::RedirectRefused`] for another scheme than http and https, from https to http, and to an
    /// address that only this machine or its network segment has, unless the redirecting server has one too.
    pub(crate) fn redirect(&self, url: &RepoUrl, location: &str) -> Result<Self, SourceError> {
        let refused = |reason: &str| SourceError::RedirectRefused {
            url: url.to_string(),
            reason: format!("{reason} ({})", one_line(location.split('?').next().unwrap_or_default())),
        };
        let next = if location.starts_with('/') && !location.starts_with("//") {
            Self { path: location.split('#').next().unwrap_or_default().to_owned(), ..self.clone() }
        } else if location.starts_with("//") {
            let scheme = if self.https { "https:" } else { "http:" };
            Self::parse(&format!("{scheme}{location}")).ok_or_else(|| refused("not a URL"))?
        } else {
            // A user in the URL is refused with it: nobody else's credentials are sent.
            Self::parse(location)
                .ok_or_else(|| refused("only http and https without credentials are followed"))?
        };
        if self.https && !next.https {
            return Err(refused("it leads from https to http"));
        }
        let local = |target: &Self| target.host == "localhost" || target.address().is_some_and(is_loopback);
        if local(&next) && !local(self) {
            return Err(refused("it leads to this machine"));
        }
        if next.address().is_some_and(is_link_local) {
            return Err(refused("it leads to a link-local address"));
        }
        Ok(next)
    }

    fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

/// Addresses of the network segment: cloud metadata services live there, repositories do not.
pub(crate) fn is_link_local(address: IpAddr) -> bool {
    match canonical(address) {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => {
            address.is_unicast_link_local()
                // The metadata service of AWS over IPv6.
                || address.segments() == [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254]
        }
    }
}

/// Addresses of this machine.
pub(crate) fn is_loopback(address: IpAddr) -> bool {
    let address = canonical(address);
    address.is_loopback() || address.is_unspecified()
}

fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(inner) => inner.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirect(from: &str, to: &str) -> Result<Target, SourceError> {
        let url = RepoUrl::parse(from).unwrap();
        Target::below(&url, "/info/refs?service=x").redirect(&url, to)
    }

    #[test]
    fn redirects_are_followed_where_git_would() {
        assert_eq!(redirect("https://a/x", "/y?z").unwrap().shown(), "https://a/y");
        assert_eq!(redirect("https://a/x", "https://b/y").unwrap().host, "b");
        assert_eq!(redirect("http://a/x", "https://a/x").unwrap().port, 443);
    }

    #[test]
    fn redirects_to_elsewhere_are_refused() {
        for (from, to) in [
            ("https://a/x", "http://a/x"),
            ("http://a/x", "http://169.254.169.254/latest/meta-data"),
            ("http://a/x", "http://[::ffff:169.254.169.254]/"),
            ("http://a/x", "http://[fe80::1]/"),
            ("http://a/x", "http://127.0.0.1/"),
            ("http://a/x", "http://localhost/"),
            ("http://a/x", "http://[::]/"),
            ("http://a/x", "file:///etc/passwd"),
            ("http://a/x", "gopher://a/x"),
            ("http://a/x", "http://user:pw@a/x"),
        ] {
            assert!(matches!(redirect(from, to), Err(SourceError::RedirectRefused { .. })), "{from} to {to}");
        }
    }

    #[test]
    fn credentials_stay_with_their_server() {
        let target = |text: &str| Target::parse(text).unwrap();
        assert!(target("https://a/x").shares_credentials(&target("https://a/y")));
        assert!(target("http://a/x").shares_credentials(&target("https://a/y")));
        assert!(!target("https://a/x").shares_credentials(&target("https://a:444/y")));
        assert!(!target("https://a/x").shares_credentials(&target("https://b/x")));
        assert!(!target("https://a/x").shares_credentials(&target("http://a/x")));
    }
}
