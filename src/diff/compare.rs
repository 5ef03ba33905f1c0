//! Puts desired and live objects side by side.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value;

use crate::api::{ResourceAnnotations, SyncCode, annotations};
use crate::flow::{
    Cause, Comparison, FieldDifference, Manifests, Observation, Prediction, Problem, ResourceComparison,
    Stage, Writing,
};
use crate::object::{Manifest, ResourceKey, mask_pair};

use super::{
    IgnoreRules, KnownFields, Remembered, differences, managed_fields, normalize, normalize_kind, structural,
};

/// What `compare` needs besides manifests and observation.
#[derive(Clone, Copy, Debug)]
pub struct Comparing<'a> {
    /// Fields that do not count.
    pub ignore: &'a IgnoreRules,
}

/// Compares what a revision wants with what was seen. Objects that are as they were when `remembered` took them in are
/// not compared again.
pub fn compare(
    manifests: &Manifests,
    seen: &Observation,
    how: Comparing<'_>,
    remembered: &mut Remembered,
) -> Comparison {
    let mut problems = Vec::new();
    let mut wanted: HashMap<ResourceKey, Arc<Manifest>> = HashMap::with_capacity(manifests.objects.len());
    let mut again: BTreeMap<ResourceKey, usize> = BTreeMap::new();
    for object in &manifests.objects {
        if wanted.insert(object.key(), Arc::clone(object)).is_some() {
            *again.entry(object.key()).or_insert(1_usize) += 1;
        }
    }
    problems.extend(again.iter().map(|(key, count)| repeated(key, *count)));
    let mut resources: Vec<ResourceComparison> = Vec::with_capacity(wanted.len());
    remembered.bound(wanted.len());
    for (key, desired) in &wanted {
        let compare = || compare_one(key.clone(), Arc::clone(desired), seen, how);
        resources.push(remembered.or_compare(key, desired, seen, compare));
    }
    for (key, live) in &seen.live {
        if !wanted.contains_key(key) {
            resources.push(surplus(key, live));
        }
    }
    resources.sort_unstable_by(|left, right| left.key.cmp(&right.key));
    problems.extend(seen.gaps.values().cloned());
    problems.extend(resources.iter().filter_map(|one| one.problem.clone()));
    Comparison { status: verdict(&resources, seen), resources, problems }
}

fn verdict(resources: &[ResourceComparison], seen: &Observation) -> SyncCode {
    let counts = |one: &&ResourceComparison| !one.annotations.is_hook();
    if resources.iter().filter(counts).any(|one| one.status == SyncCode::OutOfSync) {
        SyncCode::OutOfSync
    } else if !seen.is_complete()
        || resources.iter().filter(counts).any(|one| one.status == SyncCode::Unknown)
    {
        SyncCode::Unknown
    } else {
        SyncCode::Synced
    }
}

fn repeated(key: &ResourceKey, count: usize) -> Problem {
    let message = format!(
        "Resource {key} appeared {count} times among application resources; the last one is used: remove the others"
    );
    Problem::stalled(Stage::Compare, Cause::RepeatedResource, message)
}

fn compare_one(
    key: ResourceKey,
    desired: Arc<Manifest>,
    seen: &Observation,
    how: Comparing<'_>,
) -> ResourceComparison {
    let read = ResourceAnnotations::of(&desired);
    let live = seen.live.get(&key).cloned();
    let mut one = ResourceComparison {
        annotations: read,
        status: SyncCode::OutOfSync,
        unchanged: false,
        predicted: false,
        requires_pruning: false,
        differences: Vec::new(),
        problem: None,
        writing: seen.writing.get(&key).cloned().unwrap_or_default(),
        desired: Some(Arc::clone(&desired)),
        live: live.clone(),
        key,
    };
    if let Some(gap) = seen.gaps.get(&one.key.group_kind()) {
        one.status = SyncCode::Unknown;
        one.problem = Some(gap.clone());
        return one;
    }
    let Some(live) = live else { return one };
    if one.annotations.is_hook() {
        // A hook that is left from an earlier sync is replaced, not compared.
        one.status = SyncCode::Synced;
        return one;
    }
    let predicted = match seen.predictions.get(&one.key) {
        Some(Prediction::Object(predicted)) if Arc::ptr_eq(predicted, &live) => {
            // The apply changes nothing, so there is nothing to look for.
            (one.predicted, one.unchanged, one.status) = (true, true, SyncCode::Synced);
            return one;
        }
        Some(Prediction::Object(predicted)) => Some(normalize::normalized(predicted)),
        Some(Prediction::Refused(problem)) => {
            one.problem = Some(problem.clone());
            None
        }
        None => None,
    };
    one.predicted = predicted.is_some();
    one.differences = match predicted {
        Some(predicted) => {
            let normal_live = normalize::normalized(&live);
            one.unchanged = predicted == normal_live;
            let owners = seen.owners.get(&one.key).map_or(&[][..], |owners| owners.as_slice());
            remaining(&one.key, predicted, normal_live, owners, how)
        }
        None => structural_differences(&desired, &live, how),
    };
    if one.differences.is_empty() || ignores_content(&desired, &live) {
        one.status = SyncCode::Synced;
    }
    if desired.is_secret() && !one.differences.is_empty() {
        one.differences = masked(&desired, &live);
    }
    one
}

/// Desired and live after all normalisation, told without the API server: what an apply would leave, and what is
/// there. `known` are the fields of custom resources that hold types of Kubernetes.
pub fn structural_diff(
    desired: &Manifest,
    live: &Manifest,
    ignore: &IgnoreRules,
    known: &KnownFields,
) -> (Value, Value) {
    let key = desired.key();
    let last = structural::last_applied(live.body());
    let (mut wanted, mut there) = (desired.body().clone(), live.body().clone());
    let owners = managed_fields(live.body());
    ignore.remove_managed(&key, owners, &mut wanted, &mut there);
    let mut last = last.filter(Value::is_object);
    for body in [Some(&mut wanted), Some(&mut there), last.as_mut()].into_iter().flatten() {
        normalize_kind(body, known);
        ignore.remove_ignored(&key, body);
    }
    structural::predict(last.as_ref(), &wanted, &there)
}

fn structural_differences(desired: &Manifest, live: &Manifest, how: Comparing<'_>) -> Vec<FieldDifference> {
    let (mut predicted, mut there) = structural_diff(desired, live, how.ignore, how.ignore.known());
    normalize::strip_server_fields(&mut predicted);
    normalize::strip_server_fields(&mut there);
    differences(&predicted, &there)
}

/// `argocd.argoproj.io/compare-result: IgnoreDifference`.
fn ignores_content(desired: &Manifest, live: &Manifest) -> bool {
    [desired, live]
        .iter()
        .any(|object| object.annotation(annotations::COMPARE_RESULT) == Some("IgnoreDifference"))
}

fn remaining(
    key: &ResourceKey,
    mut predicted: Value,
    mut live: Value,
    owners: &[Value],
    how: Comparing<'_>,
) -> Vec<FieldDifference> {
    for body in [&mut predicted, &mut live] {
        how.ignore.known().normalize(body);
    }
    if how.ignore.concerns(key) {
        how.ignore.remove_managed(key, owners, &mut predicted, &mut live);
        how.ignore.remove_ignored(key, &mut predicted);
        how.ignore.remove_ignored(key, &mut live);
    }
    differences(&predicted, &live)
}

fn masked(desired: &Manifest, live: &Manifest) -> Vec<FieldDifference> {
    let ignore = IgnoreRules::default();
    let (mut predicted, mut there) = structural_diff(desired, live, &ignore, &KnownFields::default());
    normalize::strip_server_fields(&mut predicted);
    normalize::strip_server_fields(&mut there);
    let (predicted, live) = mask_pair(&predicted, &there);
    differences(predicted.body(), live.body())
}

pub(super) fn surplus(key: &ResourceKey, live: &Arc<Manifest>) -> ResourceComparison {
    let read = ResourceAnnotations::of(live);
    let extraneous = live
        .annotation(annotations::COMPARE_OPTIONS)
        .is_some_and(|options| options.split(',').any(|word| word.trim() == "IgnoreExtraneous"));
    let counts = !read.is_hook() && !extraneous;
    ResourceComparison {
        key: key.clone(),
        desired: None,
        live: Some(Arc::clone(live)),
        status: if counts { SyncCode::OutOfSync } else { SyncCode::Synced },
        unchanged: false,
        predicted: false,
        requires_pruning: !read.is_hook(),
        annotations: read,
        differences: Vec::new(),
        problem: None,
        writing: Writing::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::SourceType;
    use crate::flow::{PathLanguage, PathQuery, ScriptError};
    use crate::settings::Customizations;
    use serde_json::json;

    struct NoLanguage;

    impl PathLanguage for NoLanguage {
        fn compile(&self, _: &str) -> Result<Arc<dyn PathQuery>, ScriptError> {
            Err(ScriptError("no expressions here".into()))
        }
    }

    fn manifest(body: Value) -> Arc<Manifest> {
        Arc::new(Manifest::new(body).unwrap())
    }

    fn config(value: &str) -> Arc<Manifest> {
        manifest(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "n"},
                        "data": {"key": value}}))
    }

    fn seen(live: &[Arc<Manifest>]) -> Observation {
        let mut seen = Observation::empty("2026-11-21T00:00:00Z".parse().unwrap());
        seen.live = live.iter().map(|object| (object.key(), Arc::clone(object))).collect();
        seen
    }

    fn wanted(objects: &[Arc<Manifest>]) -> Manifests {
        Manifests {
            objects: objects.to_vec(),
            source_types: vec![SourceType::Directory],
            revision: "abc".into(),
            revisions: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn status_of(desired: &[Arc<Manifest>], seen: &Observation, ignore: &IgnoreRules) -> Comparison {
        compare(&wanted(desired), seen, Comparing { ignore }, &mut Remembered::default())
    }

    #[test]
    fn a_prediction_decides() {
        let mut seen = seen(&[config("live")]);
        seen.predictions.insert(config("x").key(), Prediction::Object(config("live")));
        let comparison = status_of(&[config("git")], &seen, &IgnoreRules::default());
        assert_eq!(comparison.status, SyncCode::Synced, "what the API server predicts is what counts");
    }

    #[test]
    fn what_git_no_longer_holds_requires_pruning() {
        let comparison = status_of(&[], &seen(&[config("live")]), &IgnoreRules::default());
        assert_eq!(comparison.status, SyncCode::OutOfSync);
        assert!(comparison.resources[0].requires_pruning);
    }

    #[test]
    fn ignored_fields_do_not_count() {
        let rule = crate::api::IgnoreDifferences {
            kind: "ConfigMap".into(),
            json_pointers: vec!["/data/key".into()],
            ..Default::default()
        };
        let (rules, problems) = IgnoreRules::read(&[rule], &Customizations::default(), &NoLanguage);
        assert!(problems.is_empty());
        assert_eq!(status_of(&[config("git")], &seen(&[config("live")]), &rules).status, SyncCode::Synced);
    }

    #[test]
    fn a_gap_is_unknown_and_never_synced() {
        let mut seen = seen(&[]);
        let gap = Problem::retry(Stage::Observe, Cause::Incomplete, "the list of ConfigMaps failed");
        seen.gaps.insert(config("x").key().group_kind(), gap);
        assert_eq!(status_of(&[config("git")], &seen, &IgnoreRules::default()).status, SyncCode::Unknown);
    }

    #[test]
    fn differences_of_secrets_show_no_value() {
        let secret = |value: &str| {
            manifest(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
                            "data": {"token": value}}))
        };
        let comparison = status_of(&[secret("bmV3")], &seen(&[secret("b2xk")]), &IgnoreRules::default());
        let shown = serde_json::to_string(&comparison.resources[0].differences).unwrap();
        assert!(
            shown.contains("/data/token") && !shown.contains("bmV3") && !shown.contains("b2xk"),
            "{shown}"
        );
    }
}
