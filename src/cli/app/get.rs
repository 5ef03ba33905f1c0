//! `tiphys app get`.

use std::io::Write;

use clap::Args;

use crate::api::{Application, ApplicationSource, OperationPhase, ResourceResult, ResourceStatus};

use super::super::{CliError, draw};
use super::client::AppClient;
use super::list::policy;

#[derive(Args, Debug)]
pub(super) struct GetArgs {
    /// Name, or NAMESPACE/NAME.
    name: String,
    /// Asks the controller to look at Git first.
    #[arg(long)]
    refresh: bool,
    /// Asks the controller to forget renders and predictions first.
    #[arg(long)]
    hard_refresh: bool,
    /// Form of the output: wide, json or yaml.
    #[arg(short, long, default_value = "wide", value_parser = ["wide", "json", "yaml"])]
    output: String,
}

pub(super) async fn run(client: &AppClient, args: &GetArgs, out: &mut impl Write) -> Result<u8, CliError> {
    if args.refresh || args.hard_refresh {
        super::wait::refresh(client, &args.name, args.hard_refresh).await?;
    }
    if args.output != "wide" {
        super::print_value(&client.get_value(&args.name).await?, &args.output, out)?;
        return Ok(0);
    }
    print(&client.get(&args.name).await?, out)?;
    Ok(0)
}

/// The Application as people look at it.
pub(super) fn print(app: &Application, out: &mut impl Write) -> std::io::Result<()> {
    let status = &app.status;
    let destination = &app.spec.destination;
    let server = if destination.server.is_empty() { &destination.name } else { &destination.server };
    let mut line = |name: &str, value: &str| writeln!(out, "{:<20}{value}", format!("{name}:"));
    line("Name", &format!("{}/{}", app.namespace(), app.name()))?;
    line("Project", app.project())?;
    line("Server", server)?;
    line("Namespace", &destination.namespace)?;
    for source in app.spec.all_sources() {
        let repo = crate::flow::printable_url(&source.repo_url);
        line("Repo", &repo)?;
        line("Target", &source.target_revision)?;
        let fields = [
            ("Path", &source.path),
            ("Chart", &source.chart),
            ("Ref", &source.reference),
            ("Source Name", &source.name),
        ];
        for (name, text) in fields.into_iter().filter(|(_, text)| !text.is_empty()) {
            line(name, text)?;
        }
    }
    line("Sync Policy", &policy(app))?;
    line("Sync Status", &format!("{} from {}", draw::sync(status.sync.status), compared(app)))?;
    let health = status.health.status.map(draw::health).unwrap_or_else(|| "Unknown".into());
    let because = if status.health.message.is_empty() {
        String::new()
    } else {
        format!(" ({})", status.health.message)
    };
    line("Health Status", &format!("{health}{because}"))?;
    if let Some(state) = &status.operation_state {
        line("Operation", &format!("{}: {}", draw::phase(state.phase), state.message))?;
        if let Some(wave) = wave_under_way(app) {
            line("Wave", &wave)?;
        }
    }
    for drift in super::drift::lasting(app) {
        line("Drift", &drift)?;
    }
    if !status.conditions.is_empty() {
        writeln!(out)?;
        let rows: Vec<Vec<String>> = status
            .conditions
            .iter()
            .map(|one| {
                let since = one.last_transition_time.map(|time| time.to_string()).unwrap_or_default();
                vec![one.kind.as_str().to_owned(), one.message.replace('\n', " "), since]
            })
            .collect();
        draw::table(out, &["CONDITION", "MESSAGE", "LAST TRANSITION"], &rows)?;
    }
    writeln!(out)?;
    let headings = ["GROUP", "KIND", "NAMESPACE", "NAME", "STATUS", "HEALTH", "WAVE", "HOOK", "MESSAGE"];
    draw::table(out, &headings, &rows(app))
}

/// The wave that the operation is at, and how many of its objects are done.
fn wave_under_way(app: &Application) -> Option<String> {
    let state = app.status.operation_state.as_ref().filter(|state| !state.phase.is_completed())?;
    let wave_of = |result: &ResourceResult| {
        let is_same = |one: &&ResourceStatus| {
            (&one.group, &one.kind, &one.namespace, &one.name)
                == (&result.group, &result.kind, &result.namespace, &result.name)
        };
        app.status.resources.iter().find(is_same).map(|one| one.sync_wave)
    };
    // The destination's namespace has a result, but is no object of the application.
    let results = state.sync_result.iter().flat_map(|result| &result.resources);
    let ours: Vec<(&ResourceResult, i64)> = results.filter_map(|one| Some((one, wave_of(one)?))).collect();
    let is_running = |one: &ResourceResult| one.hook_phase == Some(OperationPhase::Running);
    let (first, wave) = *ours.iter().find(|(one, _)| is_running(one))?;
    let last = app.status.resources.iter().map(|one| one.sync_wave).max().unwrap_or(wave).max(wave);
    let here = || ours.iter().filter(|(one, at)| one.sync_phase == first.sync_phase && *at == wave);
    let left = here().filter(|(one, _)| is_running(one)).count();
    let phase = first.sync_phase.map(|phase| format!("{phase:?} ")).unwrap_or_default();
    Some(format!("{phase}{wave} of {last}, waiting for {left} of {} objects", here().count()))
}

/// Target and revision of each source.
fn compared(app: &Application) -> String {
    let sync = &app.status.sync;
    let revisions =
        if sync.revisions.is_empty() { std::slice::from_ref(&sync.revision) } else { &sync.revisions };
    let sources = app.spec.all_sources();
    let one = |(index, source): (usize, &&ApplicationSource)| {
        target_at(&source.target_revision, revisions.get(index).map_or("", String::as_str))
    };
    sources.iter().enumerate().map(one).collect::<Vec<_>>().join(", ")
}

/// `main (0123456)`: commits are cut, versions are not.
pub(super) fn target_at(target: &str, revision: &str) -> String {
    let target = if target.is_empty() { "HEAD" } else { target };
    let is_commit = revision.len() >= 40 && revision.chars().all(|c| c.is_ascii_hexdigit());
    let short: String = revision.chars().take(if is_commit { 7 } else { usize::MAX }).collect();
    format!("{target} ({short})")
}

fn rows(app: &Application) -> Vec<Vec<String>> {
    let results: Vec<&ResourceResult> = app
        .status
        .operation_state
        .iter()
        .filter_map(|state| state.sync_result.as_ref())
        .flat_map(|result| &result.resources)
        .collect();
    let row = |one: &crate::api::ResourceStatus| {
        let result = results.iter().find(|result| {
            (&result.kind, &result.group, &result.namespace, &result.name)
                == (&one.kind, &one.group, &one.namespace, &one.name)
        });
        let health = one.health.clone().unwrap_or_default();
        let message = if health.message.is_empty() {
            result.map(|result| result.message.clone()).unwrap_or_default()
        } else {
            health.message
        };
        vec![
            one.group.clone(),
            one.kind.clone(),
            one.namespace.clone(),
            one.name.clone(),
            one.status.map(draw::sync).unwrap_or_default(),
            health.status.map(draw::health).unwrap_or_default(),
            if one.sync_wave == 0 { String::new() } else { one.sync_wave.to_string() },
            result.and_then(|result| result.hook_type).map(|hook| format!("{hook:?}")).unwrap_or_default(),
            message,
        ]
    };
    app.status.resources.iter().map(row).collect()
}
