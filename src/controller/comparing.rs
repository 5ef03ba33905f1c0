//! From manifests to a comparison: what tracks them, what is there, and what may not be there.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::api::{Application, SyncCode, annotations};
use crate::cluster::{Foreseeing, Formerly, ObserveRequest};
use crate::diff::{Comparing, IgnoreRules, Owner, compare, shared_resources};
use crate::flow::{Cause, Comparison, Manifests, Observation, Problem, Stage};
use crate::object::{Manifest, ResourceKey};
use crate::project::permits_object;
use crate::render::{LONGEST_LABEL, Scope, Tracking, track};
use crate::settings::TrackingMethod;

use super::recall::Scopes;
use super::reconcile::Work;
use super::rendering::Joined;
use super::results::id_of;
use super::warnings::split_excluded;

/// Marks the objects, observes the cluster, and compares.
pub(super) async fn look(
    work: &Work<'_>,
    joined: Joined,
    rules: &Arc<IgnoreRules>,
) -> Result<(Manifests, Comparison, Vec<Problem>), Problem> {
    let (wanted, notes) = split_excluded(work, joined.objects);
    let scopes = scopes(work, &wanted).await?;
    let settings = work.shared.store.argocd_cm();
    let instance = work.app.instance_name(&work.shared.options.namespace);
    if settings.tracking == TrackingMethod::Label && instance.len() > LONGEST_LABEL {
        // Cut, it could be another application's, which would then prune this one's objects.
        return Err(Problem::stalled(
            Stage::Validate,
            Cause::InvalidSpec,
            format!(
                "labels hold {LONGEST_LABEL} characters, {instance} has {}: shorten the name, or set \
                 application.resourceTrackingMethod to annotation",
                instance.len()
            ),
        ));
    }
    let tracking = Tracking {
        instance: &instance,
        method: settings.tracking,
        label: &settings.instance_label,
        namespace: &work.destination.namespace,
        installation_id: &settings.installation_id,
    };
    let objects = work.recall.tracked(&wanted, format!("{tracking:?}"), scopes, |scopes| {
        let scope_of = |object: &Manifest| scopes.get(&object.gvk()).copied().unwrap_or(Scope::Unknown);
        track(&wanted, &tracking, scope_of)
    });
    let (revision, revisions) = match joined.several {
        true => (String::new(), joined.revisions),
        false => (joined.revisions.into_iter().next().unwrap_or_default(), Vec::new()),
    };
    let manifests = Manifests {
        objects,
        source_types: joined.source_types,
        revision,
        revisions,
        warnings: joined.warnings,
    };
    let comparison = compare_again(work, &manifests, rules).await?;
    Ok((manifests, comparison, notes))
}

/// Observes and compares the same manifests anew, after writes.
pub(super) async fn compare_again(
    work: &Work<'_>,
    manifests: &Manifests,
    rules: &Arc<IgnoreRules>,
) -> Result<Comparison, Problem> {
    let seen = observe(work, manifests, rules, &work.instance()).await?;
    let mut comparison = work
        .recall
        .compare(rules, |remembered| compare(manifests, &seen, Comparing { ignore: rules }, remembered));
    refuse_unknown_kinds(&mut comparison, &seen);
    refuse_kinds(work, &mut comparison, &seen);
    leave_alone(work, &mut comparison);
    comparison.problems.extend(shared(work, &comparison));
    Ok(comparison)
}

/// Objects that Git no longer holds, and that the project no longer allows, are nobody's to delete.
fn leave_alone(work: &Work<'_>, comparison: &mut Comparison) {
    let Some(project) = work.shared.store.project(&work.shared.options.namespace, work.app.project()) else {
        return;
    };
    let before = comparison.resources.len();
    comparison.resources.retain(|one| {
        let namespaced = !one.key.namespace.is_empty();
        one.desired.is_some() || permits_object(&project.spec, &work.destination, &one.key, namespaced)
    });
    let differs = comparison
        .resources
        .iter()
        .any(|one| one.status == SyncCode::OutOfSync && !one.annotations.is_hook());
    if before != comparison.resources.len() && comparison.status == SyncCode::OutOfSync && !differs {
        comparison.status = SyncCode::Synced;
    }
}

/// Warnings of objects that other applications track.
fn shared(work: &Work<'_>, comparison: &Comparison) -> Vec<Problem> {
    let settings = work.shared.store.argocd_cm();
    let owner = Owner {
        application: &format!("{}/{}", work.app.namespace(), work.app.name()),
        instance: &work.app.instance_name(&work.shared.options.namespace),
        installation: &settings.installation_id,
        method: settings.tracking,
        label: &settings.instance_label,
    };
    shared_resources(comparison, &owner)
}

async fn scopes(work: &Work<'_>, objects: &[Arc<Manifest>]) -> Result<Scopes, Problem> {
    let mut scopes = Scopes::new();
    for gvk in objects.iter().map(|object| object.gvk()).collect::<BTreeSet<_>>() {
        let found = work.cluster.discovery().find(&gvk).await.map_err(|error| {
            let message = format!("cluster {} does not answer: {error}", work.destination.server);
            Problem::retry(Stage::Observe, Cause::DestinationUnreachable, message)
        })?;
        let scope = match found {
            Some(kind) if kind.namespaced => Scope::Namespaced,
            Some(_) => Scope::Cluster,
            None => Scope::Unknown,
        };
        scopes.insert(gvk, scope);
    }
    Ok(scopes)
}

/// Observes what the manifests want, what the application used before, and the destination's namespace.
pub(super) async fn observe(
    work: &Work<'_>,
    manifests: &Manifests,
    rules: &IgnoreRules,
    instance: &str,
) -> Result<Observation, Problem> {
    let known_kinds = work.known_kinds();
    let (former, label) = (work.former_objects(), work.shared.store.argocd_cm().instance_label.clone());
    let operation = operation(&work.app);
    let request = ObserveRequest {
        operation: &operation,
        desired: &manifests.objects,
        known_kinds: &known_kinds,
        also: &[],
        formerly: Formerly { objects: &former, label: &label },
        instance,
        predict: Some(foreseeing(&work.app, rules)),
        now: work.now,
    };
    let mut recall = work.recall.to_observe();
    let seen = work.cluster.observe(&request, &mut recall).await;
    work.recall.observed(recall);
    seen
}

/// The operation whose hooks matter: the one that runs.
fn operation(app: &Application) -> String {
    let running = app.status.operation_state.as_ref().filter(|state| !state.phase.is_completed());
    running.map(id_of).unwrap_or_default()
}

/// What the application says about comparing and applying.
fn foreseeing<'a>(app: &'a Application, rules: &'a IgnoreRules) -> Foreseeing<'a> {
    let options = app.spec.sync_policy.as_ref().map(|policy| &policy.sync_options);
    let switch = |key: &str| options.and_then(|options| options.switch(key));
    Foreseeing {
        rules,
        respect: switch("RespectIgnoreDifferences") == Some(true),
        migrates: switch("ClientSideApplyMigration") != Some(false),
        migration_manager: app
            .annotation(annotations::CLIENT_SIDE_APPLY_MIGRATION_MANAGER)
            .unwrap_or_default(),
        compare_options: app.annotation(annotations::COMPARE_OPTIONS).unwrap_or_default(),
    }
}

/// An object of a kind that the cluster does not know, and that no CRD of the same set brings.
fn refuse_unknown_kinds(comparison: &mut Comparison, seen: &Observation) {
    let brought: BTreeSet<(String, String)> = comparison
        .resources
        .iter()
        .filter(|one| one.key.kind == "CustomResourceDefinition")
        .filter_map(|one| {
            let body = one.desired.as_ref()?.body();
            let text = |path: &[&str]| crate::object::str_at(body, path).map(str::to_owned);
            Some((text(&["spec", "group"])?, text(&["spec", "names", "kind"])?))
        })
        .collect();
    let mut problems = Vec::new();
    for one in &mut comparison.resources {
        let kind = one.key.group_kind();
        let known = seen.namespaced.contains(&kind) || seen.cluster_scoped.contains(&kind);
        let skips = one.annotations.options.switch("SkipDryRunOnMissingResource") == Some(true);
        if known
            || skips
            || brought.contains(&(kind.group.clone(), kind.kind.clone()))
            || one.problem.is_some()
        {
            continue;
        }
        let problem = Problem::stalled(
            Stage::Compare,
            Cause::KindUnknown,
            format!(
                "The Kubernetes API could not find {kind} for requested resource {}/{}. Make sure the \"{}\" CRD is \
                 installed on the destination cluster",
                one.key.namespace, one.key.name, kind.kind
            ),
        );
        one.problem = Some(problem.clone());
        problems.push(problem);
    }
    comparison.problems.extend(problems);
}

/// Objects whose kind the project does not allow.
fn refuse_kinds(work: &Work<'_>, comparison: &mut Comparison, seen: &Observation) {
    let Some(project) = work.shared.store.project(&work.shared.options.namespace, work.app.project()) else {
        return;
    };
    let mut problems = Vec::new();
    for one in comparison.resources.iter_mut().filter(|one| one.desired.is_some()) {
        let namespaced = !seen.cluster_scoped.contains(&one.key.group_kind());
        let permitted = permits_object(&project.spec, &work.destination, &one.key, namespaced);
        if !permitted && one.problem.is_none() {
            let problem = Problem::stalled(
                Stage::Sync,
                Cause::NotPermitted,
                format!(
                    "resource {} is not permitted in project {}",
                    kind_and_name(&one.key),
                    work.app.project()
                ),
            );
            one.problem = Some(problem.clone());
            problems.push(problem);
        }
    }
    comparison.problems.extend(problems);
}

fn kind_and_name(key: &ResourceKey) -> String {
    format!("{}:{} {}/{}", key.group, key.kind, key.namespace, key.name)
}
