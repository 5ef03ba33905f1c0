//! `tiphys health`: the raw health rule of objects in files, offline.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::documents;
use super::error::CliError;
use crate::eval::{LuaRunner, SandboxPool};
use crate::flow::{HealthCode, Reason};
use crate::health::{Customizations, HealthScript, assess_rule, health_scripts};
use crate::object::{GroupVersionKind, str_at};

/// Print the health of objects by the raw rule of their kind, without grace.
#[derive(clap::Args, Debug)]
pub(super) struct HealthArgs {
    /// File with objects as YAML or JSON, several documents or Lists; `-` reads standard input. May be repeated.
    #[arg(short = 'f', long = "filename", required = true, value_name = "FILE", num_args = 1..)]
    files: Vec<PathBuf>,
    /// An argocd-cm ConfigMap whose resource.customizations are applied.
    #[arg(long, value_name = "FILE")]
    customizations: Option<PathBuf>,
    /// How to print: `json` or `table`.
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Output::Table)]
    output: Output,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Output {
    Json,
    Table,
}

/// One object's health, as it is printed.
#[derive(Debug, Serialize)]
struct Entry {
    group: String,
    kind: String,
    namespace: String,
    name: String,
    status: Option<HealthCode>,
    message: String,
    reason: Option<Reason>,
}

/// Runs `tiphys health`.
///
/// # Errors
/// A file that cannot be read or is no YAML.
pub(super) fn run(args: &HealthArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let scripts = match &args.customizations {
        Some(file) => read_scripts(file)?,
        None => BTreeMap::new(),
    };
    let runner = LuaRunner::new(std::env::current_exe().ok().map(SandboxPool::new));
    let customizations = Customizations::new(scripts, &runner);
    let mut entries = Vec::new();
    for file in &args.files {
        entries.extend(documents::read_objects(file)?.iter().map(|object| entry(object, &customizations)));
    }
    match args.output {
        Output::Json => {
            serde_json::to_writer_pretty(&mut *out, &entries).map_err(CliError::output)?;
            writeln!(out)?;
        }
        Output::Table => write_table(&entries, out)?,
    }
    Ok(())
}

/// The health scripts of a file that holds an argocd-cm.
fn read_scripts(file: &Path) -> Result<BTreeMap<String, HealthScript>, CliError> {
    let mut data = BTreeMap::new();
    for object in documents::read_objects(file)? {
        let entries = object.get("data").and_then(Value::as_object).into_iter().flatten();
        data.extend(entries.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))));
    }
    let old = match data.get("resource.customizations") {
        Some(text) => documents::parse(file, text)?.into_iter().next().unwrap_or_default(),
        None => Value::Null,
    };
    let (scripts, problems) = health_scripts(&data, &old);
    for problem in problems {
        tracing::warn!("{problem}");
    }
    Ok(scripts)
}

fn entry(object: &Value, customizations: &Customizations<'_>) -> Entry {
    let text = |path: &[&str]| str_at(object, path).unwrap_or_default().to_owned();
    let kind = GroupVersionKind::from_api_version(&text(&["apiVersion"]), &text(&["kind"]));
    let health = assess_rule(object, customizations);
    Entry {
        group: kind.group,
        kind: kind.kind,
        namespace: text(&["metadata", "namespace"]),
        name: text(&["metadata", "name"]),
        status: health.as_ref().map(|health| health.status),
        reason: health.as_ref().and_then(|health| health.reason),
        message: health.map(|health| health.message).unwrap_or_default(),
    }
}

fn write_table(entries: &[Entry], out: &mut dyn Write) -> Result<(), CliError> {
    writeln!(out, "{:<12} {:<18} {:<40} MESSAGE", "STATUS", "REASON", "OBJECT")?;
    for entry in entries {
        let status = entry.status.map_or("-", HealthCode::as_str);
        let reason = entry.reason.map_or("", Reason::as_str);
        let namespace =
            if entry.namespace.is_empty() { String::new() } else { format!("{}/", entry.namespace) };
        let object = format!("{}/{namespace}{}", entry.kind, entry.name);
        writeln!(out, "{status:<12} {reason:<18} {object:<40} {}", entry.message.replace('\n', " "))?;
    }
    Ok(())
}
