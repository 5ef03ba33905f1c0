//! `CreateNamespace=true`: the namespace of the destination, made before anything else.

use std::sync::Arc;

use serde_json::json;

use crate::api::{ManagedNamespaceMetadata, SyncPhase};
use crate::flow::{Action, Task, WriteOptions};
use crate::object::{Manifest, ResourceKey};

/// What is known about the destination's namespace when `CreateNamespace=true` is set.
#[derive(Clone, Debug)]
pub struct NamespaceCreation {
    /// Its name.
    pub name: String,
    /// The namespace, where it is there.
    pub live: Option<Arc<Manifest>>,
    /// Metadata that the application manages on it.
    pub metadata: Option<ManagedNamespaceMetadata>,
}

/// The task that makes the namespace, or that brings its managed metadata up to date.
pub(super) fn task(creation: &NamespaceCreation) -> Option<Task> {
    if creation.live.is_some() && creation.metadata.is_none() {
        return None;
    }
    let metadata = creation.metadata.clone().unwrap_or_default();
    let mut object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": creation.name}});
    if !metadata.labels.is_empty() {
        object["metadata"]["labels"] = json!(metadata.labels);
    }
    if !metadata.annotations.is_empty() {
        object["metadata"]["annotations"] = json!(metadata.annotations);
    }
    let object = Arc::new(Manifest::new(object).ok()?);
    Some(Task {
        phase: SyncPhase::PreSync,
        // Before any hook of any wave.
        wave: i64::MIN,
        key: ResourceKey::new("", "Namespace", "", &creation.name),
        gvk: object.gvk(),
        action: Action::Apply,
        object,
        live: creation.live.clone(),
        hook: None,
        delete_policies: Vec::new(),
        options: WriteOptions::default(),
        predicted: true,
        refused: None,
        forbidden: false,
        skipped: None,
        unconfirmed: None,
    })
}
