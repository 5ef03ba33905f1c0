//! `tiphys app diff`, `manifests` and `resources`: what a reconcile would see, asked of Git and cluster right now.

use std::io::Write;

use clap::Args;
use serde_json::{Value, json};

use crate::flow::ResourceComparison;
use crate::object::{Manifest, mask_secret};

use super::super::inspect::{InspectArgs, inspect};
use super::super::{CliError, diff, draw};
use super::client::ConnectionArgs;

#[derive(Args, Debug)]
pub(super) struct DiffArgs {
    /// Name, or NAMESPACE/NAME.
    name: String,
    /// Revision in the place of spec.source.targetRevision.
    #[arg(long)]
    revision: Option<String>,
    /// Form of the output: text or json.
    #[arg(short, long, default_value = "text", value_parser = ["text", "json"])]
    output: String,
}

#[derive(Args, Debug)]
pub(super) struct ManifestsArgs {
    /// Name, or NAMESPACE/NAME.
    name: String,
    /// Where the objects are read: `git` or `live`.
    #[arg(long, default_value = "git", value_parser = ["git", "live"])]
    source: String,
    /// Revision in the place of spec.source.targetRevision.
    #[arg(long)]
    revision: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct ResourcesArgs {
    /// Name, or NAMESPACE/NAME.
    name: String,
    /// Form of the output: wide or json.
    #[arg(short, long, default_value = "wide", value_parser = ["wide", "json"])]
    output: String,
}

fn place(connection: &ConnectionArgs, revision: Option<&String>) -> InspectArgs {
    InspectArgs::new(
        connection.kubeconfig.clone(),
        connection.context.clone(),
        connection.app_namespace.clone(),
        revision.cloned(),
    )
}

/// Exit code 0 where nothing differs, 1 where something does.
pub(super) fn differences(
    connection: &ConnectionArgs,
    args: &DiffArgs,
    out: &mut impl Write,
) -> Result<u8, CliError> {
    diff::of_application(&place(connection, args.revision.as_ref()), &args.name, &args.output, out)
}

/// Every object as YAML; Secrets masked.
pub(super) fn manifests(
    connection: &ConnectionArgs,
    args: &ManifestsArgs,
    out: &mut impl Write,
) -> Result<u8, CliError> {
    let comparison = inspect(&place(connection, args.revision.as_ref()), &args.name)?.comparison;
    let of = |one: &ResourceComparison| {
        let object = if args.source == "git" { one.desired.as_ref() } else { one.live.as_ref() };
        object.map(|object| shown(object))
    };
    for object in comparison.resources.iter().filter_map(of) {
        writeln!(out, "---")?;
        let text = goyaml::to_yaml(&object).map_err(|error| CliError::Usage(error.to_string()))?;
        write!(out, "{text}")?;
    }
    Ok(0)
}

fn shown(object: &Manifest) -> Value {
    if object.is_secret() { mask_secret(object.body()).into_body() } else { object.body().clone() }
}

/// Every object, those included that the status has no room for.
pub(super) fn resources(
    connection: &ConnectionArgs,
    args: &ResourcesArgs,
    out: &mut impl Write,
) -> Result<u8, CliError> {
    let comparison = inspect(&place(connection, None), &args.name)?.comparison;
    if args.output == "json" {
        let entry = |one: &ResourceComparison| {
            json!({"group": one.key.group, "kind": one.key.kind, "namespace": one.key.namespace, "name": one.key.name,
                   "status": one.status, "live": one.live.is_some(), "requiresPruning": one.requires_pruning,
                   "hook": one.annotations.is_hook(), "syncWave": one.annotations.wave})
        };
        let entries: Vec<Value> = comparison.resources.iter().map(entry).collect();
        super::print_value(&Value::Array(entries), "json", out)?;
        return Ok(0);
    }
    let row = |one: &ResourceComparison| {
        vec![
            one.key.group.clone(),
            one.key.kind.clone(),
            one.key.namespace.clone(),
            one.key.name.clone(),
            if one.annotations.is_hook() { "-".to_owned() } else { draw::sync(one.status) },
            if one.live.is_some() { "yes" } else { "no" }.to_owned(),
            if one.requires_pruning { "yes" } else { "no" }.to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = comparison.resources.iter().map(row).collect();
    draw::table(out, &["GROUP", "KIND", "NAMESPACE", "NAME", "STATUS", "LIVE", "ORPHANED FROM GIT"], &rows)?;
    Ok(0)
}
