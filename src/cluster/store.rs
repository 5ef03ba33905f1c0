//! What is kept of the objects of one kind.
//!
//! Objects that are tracked, and those that somebody asked for by name, are kept as compressed JSON. Of all others
//! only a hash of the name stays, so that "it is not there" can be said without a request.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;

use crate::diff::FieldManagers;
use crate::object::Manifest;

use super::{TrackedBy, WatchedObject};

/// Namespace and name.
type Name = (String, String);

/// Hooks that are gone of which the last state is kept.
const MOST_DEPARTED: usize = 500;

/// One object that is kept.
#[derive(Debug)]
pub(super) struct Stored {
    compressed: Box<[u8]>,
    version: u64,
    instance: Option<Arc<str>>,
    /// Hash of everything but status and resourceVersion.
    pub(super) content: u64,
    /// Hash of who owns which fields.
    pub(super) ownership: u64,
    /// Who owns fields of it.
    pub(super) managers: FieldManagers,
}

impl Stored {
    fn of(object: &WatchedObject, tracked_by: &TrackedBy) -> Self {
        let text = object.body.to_string();
        Self {
            compressed: lz4_flex::compress_prepend_size(text.as_bytes()).into_boxed_slice(),
            version: object.version_number(),
            instance: tracked_by.instance_of(&object.body),
            content: content_hash(&object.body),
            ownership: object.ownership,
            managers: object.managers.clone(),
        }
    }

    /// The object. Nothing where it cannot be read back, which does not happen to what was written here.
    pub(super) fn manifest(&self) -> Option<Arc<Manifest>> {
        let text = lz4_flex::decompress_size_prepended(&self.compressed).ok()?;
        let body: Value = serde_json::from_slice(&text).ok()?;
        Manifest::new(body).ok().map(Arc::new)
    }
}

/// Hash of what a prediction depends on.
pub(super) fn content_hash(body: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (name, field) in body.as_object().into_iter().flatten() {
        match name.as_str() {
            "status" => {}
            "metadata" => {
                for (name, field) in field.as_object().into_iter().flatten() {
                    if !matches!(name.as_str(), "resourceVersion" | "generation") {
                        (name, field.to_string()).hash(&mut hasher);
                    }
                }
            }
            _ => (name, field.to_string()).hash(&mut hasher),
        }
    }
    hasher.finish()
}

#[derive(Debug, Default)]
struct Objects {
    kept: BTreeMap<Name, Arc<Stored>>,
    /// Tracked objects by instance name.
    by_instance: HashMap<Arc<str>, BTreeSet<Name>>,
    /// Names that somebody asked for; they are kept whoever tracks them.
    wanted: HashSet<Name>,
    /// Hashes of the names of all other objects.
    foreign: HashSet<u64>,
    /// The last state of hooks that are gone.
    departed: HashMap<Name, Arc<Stored>>,
    /// While a list is read: what it held so far.
    listing: Option<HashSet<u64>>,
}

/// The objects of one kind.
#[derive(Debug, Default)]
pub(super) struct Store {
    objects: RwLock<Objects>,
    tracked_by: TrackedBy,
}

/// What is known of one name.
#[derive(Debug)]
pub(super) enum Lookup {
    /// It is kept.
    Kept(Arc<Stored>),
    /// It is there, but was not kept.
    Foreign,
    /// It is not there.
    Absent,
}

fn name_hash(namespace: &str, name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (namespace, name).hash(&mut hasher);
    hasher.finish()
}

impl Store {
    pub(super) fn new(tracked_by: TrackedBy) -> Self {
        Self { objects: RwLock::default(), tracked_by }
    }

    /// Looks a name up, and has it kept from now on.
    pub(super) fn look_up(&self, namespace: &str, name: &str) -> Lookup {
        let key = (namespace.to_owned(), name.to_owned());
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        let found = match objects.kept.get(&key) {
            Some(stored) => Lookup::Kept(Arc::clone(stored)),
            None if objects.foreign.contains(&name_hash(namespace, name)) => Lookup::Foreign,
            None => Lookup::Absent,
        };
        objects.wanted.insert(key);
        found
    }

    /// The instances that have objects here.
    pub(super) fn instances(&self) -> Vec<Arc<str>> {
        let objects = self.objects.read().unwrap_or_else(PoisonError::into_inner);
        objects.by_instance.keys().map(Arc::clone).collect()
    }

    /// How many objects are kept.
    pub(super) fn len(&self) -> usize {
        self.objects.read().unwrap_or_else(PoisonError::into_inner).kept.len()
    }

    /// The objects that are tracked for an instance.
    pub(super) fn tracked(&self, instance: &str) -> Vec<(Name, Arc<Stored>)> {
        let objects = self.objects.read().unwrap_or_else(PoisonError::into_inner);
        let names = objects.by_instance.get(instance).into_iter().flatten();
        names.filter_map(|name| Some((name.clone(), Arc::clone(objects.kept.get(name)?)))).collect()
    }

    /// Takes an object in, unless a newer state of it is there. Gives the instances that it concerns: the one that
    /// tracks it now, and the one that did before.
    pub(super) fn insert(&self, object: WatchedObject, keep: bool) -> Vec<Arc<str>> {
        let key = (object.namespace().to_owned(), object.name().to_owned());
        let hash = name_hash(&key.0, &key.1);
        let stored = Stored::of(&object, &self.tracked_by);
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(listing) = objects.listing.as_mut() {
            listing.insert(hash);
        }
        if keep {
            objects.wanted.insert(key.clone());
        }
        let before = objects.kept.get(&key).map(Arc::clone);
        if before.as_ref().is_some_and(|before| before.version >= stored.version && stored.version > 0) {
            return Vec::new();
        }
        let mut concerned: Vec<Arc<str>> =
            [before.as_ref().and_then(|before| before.instance.clone()), stored.instance.clone()]
                .into_iter()
                .flatten()
                .collect();
        concerned.dedup();
        objects.forget_instance(&key);
        if stored.instance.is_none() && !objects.wanted.contains(&key) {
            objects.kept.remove(&key);
            objects.foreign.insert(hash);
            return concerned;
        }
        objects.foreign.remove(&hash);
        if let Some(instance) = &stored.instance {
            objects.by_instance.entry(Arc::clone(instance)).or_default().insert(key.clone());
        }
        objects.kept.insert(key, Arc::new(stored));
        concerned
    }

    /// Keeps the last state of a hook that is gone: a Job that Kubernetes deletes when it has finished
    /// (`ttlSecondsAfterFinished`) may be gone before anybody has seen how it ended.
    pub(super) fn depart(&self, hook: &WatchedObject) {
        let key = (hook.namespace().to_owned(), hook.name().to_owned());
        let stored = Arc::new(Stored::of(hook, &self.tracked_by));
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        if objects.departed.len() >= MOST_DEPARTED {
            objects.departed.clear();
        }
        objects.departed.insert(key, stored);
    }

    /// The hooks of an instance that are gone.
    pub(super) fn departed(&self, instance: &str) -> Vec<(Name, Arc<Stored>)> {
        let objects = self.objects.read().unwrap_or_else(PoisonError::into_inner);
        let of = |stored: &Arc<Stored>| stored.instance.as_deref() == Some(instance);
        let found = objects.departed.iter().filter(|(_, stored)| of(stored));
        found.map(|(name, stored)| (name.clone(), Arc::clone(stored))).collect()
    }

    /// Takes an object out. Gives the instance that tracked it.
    pub(super) fn remove(&self, namespace: &str, name: &str) -> Option<Arc<str>> {
        let key = (namespace.to_owned(), name.to_owned());
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        objects.departed.remove(&key);
        objects.foreign.remove(&name_hash(namespace, name));
        objects.forget_instance(&key);
        objects.kept.remove(&key)?.instance.clone()
    }

    /// A new list begins: what it does not hold is gone when it ends.
    pub(super) fn begin_list(&self) {
        self.objects.write().unwrap_or_else(PoisonError::into_inner).listing = Some(HashSet::new());
    }

    /// The list is complete. Gives the names and instances of tracked objects that it no longer holds.
    pub(super) fn end_list(&self) -> Vec<(Name, Arc<str>)> {
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        let Some(listed) = objects.listing.take() else { return Vec::new() };
        objects.foreign.retain(|hash| listed.contains(hash));
        let gone: Vec<Name> =
            objects.kept.keys().filter(|key| !listed.contains(&name_hash(&key.0, &key.1))).cloned().collect();
        let mut told = Vec::new();
        for key in gone {
            objects.forget_instance(&key);
            if let Some(instance) = objects.kept.remove(&key).and_then(|stored| stored.instance.clone()) {
                told.push((key, instance));
            }
        }
        told
    }
}

impl Objects {
    fn forget_instance(&mut self, key: &Name) {
        let Some(instance) = self.kept.get(key).and_then(|stored| stored.instance.clone()) else { return };
        if let Some(names) = self.by_instance.get_mut(&instance) {
            names.remove(key);
            if names.is_empty() {
                self.by_instance.remove(&instance);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::annotations::TRACKING_ID;

    fn object(name: &str, version: u64, tracking: Option<&str>) -> WatchedObject {
        let annotation =
            tracking.map(|id| format!(r#""annotations":{{"{TRACKING_ID}":"{id}"}},"#)).unwrap_or_default();
        let text = format!(
            r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{{annotation}"name":"{name}","namespace":"n",
            "resourceVersion":"{version}"}}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_copied_tracking_id_tracks_nothing() {
        let store = Store::default();
        store.insert(object("a", 1, Some("app:/ConfigMap:n/a")), false);
        store.insert(object("copy", 2, Some("app:/ConfigMap:n/a")), false);
        store.insert(object("elsewhere", 3, Some("app:/ConfigMap:other/elsewhere")), false);
        let tracked: Vec<String> = store.tracked("app").into_iter().map(|(name, _)| name.1).collect();
        assert_eq!(tracked, ["a"]);
    }

    #[test]
    fn an_older_state_does_not_replace_a_newer_one_and_a_list_drops_what_is_gone() {
        let store = Store::default();
        store.insert(object("a", 5, Some("app:/ConfigMap:n/a")), false);
        assert!(store.insert(object("a", 4, None), false).is_empty());
        assert_eq!(store.tracked("app").len(), 1);
        store.begin_list();
        store.insert(object("b", 6, None), false);
        let gone = store.end_list();
        assert_eq!(gone, [(("n".to_owned(), "a".to_owned()), Arc::from("app"))]);
        assert!(matches!(store.look_up("n", "b"), Lookup::Foreign));
        assert!(matches!(store.look_up("n", "a"), Lookup::Absent));
    }
}
