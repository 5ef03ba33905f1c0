//! What is read only where somebody asks why: field ownership, events, endpoints. Nothing here is watched or kept.

use std::collections::BTreeMap;

use kube::Api;
use kube::api::ListParams;
use serde_json::Value;

use crate::flow::{EndpointFacts, EventFacts};
use crate::object::{GroupVersionKind, ResourceKey, at, i64_at, list_at, str_at};

use super::{Cluster, WatchedObject, resource};

/// Events, endpoint slices and pods that one question reads at most, per namespace.
const MOST: u32 = 500;

impl Cluster {
    /// `metadata.managedFields` of one object, by a request for its metadata alone. Nothing where the object is not
    /// there or may not be read: who wrote a field is then not known.
    pub async fn managed_fields(&self, gvk: &GroupVersionKind, key: &ResourceKey) -> Option<Value> {
        let kind = self.discovery().find(gvk).await.ok()??;
        let found = kind.api(self.client(), &key.namespace).get_metadata(&key.name).await;
        match found {
            Ok(found) => serde_json::to_value(found.metadata.managed_fields.unwrap_or_default()).ok(),
            Err(error) => {
                tracing::debug!(object = %key, %error, "managedFields could not be read");
                None
            }
        }
    }

    /// The newest events of a namespace; none where they may not be read.
    pub async fn events(&self, namespace: &str) -> Vec<EventFacts> {
        let items = self.some(namespace, &resource("", "v1", "Event", "events"), "").await;
        items.iter().map(event).collect()
    }

    /// What stands behind Services: name and selector of each. Services with endpoints cost no request of their own.
    pub async fn endpoints(
        &self,
        namespace: &str,
        services: &[(&str, &Value)],
    ) -> BTreeMap<String, EndpointFacts> {
        let slices = self
            .some(namespace, &resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"), "")
            .await;
        let mut found = BTreeMap::new();
        for (name, selector) in services {
            let own = slices.iter().filter(|slice| {
                str_at(slice, &["metadata", "labels", "kubernetes.io/service-name"]) == Some(*name)
            });
            let ready = own
                .flat_map(|slice| list_at(slice, &["endpoints"]))
                .filter(|endpoint| is_ready(endpoint))
                .count();
            let pods = if ready > 0 { Vec::new() } else { self.selected(namespace, selector).await };
            let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
            found.insert((*name).to_owned(), EndpointFacts { ready: count(ready), pods: count(pods.len()) });
        }
        found
    }

    async fn selected(&self, namespace: &str, selector: &Value) -> Vec<Value> {
        let pairs = selector.as_object().into_iter().flatten();
        let words: Vec<String> =
            pairs.filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?))).collect();
        self.some(namespace, &resource("", "v1", "Pod", "pods"), &words.join(",")).await
    }

    /// One page of a list.
    async fn some(&self, namespace: &str, resource: &kube::core::ApiResource, labels: &str) -> Vec<Value> {
        let api: Api<WatchedObject> = Api::namespaced_with(self.client(), namespace, resource);
        let mut params = ListParams::default().limit(MOST);
        if !labels.is_empty() {
            params = params.labels(labels);
        }
        match api.list(&params).await {
            Ok(list) => list.items.into_iter().map(|object| object.body).collect(),
            Err(error) => {
                tracing::debug!(namespace, kind = resource.kind, %error, "could not be listed");
                Vec::new()
            }
        }
    }
}

fn is_ready(endpoint: &Value) -> bool {
    // An endpoint that does not say is ready, by the API's own words.
    at(endpoint, &["conditions", "ready"]).and_then(Value::as_bool) != Some(false)
}

fn event(body: &Value) -> EventFacts {
    let text = |path: &[&str]| str_at(body, path).unwrap_or_default().to_owned();
    let times =
        [&["series", "lastObservedTime"][..], &["lastTimestamp"], &["eventTime"], &["firstTimestamp"]];
    let count = i64_at(body, &["series", "count"]).or_else(|| i64_at(body, &["count"])).unwrap_or(1);
    EventFacts {
        about: ResourceKey::new(
            "",
            text(&["involvedObject", "kind"]),
            text(&["involvedObject", "namespace"]),
            text(&["involvedObject", "name"]),
        ),
        reason: text(&["reason"]),
        message: text(&["message"]),
        warning: str_at(body, &["type"]) == Some("Warning"),
        count: u64::try_from(count).unwrap_or(1),
        last: times.iter().find_map(|path| str_at(body, path)?.parse().ok()),
    }
}
