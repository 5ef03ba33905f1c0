//! The watch of one kind.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::flow::{Cause, Meter, Problem, Stage};
use crate::object::ResourceKey;

use super::observe::made_by;
use super::store::Store;
use super::{Asks, Changed, KindInfo, TrackedBy, WatchedObject};

/// Objects per page of a list: a page is held as text once, so this bounds the peak.
const PAGE: u32 = 250;

/// How far the watch is.
#[derive(Clone, Debug)]
enum State {
    /// The first list is not complete.
    Starting,
    /// The store is complete and follows the cluster.
    Synced,
    /// The list or the watch fails, with the reason.
    Failing(String),
}

/// The watch of one kind and what it knows.
pub(super) struct KindWatch {
    info: KindInfo,
    store: Arc<Store>,
    state: watch::Receiver<State>,
    task: JoinHandle<()>,
}

impl Drop for KindWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl KindWatch {
    pub(super) fn start(
        client: Client,
        info: KindInfo,
        server: String,
        tracked_by: TrackedBy,
        changes: mpsc::UnboundedSender<Changed>,
        meter: Arc<dyn Meter>,
    ) -> Arc<Self> {
        let store = Arc::new(Store::new(tracked_by));
        let (sender, state) = watch::channel(State::Starting);
        let task = tokio::spawn(run(
            client,
            info.clone(),
            Arc::clone(&store),
            Sink { server, changes, meter, state: sender },
        ));
        Arc::new(Self { info, store, state, task })
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Whether the store follows the cluster.
    pub(super) fn is_synced(&self) -> bool {
        matches!(*self.state.borrow(), State::Synced)
    }

    pub(super) fn info(&self) -> &KindInfo {
        &self.info
    }

    /// Waits until the first list is complete.
    ///
    /// # Errors
    /// Where it fails, or takes longer than the deadline. What the store holds then may be incomplete.
    pub(super) async fn ready(&self, deadline: Duration) -> Result<(), Problem> {
        let mut state = self.state.clone();
        let settled = state.wait_for(|state| !matches!(state, State::Starting));
        let reason = match tokio::time::timeout(deadline, settled).await {
            Ok(Ok(state)) => match &*state {
                State::Failing(reason) => reason.clone(),
                State::Starting | State::Synced => return Ok(()),
            },
            Ok(Err(_)) => "the watch ended".to_owned(),
            Err(_) => format!("the list did not come within {} s", deadline.as_secs()),
        };
        let message = format!(
            "failed to list {}: {reason}; objects of this kind are neither compared nor pruned until it works",
            self.info.gvk
        );
        Err(Problem::retry(Stage::Observe, Cause::Incomplete, message))
    }
}

struct Sink {
    server: String,
    changes: mpsc::UnboundedSender<Changed>,
    meter: Arc<dyn Meter>,
    state: watch::Sender<State>,
}

impl Sink {
    fn tell(&self, info: &KindInfo, namespace: &str, name: &str, instance: Arc<str>) {
        let key = ResourceKey::new(&info.gvk.group, &info.gvk.kind, namespace, name);
        // The receiver is gone only when the process ends.
        let server = self.server.clone();
        let _ = self.changes.send(Changed { server, instance, key, asks: Asks::Reconcile });
    }
}

async fn run(client: Client, info: KindInfo, store: Arc<Store>, sink: Sink) {
    let api: Api<WatchedObject> = Api::all_with(client, &info.resource);
    let config = watcher::Config::default().page_size(PAGE);
    let mut events = pin!(watcher(api, config).default_backoff());
    let mut listing = false;
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => listing = take(event, listing, &info, &store, &sink),
            Err(error) => {
                tracing::warn!(kind = %info.gvk, error = %error, "watch failed, trying again");
                // A watch that breaks after a complete list loses nothing: it resumes, or lists again.
                let _ = sink.state.send_if_modified(|state| {
                    let starting = !matches!(state, State::Synced);
                    if starting {
                        *state = State::Failing(error.to_string());
                    }
                    starting
                });
            }
        }
    }
}

/// Takes one event in. Gives whether a list is being read.
fn take(event: Event<WatchedObject>, listing: bool, info: &KindInfo, store: &Store, sink: &Sink) -> bool {
    if matches!(event, Event::Apply(_) | Event::Delete(_)) {
        sink.meter.cluster_event(&sink.server, &info.gvk.group, &info.gvk.kind);
    }
    match event {
        Event::Init => {
            store.begin_list();
            true
        }
        Event::InitApply(mut object) | Event::Apply(mut object) => {
            object.complete(&info.resource);
            let (namespace, name) = (object.namespace().to_owned(), object.name().to_owned());
            for instance in store.insert(object, false) {
                sink.tell(info, &namespace, &name, instance);
            }
            listing
        }
        Event::Delete(mut object) => {
            let gone = store.remove(object.namespace(), object.name());
            if made_by(&object.body).is_some() {
                object.complete(&info.resource);
                store.depart(&object);
            }
            if let Some(instance) = gone {
                sink.tell(info, object.namespace(), object.name(), instance);
            }
            listing
        }
        Event::InitDone => {
            for ((namespace, name), instance) in store.end_list() {
                sink.tell(info, &namespace, &name, instance);
            }
            let _ = sink.state.send(State::Synced);
            false
        }
    }
}
