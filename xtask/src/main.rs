//! `cargo xtask`: everything that a developer runs.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::cluster::{self, Cluster};
use xtask::error::Result;
use xtask::{console, crds, metrics_api, suites};

/// Developer commands of Tiphys.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", disable_version_flag = true)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// A real Kubernetes on loopback, from Go modules
    #[command(subcommand)]
    Cluster(ClusterTask),
    /// Format, clippy, unit, golden, architecture and real-cluster tests in one command
    Test(suites::Options),
    /// Write crds/ from the Rust types
    Crds {
        /// Fail where a committed file differs, write nothing
        #[arg(long)]
        check: bool,
    },
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
