//! Whose fields are whose: objects of client-side appliers are taken over, and autoscalers keep what is theirs.

use serde_json::{Value, json};

use super::harness::{World, deployment};

/// A Deployment with what Git will drop: a label, an annotation of the template, a variable.
fn adopted(full: bool) -> String {
    let (label, variable) = match full {
        true => (", drop: me", "        - {name: DROP, value: \"2\"}\n"),
        false => ("", ""),
    };
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  labels: {{keep: me{label}}}\nspec:\n  replicas: 1\n  \
         selector:\n    matchLabels: {{app: web}}\n  template:\n    metadata:\n      labels: {{app: web}}\n    spec:\n      \
         containers:\n      - name: main\n        image: registry.example.com/web:1\n        env:\n        - {{name: KEEP, \
         value: \"1\"}}\n{variable}"
    )
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn objects_of_client_side_apply_are_taken_over() {
    let world = World::new("adopt");
    let url = world.repository("app", &[("web.yaml", &adopted(true))]);
    let target = world.target("app");
    world.kubectl_apply(&target, &adopted(true), "kubectl-client-side-apply");
    world.application("app", &url, |_| {});
    world.converged("app", "");
    let path = format!("/apis/apps/v1/namespaces/{target}/deployments/web");
    let web = |world: &World| world.api.get(&path).unwrap().unwrap();
    let managers: Vec<Value> = web(&world)["metadata"]["managedFields"].as_array().unwrap().clone();
    let names: Vec<&str> = managers.iter().filter_map(|entry| entry["manager"].as_str()).collect();
    assert!(!names.contains(&"kubectl-client-side-apply"), "{names:?}");

    // What Git drops goes, also in lists; what it keeps stays, and the pods are not made anew for the take-over.
    let revision = |web: &Value| web["metadata"]["annotations"]["deployment.kubernetes.io/revision"].clone();
    assert_eq!(revision(&web(&world)), "1");
    let commit = world.commit("app", &[("web.yaml", &adopted(false))]);
    world.refresh("app");
    world.converged("app", &commit);
    let after = web(&world);
    assert_eq!(after["metadata"]["labels"], json!({"keep": "me"}));
    assert_eq!(
        after["spec"]["template"]["spec"]["containers"][0]["env"],
        json!([{"name": "KEEP", "value": "1"}])
    );
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn what_git_dropped_before_the_adoption_goes_too() {
    let world = World::new("dropped");
    let url = world.repository("app", &[("web.yaml", &adopted(false))]);
    let target = world.target("app");
    let path = format!("/apis/apps/v1/namespaces/{target}/deployments/web");
    for manager in ["kubectl-client-side-apply", "argocd-controller", "a-tool-of-ours"] {
        world.kubectl_apply(&target, &adopted(true), manager);
        if manager == "kubectl-client-side-apply" {
            world.application("app", &url, |_| {});
        }
        world.eventually(&format!("the label that {manager} applied goes"), |world| {
            let web = world.api.get(&path).unwrap().unwrap();
            web["metadata"]["labels"] == json!({"keep": "me"})
                && web["spec"]["template"]["spec"]["containers"][0]["env"].as_array().map(Vec::len) == Some(1)
        });
    }
}

const HPA: &str = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\nspec:\n  minReplicas: 3\n  \
                   maxReplicas: 5\n  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}\n  metrics:\n  - \
                   type: Resource\n    resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}\n";

fn without_replicas(text: &str) -> String {
    text.replace("  replicas: 2\n", "")
}

fn replicas(world: &World, target: &str) -> Value {
    let path = format!("/apis/apps/v1/namespaces/{target}/deployments/web");
    world.api.get(&path).unwrap().map(|web| web["spec"]["replicas"].clone()).unwrap_or_default()
}

fn label(world: &World, target: &str, value: &str) {
    let path = format!("/apis/apps/v1/namespaces/{target}/deployments/web");
    world.api.merge(&path, &json!({"metadata": {"labels": {"mine": value}}})).unwrap();
    world.eventually("the label is healed", |world| {
        let web = world.api.get(&path).unwrap().unwrap();
        web["metadata"]["labels"]["mine"] == "git"
    });
}

/// A Deployment of two that has a label of Git's.
fn web() -> String {
    deployment("web", 2, 0, "{cpu: \"1\"}")
        .replace("  name: web\n  annotations:", "  name: web\n  labels: {mine: git}\n  annotations:")
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn replicas_that_git_drops_stay_with_the_autoscaler() {
    let world = World::new("hpa");
    let url = world.repository("app", &[("web.yaml", &web())]);
    let target = world.application("app", &url, |_| {});
    world.converged("app", "");
    assert_eq!(replicas(&world, &target), 2);
    // One commit drops the field and brings the autoscaler: the count does not fall to the default of one.
    let commit = world.commit("app", &[("web.yaml", &without_replicas(&web())), ("hpa.yaml", HPA)]);
    world.refresh("app");
    world.eventually("the commit is synced", |world| {
        let status = &world.app("app")["status"];
        status["sync"]["revision"] == commit.as_str() && status["sync"]["status"] == "Synced"
    });
    assert!(replicas(&world, &target).as_i64() >= Some(2), "{}", replicas(&world, &target));
    label(&world, &target, "theirs");
    assert!(replicas(&world, &target).as_i64() >= Some(2), "the self-heal reset the replicas");
    // The autoscaler scales, and a self-heal leaves it alone.
    world.eventually("the autoscaler scales", |world| replicas(world, &target) == 3);
    label(&world, &target, "again");
    assert_eq!(replicas(&world, &target), 3);
    world.eventually("it is Synced", |world| world.app("app")["status"]["sync"]["status"] == "Synced");
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn replicas_that_are_ignored_stay_with_the_autoscaler() {
    let world = World::new("ignored");
    let url = world.repository("app", &[("web.yaml", &web()), ("hpa.yaml", HPA)]);
    let target = world.application("app", &url, |app| {
        app["spec"]["ignoreDifferences"] =
            json!([{"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}]);
        app["spec"]["syncPolicy"]["syncOptions"] =
            json!(["CreateNamespace=true", "RespectIgnoreDifferences=true"]);
    });
    world.eventually("the autoscaler scales", |world| replicas(world, &target) == 3);
    world.eventually("it is Synced", |world| world.app("app")["status"]["sync"]["status"] == "Synced");
    label(&world, &target, "theirs");
    assert_eq!(replicas(&world, &target), 3, "the self-heal applied Git's replicas");
    let commit = world.commit("app", &[("web.yaml", &web().replace("web:1", "web:2")), ("hpa.yaml", HPA)]);
    world.refresh("app");
    world.eventually("the commit is synced", |world| {
        let status = &world.app("app")["status"];
        status["sync"]["revision"] == commit.as_str() && status["sync"]["status"] == "Synced"
    });
    assert_eq!(replicas(&world, &target), 3, "the sync applied Git's replicas");
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn an_autoscaler_that_comes_later_and_from_elsewhere_is_left_alone() {
    let world = World::new("latehpa");
    let url = world.repository("app", &[("web.yaml", &web())]);
    let target = world.application("app", &url, |_| {});
    world.converged("app", "");
    assert_eq!(replicas(&world, &target), 2);
    world.kubectl_apply(&target, HPA, "kubectl-client-side-apply");
    world.eventually("the autoscaler scales", |world| replicas(world, &target) == 3);
    world.eventually("it is Synced", |world| world.app("app")["status"]["sync"]["status"] == "Synced");
    label(&world, &target, "theirs");
    assert_eq!(replicas(&world, &target), 3, "the self-heal reset the replicas");
    // Git drops the field, and still knows nothing of the autoscaler.
    let commit = world.commit("app", &[("web.yaml", &without_replicas(&web()))]);
    world.refresh("app");
    world.eventually("the commit is synced", |world| {
        let status = &world.app("app")["status"];
        status["sync"]["revision"] == commit.as_str() && status["sync"]["status"] == "Synced"
    });
    assert_eq!(replicas(&world, &target), 3, "the sync reset the replicas");
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn an_operation_may_respect_ignored_differences_where_the_application_does_not() {
    let world = World::new("oprespect");
    let url = world.repository("app", &[("web.yaml", &web())]);
    let target = world.application("app", &url, |app| {
        app["spec"]["ignoreDifferences"] =
            json!([{"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}]);
        app["spec"]["syncPolicy"]["automated"] = Value::Null;
        app["operation"] = json!({"sync": {}});
    });
    world.eventually("it is there", |world| replicas(world, &target) == 2);
    let path = format!("/apis/apps/v1/namespaces/{target}/deployments/web");
    let sync = |world: &World, image: &str, options: &[&str]| {
        let text = web().replace("web:1", image);
        world.commit("app", &[("web.yaml", &text)]);
        world.api.merge(&path, &json!({"spec": {"replicas": 4}})).unwrap();
        world.refresh("app");
        let operation = json!({"operation": {"sync": {"syncOptions": options}}});
        world.api.merge(&world.app_path("app"), &operation).unwrap();
        world.eventually("the image is new", |world| {
            let web = world.api.get(&path).unwrap().unwrap();
            web["spec"]["template"]["spec"]["containers"][0]["image"].to_string().contains(image)
        });
    };
    sync(&world, "web:2", &["RespectIgnoreDifferences=true"]);
    assert_eq!(replicas(&world, &target), 4);
    sync(&world, "web:3", &[]);
    assert_eq!(replicas(&world, &target), 2, "without the option Git's value is applied");
}
