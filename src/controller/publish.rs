//! Writing an Application's status, and the events that tell of it.

use std::sync::atomic::Ordering;

use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::api::{
    API_VERSION, Application, ApplicationStatus, Condition, ConditionType, HealthCode, OperationPhase, Time,
    TiphysStatus,
};
use crate::cluster::WatchedObject;
use crate::flow::ObjectName;
use crate::object::at;
use crate::status::{merge_patch, state_annotation};

use super::{Shared, audit, watchers};

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
    if let Some(change) = merge_patch(&value(&app.status)?, &value(status)?) {
        patch["status"] = change;
    }
    let state_changed = app.status.tiphys != status.tiphys;
    let in_annotation = shared.foreign_crd.load(Ordering::Acquire);
    if state_changed && in_annotation {
        keep_state_in_annotation(&mut patch, status);
    }
    if changes.operation_taken {
        patch["operation"] = Value::Null;
    }
    if changes.refresh_heard {
        patch["metadata"]["annotations"][crate::api::annotations::REFRESH] = Value::Null;
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
    if state_changed
        && status.tiphys != TiphysStatus::default()
        && !in_annotation
        && at(&answer.body, &["status", "tiphys"]).is_none()
    {
        shared.foreign_crd.store(true, Ordering::Release);
        let mut state = json!({});
        keep_state_in_annotation(&mut state, status);
        answer = api.patch(app.name(), &params, &Patch::Merge(&state)).await?;
    }
    answer.complete(&watchers::applications());
    tell(shared, app, status);
    shared.store.put_application(&name, answer.body);
    Ok(())
}

/// Puts our state where Argo CD's CRD has room for it: into an annotation.
fn keep_state_in_annotation(patch: &mut Value, status: &ApplicationStatus) {
    if let Some(change) = patch.get_mut("status").and_then(Value::as_object_mut) {
        change.remove("tiphys");
        if change.is_empty() {
            drop(patch.as_object_mut().map(|patch| patch.remove("status")));
        }
    }
    patch["metadata"]["annotations"][crate::api::annotations::STATE] = state_annotation(&status.tiphys);
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

/// Tells of the transitions that people ask about, those of one write in one Event: each Event is a request, and
/// hundreds of applications that converge at once make thousands.
fn tell(shared: &Shared, app: &Application, status: &ApplicationStatus) {
    audit::record(app, status);
    let operation = operation_event(&app.status, status);
    let transition = transition(&app.status, status);
    let event = match (operation, transition) {
        (None, None) => return,
        (None, Some((kind, message))) => event(app, kind, "ResourceUpdated", &message),
        (Some((kind, reason, message)), None) => event(app, kind, reason, &message),
        (Some((kind, reason, message)), Some((_, also))) => {
            event(app, kind, reason, &format!("{message}; {also}"))
        }
    };
    send(shared, app, event);
}

/// Records an Event on an Application: type (`Normal`, `Warning`), reason, message.
pub(super) fn send_event(shared: &Shared, app: &Application, kind: &str, reason: &str, message: &str) {
    send(shared, app, event(app, kind, reason, message));
}

fn send(shared: &Shared, app: &Application, event: Value) {
    let resource = crate::cluster::resource("", "v1", "Event", "events");
    let api: Api<WatchedObject> = Api::namespaced_with(shared.client.clone(), app.namespace(), &resource);
    let name = app.name().to_owned();
    // Nothing waits for Events: they tell, they decide nothing.
    tokio::spawn(async move {
        let Ok(body) = serde_json::from_value::<WatchedObject>(event) else { return };
        if let Err(error) = api.create(&PostParams::default(), &body).await {
            tracing::debug!(application = name, error = %error, "the event was not recorded");
        }
    });
}

/// How sync status and health changed, in Argo CD's words.
fn transition(before: &ApplicationStatus, now: &ApplicationStatus) -> Option<(&'static str, String)> {
    let mut texts = Vec::new();
    if before.sync.status != now.sync.status {
        let (before, now) = (before.sync.status.as_str(), now.sync.status.as_str());
        texts.push(format!("Updated sync status: {before} -> {now}"));
    }
    let degraded = now.health.status == Some(HealthCode::Degraded);
    if before.health.status != now.health.status {
        let word = |code: Option<HealthCode>| code.map_or("", HealthCode::as_str);
        let because =
            if now.health.message.is_empty() { String::new() } else { format!(": {}", now.health.message) };
        let because = format!("{because}{}", cause_words(now));
        let (before, now) = (word(before.health.status), word(now.health.status));
        texts.push(format!("Updated health status: {before} -> {now}{because}"));
    }
    let kind = if degraded { "Warning" } else { "Normal" };
    (!texts.is_empty()).then(|| (kind, texts.join("; ")))
}

/// The causes, in the words of the closed list.
fn cause_words(now: &ApplicationStatus) -> String {
    let mut words: Vec<&str> = now.tiphys.causes.iter().map(|cause| cause.reason.as_str()).collect();
    words.sort_unstable();
    words.dedup();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
}

/// That an operation started or ended.
fn operation_event(
    before: &ApplicationStatus,
    now: &ApplicationStatus,
) -> Option<(&'static str, &'static str, String)> {
    let phase = |status: &ApplicationStatus| {
        status.operation_state.as_ref().map(|state| (state.phase, state.started_at))
    };
    let state = now.operation_state.as_ref().filter(|_| phase(before) != phase(now))?;
    let revision = state.sync_result.as_ref().map(|result| result.revision.as_str()).unwrap_or_default();
    let by = audit::words(now, state);
    Some(match state.phase {
        OperationPhase::Succeeded => {
            ("Normal", "OperationCompleted", format!("Sync operation to {revision} succeeded{by}"))
        }
        phase if phase.is_completed() => (
            "Warning",
            "OperationCompleted",
            format!("Sync operation to {revision} failed: {}{by}", state.message),
        ),
        _ => ("Normal", "OperationStarted", format!("Initiated sync to {revision}{by}")),
    })
}

/// Longest text of an Event, in characters.
const LONGEST: usize = 1000;

fn event(app: &Application, kind: &str, reason: &str, message: &str) -> Value {
    let now = Time::new(jiff::Timestamp::now());
    let message: String = message.chars().take(LONGEST).collect();
    json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"generateName": format!("{}.", app.name()), "namespace": app.namespace()},
        "involvedObject": {
            "apiVersion": API_VERSION, "kind": "Application", "name": app.name(), "namespace": app.namespace(),
            "uid": app.metadata.uid, "resourceVersion": app.metadata.resource_version,
        },
        "type": kind, "reason": reason, "message": message, "count": 1,
        "firstTimestamp": now, "lastTimestamp": now,
        "source": {"component": "tiphys"}, "reportingComponent": "tiphys", "reportingInstance": "tiphys",
    })
}
