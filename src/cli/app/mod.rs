//! `tiphys app`: Applications, through the Kubernetes API alone. Names, columns and exit codes are those that users of
//! the argocd command expect.

mod actions;
mod client;
mod drift;
mod get;
mod history;
mod list;
mod look;
mod operate;
mod wait;

use std::io::Write;

use clap::{Args, Subcommand};

use super::{CliError, runtime};

/// Look at Applications and operate them.
#[derive(Args, Debug)]
pub(super) struct AppArgs {
    #[command(flatten)]
    connection: client::ConnectionArgs,
    #[command(subcommand)]
    command: AppCommand,
}

#[derive(Subcommand, Debug)]
enum AppCommand {
    /// List Applications.
    List(list::ListArgs),
    /// Show one Application: sync, health, operation, objects.
    Get(get::GetArgs),
    /// Show where Git and cluster differ, right now. Exit code 1 where they do.
    Diff(look::DiffArgs),
    /// Print the objects, as Git says or as they are.
    Manifests(look::ManifestsArgs),
    /// List every object, those included that the status has no room for.
    Resources(look::ResourcesArgs),
    /// Ask for a sync, and wait for it.
    Sync(operate::SyncArgs),
    /// Wait until an Application is synced, healthy, or done with its operation.
    Wait(wait::WaitArgs),
    /// Show what was synced when.
    History(history::HistoryArgs),
    /// Show what was changed in the cluster, by whom, and when it was put right.
    Drift(drift::DriftArgs),
    /// Go back to an earlier sync.
    Rollback(operate::RollbackArgs),
    /// End the operation under way.
    TerminateOp(operate::TerminateArgs),
    /// List and run actions on objects: restart, scale, pause, and those of argocd-cm.
    Actions(actions::ActionsArgs),
}

impl AppArgs {
    /// Whether the command compares, so that its exit code says whether something differs.
    pub(super) fn is_diff(&self) -> bool {
        matches!(self.command, AppCommand::Diff(_))
    }
}

/// Runs; gives the exit code.
pub(super) fn run(args: &AppArgs, out: &mut impl Write) -> Result<u8, CliError> {
    match &args.command {
        AppCommand::Diff(wanted) => return look::differences(&args.connection, wanted, out),
        AppCommand::Manifests(wanted) => return look::manifests(&args.connection, wanted, out),
        AppCommand::Resources(wanted) => return look::resources(&args.connection, wanted, out),
        _ => {}
    }
    runtime()?.block_on(async {
        let client = client::AppClient::connect(&args.connection).await?;
        match &args.command {
            AppCommand::List(args) => list::run(&client, args, out).await,
            AppCommand::Get(args) => get::run(&client, args, out).await,
            AppCommand::Sync(args) => operate::sync(&client, args, out).await,
            AppCommand::Wait(args) => wait::run(&client, args, out).await,
            AppCommand::History(args) => history::run(&client, args, out).await,
            AppCommand::Diff(_) | AppCommand::Manifests(_) | AppCommand::Resources(_) => Ok(0),
            AppCommand::Drift(args) => drift::run(&client, args, out).await,
            AppCommand::Rollback(args) => operate::rollback(&client, args, out).await,
            AppCommand::TerminateOp(args) => operate::terminate(&client, args, out).await,
            AppCommand::Actions(wanted) => actions::run(&client, &args.connection, wanted, out).await,
        }
    })
}

/// Prints a value as JSON or YAML.
fn print_value(value: &serde_json::Value, form: &str, out: &mut impl Write) -> Result<(), CliError> {
    if form == "json" {
        serde_json::to_writer_pretty(&mut *out, value).map_err(CliError::output)?;
        writeln!(out)?;
    } else {
        let text = goyaml::to_yaml(value).map_err(|error| CliError::Usage(error.to_string()))?;
        write!(out, "{text}")?;
    }
    Ok(())
}
