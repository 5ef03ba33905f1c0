//! Who did what: one line per operation that starts or ends, under the log target `audit`, and the words of its Event.

use crate::api::{
    Application, ApplicationStatus, OperationInitiator, OperationState, RevisionNote, SyncOperation,
};

/// The note of an operation's info by which the command line says who ended it.
pub(super) const TERMINATED_BY: &str = "terminatedBy";

/// One line where an operation started, ended, or changed its phase; nothing else.
pub(super) fn record(app: &Application, status: &ApplicationStatus) {
    let phase = |status: &ApplicationStatus| {
        status.operation_state.as_ref().map(|state| (state.phase, state.started_at))
    };
    let Some(state) = status.operation_state.as_ref().filter(|_| phase(&app.status) != phase(status)) else {
        return;
    };
    let sync = state.operation.sync.clone().unwrap_or_default();
    let revision = revision_of(state);
    let made = maker(status, &revision);
    tracing::info!(
        target: "audit",
        application = %format!("{}/{}", app.namespace(), app.name()),
        project = app.project(),
        server = app.spec.destination.server,
        namespace = app.spec.destination.namespace,
        action = if sync.source.is_some() { "rollback" } else { "sync" },
        result = state.phase.as_str(),
        user = who(&state.operation.initiated_by),
        automated = state.operation.initiated_by.automated,
        terminated_by = terminated_by(state),
        revision,
        author = made.map(|made| made.author.as_str()),
        date = made.and_then(|made| made.date).map(|date| date.to_string()),
        subject = made.map(|made| made.subject.as_str()),
        overrides = overrides(&sync, state.operation.initiated_by.automated).join(" "),
        retry = state.retry_count,
        started = %state.started_at,
        detail = state.message,
        "operation {}", state.phase.as_str()
    );
}

/// `by alice: Raise the limit (Bob <bob@example.com>)`, for an Event.
pub(super) fn words(status: &ApplicationStatus, state: &OperationState) -> String {
    let by = match terminated_by(state) {
        Some(user) => format!(" by {}, terminated by {user}", who(&state.operation.initiated_by)),
        None => format!(" by {}", who(&state.operation.initiated_by)),
    };
    match maker(status, &revision_of(state)) {
        Some(made) => format!("{by}: {} ({})", made.subject, made.author),
        None => by,
    }
}

/// The revision of an operation; those of several sources separated by commas.
fn revision_of(state: &OperationState) -> String {
    let Some(result) = &state.sync_result else { return String::new() };
    if result.revisions.is_empty() { result.revision.clone() } else { result.revisions.join(",") }
}

/// Who made one of the revisions: the first that is known.
fn maker<'a>(status: &'a ApplicationStatus, revisions: &str) -> Option<&'a RevisionNote> {
    revisions.split(',').find_map(|id| status.tiphys.revisions.iter().find(|known| known.revision == id))
}

fn who(initiator: &OperationInitiator) -> &str {
    match initiator.username.as_str() {
        "" if initiator.automated => "automated sync policy",
        "" => "unknown",
        name => name,
    }
}

fn terminated_by(state: &OperationState) -> Option<&str> {
    let info = state.operation.info.iter().find(|info| info.name == TERMINATED_BY)?;
    Some(&info.value)
}

/// In what an operation that somebody asked for goes beyond a plain sync of the spec.
fn overrides(sync: &SyncOperation, automated: bool) -> Vec<String> {
    let strategy = sync.sync_strategy.as_ref();
    let how = strategy.and_then(|strategy| strategy.hook.as_ref().or(strategy.apply.as_ref()));
    let mut words = Vec::new();
    let mut add = |applies: bool, word: String| words.extend(applies.then_some(word));
    add(sync.dry_run, "dry-run".into());
    add(sync.prune && !automated, "prune".into());
    add(how.is_some_and(|how| how.force), "force".into());
    add(strategy.is_some_and(|strategy| strategy.apply.is_some()), "without-hooks".into());
    add(!sync.resources.is_empty(), format!("resources={}", sync.resources.len()));
    add(!sync.revision.is_empty() && !automated, format!("revision={}", sync.revision));
    add(!sync.manifests.is_empty(), format!("manifests={}", sync.manifests.len()));
    add(!sync.sync_options.0.is_empty(), format!("options={}", sync.sync_options.0.join(",")));
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::decode_application;
    use serde_json::json;

    #[test]
    fn an_event_says_who_and_which_commit() {
        let app = decode_application(json!({"status": {
            "operationState": {"operation": {"initiatedBy": {"username": "alice"}, "sync": {"prune": true, "revision": "v2"},
                    "info": [{"name": "terminatedBy", "value": "carol"}]},
                "phase": "Running", "startedAt": "2026-11-21T07:00:00Z", "syncResult": {"revision": "abc"}},
            "tiphys": {"revisions": [{"revision": "abc", "author": "Bob <bob@example.com>", "subject": "Raise the limit"}]}}}));
        let status = app.unwrap().status;
        let state = status.operation_state.as_ref().unwrap();
        assert_eq!(
            words(&status, state),
            " by alice, terminated by carol: Raise the limit (Bob <bob@example.com>)"
        );
        assert_eq!(overrides(state.operation.sync.as_ref().unwrap(), false), ["prune", "revision=v2"]);
    }
}
