//! `tiphys explain APP`: why an application is OutOfSync, Degraded, Progressing or stuck.

use std::io::Write;

use clap::Args;

use super::inspect::{InspectArgs, examine};
use super::{CliError, draw};

/// Say why an Application is as it is: source, render, compare, sync, workloads, pods, events; the true cause first.
#[derive(Args, Debug)]
pub(super) struct ExplainArgs {
    /// The Application: NAME or NAMESPACE/NAME.
    name: String,
    #[command(flatten)]
    cluster: InspectArgs,
    /// Form of the output: text or json.
    #[arg(short, long, default_value = "text", value_parser = ["text", "json"])]
    output: String,
}

pub(super) fn run(args: &ExplainArgs, out: &mut impl Write) -> Result<(), CliError> {
    let explanation = examine(&args.cluster, &args.name)?.explain();
    if args.output == "json" {
        serde_json::to_writer_pretty(&mut *out, &explanation).map_err(CliError::output)?;
        writeln!(out)?;
    } else {
        write!(out, "{}", explanation.print(draw::tone))?;
    }
    Ok(())
}
