//! An application that turns Degraded goes back to its last healthy revision, and stays there until a newer commit.

use serde_json::{Value, json};

use super::harness::{World, deployment};

/// A Deployment that asks for a resource of its own, so that a crash loop makes it Degraded at once.
fn server(resource: &str, image: u32, crashes: bool) -> String {
    let life = if crashes { "crash-loop" } else { "runs" };
    deployment("server", 1, 0, &format!("{{\"{resource}\": 1}}"))
        .replace("server:1\n", &format!("server:{image}\n"))
        .replace("spec:\n  replicas", "spec:\n  strategy: {type: Recreate}\n  replicas")
        .replace(
            "      labels: {app: server}\n    spec:",
            &format!(
                "      labels: {{app: server}}\n      annotations: {{tiphys.dev/kwok: {life}}}\n    spec:"
            ),
        )
}

fn start(world: &World, resource: &str, after: &str) -> (String, String) {
    let more = json!({"status": {"capacity": {resource: "4"}, "allocatable": {resource: "4"}}});
    world.api.merge("/api/v1/nodes/gpu-0/status", &more).unwrap();
    let url = world.repository("app", &[("server.yaml", &server(resource, 1, false))]);
    let target = world.application("app", &url, |app| {
        app["metadata"]["annotations"] =
            json!({"tiphys.dev/auto-rollback": "OnDegraded", "tiphys.dev/auto-rollback-after": after});
        app["spec"]["syncPolicy"]["retry"] = json!({"limit": 0});
    });
    world.converged("app", "");
    world.eventually("the healthy revision is stored", |world| {
        let status = world.app("app")["status"].take();
        status["tiphys"]["healthyRevision"].is_string()
            && status["tiphys"]["healthyRevision"] == status["sync"]["revision"]
    });
    let good = world.app("app")["status"]["sync"]["revision"].as_str().unwrap().to_owned();
    (target, good)
}

fn image(world: &World, target: &str) -> Value {
    let path = format!("/apis/apps/v1/namespaces/{target}/deployments/server");
    world.api.get(&path).unwrap().unwrap()["spec"]["template"]["spec"]["containers"][0]["image"].take()
}

fn is_back(world: &World, good: &str) -> bool {
    let status = world.app("app")["status"].take();
    status["operationState"]["syncResult"]["revision"] == good
        && status["operationState"]["phase"] == "Succeeded"
        && status["health"]["status"] == "Healthy"
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn a_bad_commit_is_rolled_back_and_a_newer_one_is_tried() {
    let world = World::new("rollback");
    let gpu = format!("example.com/rollback-{}", std::process::id());
    let (target, good) = start(&world, &gpu, "1s");
    let bad = world.commit("app", &[("server.yaml", &server(&gpu, 2, true))]);
    world.refresh("app");
    world.eventually("it goes back", |world| {
        let rejected = world.app("app")["status"]["tiphys"]["rejectedRevisions"].take();
        rejected == json!([bad]) && is_back(world, &good)
    });
    assert_eq!(image(&world, &target), "registry.example.com/server:1");
    let rejected = |world: &World| {
        let status = world.app("app")["status"].take();
        let message = format!("auto-rollback went back from {bad}");
        status["tiphys"]["rejectedRevisions"] == json!([bad])
            && status["conditions"].to_string().contains(&message)
    };
    world.eventually("the commit is rejected, and why", rejected);
    let events = format!("/api/v1/namespaces/{}/events", world.namespace);
    let told = world.api.list(&events).unwrap().iter().any(|event| {
        event["reason"] == "AutoRollback" && event["message"].to_string().contains(&format!("back to {good}"))
    });
    assert!(told, "an Event tells of it");
    // Looked at once more, it is still left alone.
    world.refresh("app");
    world.eventually("the refresh is heard", |world| {
        world.app("app")["metadata"]["annotations"]["argocd.argoproj.io/refresh"].is_null()
    });
    assert!(is_back(&world, &good) && rejected(&world));

    let newer = world.commit("app", &[("server.yaml", &server(&gpu, 3, false))]);
    world.refresh("app");
    world.converged("app", &newer);
    assert_eq!(image(&world, &target), "registry.example.com/server:3");
    world.eventually("the newer one is the one to go back to", |world| {
        world.app("app")["status"]["tiphys"]["healthyRevision"] == newer.as_str()
    });
    let secrets = world.api.list(&format!("/api/v1/namespaces/{}/secrets", world.namespace)).unwrap();
    let stored = secrets.iter().filter(|secret| secret["type"] == "tiphys.dev/render").count();
    assert_eq!(stored, 1, "only the render of the last healthy revision is kept");
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn it_goes_back_while_git_is_gone() {
    let mut world = World::new("nogit");
    let gpu = format!("example.com/nogit-{}", std::process::id());
    let (target, good) = start(&world, &gpu, "15s");
    world.commit("app", &[("server.yaml", &server(&gpu, 2, true))]);
    world.refresh("app");
    world.eventually("the bad commit is there", |world| {
        world.app("app")["status"]["health"]["status"] == "Degraded"
            && image(world, &target) == "registry.example.com/server:2"
    });
    world.lose_repository("app");
    world.eventually("it goes back without Git", |world| {
        let state = world.app("app")["status"]["operationState"].take();
        state["syncResult"]["revision"] == good.as_str() && state["phase"] == "Succeeded"
    });
    assert_eq!(image(&world, &target), "registry.example.com/server:1");
    world.eventually("and says that Git is gone", |world| {
        world.app("app")["status"]["conditions"].to_string().contains("ComparisonError")
    });
}
