//! GPU workloads hold their wave while they wait for capacity, and say so.

use serde_json::json;

use super::harness::{World, config_map, deployment};

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
