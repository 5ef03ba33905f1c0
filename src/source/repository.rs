//! What is needed to reach one repository: its URL, credentials, trust and proxy.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::error::{SourceError, one_line};
use super::url::RepoUrl;

/// A text that is never printed: password, token or private key.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct SecretText(Arc<str>);

impl SecretText {
    /// Keeps a secret.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for the moment at which it is sent.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How the server learns who asks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Auth {
    /// Not at all, or with what the URL itself holds.
    #[default]
    Anonymous,
    /// HTTP basic authentication (a token as password is common), or SSH password.
    Basic {
        /// User name.
        username: String,
        /// Password or token.
        password: SecretText,
    },
    /// `Authorization: Bearer …`.
    Bearer(SecretText),
    /// SSH private key in OpenSSH, PKCS#8 or PEM form, without passphrase.
    SshKey(SecretText),
}

/// Whom a TLS connection trusts, and how it names itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsTrust {
    /// Certificates in PEM that replace the system's: authorities or the server's own certificate. Empty means the
    /// system's authorities.
    pub ca_pem: Option<Arc<str>>,
    /// Certificate chain in PEM for client authentication; needs `client_key_pem`.
    pub client_cert_pem: Option<Arc<str>>,
    /// Its key in PEM.
    pub client_key_pem: Option<SecretText>,
}

/// An HTTP proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// `http://[user:password@]host:port` or `https://…`.
    pub url: RepoUrl,
    /// Comma-separated hosts, `.suffixes`, addresses and networks that are reached without it.
    pub no_proxy: String,
}

/// Everything that is needed to reach one repository, joined from its Secret, repo-creds, argocd-tls-certs-cm and
/// argocd-ssh-known-hosts-cm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The repository.
    pub url: RepoUrl,
    /// Credentials.
    pub auth: Auth,
    /// TLS trust and client certificate.
    pub tls: TlsTrust,
    /// Contents of a known_hosts file.
    pub known_hosts: Arc<str>,
    /// Take any server certificate and any SSH host key.
    pub insecure: bool,
    /// Proxy for HTTP.
    pub proxy: Option<Proxy>,
    /// Fetch submodules.
    pub submodules: bool,
    /// Send the credentials of a Helm repository also to other servers that its index names.
    pub pass_credentials: bool,
    /// Helm repository on an OCI registry.
    pub oci: bool,
    /// Speak plain HTTP to an OCI registry.
    pub plain_http: bool,
}

impl Access {
    /// Anonymous access to a URL, with the system's trust.
    pub fn anonymous(url: RepoUrl) -> Self {
        Self {
            url,
            auth: Auth::Anonymous,
            tls: TlsTrust::default(),
            known_hosts: Arc::from(""),
            insecure: false,
            proxy: None,
            submodules: true,
            pass_credentials: false,
            oci: false,
            plain_http: false,
        }
    }

    /// Basic credentials: those of the Secret, else those of the URL.
    pub(crate) fn basic(&self) -> Option<(&str, &str)> {
        match &self.auth {
            Auth::Basic { username, password } => Some((username, password.expose())),
            Auth::Anonymous => match (self.url.user(), self.url.password()) {
                (None, None) => None,
                (user, password) => Some((user.unwrap_or(""), password.map_or("", SecretText::expose))),
            },
            Auth::Bearer(_) | Auth::SshKey(_) => None,
        }
    }

    /// The directory name of what was fetched with this access. It depends on the credentials: who has none must not
    /// read what another's credentials fetched.
    pub(crate) fn cache_key(&self) -> String {
        let mut key = vec![self.url.identity()];
        key.extend(self.basic().map(|(user, password)| format!("{user}:{password}")));
        match &self.auth {
            Auth::Bearer(secret) | Auth::SshKey(secret) => key.push(secret.expose().to_owned()),
            Auth::Anonymous | Auth::Basic { .. } => {}
        }
        key.extend(self.tls.client_cert_pem.as_deref().map(str::to_owned));
        hash(&key)
    }

    /// Names what a server said to this access. Unlike [`Access::cache_key`] it changes with trust and proxy, so that
    /// a failure is not told to those who have another way.
    pub(crate) fn connection_key(&self) -> String {
        let proxy = self.proxy.as_ref().map(|proxy| format!("{} {}", proxy.url.identity(), proxy.no_proxy));
        let trust = [self.tls.ca_pem.as_deref(), proxy.as_deref(), Some(&self.known_hosts)];
        let mut key = vec![self.cache_key(), self.insecure.to_string()];
        key.extend(trust.map(|text| text.unwrap_or_default().to_owned()));
        hash(&key)
    }

    /// A text from outside without this repository's secrets, as one printable line.
    pub fn redact(&self, text: &str) -> String {
        let mut text = one_line(text);
        let proxy = self.proxy.as_ref().and_then(|proxy| proxy.url.password());
        let mut secrets: Vec<&str> = vec![];
        secrets.extend(self.basic().map(|(_, password)| password));
        secrets.extend(proxy.map(SecretText::expose));
        // In https://token@host the user is the secret.
        secrets.extend(self.url.user().filter(|_| self.url.password().is_none()));
        secrets.extend(self.url.password().map(SecretText::expose));
        match &self.auth {
            Auth::Bearer(secret) => secrets.push(secret.expose()),
            Auth::Basic { .. } | Auth::SshKey(_) | Auth::Anonymous => {}
        }
        for secret in secrets {
            // Shorter ones would tear ordinary words apart ("git").
            if secret.len() > 3 {
                text = text.replace(secret, "***");
            }
        }
        text
    }

    /// Cleans an error before it leaves the room.
    pub(crate) fn clean(&self, error: SourceError) -> SourceError {
        error.map_text(|text| self.redact(text))
    }
}

pub(crate) fn hash(parts: &[String]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(url: &str) -> Access {
        Access::anonymous(RepoUrl::parse(url).unwrap())
    }

    #[test]
    fn secrets_do_not_show() {
        let mut one = access("https://user:hunter22@host/x");
        one.tls.client_key_pem = Some(SecretText::new("KEYKEY"));
        assert!(!format!("{one:?}").contains("hunter22") && !format!("{one:?}").contains("KEYKEY"));
        assert_eq!(one.redact("fatal: user:hunter22@host\u{1b}[1m\nmore"), "fatal: user:***@host[1m");
        assert_eq!(access("https://ghp_abc@host/x").redact("no ghp_abc"), "no ***");
    }

    #[test]
    fn other_credentials_have_another_cache() {
        let anonymous = access("https://host/x");
        let named = access("https://u:p@host/x.git");
        assert_ne!(anonymous.cache_key(), named.cache_key());
        assert_eq!(anonymous.cache_key(), access("https://HOST/x.git/").cache_key());
        let auth = Auth::Basic { username: "u".into(), password: SecretText::new("p") };
        assert_eq!(Access { auth, ..anonymous }.cache_key(), named.cache_key());
    }
}
