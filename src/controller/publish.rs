//! Writing an Application's status, and the events that tell of it.

use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::api::{API_VERSION, Application, ApplicationStatus, Condition, ConditionType, Time};
use crate::cluster::WatchedObject;
use crate::flow::ObjectName;
use crate::status::merge_patch;

use super::{Shared, watchers};

/// What a reconcile changes on the Application besides its status.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    /// Takes the operation away: it has become `status.operationState`.
    pub(super) operation_taken: bool,
    /// Takes the refresh annotation away.
    pub(super) refresh_heard: bool,
    /// Sets the finalizers.
    pub(super) finalizers: Option<Vec<String>>,
}

/// Writes what changed, in one merge patch; nothing where nothing did. The Application's store gets the answer.
pub(super) async fn publish(
    shared: &Shared,
    app: &Application,
    status: &ApplicationStatus,
    changes: &Changes,
) -> Result<(), kube::Error> {
    let value = |status: &ApplicationStatus| serde_json::to_value(status).map_err(kube::Error::SerdeError);
    let mut patch = json!({});
    if let Some(status) = merge_patch(&value(&app.status)?, &value(status)?) {
        patch["status"] = status;
    }
    if changes.operation_taken {
        patch["operation"] = Value::Null;
    }
    if changes.refresh_heard {
        patch["metadata"]["annotations"] = json!({crate::api::annotations::REFRESH: null});
    }
    if let Some(finalizers) = &changes.finalizers {
        patch["metadata"]["finalizers"] = json!(finalizers);
    }
    if patch.as_object().is_none_or(serde_json::Map::is_empty) {
        return Ok(());
    }
    let name = ObjectName::new(app.namespace(), app.name());
    let api: Api<WatchedObject> =
        Api::namespaced_with(shared.client.clone(), app.namespace(), &watchers::applications());
    let params = PatchParams { field_manager: Some("tiphys".into()), ..PatchParams::default() };
    let mut answer = api.patch(app.name(), &params, &Patch::Merge(&patch)).await?;
    answer.complete(&watchers::applications());
    tell(shared, app, status).await;
    shared.store.put_application(&name, answer.body);
    Ok(())
}

/// The condition of an Application that cannot be read: its status is not known, so only the conditions are written.
pub(super) async fn publish_unreadable(shared: &Shared, name: &ObjectName, message: &str) {
    let condition = Condition {
        kind: ConditionType::InvalidSpecError,
        message: message.to_owned(),
        last_transition_time: Some(Time::new(jiff::Timestamp::now())),
    };
    let patch = json!({"status": {"conditions": [condition]}});
    let api: Api<WatchedObject> =
        Api::namespaced_with(shared.client.clone(), &name.namespace, &watchers::applications());
    let params = PatchParams { field_manager: Some("tiphys".into()), ..PatchParams::default() };
    if let Err(error) = api.patch(&name.name, &params, &Patch::Merge(&patch)).await {
        tracing::warn!(application = %name, error = %error, "the condition could not be written");
    }
}

/// An Event for each transition that people ask about.
async fn tell(shared: &Shared, app: &Application, status: &ApplicationStatus) {
    let mut events: Vec<(&str, &str, String)> = Vec::new();
    if app.status.sync.status != status.sync.status {
        let (before, now) = (app.status.sync.status.as_str(), status.sync.status.as_str());
        events.push(("Normal", "ResourceUpdated", format!("Updated sync status: {before} -> {now}")));
    }
    if app.status.health.status != status.health.status {
        let word = |code: Option<crate::api::HealthCode>| code.map_or("", crate::api::HealthCode::as_str);
        let because = if status.health.message.is_empty() {
            String::new()
        } else {
            format!(": {}", status.health.message)
        };
        let text = format!(
            "Updated health status: {} -> {}{because}",
            word(app.status.health.status),
            word(status.health.status)
        );
        events.push(("Normal", "ResourceUpdated", text));
    }
    let phase = |status: &ApplicationStatus| {
        status.operation_state.as_ref().map(|state| (state.phase, state.started_at))
    };
    if let Some(state) = status.operation_state.as_ref().filter(|_| phase(&app.status) != phase(status)) {
        let revision = state.sync_result.as_ref().map(|result| result.revision.as_str()).unwrap_or_default();
        events.push(match state.phase {
            crate::api::OperationPhase::Succeeded => {
                ("Normal", "OperationCompleted", format!("Sync operation to {revision} succeeded"))
            }
            phase if phase.is_completed() => (
                "Warning",
                "OperationCompleted",
                format!("Sync operation to {revision} failed: {}", state.message),
            ),
            _ => ("Normal", "OperationStarted", format!("Initiated sync to {revision}")),
        });
    }
    for (kind, reason, message) in events {
        send_event(shared, app, kind, reason, &message).await;
    }
}

/// Longest text of an Event, in characters.
const LONGEST: usize = 1000;

async fn send_event(shared: &Shared, app: &Application, kind: &str, reason: &str, message: &str) {
    let now = Time::new(jiff::Timestamp::now());
    let message: String = message.chars().take(LONGEST).collect();
    let event = json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"generateName": format!("{}.", app.name()), "namespace": app.namespace()},
        "involvedObject": {
            "apiVersion": API_VERSION, "kind": "Application", "name": app.name(), "namespace": app.namespace(),
            "uid": app.metadata.uid, "resourceVersion": app.metadata.resource_version,
        },
        "type": kind, "reason": reason, "message": message, "count": 1,
        "firstTimestamp": now, "lastTimestamp": now,
        "source": {"component": "tiphys"}, "reportingComponent": "tiphys", "reportingInstance": "tiphys",
    });
    let resource = watchers::resource("", "v1", "Event", "events");
    let api: Api<WatchedObject> = Api::namespaced_with(shared.client.clone(), app.namespace(), &resource);
    let body = serde_json::from_value::<WatchedObject>(event);
    if let Ok(body) = body
        && let Err(error) = api.create(&PostParams::default(), &body).await
    {
        tracing::debug!(application = app.name(), error = %error, "the event was not recorded");
    }
}
