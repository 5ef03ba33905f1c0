//! Plans and steps, as they are printed: order, waves, hooks, prunes, failures.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use serde_json::{Value, json};
use tiphys::api::{
    HealthCode, OperationPhase, ResourceResult, ResultCode, SourceType, SyncOperation, SyncOptions, Time,
};
use tiphys::diff::{Comparing, IgnoreRules, Remembered, compare};
use tiphys::flow::{
    Action, Assessment, Cause, Comparison, Manifests, Observation, Plan, Problem, Stage, Step, Task,
};
use tiphys::object::{Manifest, ResourceKey};
use tiphys::settings::SyncSettings;
use tiphys::sync::{Guards, PlanRequest, Progress, plan, step};

fn object(kind: &str, name: &str, annotations: Value) -> Arc<Manifest> {
    let api = match kind {
        "Deployment" => "apps/v1",
        "Job" => "batch/v1",
        "CustomResourceDefinition" => "apiextensions.k8s.io/v1",
        "Gadget" => "example.com/v1",
        _ => "v1",
    };
    let mut body = json!({"apiVersion": api, "kind": kind,
                          "metadata": {"name": name, "namespace": "n", "annotations": annotations}});
    if kind == "CustomResourceDefinition" {
        body["spec"] = json!({"group": "example.com", "names": {"kind": "Gadget"}});
    }
    Arc::new(Manifest::new(body).unwrap())
}

fn wave(wave: i64) -> Value {
    json!({"argocd.argoproj.io/sync-wave": wave.to_string()})
}

fn compared(desired: &[Arc<Manifest>], live: &[Arc<Manifest>]) -> Comparison {
    let mut seen = Observation::empty("2026-11-21T00:00:00Z".parse().unwrap());
    seen.live = live.iter().map(|one| (one.key(), Arc::clone(one))).collect();
    let manifests = Manifests {
        objects: desired.to_vec(),
        source_types: vec![SourceType::Directory],
        revisions: Vec::new(),
        revision: "0123456789".into(),
        warnings: Vec::new(),
    };
    compare(&manifests, &seen, Comparing { ignore: &IgnoreRules::default() }, &mut Remembered::default())
}

fn planned(comparison: &Comparison, operation: &SyncOperation, options: &[&str]) -> Plan {
    let options = SyncOptions(options.iter().map(|word| (*word).to_owned()).collect());
    let started: Time = "2026-11-21T00:00:00Z".parse().unwrap();
    plan(
        comparison,
        &PlanRequest {
            operation,
            app_options: Some(&options),
            revision: "0123456789",
            started_at: started,
            create_namespace: None,
            guards: Guards::default(),
        },
    )
}

fn drawn(the_plan: &Plan) -> String {
    let mut text = String::new();
    for task in &the_plan.tasks {
        let mark = if task.action == Action::Prune { "-" } else { "+" };
        let reason = task.skipped.as_deref().or(task.unconfirmed.as_deref());
        let skipped = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
        writeln!(text, "{:?} {} {mark}{}/{}{skipped}", task.phase, task.wave, task.key.kind, task.key.name)
            .unwrap();
    }
    text
}

fn pruning() -> SyncOperation {
    SyncOperation { prune: true, ..SyncOperation::default() }
}

#[test]
fn phases_then_waves_then_kinds_then_names() {
    let desired = [
        object("Deployment", "web", wave(0)),
        object("ConfigMap", "b", wave(0)),
        object("ConfigMap", "a", wave(0)),
        object("Gadget", "late", wave(2)),
        object("Gadget", "early", wave(-1)),
        object("Job", "migrate", json!({"argocd.argoproj.io/hook": "PreSync,PostSync"})),
        object("Job", "never", json!({"argocd.argoproj.io/hook": "Skip"})),
    ];
    let text = drawn(&planned(&compared(&desired, &[]), &pruning(), &[]));
    assert_eq!(
        text,
        "PreSync 0 +Job/migrate\nSync -1 +Gadget/early\nSync 0 +ConfigMap/a\nSync 0 +ConfigMap/b\nSync 0 \
                      +Deployment/web\nSync 2 +Gadget/late\nPostSync 0 +Job/migrate\n"
    );
}

#[test]
fn a_crd_goes_before_the_first_object_that_needs_it() {
    let desired =
        [object("Gadget", "g", wave(-1)), object("CustomResourceDefinition", "gadgets.example.com", wave(3))];
    let text = drawn(&planned(&compared(&desired, &[]), &pruning(), &[]));
    assert_eq!(text, "Sync -1 +CustomResourceDefinition/gadgets.example.com\nSync -1 +Gadget/g\n");
}

#[test]
fn prunes_go_in_reverse_waves_and_last_where_asked() {
    let live = [object("ConfigMap", "zero", wave(0)), object("ConfigMap", "two", wave(2))];
    let comparison = compared(&[object("ConfigMap", "stays", wave(1))], &live);
    let text = drawn(&planned(&comparison, &pruning(), &[]));
    assert_eq!(text, "Sync 0 -ConfigMap/two\nSync 1 +ConfigMap/stays\nSync 2 -ConfigMap/zero\n");
    let text = drawn(&planned(&comparison, &pruning(), &["PruneLast=true"]));
    assert_eq!(text, "Sync 1 +ConfigMap/stays\nSync 3 -ConfigMap/two\nSync 3 -ConfigMap/zero\n");
}

#[test]
fn nothing_is_pruned_unasked_or_forbidden() {
    let live = [
        object("ConfigMap", "a", json!({"argocd.argoproj.io/sync-options": "Prune=false"})),
        object("ConfigMap", "b", json!({})),
    ];
    let comparison = compared(&[], &live);
    let text = drawn(&planned(&comparison, &SyncOperation::default(), &[]));
    assert_eq!(
        text,
        "Sync 0 -ConfigMap/a (ignored (no prune))\nSync 0 -ConfigMap/b (ignored (requires pruning))\n"
    );
    let text = drawn(&planned(&comparison, &pruning(), &["Prune=confirm"]));
    assert!(text.contains("-ConfigMap/b (Prune=confirm)"), "{text}");
}

#[test]
fn generated_names_of_hooks_are_the_same_each_time() {
    let body = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"generateName": "run-", "namespace": "n",
        "annotations": {"argocd.argoproj.io/hook": "PostSync", "argocd.argoproj.io/tracking-id": "app:batch/Job:n/"}}});
    let hook = Arc::new(Manifest::new(body).unwrap());
    let the_plan = planned(&compared(&[hook], &[]), &pruning(), &[]);
    let task = &the_plan.tasks[0];
    assert_eq!(task.key.name, "run-0123456-postsync-1795219200");
    let tracking = task.object.annotation("argocd.argoproj.io/tracking-id");
    assert_eq!(tracking, Some("app:batch/Job:n/run-0123456-postsync-1795219200"));
}

fn wrote(progress: &mut Progress, tasks: &[Task]) {
    for task in tasks {
        let result = ResourceResult {
            group: task.key.group.clone(),
            kind: task.key.kind.clone(),
            name: task.key.name.clone(),
            status: Some(ResultCode::Synced),
            hook_phase: Some(OperationPhase::Running),
            sync_phase: Some(task.phase),
            ..ResourceResult::default()
        };
        progress.results.insert(task.phase, task.key.clone(), result);
    }
}

fn health(plan: &Plan, of: &[(&str, HealthCode)]) -> HashMap<ResourceKey, Assessment> {
    let seen = plan.tasks.iter().filter_map(|task| {
        let (_, code) = of.iter().find(|(name, _)| *name == task.key.name)?;
        let assessment = Assessment {
            present: true,
            deleting: false,
            health: Some(*code),
            message: format!("{} is {}", task.key.name, code.as_str()),
            counts: true,
            holds_wave: true,
        };
        Some((task.key.clone(), assessment))
    });
    seen.collect()
}

fn applied(step: Step) -> Vec<Task> {
    match step {
        Step::Apply(tasks) => tasks,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_next_wave_waits_for_health_and_a_degraded_one_fails_the_sync() {
    let desired = [object("Deployment", "first", wave(0)), object("Deployment", "second", wave(1))];
    let the_plan = planned(&compared(&desired, &[]), &pruning(), &[]);
    let mut progress = Progress::default();
    assert!(
        matches!(step(&the_plan, &mut progress, &HashMap::new()), Step::DryRun(tasks) if tasks.len() == 2)
    );
    progress.dry_run_done = true;
    let tasks = applied(step(&the_plan, &mut progress, &HashMap::new()));
    assert_eq!(tasks[0].key.name, "first");
    wrote(&mut progress, &tasks);
    let Step::Wait(blocked) =
        step(&the_plan, &mut progress, &health(&the_plan, &[("first", HealthCode::Progressing)]))
    else {
        panic!("the second wave has started")
    };
    assert_eq!(blocked[0].because, "first is Progressing");
    let mut failing = progress.clone();
    let ended = step(&the_plan, &mut failing, &health(&the_plan, &[("first", HealthCode::Degraded)]));
    assert!(matches!(ended, Step::Done { phase: OperationPhase::Failed, .. }), "{ended:?}");
    let seen = health(&the_plan, &[("first", HealthCode::Healthy)]);
    let tasks = applied(step(&the_plan, &mut progress, &seen));
    assert_eq!(tasks[0].key.name, "second");
    wrote(&mut progress, &tasks);
    let seen = health(&the_plan, &[("first", HealthCode::Healthy), ("second", HealthCode::Progressing)]);
    let ended = step(&the_plan, &mut progress, &seen);
    assert!(
        matches!(ended, Step::Done { phase: OperationPhase::Succeeded, .. }),
        "the last wave is not waited for"
    );
}

#[test]
fn health_from_before_the_write_does_not_count() {
    let desired = [object("Deployment", "first", wave(0)), object("Deployment", "second", wave(1))];
    let the_plan = planned(&compared(&desired, &[]), &pruning(), &[]);
    let mut progress = Progress { dry_run_done: true, ..Progress::default() };
    let tasks = applied(step(&the_plan, &mut progress, &HashMap::new()));
    wrote(&mut progress, &tasks);
    let mut seen = health(&the_plan, &[("first", HealthCode::Healthy)]);
    seen.values_mut().for_each(|one| one.counts = false);
    assert!(matches!(step(&the_plan, &mut progress, &seen), Step::Wait(_)));
}

#[test]
fn sync_fail_hooks_run_after_a_failure_and_only_then() {
    let desired = [
        object("Job", "before", json!({"argocd.argoproj.io/hook": "PreSync"})),
        object("Deployment", "web", wave(0)),
        object("Job", "alarm", json!({"argocd.argoproj.io/hook": "SyncFail"})),
    ];
    let the_plan = planned(&compared(&desired, &[]), &pruning(), &[]);
    let mut progress = Progress { dry_run_done: true, ..Progress::default() };
    let tasks = applied(step(&the_plan, &mut progress, &HashMap::new()));
    assert_eq!(tasks[0].key.name, "before");
    wrote(&mut progress, &tasks);
    let seen = health(&the_plan, &[("before", HealthCode::Degraded)]);
    let tasks = applied(step(&the_plan, &mut progress, &seen));
    assert_eq!(tasks[0].key.name, "alarm");
    wrote(&mut progress, &tasks);
    let seen = health(&the_plan, &[("before", HealthCode::Degraded), ("alarm", HealthCode::Healthy)]);
    let ended = step(&the_plan, &mut progress, &seen);
    assert!(matches!(ended, Step::Done { phase: OperationPhase::Failed, .. }), "{ended:?}");
}

fn surplus(comparison: &Comparison, guards: Guards) -> Plan {
    let (operation, started) = (pruning(), "2026-11-21T00:00:00Z".parse().unwrap());
    let request = PlanRequest {
        operation: &operation,
        app_options: None,
        revision: "0123456789",
        started_at: started,
        create_namespace: None,
        guards,
    };
    plan(comparison, &request)
}

#[test]
fn prunes_wait_for_a_person_where_the_user_wants_it() {
    let live = [object("Secret", "a", json!({})), object("ConfigMap", "b", json!({}))];
    let comparison = compared(&[], &live);
    let kinds =
        SyncSettings::read(&[("tiphys.sync.confirmKinds".into(), "Secret".into())].into()).confirm_kinds;
    let message = |guards: Guards| {
        let mut progress = Progress { dry_run_done: true, ..Progress::default() };
        match step(&surplus(&comparison, guards), &mut progress, &HashMap::new()) {
            Step::Confirm(message) => message,
            Step::Apply(tasks) => format!("prunes {}", tasks.len()),
            other => panic!("{other:?}"),
        }
    };
    let protected = message(Guards { confirm_kinds: kinds.clone(), ..Guards::default() });
    assert!(
        protected.starts_with("Waiting for pruning confirmation of v1/Secret/a (Secret is one of"),
        "{protected}"
    );
    let many = message(Guards { max_prune: Some("50%".into()), ..Guards::default() });
    assert!(many.contains("and 1 more resources (2 of 2 objects would be pruned"), "{many}");
    assert!(many.contains("argocd.argoproj.io/deletion-approved"), "{many}");
    let approved = Guards {
        confirm_kinds: kinds,
        max_prune: Some("0".into()),
        approved: Some("2026-11-21T00:00:00Z".parse().unwrap()),
    };
    assert_eq!(message(approved.clone()), "prunes 2");
    let too_early = Guards { approved: Some("2026-11-20T23:59:59Z".parse().unwrap()), ..approved };
    assert!(message(too_early).starts_with("Waiting"), "an approval of an earlier operation does not count");
}

#[test]
fn what_the_project_forbids_in_the_middle_of_a_sync_ends_it() {
    let desired = [object("ConfigMap", "first", wave(0)), object("Secret", "second", wave(1))];
    let mut comparison = compared(&desired, &[]);
    let the_plan = planned(&comparison, &pruning(), &[]);
    let mut progress = Progress { dry_run_done: true, ..Progress::default() };
    let first = applied(step(&the_plan, &mut progress, &HashMap::new()));
    wrote(&mut progress, &first);
    comparison.resources[1].problem =
        Some(Problem::stalled(Stage::Sync, Cause::NotPermitted, "not permitted"));
    let ended = step(&planned(&comparison, &pruning(), &[]), &mut progress, &HashMap::new());
    let Step::Done { phase: OperationPhase::Failed, message } = ended else { panic!("{ended:?}") };
    assert!(message.contains("Secret/second: not permitted"), "{message}");
}

#[test]
fn a_dry_run_tells_of_every_object_and_writes_nothing() {
    let desired = [object("ConfigMap", "there", wave(0)), object("ConfigMap", "new", wave(1))];
    let live = [object("ConfigMap", "there", wave(0)), object("ConfigMap", "left", wave(0))];
    let the_plan = planned(&compared(&desired, &live), &pruning(), &[]);
    let mut progress = Progress { dry_run_only: true, ..Progress::default() };
    let Step::DryRun(tasks) = step(&the_plan, &mut progress, &HashMap::new()) else { panic!("no dry run") };
    let names: Vec<&str> = tasks.iter().map(|task| task.key.name.as_str()).collect();
    assert_eq!(names, ["left", "there", "new"]);
    progress.dry_run_done = true;
    let ended = step(&the_plan, &mut progress, &HashMap::new());
    assert!(matches!(ended, Step::Done { phase: OperationPhase::Succeeded, .. }), "{ended:?}");
}

#[test]
fn options_of_the_object_come_before_those_of_the_application() {
    let options = |own: &str, app: &[&str]| {
        let one = object("ConfigMap", "c", json!({"argocd.argoproj.io/sync-options": own}));
        planned(&compared(&[one], &[]), &pruning(), app).tasks[0].options.clone()
    };
    assert!(options("Replace=true", &[]).replace && options("", &["Replace=true"]).replace);
    assert!(!options("Replace=false", &["Replace=true"]).replace);
    assert!(options("Force=true", &[]).force && options("Validate=false", &[]).skip_validation);
    assert!(options("", &["SkipDryRunOnMissingResource=true"]).skip_dry_run_on_missing_resource);
    let nonsense = options("=,Replace,Replace=maybe,,Force=TRUE,\u{0},Prune=perhaps", &["", "="]);
    assert!(!nonsense.replace && !nonsense.force, "unknown words have no effect");
}

#[test]
fn a_selective_sync_and_the_apply_strategy_run_no_hooks() {
    let desired = [
        object("ConfigMap", "a", json!({})),
        object("ConfigMap", "b", json!({})),
        object("Job", "hook", json!({"argocd.argoproj.io/hook": "PreSync"})),
    ];
    let comparison = compared(&desired, &[]);
    let selective: SyncOperation =
        serde_json::from_value(json!({"resources": [{"kind": "ConfigMap", "name": "b"}]})).unwrap();
    assert_eq!(drawn(&planned(&comparison, &selective, &[])), "Sync 0 +ConfigMap/b\n");
    let apply: SyncOperation =
        serde_json::from_value(json!({"syncStrategy": {"apply": {"force": true}}})).unwrap();
    let the_plan = planned(&comparison, &apply, &[]);
    assert_eq!(drawn(&the_plan), "Sync 0 +ConfigMap/a\nSync 0 +ConfigMap/b\n");
    assert!(the_plan.tasks[0].options.force);
}

#[test]
fn thousands_of_hooks_are_planned_and_a_terminate_deletes_those_that_run() {
    let desired: Vec<_> = (0..5000)
        .map(|at| {
            let annotations = json!({"argocd.argoproj.io/hook": "PreSync", "helm.sh/hook": "post-install",
                                     "argocd.argoproj.io/sync-wave": (at % 7).to_string()});
            object("Job", &format!("hook-{at:04}"), annotations)
        })
        .collect();
    let the_plan = planned(&compared(&desired, &[]), &pruning(), &[]);
    assert_eq!(the_plan.tasks.len(), 5000, "of two hook annotations Argo CD's own counts");
    let mut progress = Progress { dry_run_done: true, ..Progress::default() };
    let first = applied(step(&the_plan, &mut progress, &HashMap::new()));
    wrote(&mut progress, &first);
    progress.terminating = true;
    let seen = health(&the_plan, &[("hook-0000", HealthCode::Progressing)]);
    let Step::DeleteHooks(hooks) = step(&the_plan, &mut progress, &seen) else { panic!("it goes on") };
    assert_eq!(hooks.len(), 1);
}
