//! The status after a look at health alone.

use std::collections::BTreeMap;

use crate::api::{
    Application, ApplicationStatus, HealthCode, OperationState, ResourceCause, ResourceHealth, Time,
};
use crate::flow::HealthStatus;
use crate::object::ResourceKey;

use super::compose::health;

/// The status of an application where the health of some objects changed, from what to what, and nothing else.
pub fn with_health(
    app: &Application,
    changed: &BTreeMap<ResourceKey, (HealthStatus, HealthStatus)>,
    (code, message): (HealthCode, String),
    causes: Vec<ResourceCause>,
    now: Time,
) -> ApplicationStatus {
    let mut status = app.status.clone();
    status.tiphys.causes = causes;
    for one in &mut status.resources {
        let key = ResourceKey::new(&one.group, &one.kind, &one.namespace, &one.name);
        if let Some((_, now)) = changed.get(&key) {
            one.health = Some(ResourceHealth {
                status: Some(now.status),
                message: now.message.clone(),
                last_transition_time: None,
            });
        }
    }
    if let Some(state) = status.operation_state.as_mut().filter(|state| !state.phase.is_completed()) {
        for (key, (before, now)) in changed {
            follow(state, key, before, now);
        }
    }
    status.health = health(&app.status.health, code, message, now);
    status
}

/// An operation that waits for an object says why the object is not healthy.
fn follow(state: &mut OperationState, key: &ResourceKey, before: &HealthStatus, now: &HealthStatus) {
    if before.message.is_empty() || now.message.is_empty() {
        return;
    }
    let waits_for = format!("waiting for {}/{}: ", key.kind, key.name);
    let rest = state.message.strip_prefix(&waits_for).and_then(|rest| rest.strip_prefix(&before.message));
    if let Some(rest) = rest {
        state.message = format!("{waits_for}{}{rest}", now.message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::decode_application;
    use serde_json::json;

    #[test]
    fn only_what_changed_is_written_anew() {
        let resource = |name: &str| {
            json!({"group": "apps", "version": "v1", "kind": "Deployment", "namespace": "n", "name": name,
                   "status": "Synced", "health": {"status": "Progressing", "message": "starting"}})
        };
        let app = decode_application(json!({"metadata": {"name": "a"}, "status": {
            "resources": [resource("a"), resource("b")], "health": {"status": "Progressing"},
            "operationState": {"phase": "Running", "startedAt": "2026-01-01T00:00:00Z", "operation": {},
                               "message": "waiting for Deployment/b: starting and 1 more resources"}}}))
        .unwrap();
        let change = (HealthStatus::progressing("starting"), HealthStatus::degraded("crashes"));
        let changed = BTreeMap::from([(ResourceKey::new("apps", "Deployment", "n", "b"), change)]);
        let now = "2026-01-01T00:00:09Z".parse().unwrap();
        let status = with_health(
            &app,
            &changed,
            (HealthCode::Degraded, "Deployment/b: crashes".into()),
            Vec::new(),
            now,
        );
        assert_eq!(status.resources[0], app.status.resources[0]);
        assert_eq!(status.resources[1].health.as_ref().unwrap().message, "crashes");
        assert_eq!(
            (status.health.status, status.health.last_transition_time),
            (Some(HealthCode::Degraded), Some(now))
        );
        assert_eq!(
            status.operation_state.unwrap().message,
            "waiting for Deployment/b: crashes and 1 more resources"
        );
    }
}
