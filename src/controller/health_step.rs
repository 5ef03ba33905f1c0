//! The health step: what changes of pods and nodes, and the passing of time, mean for the health of an application.
//! Nothing is fetched, rendered or compared for it.
//!
//! It looks again at those objects that were not healthy when the application was last reconciled, and writes the
//! status where something changed. Where more depends on it (an operation can go on, a rollback may be due), or where
//! nothing is remembered, it asks for a reconcile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::api::{Application, ApplicationStatus, HealthCode, SyncCode, Time, annotations};
use crate::cluster::Asks;
use crate::flow::{Comparison, HealthStatus, ObjectName, Problem, Reason};
use crate::health::Member;
use crate::object::ResourceKey;
use crate::status::{causes, with_health};
use crate::sync::asks_for_rollback;

use super::publish::Changes;
use super::reconcile::{Work, write};
use super::validate::validate;
use super::{Memory, Shared, assess, clusters, ledger};

/// Objects that are kept between reconciles, per application; where more are open, health steps are reconciles.
const MOST_OPEN: usize = 200;
/// How soon a status that could not be written is tried again.
const WRITE_AGAIN: Duration = Duration::from_secs(2);

/// What a reconcile saw: of objects that are fine their health alone.
pub(super) struct LastLook {
    /// The objects that are not healthy, or not in sync.
    open: Comparison,
    members: Vec<(ResourceKey, Member)>,
    health: BTreeMap<ResourceKey, HealthStatus>,
    /// Why the capacity gate holds a wave, where it does.
    held: Option<String>,
}

impl LastLook {
    /// What to keep of a reconcile; nothing where that would be too much.
    fn of(
        app: &Application,
        comparison: &Comparison,
        health: BTreeMap<ResourceKey, HealthStatus>,
        held: Option<String>,
    ) -> Option<Self> {
        let resources: Vec<_> = comparison
            .resources
            .iter()
            .filter(|one| {
                let unwell = health.get(&one.key).is_some_and(|health| health.status != HealthCode::Healthy);
                unwell || one.status == SyncCode::OutOfSync
            })
            .take(MOST_OPEN + 1)
            .cloned()
            .collect();
        let open = Comparison { status: comparison.status, resources, problems: comparison.problems.clone() };
        (open.resources.len() <= MOST_OPEN).then(|| Self {
            open,
            members: assess::members(app, comparison),
            health,
            held,
        })
    }
}

/// Keeps what a reconcile saw for the health steps that come before the next one.
pub(super) fn remember(
    work: &Work<'_>,
    memory: &mut Memory,
    comparison: &Comparison,
    health: BTreeMap<ResourceKey, HealthStatus>,
    held: Option<String>,
) {
    plan_next(work, memory, &health);
    memory.last_look = LastLook::of(&work.app, comparison, health, held);
}

/// Looks at the health of one application. Gives after how long to reconcile it, where that is called for.
pub(super) async fn step(shared: &Shared, name: &ObjectName) -> Option<Duration> {
    let app = shared.store.application(name)?.application.ok()?;
    if app.annotation(annotations::SKIP_RECONCILE) == Some("true") {
        return None;
    }
    let memory = shared.memory(name);
    let mut memory = memory.lock().await;
    let look = memory.last_look.take();
    let Some(look) = look.filter(|_| !app.is_deleting() && app.operation.is_none()) else {
        return Some(Duration::ZERO);
    };
    shared.meter.health_looked_at(name, &app.spec.destination.server);
    tracing::debug!(application = %name, stage = "health", open = look.open.resources.len(), "health step");
    let Ok(work) = work(shared, &app, name).await else { return Some(Duration::ZERO) };
    look_again(&work, &mut memory, look).await
}

async fn work<'a>(
    shared: &'a Shared,
    app: &Arc<Application>,
    name: &'a ObjectName,
) -> Result<Work<'a>, Problem> {
    let destination = validate(shared, app)?;
    let cluster = clusters::cluster(shared, &destination).await?;
    let now = Time::new(jiff::Timestamp::now());
    Ok(Work { shared, app: Arc::clone(app), name, destination, cluster, now, recall: Arc::default() })
}

async fn look_again(work: &Work<'_>, memory: &mut Memory, mut look: LastLook) -> Option<Duration> {
    let fresh = assess::assess_all(work, memory, &look.open).await;
    let before = assess::verdict(&look.members, &look.health).0;
    let changed: BTreeMap<ResourceKey, (HealthStatus, HealthStatus)> = fresh
        .into_iter()
        .filter_map(|(key, health)| {
            let before = look.health.insert(key.clone(), health.clone())?;
            (before != health).then_some((key, (before, health)))
        })
        .collect();
    let verdict = assess::verdict(&look.members, &look.health);
    if needs_reconcile(&work.app, &changed, before != verdict.0) {
        return Some(Duration::ZERO);
    }
    plan_next(work, memory, &look.health);
    if !changed.is_empty() {
        let rolled_up = assess::held(verdict, look.held.as_deref());
        let causes = causes(&look.health, &memory.failing.clone().unwrap_or_default());
        let mut status = with_health(&work.app, &changed, rolled_up, causes, work.now);
        let compared = status.reconciled_at;
        ledger::add_conditions(&memory.ledger, &work.app, &mut status, &look.open, &look.health, work.now);
        status.reconciled_at = compared;
        if !told(work, &status).await {
            return Some(WRITE_AGAIN);
        }
    }
    memory.last_look = Some(look);
    None
}

async fn told(work: &Work<'_>, status: &ApplicationStatus) -> bool {
    match write(work.shared, &work.app, status, &Changes::default()).await {
        Ok(()) => true,
        Err(problem) => {
            tracing::warn!(application = %work.name, stage = "health", "{problem}");
            false
        }
    }
}

/// Whether an operation waits for what changed, or a rollback may be due.
fn needs_reconcile(
    app: &Application,
    changed: &BTreeMap<ResourceKey, (HealthStatus, HealthStatus)>,
    verdict_changed: bool,
) -> bool {
    let under_way = app.status.operation_state.as_ref().is_some_and(|state| !state.phase.is_completed());
    let counts =
        |health: &HealthStatus| (health.status, health.reason == Some(Reason::WaitingForFirstConsumer));
    under_way && changed.values().any(|(before, now)| counts(before) != counts(now))
        || verdict_changed && asks_for_rollback(app)
}

/// Asks for a health step when time alone changes something: a limit is over, or a failure begins to count.
fn plan_next(work: &Work<'_>, memory: &Memory, health: &BTreeMap<ResourceKey, HealthStatus>) {
    let now = Time::new(jiff::Timestamp::now());
    let limits = health
        .values()
        .filter(|health| health.status == HealthCode::Progressing)
        .filter_map(|health| health.facts.deadline)
        .filter(|deadline| *deadline >= now)
        // The limit itself still counts as in time.
        .map(|deadline| Duration::from_secs(now.seconds_until(deadline) + 1));
    if let Some(soonest) = limits.chain(memory.failure_counts_in).min() {
        work.shared.queue.ask(work.name, Asks::Health, soonest);
    }
}
