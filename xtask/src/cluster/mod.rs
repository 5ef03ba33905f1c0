//! A real Kubernetes on loopback: etcd, API server, controllers and scheduler, with KWOK as kubelets.
//!
//! A cluster is a folder in the cache (`clusters/<name>`): certificates, kubeconfigs, logs, pidfiles.
//! `up` leaves its programs running; `down` ends them by their pidfiles and removes the folder. No
//! cluster of anybody else is touched here, and `KUBECONFIG` is never read.

mod api;
mod control_plane;
mod node;
mod objects;
mod pki;
mod stages;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

pub use api::Api;
pub use objects::{DISPOSABLE, Node, apply_node};
pub use pki::{Authority, Identity};

use crate::console::{self, Progress};
use crate::error::{Context, Error, Result};
use crate::process::{Background, wait_until};
use crate::{interrupt, paths};
use control_plane::{KUBERNETES, KWOK, Ports, Starter};
use node::{Namespaces, RealNode};
use pki::Pki;

const ADMIN_TOKEN_FILE: &str = "admin.token";
/// The user of [`Cluster::operator_kubeconfig`], as the audit log names it.
pub const OPERATOR_USER: &str = "tiphys";
const READY_FILE: &str = "ready";
const READY_LIMIT: Duration = Duration::from_secs(120);

/// What a cluster is made of.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Name of the cluster: several can run side by side
    #[arg(long, default_value = "dev")]
    pub name: String,
    /// Simulated nodes without GPUs
    #[arg(long, default_value_t = 2)]
    pub nodes: u32,
    /// Simulated nodes with GPUs
    #[arg(long, default_value_t = 2)]
    pub gpu_nodes: u32,
    /// GPUs (nvidia.com/gpu) of each such node
    #[arg(long, default_value_t = 2)]
    pub gpus: u32,
    /// Let the API server write audit.log, one line per request
    #[arg(long)]
    pub audit: bool,
    /// Add a node that runs real containers (Linux, root, containerd): label and taint tiphys.dev/real
    #[arg(long)]
    pub node: bool,
    /// Install the Debian packages that --node needs
    #[arg(long, requires = "node")]
    pub install_packages: bool,
}

impl Options {
    /// The default cluster under another name.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            nodes: 2,
            gpu_nodes: 2,
            gpus: 2,
            audit: false,
            node: false,
            install_packages: false,
        }
    }
}

/// A cluster that runs, or that has run under this name.
#[derive(Clone, Debug)]
pub struct Cluster {
    folder: PathBuf,
}

impl Cluster {
    /// The cluster of this name, whether it runs or not.
    pub fn named(name: &str) -> Result<Self> {
        let simple = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if name.is_empty() || !name.chars().all(simple) {
            return Err(Error::new(format!("cluster name {name:?}: use letters, digits and dashes")));
        }
        Ok(Self { folder: paths::cache()?.join("clusters").join(name) })
    }

    /// Starts the cluster, unless it runs already, and waits until it is ready for use.
    ///
    /// Whatever goes wrong, nothing is left running.
    pub fn up(options: &Options) -> Result<Self> {
        let cluster = Self::named(&options.name)?;
        fs::create_dir_all(cluster.folder.parent().unwrap_or(&cluster.folder))
            .context("making the cluster folder")?;
        let lock = File::create(cluster.folder.with_extension("lock")).context("making a lock file")?;
        lock.lock().context("waiting for another `cluster up`")?;
        if cluster.is_up() {
            return Ok(cluster);
        }
        if options.node {
            node::require(options.install_packages)?;
        }
        let kubernetes = KUBERNETES.build()?;
        let kwok = KWOK.build()?;
        cluster.down();
        let guard = interrupt::on_interrupt({
            let cluster = cluster.clone();
            move || cluster.down()
        });
        let started = cluster.start(options, &kubernetes, &kwok);
        drop(guard);
        if let Err(error) = started {
            cluster.down();
            return Err(error);
        }
        Ok(cluster)
    }

    fn start(&self, options: &Options, kubernetes: &Path, kwok: &Path) -> Result<()> {
        let progress = Progress::start(format!("starting cluster {}", options.name));
        fs::create_dir_all(self.folder.join("pki")).context("making the cluster folder")?;
        let mut programs = Vec::new();
        let mut namespaces = None;
        if options.node {
            let (made, holder) = Namespaces::create(&self.folder)?;
            programs.push(holder);
            namespaces = Some(made);
        }
        let namespaces = namespaces.as_ref();
        let pki = Pki::create(&self.folder.join("pki"), &control_plane::address(namespaces))?;
        let ports = Ports::free()?;
        let starter =
            Starter { folder: &self.folder, kubernetes, kwok, pki: &pki, ports, options, namespaces };
        fs::write(self.folder.join("server"), starter.server()).context("server file")?;
        starter.write_access()?;
        progress.detail("etcd");
        programs.push(starter.etcd()?);
        progress.detail("kube-apiserver");
        programs.push(starter.api_server()?);
        let api = self.api()?;
        ready(&programs, "kube-apiserver", || {
            matches!(api.request("GET", "/readyz", "application/json", None), Ok((200, _)))
        })?;
        progress.detail("controllers, scheduler, KWOK");
        programs.push(starter.controller_manager()?);
        programs.push(starter.scheduler()?);
        programs.push(starter.kwok()?);
        programs.push(starter.metrics()?);
        if let Some(namespaces) = namespaces {
            progress.detail("containerd, kubelet, kube-proxy");
            let real = RealNode { folder: &self.folder, pki: &pki, namespaces, name: &options.name };
            programs.extend(real.start()?);
        }
        self.furnish(&api, &programs, options, ports, &pki)?;
        std::os::unix::fs::symlink(kubernetes.join("kubectl"), self.folder.join("kubectl"))
            .context("linking kubectl")?;
        fs::write(self.folder.join(READY_FILE), "").context("marking the cluster ready")?;
        progress.done();
        Ok(())
    }

    /// Puts in what every cluster has, and waits for what the controllers make.
    fn furnish(
        &self,
        api: &Api,
        programs: &[Background],
        options: &Options,
        ports: Ports,
        pki: &Pki,
    ) -> Result<()> {
        let exists = |path: &str| matches!(api.get(path), Ok(Some(_)));
        ready(programs, "namespace kube-system", || exists("/api/v1/namespaces/kube-system"))?;
        objects::mark_disposable(api)?;
        objects::apply_storage_classes(api)?;
        objects::register_metrics(api, ports.metrics, &pki.ca())?;
        let plain = (0..options.nodes).map(|n| Node { name: format!("node-{n}"), gpus: 0 });
        let with_gpus = (0..options.gpu_nodes).map(|n| Node { name: format!("gpu-{n}"), gpus: options.gpus });
        let nodes: Vec<_> = plain.chain(with_gpus).collect();
        nodes.iter().try_for_each(|node| apply_node(api, node))?;
        ready(programs, "the default service account", || {
            exists("/api/v1/namespaces/default/serviceaccounts/default")
        })?;
        let expected = nodes.len() + usize::from(options.node);
        ready(programs, "the nodes", || {
            let found = api.list("/api/v1/nodes").unwrap_or_default();
            found.iter().filter(|node| objects::is_ready(node)).count() == expected
        })?;
        ready(programs, "metrics.k8s.io", || {
            let path = "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io";
            let service = api.get(path).ok().flatten().unwrap_or_default();
            service.pointer("/status/conditions/0/status").is_some_and(|status| status == "True")
        })
    }

    /// Ends every program of the cluster, last started first, and removes its folder.
    pub fn down(&self) {
        let mut programs = Background::all_in(&self.folder);
        programs.reverse();
        for program in &programs {
            // Nothing of a disposable cluster needs an orderly end.
            program.stop(Duration::from_millis(if program.name == "kwok" { 100 } else { 500 }));
        }
        let _ = fs::remove_dir_all(&self.folder);
        node::clean(&self.folder.file_name().unwrap_or_default().to_string_lossy());
    }

    /// Whether every program runs and the cluster was ready once.
    pub fn is_up(&self) -> bool {
        let programs = self.programs();
        self.folder.join(READY_FILE).exists()
            && !programs.is_empty()
            && programs.iter().all(Background::is_running)
    }

    /// The cluster's programs, in the order of their start.
    pub fn programs(&self) -> Vec<Background> {
        Background::all_in(&self.folder)
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// What `kubectl <arguments>` prints, as administrator of this cluster, with this text as stdin.
    pub fn kubectl(&self, arguments: &[&str], stdin: &str) -> Result<String> {
        kubectl(&self.folder.join("kubectl"), &self.kubeconfig(), arguments, stdin)
    }

    /// A kubeconfig with the same rights for the operator, under a user name of its own.
    pub fn operator_kubeconfig(&self) -> PathBuf {
        self.folder.join("tiphys.kubeconfig")
    }

    /// The folder with logs, pidfiles and certificates.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A client with the administrator's rights.
    pub fn api(&self) -> Result<Api> {
        let read = |name: &str| {
            let path = self.folder.join(name);
            fs::read_to_string(&path).context(path.display())
        };
        Api::new(&read("server")?, &Pki::at(&self.folder.join("pki")).ca(), &read(ADMIN_TOKEN_FILE)?)
    }
}

fn kubectl(program: &Path, kubeconfig: &Path, arguments: &[&str], stdin: &str) -> Result<String> {
    let doing = || format!("kubectl {}", arguments.join(" "));
    let mut child = Command::new(program)
        .arg("--kubeconfig")
        .arg(kubeconfig)
        .args(arguments)
        .env_remove("KUBECONFIG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context(doing())?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(stdin.as_bytes()).context(doing())?;
    }
    let output = child.wait_with_output().context(doing())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Error::new(format!("{}: {}", doing(), String::from_utf8_lossy(&output.stderr).trim())))
}

/// Refuses a cluster that is not ours to break: tests install CRDs and webhooks, delete and kill.
pub fn require_disposable(kubeconfig: &Path) -> Result<()> {
    let program = KUBERNETES.build()?.join("kubectl");
    let label = "jsonpath={.metadata.labels.tiphys\\.dev/disposable}";
    let marked = kubectl(&program, kubeconfig, &["get", "namespace", "kube-system", "--output", label], "")?;
    if marked.trim() == "true" {
        return Ok(());
    }
    Err(Error::new(format!(
        "the cluster of {} is not disposable: if tests may do as they like with it, run \
         `kubectl label namespace kube-system {DISPOSABLE}=true`",
        kubeconfig.display()
    )))
}

fn ready(programs: &[Background], what: &str, condition: impl FnMut() -> bool) -> Result<()> {
    if wait_until(READY_LIMIT, programs, condition)? {
        return Ok(());
    }
    let logs: Vec<_> = programs.iter().map(|p| format!("── {}\n{}", p.name, p.log_tail())).collect();
    Err(Error::new(format!("{what}: not ready after {} s\n{}", READY_LIMIT.as_secs(), logs.join("\n"))))
}

/// The clusters that have a folder, by name.
pub fn all() -> Result<Vec<(String, Cluster)>> {
    let folder = paths::cache()?.join("clusters");
    let Ok(entries) = fs::read_dir(&folder) else { return Ok(Vec::new()) };
    let mut names: Vec<String> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir())
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    names.into_iter().map(|name| Cluster::named(&name).map(|cluster| (name, cluster))).collect()
}

/// Prints every cluster with its programs.
pub fn print_status() -> Result<()> {
    let clusters = all()?;
    if clusters.is_empty() {
        console::line("no cluster; start one with `cargo xtask cluster up`");
    }
    for (name, cluster) in clusters {
        let state = if cluster.is_up() { "up" } else { "not up (remove with `cargo xtask cluster down`)" };
        console::line(format!("{name}: {state}\n  kubeconfig {}", cluster.kubeconfig().display()));
        for program in cluster.programs() {
            let running = if program.is_running() { "running" } else { "ended" };
            console::line(format!("  {:<24} pid {:<8} {running}", program.name, program.pid()));
        }
    }
    Ok(())
}
