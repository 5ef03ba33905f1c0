//! Clusters, read: connections, discovery, watches, and `observe`, which puts together what is known of one target.
//!
//! One watch per version and kind that some application uses; objects that no application asks for leave eight bytes
//! behind, so memory grows with what is managed, not with the cluster. A kind that cannot be listed is a gap in the
//! observations of the applications that use it, and of no others. Nothing here writes, and nothing here decides.

mod autoscalers;
mod connect;
mod discovery;
mod epoch;
mod evidence;
mod foresee;
mod inhabitants;
mod kind_watch;
mod observe;
mod predict;
mod recall;
mod requests;
mod room;
mod store;
mod tracked;
mod watched;
mod workloads;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kube::Client;
use tokio::sync::mpsc;

use crate::flow::{Meter, ObjectName};
use crate::object::{GroupVersionKind, ResourceKey};

pub use connect::{Connection, connect, connect_context};
pub use discovery::{Discovery, KindInfo};
pub use foresee::Foreseeing;
pub use inhabitants::Inhabitant;
pub use observe::{Formerly, OPERATION, ObserveRequest};
pub use recall::Recall;
pub use requests::{Lease, NotLeader, Requests, made_for};
pub use room::{Limits, RoomView};
pub use tracked::{TrackedBy, instance_key};
pub use watched::{OwnedObject, WatchedObject, resource};
pub use workloads::WorkloadView;

/// What a change asks of the applications that it concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asks {
    /// To compare, and to go on with whatever waits.
    Reconcile,
    /// To look at health: pods or nodes changed, which say why an object is as it is, and nothing else.
    Health,
}

/// A tracked object changed, or one that the health of tracked objects depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Address of the cluster.
    pub server: String,
    /// The instance of the object's tracking-id, as [`instance_key`] puts it.
    pub instance: Arc<str>,
    /// The object.
    pub key: ResourceKey,
    /// What it asks for.
    pub asks: Asks,
}

/// One cluster: a client, what it knows, and the watches that applications asked for.
pub struct Cluster {
    server: String,
    client: Client,
    discovery: Discovery,
    watches: Mutex<HashMap<GroupVersionKind, Arc<kind_watch::KindWatch>>>,
    predictions: predict::Predictions,
    workloads: workloads::Workloads,
    tracked_by: Mutex<TrackedBy>,
    inhabitants: inhabitants::Seen,
    room: room::Room,
    changes: mpsc::UnboundedSender<Changed>,
    meter: Arc<dyn Meter>,
    counted: requests::Counted,
    connected_at: Instant,
    /// Ends with the cluster.
    _following: Option<epoch::Following>,
}

/// What a cluster is to those who only count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterSummary {
    /// Version of Kubernetes, as the API server says it; empty while it is not known.
    pub version: String,
    /// Kinds that are watched.
    pub kinds: usize,
    /// Objects that are kept.
    pub objects: usize,
    /// Whether every watch follows the cluster.
    pub connected: bool,
    /// Since when the cluster is watched.
    pub age: Duration,
}

impl Cluster {
    /// A cluster behind a client. `changes` hears of every change to a tracked object.
    pub fn new(
        server: &str,
        client: Client,
        changes: mpsc::UnboundedSender<Changed>,
        meter: Arc<dyn Meter>,
    ) -> Arc<Self> {
        let waiting = Arc::new(room::Waiting::new(server, changes.clone()));
        Arc::new_cyclic(|me| Self {
            _following: epoch::follow(me.clone(), &client),
            server: server.to_owned(),
            discovery: Discovery::new(client.clone()),
            client,
            watches: Mutex::default(),
            predictions: predict::Predictions::default(),
            tracked_by: Mutex::default(),
            inhabitants: inhabitants::Seen::default(),
            workloads: workloads::Workloads::new(Arc::clone(&waiting)),
            room: room::Room::new(waiting),
            changes,
            meter,
            counted: requests::Counted::default(),
            connected_at: Instant::now(),
        })
    }

    /// The client of the cluster. In the reconcile of an application, what it is asked counts for that application.
    pub fn client(&self) -> Client {
        self.counted.client(&self.client, &self.server, &self.meter)
    }

    /// Has what is written in the reconciles of an application go out as another user, or as the controller itself.
    pub fn act_as(&self, application: &ObjectName, user: Option<String>) {
        self.counted.act_as(application, user);
    }

    /// An application is gone.
    pub fn forget(&self, application: &ObjectName) {
        self.counted.forget(application);
    }

    /// The kinds that the cluster knows.
    pub fn discovery(&self) -> &Discovery {
        &self.discovery
    }

    /// What is known of the cluster as a whole, without a request.
    pub fn summary(&self) -> ClusterSummary {
        let watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        ClusterSummary {
            version: self.discovery.version(),
            kinds: watches.len(),
            objects: watches.values().map(|watch| watch.store().len()).sum(),
            connected: watches.values().all(|watch| watch.is_synced()),
            age: self.connected_at.elapsed(),
        }
    }

    /// Address of the API server.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Says how objects are tracked. A change starts all watches anew, since what they kept was chosen by it.
    pub fn track_by(&self, tracked_by: TrackedBy) {
        let mut known = self.tracked_by.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != tracked_by {
            *known = tracked_by;
            self.watches.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    fn tracked_by(&self) -> TrackedBy {
        self.tracked_by.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets every prediction: the next comparison asks the API server anew.
    pub fn forget_predictions(&self) {
        self.predictions.clear();
    }

    /// Forgets what changes of schemas and webhooks have made untrue, and has the applications that they concern look
    /// again. A new CRD may be what any of them waits for.
    async fn look_again(&self, noticed: &[epoch::Noticed]) {
        let crds: BTreeSet<&str> = noticed
            .iter()
            .filter_map(|one| match one {
                epoch::Noticed::Crd(name) => Some(name.as_str()),
                epoch::Noticed::Webhooks => None,
            })
            .collect();
        if noticed.contains(&epoch::Noticed::Webhooks) {
            self.predictions.clear();
        }
        if !crds.is_empty() {
            self.discovery.forget(&crds).await;
        }
        let mut concerned = BTreeSet::new();
        {
            let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
            concerned.extend(watches.values().flat_map(|watch| watch.store().instances()));
            watches.retain(|gvk, watch| {
                let changed = crds.contains(watch.info().crd_name().as_str());
                if changed {
                    self.predictions.forget(&gvk.group_kind());
                }
                !changed
            });
        }
        for instance in concerned {
            let key = ResourceKey::new("", "", "", "");
            let _ = self.changes.send(Changed {
                server: self.server.clone(),
                instance,
                key,
                asks: Asks::Reconcile,
            });
        }
    }

    /// Pods and nodes, for the causes of health. `instance` is told of changes in these namespaces from now on.
    pub async fn workloads(&self, instance: &str, namespaces: &BTreeSet<String>) -> WorkloadView {
        self.workloads.view(&self.client, &self.server, &self.changes, instance, namespaces).await
    }

    /// What limits pods besides nodes: quotas of these namespaces, and what else is asked for.
    pub async fn room(&self, namespaces: &BTreeSet<String>, limits: Limits) -> RoomView {
        self.room.view(&self.client, &self.discovery, namespaces, limits).await
    }

    /// Has an instance told of whatever may free capacity (nodes, pods that end, quotas, queues), or no longer.
    pub fn wait_for_capacity(&self, instance: &str, waits: bool) {
        self.room.waiting().set(instance, waits);
    }

    /// The watch of a kind, started where nobody has asked for it before.
    fn watch(&self, kind: &KindInfo) -> Arc<kind_watch::KindWatch> {
        let tracked_by = self.tracked_by();
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        let watch = watches.entry(kind.gvk.clone()).or_insert_with(|| {
            kind_watch::KindWatch::start(
                self.client.clone(),
                kind.clone(),
                self.server.clone(),
                tracked_by,
                self.changes.clone(),
                Arc::clone(&self.meter),
            )
        });
        Arc::clone(watch)
    }

    /// Takes in the API server's answer to a write, so that the next observation need not wait for the watch.
    pub fn take_in(&self, gvk: &GroupVersionKind, desired: &crate::object::Manifest, answer: WatchedObject) {
        let watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watch) = watches.get(gvk) {
            self.predictions.seed(desired, &answer);
            watch.store().insert(answer, true);
        }
    }

    /// Takes out an object that was deleted and is gone.
    pub fn take_out(&self, gvk: &GroupVersionKind, key: &ResourceKey) {
        let watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watch) = watches.get(gvk) {
            watch.store().remove(&key.namespace, &key.name);
        }
    }
}
