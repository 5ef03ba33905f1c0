//! `tiphys app list`.

use std::io::Write;

use clap::Args;
use serde_json::Value;

use crate::api::{Application, decode_application};

use super::super::{CliError, draw};
use super::client::AppClient;

#[derive(Args, Debug)]
pub(super) struct ListArgs {
    /// Applications of all namespaces.
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Label selector.
    #[arg(short = 'l', long)]
    selector: Option<String>,
    /// Only Applications of this project.
    #[arg(short = 'p', long)]
    project: Option<String>,
    /// Form of the output: wide, name, json or yaml.
    #[arg(short, long, default_value = "wide", value_parser = ["wide", "name", "json", "yaml"])]
    output: String,
}

pub(super) async fn run(client: &AppClient, args: &ListArgs, out: &mut impl Write) -> Result<u8, CliError> {
    let values = client.list(args.selector.as_deref(), args.all_namespaces).await?;
    let wanted: Vec<(Value, Application)> = values
        .into_iter()
        .filter_map(|value| Some((value.clone(), decode_application(value).ok()?)))
        .filter(|(_, app)| args.project.as_deref().is_none_or(|project| app.project() == project))
        .collect();
    match args.output.as_str() {
        "json" | "yaml" => {
            let values = Value::Array(wanted.into_iter().map(|(value, _)| value).collect());
            super::print_value(&values, &args.output, out)?;
        }
        "name" => {
            for (_, app) in &wanted {
                writeln!(out, "{}/{}", app.namespace(), app.name())?;
            }
        }
        _ => {
            let headings = [
                "NAME",
                "CLUSTER",
                "NAMESPACE",
                "PROJECT",
                "STATUS",
                "HEALTH",
                "SYNCPOLICY",
                "CONDITIONS",
                "REPO",
                "PATH",
                "TARGET",
            ];
            let rows: Vec<Vec<String>> = wanted.iter().map(|(_, app)| row(app)).collect();
            draw::table(out, &headings, &rows)?;
        }
    }
    Ok(0)
}

fn row(app: &Application) -> Vec<String> {
    let source = app.spec.all_sources().first().map(|source| (*source).clone()).unwrap_or_default();
    let destination = &app.spec.destination;
    let conditions: Vec<&str> =
        app.status.conditions.iter().map(|condition| condition.kind.as_str()).collect();
    let repo = crate::flow::printable_url(&source.repo_url);
    vec![
        format!("{}/{}", app.namespace(), app.name()),
        if destination.server.is_empty() { destination.name.clone() } else { destination.server.clone() },
        destination.namespace.clone(),
        app.project().to_owned(),
        draw::sync(app.status.sync.status),
        app.status.health.status.map(draw::health).unwrap_or_default(),
        policy(app),
        if conditions.is_empty() { "<none>".into() } else { conditions.join(",") },
        repo,
        source.path,
        source.target_revision,
    ]
}

/// `Manual`, `Auto`, `Auto-Prune`.
pub(super) fn policy(app: &Application) -> String {
    let automated = app.spec.sync_policy.as_ref().and_then(|policy| policy.automated.as_ref());
    match automated.filter(|_| app.spec.is_automated()) {
        None => "Manual".into(),
        Some(automated) if automated.prune => "Auto-Prune".into(),
        Some(_) => "Auto".into(),
    }
}
