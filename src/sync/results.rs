//! What became of the tasks of a sync so far.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::api::{OperationPhase, ResourceResult, SyncPhase};
use crate::object::ResourceKey;

/// Results by phase and object; from and to `operationState.syncResult.resources`. Each step of a sync looks for all of
/// its tasks here.
#[derive(Clone, Debug, Default)]
pub struct Results(BTreeMap<SyncPhase, HashMap<ResourceKey, ResourceResult>>);

impl Results {
    /// Whether nothing was done yet.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(HashMap::is_empty)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.values().map(HashMap::len).sum()
    }

    /// The result of an object in a phase.
    pub fn get(&self, phase: SyncPhase, key: &ResourceKey) -> Option<&ResourceResult> {
        self.0.get(&phase)?.get(key)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, phase: SyncPhase, key: &ResourceKey) -> Option<&mut ResourceResult> {
        self.0.get_mut(&phase)?.get_mut(key)
    }

    /// Takes a result in, in the place of the one before.
    pub fn insert(&mut self, phase: SyncPhase, key: ResourceKey, result: ResourceResult) {
        self.0.entry(phase).or_default().insert(key, result);
    }

    /// All of them, in no order.
    pub fn values(&self) -> impl Iterator<Item = &ResourceResult> {
        self.0.values().flat_map(HashMap::values)
    }

    /// The same, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut ResourceResult> {
        self.0.values_mut().flat_map(HashMap::values_mut)
    }

    /// Objects that were written and are waited for.
    pub fn running(&self) -> HashSet<&ResourceKey> {
        let all = self.0.values().flatten();
        all.filter(|(_, result)| result.hook_phase == Some(OperationPhase::Running))
            .map(|(key, _)| key)
            .collect()
    }

    /// All of them by phase and key.
    pub fn in_order(&self) -> Vec<ResourceResult> {
        let phases = self.0.values().flat_map(|results| {
            let mut results: Vec<_> = results.iter().collect();
            results.sort_unstable_by_key(|(key, _)| *key);
            results
        });
        phases.map(|(_, result)| result.clone()).collect()
    }
}

impl FromIterator<(SyncPhase, ResourceKey, ResourceResult)> for Results {
    fn from_iter<I: IntoIterator<Item = (SyncPhase, ResourceKey, ResourceResult)>>(all: I) -> Self {
        let mut results = Self::default();
        for (phase, key, result) in all {
            results.insert(phase, key, result);
        }
        results
    }
}
