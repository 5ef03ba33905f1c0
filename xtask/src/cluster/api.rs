//! A small client of the Kubernetes API: JSON in, JSON out, as cluster administrator.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, fs};

use serde_json::Value;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, http};

use crate::error::{Context, Error, Result};

/// Talks to one API server.
#[derive(Clone)]
pub struct Api {
    agent: Agent,
    server: String,
    token: String,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Api({})", self.server)
    }
}

impl Api {
    /// A client for `server` (`https://127.0.0.1:port`) with the CA of this PEM file and a bearer token.
    pub fn new(server: &str, ca: &Path, token: &str) -> Result<Self> {
        Self::with_ca(server, &fs::read(ca).context(ca.display())?, token)
    }

    /// A client for the current context of a kubeconfig that has a CA and a token in it.
    pub fn from_kubeconfig(kubeconfig: &Path) -> Result<Self> {
        let view = ["config", "view", "--raw", "--minify", "--output", "json"];
        let text = super::kubectl(&super::KUBERNETES.build()?.join("kubectl"), kubeconfig, &view, "")?;
        let config: Value = serde_json::from_str(&text).context(kubeconfig.display())?;
        let field = |pointer: &str| {
            let missing = || format!("{}: no {pointer}", kubeconfig.display());
            config.pointer(pointer).and_then(Value::as_str).context(missing())
        };
        let ca = base64::Engine::decode(
            &base64::engine::general_purpose::STANDARD,
            field("/clusters/0/cluster/certificate-authority-data")?,
        );
        Self::with_ca(
            field("/clusters/0/cluster/server")?,
            &ca.context("the CA")?,
            field("/users/0/user/token")?,
        )
    }

    fn with_ca(server: &str, pem: &[u8], token: &str) -> Result<Self> {
        let certificate = Certificate::from_pem(pem).context("reading the CA")?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(provider)
            .root_certs(RootCerts::new_with_certs(&[certificate]))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .user_agent("tiphys-xtask")
            .proxy(None)
            .build();
        Ok(Self { agent: config.into(), server: server.to_owned(), token: token.to_owned() })
    }

    /// Status code and body of a request; the body is null where it is not JSON.
    pub fn request(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value)> {
        let (status, text) =
            self.raw(method, path, content_type, body.map(Value::to_string).unwrap_or_default())?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    /// The text of a GET, whatever its type.
    pub fn text(&self, path: &str) -> Result<String> {
        self.raw("GET", path, "application/json", String::new()).map(|(_, text)| text)
    }

    fn raw(&self, method: &str, path: &str, content_type: &str, body: String) -> Result<(u16, String)> {
        let doing = || format!("{method} {path}");
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.server))
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Content-Type", content_type)
            .header("Accept", "application/json")
            .body(body)
            .context(doing())?;
        let mut answer = self.agent.run(request).context(doing())?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().with_config().limit(256 << 20).read_to_string().context(doing())?;
        Ok((status, text))
    }

    /// The object at `path`; `None` when there is none.
    pub fn get(&self, path: &str) -> Result<Option<Value>> {
        match self.request("GET", path, "application/json", None)? {
            (404, _) => Ok(None),
            (200..=299, object) => Ok(Some(object)),
            (status, answer) => Err(refused("GET", path, status, &answer)),
        }
    }

    /// The `items` of the list at `path`.
    pub fn list(&self, path: &str) -> Result<Vec<Value>> {
        let mut list = self.get(path)?.unwrap_or_default();
        Ok(list.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default())
    }

    /// Creates or updates an object by server-side apply; `path` is the object's own.
    pub fn apply(&self, path: &str, object: &Value) -> Result<Value> {
        let path = format!("{path}?fieldManager=tiphys-xtask&force=true");
        self.write("PATCH", &path, "application/apply-patch+yaml", object)
    }

    /// As [`Api::apply`], for an object that is a YAML text.
    pub fn apply_text(&self, path: &str, yaml: &str) -> Result<()> {
        let path = format!("{path}?fieldManager=tiphys-xtask&force=true");
        match self.raw("PATCH", &path, "application/apply-patch+yaml", yaml.to_owned())? {
            (200..=299, _) => Ok(()),
            (status, answer) => {
                Err(refused("PATCH", &path, status, &serde_json::from_str(&answer).unwrap_or_default()))
            }
        }
    }

    /// Changes an object by JSON merge patch.
    pub fn merge(&self, path: &str, patch: &Value) -> Result<Value> {
        self.write("PATCH", path, "application/merge-patch+json", patch)
    }

    /// Creates an object; `path` is the collection's.
    pub fn create(&self, path: &str, object: &Value) -> Result<Value> {
        self.write("POST", path, "application/json", object)
    }

    /// Deletes the object at `path`, in the background; absent is fine.
    pub fn delete(&self, path: &str) -> Result<()> {
        match self.request("DELETE", path, "application/json", None)? {
            (200..=299 | 404, _) => Ok(()),
            (status, answer) => Err(refused("DELETE", path, status, &answer)),
        }
    }

    fn write(&self, method: &str, path: &str, content_type: &str, body: &Value) -> Result<Value> {
        match self.request(method, path, content_type, Some(body))? {
            (200..=299, object) => Ok(object),
            (status, answer) => Err(refused(method, path, status, &answer)),
        }
    }
}

fn refused(method: &str, path: &str, status: u16, answer: &Value) -> Error {
    let message = answer.get("message").and_then(Value::as_str).unwrap_or("no message");
    Error::new(format!("{method} {path}: {status}: {message}"))
}
