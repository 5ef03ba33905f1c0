//! What was foreseen, kept once per state of the world.
//!
//! The key of the cache: what is applied, what is there (without status), and who owns which fields. A prediction is
//! good as long as none of these changes; a hard refresh drops all, and [`super::epoch`] what depends on a schema or a
//! webhook that changed. A refusal stands for seconds only: a quota, a webhook
//! or a right may be mended without any change of the object. One change does not count: annotations in which
//! Kubernetes' own controllers keep their books, such as the revision of a Deployment, where Git says nothing of them.
//! They are written after each apply, and asking again would double the requests of a sync.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::diff::is_book;
use crate::flow::{OwnershipChange, Prediction};
use crate::object::{GroupKind, Manifest, ResourceKey};

use super::WatchedObject;
use super::store::{Stored, content_hash};

/// How long a refusal spares the steps of one sync from asking again. Shorter than any wait before a retry.
const REFUSAL_STANDS: Duration = Duration::from_millis(500);

/// What a prediction was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Premise {
    applied: u64,
    content: u64,
    ownership: u64,
}

#[derive(Clone)]
enum Kept {
    /// The apply changes nothing. With the hash of what is there, without the books of Kubernetes' controllers.
    Unchanged(u64),
    /// The apply gives this.
    Changed(Foreseen),
    /// The apply is refused, or was then.
    Refused(Foreseen, Instant),
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
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, foreseen) = kept.get_mut(&applied.key())?;
        if *known != premise {
            let same = known.applied == premise.applied
                && known.content != premise.content
                && matches!(foreseen, Kept::Unchanged(rest) if *rest == without_books(applied, body.body()));
            if !same {
                return None;
            }
            *known = premise;
        }
        match foreseen {
            Kept::Unchanged(_) => Some(Foreseen {
                prediction: Prediction::Object(Arc::clone(body)),
                ownership: OwnershipChange::default(),
                owners: None,
            }),
            Kept::Changed(foreseen) => Some(foreseen.clone()),
            Kept::Refused(foreseen, at) => (at.elapsed() < REFUSAL_STANDS).then(|| foreseen.clone()),
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
        let plain = foreseen.ownership.is_none() && foreseen.owners.is_none();
        let kept = match &foreseen.prediction {
            Prediction::Object(object) if plain && content_hash(object.body()) == live.content => {
                Kept::Unchanged(without_books(applied, object.body()))
            }
            Prediction::Object(_) => Kept::Changed(foreseen.clone()),
            Prediction::Refused(_) => Kept::Refused(foreseen.clone(), Instant::now()),
        };
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(applied.key(), (premise, kept));
    }

    /// The answer to an apply is what the next apply of the same would give.
    pub(super) fn seed(&self, applied: &Manifest, answer: &WatchedObject) {
        let premise = Premise::of(applied, content_hash(&answer.body), answer.ownership);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(applied.key(), (premise, Kept::Unchanged(without_books(applied, &answer.body))));
    }

    /// Forgets what is known of one kind.
    pub(super) fn forget(&self, kind: &GroupKind) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|key, _| key.group_kind() != *kind);
    }

    pub(super) fn clear(&self) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Hash of an object without the annotations in which Kubernetes' own controllers keep their books, unless Git sets
/// them. What kubectl writes counts: it tells that somebody applied the object.
fn without_books(applied: &Manifest, body: &Value) -> u64 {
    let is_book = |key: &str| is_book(key) && applied.annotation(key).is_none();
    let found = body.pointer("/metadata/annotations").and_then(Value::as_object);
    if !found.is_some_and(|annotations| annotations.keys().any(|key| is_book(key))) {
        return content_hash(body);
    }
    let mut rest = body.clone();
    let metadata = rest.get_mut("metadata").and_then(Value::as_object_mut);
    if let Some(metadata) = metadata
        && let Some(Value::Object(annotations)) = metadata.get_mut("annotations")
    {
        annotations.retain(|key, _| !is_book(key));
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
    }
    content_hash(&rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hash(annotations: Value) -> u64 {
        let body = |annotations: Value| {
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 1},
                   "metadata": {"name": "d", "annotations": annotations}})
        };
        let desired = Manifest::new(body(json!({"a": "b", "set.kubernetes.io/by-git": "1"}))).unwrap();
        without_books(&desired, &body(annotations))
    }

    #[test]
    fn books_of_controllers_do_not_count_unless_git_keeps_them() {
        let plain = hash(json!({"a": "b"}));
        assert_eq!(plain, hash(json!({"a": "b", "deployment.kubernetes.io/revision": "2"})));
        assert_ne!(plain, hash(json!({"a": "b", "set.kubernetes.io/by-git": "2"})));
        assert_ne!(plain, hash(json!({"a": "b", "kubectl.kubernetes.io/last-applied-configuration": "{}"})));
        assert_ne!(plain, hash(json!({"a": "b", "sidecar.example.com/inject": "true"})));
        assert_ne!(plain, hash(json!({})));
    }
}
