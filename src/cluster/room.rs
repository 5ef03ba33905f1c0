//! What limits pods besides nodes: ResourceQuotas, Kueue's queues, devices of drivers. Each kind is watched from the
//! first moment that a wave with GPU workloads asks for it; of each object its name, spec and status are kept.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::flow::{QuotaFacts, Resources};
use crate::health::{devices, facts, kueue};
use crate::object::{GroupVersionKind, ResourceKey, str_at};

use super::{Asks, Changed, Discovery, KindInfo, WatchedObject};

/// How long the first list of a kind may take; what has not come by then counts as not there.
const LIST_DEADLINE: Duration = Duration::from_secs(5);

/// The kinds, each with the versions in which it may be served, the preferred one first.
const KINDS: [(&str, &[&str], &str); 7] = [
    ("", &["v1"], "ResourceQuota"),
    ("kueue.x-k8s.io", &["v1beta2", "v1beta1"], "ClusterQueue"),
    ("kueue.x-k8s.io", &["v1beta2", "v1beta1"], "LocalQueue"),
    ("resource.k8s.io", &["v1", "v1beta2", "v1beta1"], "DeviceClass"),
    ("resource.k8s.io", &["v1", "v1beta2", "v1beta1"], "ResourceSlice"),
    ("resource.k8s.io", &["v1", "v1beta2", "v1beta1"], "ResourceClaim"),
    ("resource.k8s.io", &["v1", "v1beta2", "v1beta1"], "ResourceClaimTemplate"),
];

/// What is looked at besides ResourceQuotas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Kueue's queues.
    pub queues: bool,
    /// Devices of drivers, and the templates of claims.
    pub devices: bool,
}

/// A moment's view of what limits pods.
#[derive(Debug, Default)]
pub struct RoomView {
    /// ResourceQuotas of the namespaces.
    pub quotas: Vec<QuotaFacts>,
    /// What each LocalQueue still admits, by `namespace/name`.
    pub queues: BTreeMap<String, Resources>,
    /// Free devices by DeviceClass.
    pub devices: Resources,
    /// ResourceClaimTemplates by namespace and name.
    pub claim_templates: BTreeMap<String, BTreeMap<String, Value>>,
}

/// Instances that wait for capacity, and how they hear of it.
pub(super) struct Waiting {
    server: String,
    changes: mpsc::UnboundedSender<Changed>,
    instances: Mutex<BTreeSet<Arc<str>>>,
}

impl Waiting {
    pub(super) fn new(server: &str, changes: mpsc::UnboundedSender<Changed>) -> Self {
        Self { server: server.to_owned(), changes, instances: Mutex::default() }
    }

    pub(super) fn set(&self, instance: &str, waits: bool) {
        let mut instances = self.instances.lock().unwrap_or_else(PoisonError::into_inner);
        if waits {
            instances.insert(Arc::from(instance));
        } else {
            instances.remove(instance);
        }
    }

    /// Tells everybody who waits that an object changed that capacity depends on.
    pub(super) fn tell(&self, key: &ResourceKey) {
        for instance in self.instances.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let changed = Changed {
                server: self.server.clone(),
                instance: Arc::clone(instance),
                key: key.clone(),
                asks: Asks::Reconcile,
            };
            // The receiver is gone only when the process ends.
            let _ = self.changes.send(changed);
        }
    }
}

/// Objects by kind, namespace and name.
type Objects = BTreeMap<(&'static str, String, String), Value>;

/// What is known of these kinds.
pub(super) struct Room {
    objects: Arc<Mutex<Objects>>,
    waiting: Arc<Waiting>,
    watches: tokio::sync::Mutex<BTreeMap<&'static str, Watch>>,
}

struct Watch {
    task: JoinHandle<()>,
    ready: watch::Receiver<bool>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Room {
    pub(super) fn new(waiting: Arc<Waiting>) -> Self {
        Self { objects: Arc::default(), waiting, watches: tokio::sync::Mutex::default() }
    }

    pub(super) fn waiting(&self) -> &Waiting {
        &self.waiting
    }

    pub(super) async fn view(
        &self,
        client: &Client,
        discovery: &Discovery,
        namespaces: &BTreeSet<String>,
        limits: Limits,
    ) -> RoomView {
        for (group, versions, kind) in KINDS {
            let wanted = match group {
                "" => true,
                "kueue.x-k8s.io" => limits.queues,
                _ => limits.devices,
            };
            if wanted {
                self.ensure(client, discovery, group, versions, kind).await;
            }
        }
        self.now(namespaces)
    }

    /// Starts the watch of a kind, where the cluster knows the kind, and waits for its first list.
    async fn ensure(
        &self,
        client: &Client,
        discovery: &Discovery,
        group: &str,
        versions: &[&str],
        kind: &'static str,
    ) {
        let known = self.watches.lock().await.get(kind).map(|watch| watch.ready.clone());
        let mut ready = match known {
            Some(ready) => ready,
            None => {
                let Some(info) = find(discovery, group, versions, kind).await else { return };
                let mut watches = self.watches.lock().await;
                let watch = watches.entry(kind).or_insert_with(|| self.start(client.clone(), &info, kind));
                watch.ready.clone()
            }
        };
        let _ = tokio::time::timeout(LIST_DEADLINE, ready.wait_for(|ready| *ready)).await;
    }

    fn start(&self, client: Client, info: &KindInfo, kind: &'static str) -> Watch {
        let (sender, ready) = watch::channel(false);
        let follow = Follow {
            kind,
            objects: Arc::clone(&self.objects),
            waiting: Arc::clone(&self.waiting),
            ready: sender,
        };
        let api: Api<WatchedObject> = Api::all_with(client, &info.resource);
        Watch { task: tokio::spawn(follow.run(api, info.resource.clone())), ready }
    }

    fn now(&self, namespaces: &BTreeSet<String>) -> RoomView {
        let objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |kind: &'static str| {
            objects.iter().filter(move |((known, ..), _)| *known == kind).map(|(_, body)| body)
        };
        let here = |body: &&Value| {
            str_at(body, &["metadata", "namespace"]).is_some_and(|ns| namespaces.contains(ns))
        };
        let mut claim_templates: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
        for template in of("ResourceClaimTemplate").filter(here) {
            let text = |field: &str| str_at(template, &["metadata", field]).unwrap_or_default().to_owned();
            claim_templates.entry(text("namespace")).or_default().insert(text("name"), template.clone());
        }
        RoomView {
            quotas: of("ResourceQuota").filter(here).map(facts::quota).collect(),
            queues: kueue::admitted(of("ClusterQueue"), of("LocalQueue").filter(here)),
            devices: devices::free_devices(of("DeviceClass"), of("ResourceSlice"), of("ResourceClaim")),
            claim_templates,
        }
    }
}

async fn find(discovery: &Discovery, group: &str, versions: &[&str], kind: &str) -> Option<Arc<KindInfo>> {
    for version in versions {
        let gvk = GroupVersionKind { group: group.into(), version: (*version).into(), kind: kind.into() };
        if let Ok(Some(info)) = discovery.find(&gvk).await {
            return Some(info);
        }
    }
    None
}

/// The watch of one kind.
struct Follow {
    kind: &'static str,
    objects: Arc<Mutex<Objects>>,
    waiting: Arc<Waiting>,
    ready: watch::Sender<bool>,
}

impl Follow {
    async fn run(self, api: Api<WatchedObject>, resource: kube::core::ApiResource) {
        let mut events = pin!(watcher(api, watcher::Config::default().page_size(250)).default_backoff());
        let mut listed = Objects::new();
        while let Some(event) = events.next().await {
            match event {
                Ok(Event::Init) => listed.clear(),
                Ok(Event::InitApply(object)) => drop(listed.insert(self.name(&object), slim(&object))),
                Ok(Event::Apply(object)) => self.put(&object),
                Ok(Event::Delete(object)) => {
                    self.lock().remove(&self.name(&object));
                    self.tell(&object);
                }
                Ok(Event::InitDone) => {
                    let mut objects = self.lock();
                    objects.retain(|(kind, ..), _| *kind != self.kind);
                    objects.append(&mut listed);
                    drop(objects);
                    let _ = self.ready.send(true);
                    self.waiting.tell(&ResourceKey::new(&resource.group, self.kind, "", ""));
                }
                Err(error) => {
                    tracing::warn!(kind = self.kind, error = %error, "watch failed, trying again");
                    // Nobody waits for what may not be seen.
                    let _ = self.ready.send(true);
                }
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Objects> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name(&self, object: &WatchedObject) -> (&'static str, String, String) {
        (self.kind, object.namespace().to_owned(), object.name().to_owned())
    }

    fn put(&self, object: &WatchedObject) {
        let now = slim(object);
        let before = self.lock().insert(self.name(object), now.clone());
        if before != Some(now) {
            self.tell(object);
        }
    }

    fn tell(&self, object: &WatchedObject) {
        self.waiting.tell(&ResourceKey::new("", self.kind, object.namespace(), object.name()));
    }
}

/// Name, spec and status.
fn slim(object: &WatchedObject) -> Value {
    let part = |field: &str| object.body.get(field).cloned().unwrap_or_default();
    json!({
        "metadata": {"namespace": object.namespace(), "name": object.name()},
        "spec": part("spec"),
        "status": part("status"),
    })
}
