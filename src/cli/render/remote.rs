//! Repositories as the user of the command line reaches them: with the keys, credentials and proxies that git uses.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::controller::Repositories;
use crate::flow::{NoMeter, Problem};
use crate::source::{Access, Auth, Proxy, RepoUrl, Scheme, SecretText, Sources, SourcesOptions};

/// Keys of ssh, in its order.
const KEYS: [&str; 4] = ["id_ed25519", "id_ecdsa", "id_rsa", "id_dsa"];

/// What the user has.
pub(super) struct UserSetup {
    home: PathBuf,
    known_hosts: Arc<str>,
}

impl UserSetup {
    pub(super) fn new() -> Self {
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let files = [home.join(".ssh/known_hosts"), PathBuf::from("/etc/ssh/ssh_known_hosts")];
        let known_hosts: String =
            files.iter().filter_map(|file| std::fs::read_to_string(file).ok()).collect::<Vec<_>>().join("\n");
        Self { home, known_hosts: known_hosts.into() }
    }

    /// The first key of the user that needs no passphrase.
    fn ssh_key(&self) -> Option<Auth> {
        let read = |name: &&str| std::fs::read_to_string(self.home.join(".ssh").join(name)).ok();
        KEYS.iter().find_map(read).map(|key| Auth::SshKey(SecretText::new(key)))
    }

    /// What git's credential store holds for a server.
    fn stored(&self, url: &RepoUrl) -> Option<Auth> {
        let text = std::fs::read_to_string(self.home.join(".git-credentials")).ok()?;
        let known = text.lines().filter_map(|line| RepoUrl::parse(line).ok());
        let mut fits = known.filter(|one| {
            (one.scheme(), one.host(), one.port()) == (url.scheme(), url.host(), url.port())
                && (one.path().len() < 2 || url.path().starts_with(one.path()))
        });
        let found = fits.next()?;
        let password = found.password().cloned().unwrap_or_default();
        Some(Auth::Basic { username: found.user().unwrap_or_default().to_owned(), password })
    }
}

impl Repositories for UserSetup {
    fn access(&self, url: &str) -> Result<Access, Problem> {
        let mut access = Access::anonymous(RepoUrl::parse(url)?);
        access.known_hosts = Arc::clone(&self.known_hosts);
        match access.url.scheme() {
            Scheme::Ssh => access.auth = self.ssh_key().unwrap_or_default(),
            Scheme::Https | Scheme::Http | Scheme::Oci => {
                if access.url.user().is_none() {
                    access.auth = self.stored(&access.url).unwrap_or_default();
                }
                access.tls.ca_pem = variable(&["GIT_SSL_CAINFO", "SSL_CERT_FILE"])
                    .and_then(|file| std::fs::read_to_string(file).ok())
                    .map(Arc::from);
                access.proxy = proxy(access.url.scheme())?;
            }
            Scheme::Git | Scheme::File => {}
        }
        Ok(access)
    }

    fn permit(&self, _: &str) -> Result<(), Problem> {
        Ok(())
    }

    fn named(&self, name: &str) -> Option<String> {
        // Helm's own list of repositories.
        let file = std::env::var_os("HELM_REPOSITORY_CONFIG")
            .map_or_else(|| self.home.join(".config/helm/repositories.yaml"), PathBuf::from);
        let text = std::fs::read(file).ok()?;
        let list = goyaml::from_yaml(&text).ok()?;
        let entries = list.get("repositories")?.as_array()?;
        let found = entries.iter().find(|entry| entry.get("name").is_some_and(|known| known == name))?;
        found.get("url")?.as_str().map(str::to_owned)
    }
}

fn variable(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

fn proxy(scheme: Scheme) -> Result<Option<Proxy>, Problem> {
    let names = match scheme {
        Scheme::Http => ["http_proxy", "all_proxy", "ALL_PROXY", "http_proxy"],
        _ => ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
    };
    let Some(url) = variable(&names) else { return Ok(None) };
    let no_proxy = variable(&["no_proxy", "NO_PROXY"]).unwrap_or_default();
    Ok(Some(Proxy { url: RepoUrl::parse(&url)?, no_proxy }))
}

/// Sources with their mirrors in a folder. Must be called within a runtime.
pub(super) fn sources(cache: &Path) -> Sources {
    Sources::new(SourcesOptions::new(cache.to_owned()), Arc::new(NoMeter))
}
