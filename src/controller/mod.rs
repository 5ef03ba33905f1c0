//! The controller: who is reconciled when, and the list of stages.
//!
//! `reconcile` is the table of `lib.rs` in its order and little else. Nothing in this room decides about differences,
//! health or order: it carries values from room to room, writes the Application's status, and asks to come back.

mod access;
mod again;
mod assess;
mod audit;
mod clusters;
mod cmd_params;
mod comparing;
mod delete_hooks;
mod examine;
mod fetching;
mod finalize;
mod gate;
mod health_step;
mod impersonation;
mod inspect;
mod leader;
mod ledger;
mod operation;
mod publish;
mod queue;
mod recall;
mod reconcile;
mod render_cache;
mod render_store;
mod rendering;
mod results;
mod rollback;
mod stepping;
mod store;
mod target;
mod validate;
mod warnings;
mod watchers;
mod windows;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kube::Client;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::api::Application;
use crate::cluster::{Changed, Cluster, ClusterSummary, Lease, Requests, made_for};
use crate::eval::{LuaRunner, SandboxPool};
use crate::flow::{IN_CLUSTER_SERVER, Meter, ObjectName, Problem, Written};
use crate::object::ResourceKey;
use crate::project::names_namespace;
use crate::source::{Sources, SourcesOptions};

pub use cmd_params::read_cmd_params;
pub use examine::Examination;
pub use fetching::{Fetching, Repositories, Resolved};
pub use inspect::Inspection;
pub use leader::Candidate;
use queue::Queue;
use store::Store;

/// How the controller runs.
#[derive(Clone, Debug)]
pub struct ControllerOptions {
    /// Namespace of the controller: its ConfigMaps, Secrets and AppProjects are here.
    pub namespace: String,
    /// Namespaces, besides the controller's, whose Applications are served as far as projects allow: globs, or regular
    /// expressions between slashes.
    pub application_namespaces: Vec<String>,
    /// Folder for mirrors of repositories.
    pub cache: PathBuf,
    /// Applications that are reconciled at the same time.
    pub workers: usize,
    /// How long an operation may run; for ever where absent or zero.
    pub sync_timeout: Option<Duration>,
}

/// What all reconciles share.
pub struct Shared {
    options: ControllerOptions,
    client: Client,
    requests: Requests,
    store: Store,
    queue: Queue,
    sources: Sources,
    renders: render_cache::RenderCache,
    parsed: Arc<crate::render::RenderCaches>,
    meter: Arc<dyn Meter>,
    clusters: Mutex<HashMap<String, Arc<Cluster>>>,
    changes: mpsc::UnboundedSender<Changed>,
    scripts: LuaRunner,
    ready: std::sync::atomic::AtomicBool,
    orphans: Mutex<HashMap<ObjectName, usize>>,
    memories: Mutex<HashMap<ObjectName, Arc<tokio::sync::Mutex<Memory>>>>,
    /// Whether the CRD of Application is Argo CD's, which keeps nothing of `status.tiphys`.
    foreign_crd: std::sync::atomic::AtomicBool,
}

/// What is remembered of an application between reconciles. Losing it costs time, never correctness.
#[derive(Default)]
struct Memory {
    /// Answers to the writes of the operation under way.
    written: HashMap<ResourceKey, (Written, Instant)>,
    /// All results of the operation under way, where the status has no room for them.
    results: Option<(String, crate::sync::Progress)>,
    /// What was looked at by the operation under way.
    recall: Arc<recall::Recall>,
    /// What the reconcile under way knows of drift.
    ledger: ledger::Ledger,
    /// The operation whose dry-run is done.
    dry_run_done: Option<String>,
    /// What the capacity gate said last, so that it is said once.
    gate_said: Option<String>,
    /// Since when objects whose failure is damped have failed, without a break; before the first look, the status knows.
    failing: Option<BTreeMap<ResourceKey, crate::api::Time>>,
    /// What the last reconcile saw, as far as a health step needs it.
    last_look: Option<health_step::LastLook>,
    /// When the first of these failures counts.
    failure_counts_in: Option<Duration>,
    /// Why the Application could not be read at all, once that is in its conditions.
    unreadable: Option<String>,
    /// Reconciles in a row that ended with a problem that may pass.
    failures: u32,
    /// Comparisons in a row in which not everything could be seen.
    gaps: u32,
    /// Whether Git is asked anew by the next reconcile: a refresh that was asked for while a sync ran left no trace.
    ask_git: bool,
    /// When Git was last asked, and when it is asked again.
    poll_at: Option<Instant>,
}

impl Shared {
    fn memory(&self, name: &ObjectName) -> Arc<tokio::sync::Mutex<Memory>> {
        let mut memories = self.memories.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(memories.entry(name.clone()).or_default())
    }

    fn forget(&self, name: &ObjectName) {
        self.queue.remove(name);
        self.renders.forget(name);
        self.store.remove_application(name);
        self.orphans.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        self.memories.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        self.meter.forgotten(name);
        for cluster in self.clusters.lock().unwrap_or_else(PoisonError::into_inner).values() {
            cluster.forget(name);
        }
    }

    /// Whether Applications of a namespace are this controller's business.
    fn serves(&self, namespace: &str) -> bool {
        namespace == self.options.namespace
            || names_namespace(&self.options.application_namespaces, namespace)
    }

    fn reconcile_all(&self) {
        for name in self.store.application_names() {
            self.queue.add(&name, Duration::ZERO);
        }
    }

    /// The application behind the instance of a tracking-id: `name`, or `namespace_name`; nothing where the object
    /// belongs to another installation or to an application that is not there.
    fn application_of(&self, instance: &str) -> Option<ObjectName> {
        let (instance, installation) = instance.split_once('@').unwrap_or((instance, ""));
        if installation != self.store.argocd_cm().installation_id {
            return None;
        }
        let own = ObjectName::new(&self.options.namespace, instance);
        let other = instance.split_once('_').map(|(namespace, name)| ObjectName::new(namespace, name));
        std::iter::once(own).chain(other).find(|name| self.store.application(name).is_some())
    }

    /// The applications as last seen, for metrics and lists.
    pub fn applications(&self) -> Vec<Arc<Application>> {
        self.store.applications()
    }

    /// How many objects in an application's namespace belong to nobody, where its project asks for that.
    pub fn orphaned(&self, name: &ObjectName) -> usize {
        self.orphans.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied().unwrap_or(0)
    }

    /// How many applications wait to be reconciled.
    pub fn queue_length(&self) -> usize {
        self.queue.len()
    }

    /// Whether the first lists of the controller's own kinds are complete.
    pub fn is_ready(&self) -> bool {
        self.ready.load(std::sync::atomic::Ordering::Acquire)
    }

    /// The clusters that are connected, by address.
    pub fn connected_clusters(&self) -> BTreeMap<String, ClusterSummary> {
        let clusters = self.clusters.lock().unwrap_or_else(PoisonError::into_inner);
        clusters.iter().map(|(server, cluster)| (server.clone(), cluster.summary())).collect()
    }

    /// Name of a cluster, as its Secret says it; `in-cluster` for the controller's own.
    pub fn cluster_name(&self, server: &str) -> String {
        match self.store.cluster(server) {
            Some(secret) => secret.name,
            None if server == IN_CLUSTER_SERVER => "in-cluster".to_owned(),
            None => String::new(),
        }
    }
}

/// The controller, ready to run.
pub struct Controller {
    shared: Arc<Shared>,
    changed: mpsc::UnboundedReceiver<Changed>,
}

impl Controller {
    /// Puts the controller together. `client` is for its own cluster, `requests` makes those for all others.
    pub fn new(
        client: Client,
        requests: Requests,
        options: ControllerOptions,
        meter: Arc<dyn Meter>,
    ) -> Self {
        let (changes, changed) = mpsc::unbounded_channel();
        let sources = Sources::new(SourcesOptions::new(options.cache.clone()), Arc::clone(&meter));
        let shared = Shared {
            client,
            requests,
            store: Store::default(),
            queue: Queue::default(),
            sources,
            renders: render_cache::RenderCache::default(),
            parsed: Arc::default(),
            meter,
            clusters: Mutex::default(),
            changes,
            scripts: LuaRunner::new(std::env::current_exe().ok().map(SandboxPool::new)),
            ready: std::sync::atomic::AtomicBool::new(false),
            orphans: Mutex::default(),
            memories: Mutex::default(),
            foreign_crd: std::sync::atomic::AtomicBool::new(false),
            options,
        };
        Self { shared: Arc::new(shared), changed }
    }

    /// What others may look at while the controller runs.
    pub fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Waits until this replica is the leader, and runs until `stop` is ready or the lease is lost.
    ///
    /// # Errors
    /// Where Leases may not be used, or the lease was lost.
    pub async fn run_as_leader(
        self,
        client: Client,
        candidate: Candidate,
        lease: Lease,
        stop: impl Future<Output = ()>,
    ) -> Result<(), Problem> {
        let mut election = leader::Election::new(client, candidate, lease);
        tokio::pin!(stop);
        // A replica that waits is as ready as it can be: a rollout must not wait for it to lead.
        self.shared.ready.store(true, std::sync::atomic::Ordering::Release);
        tokio::select! {
            won = election.win() => won?,
            () = &mut stop => return Ok(()),
        }
        self.shared.ready.store(false, std::sync::atomic::Ordering::Release);
        tokio::select! {
            lost = election.keep() => return Err(lost),
            () = self.run(stop) => {}
        }
        election.resign().await;
        Ok(())
    }

    /// Runs until `stop` is ready; reconciles that are under way then end first.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        tokio::select! {
            () = clusters::own_is_there(&self.shared) => {}
            () = &mut stop => return,
        }
        tokio::select! {
            () = watchers::start(&self.shared) => {}
            () = &mut stop => return,
        }
        self.shared.ready.store(true, std::sync::atomic::Ordering::Release);
        tracing::info!(applications = self.shared.store.application_names().len(), "watching Applications");
        let (stopping, stopped) = tokio::sync::watch::channel(false);
        let mut workers = JoinSet::new();
        for _ in 0..self.shared.options.workers.max(1) {
            workers.spawn(work(Arc::clone(&self.shared), stopped.clone()));
        }
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some(changed) = self.changed.recv() => {
                    if let Some(name) = self.shared.application_of(&changed.instance) {
                        self.shared.queue.ask(&name, changed.asks, Duration::ZERO);
                    }
                }
            }
        }
        tracing::info!("stopping: waiting for what is under way");
        let _ = stopping.send(true);
        while workers.join_next().await.is_some() {}
    }
}

async fn work(shared: Arc<Shared>, mut stopped: tokio::sync::watch::Receiver<bool>) {
    loop {
        let (name, asks) = tokio::select! {
            turn = shared.queue.next() => turn,
            _ = stopped.wait_for(|stopped| *stopped) => return,
        };
        let project = shared.store.application(&name).and_then(|stored| stored.application.ok());
        let project = project.map(|app| app.project().to_owned()).unwrap_or_default();
        let again = made_for(name.clone(), project, reconcile::guarded(&shared, &name, asks)).await;
        shared.queue.done(&name);
        if let Some(delay) = again {
            shared.queue.add(&name, delay);
        }
    }
}
