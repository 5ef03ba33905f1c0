//! GPU workloads hold their wave while they wait for capacity, and say so.

use serde_json::{Value, json};

use super::harness::{World, config_map, deployment};

/// A resource of one test alone, so that other tests' pods do not count.
fn resource(test: &str) -> String {
    format!("example.com/{test}-{}", std::process::id())
}

/// Gives a node that is there so much of a resource.
fn provide(world: &World, resource: &str, amount: &str) {
    let more = json!({"status": {"capacity": {resource: amount}, "allocatable": {resource: amount}}});
    world.api.merge("/api/v1/nodes/gpu-0/status", &more).unwrap();
}

fn operation(world: &World) -> Value {
    world.app("app")["status"]["operationState"].take()
}

/// An application whose gate is in a mode.
fn gated(world: &World, url: &str, mode: &str) -> String {
    world.application("app", url, |app| {
        app["metadata"]["annotations"] = json!({"tiphys.dev/gpu-gate": mode});
    })
}

fn exists(world: &World, target: &str, deployment: &str) -> bool {
    let path = format!("/apis/apps/v1/namespaces/{target}/deployments/{deployment}");
    world.api.get(&path).unwrap().is_some()
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn wait_holds_a_wave_until_there_is_room() {
    let world = World::new("hold");
    let gpu = resource("hold");
    let limits = format!("{{\"{gpu}\": 1}}");
    let url = world.repository("app", &[("server.yaml", &deployment("server", 2, 0, &limits))]);
    let target = gated(&world, &url, "Wait");
    let short = format!("GPU gate: waiting for 2 {gpu}: 0 free on 0 matching nodes (Deployment/server)");
    world.eventually("the gate holds and says why", |world| operation(world)["message"] == short.as_str());
    assert!(!exists(&world, &target, "server"), "nothing of the wave is written");
    let health = world.app("app")["status"]["health"].take();
    assert_eq!((&health["status"], &health["message"]), (&json!("Progressing"), &json!(short)));
    assert_eq!(operation(&world)["phase"], "Running");

    // One is not enough: the message follows, the wave is still held.
    provide(&world, &gpu, "1");
    let short = format!("waiting for 2 {gpu}: 1 free on 1 matching node");
    world.eventually("the shortfall follows the nodes", |world| {
        operation(world)["message"].to_string().contains(&short)
    });
    assert!(!exists(&world, &target, "server"));
    provide(&world, &gpu, "2");
    world.converged("app", "");
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn warn_says_so_and_applies() {
    let world = World::new("warn");
    let gpu = resource("warn");
    let limits = format!("{{\"{gpu}\": 1}}");
    let url = world.repository("app", &[("server.yaml", &deployment("server", 1, 0, &limits))]);
    let target = gated(&world, &url, "Warn");
    world.eventually("the workload is applied", |world| exists(world, &target, "server"));
    let events = format!("/api/v1/namespaces/{}/events", world.namespace);
    world.eventually("an Event tells of it", |world| {
        world.api.list(&events).unwrap().iter().any(|event| {
            event["reason"] == "GpuGate"
                && event["type"] == "Warning"
                && event["message"].to_string().contains(&format!("waiting for 1 {gpu}: 0 free"))
        })
    });
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn an_update_that_frees_its_own_gpus_goes_through() {
    let world = World::new("frees");
    let gpu = resource("frees");
    provide(&world, &gpu, "2");
    let limits = format!("{{\"{gpu}\": 1}}");
    let recreate = deployment("one", 1, 0, &limits)
        .replace("spec:\n  replicas", "spec:\n  strategy: {type: Recreate}\n  replicas");
    let rolling = deployment("two", 1, 0, &limits).replace(
        "spec:\n  replicas",
        "spec:\n  strategy: {rollingUpdate: {maxUnavailable: 1, maxSurge: 0}}\n  replicas",
    );
    let url = world.repository("app", &[("one.yaml", &recreate), ("two.yaml", &rolling)]);
    gated(&world, &url, "Wait");
    world.converged("app", "");
    let newer = |text: &str| text.replace(":1\n", ":2\n");
    let commit = world.commit("app", &[("one.yaml", &newer(&recreate)), ("two.yaml", &newer(&rolling))]);
    world.refresh("app");
    world.converged("app", &commit);
    // Another name for the one, which goes: its room counts, although it is given back in the same sync.
    let renamed = newer(&recreate).replace("one", "three");
    let commit = world.commit("app", &[("three.yaml", &renamed), ("two.yaml", &newer(&rolling))]);
    world.refresh("app");
    world.converged("app", &commit);
    // A surge needs room while the old pod still runs, and there is none.
    let surge = newer(&rolling).replace("maxUnavailable: 1, maxSurge: 0", "maxUnavailable: 0, maxSurge: 1");
    let surge = surge.replace(":2\n", ":3\n");
    world.commit("app", &[("three.yaml", &renamed), ("two.yaml", &surge)]);
    world.refresh("app");
    world.eventually("the surge is held", |world| {
        operation(world)["message"].to_string().contains("for the roll-out's first pod (Deployment/two)")
    });
    provide(&world, &gpu, "3");
    world.eventually("and let go", |world| operation(world)["phase"] == "Succeeded");
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn a_quota_holds_a_wave_until_it_is_raised() {
    let world = World::new("quota");
    let gpu = resource("quota");
    provide(&world, &gpu, "8");
    let quota = |hard: u64| {
        format!(
            "apiVersion: v1\nkind: ResourceQuota\nmetadata:\n  name: gpus\n  annotations: \
             {{argocd.argoproj.io/sync-wave: \"-1\"}}\nspec:\n  hard: {{requests.{gpu}: \"{hard}\"}}\n"
        )
    };
    let server = deployment("server", 2, 0, &format!("{{\"{gpu}\": 1}}"));
    let url = world.repository("app", &[("quota.yaml", &quota(1)), ("server.yaml", &server)]);
    let target = gated(&world, &url, "Wait");
    world.eventually("the quota is named", |world| {
        operation(world)["message"].to_string().contains(&format!("waiting for 2 {gpu}: quota gpus allows 1"))
    });
    assert!(!exists(&world, &target, "server"));
    let path = format!("/api/v1/namespaces/{target}/resourcequotas/gpus");
    world.api.merge(&path, &json!({"spec": {"hard": {format!("requests.{gpu}"): "4"}}})).unwrap();
    world.eventually("the wave is let go", |world| exists(world, &target, "server"));
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn a_wave_waits_for_gpus_and_goes_on_when_a_node_comes() {
    let world = World::new("gate");
    // A resource of this test alone, so that other tests' pods do not count.
    let resource = format!("example.com/gpu-{}", std::process::id());
    let limits = format!("{{\"{resource}\": 1}}");
    let url = world.repository(
        "app",
        &[
            ("server.yaml", &deployment("server", 2, 0, &limits)),
            ("after.yaml", &config_map("after", "x", 1)),
        ],
    );
    let target = world.application("app", &url, |_| {});
    let message = |world: &World| world.app("app")["status"]["health"]["message"].to_string();
    world.eventually("the gate says what is missing", |world| {
        message(world).contains(&format!("waiting for 2 {resource}: 0 free on"))
    });
    assert_eq!(world.app("app")["status"]["health"]["status"], "Progressing");
    let after = format!("/api/v1/namespaces/{target}/configmaps/after");
    assert!(world.api.get(&after).unwrap().is_none(), "the next wave does not start");

    // Capacity appears on a node that is there.
    let nodes = world.api.list("/api/v1/nodes").unwrap();
    let node = nodes.iter().find(|node| node["metadata"]["name"] == "gpu-0").unwrap();
    let path = format!("/api/v1/nodes/{}/status", node["metadata"]["name"].as_str().unwrap());
    let more = json!({"status": {"capacity": {(resource.as_str()): "2"}, "allocatable": {(resource.as_str()): "2"}}});
    world.api.merge(&path, &more).unwrap();
    world.converged("app", "");
    assert!(world.api.get(&after).unwrap().is_some());
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn a_crash_loop_of_a_gpu_workload_fails_the_wave() {
    let world = World::new("crash");
    let crashing = deployment("server", 1, 0, "{\"nvidia.com/gpu\": 0}").replace(
        "      labels: {app: server}\n    spec:",
        "      labels: {app: server}\n      annotations: {tiphys.dev/kwok: crash-loop}\n    spec:",
    );
    let url =
        world.repository("app", &[("server.yaml", &crashing), ("after.yaml", &config_map("after", "x", 1))]);
    let target = world.application("app", &url, |app| {
        app["spec"]["syncPolicy"]["retry"] = json!({"limit": 0});
    });
    world.eventually("the cause is named", |world| {
        world.app("app")["status"]["health"]["message"].to_string().contains("server")
    });
    assert!(world.api.get(&format!("/api/v1/namespaces/{target}/configmaps/after")).unwrap().is_none());
}
