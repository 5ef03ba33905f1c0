//! The causes of objects that are not healthy, as many as a status has room for.

use std::collections::BTreeMap;

use crate::api::{HealthCode, ResourceCause, ResourceShortage, Time};
use crate::flow::{HealthStatus, Shortage};
use crate::object::ResourceKey;

/// So many objects at most have their cause in the status.
const MOST: usize = 50;

/// The causes, worst health first. Objects that are missing have none besides that. `failing` says since when objects
/// fail whose failure does not count yet, or counts since a while; these stay first.
pub fn causes(
    health: &BTreeMap<ResourceKey, HealthStatus>,
    failing: &BTreeMap<ResourceKey, Time>,
) -> Vec<ResourceCause> {
    let mut unwell: Vec<(&ResourceKey, &HealthStatus)> = health
        .iter()
        .filter(|(_, health)| !matches!(health.status, HealthCode::Healthy | HealthCode::Missing))
        .collect();
    unwell.sort_by_key(|(key, health)| (!failing.contains_key(*key), std::cmp::Reverse(health.status)));
    let causes =
        unwell.into_iter().take(MOST).filter_map(|(key, health)| cause(key, health, failing.get(key)));
    causes.collect()
}

fn cause(key: &ResourceKey, health: &HealthStatus, failing: Option<&Time>) -> Option<ResourceCause> {
    let facts = &health.facts;
    Some(ResourceCause {
        group: key.group.clone(),
        kind: key.kind.clone(),
        namespace: key.namespace.clone(),
        name: key.name.clone(),
        reason: health.reason?.as_str().to_owned(),
        since: facts.since,
        deadline: facts.deadline,
        next_probe: facts.next_probe,
        pods: facts.pods.map(whole),
        container: facts.container.clone().unwrap_or_default(),
        shortages: facts.shortages.iter().map(shortage).collect(),
        failing_since: failing.copied(),
    })
}

fn shortage(shortage: &Shortage) -> ResourceShortage {
    ResourceShortage {
        resource: shortage.resource.clone(),
        wanted: whole(shortage.wanted),
        free: shortage.free.map(whole),
        matching_nodes: shortage.matching_nodes.map(whole),
    }
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Since when objects fail, as a status says it: what a controller knows that has just started.
pub fn failing_since(causes: &[ResourceCause]) -> BTreeMap<ResourceKey, Time> {
    let since = causes.iter().filter_map(|cause| {
        let key = ResourceKey::new(&cause.group, &cause.kind, &cause.namespace, &cause.name);
        Some((key, cause.failing_since?))
    });
    since.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{Facts, Reason};

    #[test]
    fn the_worst_come_first_and_failures_read_back() {
        let key = |name: &str| ResourceKey::new("apps", "Deployment", "n", name);
        let waiting = HealthStatus::progressing("x").because(Reason::WaitingForCapacity).with_facts(Facts {
            shortages: vec![Shortage {
                resource: "gpu".into(),
                wanted: 2,
                free: Some(1),
                matching_nodes: None,
            }],
            ..Facts::default()
        });
        let mut health = BTreeMap::from([
            (key("fine"), HealthStatus::healthy("")),
            (key("gone"), HealthStatus::missing()),
            (key("waits"), waiting),
            (key("broken"), HealthStatus::degraded("").because(Reason::CrashLooping)),
        ]);
        let since: Time = "2026-01-01T00:00:00Z".parse().unwrap();
        let failing = BTreeMap::from([(key("waits"), since)]);
        let found = causes(&health, &failing);
        let words: Vec<&str> = found.iter().map(|cause| cause.reason.as_str()).collect();
        assert_eq!(words, ["WaitingForCapacity", "CrashLooping"]);
        assert_eq!(found[0].shortages[0].wanted, 2);
        assert_eq!(failing_since(&found), failing);
        for index in 0..200 {
            health.insert(key(&index.to_string()), HealthStatus::progressing(""));
        }
        let found = causes(&health, &failing);
        assert_eq!((found.len(), found[0].name.as_str(), found[1].name.as_str()), (MOST, "waits", "broken"));
    }
}
