//! How a repository is reached, from its URL and the Secrets and ConfigMaps that concern it.

use std::sync::Arc;

use crate::api::{AppProjectSpec, Application};
use crate::flow::{Cause, Problem, Stage};
use crate::project::permits_source;
use crate::settings::{RepositorySecret, best_match};
use crate::source::{Access, Auth, RepoUrl, SecretText};

use super::Shared;
use super::fetching::Repositories;
use super::store::Store;

/// The repositories that are declared to the controller, as far as an application's project allows them.
pub(super) struct Declared<'a> {
    store: &'a Store,
    project: String,
    allowed: Option<Arc<AppProjectSpec>>,
}

impl<'a> Declared<'a> {
    pub(super) fn new(shared: &'a Shared, app: &Application) -> Self {
        let project = app.project().to_owned();
        // Without an object, the default project allows everything; any other one was refused before.
        let allowed = shared.store.project(&shared.options.namespace, &project);
        Self { store: &shared.store, project, allowed: allowed.map(|found| Arc::new(found.spec.clone())) }
    }
}

impl Repositories for Declared<'_> {
    fn access(&self, url: &str) -> Result<Access, Problem> {
        access_to(self.store, url)
    }

    fn permit(&self, url: &str) -> Result<(), Problem> {
        if self.allowed.as_ref().is_none_or(|project| permits_source(project, url)) {
            return Ok(());
        }
        let shown = crate::flow::printable_url(url);
        let message = format!(
            "{shown} is not permitted in project '{}': the manifests refer to it; add it to the project's sourceRepos",
            self.project
        );
        Err(Problem::stalled(Stage::Source, Cause::NotPermitted, message))
    }

    fn named(&self, name: &str) -> Option<String> {
        let all = self.store.repositories();
        let found = all.iter().find(|one| !one.is_prefix && one.name == name && one.kind != "git")?;
        Some(if found.enable_oci {
            format!("oci://{}", found.url.trim_start_matches("oci://"))
        } else {
            found.url.clone()
        })
    }
}

/// Joins everything that is declared about a repository.
pub(super) fn access_to(store: &Store, url: &str) -> Result<Access, Problem> {
    // Argo CD writes the URL of an OCI registry without a scheme.
    let secret = best_match(&store.repositories(), url);
    let is_registry = secret.as_ref().is_some_and(|secret| secret.enable_oci || secret.kind == "oci");
    let parsed = if is_registry { RepoUrl::parse_registry(url) } else { RepoUrl::parse(url) };
    let mut access = Access::anonymous(parsed?);
    access.known_hosts = store.known_hosts();
    access.tls.ca_pem = store.tls_cert(access.url.host()).map(Arc::from);
    if let Some(secret) = secret {
        fill(&mut access, &secret)?;
    }
    Ok(access)
}

fn fill(access: &mut Access, secret: &RepositorySecret) -> Result<(), Problem> {
    let text = |sensitive: &crate::settings::Sensitive| SecretText::new(sensitive.0.as_str());
    access.auth = if !secret.ssh_private_key.0.is_empty() {
        Auth::SshKey(text(&secret.ssh_private_key))
    } else if !secret.bearer_token.0.is_empty() {
        Auth::Bearer(text(&secret.bearer_token))
    } else if secret.has_credentials() {
        Auth::Basic { username: secret.username.clone(), password: text(&secret.password) }
    } else {
        Auth::Anonymous
    };
    access.insecure = secret.insecure;
    access.oci = secret.enable_oci || secret.kind == "oci";
    if !secret.tls_client_cert.is_empty() {
        access.tls.client_cert_pem = Some(Arc::from(secret.tls_client_cert.as_str()));
        access.tls.client_key_pem = Some(text(&secret.tls_client_key));
    }
    if !secret.proxy.0.is_empty() {
        let url = RepoUrl::parse(&secret.proxy.0)?;
        access.proxy = Some(crate::source::Proxy { url, no_proxy: secret.no_proxy.clone() });
    }
    Ok(())
}
