//! `cargo xtask`: everything that a developer runs.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::error::Result;
use xtask::{console, crds, suites};

/// Developer commands of Tiphys.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", disable_version_flag = true)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Format, clippy, unit, golden, architecture and real-cluster tests in one command
    Test(suites::Options),
    /// Write crds/ from the Rust types
    Crds {
        /// Fail where a committed file differs, write nothing
        #[arg(long)]
        check: bool,
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
        Task::Test(options) => suites::run(options),
        Task::Crds { check } => crds::run(*check),
    }
}
