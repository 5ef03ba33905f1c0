//! Moves the ownership of fields before an apply, where the comparison says that it has to.

use std::time::Duration;

use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::api::annotations::FIELD_MANAGER;
use crate::cluster::{Cluster, KindInfo, OwnedObject};
use crate::diff::with_ownership;
use crate::flow::Task;

use super::again;

/// Tries against others who write the object in between.
const TRIES: u32 = 5;

/// Writes `managedFields` alone, and only over the very state that was read.
pub(super) async fn move_ownership(
    cluster: &Cluster,
    kind: &KindInfo,
    task: &Task,
) -> Result<(), kube::Error> {
    let change = &task.options.ownership;
    let released: &[&[&str]] = if change.release_replicas { &[&["spec", "replicas"]] } else { &[] };
    let api: Api<OwnedObject> = kind.api_of(cluster.client(), &task.key.namespace);
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..PatchParams::default() };
    let mut tries = 0;
    loop {
        let Some(there) = again(|| api.get_opt(&task.key.name)).await? else { return Ok(()) };
        let Some(after) = with_ownership(&there.managed, &change.migrate, released) else { return Ok(()) };
        let version = there.object.body.pointer("/metadata/resourceVersion").cloned().unwrap_or(Value::Null);
        let patch = Patch::Merge(json!({"metadata": {"managedFields": after, "resourceVersion": version}}));
        tries += 1;
        match again(|| api.patch(&task.key.name, &params, &patch)).await {
            Err(kube::Error::Api(status)) if status.code == 409 && tries < TRIES => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            other => return other.map(drop),
        }
    }
}
