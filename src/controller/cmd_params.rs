//! `argocd-cmd-params-cm`, read once when the process starts.

use kube::{Api, Client};

use crate::cluster::WatchedObject;
use crate::settings::{CmdParams, config_map_data};

/// Reads the ConfigMap; one that is not there, or that cannot be read, sets nothing.
pub async fn read_cmd_params(client: &Client, namespace: &str) -> CmdParams {
    let resource = crate::cluster::resource("", "v1", "ConfigMap", "configmaps");
    let api: Api<WatchedObject> = Api::namespaced_with(client.clone(), namespace, &resource);
    let params = match api.get_opt("argocd-cmd-params-cm").await {
        Ok(found) => found.map(|found| CmdParams::read(&config_map_data(&found.body))).unwrap_or_default(),
        Err(error) => {
            tracing::warn!(%error, "argocd-cmd-params-cm cannot be read; its defaults are used");
            CmdParams::default()
        }
    };
    for problem in &params.problems {
        tracing::warn!("{problem}");
    }
    params
}
