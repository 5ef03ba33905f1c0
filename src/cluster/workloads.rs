//! Pods, nodes and what stands between pods and workloads: watched from the first moment that some application has a
//! workload that is not healthy, and kept as facts, never as bodies.
//!
//! Of pods outside of the namespaces that somebody asked for, only those that request extended resources are kept,
//! because they take room on nodes. Without the right to list nodes, free capacity is unknown.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};
use serde_json::Value;
use tokio::sync::{OnceCell, mpsc, watch};
use tokio::task::JoinHandle;

use crate::flow::{Capacity, NodeFacts, PodFacts, PodPhase};
use crate::health::facts;
use crate::health::pod_owner::belongs;
use crate::health::volume::StorageClasses;
use crate::object::{ResourceKey, list_at, str_at};

use super::room::Waiting;
use super::{Asks, Changed, WatchedObject, resource};

/// The kinds that are watched: group, version, kind, plural.
const KINDS: [(&str, &str, &str, &str); 4] = [
    ("", "v1", "Pod", "pods"),
    ("", "v1", "Node", "nodes"),
    ("apps", "v1", "ReplicaSet", "replicasets"),
    ("storage.k8s.io", "v1", "StorageClass", "storageclasses"),
];

/// How long the first lists may take; what has not come by then counts as unknown.
const LIST_DEADLINE: Duration = Duration::from_secs(5);

type Name = (String, String);

#[derive(Default)]
struct State {
    pods: HashMap<Name, Arc<PodFacts>>,
    /// Owner of each ReplicaSet, by uid.
    replica_sets: HashMap<Name, (String, String)>,
    nodes: BTreeMap<String, NodeFacts>,
    classes: BTreeMap<String, Value>,
    /// Who waits for pods of which namespace.
    interest: HashMap<String, BTreeSet<Arc<str>>>,
    nodes_listed: bool,
}

/// What is known of pods and nodes.
pub(super) struct Workloads {
    state: Arc<Mutex<State>>,
    watches: OnceCell<Watches>,
    waiting: Arc<Waiting>,
}

struct Watches {
    tasks: Vec<JoinHandle<()>>,
    ready: Vec<watch::Receiver<bool>>,
}

impl Drop for Watches {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// A moment's view of pods and nodes.
pub struct WorkloadView {
    pods: Vec<Arc<PodFacts>>,
    /// Owner of each ReplicaSet, by uid.
    owners: HashMap<String, String>,
    /// The room in the cluster.
    pub capacity: Capacity,
    /// Storage classes.
    pub classes: StorageClasses,
}

impl WorkloadView {
    /// The pods of a workload, by owner or by the labels of its operator; a pod is its own.
    pub fn pods_of(&self, workload: &Value) -> Vec<&PodFacts> {
        let is_its =
            |pod: &&Arc<PodFacts>| belongs(pod, self.owners.get(&pod.owner).map(String::as_str), workload);
        self.pods.iter().filter(is_its).map(|pod| &**pod).collect()
    }
}

impl Workloads {
    pub(super) fn new(waiting: Arc<Waiting>) -> Self {
        Self { state: Arc::default(), watches: OnceCell::new(), waiting }
    }

    /// Looks at pods and nodes for an instance, and has it told of changes in these namespaces from now on.
    pub(super) async fn view(
        &self,
        client: &Client,
        server: &str,
        changes: &mpsc::UnboundedSender<Changed>,
        instance: &str,
        namespaces: &BTreeSet<String>,
    ) -> WorkloadView {
        let fresh = self.note_interest(instance, namespaces);
        let is_first = self.watches.get().is_none();
        let watches = self.watches.get_or_init(|| async { start(client, server, changes, self) }).await;
        for ready in &watches.ready {
            let _ = tokio::time::timeout(LIST_DEADLINE, ready.clone().wait_for(|ready| *ready)).await;
        }
        if !is_first {
            for namespace in fresh {
                self.list_namespace(client, &namespace).await;
            }
        }
        self.now()
    }

    /// Gives the namespaces that nobody was interested in before.
    fn note_interest(&self, instance: &str, namespaces: &BTreeSet<String>) -> Vec<String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut fresh = Vec::new();
        for namespace in namespaces {
            let interested = state.interest.entry(namespace.clone()).or_default();
            if interested.is_empty() {
                fresh.push(namespace.clone());
            }
            interested.insert(Arc::from(instance));
        }
        fresh
    }

    /// Pods and ReplicaSets of a namespace that was not kept while it interested nobody.
    async fn list_namespace(&self, client: &Client, namespace: &str) {
        for kind in [0, 2] {
            let Some(resource) = KINDS.get(kind).map(resource_of) else { continue };
            let api: Api<WatchedObject> = Api::namespaced_with(client.clone(), namespace, &resource);
            match api.list(&kube::api::ListParams::default()).await {
                Ok(list) => {
                    let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                    for mut object in list.items {
                        object.complete(&resource);
                        state.put(&object);
                    }
                }
                Err(error) => tracing::debug!(namespace, error = %error, "pods could not be listed"),
            }
        }
    }

    fn now(&self) -> WorkloadView {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut used: HashMap<&str, BTreeMap<&str, u64>> = HashMap::new();
        for pod in state.pods.values().filter(|pod| takes_room(pod)) {
            let on_node = used.entry(&pod.node).or_default();
            for (resource, amount) in &pod.request.resources {
                *on_node.entry(resource).or_default() += amount;
            }
        }
        let nodes = state.nodes.values().map(|node| {
            let mut node = node.clone();
            for (resource, amount) in used.get(node.name.as_str()).into_iter().flatten() {
                if let Some(free) = node.free.get_mut(*resource) {
                    *free = free.saturating_sub(*amount);
                }
            }
            node
        });
        let pods: Vec<Arc<PodFacts>> = state.pods.values().map(Arc::clone).collect();
        WorkloadView {
            capacity: Capacity {
                nodes: state.nodes_listed.then(|| nodes.collect()),
                pods: pods.clone(),
                ..Capacity::default()
            },
            pods,
            owners: state.replica_sets.values().cloned().collect(),
            classes: StorageClasses::from_objects(state.classes.values()),
        }
    }
}

fn takes_room(pod: &PodFacts) -> bool {
    !pod.node.is_empty() && !matches!(pod.phase, PodPhase::Succeeded | PodPhase::Failed)
}

fn resource_of(&(group, version, kind, plural): &(&str, &str, &str, &str)) -> kube::core::ApiResource {
    resource(group, version, kind, plural)
}

fn start(
    client: &Client,
    server: &str,
    changes: &mpsc::UnboundedSender<Changed>,
    workloads: &Workloads,
) -> Watches {
    let mut watches = Watches { tasks: Vec::new(), ready: Vec::new() };
    for kind in &KINDS {
        let (sender, receiver) = watch::channel(false);
        let follow = Follow {
            resource: resource_of(kind),
            server: server.to_owned(),
            state: Arc::clone(&workloads.state),
            waiting: Arc::clone(&workloads.waiting),
            changes: changes.clone(),
            ready: sender,
        };
        watches.tasks.push(tokio::spawn(follow.run(client.clone())));
        watches.ready.push(receiver);
    }
    watches
}

/// The watch of one of the kinds.
struct Follow {
    resource: kube::core::ApiResource,
    server: String,
    state: Arc<Mutex<State>>,
    waiting: Arc<Waiting>,
    changes: mpsc::UnboundedSender<Changed>,
    ready: watch::Sender<bool>,
}

impl Follow {
    async fn run(self, client: Client) {
        let api: Api<WatchedObject> = Api::all_with(client, &self.resource);
        let mut events = pin!(watcher(api, watcher::Config::default().page_size(250)).default_backoff());
        let mut listed: Option<BTreeSet<Name>> = None;
        while let Some(event) = events.next().await {
            match event {
                Ok(Event::Init) => listed = Some(BTreeSet::new()),
                Ok(Event::InitApply(object)) => {
                    if let Some(listed) = listed.as_mut() {
                        listed.insert((object.namespace().to_owned(), object.name().to_owned()));
                    }
                    self.take(object, false);
                }
                Ok(Event::Apply(object)) => self.take(object, true),
                Ok(Event::Delete(object)) => {
                    let name = (object.namespace().to_owned(), object.name().to_owned());
                    let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                    let freed = state.remove(&self.resource.kind, &name);
                    self.tell(&state, &name.0);
                    if freed {
                        self.waiting.tell(&ResourceKey::new("", &self.resource.kind, &name.0, &name.1));
                    }
                }
                Ok(Event::InitDone) => {
                    let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(listed) = listed.take() {
                        state.retain(&self.resource.kind, &listed);
                    }
                    state.nodes_listed |= self.resource.kind == "Node";
                    let _ = self.ready.send(true);
                }
                Err(error) => {
                    tracing::warn!(kind = self.resource.kind, error = %error, "watch failed, trying again");
                    // Nobody waits for what may not be seen.
                    let _ = self.ready.send(true);
                }
            }
        }
    }

    fn take(&self, mut object: WatchedObject, tell: bool) {
        object.complete(&self.resource);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = state.put(&object);
        if tell && changed {
            self.tell(&state, object.namespace());
            if state.may_free(&self.resource.kind, &object) {
                self.waiting.tell(&ResourceKey::new(
                    "",
                    &self.resource.kind,
                    object.namespace(),
                    object.name(),
                ));
            }
        }
    }

    /// Tells those who wait in a namespace; of a node, everybody.
    fn tell(&self, state: &State, namespace: &str) {
        let concerned: BTreeSet<&Arc<str>> = if namespace.is_empty() {
            state.interest.values().flatten().collect()
        } else {
            state.interest.get(namespace).into_iter().flatten().collect()
        };
        for instance in concerned {
            let key = ResourceKey::new(&self.resource.group, &self.resource.kind, namespace, "");
            let _ = self.changes.send(Changed {
                server: self.server.clone(),
                instance: Arc::clone(instance),
                key,
                asks: Asks::Health,
            });
        }
    }
}

impl State {
    /// Takes an object in as facts. Gives whether the facts changed.
    fn put(&mut self, object: &WatchedObject) -> bool {
        let name = (object.namespace().to_owned(), object.name().to_owned());
        match str_at(&object.body, &["kind"]) {
            Some("Pod") => {
                let pod = facts::pod(&object.body);
                let extended = pod.request.resources.keys().any(|name| name.contains('/'));
                if !extended && !self.interest.contains_key(&name.0) {
                    return self.pods.remove(&name).is_some();
                }
                let changed = self.pods.get(&name).is_none_or(|before| **before != pod);
                self.pods.insert(name, Arc::new(pod));
                changed
            }
            Some("ReplicaSet") => {
                if self.interest.contains_key(&name.0)
                    && let Some(uids) = owner_of(&object.body)
                {
                    self.replica_sets.insert(name, uids);
                }
                false
            }
            Some("Node") => {
                let node = facts::node(&object.body, &BTreeMap::new());
                self.nodes.insert(name.1, node.clone()) != Some(node)
            }
            Some("StorageClass") => {
                self.classes.insert(name.1, object.body.clone());
                false
            }
            _ => false,
        }
    }

    /// Takes an object out. Gives whether that may free capacity.
    fn remove(&mut self, kind: &str, name: &Name) -> bool {
        match kind {
            "Pod" => self.pods.remove(name).is_some_and(|pod| !pod.node.is_empty()),
            "ReplicaSet" => {
                self.replica_sets.remove(name);
                false
            }
            "Node" => self.nodes.remove(&name.1).is_some(),
            _ => {
                self.classes.remove(&name.1);
                false
            }
        }
    }

    /// Whether a change of an object may free capacity: a node changed, or a pod ended.
    fn may_free(&self, kind: &str, object: &WatchedObject) -> bool {
        let name = || (object.namespace().to_owned(), object.name().to_owned());
        match kind {
            "Node" => true,
            "Pod" => self.pods.get(&name()).is_some_and(|pod| !pod.node.is_empty() && !takes_room(pod)),
            _ => false,
        }
    }

    /// Drops what a complete list no longer holds.
    fn retain(&mut self, kind: &str, listed: &BTreeSet<Name>) {
        let is_listed = |name: &str| listed.contains(&(String::new(), name.to_owned()));
        match kind {
            "Pod" => self.pods.retain(|name, _| listed.contains(name)),
            "ReplicaSet" => self.replica_sets.retain(|name, _| listed.contains(name)),
            "Node" => self.nodes.retain(|name, _| is_listed(name)),
            _ => self.classes.retain(|name, _| is_listed(name)),
        }
    }
}

/// Uid of an object and of the owner that controls it.
fn owner_of(body: &Value) -> Option<(String, String)> {
    let owners = list_at(body, &["metadata", "ownerReferences"]);
    let owner = owners.iter().find(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true))?;
    Some((str_at(body, &["metadata", "uid"])?.to_owned(), str_at(owner, &["uid"])?.to_owned()))
}
