//! Our state as the annotation `tiphys.dev/state`, for Argo CD's CRD, whose status has no room for it.

use serde_json::Value;

use crate::api::TiphysStatus;

use super::bounded::weight;

/// The longest annotation, in bytes (DESIGN decision 8).
const LONGEST: usize = 8 * 1024;

/// The value of the annotation: JSON of at most 8 KiB, `null` where there is nothing to keep. Causes go first,
/// which the next look finds again, then the oldest drifts, healed ones before those that last, then the oldest makers of revisions.
pub fn state_annotation(state: &TiphysStatus) -> Value {
    if *state == TiphysStatus::default() {
        return Value::Null;
    }
    let mut state = state.clone();
    while weight(&state) > LONGEST {
        if let Some(told) = state.causes.iter().rposition(|cause| cause.failing_since.is_none()) {
            state.causes.remove(told);
        } else if let Some(healed) = state.drift.iter().position(|entry| entry.healed.is_some()) {
            state.drift.remove(healed);
        } else if !state.drift.is_empty() {
            state.drift.remove(0);
        } else if !state.revisions.is_empty() {
            state.revisions.remove(0);
        } else if state.causes.pop().is_some() {
        } else if state.omitted_resources.is_empty() {
            break;
        } else {
            state.omitted_resources.clear();
        }
    }
    serde_json::to_string(&state).map_or(Value::Null, Value::String)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{DriftEntry, decode_application};
    use serde_json::json;

    #[test]
    fn the_annotation_is_short_and_reads_back() {
        let entry = |index: usize| DriftEntry {
            group: "apps".into(),
            kind: "Deployment".into(),
            namespace: "n".repeat(63),
            name: format!("{}{index}", "x".repeat(240)),
            field: "/spec".repeat(60),
            live: "é\"".repeat(30),
            desired: "1".into(),
            manager: "m".into(),
            since: "2026-11-21T07:00:00Z".parse().unwrap(),
            healed: None,
            times: 1,
            recent: Vec::new(),
        };
        let state = TiphysStatus { drift: (0..20).map(entry).collect(), ..TiphysStatus::default() };
        let annotation = state_annotation(&state);
        assert!(annotation.as_str().unwrap().len() <= LONGEST);
        let app = decode_application(
            json!({"metadata": {"name": "a", "annotations": {"tiphys.dev/state": annotation}}}),
        );
        let read = app.unwrap().status.tiphys.drift;
        assert!(read.len() > 5 && read.last() == state.drift.last(), "{}", read.len());
        assert_eq!(state_annotation(&TiphysStatus::default()), Value::Null);
    }
}
