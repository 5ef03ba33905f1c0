//! The drift ledger and the makers of revisions, read before anything is put right and written with the status.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;

use crate::api::annotations::FIELD_MANAGER;
use crate::api::{
    Application, ApplicationSource, ApplicationStatus, DriftEntry, HealthCode, Operation, RevisionNote,
    SyncCode, SyncOperationResource, SyncOperationResult, Time,
};
use crate::explain::{self, Evidence, explain, last_writer, writers_of};
use crate::flow::{Comparison, HealthStatus, Revision, RevisionKind};
use crate::object::ResourceKey;
use crate::status::{Drift, Fight, FightLimits, drifts, fights, is_open, record, set_note};

use super::access::access_to;
use super::reconcile::Work;

/// Objects whose field owners are read in one reconcile.
const MOST_OWNERS: usize = 8;
/// Makers of revisions that are kept besides those of the history.
const MOST_REVISIONS: usize = 12;
/// The longest subject and author, in characters.
const LONGEST: usize = 120;

/// The condition of a fight.
const FIGHT: &str = "FieldFightWarning";

/// What one reconcile knows of drift.
#[derive(Default)]
pub(super) struct Ledger {
    /// The entries with what drifts now.
    pub(super) entries: Vec<DriftEntry>,
    /// Who made the revisions.
    pub(super) revisions: Vec<RevisionNote>,
    fights: Vec<Fight>,
}

impl Ledger {
    /// What self-heal may do: nothing of objects over which somebody fights. Gives the operation without them, or how
    /// long to wait where nothing else is left.
    pub(super) fn restrain(&self, mut operation: Operation) -> Result<Operation, Duration> {
        let Some(sync) = operation.sync.as_mut().filter(|sync| !sync.resources.is_empty()) else {
            return Ok(operation);
        };
        let fought = |one: &SyncOperationResource| {
            let key = ResourceKey::new(&one.group, &one.kind, &one.namespace, &one.name);
            self.fights.iter().find(|fight| fight.key == key && !fight.pause.is_zero())
        };
        let pause = sync.resources.iter().filter_map(fought).map(|fight| fight.pause).min();
        sync.resources.retain(|one| fought(one).is_none());
        match pause {
            Some(pause) if sync.resources.is_empty() => Err(pause),
            _ => Ok(operation),
        }
    }

    /// When to look again because of a fight.
    pub(super) fn again(&self) -> Option<Duration> {
        self.fights.iter().map(|fight| fight.pause.max(Duration::from_secs(1))).min()
    }
}

/// Looks for drift. The owners of fields are read now: what puts them right takes them over.
pub(super) async fn note(work: &Work<'_>, comparison: &Comparison, revision: &str) -> Ledger {
    let before = &work.app.status;
    let mut open = drifts(before, comparison, revision);
    name_writers(work, comparison, &mut open).await;
    let entries = record(&before.tiphys.drift, &open, work.now);
    let settings = work.shared.store.argocd_cm();
    let limits = FightLimits { times: settings.fight_alternations, window: settings.fight_window };
    let fights = fights(&entries, limits, work.now);
    Ledger { fights, entries, revisions: before.tiphys.revisions.clone() }
}

/// Closes what has been put right since.
pub(super) fn healed(
    ledger: &Ledger,
    work: &Work<'_>,
    comparison: &Comparison,
    revision: &str,
    now: Time,
) -> Vec<DriftEntry> {
    if ledger.entries.iter().all(|entry| entry.healed.is_some()) {
        return ledger.entries.clone();
    }
    // Entries that are open make their objects drift, whatever the status said before.
    let mut before = work.app.status.clone();
    before.tiphys.drift.clone_from(&ledger.entries);
    let open: Vec<Drift> = drifts(&before, comparison, revision)
        .into_iter()
        .filter(|drift| is_open(&ledger.entries, drift))
        .collect();
    record(&ledger.entries, &open, now)
}

async fn name_writers(work: &Work<'_>, comparison: &Comparison, open: &mut [Drift]) {
    let known = &work.app.status.tiphys.drift;
    let fresh: BTreeSet<ResourceKey> = open
        .iter()
        .filter(|drift| !drift.field.is_empty() && !is_open(known, drift))
        .map(|drift| drift.key.clone())
        .take(MOST_OWNERS)
        .collect();
    let asked = fresh.iter().map(|key| async move {
        let one = comparison.resources.iter().find(|one| one.key == *key)?;
        let live = one.live.as_ref()?;
        Some((key, Arc::clone(live), work.cluster.managed_fields(&live.gvk(), key).await?))
    });
    let answers: Vec<_> = join_all(asked).await.into_iter().flatten().collect();
    for drift in open {
        let Some((_, live, entries)) = answers.iter().find(|(key, _, _)| **key == drift.key) else {
            continue;
        };
        let owner = writers_of(entries, live.body(), &drift.field).into_iter().next();
        let writer = owner.or_else(|| last_writer(entries, FIELD_MANAGER));
        drift.manager = writer.map(|writer| writer.manager).unwrap_or_default();
    }
}

/// Notes who made the revisions of an operation's sources.
pub(super) async fn note_revisions(work: &Work<'_>, ledger: &mut Ledger, result: &SyncOperationResult) {
    let several = result.sources.iter().zip(&result.revisions);
    let all: Vec<_> = match result.sources.is_empty() {
        true => vec![(&result.source, &result.revision)],
        false => several.collect(),
    };
    for (source, id) in all.iter().filter(|(source, _)| source.chart.is_empty()) {
        note_revision(work, ledger, source, id).await;
    }
    let used = |note: &RevisionNote| {
        all.iter().any(|(_, id)| **id == note.revision)
            || work
                .app
                .status
                .history
                .iter()
                .any(|entry| entry.revision == note.revision || entry.revisions.contains(&note.revision))
    };
    ledger.revisions.retain(used);
    let surplus = ledger.revisions.len().saturating_sub(MOST_REVISIONS);
    ledger.revisions.drain(..surplus);
}

/// Notes who made a revision, asked of the mirror once.
async fn note_revision(work: &Work<'_>, ledger: &mut Ledger, source: &ApplicationSource, id: &str) {
    let is_commit = id.len() == 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_commit || ledger.revisions.iter().any(|known| known.revision == id) {
        return;
    }
    let Ok(access) = access_to(&work.shared.store, &source.repo_url) else { return };
    let revision = Revision {
        kind: RevisionKind::Commit,
        id: id.to_owned(),
        requested: String::new(),
        reference: None,
        digest: None,
    };
    let Ok(info) = work.shared.sources.commit_info(&access, &revision).await else { return };
    let short = |text: &str| text.chars().take(LONGEST).collect::<String>();
    ledger.revisions.push(RevisionNote {
        revision: id.to_owned(),
        author: short(&info.author),
        date: jiff::Timestamp::from_second(info.date).ok().map(Time::new),
        subject: short(info.subject()),
    });
}

/// The conditions that are ours: fights, and why the application is as it is, in the words of `tiphys explain`.
pub(super) fn add_conditions(
    ledger: &Ledger,
    app: &Application,
    status: &mut ApplicationStatus,
    comparison: &Comparison,
    health: &std::collections::BTreeMap<ResourceKey, HealthStatus>,
    now: Time,
) {
    let messages: Vec<&str> = ledger.fights.iter().map(|fight| fight.message.as_str()).collect();
    set_note(status, FIGHT, (!messages.is_empty()).then(|| messages.join("\n")), now);
    let fine = status.sync.status == SyncCode::Synced && status.health.status == Some(HealthCode::Healthy);
    let summary = if fine { None } else { summary(app, status, comparison, health) };
    set_note(status, explain::CONDITION, summary, now);
}

fn summary(
    app: &Application,
    status: &ApplicationStatus,
    comparison: &Comparison,
    health: &std::collections::BTreeMap<ResourceKey, HealthStatus>,
) -> Option<String> {
    let app = Application { status: status.clone(), ..app.clone() };
    let nothing = Default::default();
    let mut explanation = explain(&Evidence {
        no_controller: None,
        app: &app,
        problem: None,
        revision: &status.sync.revision,
        comparison: Some(comparison),
        rolled_up: status.health.status,
        health,
        managed_fields: &nothing,
        pods: &Default::default(),
        events: &[],
        endpoints: &Default::default(),
    });
    // What another condition says already is not said twice.
    let told = |message: &str| {
        status.conditions.iter().any(|one| {
            one.kind.as_str() != explain::CONDITION
                && (one.message.contains(message) || message.contains(&one.message))
        })
    };
    explanation.causes.retain(|cause| !told(&cause.message));
    explanation.summary()
}
