//! The drift ledger: what was changed in the cluster, by whom, since when, and when it was put right; and from it,
//! whether two writers fight over a field.
//!
//! A difference is drift where the object was as Git says at the same revision before. A newer commit is not drift.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use crate::api::{ApplicationStatus, DriftEntry, IgnoreDifferences, SyncCode, Time};
use crate::flow::{Comparison, FieldDifference, ResourceComparison};
use crate::object::ResourceKey;

/// Entries that are kept.
const MOST_ENTRIES: usize = 20;
/// Fields of one object that are noted in one go.
const MOST_FIELDS: usize = 5;
/// Times that an entry remembers.
const MOST_TIMES: usize = 10;
/// The longest value, in characters.
const LONGEST_VALUE: usize = 60;

/// One field that drifted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// The object.
    pub key: ResourceKey,
    /// JSON pointer; empty where the object is gone.
    pub field: String,
    /// What is there.
    pub live: String,
    /// What Git says.
    pub desired: String,
    /// Who wrote it, as far as known.
    pub manager: String,
}

/// When alternations of two writers count as a fight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FightLimits {
    /// So many times.
    pub times: usize,
    /// Within this time; self-heal of the object pauses for as long.
    pub window: Duration,
}

/// What differs and is drift, with no manager yet. `before` is the status that was written last.
pub fn drifts(before: &ApplicationStatus, comparison: &Comparison, revision: &str) -> Vec<Drift> {
    let several = before.sync.revisions.join(",");
    let compared = if several.is_empty() { &before.sync.revision } else { &several };
    let same_revision = compared == revision && before.sync.status != SyncCode::Unknown;
    let listed = |key: &ResourceKey| {
        before.resources.iter().find(|one| {
            (&one.group, &one.kind, &one.namespace, &one.name)
                == (&key.group, &key.kind, &key.namespace, &key.name)
        })
    };
    let open: BTreeSet<ResourceKey> =
        before.tiphys.drift.iter().filter(|entry| entry.healed.is_none()).map(key_of).collect();
    let may_be_omitted = before.tiphys.omitted_resources.contains_key(SyncCode::Synced.as_str());
    let was_synced = |key: &ResourceKey| match listed(key) {
        Some(one) => one.status == Some(SyncCode::Synced),
        None => may_be_omitted,
    };
    let mut found = Vec::new();
    for one in comparison.resources.iter().filter(|one| may_drift(one)) {
        if open.contains(&one.key) || (same_revision && was_synced(&one.key)) {
            found.extend(fields(one));
        }
    }
    found
}

fn may_drift(one: &ResourceComparison) -> bool {
    one.status == SyncCode::OutOfSync
        && one.desired.is_some()
        && !one.requires_pruning
        && !one.annotations.is_hook()
        && one.problem.is_none()
}

fn fields(one: &ResourceComparison) -> Vec<Drift> {
    let drift = |field: &str, live: String, desired: String| Drift {
        key: one.key.clone(),
        field: field.to_owned(),
        live,
        desired,
        manager: String::new(),
    };
    if one.live.is_none() {
        return vec![drift("", String::new(), String::new())];
    }
    let of = |field: &FieldDifference| {
        drift(&field.pointer, shown(field.live.as_ref()), shown(field.predicted.as_ref()))
    };
    one.differences.iter().take(MOST_FIELDS).map(of).collect()
}

fn shown(value: Option<&Value>) -> String {
    let text = value.map(Value::to_string).unwrap_or_default();
    if text.chars().count() <= LONGEST_VALUE {
        return text;
    }
    let cut: String = text.chars().take(LONGEST_VALUE).collect();
    format!("{cut}…")
}

/// The object of an entry.
pub fn key_of(entry: &DriftEntry) -> ResourceKey {
    ResourceKey::new(&entry.group, &entry.kind, &entry.namespace, &entry.name)
}

/// Whether an entry is open for this field already.
pub fn is_open(entries: &[DriftEntry], drift: &Drift) -> bool {
    entries
        .iter()
        .any(|entry| entry.healed.is_none() && key_of(entry) == drift.key && entry.field == drift.field)
}

/// The ledger with what drifts now: new entries, entries that happened again, and entries that are healed since.
pub fn record(entries: &[DriftEntry], now_open: &[Drift], now: Time) -> Vec<DriftEntry> {
    let mut ledger = entries.to_vec();
    for entry in ledger.iter_mut().filter(|entry| entry.healed.is_none()) {
        let lasts = now_open.iter().any(|drift| drift.key == key_of(entry) && drift.field == entry.field);
        if !lasts {
            entry.healed = Some(now);
        }
    }
    for drift in now_open {
        if is_open(&ledger, drift) {
            continue;
        }
        let again = ledger.iter().position(|entry| {
            key_of(entry) == drift.key && entry.field == drift.field && entry.manager == drift.manager
        });
        let mut entry = match again {
            Some(index) => ledger.remove(index),
            None => fresh(drift, now),
        };
        entry.live.clone_from(&drift.live);
        entry.desired.clone_from(&drift.desired);
        entry.since = now;
        entry.healed = None;
        entry.times = entry.times.saturating_add(1);
        entry.recent.push(now);
        let surplus = entry.recent.len().saturating_sub(MOST_TIMES);
        entry.recent.drain(..surplus);
        ledger.push(entry);
    }
    while ledger.len() > MOST_ENTRIES {
        let healed = ledger.iter().position(|entry| entry.healed.is_some());
        ledger.remove(healed.unwrap_or(0));
    }
    ledger
}

fn fresh(drift: &Drift, now: Time) -> DriftEntry {
    DriftEntry {
        group: drift.key.group.clone(),
        kind: drift.key.kind.clone(),
        namespace: drift.key.namespace.clone(),
        name: drift.key.name.clone(),
        field: drift.field.clone(),
        live: String::new(),
        desired: String::new(),
        manager: drift.manager.clone(),
        since: now,
        healed: None,
        times: 0,
        recent: Vec::new(),
    }
}

/// A field over which two writers fight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fight {
    /// The object.
    pub key: ResourceKey,
    /// In words: who, over what, and the rule that ends it.
    pub message: String,
    /// How long self-heal keeps away from the object.
    pub pause: Duration,
}

/// The fights that go on at a moment.
pub fn fights(entries: &[DriftEntry], limits: FightLimits, now: Time) -> Vec<Fight> {
    let fight = |entry: &DriftEntry| {
        let within = |time: &&Time| time.seconds_until(now) < limits.window.as_secs();
        let alternations = entry.recent.iter().filter(within).count();
        if limits.times == 0 || alternations < limits.times {
            return None;
        }
        let last = entry.recent.last().copied().unwrap_or(now);
        let passed = Duration::from_secs(last.seconds_until(now));
        Some(Fight {
            key: key_of(entry),
            message: message(entry, limits),
            pause: limits.window.saturating_sub(passed),
        })
    };
    entries.iter().filter_map(fight).collect()
}

/// Without numbers that change while the fight goes on: a condition is written once.
fn message(entry: &DriftEntry, limits: FightLimits) -> String {
    let object = format!("{} {}/{}", entry.kind, entry.namespace, entry.name);
    let window = limits.window.as_secs() / 60;
    let pause = format!(
        "{} times or more within {window} minutes; self-heal now leaves the object alone for {window} minutes at a time",
        limits.times
    );
    if entry.field.is_empty() {
        return format!(
            "{object} is deleted again and again: {pause}. Find who deletes it, or take it out of Git"
        );
    }
    let manager = if entry.manager.is_empty() { "somebody" } else { &entry.manager };
    let rule =
        IgnoreDifferences::of_field(&entry.group, &entry.kind, &entry.namespace, &entry.name, &entry.field);
    format!(
        "{object}: {manager} and this Application overwrite each other's {}: {pause}. If {manager} is to own the field, \
         add to spec.ignoreDifferences:\n{}\nOtherwise keep {manager} from writing it",
        entry.field,
        rule.snippet()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: FightLimits = FightLimits { times: 3, window: Duration::from_secs(600) };

    fn at(second: u64) -> Time {
        format!("2026-11-21T07:{:02}:{:02}Z", second / 60, second % 60).parse().unwrap()
    }

    fn drift(name: &str, manager: &str) -> Drift {
        Drift {
            key: ResourceKey::new("apps", "Deployment", "shop", name),
            field: "/spec/replicas".into(),
            live: "5".into(),
            desired: "2".into(),
            manager: manager.into(),
        }
    }

    #[test]
    fn a_drift_opens_heals_and_comes_again_as_one_entry() {
        let one = [drift("web", "hpa")];
        let open = record(&[], &one, at(1));
        assert_eq!(record(&open, &one, at(5)), open, "nothing is written while it lasts");
        let healed = record(&open, &[], at(9));
        assert_eq!((healed[0].since, healed[0].healed, healed[0].times), (at(1), Some(at(9)), 1));
        let again = record(&healed, &one, at(20));
        assert_eq!((again.len(), again[0].since, again[0].healed, again[0].times), (1, at(20), None, 2));
        let other = record(&healed, &[drift("web", "kubectl-edit")], at(20));
        assert_eq!(other.len(), 2, "another writer is another entry");
    }

    #[test]
    fn the_ledger_is_bounded_and_open_entries_stay() {
        let mut ledger = record(&[], &[drift("open", "x")], at(0));
        for index in 0..40 {
            ledger = record(&ledger, &[drift("open", "x"), drift(&format!("d{index}"), "x")], at(index + 1));
        }
        assert_eq!(ledger.len(), MOST_ENTRIES);
        assert!(ledger.iter().any(|entry| entry.name == "open" && entry.healed.is_none()));
    }

    #[test]
    fn three_alternations_within_the_window_are_a_fight_with_its_rule() {
        let mut ledger = Vec::new();
        for round in 0..3 {
            assert!(fights(&ledger, LIMITS, at(round * 10)).is_empty());
            ledger = record(&ledger, &[drift("web", "hpa")], at(round * 10));
            ledger = record(&ledger, &[], at(round * 10 + 1));
        }
        let found = fights(&ledger, LIMITS, at(60));
        assert_eq!(found[0].pause, Duration::from_secs(560));
        assert_eq!(
            found[0].message,
            "Deployment shop/web: hpa and this Application overwrite each other's /spec/replicas: 3 times or more within \
             10 minutes; self-heal now leaves the object alone for 10 minutes at a time. If hpa is to own the field, add \
             to spec.ignoreDifferences:\n- {group: apps, kind: Deployment, namespace: shop, name: web, jsonPointers: \
             [/spec/replicas]}\nOtherwise keep hpa from writing it"
        );
        assert!(fights(&ledger, LIMITS, at(700)).is_empty(), "it is over");
    }
}
