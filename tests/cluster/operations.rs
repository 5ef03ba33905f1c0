//! What an operation may ask for beside a revision, and what may end it.

use serde_json::{Value, json};

use super::harness::{World, config_map, job};

fn by_hand(app: &mut Value) {
    app["spec"]["syncPolicy"]["automated"] = Value::Null;
}

fn state(world: &World, app: &str) -> Value {
    world.app(app)["status"]["operationState"].clone()
}

fn ends(world: &World, app: &str, phase: &str) {
    world.eventually(&format!("the operation of {app} ends {phase}"), |world| {
        state(world, app)["phase"] == phase
    });
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn an_object_of_two_applications_is_told_of_and_stops_the_sync_that_says_so() {
    let world = World::new("shared");
    let url = world.repository("app", &[("a.yaml", &config_map("both", "one", 0))]);
    let target = world.application("first", &url, |_| {});
    world.converged("first", "");
    world.application("second", &url, |app| {
        by_hand(app);
        app["spec"]["destination"]["namespace"] = json!(target);
        app["operation"] = json!({"sync": {"syncOptions": ["FailOnSharedResource=true"]}});
    });
    ends(&world, "second", "Failed");
    assert!(
        state(&world, "second")["message"]
            .to_string()
            .contains("Shared resource found: ConfigMap/both is part of")
    );
    let conditions = world.app("second")["status"]["conditions"].to_string();
    assert!(conditions.contains("SharedResourceWarning") && conditions.contains("and first"), "{conditions}");
    let both = world.api.get(&format!("/api/v1/namespaces/{target}/configmaps/both")).unwrap().unwrap();
    let id = both["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"].as_str().unwrap();
    assert!(id.starts_with("first:"), "nothing was taken over: {id}");
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn an_operation_brings_its_own_manifests_or_only_looks() {
    let world = World::new("manifests");
    let url = world.repository("app", &[("a.yaml", &config_map("a", "git", 0))]);
    let target = world.application("app", &url, |app| {
        by_hand(app);
        app["operation"] = json!({"sync": {"dryRun": true}});
    });
    ends(&world, "app", "Succeeded");
    let value = |world: &World| {
        let found = world.api.get(&format!("/api/v1/namespaces/{target}/configmaps/a")).unwrap();
        found.map(|one| one["data"]["value"].clone())
    };
    assert_eq!(value(&world), None, "a dry run writes nothing");
    let operation = json!({"operation": {"sync": {"manifests": [config_map("a", "mine", 0)]}}});
    world.api.merge(&world.app_path("app"), &operation).unwrap();
    world.eventually("the manifest of the operation is there", |world| value(world) == Some(json!("mine")));
    world.eventually("it differs from Git", |world| {
        world.app("app")["status"]["sync"]["status"] == "OutOfSync"
    });
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn an_operation_ends_when_its_time_is_over() {
    let mut world = World::new("timeout");
    let params = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cmd-params-cm", "namespace": world.namespace},
        "data": {"controller.sync.timeout.seconds": "3"},
    });
    let path = format!("/api/v1/namespaces/{}/configmaps/argocd-cmd-params-cm", world.namespace);
    world.api.apply(&path, &params).unwrap();
    world.kill_controller();
    world.start_controller();
    let files = [("a.yaml", config_map("a", "x", 0)), ("wait.yaml", job("wait", "PreSync", "", "hang"))];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let url = world.repository("app", &files);
    let target = world.application("app", &url, |_| {});
    ends(&world, "app", "Failed");
    assert_eq!(state(&world, "app")["message"], "Operation terminated, triggered by controller sync timeout");
    world.eventually("the hook that ran is deleted", |world| {
        let job = world.api.get(&format!("/apis/batch/v1/namespaces/{target}/jobs/wait")).unwrap();
        job.is_none_or(|job| !job["metadata"]["deletionTimestamp"].is_null())
    });
    assert!(world.api.get(&format!("/api/v1/namespaces/{target}/configmaps/a")).unwrap().is_none());
}

/// A policy of the API server that refuses ConfigMaps of a namespace with a value; waits until it does.
fn refuse(world: &World, namespace: &str, value: &str) -> [String; 2] {
    let name = format!("refuse-{namespace}");
    let kind = |plural: &str| format!("/apis/admissionregistration.k8s.io/v1/{plural}/{name}");
    let of_namespace = json!({"matchLabels": {"kubernetes.io/metadata.name": namespace}});
    let rule =
        json!({"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"]});
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name},
        "spec": {
            "matchConstraints": {"namespaceSelector": of_namespace, "resourceRules": [rule]},
            "validations": [{"expression": format!("object.data.value != '{value}'"), "message": "not that value"}],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name}, "spec": {"policyName": name, "validationActions": ["Deny"]},
    });
    let paths = [kind("validatingadmissionpolicies"), kind("validatingadmissionpolicybindings")];
    for (path, object) in paths.iter().zip([policy, binding]) {
        world.api.apply(path, &object).unwrap();
    }
    let probe = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "probe", "namespace": namespace}, "data": {"value": value},
    });
    let path = format!("/api/v1/namespaces/{namespace}/configmaps/probe");
    world.eventually("the policy refuses", |world| world.api.apply(&path, &probe).is_err());
    paths
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn what_was_refused_is_asked_again_at_each_retry() {
    let world = World::new("refused");
    let url = world.repository("app", &[("a.yaml", &config_map("a", "fine", 0))]);
    let target = world.application("app", &url, |app| {
        app["spec"]["syncPolicy"]["retry"] =
            json!({"limit": 100, "backoff": {"duration": "1s", "factor": 1, "maxDuration": "1s"}});
    });
    world.converged("app", "");
    let policy = refuse(&world, &target, "wrong");
    let commit = world.commit("app", &[("a.yaml", &config_map("a", "wrong", 0))]);
    world.refresh("app");
    world.eventually("the sync fails and is tried again", |world| {
        let state = state(world, "app");
        state["phase"] == "Failed" && state["retryCount"].as_u64() >= Some(1)
    });
    let results = state(&world, "app")["syncResult"]["resources"].to_string();
    assert!(results.contains("not that value"), "{results}");
    for path in policy {
        world.api.delete(&path).unwrap();
    }
    // Nothing about the object changes: only a retry can notice.
    world.converged("app", &commit);
}
