//! `tiphys controller`: the process that runs in the cluster.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::cluster::connect;
use crate::controller::{Controller, ControllerOptions, read_cmd_params};
use crate::flow::Meter;
use crate::metrics::{Counters, Endpoints};

use super::{CliError, runtime, telemetry};

/// Watch Applications and bring the clusters to what Git says.
#[derive(Args, Debug)]
pub(super) struct ControllerArgs {
    /// Kubeconfig of the controller's own cluster; the pod's service account where it is not given.
    #[arg(long, env = "TIPHYS_KUBECONFIG")]
    kubeconfig: Option<PathBuf>,
    /// Namespace of the controller's ConfigMaps, Secrets and AppProjects.
    #[arg(long, short = 'n', env = "ARGOCD_CONTROLLER_NAMESPACE")]
    namespace: Option<String>,
    /// Serve Applications of all namespaces, not of the controller's alone, as far as projects allow.
    #[arg(long)]
    all_namespaces: bool,
    /// Namespaces besides the controller's whose Applications are served: globs, or /regular expressions/.
    #[arg(long, env = "ARGOCD_APPLICATION_NAMESPACES", value_delimiter = ',')]
    application_namespaces: Vec<String>,
    /// Seconds after which an operation is terminated; 0 for no limit.
    #[arg(long, env = "ARGOCD_APPLICATION_CONTROLLER_SYNC_TIMEOUT")]
    sync_timeout: Option<u32>,
    /// Folder for mirrors of repositories.
    #[arg(long, default_value = "/tmp/tiphys")]
    cache: PathBuf,
    /// Applications that are reconciled at the same time.
    #[arg(long, default_value_t = 10)]
    workers: usize,
    /// Port of /metrics, /healthz and /readyz.
    #[arg(long, default_value_t = 8082)]
    metrics_port: u16,
    /// Address that the port is opened on.
    #[arg(long, default_value = "0.0.0.0")]
    metrics_bind: std::net::IpAddr,
    /// Level of logs: error, warn, info, debug, trace.
    #[arg(long, default_value = "info", env = "ARGOCD_APPLICATION_CONTROLLER_LOGLEVEL")]
    log_level: String,
    /// Form of logs: json or text.
    #[arg(long, default_value = "json", env = "ARGOCD_APPLICATION_CONTROLLER_LOGFORMAT")]
    log_format: String,
}

pub(super) fn run(args: &ControllerArgs) -> Result<(), CliError> {
    telemetry::start(&args.log_level, args.log_format == "json");
    runtime()?.block_on(serve(args))
}

async fn serve(args: &ControllerArgs) -> Result<(), CliError> {
    let connection = connect(args.kubeconfig.as_deref()).await?;
    let namespace = args.namespace.clone().unwrap_or(connection.namespace);
    let params = read_cmd_params(&connection.client, &namespace).await;
    let mut application_namespaces = args.application_namespaces.clone();
    if application_namespaces.is_empty() {
        application_namespaces = params.application_namespaces;
    }
    if args.all_namespaces {
        application_namespaces.push("*".into());
    }
    let options = ControllerOptions {
        namespace,
        application_namespaces,
        sync_timeout: args
            .sync_timeout
            .map(|seconds| Duration::from_secs(seconds.into()))
            .or(params.sync_timeout),
        cache: args.cache.clone(),
        workers: args.workers,
    };
    let counters = Arc::new(Counters::new().map_err(|error| CliError::Usage(error.to_string()))?);
    let meter: Arc<dyn Meter> = counters.clone();
    let controller = Controller::new(connection.client, options, meter);
    let endpoints = Endpoints { counters, shared: controller.shared() };
    let address = std::net::SocketAddr::new(args.metrics_bind, args.metrics_port);
    tokio::spawn(async move {
        if let Err(error) = crate::metrics::serve(address, endpoints).await {
            tracing::error!(%address, %error, "metrics are not served: choose another --metrics-port");
        }
    });
    Ok(controller.run(stop_signal()?).await?)
}

/// Ready when the process is asked to stop.
fn stop_signal() -> Result<impl Future<Output = ()>, CliError> {
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    })
}
