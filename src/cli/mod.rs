//! The command line.

mod app;
mod controller;
mod crds;
mod diff;
mod documents;
mod draw;
mod error;
mod explain;
mod health;
mod inspect;
mod plan;
mod render;
mod telemetry;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use error::CliError;

/// A GitOps controller for Kubernetes that speaks Argo CD's API.
#[derive(Parser, Debug)]
#[command(name = "tiphys", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    App(app::AppArgs),
    Controller(controller::ControllerArgs),
    Crds(crds::CrdsArgs),
    Diff(diff::DiffArgs),
    Explain(explain::ExplainArgs),
    Health(health::HealthArgs),
    Plan(plan::PlanArgs),
    Render(render::RenderArgs),
    /// Run scripts from standard input; started by tiphys itself.
    #[command(hide = true)]
    Sandbox,
}

/// The same with nothing but `render`: to make the arguments of all commands takes longer than to build a small
/// overlay.
#[derive(Parser, Debug)]
#[command(name = "tiphys", version)]
struct RenderCli {
    #[command(subcommand)]
    command: RenderCommand,
}

#[derive(Subcommand, Debug)]
enum RenderCommand {
    Render(render::RenderArgs),
}

fn parse() -> Command {
    if std::env::args_os().nth(1).is_some_and(|first| first == "render") {
        let RenderCommand::Render(args) = RenderCli::parse().command;
        return Command::Render(args);
    }
    Cli::parse().command
}

/// Exit code of a comparison that could not be made; 1 says that there are differences.
const DIFF_FAILED: u8 = 2;

/// Exit code of an `app` command that failed, as the argocd command's.
const APP_FAILED: u8 = 20;

/// Parses the arguments, runs one command, and says with which code the process ends.
pub fn main() -> ExitCode {
    let command = parse();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let result = match &command {
        Command::App(args) => app::run(args, &mut out),
        Command::Controller(args) => controller::run(args).map(|()| 0),
        Command::Crds(args) => crds::run(args, &mut out).map(|()| 0),
        Command::Diff(args) => diff::run(args, &mut out),
        Command::Explain(args) => explain::run(args, &mut out).map(|()| 0),
        Command::Plan(args) => plan::run(args, &mut out),
        Command::Health(args) => health::run(args, &mut out).map(|()| 0),
        Command::Render(args) => render::run(args, &mut out),
        Command::Sandbox => crate::eval::serve_sandbox(&mut std::io::stdin().lock(), &mut out)
            .map(|()| 0)
            .map_err(CliError::from),
    };
    match result.and_then(|code: u8| Ok(out.flush().map(|()| code)?)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(match &command {
                Command::Diff(_) => DIFF_FAILED,
                Command::App(args) if args.is_diff() => DIFF_FAILED,
                Command::App(_) => APP_FAILED,
                _ => error.exit_code(),
            })
        }
    }
}

/// A runtime for commands that talk to a cluster.
fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CliError::Output)
}
