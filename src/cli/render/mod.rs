//! `tiphys render`: manifests without a cluster.

mod app;
mod disk;
mod helm;
mod kustomize;
mod remote;
mod template;

use std::io::Write;

use clap::{Args, Subcommand};

use super::CliError;

/// Render manifests: what the controller would, without a cluster.
#[derive(Args, Debug)]
pub(super) struct RenderArgs {
    #[command(subcommand)]
    command: RenderCommand,
}

#[derive(Subcommand, Debug)]
enum RenderCommand {
    App(app::AppArgs),
    Helm(Box<helm::HelmArgs>),
    Kustomize(kustomize::KustomizeArgs),
    Template(template::TemplateArgs),
}

/// Runs; gives the exit code. Errors of `helm` and `kustomize` are printed in the words of those tools.
pub(super) fn run(args: &RenderArgs, out: &mut impl Write) -> Result<u8, CliError> {
    match &args.command {
        RenderCommand::App(args) => app::run(args, out),
        RenderCommand::Helm(args) => helm::run(args, out),
        RenderCommand::Kustomize(args) => kustomize::run(args, out),
        RenderCommand::Template(args) => template::run(args, out),
    }
}

/// Prints an error as `helm` and `kustomize` do, and gives their exit code.
fn fail(message: &str) -> u8 {
    eprintln!("Error: {message}");
    1
}
