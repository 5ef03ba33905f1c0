//! `tiphys diff`: of an Application, or offline of two files.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use crate::api::{Application, SyncCode, decode_application};
use crate::diff::{IgnoreRules, KnownFields, differences, structural_diff};
use crate::eval::JqPaths;
use crate::flow::FieldDifference;
use crate::object::{Manifest, mask_pair};
use crate::render::read_json_or_yaml;
use crate::settings::{Customizations, config_map_data};

use super::inspect::{InspectArgs, inspect};
use super::{CliError, draw};

/// Compare Git and cluster for an Application, or offline a live object with a desired one. Exit code 0 where they are
/// the same, 1 where not, 2 on errors.
#[derive(Args, Debug)]
pub(super) struct DiffArgs {
    /// An Application on the cluster: NAME or NAMESPACE/NAME.
    #[arg(required_unless_present = "live", conflicts_with = "live")]
    name: Option<String>,
    #[command(flatten)]
    cluster: InspectArgs,
    /// File of the live object, offline.
    #[arg(long, requires = "desired")]
    live: Option<PathBuf>,
    /// File of the desired object, offline.
    #[arg(long, requires = "live")]
    desired: Option<PathBuf>,
    /// File of the Application, for its ignoreDifferences.
    #[arg(long)]
    app: Option<PathBuf>,
    /// File of argocd-cm, for its customizations.
    #[arg(long)]
    settings: Option<PathBuf>,
    /// Form of the output: text or json.
    #[arg(short, long, default_value = "text", value_parser = ["text", "json"])]
    output: String,
}

pub(super) fn run(args: &DiffArgs, out: &mut impl Write) -> Result<u8, CliError> {
    match (&args.name, &args.live, &args.desired) {
        (Some(name), _, _) => of_application(&args.cluster, name, &args.output, out),
        (None, Some(live), Some(desired)) => of_files(args, live, desired, out),
        _ => Err(CliError::Usage("name an Application, or two files with --live and --desired".into())),
    }
}

/// Every object of an Application that is not as Git says.
pub(super) fn of_application(
    cluster: &InspectArgs,
    name: &str,
    form: &str,
    out: &mut impl Write,
) -> Result<u8, CliError> {
    let comparison = inspect(cluster, name)?.comparison;
    let changed = comparison.resources.iter().filter(|one| one.status == SyncCode::OutOfSync);
    let mut entries = Vec::new();
    let mut modified = false;
    for one in changed {
        modified = true;
        let state = match (&one.desired, &one.live) {
            (Some(_), None) => " (not in the cluster)",
            (None, Some(_)) => " (no longer in Git)",
            _ => "",
        };
        if form == "json" {
            entries.push(json!({
                "group": one.key.group, "kind": one.key.kind, "namespace": one.key.namespace, "name": one.key.name,
                "missing": one.live.is_none(), "requiresPruning": one.requires_pruning, "differences": one.differences,
            }));
        } else if one.differences.is_empty() {
            writeln!(out, "===== {}{state} ======", one.key)?;
        } else {
            draw::differences(out, &one.key.to_string(), &one.differences)?;
        }
    }
    if form == "json" {
        serde_json::to_writer_pretty(&mut *out, &entries).map_err(CliError::output)?;
        writeln!(out)?;
    }
    for problem in &comparison.problems {
        eprintln!("warning: {problem}");
    }
    Ok(u8::from(modified))
}

fn of_files(args: &DiffArgs, live: &Path, desired: &Path, out: &mut impl Write) -> Result<u8, CliError> {
    let live = read_object(live)?;
    let desired = read_object(desired)?;
    let system = match &args.settings {
        None => Customizations::read(&BTreeMap::new()),
        Some(file) => read_settings(file)?,
    };
    let app = args.app.as_deref().map(read_application).transpose()?;
    let own = app.as_ref().map_or(&[][..], |app| &app.spec.ignore_differences);
    let (rules, problems) = IgnoreRules::read(own, &system, &JqPaths);
    if let Some(problem) = problems.first() {
        return Err(CliError::Usage(problem.to_string()));
    }
    let known = KnownFields::new(&system);
    let (mut predicted, mut normal_live) = structural_diff(&desired, &live, &rules, &known);
    let modified = predicted != normal_live;
    if desired.is_secret() {
        let (masked_predicted, masked_live) = mask_pair(&predicted, &normal_live);
        (predicted, normal_live) = (masked_predicted.into_body(), masked_live.into_body());
    }
    if args.output == "json" {
        let answer = json!({"modified": modified, "normalizedLive": normal_live, "predictedLive": predicted});
        serde_json::to_writer_pretty(&mut *out, &answer).map_err(CliError::output)?;
        writeln!(out)?;
    } else {
        let found: Vec<FieldDifference> = differences(&predicted, &normal_live);
        draw::differences(out, &desired.key().to_string(), &found)?;
    }
    Ok(u8::from(modified))
}

fn read_settings(file: &Path) -> Result<Customizations, CliError> {
    let config_map = read_values(file)?.into_iter().next().unwrap_or_default();
    let system = Customizations::read(&config_map_data(&config_map));
    match system.problems.first() {
        Some(problem) => Err(CliError::Usage(format!("{}: {problem}", file.display()))),
        None => Ok(system),
    }
}

pub(super) fn read_values(file: &Path) -> Result<Vec<Value>, CliError> {
    let name = file.display().to_string();
    let text = std::fs::read(file).map_err(|error| CliError::Read { file: name.clone(), error })?;
    Ok(read_json_or_yaml(&name, &text)?)
}

fn read_object(file: &Path) -> Result<Manifest, CliError> {
    let name = file.display().to_string();
    let value = read_values(file)?.into_iter().next();
    let value = value.ok_or_else(|| CliError::Usage(format!("{name} holds no object")))?;
    Manifest::new(value).map_err(|error| CliError::Usage(format!("{name}: {error}")))
}

/// Reads the one Application of a file.
pub(super) fn read_application(file: &Path) -> Result<Application, CliError> {
    let name = file.display().to_string();
    let application = read_values(file)?.into_iter().find(|document| document["kind"] == "Application");
    let application = application.ok_or_else(|| CliError::Usage(format!("{name} holds no Application")))?;
    decode_application(application).map_err(|error| CliError::Usage(format!("{name}: {error}")))
}
