//! Secrets of type `repository` and `repo-creds`.

use std::collections::BTreeMap;
use std::fmt;

/// A text that is never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Sensitive(pub String);

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "(none)" } else { "***" })
    }
}

/// One repository, or the credentials of all repositories below a URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepositorySecret {
    /// URL of the repository, or prefix of URLs.
    pub url: String,
    /// Whether the URL is a prefix (`repo-creds`).
    pub is_prefix: bool,
    /// `git`, `helm` or `oci`.
    pub kind: String,
    /// Name of a Helm repository.
    pub name: String,
    /// Project that the repository belongs to; empty for all.
    pub project: String,
    /// User name.
    pub username: String,
    /// Password or token.
    pub password: Sensitive,
    /// Token of `Authorization: Bearer`.
    pub bearer_token: Sensitive,
    /// SSH private key.
    pub ssh_private_key: Sensitive,
    /// Client certificate in PEM.
    pub tls_client_cert: String,
    /// Its key in PEM.
    pub tls_client_key: Sensitive,
    /// Whether certificates and host keys are not checked.
    pub insecure: bool,
    /// Whether LFS files are fetched.
    pub enable_lfs: bool,
    /// Proxy URL, may hold credentials.
    pub proxy: Sensitive,
    /// Hosts reached without the proxy.
    pub no_proxy: String,
    /// Whether a Helm repository is an OCI registry.
    pub enable_oci: bool,
}

impl RepositorySecret {
    /// Reads the decoded data of a Secret.
    pub fn read(data: &BTreeMap<String, String>, is_prefix: bool) -> Self {
        let text = |key: &str| data.get(key).cloned().unwrap_or_default();
        let yes = |key: &str| data.get(key).is_some_and(|value| value.trim() == "true");
        Self {
            url: text("url").trim().to_owned(),
            is_prefix,
            kind: text("type"),
            name: text("name"),
            project: text("project"),
            username: text("username"),
            password: Sensitive(text("password")),
            bearer_token: Sensitive(text("bearerToken")),
            ssh_private_key: Sensitive(text("sshPrivateKey")),
            tls_client_cert: text("tlsClientCertData"),
            tls_client_key: Sensitive(text("tlsClientCertKey")),
            insecure: yes("insecure") || yes("insecureIgnoreHostKey"),
            enable_lfs: yes("enableLfs"),
            proxy: Sensitive(text("proxy")),
            no_proxy: text("noProxy"),
            enable_oci: yes("enableOCI"),
        }
    }

    /// Whether there is anything to log in with.
    pub fn has_credentials(&self) -> bool {
        let sensitive = [&self.password, &self.bearer_token, &self.ssh_private_key, &self.tls_client_key];
        !self.username.is_empty() || sensitive.iter().any(|text| !text.0.is_empty())
    }
}

fn comparable(url: &str) -> String {
    let url = url.trim().trim_end_matches('/');
    url.strip_suffix(".git").unwrap_or(url).to_lowercase()
}

/// The Secret for a URL: the repository itself where one is declared, with the credentials of the longest matching
/// prefix where it has none of its own.
pub fn best_match(secrets: &[RepositorySecret], url: &str) -> Option<RepositorySecret> {
    let wanted = comparable(url);
    let own = secrets.iter().find(|secret| !secret.is_prefix && comparable(&secret.url) == wanted).cloned();
    if own.as_ref().is_some_and(RepositorySecret::has_credentials) {
        return own;
    }
    let prefixes =
        secrets.iter().filter(|secret| secret.is_prefix && wanted.starts_with(&comparable(&secret.url)));
    let credentials = prefixes.max_by_key(|secret| secret.url.len()).cloned();
    match (own, credentials) {
        (Some(own), Some(credentials)) => Some(RepositorySecret {
            insecure: own.insecure || credentials.insecure,
            kind: own.kind,
            name: own.name,
            ..credentials
        }),
        (own, credentials) => own.or(credentials),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_lends_its_credentials_and_nothing_is_printed() {
        let secret = |url: &str, is_prefix, password: &str| RepositorySecret {
            url: url.into(),
            is_prefix,
            password: Sensitive(password.into()),
            ..RepositorySecret::default()
        };
        let all = [
            secret("https://host/org", true, "org"),
            secret("https://host/org/team", true, "s3cret"),
            secret("https://host/org/team/repo.git", false, ""),
        ];
        let found = best_match(&all, "https://HOST/org/team/repo").unwrap();
        assert_eq!(found.password.0, "s3cret");
        assert!(!format!("{found:?}").contains("s3cret"), "{found:?}");
        assert!(best_match(&all, "https://other/repo").is_none());
    }
}
