//! The kinds that a cluster knows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::core::ApiResource;
use kube::discovery::{Scope, verbs};
use kube::{Api, Client, core};
use tokio::sync::RwLock;

use crate::object::GroupVersionKind;

use super::WatchedObject;

/// One version of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindInfo {
    /// Group, version and kind.
    pub gvk: GroupVersionKind,
    /// What requests are made of.
    pub resource: ApiResource,
    /// Whether objects of the kind live in namespaces.
    pub namespaced: bool,
    /// Whether the kind can be listed and watched.
    pub watchable: bool,
}

impl KindInfo {
    /// The name of the CRD that brings the kind, where one does.
    pub(super) fn crd_name(&self) -> String {
        format!("{}.{}", self.resource.plural, self.resource.group)
    }

    /// Requests for objects of the kind: in a namespace, which does not matter where the kind lives in none.
    pub fn api(&self, client: Client, namespace: &str) -> Api<WatchedObject> {
        self.api_of(client, namespace)
    }

    /// The same for objects in another form.
    pub fn api_of<K>(&self, client: Client, namespace: &str) -> Api<K>
    where
        K: kube::Resource<DynamicType = ApiResource, Scope = core::DynamicResourceScope>,
    {
        if self.namespaced {
            Api::namespaced_with(client, namespace, &self.resource)
        } else {
            Api::all_with(client, &self.resource)
        }
    }
}

#[derive(Debug, Default)]
struct Known {
    kinds: BTreeMap<GroupVersionKind, Arc<KindInfo>>,
    /// Each kind once, in the version that the API server recommends.
    preferred: Vec<Arc<KindInfo>>,
    version: String,
    asked_at: Option<Instant>,
}

/// What was discovered, asked for anew when somebody wants a kind that is not known.
pub struct Discovery {
    client: Client,
    known: RwLock<Known>,
}

/// The API server is not asked more often than this because of kinds that it does not know.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(3);

impl Discovery {
    pub(super) fn new(client: Client) -> Self {
        Self { client, known: RwLock::default() }
    }

    /// A kind in a version; nothing where the cluster does not know it, even when asked again.
    ///
    /// # Errors
    /// Where the API server does not answer.
    pub async fn find(&self, gvk: &GroupVersionKind) -> Result<Option<Arc<KindInfo>>, kube::Error> {
        if let Some(kind) = self.known.read().await.kinds.get(gvk) {
            return Ok(Some(Arc::clone(kind)));
        }
        let mut known = self.known.write().await;
        let stale = known.asked_at.is_none_or(|asked| asked.elapsed() >= ASK_AGAIN_AFTER);
        if stale && !known.kinds.contains_key(gvk) {
            *known = ask(&self.client).await?;
        }
        Ok(known.kinds.get(gvk).map(Arc::clone))
    }

    /// The version of Kubernetes; empty while nobody has asked for it, or while it is being asked.
    pub(super) fn version(&self) -> String {
        self.known.try_read().map(|known| known.version.clone()).unwrap_or_default()
    }

    /// Makes the next question for an unknown kind reach the API server, since a CRD was just applied.
    pub async fn expect_new_kinds(&self) {
        self.known.write().await.asked_at = None;
    }

    /// Forgets the kinds of these CRDs, so that they are asked for anew.
    pub(super) async fn forget(&self, crds: &BTreeSet<&str>) {
        let mut known = self.known.write().await;
        known.kinds.retain(|_, kind| !crds.contains(kind.crd_name().as_str()));
        known.asked_at = None;
    }

    /// Each kind once.
    ///
    /// # Errors
    /// Where the API server does not answer.
    pub(super) async fn preferred(&self) -> Result<Vec<Arc<KindInfo>>, kube::Error> {
        let mut known = self.known.write().await;
        if known.asked_at.is_none() {
            *known = ask(&self.client).await?;
        }
        Ok(known.preferred.clone())
    }

    /// The version of Kubernetes (`v1.35.4`) and all kinds as `[group/]version/Kind`, for charts.
    ///
    /// # Errors
    /// Where the API server does not answer.
    pub async fn capabilities(&self) -> Result<(String, Vec<String>), kube::Error> {
        if self.known.read().await.asked_at.is_none() {
            let mut known = self.known.write().await;
            if known.asked_at.is_none() {
                *known = ask(&self.client).await?;
            }
        }
        let known = self.known.read().await;
        let mut versions: Vec<String> = Vec::new();
        for gvk in known.kinds.keys() {
            versions.push(gvk.api_version());
            versions.push(format!("{}/{}", gvk.api_version(), gvk.kind));
        }
        versions.sort_unstable();
        versions.dedup();
        Ok((known.version.clone(), versions))
    }
}

async fn ask(client: &Client) -> Result<Known, kube::Error> {
    let version = client.apiserver_version().await?.git_version;
    let discovered = kube::Discovery::new(client.clone()).run_aggregated().await?;
    let mut kinds = BTreeMap::new();
    let mut preferred = Vec::new();
    for group in discovered.groups() {
        let recommended = group.preferred_version_or_latest();
        for version in group.versions() {
            for (resource, capabilities) in group.versioned_resources(version) {
                let gvk = GroupVersionKind {
                    group: resource.group.clone(),
                    version: resource.version.clone(),
                    kind: resource.kind.clone(),
                };
                let info = KindInfo {
                    namespaced: capabilities.scope == Scope::Namespaced,
                    watchable: capabilities.supports_operation(verbs::LIST)
                        && capabilities.supports_operation(verbs::WATCH),
                    gvk: gvk.clone(),
                    resource: core::ApiResource::clone(&resource),
                };
                let info = Arc::new(info);
                if gvk.version == recommended {
                    preferred.push(Arc::clone(&info));
                }
                kinds.insert(gvk, info);
            }
        }
    }
    Ok(Known { kinds, preferred, version, asked_at: Some(Instant::now()) })
}
