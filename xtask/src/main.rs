//! `cargo xtask`: everything that a developer runs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::cluster::{self, Cluster};
use xtask::error::Result;
use xtask::git_server::{self, GitServer};
use xtask::{bench, console, crds, demo, golden, metrics_api, openapi, suites};

/// Developer commands of Tiphys.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", disable_version_flag = true)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// The main job before your eyes: a cluster, a Git server, waves, the GPU gate, a commit, healing
    Demo(demo::Options),
    /// What the operator costs against a real API server, as a table
    Bench(bench::Options),
    /// A real Kubernetes on loopback, from Go modules
    #[command(subcommand)]
    Cluster(ClusterTask),
    /// Check (or rewrite) what the original tools print for our test inputs
    Golden(golden::Options),
    /// Serve the bare repositories of a folder over http, until interrupted
    GitServer {
        /// The folder
        folder: PathBuf,
        /// The port (0: any)
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
    /// Format, clippy, unit, golden, architecture and real-cluster tests in one command
    Test(suites::Options),
    /// Write crds/ from the Rust types
    Crds {
        /// Fail where a committed file differs, write nothing
        #[arg(long)]
        check: bool,
    },
    /// Write the table of merge keys and scopes from what an API server and kustomize say
    Openapi(openapi::Options),
    /// What other commands start in the background
    #[command(subcommand, hide = true)]
    Internal(InternalTask),
}

#[derive(Debug, Subcommand)]
enum ClusterTask {
    /// Build it (once), start it, print the path of its kubeconfig
    Up(cluster::Options),
    /// End it and remove its files
    Down {
        /// Name of the cluster
        #[arg(long, default_value = "dev")]
        name: String,
        /// Every cluster
        #[arg(long)]
        all: bool,
    },
    /// Show the clusters and their programs
    Status,
}

#[derive(Debug, Subcommand)]
enum InternalTask {
    /// Answer for metrics.k8s.io
    MetricsApi {
        #[arg(long)]
        port: u16,
        #[arg(long)]
        cluster: PathBuf,
    },
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console::note(format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.command {
        Task::Cluster(task) => run_cluster(task),
        Task::Internal(InternalTask::MetricsApi { port, cluster }) => metrics_api::run(*port, cluster),
        Task::Bench(options) => bench::run(options),
        Task::Demo(options) => demo::run(options),
        Task::Golden(options) => golden::run(options),
        Task::GitServer { folder, port } => serve_git(folder, *port),
        Task::Openapi(options) => openapi::run(options),
        Task::Test(options) => suites::run(options),
        Task::Crds { check } => crds::run(*check),
    }
}

fn run_cluster(task: &ClusterTask) -> Result<()> {
    match task {
        ClusterTask::Up(options) => {
            let cluster = Cluster::up(options)?;
            console::line(cluster.kubeconfig().display().to_string());
            console::note(format!(
                "kubectl: {0}/kubectl --kubeconfig {0}/kubeconfig; stop it with `cargo xtask cluster down --name {1}`",
                cluster.folder().display(),
                options.name
            ));
        }
        ClusterTask::Down { all: true, .. } => cluster::all()?.iter().for_each(|(_, cluster)| cluster.down()),
        ClusterTask::Down { name, .. } => Cluster::named(name)?.down(),
        ClusterTask::Status => cluster::print_status()?,
    }
    Ok(())
}

fn serve_git(folder: &Path, port: u16) -> Result<()> {
    let options = git_server::Options { port, ..git_server::Options::default() };
    let server = GitServer::start(folder, &options)?;
    console::line(server.url(""));
    loop {
        std::thread::park();
    }
}
