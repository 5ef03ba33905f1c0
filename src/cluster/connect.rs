//! Connections to clusters.

use std::path::Path;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::flow::{Cause, Problem, Stage};

/// An open connection.
pub struct Connection {
    /// How the cluster is reached.
    pub config: Config,
    /// The client.
    pub client: Client,
    /// Namespace of the kubeconfig's context, or of the pod.
    pub namespace: String,
    /// Address of the API server.
    pub server: String,
}

/// Connects by a kubeconfig file; without one, by the pod's service account, or by what kubectl would use.
///
/// # Errors
/// Where the file cannot be read or names no usable cluster.
pub async fn connect(kubeconfig: Option<&Path>) -> Result<Connection, Problem> {
    connect_context(kubeconfig, None).await
}

/// The same with a context of the kubeconfig.
///
/// # Errors
/// Where the file cannot be read or does not have the context.
pub async fn connect_context(
    kubeconfig: Option<&Path>,
    context: Option<&str>,
) -> Result<Connection, Problem> {
    let options = KubeConfigOptions { context: context.map(str::to_owned), ..KubeConfigOptions::default() };
    let config = match kubeconfig {
        Some(path) => {
            let file = Kubeconfig::read_from(path).map_err(|error| unreadable(path, &error))?;
            Config::from_custom_kubeconfig(file, &options).await.map_err(|error| unreadable(path, &error))?
        }
        None if context.is_some() => {
            Config::from_kubeconfig(&options).await.map_err(|error| no_cluster(&error.to_string()))?
        }
        None => Config::infer().await.map_err(|error| no_cluster(&error.to_string()))?,
    };
    let namespace = config.default_namespace.clone();
    let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
    let client = Client::try_from(config.clone()).map_err(|error| no_cluster(&error.to_string()))?;
    Ok(Connection { config, client, namespace, server })
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Problem {
    let message = format!("kubeconfig {} cannot be used: {error}", path.display());
    Problem::stalled(Stage::Observe, Cause::DestinationUnreachable, message)
}

fn no_cluster(error: &str) -> Problem {
    let message =
        format!("no cluster to talk to ({error}): name a kubeconfig with --kubeconfig, or run in a pod");
    Problem::stalled(Stage::Observe, Cause::DestinationUnreachable, message)
}
