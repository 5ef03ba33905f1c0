//! A field that differs: who wrote it, and what can be done about it.

use serde_json::Value;

use crate::api::annotations::FIELD_MANAGER;
use crate::api::{Application, IgnoreDifferences};
use crate::flow::{Comparison, FieldDifference, FieldWriter, ResourceComparison};
use crate::object::{ResourceKey, str_at};

use super::desired::FIGHT;
use super::{Evidence, Finding, Level, last_writer, writers_of};

/// The longest value that is printed, in characters.
const LONGEST_VALUE: usize = 80;

/// Who wrote the live value of a field, as far as managedFields say.
pub(super) fn writer(
    evidence: &Evidence<'_>,
    one: &ResourceComparison,
    field: &FieldDifference,
) -> Option<FieldWriter> {
    let Some(entries) = evidence.managed_fields.get(&one.key) else { return noted(evidence, one, field) };
    let live = one.live.as_ref()?.body();
    match &field.live {
        Some(_) => writers_of(entries, live, &field.pointer).into_iter().next(),
        None => last_writer(entries, FIELD_MANAGER),
    }
}

/// What the drift ledger says of a field, where nobody asked for managedFields.
fn noted(evidence: &Evidence<'_>, one: &ResourceComparison, field: &FieldDifference) -> Option<FieldWriter> {
    let key = &one.key;
    let entry = evidence.app.status.tiphys.drift.iter().find(|entry| {
        entry.healed.is_none()
            && entry.field == field.pointer
            && (&entry.group, &entry.kind, &entry.namespace, &entry.name)
                == (&key.group, &key.kind, &key.namespace, &key.name)
    })?;
    let manager = entry.manager.clone();
    (!manager.is_empty()).then(|| FieldWriter { manager, time: Some(entry.since), ..FieldWriter::default() })
}

/// Whether the live value is somebody else's, not an older wish of Git.
pub(super) fn is_foreign(writer: Option<&FieldWriter>) -> bool {
    writer.is_some_and(|writer| writer.manager != FIELD_MANAGER)
}

/// A value as it is printed: short.
pub(super) fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else { return "absent".to_owned() };
    let text = value.to_string();
    if text.chars().count() <= LONGEST_VALUE {
        return text;
    }
    let cut: String = text.chars().take(LONGEST_VALUE).collect();
    format!("{cut}…")
}

/// `kubectl-edit`, `kube-controller-manager through /scale`.
pub(super) fn name_of(writer: &FieldWriter) -> String {
    let through = if writer.subresource.is_empty() {
        String::new()
    } else {
        format!(" through /{}", writer.subresource)
    };
    format!("{}{through}", writer.manager)
}

/// One field that somebody else wrote.
pub(super) fn drifted(
    evidence: &Evidence<'_>,
    one: &ResourceComparison,
    field: &FieldDifference,
    writer: Option<FieldWriter>,
) -> Finding {
    let message = format!(
        "{} is {}, Git says {}",
        field.pointer,
        shown(field.live.as_ref()),
        shown(field.predicted.as_ref())
    );
    let mut finding = Finding::new(Level::Compare, Some(&one.key), message);
    finding.since = writer.as_ref().and_then(|writer| writer.time);
    finding.field = Some(field.clone());
    let scaler =
        (field.pointer == "/spec/replicas").then(|| scaler_of(evidence.comparison, &one.key)).flatten();
    let rule = IgnoreDifferences::of_field(
        &one.key.group,
        &one.key.kind,
        &one.key.namespace,
        &one.key.name,
        &field.pointer,
    );
    if let Some(scaler) = scaler {
        finding = finding.advise(format!(
            "{scaler} sets the replicas: take the field out of Git, or add to spec.ignoreDifferences:\n{}",
            rule.snippet()
        ));
    } else {
        finding = finding.advise(put_back(evidence.app, &super::named(&one.key), &field.pointer));
        if is_foreign(writer.as_ref()) {
            finding = finding.advise(format!(
                "to leave the field to its writer, add to spec.ignoreDifferences:\n{}",
                rule.snippet()
            ));
        }
    }
    finding.written_by = writer;
    finding
}

fn put_back(app: &Application, object: &str, field: &str) -> String {
    let fight = app.status.conditions.iter().find(|one| one.kind.as_str() == FIGHT);
    if fight.is_some_and(|fight| fight.message.contains(object) && fight.message.contains(field)) {
        return "two writers overwrite each other, so self-heal pauses (FieldFightWarning): keep the other one from writing it"
            .to_owned();
    }
    let policy = app.spec.sync_policy.as_ref().and_then(|policy| policy.automated.as_ref());
    let heals = policy.is_some_and(|automated| automated.self_heal) && app.spec.is_automated();
    if heals {
        "self-heal puts Git's value back".to_owned()
    } else {
        format!("self-heal is off: `tiphys app sync {}` puts Git's value back", app.name())
    }
}

/// The object of this application that scales a workload.
fn scaler_of(comparison: Option<&Comparison>, key: &ResourceKey) -> Option<String> {
    comparison?.resources.iter().find_map(|one| {
        let body = one.live.as_ref().or(one.desired.as_ref())?.body();
        let target = |field: &str| str_at(body, &["spec", "scaleTargetRef", field]);
        let scales = matches!(one.key.kind.as_str(), "HorizontalPodAutoscaler" | "ScaledObject")
            && one.key.namespace == key.namespace
            && target("name") == Some(&key.name)
            && target("kind").is_none_or(|kind| kind == key.kind);
        scales.then(|| super::named(&one.key))
    })
}
