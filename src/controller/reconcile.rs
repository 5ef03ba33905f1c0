//! One reconcile: the stages in their order.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;

use crate::api::{Application, ApplicationStatus, Time, annotations};
use crate::cluster::{Asks, Cluster, instance_key};
use crate::flow::{Cause, Destination, Next, ObjectName, Problem, Stage};
use crate::object::{GroupVersionKind, ResourceKey};
use crate::source::Freshness;
use crate::status::{Seen, causes, compose};

use super::again::when_again;
use super::publish::{Changes, publish, publish_unreadable};
use super::recall::Recall;
use super::rendering::{Asked, want};
use super::validate::validate;
use super::{
    Memory, Shared, assess, clusters, delete_hooks, finalize, health_step, impersonation, ledger, operation,
    rollback, warnings,
};

/// What a reconcile works on.
pub(super) struct Work<'a> {
    pub(super) shared: &'a Shared,
    pub(super) app: Arc<Application>,
    pub(super) name: &'a ObjectName,
    pub(super) destination: Destination,
    pub(super) cluster: Arc<Cluster>,
    pub(super) now: Time,
    pub(super) recall: Arc<Recall>,
}

impl Work<'_> {
    /// Kinds that the application used before: objects of them may be left over, whatever Git says now.
    pub(super) fn known_kinds(&self) -> BTreeSet<GroupVersionKind> {
        let status = &self.app.status;
        let kind = |group: &str, version: &str, kind: &str| GroupVersionKind {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
        };
        let seen = status.resources.iter().map(|one| kind(&one.group, &one.version, &one.kind));
        let results = status.operation_state.iter().filter_map(|state| state.sync_result.as_ref());
        let written =
            results.flat_map(|result| &result.resources).map(|one| kind(&one.group, &one.version, &one.kind));
        let server = &self.destination.server;
        let settings = self.shared.store.argocd_cm();
        let kept = |gvk: &GroupVersionKind| !settings.resources.excludes(&gvk.group, &gvk.kind, server);
        seen.chain(written).filter(kept).collect()
    }

    /// Objects that the application had when its status was last written.
    pub(super) fn former_objects(&self) -> Vec<(GroupVersionKind, ResourceKey)> {
        let objects = self.app.status.resources.iter().filter(|one| !one.hook).map(|one| {
            let gvk = GroupVersionKind {
                group: one.group.clone(),
                version: one.version.clone(),
                kind: one.kind.clone(),
            };
            (gvk, ResourceKey::new(&one.group, &one.kind, &one.namespace, &one.name))
        });
        objects.collect()
    }

    /// The instance in tracking-ids of the application's objects.
    pub(super) fn instance(&self) -> String {
        let name = self.app.instance_name(&self.shared.options.namespace);
        instance_key(&name, &self.shared.store.argocd_cm().installation_id)
    }
}

/// When an application is tried again whose reconcile panicked.
const AFTER_PANIC: Duration = Duration::from_secs(60);

/// Reconciles one application. Gives after how long to come back by itself. A panic, whatever the defect, harms this
/// application only, and is in its conditions.
pub(super) async fn guarded(shared: &Shared, name: &ObjectName, asks: Asks) -> Option<Duration> {
    let work = async {
        match asks {
            Asks::Reconcile => reconcile(shared, name).await,
            Asks::Health => health_step::step(shared, name).await,
        }
    };
    if let Ok(again) = AssertUnwindSafe(work).catch_unwind().await {
        return again;
    }
    let message = "the reconcile panicked: this is a defect of Tiphys, the controller's log says where";
    let problem = Problem::retry(Stage::Sync, Cause::Internal, message);
    tracing::error!(application = %name, stage = problem.stage.as_str(), "{problem}");
    if let Some(app) = shared.store.application(name).and_then(|stored| stored.application.ok()) {
        report(shared, &app, &problem, Time::new(jiff::Timestamp::now())).await;
    }
    Some(AFTER_PANIC)
}

async fn reconcile(shared: &Shared, name: &ObjectName) -> Option<Duration> {
    let started = Instant::now();
    let stored = shared.store.application(name)?;
    let app = match stored.application {
        Ok(app) => app,
        Err(error) => {
            tracing::warn!(application = %name, stage = "validate", "{error}");
            let memory = shared.memory(name);
            let mut memory = memory.lock().await;
            if memory.unreadable.as_deref() != Some(&error.message) {
                publish_unreadable(shared, name, &error.to_string()).await;
                memory.unreadable = Some(error.message);
            }
            return None;
        }
    };
    if app.annotation(annotations::SKIP_RECONCILE) == Some("true") {
        return None;
    }
    let memory = shared.memory(name);
    let mut memory = memory.lock().await;
    let now = Time::new(jiff::Timestamp::now());
    let again = match run(shared, Arc::clone(&app), name, &mut memory, now).await {
        Ok(again) => {
            memory.failures = 0;
            memory.unreadable = None;
            again
        }
        Err(problem) => {
            memory.last_look = None;
            tracing::warn!(application = %name, stage = problem.stage.as_str(), cause = ?problem.cause, "{problem}");
            report(shared, &app, &problem, now).await;
            wait_after(&problem, &mut memory.failures)
        }
    };
    tracing::debug!(application = %name, took = ?started.elapsed(), "reconciled");
    if !is_operating(shared, name) {
        // Nobody looks again and again any more, and compressed objects take less room.
        memory.recall.clear();
    }
    shared.meter.reconciled(name, &app.spec.destination.server, started.elapsed());
    let poll = until_poll(shared, &mut memory);
    Some(again.map_or(poll, |again| again.min(poll)))
}

fn is_operating(shared: &Shared, name: &ObjectName) -> bool {
    let stored = shared.store.application(name).and_then(|stored| stored.application.ok());
    let state = stored.as_ref().and_then(|app| app.status.operation_state.as_ref());
    state.is_some_and(|state| !state.phase.is_completed())
}

/// The condition, on the one Application that it belongs to.
async fn report(shared: &Shared, app: &Application, problem: &Problem, now: Time) {
    let seen = Seen {
        problems: vec![problem.clone()],
        controller_namespace: &shared.options.namespace,
        ..Seen::default()
    };
    let mut status = compose(app, &seen, now);
    let mut changes = Changes { refresh_heard: has_refresh(app), ..Changes::default() };
    operation::fail_pending(app, problem, now, &mut status, &mut changes);
    if let Err(error) = publish(shared, app, &status, &changes).await {
        tracing::warn!(application = app.name(), error = %error, "the status could not be written");
    }
}

fn has_refresh(app: &Application) -> bool {
    app.annotation(annotations::REFRESH).is_some()
}

pub(super) fn wait_after(problem: &Problem, failures: &mut u32) -> Option<Duration> {
    *failures = failures.saturating_add(1);
    match problem.next {
        Next::Stalled => None,
        Next::Waiting(after) => Some(after),
        Next::Retry => Some(Duration::from_secs(1 << (*failures).min(6))),
    }
}

/// How long until Git is asked for news.
fn until_poll(shared: &Shared, memory: &mut Memory) -> Duration {
    let settings = shared.store.argocd_cm();
    if settings.poll_interval.is_zero() {
        return Duration::from_secs(24 * 3600);
    }
    let now = Instant::now();
    let at = memory.poll_at.filter(|at| *at > now).unwrap_or_else(|| {
        // The clock's low digits spread applications well enough.
        let jitter = settings.poll_jitter.as_millis().max(1);
        let part = u128::from(jiff::Timestamp::now().as_nanosecond().unsigned_abs() as u64) % jitter;
        now + settings.poll_interval + Duration::from_millis(u64::try_from(part).unwrap_or(0))
    });
    memory.poll_at = Some(at);
    at.duration_since(now).max(Duration::from_millis(50))
}

async fn run(
    shared: &Shared,
    app: Arc<Application>,
    name: &ObjectName,
    memory: &mut Memory,
    now: Time,
) -> Result<Option<Duration>, Problem> {
    if app.is_deleting() {
        return finalize::finalize(shared, app, name, now).await;
    }
    let work = begin(shared, app, name, memory, now).await?;
    let refresh = work.app.annotation(annotations::REFRESH).map(str::to_owned);
    if refresh.as_deref() == Some("hard") {
        shared.renders.forget(name);
        work.cluster.forget_predictions();
    }
    let asked = Asked::of_spec(&work.app)?;
    let freshness = freshness(shared, memory, refresh.is_some());
    let (wanted, source_problem) = match want(&work, &asked, freshness).await {
        Ok(wanted) => (wanted, None),
        Err(problem) => (rollback::without_source(&work, &problem).await?, Some(problem)),
    };
    let revision = wanted.manifests.all_revisions().join(",");
    if source_problem.is_none() {
        memory.ledger = ledger::note(&work, &wanted.comparison, &revision).await;
    }
    let outcome = operation::drive(&work, memory, &wanted, source_problem.is_none()).await?;
    let comparison = outcome.comparison.as_ref().unwrap_or(&wanted.comparison);
    let health = assess::assess_all(&work, memory, comparison).await;
    let again = when_again(memory, &outcome, comparison, refresh.is_some());
    let warnings = wanted.notes.iter().cloned().chain(warnings::orphans(&work, comparison).await);
    let warnings = warnings.chain(source_problem);
    let problems = comparison.problems.iter().cloned().chain(outcome.problems).chain(warnings).collect();
    let ended = Time::new(jiff::Timestamp::now());
    let rolled_up = assess::held(assess::roll_up(&work.app, comparison, &health), outcome.held.as_deref());
    let newest = newest(&work);
    let extension = rollback::remember(&work, &newest, &wanted, comparison, &rolled_up, &outcome.state).await;
    let seen = Seen {
        comparison: Some(comparison),
        drift: Some(ledger::healed(&memory.ledger, &work, comparison, &revision, ended)),
        revisions_made: Some(memory.ledger.revisions.clone()),
        causes: Some(causes(&health, &memory.failing.clone().unwrap_or_default())),
        rolled_up: Some(rolled_up),
        extension: Some(extension),
        health: Some(&health),
        revisions: wanted.manifests.all_revisions().to_vec(),
        source_types: wanted.manifests.source_types.clone(),
        operation_state: outcome.state,
        synced: outcome.synced,
        problems,
        controller_namespace: &shared.options.namespace,
    };
    let mut status = compose(&newest, &seen, ended);
    ledger::add_conditions(&memory.ledger, &newest, &mut status, comparison, &health, ended);
    let changes = Changes {
        refresh_heard: refresh.is_some(),
        operation_taken: outcome.operation_taken,
        finalizers: delete_hooks::wanted_finalizers(&newest, comparison),
    };
    write(shared, &newest, &status, &changes).await?;
    health_step::remember(&work, memory, comparison, health, outcome.held);
    Ok([again, memory.ledger.again()].into_iter().flatten().min())
}

async fn begin<'a>(
    shared: &'a Shared,
    app: Arc<Application>,
    name: &'a ObjectName,
    memory: &Memory,
    now: Time,
) -> Result<Work<'a>, Problem> {
    let destination = validate(shared, &app)?;
    let cluster = clusters::cluster(shared, &destination).await?;
    let recall = Arc::clone(&memory.recall);
    let work = Work { shared, app, name, destination, cluster, now, recall };
    impersonation::begin(&work);
    Ok(work)
}

/// The operation may have been stored in the meantime: what was seen is laid over the newest state.
fn newest(work: &Work<'_>) -> Arc<Application> {
    let stored = work.shared.store.application(work.name).and_then(|stored| stored.application.ok());
    stored.unwrap_or_else(|| Arc::clone(&work.app))
}

/// Writes status; a conflict or a lost connection is a problem that passes.
pub(super) async fn write(
    shared: &Shared,
    app: &Application,
    status: &ApplicationStatus,
    changes: &Changes,
) -> Result<(), Problem> {
    publish(shared, app, status, changes).await.map_err(|error| {
        let message = format!("the status of {} could not be written: {error}", app.name());
        Problem::retry(Stage::Sync, Cause::DestinationUnreachable, message)
    })
}

fn freshness(shared: &Shared, memory: &mut Memory, refresh: bool) -> Freshness {
    let refresh = std::mem::take(&mut memory.ask_git) || refresh;
    let due = memory.poll_at.is_some_and(|at| at <= Instant::now());
    if refresh {
        Freshness::Now
    } else if due {
        Freshness::Within(shared.store.argocd_cm().poll_interval / 2)
    } else {
        Freshness::Within(Duration::from_secs(3600))
    }
}
