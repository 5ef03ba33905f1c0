//! OCI registries: the tags of a repository and the chart behind one, over the distribution API.

use std::collections::BTreeMap;

use http::StatusCode;
use http::header::{ACCEPT, LINK, WWW_AUTHENTICATE};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::budget::Budget;
use super::error::SourceError;
use super::helm_repo::MAX_CHART;
use super::http::{Answer, Call, HttpClient, Target, status_error};
use super::repository::Access;
use super::url::RepoUrl;

/// Largest manifest, list of tags or token that is read, in bytes.
const MAX_DOCUMENT: u64 = 8 << 20;
/// Pages of tags.
const MAX_PAGES: usize = 100;
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CHART_LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    media_type: String,
    digest: String,
}

#[derive(Deserialize)]
struct Tags {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Token {
    #[serde(alias = "access_token")]
    token: Option<String>,
}

/// A conversation with one registry about one repository.
pub(crate) struct Registry<'a> {
    access: &'a Access,
    budget: &'a Budget,
    client: HttpClient,
    /// `namespace/chart`.
    name: String,
}

impl<'a> Registry<'a> {
    /// `chart` is below the path of the URL; empty if the URL names the chart itself.
    pub(crate) fn open(access: &'a Access, budget: &'a Budget, chart: &str) -> Result<Self, SourceError> {
        let name = format!("{}/{chart}", access.url.path());
        let name = name.trim_matches('/').to_owned();
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
        if name.is_empty()
            || !name.chars().all(allowed)
            || name.split('/').any(|part| part.is_empty() || part == "..")
        {
            let reason =
                "the registry's path and the chart's name do not make the name of a repository".to_owned();
            return Err(SourceError::InvalidUrl { reason });
        }
        let mut client = HttpClient::new(access, budget)?;
        // Registries ask for what they want; many refuse basic credentials that come uncalled.
        client.hold_credentials();
        Ok(Self { access, budget, client, name })
    }

    /// The tags as versions: registries allow no `+`, which Helm writes as `_`.
    pub(crate) async fn versions(&mut self) -> Result<Vec<String>, SourceError> {
        let mut versions = Vec::new();
        let mut next = Some(self.target(&format!("/v2/{}/tags/list", self.name)));
        for _ in 0..MAX_PAGES {
            let Some(target) = next.take() else { break };
            let answer = self.get(target.clone(), "application/json").await?;
            let link = answer.header(LINK).to_owned();
            let page: Tags = self.json(answer, "the list of tags").await?;
            versions.extend(page.tags.unwrap_or_default().into_iter().map(|tag| tag.replace('_', "+")));
            next = next_page(&link).map(|path| Target { path, ..target });
        }
        Ok(versions)
    }

    /// The archive of the chart behind a version or a digest.
    pub(crate) async fn pull(&mut self, version: &str) -> Result<Vec<u8>, SourceError> {
        let reference = version.replace('+', "_");
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':');
        if reference.is_empty() || !reference.chars().all(allowed) {
            return Err(self.unknown(format!("{version:?} cannot be the tag of a chart")));
        }
        let target = self.target(&format!("/v2/{}/manifests/{reference}", self.name));
        let answer = self.get(target, MANIFEST).await?;
        let bytes = self.read(answer, "the manifest", MAX_DOCUMENT).await?;
        let digest = digest_of(&bytes);
        if reference.starts_with("sha256:") && reference != digest {
            return Err(self.bad("the manifest is not the one that was asked for: its digest differs"));
        }
        let manifest: Manifest =
            serde_json::from_slice(&bytes).map_err(|_| self.bad("its manifest cannot be read"))?;
        let layer = manifest.layers.iter().find(|layer| layer.media_type == CHART_LAYER);
        let layer =
            layer.ok_or_else(|| self.bad("the artifact is no Helm chart: it has no layer with one"))?;
        let hex = layer.digest.strip_prefix("sha256:").unwrap_or_default();
        if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(self.bad("the digest of the chart's layer is not sha256"));
        }
        let target = self.target(&format!("/v2/{}/blobs/{}", self.name, layer.digest));
        let answer = self.get(target, "*/*").await?;
        let archive = self.read(answer, "the chart", MAX_CHART).await?;
        if digest_of(&archive) != layer.digest {
            return Err(self.bad("the chart is not the one that its manifest names: its digest differs"));
        }
        Ok(archive)
    }

    fn target(&self, path: &str) -> Target {
        let mut target = Target::below(&self.access.url, "");
        if self.access.plain_http {
            target.https = false;
        }
        path.clone_into(&mut target.path);
        target
    }

    /// Asks; if the registry wants a token or credentials, gets them and asks again.
    async fn get(&mut self, target: Target, accept: &'static str) -> Result<Answer, SourceError> {
        let call = Call::get(target).header(ACCEPT, accept);
        let mut answer = self.client.send(call.clone()).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            let challenge = answer.header(WWW_AUTHENTICATE).to_owned();
            drop(answer);
            self.answer_challenge(&challenge).await?;
            answer = self.client.send(call).await?;
        }
        match status_error(self.access, &answer) {
            Some(SourceError::NotFound { .. }) => Err(self.unknown(format!(
                "{} has no such chart or version, or the credentials have no access to it",
                self.name
            ))),
            Some(error) => Err(error),
            None => Ok(answer),
        }
    }

    async fn answer_challenge(&mut self, challenge: &str) -> Result<(), SourceError> {
        let (scheme, rest) = challenge.split_once(' ').unwrap_or((challenge, ""));
        if !scheme.eq_ignore_ascii_case("bearer") {
            self.client.release_credentials();
            return Ok(());
        }
        let given = parameters(rest);
        let realm = given.get("realm").map(String::as_str).unwrap_or_default();
        let refused = || self.bad("it asks for a token from a place that is not at an https URL");
        let url = RepoUrl::parse(realm.split('?').next().unwrap_or_default()).map_err(|_| refused())?;
        let mut target = Target::parse(realm).ok_or_else(refused)?;
        if !target.https && !self.access.plain_http {
            return Err(refused());
        }
        let scope = format!("repository:{}:pull", self.name);
        let mut query = vec![("scope", given.get("scope").cloned().unwrap_or(scope))];
        query.extend(given.get("service").map(|service| ("service", service.clone())));
        for (name, value) in query {
            let separator = if target.path.contains('?') { '&' } else { '?' };
            target.path.push_str(&format!("{separator}{name}={}", encode(&value)));
        }
        // The registry names who hands out its tokens, and its credentials are meant for that server.
        let login = if self.access.url.user().is_some() { url.with_login_of(&self.access.url) } else { url };
        let access = Access { url: login, ..self.access.clone() };
        let mut client = HttpClient::new(&access, self.budget)?;
        let answer = client.send(Call::get(target)).await?;
        if let Some(error) = status_error(self.access, &answer) {
            return Err(error);
        }
        let token: Token = self.json(answer, "the token").await?;
        let token = token.token.filter(|token| !token.is_empty());
        self.client.use_token(token.ok_or_else(|| self.bad("it handed out an empty token"))?);
        Ok(())
    }

    async fn read(&self, answer: Answer, what: &str, limit: u64) -> Result<Vec<u8>, SourceError> {
        let url = self.access.url.to_string();
        self.budget.run("reading its answer", answer.body.collect(&url, what, limit)).await?
    }

    async fn json<T: serde::de::DeserializeOwned>(
        &self,
        answer: Answer,
        what: &str,
    ) -> Result<T, SourceError> {
        let bytes = self.read(answer, what, MAX_DOCUMENT).await?;
        serde_json::from_slice(&bytes).map_err(|_| self.bad(&format!("{what} cannot be read")))
    }

    fn bad(&self, reason: &str) -> SourceError {
        SourceError::BadAnswer { url: self.access.url.to_string(), reason: reason.to_owned() }
    }

    fn unknown(&self, reason: String) -> SourceError {
        SourceError::UnknownChart { url: self.access.url.to_string(), reason }
    }
}

/// `sha256:` and the digest in hex.
pub(crate) fn digest_of(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// The parameters of a challenge: `realm="…",service="…"`.
fn parameters(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        let name = name.trim_matches([' ', ',']).to_ascii_lowercase();
        found.insert(name, value.to_owned());
        rest = next;
    }
    found
}

/// The path of `Link: </v2/…?last=…>; rel="next"` on the same server.
fn next_page(link: &str) -> Option<String> {
    let (path, rest) = link.strip_prefix('<')?.split_once('>')?;
    let path = match path.split_once("://") {
        Some((_, rest)) => rest.get(rest.find('/')?..)?,
        None => path,
    };
    (rest.contains("next") && path.starts_with('/')).then(|| path.to_owned())
}

fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':' | b'/') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_and_links_are_taken_apart() {
        let given = parameters(r#"realm="https://auth.example.com/token?a=b",service="registry",scope=x"#);
        assert_eq!(given["realm"], "https://auth.example.com/token?a=b");
        assert_eq!((given["service"].as_str(), given["scope"].as_str()), ("registry", "x"));
        assert!(parameters("").is_empty() && parameters("realm").is_empty());
        assert_eq!(
            next_page("</v2/a/tags/list?last=x&n=2>; rel=\"next\"").unwrap(),
            "/v2/a/tags/list?last=x&n=2"
        );
        assert_eq!(next_page("<https://evil/v2/x>; rel=\"next\"").unwrap(), "/v2/x");
        assert_eq!(next_page("garbage"), None);
        assert_eq!(encode("repository:a/b:pull x&y"), "repository:a/b:pull%20x%26y");
    }
}
