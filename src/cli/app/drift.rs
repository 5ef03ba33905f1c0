//! `tiphys app drift`: what was changed in the cluster, by whom, since when, and when it was put right.

use std::io::Write;

use clap::Args;

use crate::api::{Application, DriftEntry};

use super::super::{CliError, draw};
use super::client::AppClient;

#[derive(Args, Debug)]
pub(super) struct DriftArgs {
    /// Name, or NAMESPACE/NAME.
    name: String,
    /// Form of the output: wide, json or yaml.
    #[arg(short, long, default_value = "wide", value_parser = ["wide", "json", "yaml"])]
    output: String,
}

pub(super) async fn run(client: &AppClient, args: &DriftArgs, out: &mut impl Write) -> Result<u8, CliError> {
    let app = client.get(&args.name).await?;
    if args.output == "wide" {
        print(&app, out)?;
    } else {
        let value = serde_json::to_value(&app.status.tiphys.drift).map_err(CliError::output)?;
        super::print_value(&value, &args.output, out)?;
    }
    Ok(0)
}

fn print(app: &Application, out: &mut impl Write) -> std::io::Result<()> {
    let entries = &app.status.tiphys.drift;
    if entries.is_empty() {
        return writeln!(out, "no drift was seen");
    }
    let rows: Vec<Vec<String>> = entries.iter().rev().map(row).collect();
    let headings = ["SINCE", "HEALED", "TIMES", "OBJECT", "FIELD", "LIVE", "GIT", "WRITTEN BY"];
    draw::table(out, &headings, &rows)
}

fn row(entry: &DriftEntry) -> Vec<String> {
    vec![
        entry.since.to_string(),
        entry.healed.map_or_else(|| "-".to_owned(), |healed| healed.to_string()),
        entry.times.to_string(),
        object(entry),
        if entry.field.is_empty() { "(deleted)".to_owned() } else { entry.field.clone() },
        entry.live.clone(),
        entry.desired.clone(),
        if entry.manager.is_empty() { "unknown".to_owned() } else { entry.manager.clone() },
    ]
}

fn object(entry: &DriftEntry) -> String {
    if entry.namespace.is_empty() {
        format!("{}/{}", entry.kind, entry.name)
    } else {
        format!("{}/{}/{}", entry.kind, entry.namespace, entry.name)
    }
}

/// `Deployment/shop/web /spec/replicas by kubectl-edit`, of every drift that lasts.
pub(super) fn lasting(app: &Application) -> Vec<String> {
    let open = app.status.tiphys.drift.iter().filter(|entry| entry.healed.is_none());
    open.map(|entry| {
        let field = if entry.field.is_empty() { "was deleted" } else { &entry.field };
        let by = if entry.manager.is_empty() { String::new() } else { format!(" by {}", entry.manager) };
        format!("{} {field}{by} since {}", object(entry), entry.since)
    })
    .collect()
}
