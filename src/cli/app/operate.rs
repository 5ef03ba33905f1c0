//! `tiphys app sync`, `rollback`, `terminate-op`: an operation is asked for by writing it on the Application.

use std::io::Write;

use clap::Args;
use serde_json::{Value, json};

use crate::api::{
    Info, Operation, OperationInitiator, RetryStrategy, SyncOperation, SyncOperationResource, SyncOptions,
    SyncStrategy, SyncStrategyApply, Time, annotations, rollback_candidate,
};

use super::super::CliError;
use super::client::AppClient;

#[derive(Args, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "these are the flags of argocd app sync")]
pub(super) struct SyncArgs {
    /// Name, or NAMESPACE/NAME.
    name: String,
    /// Syncs to this revision.
    #[arg(long, default_value = "")]
    revision: String,
    /// Deletes objects that Git no longer holds.
    #[arg(long)]
    prune: bool,
    /// Writes nothing.
    #[arg(long)]
    dry_run: bool,
    /// Deletes and creates again what cannot be changed.
    #[arg(long)]
    force: bool,
    /// Syncs only these: GROUP:KIND:NAME or GROUP:KIND:NAMESPACE/NAME.
    #[arg(long)]
    resource: Vec<String>,
    /// `hook` or `apply`.
    #[arg(long, default_value = "hook", value_parser = ["hook", "apply"])]
    strategy: String,
    /// Sync options, `Key=Value`.
    #[arg(long)]
    sync_option: Vec<String>,
    /// Tries again this many times.
    #[arg(long, default_value_t = 0)]
    retry_limit: i64,
    /// Does not wait for the sync.
    #[arg(long = "async")]
    asynchronous: bool,
    /// Gives up waiting after this many seconds; never where 0.
    #[arg(long, default_value_t = 0)]
    timeout: u64,
}

#[derive(Args, Debug)]
pub(super) struct RollbackArgs {
    /// Name, or NAMESPACE/NAME.
    name: String,
    /// Id in the history; the one before the last where it is not given.
    id: Option<i64>,
    /// Deletes objects that the earlier revision did not hold.
    #[arg(long)]
    prune: bool,
    /// Gives up waiting after this many seconds; never where 0.
    #[arg(long, default_value_t = 0)]
    timeout: u64,
}

#[derive(Args, Debug)]
pub(super) struct TerminateArgs {
    /// Name, or NAMESPACE/NAME.
    name: String,
}

pub(super) async fn sync(client: &AppClient, args: &SyncArgs, out: &mut impl Write) -> Result<u8, CliError> {
    let app = client.get(&args.name).await?;
    let how = SyncStrategyApply { force: args.force };
    let strategy = if args.strategy == "apply" {
        SyncStrategy { apply: Some(how), hook: None }
    } else {
        SyncStrategy { apply: None, hook: Some(how) }
    };
    let mut options = args.sync_option.clone();
    options.extend(app.spec.sync_policy.iter().flat_map(|policy| policy.sync_options.0.clone()));
    let operation = SyncOperation {
        revision: args.revision.clone(),
        prune: args.prune,
        dry_run: args.dry_run,
        sync_strategy: Some(strategy),
        resources: args.resource.iter().map(|text| resource(text)).collect::<Result<_, _>>()?,
        sync_options: SyncOptions(options),
        ..SyncOperation::default()
    };
    let retry = RetryStrategy { limit: args.retry_limit, ..RetryStrategy::default() };
    request(client, &args.name, operation, retry, args.asynchronous, args.timeout, out).await
}

/// `GROUP:KIND:NAME` or `GROUP:KIND:NAMESPACE/NAME`.
fn resource(text: &str) -> Result<SyncOperationResource, CliError> {
    let mut parts = text.splitn(3, ':');
    let (Some(group), Some(kind), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(CliError::Usage(format!(
            "--resource {text}: write GROUP:KIND:NAME, with an empty group for core kinds"
        )));
    };
    let (namespace, name) = name.split_once('/').unwrap_or(("", name));
    Ok(SyncOperationResource {
        group: group.into(),
        kind: kind.into(),
        name: name.into(),
        namespace: namespace.into(),
    })
}

#[allow(clippy::too_many_arguments, reason = "an operation and how it is waited for")]
async fn request(
    client: &AppClient,
    name: &str,
    sync: SyncOperation,
    retry: RetryStrategy,
    asynchronous: bool,
    timeout: u64,
    out: &mut impl Write,
) -> Result<u8, CliError> {
    let app = client.get(name).await?;
    let running = app.status.operation_state.as_ref().is_some_and(|state| !state.phase.is_completed());
    if app.operation.is_some() || running {
        return Err(CliError::Usage(format!(
            "another operation is already in progress; wait for it (`tiphys app wait {name} --operation`) or end it \
             (`tiphys app terminate-op {name}`)"
        )));
    }
    let username = std::env::var("USER").unwrap_or_else(|_| "tiphys".into());
    let initiated_by = OperationInitiator { username, automated: false };
    let operation = Operation { sync: Some(sync), initiated_by, info: Vec::new(), retry };
    let since = Time::new(jiff::Timestamp::now());
    let value = serde_json::to_value(&operation).map_err(CliError::output)?;
    // The newest commit is meant, not the one that the controller saw last.
    let refresh = json!({annotations::REFRESH: "normal"});
    client.patch(name, &json!({"operation": value, "metadata": {"annotations": refresh}})).await?;
    if asynchronous {
        return Ok(0);
    }
    super::wait::operation(client, name, since, timeout, out).await
}

pub(super) async fn rollback(
    client: &AppClient,
    args: &RollbackArgs,
    out: &mut impl Write,
) -> Result<u8, CliError> {
    let app = client.get(&args.name).await?;
    if app.spec.is_automated() {
        return Err(CliError::Usage(
            "rollback cannot be performed when auto-sync is enabled: it would be undone at once; set \
             spec.syncPolicy.automated.enabled to false first"
                .into(),
        ));
    }
    let entry = rollback_candidate(&app.status.history, args.id).ok_or_else(|| {
        CliError::Usage(format!(
            "the history has no such entry; `tiphys app history {}` shows what there is",
            args.name
        ))
    })?;
    let operation = SyncOperation {
        revision: entry.revision.clone(),
        prune: args.prune,
        source: entry.sources.is_empty().then(|| entry.source.clone()),
        sources: entry.sources.clone(),
        revisions: entry.revisions.clone(),
        sync_options: app.spec.sync_policy.clone().unwrap_or_default().sync_options,
        ..SyncOperation::default()
    };
    request(client, &args.name, operation, RetryStrategy::default(), false, args.timeout, out).await
}

pub(super) async fn terminate(
    client: &AppClient,
    args: &TerminateArgs,
    out: &mut impl Write,
) -> Result<u8, CliError> {
    let app = client.get(&args.name).await?;
    let running = app.status.operation_state.as_ref().is_some_and(|state| !state.phase.is_completed());
    if !running {
        return Err(CliError::Usage("Unable to terminate operation. No operation is in progress".into()));
    }
    let user = std::env::var("USER").unwrap_or_else(|_| "tiphys".into());
    let state = app.status.operation_state.as_ref();
    let mut info = state.map(|state| state.operation.info.clone()).unwrap_or_default();
    info.push(Info { name: "terminatedBy".into(), value: user });
    let info = serde_json::to_value(&info).map_err(CliError::output)?;
    let patch: Value =
        json!({"status": {"operationState": {"phase": "Terminating", "operation": {"info": info}}}});
    client.patch(&args.name, &patch).await?;
    writeln!(out, "Application '{}' operation terminating", args.name)?;
    Ok(0)
}
