//! `tiphys app wait`, and waiting for what was asked for.

use std::io::Write;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use crate::api::{Application, HealthCode, OperationPhase, SyncCode, Time, annotations};

use super::super::{CliError, draw};
use super::client::AppClient;

#[derive(Args, Debug)]
pub(super) struct WaitArgs {
    /// Names, or NAMESPACE/NAME.
    #[arg(required = true)]
    names: Vec<String>,
    /// Waits for Synced.
    #[arg(long)]
    sync: bool,
    /// Waits for Healthy.
    #[arg(long)]
    health: bool,
    /// Waits until no operation runs.
    #[arg(long)]
    operation: bool,
    /// Gives up after this many seconds; never where 0.
    #[arg(long, default_value_t = 0)]
    timeout: u64,
}

/// How often a waiting command looks.
const INTERVAL: Duration = Duration::from_millis(300);

pub(super) async fn run(client: &AppClient, args: &WaitArgs, out: &mut impl Write) -> Result<u8, CliError> {
    let all = !(args.sync || args.health || args.operation);
    for name in &args.names {
        let reached = |app: &Application| {
            let state = app.status.operation_state.as_ref();
            let idle = app.operation.is_none() && state.is_none_or(|state| state.phase.is_completed());
            (!(args.sync || all) || app.status.sync.status == SyncCode::Synced)
                && (!(args.health || all) || app.status.health.status == Some(HealthCode::Healthy))
                && (!(args.operation || all) || idle)
        };
        let app = until(client, name, args.timeout, out, reached).await?;
        super::get::print(&app, out)?;
    }
    Ok(0)
}

/// Looks at an Application until a condition holds, and prints each change as it goes by.
pub(super) async fn until(
    client: &AppClient,
    name: &str,
    timeout: u64,
    out: &mut impl Write,
    reached: impl Fn(&Application) -> bool,
) -> Result<Application, CliError> {
    let started = Instant::now();
    let mut shown = String::new();
    loop {
        let app = client.get(name).await?;
        let line = progress(&app);
        if line != shown {
            writeln!(out, "{line}")?;
            out.flush()?;
            shown = line;
        }
        if reached(&app) {
            return Ok(app);
        }
        if timeout > 0 && started.elapsed() >= Duration::from_secs(timeout) {
            return Err(CliError::Usage(format!(
                "timed out ({timeout}s) waiting for app {name:?}: {}",
                plain(&app)
            )));
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

fn plain(app: &Application) -> String {
    let health = app.status.health.status.map_or("", HealthCode::as_str);
    format!("{}, {health} {}", app.status.sync.status.as_str(), app.status.health.message)
}

fn progress(app: &Application) -> String {
    let health = app.status.health.status.map(draw::health).unwrap_or_else(|| "-".into());
    let operation = app
        .status
        .operation_state
        .as_ref()
        .map(|state| format!("{}: {}", draw::phase(state.phase), state.message));
    format!(
        "{}  {}  {health}  {}",
        app.name(),
        draw::sync(app.status.sync.status),
        operation.unwrap_or_default()
    )
}

/// Waits for the operation that was asked for at `since`, and prints what became of it. Exit code 1 where it failed.
pub(super) async fn operation(
    client: &AppClient,
    name: &str,
    since: Time,
    timeout: u64,
    out: &mut impl Write,
) -> Result<u8, CliError> {
    let done = |app: &Application| {
        let state = app.status.operation_state.as_ref();
        app.operation.is_none()
            && state.is_some_and(|state| state.phase.is_completed() && state.started_at >= since)
    };
    let app = until(client, name, timeout, out, done).await?;
    super::get::print(&app, out)?;
    let phase = app.status.operation_state.as_ref().map(|state| state.phase);
    Ok(u8::from(phase != Some(OperationPhase::Succeeded)))
}

/// Asks for a refresh and waits until it was heard.
pub(super) async fn refresh(client: &AppClient, name: &str, hard: bool) -> Result<(), CliError> {
    let kind = if hard { "hard" } else { "normal" };
    client.patch(name, &json!({"metadata": {"annotations": {annotations::REFRESH: kind}}})).await?;
    let started = Instant::now();
    while client.get(name).await?.annotation(annotations::REFRESH).is_some() {
        if started.elapsed() > Duration::from_secs(60) {
            return Err(CliError::Usage("the controller does not answer: is it running?".into()));
        }
        tokio::time::sleep(INTERVAL).await;
    }
    Ok(())
}
