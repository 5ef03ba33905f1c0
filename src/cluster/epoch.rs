//! What changes the API server's answers though no object changes: schemas of CRDs, and mutating webhooks.
//!
//! Metadata of both is watched, never their content. Where one changes, what was foreseen of the kinds that it concerns
//! is forgotten, and the applications that have objects of them look again. Objects of a CRD are listed anew as well: a
//! default of the new schema shows in lists, and no watch tells of it.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Weak;
use std::time::Duration;

use futures::StreamExt;
use kube::core::{ApiResource, DynamicObject, PartialObjectMeta};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{Cluster, resource};

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Noticed {
    /// A CRD, by its name (`plural.group`).
    Crd(String),
    /// Mutating webhooks.
    Webhooks,
}

/// An API server uses a new schema or a new webhook a moment after it has accepted it, and another replica of it later:
/// so long after a change it is asked anew, twice.
const AGAIN: [Duration; 2] = [Duration::from_millis(700), Duration::from_secs(5)];

/// The tasks that follow a cluster; they end with this.
pub(super) struct Following(Vec<JoinHandle<()>>);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

/// Follows a cluster. Without a runtime nobody asks for anything.
pub(super) fn follow(cluster: Weak<Cluster>, client: &Client) -> Option<Following> {
    let runtime = tokio::runtime::Handle::try_current().ok()?;
    let (sender, noticed) = mpsc::unbounded_channel();
    let crds =
        resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions");
    let webhooks = resource(
        "admissionregistration.k8s.io",
        "v1",
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations",
    );
    Some(Following(vec![
        runtime.spawn(watch(client.clone(), crds, sender.clone(), Noticed::Crd)),
        runtime.spawn(watch(client.clone(), webhooks, sender, |_| Noticed::Webhooks)),
        runtime.spawn(heed(cluster, noticed)),
    ]))
}

/// Generations by name: what is written besides, such as status, changes no answer.
type Generations = HashMap<String, i64>;

async fn watch(
    client: Client,
    resource: ApiResource,
    sink: mpsc::UnboundedSender<Noticed>,
    notice: impl Fn(String) -> Noticed,
) {
    let api: Api<PartialObjectMeta<DynamicObject>> = Api::all_with(client, &resource);
    let mut events = pin!(watcher(api, watcher::Config::default().page_size(250)).default_backoff());
    let (mut known, mut listing): (Option<Generations>, Generations) = (None, Generations::new());
    while let Some(event) = events.next().await {
        let changed = match event {
            Ok(Event::Init) => {
                listing.clear();
                Vec::new()
            }
            Ok(Event::InitApply(object)) => {
                listing.insert(
                    object.metadata.name.unwrap_or_default(),
                    object.metadata.generation.unwrap_or(0),
                );
                Vec::new()
            }
            Ok(Event::InitDone) => {
                let now = std::mem::take(&mut listing);
                let changed = known.as_ref().map(|known| differing(known, &now)).unwrap_or_default();
                known = Some(now);
                changed
            }
            Ok(Event::Apply(object)) => {
                let (name, now) =
                    (object.metadata.name.unwrap_or_default(), object.metadata.generation.unwrap_or(0));
                let before = known.get_or_insert_default().insert(name.clone(), now);
                if before == Some(now) { Vec::new() } else { vec![name] }
            }
            Ok(Event::Delete(object)) => {
                let name = object.metadata.name.unwrap_or_default();
                known.get_or_insert_default().remove(&name);
                vec![name]
            }
            // Whoever may not look learns of changes by a hard refresh.
            Err(watcher::Error::InitialListFailed(kube::Error::Api(status)))
                if matches!(status.code, 401 | 403 | 404) =>
            {
                tracing::debug!(kind = resource.kind, "may not be watched: {}", status.message);
                return;
            }
            Err(_) => Vec::new(),
        };
        for name in changed {
            let _ = sink.send(notice(name));
        }
    }
}

/// Names that are in one of two lists only, or in both with other generations.
fn differing(before: &Generations, now: &Generations) -> Vec<String> {
    let changed = now.iter().filter(|(name, generation)| before.get(*name) != Some(*generation));
    let gone = before.keys().filter(|name| !now.contains_key(*name));
    changed.map(|(name, _)| name).chain(gone).cloned().collect()
}

async fn heed(cluster: Weak<Cluster>, mut noticed: mpsc::UnboundedReceiver<Noticed>) {
    while let Some(first) = noticed.recv().await {
        let mut all = vec![first];
        for pause in AGAIN {
            tokio::time::sleep(pause).await;
            while let Ok(more) = noticed.try_recv() {
                all.push(more);
            }
            all.dedup();
            let Some(cluster) = cluster.upgrade() else { return };
            cluster.look_again(&all).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_tells_what_came_went_and_changed_in_between() {
        let list = |of: &[(&str, i64)]| of.iter().map(|(name, one)| ((*name).to_owned(), *one)).collect();
        let (before, now): (Generations, Generations) =
            (list(&[("same", 1), ("other", 1), ("gone", 1)]), list(&[("same", 1), ("other", 2), ("new", 1)]));
        let mut changed = differing(&before, &now);
        changed.sort();
        assert_eq!(changed, ["gone", "new", "other"]);
    }
}
