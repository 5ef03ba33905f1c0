//! Writes that take the place of the object that is there: `Replace=true` and `Force=true`.

use std::time::Duration;

use kube::Api;
use kube::api::{DeleteParams, PostParams, PropagationPolicy};

use crate::api::annotations;
use crate::cluster::{Cluster, KindInfo, WatchedObject};
use crate::diff::normalized;
use crate::flow::Task;
use crate::object::{Manifest, str_at};

use super::{Applying, TRIES, again, gone, is_passing};

/// `Replace=true`: a PUT of the whole object, or a POST where there is none.
///
/// With `Force=true` it is deleted and created, but for kinds that take others with them when they go.
pub(super) async fn replace(
    cluster: &Cluster,
    kind: &KindInfo,
    task: &Task,
    how: Applying<'_>,
) -> Result<WatchedObject, kube::Error> {
    let api = kind.api(cluster.client(), &task.key.namespace);
    let params = posting(how);
    if task.live.is_none() {
        let body = to_watched(&task.object)?;
        return again(|| api.create(&params, &body)).await;
    }
    let takes_others = matches!(task.key.kind.as_str(), "Namespace" | "CustomResourceDefinition");
    if task.options.force && !takes_others {
        return recreate(&api, task, how).await;
    }
    let mut tries = 0;
    loop {
        // Somebody may have written since the comparison: the whole object is Git's all the same.
        let Some(there) = again(|| api.get_opt(&task.key.name)).await? else {
            let body = to_watched(&task.object)?;
            return again(|| api.create(&params, &body)).await;
        };
        let mut object = (*task.object).clone();
        let version = str_at(&there.body, &["metadata", "resourceVersion"]).unwrap_or_default();
        if let Some(metadata) =
            object.body_mut().get_mut("metadata").and_then(|metadata| metadata.as_object_mut())
        {
            metadata.insert("resourceVersion".into(), version.into());
        }
        let body = to_watched(&object)?;
        tries += 1;
        match again(|| api.replace(&task.key.name, &params, &body)).await {
            Err(kube::Error::Api(status)) if status.code == 409 && tries < TRIES => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            other => return other,
        }
    }
}

fn posting(how: Applying<'_>) -> PostParams {
    PostParams { dry_run: how.dry_run, field_manager: Some(annotations::FIELD_MANAGER.into()) }
}

/// What cannot be changed is deleted and created again. What a dry run can say of it is that the object could be deleted.
pub(super) async fn recreate(
    api: &Api<WatchedObject>,
    task: &Task,
    how: Applying<'_>,
) -> Result<WatchedObject, kube::Error> {
    let params = DeleteParams {
        dry_run: how.dry_run,
        propagation_policy: Some(PropagationPolicy::Background),
        ..DeleteParams::default()
    };
    again(|| api.delete(&task.key.name, &params)).await.map(drop).or_else(gone)?;
    if how.dry_run {
        return to_watched(&task.object);
    }
    match create_anew(api, &task.object, how).await {
        // The new one is refused for another reason: the old one was better than nothing.
        Err(error) if !is_passing(&error) => {
            if let Some(old) = task.live.as_ref().and_then(|live| Manifest::new(normalized(live)).ok())
                && let Err(lost) = create_anew(api, &old, how).await
            {
                tracing::error!(object = %task.key, "deleted to be created anew, and could not be brought back: {lost}");
            }
            Err(error)
        }
        other => other,
    }
}

/// Creates an object whose predecessor was just deleted.
async fn create_anew(
    api: &Api<WatchedObject>,
    object: &Manifest,
    how: Applying<'_>,
) -> Result<WatchedObject, kube::Error> {
    let (params, body) = (posting(how), to_watched(object)?);
    // Finalizers may keep the old one for a while: the create is refused until it is gone, and tried again.
    let mut pause = Duration::from_millis(50);
    loop {
        match again(|| api.create(&params, &body)).await {
            Err(kube::Error::Api(status)) if status.code == 409 && pause < Duration::from_secs(4) => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            other => return other,
        }
    }
}

fn to_watched(object: &Manifest) -> Result<WatchedObject, kube::Error> {
    serde_json::from_value(object.body().clone()).map_err(kube::Error::SerdeError)
}
