//! Explanations as they are printed.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Evidence, Explanation, Plain, explain};
use crate::api::{Application, HealthCode, ResourceAnnotations, SyncCode, decode_application};
use crate::flow::{
    Cause, Comparison, EndpointFacts, EventFacts, FieldDifference, HealthStatus, NoController, PodCause,
    Problem, Reason, ResourceComparison, Stage,
};
use crate::object::{Manifest, ResourceKey};

const COMMIT: &str = "3f2a1bc00000000000000000000000000000000a";

fn app(status: Value) -> Application {
    decode_application(json!({
        "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {"project": "default", "source": {"repoURL": "https://git.example.com/shop.git", "targetRevision": "main"},
                 "syncPolicy": {"automated": {"prune": true}}},
        "status": status,
    }))
    .unwrap()
}

/// A status after a sync to the commit that ended in a phase.
fn synced(phase: &str, message: &str, results: Value) -> Value {
    json!({"operationState": {
        "operation": {"sync": {}}, "phase": phase, "message": message, "startedAt": "2026-11-21T07:00:00Z",
        "syncResult": {"revision": COMMIT, "resources": results},
    }})
}

fn object(kind: &str, name: &str, rest: Value) -> Arc<Manifest> {
    let api = match kind {
        "Deployment" => "apps/v1",
        "Job" => "batch/v1",
        "HorizontalPodAutoscaler" => "autoscaling/v2",
        _ => "v1",
    };
    let mut body = json!({"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": "shop"}});
    for (field, value) in rest.as_object().into_iter().flatten() {
        if field == "annotations" {
            body["metadata"]["annotations"] = value.clone();
        } else {
            body[field] = value.clone();
        }
    }
    Arc::new(Manifest::new(body).unwrap())
}

fn compared(
    object: &Arc<Manifest>,
    status: SyncCode,
    differences: Vec<FieldDifference>,
) -> ResourceComparison {
    ResourceComparison {
        key: object.key(),
        desired: Some(Arc::clone(object)),
        live: Some(Arc::clone(object)),
        annotations: ResourceAnnotations::of(object),
        status,
        unchanged: status == SyncCode::Synced,
        writing: Default::default(),
        predicted: true,
        requires_pruning: false,
        differences,
        problem: None,
    }
}

fn missing(object: &Arc<Manifest>) -> ResourceComparison {
    ResourceComparison { live: None, ..compared(object, SyncCode::OutOfSync, Vec::new()) }
}

#[derive(Default)]
struct Seen {
    problem: Option<Problem>,
    resources: Option<Vec<ResourceComparison>>,
    health: BTreeMap<ResourceKey, HealthStatus>,
    managed_fields: BTreeMap<ResourceKey, Value>,
    pods: BTreeMap<ResourceKey, Vec<PodCause>>,
    events: Vec<EventFacts>,
    endpoints: BTreeMap<ResourceKey, EndpointFacts>,
    no_controller: Option<NoController>,
}

impl Seen {
    fn explained(self, app: &Application) -> Explanation {
        let status = |resources: &[ResourceComparison]| {
            let out = resources.iter().any(|one| one.status == SyncCode::OutOfSync);
            if out { SyncCode::OutOfSync } else { SyncCode::Synced }
        };
        let comparison = self.resources.map(|resources| Comparison {
            status: status(&resources),
            resources,
            problems: Vec::new(),
        });
        let worst = self
            .health
            .values()
            .map(|health| health.status)
            .fold(HealthCode::Healthy, |worst, one| if one.is_worse_than(worst) { one } else { worst });
        explain(&Evidence {
            app,
            problem: self.problem.as_ref(),
            revision: if comparison.is_some() { COMMIT } else { "" },
            rolled_up: comparison.as_ref().map(|_| worst),
            comparison: comparison.as_ref(),
            health: &self.health,
            managed_fields: &self.managed_fields,
            pods: &self.pods,
            events: &self.events,
            endpoints: &self.endpoints,
            no_controller: self.no_controller.as_ref(),
        })
    }

    fn printed(self, app: &Application) -> String {
        self.explained(app).print(Plain::paint)
    }
}

fn event(kind: &str, name: &str, reason: &str, message: &str, count: u64) -> EventFacts {
    EventFacts {
        about: ResourceKey::new("", kind, "shop", name),
        reason: reason.into(),
        message: message.into(),
        warning: true,
        count,
        last: Some("2026-11-21T07:05:00Z".parse().unwrap()),
    }
}

fn replicas(live: i64) -> FieldDifference {
    FieldDifference { pointer: "/spec/replicas".into(), predicted: Some(json!(2)), live: Some(json!(live)) }
}

fn written_by(manager: &str, subresource: &str) -> Value {
    json!([{"manager": manager, "operation": "Update", "subresource": subresource, "time": "2026-11-21T07:03:00Z",
            "fieldsV1": {"f:spec": {"f:replicas": {}}}}])
}

#[test]
fn a_healthy_application_has_no_cause() {
    let web = object("Deployment", "web", json!({}));
    let seen = Seen {
        resources: Some(vec![compared(&web, SyncCode::Synced, Vec::new())]),
        health: [(web.key(), HealthStatus::healthy(""))].into(),
        ..Seen::default()
    };
    let app = app(synced("Succeeded", "successfully synced (all tasks run)", json!([])));
    insta::assert_snapshot!(seen.printed(&app));
}

#[test]
fn a_stage_that_failed_hides_what_is_below_it() {
    let seen = Seen {
        problem: Some(Problem::stalled(
            Stage::Render,
            Cause::RenderFailed,
            "deploy/web.yaml: line 3: mapping values are not allowed here",
        )),
        ..Seen::default()
    };
    insta::assert_snapshot!(seen.printed(&app(json!({}))));
}

#[test]
fn drift_and_a_wait_for_gpus_are_two_causes() {
    let (web, server) = (
        object("Deployment", "web", json!({"spec": {"replicas": 5}})),
        object("Deployment", "server", json!({})),
    );
    let later = object("ConfigMap", "later", json!({"annotations": {"argocd.argoproj.io/sync-wave": "1"}}));
    let waiting = HealthStatus::progressing("waiting for 2 nvidia.com/gpu: 0 free on 2 matching nodes")
        .because(Reason::WaitingForCapacity);
    let pod = |name: &str| PodCause {
        pod: name.into(),
        reason: Reason::WaitingForCapacity,
        message: "0/4 nodes are available: 2 Insufficient nvidia.com/gpu".into(),
        since: Some("2026-11-21T07:01:00Z".parse().unwrap()),
    };
    let message = "waiting for Deployment/server: waiting for 2 nvidia.com/gpu: 0 free on 2 matching nodes";
    let results = json!([{"group": "apps", "version": "v1", "kind": "Deployment", "namespace": "shop", "name": "server",
                          "status": "Synced", "hookPhase": "Running", "syncPhase": "Sync"}]);
    let seen = Seen {
        resources: Some(vec![
            compared(&server, SyncCode::Synced, Vec::new()),
            compared(&web, SyncCode::OutOfSync, vec![replicas(5)]),
            missing(&later),
        ]),
        health: [(web.key(), HealthStatus::healthy("")), (server.key(), waiting)].into(),
        managed_fields: [(web.key(), written_by("kubectl-edit", ""))].into(),
        pods: [(server.key(), vec![pod("server-a-1"), pod("server-a-2")])].into(),
        events: vec![event("Pod", "server-a-1", "FailedScheduling", "0/4 nodes are available", 12)],
        ..Seen::default()
    };
    let explanation = seen.explained(&app(synced("Running", message, results)));
    insta::assert_snapshot!(explanation.print(Plain::paint));
    assert_eq!(
        explanation.summary().unwrap(),
        "Deployment shop/web: /spec/replicas is 5, Git says 2, written by kubectl-edit; Deployment shop/server: \
         waiting for 2 nvidia.com/gpu: 0 free on 2 matching nodes"
    );
}

#[test]
fn an_autoscaler_is_named_as_the_writer() {
    let web = object("Deployment", "web", json!({"spec": {"replicas": 5}}));
    let target = json!({"spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}}});
    let hpa = object("HorizontalPodAutoscaler", "web", target);
    let seen = Seen {
        resources: Some(vec![
            compared(&web, SyncCode::OutOfSync, vec![replicas(5)]),
            compared(&hpa, SyncCode::Synced, Vec::new()),
        ]),
        managed_fields: [(web.key(), written_by("kube-controller-manager", "scale"))].into(),
        ..Seen::default()
    };
    insta::assert_snapshot!(seen.printed(&app(synced("Succeeded", "", json!([])))));
}

#[test]
fn a_failed_hook_is_the_cause_and_what_was_not_applied_follows() {
    let hook = object("Job", "migrate", json!({"annotations": {"argocd.argoproj.io/hook": "PreSync"}}));
    let (web, service) = (object("Deployment", "web", json!({})), object("Service", "web", json!({})));
    let said = "Job has reached the specified backoff limit";
    let results = json!([{"group": "batch", "version": "v1", "kind": "Job", "namespace": "shop", "name": "migrate",
                          "message": said, "hookType": "PreSync", "hookPhase": "Failed", "syncPhase": "PreSync"}]);
    let failed = PodCause {
        pod: "migrate-x".into(),
        reason: Reason::Failed,
        message: "container main ended with exit code 3 (Error)".into(),
        since: None,
    };
    let seen = Seen {
        resources: Some(vec![
            compared(&hook, SyncCode::Synced, Vec::new()),
            missing(&web),
            missing(&service),
        ]),
        health: [(hook.key(), HealthStatus::degraded(said)), (web.key(), HealthStatus::missing())].into(),
        pods: [(hook.key(), vec![failed])].into(),
        events: vec![event("Job", "migrate", "BackoffLimitExceeded", said, 1)],
        ..Seen::default()
    };
    let message =
        format!("one or more synchronization tasks completed unsuccessfully, reason: Job/migrate: {said}");
    insta::assert_snapshot!(seen.printed(&app(synced("Failed", &message, results))));
}

#[test]
fn a_claim_without_a_class_is_the_cause_and_its_workload_and_service_follow() {
    let template = json!({"metadata": {"labels": {"app": "db"}}, "spec": {"volumes": [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}});
    let db = object("Deployment", "db", json!({"spec": {"template": template}}));
    let claim = object("PersistentVolumeClaim", "data", json!({}));
    let service = object("Service", "db", json!({"spec": {"selector": {"app": "db"}}}));
    let lost = object("Service", "lost", json!({"spec": {"selector": {"app": "typo"}}}));
    let waits = HealthStatus::progressing("pod has unbound immediate PersistentVolumeClaims")
        .because(Reason::WaitingForVolume);
    let all = [&db, &claim, &service, &lost];
    let bound = EventFacts {
        warning: false,
        ..event(
            "PersistentVolumeClaim",
            "data",
            "FailedBinding",
            "no persistent volumes available for this claim and no storage class is set",
            7,
        )
    };
    let seen = Seen {
        resources: Some(all.map(|one| compared(one, SyncCode::Synced, Vec::new())).to_vec()),
        health: [(db.key(), waits), (claim.key(), HealthStatus::progressing(""))].into(),
        events: vec![bound],
        endpoints: [
            (service.key(), EndpointFacts { ready: 0, pods: 1 }),
            (lost.key(), EndpointFacts::default()),
        ]
        .into(),
        ..Seen::default()
    };
    insta::assert_snapshot!(seen.printed(&app(synced("Succeeded", "", json!([])))));
}

#[test]
fn git_that_changed_without_automated_sync_says_how_to_sync() {
    let web = object("Deployment", "web", json!({}));
    let mut app = app(json!({}));
    app.spec.sync_policy = None;
    let ours = json!([{"manager": "argocd-controller", "operation": "Apply", "time": "2026-11-21T07:03:00Z",
                       "fieldsV1": {"f:spec": {"f:replicas": {}}}}]);
    let seen = Seen {
        resources: Some(vec![compared(&web, SyncCode::OutOfSync, vec![replicas(1)])]),
        managed_fields: [(web.key(), ours)].into(),
        ..Seen::default()
    };
    insta::assert_snapshot!(seen.printed(&app));
}

#[test]
fn an_operation_that_nobody_takes_is_explained_by_the_lease() {
    let mut waiting = app(json!({"reconciledAt": "2026-11-21T07:00:00Z"}));
    waiting.operation = Some(Default::default());
    let absence = |holder: &str, renewed: Option<&str>| NoController {
        lease: "argocd/tiphys-controller".into(),
        holder: holder.into(),
        renewed: renewed.map(|time| time.parse().unwrap()),
    };
    let first = |app: &Application, absence: Option<NoController>| {
        let seen = Seen { resources: Some(Vec::new()), no_controller: absence, ..Seen::default() };
        seen.explained(app).causes.first().map(|cause| cause.message.clone()).unwrap_or_default()
    };
    assert_eq!(
        first(&waiting, Some(absence("tiphys-0", Some("2026-11-21T06:00:00Z")))),
        "the operation that was asked for has not begun: no controller works, tiphys-0 no longer renews the Lease \
         argocd/tiphys-controller"
    );
    assert!(first(&waiting, Some(absence("", Some("2026-11-21T06:00:00Z")))).contains("gave up the Lease"));
    assert!(first(&waiting, Some(absence("", None))).contains("there is no Lease argocd/tiphys-controller"));
    assert_eq!(first(&waiting, None), "");
    waiting.operation = None;
    assert_eq!(first(&waiting, Some(absence("", None))), "", "nothing waits for a controller");
}
