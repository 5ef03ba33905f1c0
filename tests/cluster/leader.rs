//! Several replicas: one works, another takes over.

use serde_json::Value;

use super::harness::{World, config_map};

fn holder(world: &World) -> String {
    let path =
        format!("/apis/coordination.k8s.io/v1/namespaces/{}/leases/tiphys-controller", world.namespace);
    let lease = world.api.get(&path).unwrap().unwrap_or(Value::Null);
    lease["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned()
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn a_replica_takes_over_from_a_leader_that_ends_and_from_one_that_is_killed() {
    let mut world = World::new("leader");
    let url = world.repository("app", &[("a.yaml", &config_map("a", "1", 0))]);
    world.application("app", &url, |_| {});
    world.converged("app", "");
    assert_eq!(holder(&world), "controller");

    // One that ends in peace gives the lease to the next.
    let second = world.spawn_controller("second");
    world.stop_controller();
    world.eventually("the second leads", |world| holder(world) == "second");
    let revision = world.commit("app", &[("a.yaml", &config_map("a", "2", 0))]);
    world.refresh("app");
    world.converged("app", &revision);

    // One that is killed does not; its lease runs out.
    world.start_controller();
    let mut second = second;
    second.kill().unwrap();
    second.wait().unwrap();
    world.eventually("the first leads again", |world| holder(world) == "controller");
    let revision = world.commit("app", &[("a.yaml", &config_map("a", "3", 0))]);
    world.refresh("app");
    world.converged("app", &revision);
    let history = world.app("app")["status"]["history"].as_array().map_or(0, Vec::len);
    assert_eq!(history, 3, "one sync per commit, whoever led");
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn a_leader_whose_lease_is_taken_away_stops_and_writes_nothing_more() {
    let mut world = World::new("deposed");
    let url = world.repository("app", &[("a.yaml", &config_map("a", "1", 0))]);
    world.application("app", &url, |_| {});
    world.converged("app", "");
    let path =
        format!("/apis/coordination.k8s.io/v1/namespaces/{}/leases/tiphys-controller", world.namespace);
    let taken =
        serde_json::json!({"spec": {"holderIdentity": "somebody else", "leaseDurationSeconds": 3600}});
    world.api.merge(&path, &taken).unwrap();
    assert!(!world.wait_for_controller().success(), "it says by its exit code that it did not end in peace");
    assert_eq!(holder(&world), "somebody else");
}
