//! Our own actions on objects in every state that matters, and the users' own through a stand-in for the interpreter.

use serde_json::json;

use super::*;
use crate::flow::HealthStatus;

struct Canned(Value);

impl Script for Canned {
    fn health(&self, _: &str, _: bool, _: &Value) -> Result<Option<HealthStatus>, ScriptError> {
        Ok(None)
    }

    fn run(&self, text: &str, _: &Value, _: &BTreeMap<String, String>) -> Result<Value, ScriptError> {
        if text == "fails" { Err(ScriptError("script:1: boom".into())) } else { Ok(self.0.clone()) }
    }
}

fn now() -> Time {
    "2026-11-21T07:30:05Z".parse().unwrap()
}

fn names(object: &Value) -> String {
    let none = ActionCustomizations::default();
    let context = ActionContext { customizations: &none, runner: &Canned(Value::Null), now: now() };
    let all = available(object, &context).unwrap();
    let shown: Vec<String> =
        all.iter().map(|one| format!("{}{}", if one.disabled { "-" } else { "" }, one.name)).collect();
    shown.join(" ")
}

fn changed(object: &Value, name: &str, parameters: &[(&str, &str)]) -> Result<Vec<Change>, ActionError> {
    let none = ActionCustomizations::default();
    let context = ActionContext { customizations: &none, runner: &Canned(Value::Null), now: now() };
    let parameters = parameters.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    run(object, name, &parameters, &context)
}

fn patched(object: &Value, name: &str) -> Value {
    match changed(object, name, &[]).unwrap().remove(0) {
        Change::Patch(object) | Change::Create(object) => object,
    }
}

#[test]
fn what_is_offered_follows_the_state() {
    let deployment =
        |paused: Value| json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"paused": paused}});
    assert_eq!(names(&deployment(Value::Null)), "restart -resume scale");
    assert_eq!(names(&deployment(json!(true))), "pause restart resume scale");
    let job = |spec: Value, status: Value| json!({"apiVersion": "batch/v1", "kind": "Job", "spec": spec, "status": status});
    assert_eq!(names(&job(json!({}), json!({}))), "suspend terminate");
    assert_eq!(names(&job(json!({"suspend": true}), json!({}))), "resume terminate");
    let done = json!({"conditions": [{"type": "Complete", "status": "True"}]});
    assert_eq!(names(&job(json!({}), done)), "");
    let rollout = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"generation": 3},
        "spec": {"strategy": {"canary": {"steps": [{}, {}]}}},
        "status": {"currentPodHash": "b", "stableRS": "a", "observedGeneration": "3", "currentStepIndex": 1,
                   "pauseConditions": [{}]}});
    assert_eq!(names(&rollout), "abort pause promote-full restart resume -retry skip-current-step");
    let flux = json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "spec": {"suspend": true}});
    assert_eq!(names(&flux), "-reconcile resume -suspend");
    let secret = json!({"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "spec": {"refreshInterval": "0s"}});
    assert_eq!(names(&secret), "-refresh");
    assert_eq!(names(&json!({"apiVersion": "v1", "kind": "ConfigMap"})), "");
}

#[test]
fn running_gives_the_object_as_it_shall_be() {
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
        "spec": {"replicas": 1, "paused": true, "template": {"metadata": null, "spec": {}}}});
    let restarted = patched(&deployment, "restart");
    let annotations = &restarted["spec"]["template"]["metadata"]["annotations"];
    assert_eq!(annotations["kubectl.kubernetes.io/restartedAt"], "2026-11-21T07:30:05Z");
    assert_eq!(patched(&deployment, "resume")["spec"].get("paused"), None);
    let scaled = changed(&deployment, "scale", &[("replicas", "4")]).unwrap();
    assert!(matches!(&scaled[0], Change::Patch(object) if object["spec"]["replicas"] == 4));
    let message = |result: Result<Vec<Change>, ActionError>| result.unwrap_err().to_string();
    assert_eq!(
        message(changed(&deployment, "scale", &[])),
        "action \"scale\" needs a value: --param replicas=…"
    );
    assert!(message(changed(&deployment, "scale", &[("replicas", "-1")])).contains("invalid number"));
    assert_eq!(
        message(changed(&deployment, "explode", &[])),
        "Deployment offers no action \"explode\"; it offers pause, restart, resume, scale"
    );
    let rollout = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "status": {"currentPodHash": "a", "stableRS": "a"}});
    assert!(message(changed(&rollout, "abort", &[])).contains("disabled"));
}

#[test]
fn jobs_and_workflows_are_made_with_their_owner() {
    let cron = json!({"apiVersion": "batch/v1", "kind": "CronJob",
        "metadata": {"name": "nightly", "namespace": "ml", "uid": "u"},
        "spec": {"jobTemplate": {"metadata": {"labels": {"a": "b"}}, "spec": {"template": {}}}}});
    let job = patched(&cron, "create-job");
    assert_eq!(job["metadata"]["name"], "nightly-2611210730");
    assert_eq!(job["metadata"]["labels"], json!({"a": "b"}));
    assert_eq!(job["metadata"]["ownerReferences"][0]["controller"], true);
    assert_eq!(job["metadata"]["annotations"]["cronjob.kubernetes.io/instantiate"], "manual");
    let template = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "WorkflowTemplate",
        "metadata": {"name": "train", "namespace": "ml", "uid": "u"}});
    let workflow = patched(&template, "create-workflow");
    assert_eq!(workflow["metadata"]["name"], "train-202611210730");
    assert_eq!(workflow["spec"], json!({"workflowTemplateRef": {"name": "train"}}));
}

#[test]
fn own_actions_stand_before_ours() {
    let yaml = |text: &str| serde_json::from_str(text).map_err(|error: serde_json::Error| error.to_string());
    let with = |merge: bool| {
        let text = json!({"discovery.lua": "d", "mergeBuiltinActions": merge,
            "definitions": [{"name": "restart", "action.lua": "a"}]});
        let key = "resource.customizations.actions.apps_Deployment".to_owned();
        let broken = ("resource.customizations.actions.Pod".to_owned(), "[".to_owned());
        ActionCustomizations::read(&BTreeMap::from([(key, text.to_string()), broken]), &yaml)
    };
    let object =
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"labels": {}}, "spec": {}});
    let runner = Canned(json!({"restart": {"displayName": "Again"}, "other": []}));
    for (merge, expected) in [(false, "other restart"), (true, "other restart resume scale")] {
        let (own, problems) = with(merge);
        assert_eq!(problems.len(), 1);
        let context = ActionContext { customizations: &own, runner: &runner, now: now() };
        let names: Vec<String> =
            available(&object, &context).unwrap().into_iter().map(|one| one.name).collect();
        assert_eq!(names.join(" "), expected);
    }
}

#[test]
fn what_a_script_returns_becomes_changes() {
    let object = json!({"metadata": {"labels": {}}, "spec": {"list": [{"a": {}}]}});
    let lua = json!({"metadata": {"labels": []}, "spec": {"list": [{"a": []}], "new": []}});
    let restored = json!({"metadata": {"labels": {}}, "spec": {"list": [{"a": {}}], "new": []}});
    assert_eq!(returned::changes(lua.clone(), &object), Ok(vec![Change::Patch(restored)]));
    let list = json!([{"operation": "create", "resource": {"kind": "Job"}}, {"operation": "patch", "resource": lua}]);
    assert_eq!(returned::changes(list, &object).unwrap().len(), 2);
    assert!(returned::changes(json!([{"operation": "delete", "resource": {}}]), &object).is_err());
    assert!(returned::changes(json!("text"), &object).is_err());
    assert!(returned::actions(&json!([])).unwrap().is_empty());
    assert!(returned::actions(&json!(3)).is_err());
}

#[test]
fn the_table_in_docs_is_that_of_the_code() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/actions.md");
    let written = std::fs::read_to_string(&file).unwrap();
    let head = written.split("| group |").next().unwrap().to_owned();
    if std::env::var_os("TIPHYS_WRITE_DOCS").is_some() {
        std::fs::write(&file, head + &table()).unwrap();
        return;
    }
    assert_eq!(written, head + &table(), "write docs/actions.md anew with TIPHYS_WRITE_DOCS=1");
}
