//! `tiphys app history`.

use std::io::Write;

use clap::Args;

use crate::api::{Application, RevisionHistory, RevisionNote};

use super::super::{CliError, draw};
use super::client::AppClient;
use super::get::target_at;

#[derive(Args, Debug)]
pub(super) struct HistoryArgs {
    /// Name, or NAMESPACE/NAME.
    name: String,
    /// Form of the output: wide, id, json or yaml.
    #[arg(short, long, default_value = "wide", value_parser = ["wide", "id", "json", "yaml"])]
    output: String,
}

pub(super) async fn run(
    client: &AppClient,
    args: &HistoryArgs,
    out: &mut impl Write,
) -> Result<u8, CliError> {
    let app = client.get(&args.name).await?;
    match args.output.as_str() {
        "json" | "yaml" => {
            let value = serde_json::to_value(&app.status.history).map_err(CliError::output)?;
            super::print_value(&value, &args.output, out)?;
        }
        "id" => {
            for entry in &app.status.history {
                writeln!(out, "{}", entry.id)?;
            }
        }
        _ => {
            let row = |entry: &crate::api::RevisionHistory| {
                let by = if entry.initiated_by.automated {
                    "automated sync policy"
                } else {
                    &entry.initiated_by.username
                };
                let single = [(&entry.source, &entry.revision)];
                let several = entry.sources.iter().zip(&entry.revisions);
                let all: Vec<_> = if entry.sources.is_empty() { single.into() } else { several.collect() };
                let all = all.iter().map(|(source, revision)| target_at(&source.target_revision, revision));
                let made = made_by(&app, entry);
                vec![
                    entry.id.to_string(),
                    entry.deployed_at.to_string(),
                    all.collect::<Vec<_>>().join(", "),
                    by.to_owned(),
                    made.map(|made| made.author.clone()).unwrap_or_default(),
                    made.and_then(|made| made.date).map(|date| date.to_string()).unwrap_or_default(),
                    made.map(|made| made.subject.clone()).unwrap_or_default(),
                ]
            };
            let rows: Vec<Vec<String>> = app.status.history.iter().map(row).collect();
            draw::table(
                out,
                &["ID", "DATE", "REVISION", "INITIATOR", "AUTHOR", "COMMITTED", "SUBJECT"],
                &rows,
            )?;
        }
    }
    Ok(0)
}

/// Who made the revision of an entry; of several sources, the first that is known.
fn made_by<'a>(app: &'a Application, entry: &RevisionHistory) -> Option<&'a RevisionNote> {
    let is_meant =
        |made: &&RevisionNote| made.revision == entry.revision || entry.revisions.contains(&made.revision);
    app.status.tiphys.revisions.iter().find(is_meant)
}
