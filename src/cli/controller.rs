//! `tiphys controller`: the process that runs in the cluster.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::cluster::{Lease, Requests, connect};
use crate::controller::{Candidate, Controller, ControllerOptions, read_cmd_params};
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
    /// Elect a leader by a Lease, so that of several replicas one works.
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    leader_elect: bool,
    /// Name of this replica in the election; that of the host and the metrics port where it is not given.
    #[arg(long, env = "POD_NAME")]
    identity: Option<String>,
    /// Labels of Applications that argocd_app_labels shows.
    #[arg(long, value_delimiter = ',', env = "ARGOCD_APPLICATION_CONTROLLER_METRICS_APPLICATION_LABELS")]
    metrics_application_labels: Vec<String>,
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
    let lease = args.leader_elect.then(Lease::new);
    let candidate = Candidate { namespace: options.namespace.clone(), identity: identity(args) };
    let requests = Requests::new(lease.clone());
    let client = requests.client(connection.config).map_err(|error| CliError::Usage(error.to_string()))?;
    let controller = Controller::new(client, requests, options, meter);
    let labels = args.metrics_application_labels.clone();
    let endpoints = Endpoints { counters, shared: controller.shared(), labels };
    let address = std::net::SocketAddr::new(args.metrics_bind, args.metrics_port);
    let listener = crate::metrics::listen(address).await.map_err(|error| {
        CliError::Usage(format!(
            "metrics cannot be served at {address}: {error}; choose another --metrics-port"
        ))
    })?;
    tokio::spawn(crate::metrics::serve(listener, endpoints));
    let stop = stop_signal()?;
    match lease {
        Some(lease) => controller.run_as_leader(connection.client, candidate, lease, stop).await?,
        None => controller.run(stop).await,
    }
    Ok(())
}

/// The name of a pod is unlike all others; two processes on one machine differ in their port.
fn identity(args: &ControllerArgs) -> String {
    args.identity.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        format!("{host}_{}", args.metrics_port)
    })
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
