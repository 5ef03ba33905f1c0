//! Secrets of type `cluster`.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A cluster Secret that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cluster Secret {name}: {message}")]
pub struct InvalidCluster {
    /// Name of the Secret.
    pub name: String,
    /// What is wrong; holds none of its data.
    pub message: String,
}

/// A cluster to which applications are deployed.
#[derive(Clone, Default, PartialEq)]
pub struct ClusterSecret {
    /// Address of the API server.
    pub server: String,
    /// Name.
    pub name: String,
    /// Namespaces to which access is limited; all where empty.
    pub namespaces: Vec<String>,
    /// Project that the cluster belongs to; empty for all.
    pub project: String,
    /// How to log in.
    pub config: ClusterConfig,
}

impl std::fmt::Debug for ClusterSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClusterSecret({} at {})", self.name, self.server)
    }
}

/// `config` of a cluster Secret.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ClusterConfig {
    /// User name.
    pub username: String,
    /// Password.
    pub password: String,
    /// Token of the service account.
    pub bearer_token: String,
    /// TLS.
    pub tls_client_config: TlsClientConfig,
    /// A program that gives a token; refused unless the administrator allows it by name.
    pub exec_provider_config: Option<serde_json::Value>,
    /// Proxy URL.
    pub proxy_url: String,
}

/// TLS of a cluster Secret.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TlsClientConfig {
    /// Whether the server's certificate is not checked.
    pub insecure: bool,
    /// Name in the server's certificate.
    pub server_name: String,
    /// Client certificate, base64 of PEM.
    pub cert_data: String,
    /// Its key, base64 of PEM.
    pub key_data: String,
    /// Authorities, base64 of PEM.
    pub ca_data: String,
}

impl ClusterSecret {
    /// Reads the decoded data of a Secret.
    ///
    /// # Errors
    /// Where `server` is missing or `config` is no JSON of that form.
    pub fn read(secret_name: &str, data: &BTreeMap<String, String>) -> Result<Self, InvalidCluster> {
        let invalid =
            |message: &str| InvalidCluster { name: secret_name.to_owned(), message: message.to_owned() };
        let text = |key: &str| data.get(key).map(|value| value.trim().to_owned()).unwrap_or_default();
        let server = text("server");
        if server.is_empty() {
            return Err(invalid("field server is missing: write the address of the API server"));
        }
        let config = match data.get("config") {
            None => ClusterConfig::default(),
            // serde's message may quote the value, which is a credential.
            Some(config) => serde_json::from_str(config).map_err(|error| {
                invalid(&format!("field config is not the JSON that is expected (line {})", error.line()))
            })?,
        };
        let name = text("name");
        Ok(Self {
            name: if name.is_empty() { server.clone() } else { name },
            namespaces: text("namespaces")
                .split(',')
                .filter(|one| !one.is_empty())
                .map(str::to_owned)
                .collect(),
            project: text("project"),
            server,
            config,
        })
    }
}
