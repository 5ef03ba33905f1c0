//! What was foreseen, kept once per state of the world.
//!
//! The key of the cache: what is applied, what is there (without status), and who owns which fields. A prediction is
//! good as long as none of these changes; a hard refresh drops all.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::flow::{OwnershipChange, Prediction};
use crate::object::{Manifest, ResourceKey};

use super::WatchedObject;
use super::store::{Stored, content_hash};

/// What a prediction was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Premise {
    applied: u64,
    content: u64,
    ownership: u64,
}

#[derive(Clone)]
enum Kept {
    /// The apply changes nothing.
    Unchanged,
    /// The apply gives this.
    Changed(Foreseen),
}

/// What an apply would do.
#[derive(Clone, Debug)]
pub(super) struct Foreseen {
    /// What it would make of the object.
    pub(super) prediction: Prediction,
    /// What it does to ownership first.
    pub(super) ownership: OwnershipChange,
    /// `managedFields` of the live object, where they were asked for.
    pub(super) owners: Option<Arc<Vec<Value>>>,
}

/// Predictions by object.
#[derive(Default)]
pub(super) struct Predictions {
    kept: Mutex<HashMap<ResourceKey, (Premise, Kept)>>,
}

impl Premise {
    fn of(applied: &Manifest, content: u64, ownership: u64) -> Self {
        let mut hasher = DefaultHasher::new();
        applied.body().to_string().hash(&mut hasher);
        Self { applied: hasher.finish(), content, ownership }
    }
}

impl Predictions {
    /// What is known without a request.
    pub(super) fn get(&self, applied: &Manifest, live: &Stored, body: &Arc<Manifest>) -> Option<Foreseen> {
        let premise = Premise::of(applied, live.content, live.ownership);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.get(&applied.key()).filter(|(known, _)| *known == premise)? {
            (_, Kept::Unchanged) => Some(Foreseen {
                prediction: Prediction::Object(Arc::clone(body)),
                ownership: OwnershipChange::default(),
                owners: None,
            }),
            (_, Kept::Changed(foreseen)) => Some(foreseen.clone()),
        }
    }

    /// The owners of the fields of an object, where they were asked for in its present state.
    pub(super) fn owners(&self, key: &ResourceKey, live: &Stored) -> Option<Arc<Vec<Value>>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.get(key)? {
            (premise, Kept::Changed(foreseen)) if premise.ownership == live.ownership => {
                foreseen.owners.clone()
            }
            _ => None,
        }
    }

    pub(super) fn put(&self, applied: &Manifest, live: &Stored, foreseen: &Foreseen) {
        let premise = Premise::of(applied, live.content, live.ownership);
        let unchanged = matches!(&foreseen.prediction, Prediction::Object(object)
            if content_hash(object.body()) == live.content);
        let kept = if unchanged && foreseen.ownership.is_none() && foreseen.owners.is_none() {
            Kept::Unchanged
        } else {
            Kept::Changed(foreseen.clone())
        };
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(applied.key(), (premise, kept));
    }

    /// The answer to an apply is what the next apply of the same would give.
    pub(super) fn seed(&self, applied: &Manifest, answer: &WatchedObject) {
        let premise = Premise::of(applied, content_hash(&answer.body), answer.ownership);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(applied.key(), (premise, Kept::Unchanged));
    }

    pub(super) fn clear(&self) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
