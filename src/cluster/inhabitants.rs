//! What lives in a namespace, whoever put it there: for the projects that want to hear of orphans.
//!
//! Names only, from paged lists of metadata of the namespaces that somebody asks about, kept for some minutes and
//! shared by all who ask: the cost is the number of kinds, not of applications.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use kube::api::ListParams;
use serde_json::Value;

use crate::flow::{Cause, Problem, Stage};
use crate::object::ResourceKey;

use super::tracked::is_made_by_others;
use super::{Cluster, KindInfo};

/// Objects per page.
const PAGE: u32 = 500;
/// Names of one kind in one namespace; what is beyond does not make the message clearer.
const MOST: usize = 5000;
/// Lists at the same time.
const PARALLEL: usize = 4;

/// An object that nobody else made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inhabitant {
    /// The object.
    pub key: ResourceKey,
    /// The instance that tracks it.
    pub tracked: Option<Arc<str>>,
}

/// What was seen of namespaces, and when.
pub(super) type Seen = tokio::sync::Mutex<HashMap<String, (Instant, Arc<Vec<Inhabitant>>)>>;

impl Cluster {
    /// The objects of a namespace that nobody else made, of all kinds but those that `leave_out` names, as they were
    /// at most `age` ago.
    ///
    /// # Errors
    /// Where a list fails for another reason than missing rights.
    pub async fn inhabitants(
        &self,
        namespace: &str,
        age: Duration,
        leave_out: impl Fn(&KindInfo) -> bool,
    ) -> Result<Arc<Vec<Inhabitant>>, Problem> {
        let mut seen = self.inhabitants.lock().await;
        if let Some((at, known)) = seen.get(namespace)
            && at.elapsed() <= age
        {
            return Ok(Arc::clone(known));
        }
        let kinds = self.discovery().preferred().await.map_err(|error| self.unreachable(&error))?;
        let kinds = kinds.into_iter().filter(|kind| kind.namespaced && kind.watchable && !leave_out(kind));
        let lists = stream::iter(kinds.map(|kind| self.list_names(kind, namespace)));
        let mut found = Vec::new();
        for list in lists.buffer_unordered(PARALLEL).collect::<Vec<_>>().await {
            found.extend(list?);
        }
        found.sort_unstable_by(|left, right| left.key.cmp(&right.key));
        let found = Arc::new(found);
        seen.insert(namespace.to_owned(), (Instant::now(), Arc::clone(&found)));
        Ok(found)
    }

    async fn list_names(&self, kind: Arc<KindInfo>, namespace: &str) -> Result<Vec<Inhabitant>, Problem> {
        let api = kind.api(self.client(), namespace);
        let mut found = Vec::new();
        let mut params = ListParams::default().limit(PAGE);
        while found.len() < MOST {
            let page = match api.list_metadata(&params).await {
                Ok(page) => page,
                // What may not be listed cannot be judged.
                Err(kube::Error::Api(status)) if matches!(status.code, 403..=405) => break,
                Err(error) => {
                    let message = format!("the objects of namespace {namespace} cannot be listed: {error}");
                    return Err(Problem::retry(Stage::Observe, Cause::DestinationUnreachable, message));
                }
            };
            let next = page.metadata.continue_.clone().filter(|next| !next.is_empty());
            found.extend(page.items.into_iter().filter_map(|item| self.inhabitant(&kind, item.metadata)));
            let Some(next) = next else { break };
            params = params.continue_token(&next);
        }
        Ok(found)
    }

    fn inhabitant(
        &self,
        kind: &KindInfo,
        metadata: k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta,
    ) -> Option<Inhabitant> {
        let name = metadata.name.clone()?;
        let namespace = metadata.namespace.clone().unwrap_or_default();
        let mut body = serde_json::json!({"apiVersion": kind.gvk.api_version(), "kind": kind.gvk.kind});
        body["metadata"] = serde_json::to_value(&metadata).unwrap_or(Value::Null);
        if is_made_by_others(&body) {
            return None;
        }
        let key = ResourceKey::new(&kind.gvk.group, &kind.gvk.kind, namespace, name);
        Some(Inhabitant { key, tracked: self.tracked_by().instance_of(&body) })
    }
}
