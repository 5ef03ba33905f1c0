//! The operator under test: built from this workspace, started against a cluster as a user would.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::cluster::Cluster;
use crate::console::Progress;
use crate::error::{Context, Error, Result};
use crate::paths;
use crate::process::{Background, wait_until};

/// Namespace of the controller and of the Applications.
pub const NAMESPACE: &str = "argocd";

/// The built binary.
#[derive(Clone, Debug)]
pub struct Operator {
    binary: PathBuf,
}

impl Operator {
    /// Builds `tiphys`, optimised if asked for; or takes the binary that `$TIPHYS_BINARY` names.
    pub fn build(release: bool) -> Result<Self> {
        if let Some(binary) = std::env::var_os("TIPHYS_BINARY") {
            return Ok(Self { binary: binary.into() });
        }
        let progress = Progress::start("building tiphys");
        let target = paths::target();
        let mut command = Command::new(env!("CARGO"));
        // The whole workspace decides the features, as in the tests: what they built is used again.
        command.args(["build", "--quiet", "--workspace", "--bin", "tiphys"]);
        if release {
            command.arg("--release");
        }
        let status = command
            .current_dir(paths::workspace())
            .env("CARGO_TARGET_DIR", &target)
            .status()
            .context("running cargo build")?;
        if !status.success() {
            return Err(Error::new("tiphys does not build"));
        }
        progress.done();
        Ok(Self { binary: target.join(if release { "release" } else { "debug" }).join("tiphys") })
    }

    /// Puts the CRDs, the namespace and the default project into the cluster.
    pub fn install(&self, cluster: &Cluster) -> Result<()> {
        let crds = paths::workspace().join("crds");
        cluster.kubectl(&["apply", "--server-side", "--filename", &crds.display().to_string()], "")?;
        let api = cluster.api()?;
        let served =
            |plural: &str| matches!(api.get(&format!("/apis/argoproj.io/v1alpha1/{plural}")), Ok(Some(_)));
        if !wait_until(Duration::from_secs(60), &[], || served("applications") && served("appprojects"))? {
            return Err(Error::new("the API server does not serve our CRDs"));
        }
        cluster.kubectl(&["create", "namespace", NAMESPACE], "")?;
        let project = paths::workspace().join("examples/applications/project.yaml");
        cluster.kubectl(&["apply", "--filename", &project.display().to_string()], "")?;
        Ok(())
    }

    /// Starts the controller; its log and pidfile lie in the cluster's folder, so that the cluster's
    /// end is its end too.
    pub fn start(&self, cluster: &Cluster, environment: &[(&str, &str)]) -> Result<Background> {
        let mut command = Command::new(&self.binary);
        command
            .arg("controller")
            .arg("--kubeconfig")
            .arg(cluster.operator_kubeconfig())
            .args(["--namespace", NAMESPACE, "--log-format", "text"])
            .args(["--metrics-bind", "127.0.0.1", "--metrics-port", "0", "--cache"])
            .arg(cluster.folder().join("mirrors"))
            .env_remove("KUBECONFIG")
            .envs(environment.iter().copied());
        let controller = Background::start("tiphys", cluster.folder(), command)?;
        std::thread::sleep(Duration::from_millis(300));
        controller.check()?;
        Ok(controller)
    }

    /// What `tiphys <arguments>` prints; an error has its message.
    pub fn run(&self, cluster: &Cluster, arguments: &[&str]) -> Result<String> {
        let output = Command::new(&self.binary)
            .args(arguments)
            .arg("--kubeconfig")
            .arg(cluster.kubeconfig())
            .env_remove("KUBECONFIG")
            .output()
            .context("running tiphys")?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let message = String::from_utf8_lossy(&output.stderr);
        Err(Error::new(format!("tiphys {}: {}", arguments.join(" "), message.trim())))
    }

    /// The path of the binary.
    pub fn binary(&self) -> &Path {
        &self.binary
    }
}
