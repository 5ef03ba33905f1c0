//! Health between reconciles: what pods do is told without a comparison.

use serde_json::{Value, json};

use super::harness::{World, deployment};

/// A Deployment whose pod runs and never becomes ready.
fn never_ready() -> String {
    deployment("server", 1, 0, "{}").replace(
        "      labels: {app: server}\n    spec:",
        "      labels: {app: server}\n      annotations: {tiphys.dev/kwok: never-ready}\n    spec:",
    )
}

fn health(world: &World) -> Value {
    world.app("app")["status"]["health"].take()
}

/// Makes the only pod of a namespace report a crash loop with so many restarts.
fn crash(world: &World, target: &str, restarts: u32) {
    let pods = format!("/api/v1/namespaces/{target}/pods");
    let name = world.api.list(&pods).unwrap()[0]["metadata"]["name"].as_str().unwrap().to_owned();
    let status = json!({"status": {"containerStatuses": [{
        "name": "main", "image": "registry.example.com/server:1", "imageID": "", "ready": false, "started": false,
        "restartCount": restarts, "lastState": {},
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}}]}});
    world.api.merge(&format!("{pods}/{name}/status"), &status).unwrap();
}

fn says(world: &World, restarts: u32) -> bool {
    health(world)["message"].to_string().contains(&format!("({restarts} restarts)"))
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn what_pods_do_is_told_without_a_comparison() {
    let world = World::new("light");
    // Nobody asks Git for news in the middle.
    world.settings(json!({"timeout.reconciliation": "0s"}));
    let url = world.repository("app", &[("server.yaml", &never_ready())]);
    let target = world.application("app", &url, |_| {});
    world.eventually("the pod starts up", |world| {
        health(world)["message"].to_string().contains("container main is starting up")
            && world.app("app")["status"]["operationState"]["phase"] == "Succeeded"
    });
    // The first one is told after whatever else was still under way.
    crash(&world, &target, 1);
    world.eventually("the crash loop is named", |world| says(world, 1));
    let count = |line: &str| world.log().lines().filter(|logged| logged.contains(line)).count();
    let (reconciles, steps) = (count("reconciled"), count("health step"));
    let compared = world.app("app")["status"]["reconciledAt"].take();
    for restarts in 2..7 {
        crash(&world, &target, restarts);
        world.eventually("the restarts are told", |world| says(world, restarts));
    }
    assert_eq!(count("reconciled"), reconciles, "{}", world.log());
    assert!(count("health step") >= steps + 5);
    let status = world.app("app")["status"].take();
    assert_eq!(status["reconciledAt"], compared, "nothing was compared");
    assert!(status["resources"][0]["health"]["message"].to_string().contains("(6 restarts)"), "{status}");
    assert!(status["conditions"].to_string().contains("(6 restarts)"), "{status}");
}
