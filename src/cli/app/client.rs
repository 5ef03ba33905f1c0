//! The API server, as the `app` commands use it.

use std::path::PathBuf;

use clap::Args;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::Value;

use crate::api::{Application, GROUP, VERSION, decode_application};
use crate::cluster::{WatchedObject, connect_context};

use super::super::CliError;

/// Which cluster and namespace.
#[derive(Args, Debug, Clone)]
pub(in crate::cli) struct ConnectionArgs {
    /// Kubeconfig of the controller's cluster; what kubectl would use where it is not given.
    #[arg(long, env = "TIPHYS_KUBECONFIG", global = true)]
    pub(in crate::cli) kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig.
    #[arg(long, global = true)]
    pub(in crate::cli) context: Option<String>,
    /// Namespace of the Application; `argocd` where neither this nor NAMESPACE/NAME is given.
    #[arg(long, short = 'N', visible_alias = "namespace", global = true, env = "ARGOCD_APP_NAMESPACE")]
    pub(in crate::cli) app_namespace: Option<String>,
}

/// Applications of one cluster.
pub(super) struct AppClient {
    client: Client,
    namespace: String,
}

fn api_resource() -> kube::core::ApiResource {
    kube::core::ApiResource {
        group: GROUP.into(),
        version: VERSION.into(),
        api_version: crate::api::API_VERSION.into(),
        kind: "Application".into(),
        plural: "applications".into(),
    }
}

impl AppClient {
    pub(super) async fn connect(args: &ConnectionArgs) -> Result<Self, CliError> {
        let connection = connect_context(args.kubeconfig.as_deref(), args.context.as_deref()).await?;
        let namespace = args.app_namespace.clone().unwrap_or_else(|| "argocd".into());
        Ok(Self { client: connection.client, namespace })
    }

    /// The client of the controller's cluster.
    pub(super) fn kube(&self) -> &Client {
        &self.client
    }

    fn api<'a>(&self, name: &'a str) -> (Api<WatchedObject>, &'a str) {
        let (namespace, name) = name.split_once('/').unwrap_or((&self.namespace, name));
        (Api::namespaced_with(self.client.clone(), namespace, &api_resource()), name)
    }

    /// One Application, as JSON.
    pub(super) async fn get_value(&self, name: &str) -> Result<Value, CliError> {
        let (api, short) = self.api(name);
        let mut found = api.get(short).await.map_err(|error| self.failed(name, &error))?;
        found.complete(&api_resource());
        Ok(found.body)
    }

    /// One Application.
    pub(super) async fn get(&self, name: &str) -> Result<Application, CliError> {
        decode_application(self.get_value(name).await?).map_err(|error| CliError::Usage(error.to_string()))
    }

    /// All Applications of the namespace, as JSON.
    pub(super) async fn list(&self, selector: Option<&str>, all: bool) -> Result<Vec<Value>, CliError> {
        let api: Api<WatchedObject> = if all {
            Api::all_with(self.client.clone(), &api_resource())
        } else {
            Api::namespaced_with(self.client.clone(), &self.namespace, &api_resource())
        };
        let params = ListParams { label_selector: selector.map(str::to_owned), ..ListParams::default() };
        let list = api.list(&params).await.map_err(|error| self.failed("Applications", &error))?;
        let complete = |mut object: WatchedObject| {
            object.complete(&api_resource());
            object.body
        };
        Ok(list.items.into_iter().map(complete).collect())
    }

    /// Changes an Application by a merge patch.
    pub(super) async fn patch(&self, name: &str, patch: &Value) -> Result<(), CliError> {
        let (api, short) = self.api(name);
        let params = PatchParams { field_manager: Some("tiphys-cli".into()), ..PatchParams::default() };
        api.patch(short, &params, &Patch::Merge(patch)).await.map_err(|error| self.failed(name, &error))?;
        Ok(())
    }

    fn failed(&self, name: &str, error: &kube::Error) -> CliError {
        CliError::Usage(match error {
            kube::Error::Api(status)
                if status.code == 404 && status.message.contains("applications.argoproj.io") =>
            {
                format!(
                    "Application {name} not found in namespace {}; `tiphys app list -A` shows all",
                    self.namespace
                )
            }
            kube::Error::Api(status) if status.code == 404 => {
                "the cluster does not know Applications; apply `tiphys crds` first".into()
            }
            kube::Error::Api(status) => status.message.clone(),
            other => format!("the cluster does not answer: {other}"),
        })
    }
}
