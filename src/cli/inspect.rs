//! `tiphys diff APP`, `tiphys plan APP` and `tiphys explain APP`: what the controller would see and do, asked of Git and cluster right now.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::cluster::{Requests, connect_context};
use crate::controller::{Controller, ControllerOptions, Examination, Inspection};
use crate::flow::{NoMeter, ObjectName};

use super::{CliError, runtime};

/// Which Application, on which cluster.
#[derive(Args, Debug)]
pub(super) struct InspectArgs {
    /// Kubeconfig of the controller's cluster.
    #[arg(long, env = "TIPHYS_KUBECONFIG")]
    kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig.
    #[arg(long)]
    context: Option<String>,
    /// Namespace of the controller and its Applications.
    #[arg(long, short = 'N', visible_alias = "namespace", default_value = "argocd")]
    app_namespace: String,
    /// Revision in the place of spec.source.targetRevision.
    #[arg(long)]
    revision: Option<String>,
    /// Folder for mirrors of repositories.
    #[arg(long, default_value = "/tmp/tiphys")]
    cache: PathBuf,
}

impl InspectArgs {
    /// The same from the arguments of another command.
    pub(super) fn new(
        kubeconfig: Option<PathBuf>,
        context: Option<String>,
        app_namespace: Option<String>,
        revision: Option<String>,
    ) -> Self {
        let app_namespace = app_namespace.unwrap_or_else(|| "argocd".to_owned());
        Self { kubeconfig, context, app_namespace, revision, cache: PathBuf::from("/tmp/tiphys") }
    }
}

/// Looks at one Application; its name may be NAMESPACE/NAME.
pub(super) fn inspect(args: &InspectArgs, app: &str) -> Result<Inspection, CliError> {
    runtime()?.block_on(async {
        let (controller, name) = controller(args, app).await?;
        Ok(controller.inspect(&name, args.revision.as_deref()).await?)
    })
}

/// Looks at one Application and at everything that explains it.
pub(super) fn examine(args: &InspectArgs, app: &str) -> Result<Examination, CliError> {
    runtime()?.block_on(async {
        let (controller, name) = controller(args, app).await?;
        Ok(controller.examine(&name).await?)
    })
}

/// A controller that is asked once and never run.
async fn controller(args: &InspectArgs, app: &str) -> Result<(Controller, ObjectName), CliError> {
    let (namespace, name) = app.split_once('/').unwrap_or((&args.app_namespace, app));
    let connection = connect_context(args.kubeconfig.as_deref(), args.context.as_deref()).await?;
    let options = ControllerOptions {
        namespace: args.app_namespace.clone(),
        application_namespaces: if namespace == args.app_namespace {
            Vec::new()
        } else {
            vec![namespace.to_owned()]
        },
        cache: args.cache.clone(),
        workers: 1,
        sync_timeout: None,
    };
    let controller = Controller::new(connection.client, Requests::default(), options, Arc::new(NoMeter));
    Ok((controller, ObjectName::new(namespace, name)))
}
