//! Renders that were made, with everything that they depended on.
//!
//! A render is taken again where the source, its options and the destination's facts are the same, and nothing of what
//! it read has changed: files of its tree, files of other sources, remote bases, charts. What was not used for longest
//! goes when there is too much; then it is rendered again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::api::{ApplicationSource, SourceType};
use crate::flow::{ObjectName, ReadSet};
use crate::object::Manifest;
use crate::render::{Need, RenderContext, Seen};

/// Renders that one premise keeps: revisions that an application goes back and forth between.
const MOST_PER_PREMISE: usize = 3;
/// Bytes of renders that are kept, estimated.
const MOST_BYTES: usize = 512 << 20;
/// An object takes about this many times the bytes of its JSON.
const OBJECT_FACTOR: usize = 4;

/// What one source came to.
#[derive(Clone, Debug)]
pub(super) struct Rendering {
    pub(super) objects: Vec<Arc<Manifest>>,
    pub(super) source_type: SourceType,
    pub(super) warnings: Vec<String>,
}

/// A render, and what it depended on besides its premise.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) read: ReadSet,
    pub(super) needs: Vec<(Need, Seen)>,
    /// Revision and target revision, where the text came to depend on them.
    pub(super) told: Option<(String, String)>,
    pub(super) rendering: Rendering,
}

/// What a render depends on besides what it reads, as a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Premise([u8; 32]);

impl Premise {
    /// The premise of a source. Revision and target revision are not part of it: what they come to is read.
    pub(super) fn new(owner: &ObjectName, source: &ApplicationSource, context: &RenderContext) -> Self {
        let plain = ApplicationSource {
            target_revision: String::new(),
            reference: String::new(),
            name: String::new(),
            ..source.clone()
        };
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        add(&owner.to_string());
        add(&serde_json::to_string(&plain).unwrap_or_default());
        let texts = [
            &context.application,
            &context.instance,
            &context.project,
            &context.namespace,
            &context.kube_version,
            &context.kustomize_build_options,
        ];
        texts.into_iter().for_each(|text| add(text));
        add(&serde_json::to_string(&context.api_versions).unwrap_or_default());
        add(&serde_json::to_string(&context.values_file_schemes).unwrap_or_default());
        add(&serde_json::to_string(&context.refs).unwrap_or_default());
        Self(hash.finalize().into())
    }
}

/// The renders. Shared by all applications.
#[derive(Debug)]
pub(super) struct RenderCache {
    inner: Mutex<Inner>,
    most: usize,
}

#[derive(Debug, Default)]
struct Inner {
    known: HashMap<Premise, Slot>,
    bytes: usize,
    clock: u64,
}

#[derive(Debug)]
struct Slot {
    owner: ObjectName,
    used: u64,
    /// The newest first, each with its size.
    renders: Vec<(Arc<Kept>, usize)>,
}

impl Slot {
    fn bytes(&self) -> usize {
        self.renders.iter().map(|(_, bytes)| bytes).sum()
    }
}

impl Default for RenderCache {
    fn default() -> Self {
        Self::with_limit(MOST_BYTES)
    }
}

impl RenderCache {
    pub(super) fn with_limit(bytes: usize) -> Self {
        Self { inner: Mutex::default(), most: bytes }
    }

    /// The renders of a premise, the newest first. Whether they still hold is for the caller to see.
    pub(super) fn get(&self, premise: &Premise) -> Vec<Arc<Kept>> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.clock += 1;
        let now = inner.clock;
        let Some(slot) = inner.known.get_mut(premise) else { return Vec::new() };
        slot.used = now;
        slot.renders.iter().map(|(kept, _)| Arc::clone(kept)).collect()
    }

    pub(super) fn put(&self, premise: Premise, owner: &ObjectName, kept: Arc<Kept>) {
        let size = size_of(&kept);
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.clock += 1;
        let used = inner.clock;
        let empty = || Slot { owner: owner.clone(), used, renders: Vec::new() };
        let slot = inner.known.entry(premise).or_insert_with(empty);
        let before = slot.bytes();
        slot.used = used;
        slot.renders.insert(0, (kept, size));
        slot.renders.truncate(MOST_PER_PREMISE);
        let after = slot.bytes();
        inner.bytes = (inner.bytes + after).saturating_sub(before);
        while inner.bytes > self.most {
            let oldest = inner.known.iter().min_by_key(|(_, slot)| slot.used).map(|(premise, _)| *premise);
            let Some(gone) = oldest.and_then(|premise| inner.known.remove(&premise)) else { break };
            inner.bytes = inner.bytes.saturating_sub(gone.bytes());
        }
    }

    /// Forgets the renders of an application: a hard refresh, or it is gone.
    pub(super) fn forget(&self, owner: &ObjectName) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.known.retain(|_, slot| slot.owner != *owner);
        inner.bytes = inner.known.values().map(Slot::bytes).sum();
    }
}

/// Counts what is written.
#[derive(Default)]
struct Counter(usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn size_of(kept: &Kept) -> usize {
    let mut counter = Counter::default();
    for object in &kept.rendering.objects {
        // Writing to a counter cannot fail.
        let _ = serde_json::to_writer(&mut counter, object.body());
    }
    let paths = |read: &ReadSet| read.len() * 200;
    let needs = kept.needs.iter().map(|(_, seen)| match seen {
        Seen::Tree(read) => paths(read),
        Seen::File(content) => content.len(),
        Seen::Nothing(why) => why.len(),
    });
    counter.0.saturating_mul(OBJECT_FACTOR) + paths(&kept.read) + needs.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kept(text: &str) -> Arc<Kept> {
        let body =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": text}});
        let rendering = Rendering {
            objects: vec![Arc::new(Manifest::new(body).unwrap())],
            source_type: SourceType::Directory,
            warnings: Vec::new(),
        };
        Arc::new(Kept { read: ReadSet::default(), needs: Vec::new(), told: None, rendering })
    }

    fn premise(name: &str) -> Premise {
        let context = RenderContext { application: name.into(), ..RenderContext::default() };
        Premise::new(&ObjectName::new("n", name), &ApplicationSource::default(), &context)
    }

    #[test]
    fn what_was_not_used_for_longest_goes() {
        let one = size_of(&kept("x"));
        let cache = RenderCache::with_limit(one * 2);
        let owner = |name: &str| ObjectName::new("n", name);
        cache.put(premise("a"), &owner("a"), kept("x"));
        cache.put(premise("b"), &owner("b"), kept("x"));
        assert_eq!(cache.get(&premise("a")).len(), 1);
        cache.put(premise("c"), &owner("c"), kept("x"));
        assert_eq!(cache.get(&premise("b")).len(), 0, "a was used after b");
        assert_eq!(cache.get(&premise("a")).len(), 1);
        cache.forget(&owner("a"));
        assert_eq!(cache.get(&premise("a")).len(), 0);
        assert_eq!(cache.inner.lock().unwrap().bytes, one);
    }

    #[test]
    fn a_premise_keeps_a_few_revisions() {
        let cache = RenderCache::default();
        for round in 0..10 {
            cache.put(premise("a"), &ObjectName::new("n", "a"), kept(&round.to_string()));
        }
        let found = cache.get(&premise("a"));
        assert_eq!(found.len(), MOST_PER_PREMISE);
        assert_eq!(found[0].rendering.objects[0].body()["data"]["a"], "9", "the newest first");
    }

    #[test]
    fn every_input_is_part_of_the_premise() {
        let base_source: ApplicationSource =
            serde_json::from_value(json!({"repoURL": "u", "path": "p", "targetRevision": "main"})).unwrap();
        let context = RenderContext::default();
        let owner = ObjectName::new("n", "a");
        let base = Premise::new(&owner, &base_source, &context);
        let sources = [
            json!({"repoURL": "v", "path": "p"}),
            json!({"repoURL": "u", "path": "q"}),
            json!({"repoURL": "u", "path": "p", "helm": {"values": "a: 1"}}),
            json!({"repoURL": "u", "path": "p", "kustomize": {"images": ["a:1"]}}),
            json!({"repoURL": "u", "path": "p", "directory": {"recurse": true}}),
            json!({"repoURL": "u", "chart": "p"}),
        ];
        for source in sources {
            let other: ApplicationSource = serde_json::from_value(source.clone()).unwrap();
            assert_ne!(Premise::new(&owner, &other, &context), base, "{source}");
        }
        let same: ApplicationSource =
            serde_json::from_value(json!({"repoURL": "u", "path": "p", "targetRevision": "dev"})).unwrap();
        assert_eq!(Premise::new(&owner, &same, &context), base, "what a revision comes to is read");
        let text = |text: &str| text.to_owned();
        let contexts = [
            RenderContext { application: text("x"), ..context.clone() },
            RenderContext { instance: text("x"), ..context.clone() },
            RenderContext { project: text("x"), ..context.clone() },
            RenderContext { namespace: text("x"), ..context.clone() },
            RenderContext { kube_version: text("x"), ..context.clone() },
            RenderContext { kustomize_build_options: text("x"), ..context.clone() },
            RenderContext { api_versions: vec![text("x")], ..context.clone() },
            RenderContext { values_file_schemes: vec![text("x")], ..context.clone() },
            RenderContext { refs: Some(vec![text("x")]), ..context.clone() },
        ];
        for other in contexts {
            assert_ne!(Premise::new(&owner, &base_source, &other), base, "{other:?}");
        }
        assert_ne!(Premise::new(&ObjectName::new("m", "a"), &base_source, &context), base);
    }
}
