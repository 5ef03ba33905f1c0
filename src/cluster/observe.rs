//! What is known of one target, put together.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use serde_json::Value;

use crate::api::{ResourceAnnotations, Time};
use crate::flow::{Cause, Observation, Problem, Stage, Writing};
use crate::object::{GroupVersionKind, Manifest, ResourceKey, str_at};

use super::foresee::{Asked, is_asked};
use super::kind_watch::KindWatch;
use super::predict::Foreseen;
use super::store::{Lookup, Stored};
use super::tracked::is_still_of;
use super::{Cluster, Foreseeing, KindInfo, Recall, WatchedObject};

/// What to observe.
#[derive(Clone, Copy, Debug)]
pub struct ObserveRequest<'a> {
    /// Objects that the revision wants, with their namespaces set.
    pub desired: &'a [Arc<Manifest>],
    /// Kinds that the application used before, where objects may be left over.
    pub known_kinds: &'a BTreeSet<GroupVersionKind>,
    /// Objects besides, for example the destination's namespace.
    pub also: &'a [(GroupVersionKind, ResourceKey)],
    /// Objects that the application had when it was last seen: they are found even where the way of tracking has
    /// changed since they were written.
    pub formerly: Formerly<'a>,
    /// The instance in tracking-ids, as [`super::instance_key`] puts it.
    pub instance: &'a str,
    /// The operation whose hooks are shown as they were last where they are gone; none where empty.
    pub operation: &'a str,
    /// How to ask for predictions; none where absent.
    pub predict: Option<Foreseeing<'a>>,
    /// The time.
    pub now: Time,
}

/// What an application had.
#[derive(Clone, Copy, Debug, Default)]
pub struct Formerly<'a> {
    /// The objects.
    pub objects: &'a [(GroupVersionKind, ResourceKey)],
    /// The label that tracks, or tracked.
    pub label: &'a str,
}

/// How long the first list of a kind may take.
const LIST_DEADLINE: Duration = Duration::from_secs(30);
/// Requests at the same time for one target.
const PARALLEL: usize = 8;

type Kinds = BTreeMap<GroupVersionKind, Arc<KindWatch>>;
pub(super) type Bodies = HashMap<ResourceKey, (Arc<Stored>, Arc<Manifest>)>;

impl Cluster {
    /// Observes one target. A kind that cannot be seen is a gap; it hides nothing else. Objects that are as `recall` has
    /// them are not read again.
    ///
    /// # Errors
    /// Where the cluster does not answer at all.
    pub async fn observe(
        &self,
        request: &ObserveRequest<'_>,
        recall: &mut Recall,
    ) -> Result<Observation, Problem> {
        let mut seen = Observation::empty(request.now);
        let kinds = self.kinds_of(request, &mut seen).await?;
        let mut bodies = Bodies::new();
        for watch in kinds.values() {
            for ((namespace, name), stored) in watch.store().tracked(request.instance) {
                let gvk = &watch.info().gvk;
                let key = ResourceKey::new(&gvk.group, &gvk.kind, namespace, name);
                if let Some(body) = recall.body(&key, &stored) {
                    bodies.insert(key, (stored, body));
                }
            }
        }
        for (gvk, key) in wanted_keys(request) {
            if bodies.contains_key(&key) {
                continue;
            }
            let Some(watch) = kinds.get(&gvk) else { continue };
            if let Some(found) = self.live(watch, &key, recall).await? {
                bodies.insert(key, found);
            }
        }
        add_departed(request, &kinds, &mut bodies, recall);
        self.add_former(request, &kinds, &mut bodies, recall).await?;
        if let Some(how) = &request.predict {
            self.predict_all(request, how, &kinds, &bodies, &mut seen).await?;
        }
        seen.live = bodies.iter().map(|(key, (_, body))| (key.clone(), Arc::clone(body))).collect();
        recall.keep(bodies);
        Ok(seen)
    }

    /// Objects that are neither wanted nor found by today's tracking, but were the application's and still say so.
    async fn add_former(
        &self,
        request: &ObserveRequest<'_>,
        kinds: &Kinds,
        bodies: &mut Bodies,
        recall: &Recall,
    ) -> Result<(), Problem> {
        for (gvk, key) in request.formerly.objects {
            let Some(watch) = kinds.get(gvk).filter(|_| !bodies.contains_key(key)) else { continue };
            if let Some((stored, body)) = self.live(watch, key, recall).await?
                && is_still_of(body.body(), request.instance, request.formerly.label)
            {
                bodies.insert(key.clone(), (stored, body));
            }
        }
        Ok(())
    }

    /// A namespace, by name.
    ///
    /// # Errors
    /// Where the cluster does not answer.
    pub async fn namespace(&self, name: &str) -> Result<Option<Arc<Manifest>>, Problem> {
        let gvk = GroupVersionKind::from_api_version("v1", "Namespace");
        let found = self.discovery().find(&gvk).await.map_err(|error| self.unreachable(&error))?;
        let Some(info) = found else { return Ok(None) };
        let watch = self.watch(&info);
        watch.ready(LIST_DEADLINE).await?;
        let key = ResourceKey::new("", "Namespace", "", name);
        Ok(self.live(&watch, &key, &Recall::default()).await?.map(|(_, body)| body))
    }

    /// Finds the kinds, starts their watches, and waits until they are complete.
    async fn kinds_of(&self, request: &ObserveRequest<'_>, seen: &mut Observation) -> Result<Kinds, Problem> {
        let mut wanted: BTreeSet<GroupVersionKind> =
            request.desired.iter().map(|object| object.gvk()).collect();
        wanted.extend(request.known_kinds.iter().cloned());
        wanted.extend(request.also.iter().map(|(gvk, _)| gvk.clone()));
        let mut kinds = Kinds::new();
        for gvk in wanted {
            let found = self.discovery().find(&gvk).await.map_err(|error| self.unreachable(&error))?;
            // A kind that nobody knows any more has no objects; the comparison says so where Git wants one.
            let Some(info) = found else { continue };
            let scope = if info.namespaced { &mut seen.namespaced } else { &mut seen.cluster_scoped };
            scope.insert(gvk.group_kind());
            if info.watchable {
                kinds.insert(gvk, self.watch(&info));
            }
        }
        let waits =
            kinds.iter().map(|(gvk, watch)| async move { (gvk.clone(), watch.ready(LIST_DEADLINE).await) });
        for (gvk, ready) in futures::future::join_all(waits).await {
            if let Err(problem) = ready {
                seen.gaps.insert(gvk.group_kind(), problem);
            }
        }
        Ok(kinds)
    }

    async fn live(
        &self,
        watch: &KindWatch,
        key: &ResourceKey,
        recall: &Recall,
    ) -> Result<Option<(Arc<Stored>, Arc<Manifest>)>, Problem> {
        let stored = match watch.store().look_up(&key.namespace, &key.name) {
            Lookup::Kept(stored) => stored,
            Lookup::Absent => return Ok(None),
            Lookup::Foreign => {
                let found = self.get(watch.info(), key).await?;
                let Some(object) = found else { return Ok(None) };
                watch.store().insert(object, true);
                match watch.store().look_up(&key.namespace, &key.name) {
                    Lookup::Kept(stored) => stored,
                    Lookup::Foreign | Lookup::Absent => return Ok(None),
                }
            }
        };
        Ok(recall.body(key, &stored).map(|body| (stored, body)))
    }

    /// Reads one object from the API server.
    async fn get(&self, kind: &KindInfo, key: &ResourceKey) -> Result<Option<WatchedObject>, Problem> {
        let api = kind.api(self.client(), &key.namespace);
        let mut found = api.get_opt(&key.name).await.map_err(|error| self.unreachable(&error))?;
        if let Some(object) = &mut found {
            object.complete(&kind.resource);
        }
        Ok(found)
    }

    async fn predict_all(
        &self,
        request: &ObserveRequest<'_>,
        how: &Foreseeing<'_>,
        kinds: &Kinds,
        bodies: &Bodies,
        seen: &mut Observation,
    ) -> Result<(), Problem> {
        let mut unknown: Vec<BoxFuture<'_, Answer<'_>>> = Vec::new();
        for desired in request.desired {
            // A hook that is left from an earlier sync is replaced, not applied.
            if ResourceAnnotations::of(desired).is_hook() || !is_asked(desired, how) {
                continue;
            }
            let key = desired.key();
            let (Some((stored, live)), Some(watch)) = (bodies.get(&key), kinds.get(&desired.gvk())) else {
                continue;
            };
            let applied = self.applied(desired, stored, live, how);
            if let Some(foreseen) = self.predictions.get(&applied, stored, live) {
                note(seen, desired, applied, foreseen);
                continue;
            }
            let asked = Asked { desired, applied, stored, live, kind: watch.info() };
            unknown.push(async move { (desired, self.foresee(asked, request.desired, how).await) }.boxed());
        }
        let answers: Vec<Answer<'_>> = stream::iter(unknown).buffer_unordered(PARALLEL).collect().await;
        for (desired, answer) in answers {
            let (applied, foreseen) = answer?;
            note(seen, desired, applied, foreseen);
        }
        Ok(())
    }

    pub(super) fn unreachable(&self, error: &kube::Error) -> Problem {
        let message = format!("cluster {} cannot be read: {error}", self.server());
        Problem::retry(Stage::Observe, Cause::DestinationUnreachable, message)
    }
}

/// A desired object, what would be sent for it, and what that would do.
type Answer<'a> = (&'a Arc<Manifest>, Result<(Arc<Manifest>, Foreseen), Problem>);

fn note(seen: &mut Observation, desired: &Arc<Manifest>, applied: Arc<Manifest>, foreseen: Foreseen) {
    let key = desired.key();
    let object = (!Arc::ptr_eq(&applied, desired) && applied != *desired).then_some(applied);
    if object.is_some() || !foreseen.ownership.is_none() {
        seen.writing.insert(key.clone(), Writing { object, ownership: foreseen.ownership });
    }
    if let Some(owners) = foreseen.owners {
        seen.owners.insert(key.clone(), owners);
    }
    seen.predictions.insert(key, foreseen.prediction);
}

/// The annotation of hooks that names the operation that made them.
pub const OPERATION: &str = "tiphys.dev/operation";

/// The operation that made a hook.
pub(super) fn made_by(body: &Value) -> Option<&str> {
    str_at(body, &["metadata", "annotations", OPERATION])
}

/// Hooks of the operation that are gone count as they were last: how they ended decides about what comes next.
fn add_departed(request: &ObserveRequest<'_>, kinds: &Kinds, bodies: &mut Bodies, recall: &Recall) {
    for watch in kinds.values().filter(|_| !request.operation.is_empty()) {
        for ((namespace, name), stored) in watch.store().departed(request.instance) {
            let gvk = &watch.info().gvk;
            let key = ResourceKey::new(&gvk.group, &gvk.kind, namespace, name);
            if bodies.contains_key(&key) {
                continue;
            }
            let body = recall.body(&key, &stored);
            if let Some(body) = body.filter(|body| made_by(body.body()) == Some(request.operation)) {
                bodies.insert(key, (stored, body));
            }
        }
    }
}

fn wanted_keys(request: &ObserveRequest<'_>) -> Vec<(GroupVersionKind, ResourceKey)> {
    let desired = request.desired.iter().filter(|object| !object.name().is_empty());
    desired.map(|object| (object.gvk(), object.key())).chain(request.also.iter().cloned()).collect()
}
