//! `tiphys plan`: offline, the ordered tasks that a sync would run.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};

use crate::api::{Application, HookType, SourceType, SyncOperation, Time};
use crate::diff::{Comparing, IgnoreRules, compare};
use crate::eval::JqPaths;
use crate::flow::{Action, Comparison, Manifests, Observation, Plan, Task};
use crate::render::read_documents;
use crate::settings::Customizations;
use crate::sync::{Guards, PlanRequest, plan};

use super::diff::read_application;
use super::inspect::{InspectArgs, inspect};
use super::{CliError, draw};

/// Print the ordered tasks that a sync would run: of an Application, or offline of these manifests.
#[derive(Args, Debug)]
pub(super) struct PlanArgs {
    /// An Application on the cluster: NAME or NAMESPACE/NAME.
    #[arg(required_unless_present = "files", conflicts_with = "files")]
    name: Option<String>,
    #[command(flatten)]
    cluster: InspectArgs,
    /// Files of manifests, offline; `-` is standard input.
    #[arg(short, long = "file", num_args = 1..)]
    files: Vec<PathBuf>,
    /// File of the Application, for its sync options and destination.
    #[arg(long)]
    app: Option<PathBuf>,
    /// Form of the output: text or json.
    #[arg(short, long, default_value = "text", value_parser = ["text", "json"])]
    output: String,
}

pub(super) fn run(args: &PlanArgs, out: &mut impl Write) -> Result<u8, CliError> {
    if let Some(name) = &args.name {
        let inspection = inspect(&args.cluster, name)?;
        return print(&inspection.plan, &inspection.comparison, &args.output, out);
    }
    let app = args.app.as_deref().map(read_application).transpose()?.unwrap_or_default();
    let comparison = comparison(args, &app)?;
    let operation = SyncOperation { prune: true, ..SyncOperation::default() };
    let app_options = app.spec.sync_policy.as_ref().map(|policy| &policy.sync_options);
    let request = PlanRequest {
        operation: &operation,
        app_options,
        revision: "",
        started_at: Time::new(jiff::Timestamp::UNIX_EPOCH),
        create_namespace: None,
        guards: Guards::default(),
    };
    print(&plan(&comparison, &request), &comparison, &args.output, out)
}

fn print(the_plan: &Plan, comparison: &Comparison, form: &str, out: &mut impl Write) -> Result<u8, CliError> {
    for one in comparison.resources.iter().flat_map(|one| &one.annotations.problems) {
        eprintln!("warning: {one}");
    }
    let skipped = comparison.resources.iter().filter(|one| one.annotations.hooks.contains(&HookType::Skip));
    let skipped = skipped.filter_map(|one| {
        let object = one.desired.as_ref()?;
        Some(entry("Skip", object.namespace(), &one.annotations, object, true))
    });
    let entries: Vec<Value> = the_plan.tasks.iter().map(task_entry).chain(skipped).collect();
    if form == "json" {
        serde_json::to_writer_pretty(&mut *out, &entries).map_err(CliError::output)?;
        writeln!(out)?;
    } else {
        draw_plan(out, the_plan)?;
    }
    Ok(0)
}

fn comparison(args: &PlanArgs, app: &Application) -> Result<Comparison, CliError> {
    let mut objects = Vec::new();
    for file in &args.files {
        let name = file.display().to_string();
        let text = if name == "-" {
            let mut text = Vec::new();
            std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut text).map(|_| text)
        } else {
            std::fs::read(file)
        };
        let text = text.map_err(|error| CliError::Read { file: name.clone(), error })?;
        objects.extend(read_documents(&name, &text)?.into_iter().map(Arc::new));
    }
    let manifests = Manifests {
        objects,
        source_types: vec![SourceType::Directory],
        revision: String::new(),
        revisions: Vec::new(),
        warnings: Vec::new(),
    };
    let (ignore, _) = IgnoreRules::read(&app.spec.ignore_differences, &Customizations::default(), &JqPaths);
    let seen = Observation::empty(Time::new(jiff::Timestamp::UNIX_EPOCH));
    Ok(compare(&manifests, &seen, Comparing { ignore: &ignore }))
}

fn task_entry(task: &Task) -> Value {
    let annotations = crate::api::ResourceAnnotations::of(&task.object);
    let phase = format!("{:?}", task.phase);
    let mut value = entry(&phase, &task.key.namespace, &annotations, &task.object, task.skipped.is_some());
    value["wave"] = json!(task.wave);
    value["name"] = json!(task.key.name);
    value
}

fn entry(
    phase: &str,
    namespace: &str,
    annotations: &crate::api::ResourceAnnotations,
    object: &crate::object::Manifest,
    skipped: bool,
) -> Value {
    let policies = if annotations.is_hook() { annotations.delete_policies.clone() } else { Vec::new() };
    json!({
        "phase": phase,
        "wave": annotations.wave,
        "group": object.group(),
        "kind": object.kind(),
        "namespace": namespace,
        "name": object.name(),
        "hookTypes": annotations.hooks,
        "deletePolicies": policies,
        "options": annotations.options,
        "skipped": skipped,
    })
}

/// The plan as people look at it: phases, waves, objects.
pub(super) fn draw_plan(out: &mut impl Write, the_plan: &Plan) -> std::io::Result<()> {
    let mut at = None;
    for task in &the_plan.tasks {
        if at != Some((task.phase, task.wave)) {
            at = Some((task.phase, task.wave));
            let wave = if task.wave == i64::MIN { "first".to_owned() } else { format!("wave {}", task.wave) };
            writeln!(out, "{:?} · {wave}", task.phase)?;
        }
        let mark = match (task.action, task.options.unchanged) {
            (Action::Prune, _) => "-",
            (Action::Apply, true) => "=",
            (Action::Apply, false) if task.live.is_some() => "~",
            (Action::Apply, false) => "+",
        };
        let hook = if task.hook.is_some() { " (hook)" } else { "" };
        let because = task.skipped.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        writeln!(out, "  {mark} {}{hook}{because}", task.key)?;
    }
    let problems = the_plan.tasks.iter().filter_map(|task| task.refused.as_ref());
    for problem in problems {
        writeln!(out, "{}", draw::problem(problem))?;
    }
    Ok(())
}
