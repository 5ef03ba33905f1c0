//! The drift ledger, and two writers that fight over a field.

use serde_json::{Value, json};

use super::harness::{World, config_map};

fn edit(world: &World, path: &str, manager: &str, value: &str) {
    let patch = json!({"data": {"value": value}});
    let path = format!("{path}?fieldManager={manager}");
    let answer = world.api.request("PATCH", &path, "application/merge-patch+json", Some(&patch)).unwrap();
    assert_eq!(answer.0, 200, "{}", answer.1);
}

fn drift(world: &World) -> Value {
    world.app("app")["status"]["tiphys"]["drift"].take()
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn a_drift_is_noted_with_its_writer_and_two_writers_who_fight_are_stopped() {
    let world = World::new("ledger");
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: token}\ndata: {value: czNjcmV0}\n";
    let url = world
        .repository("app", &[("config.yaml", &config_map("settings", "one", 0)), ("secret.yaml", secret)]);
    let target = world.application("app", &url, |_| {});
    world.converged("app", "");
    assert!(drift(&world).is_null());

    // A Secret that somebody changes: its values show nowhere.
    let token = format!("/api/v1/namespaces/{target}/secrets/token");
    edit(&world, &token, "kubectl-edit", "aGFja2Vk");
    world.eventually("the secret's drift is healed", |world| {
        drift(world)
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one["name"] == "token" && !one["healed"].is_null()))
    });
    let app = world.app("app").to_string();
    assert!(app.contains("/data/value") && !app.contains("aGFja2Vk") && !app.contains("czNjcmV0"), "{app}");

    // A writer that keeps changing a field.
    let settings = format!("/api/v1/namespaces/{target}/configmaps/settings");
    let value = |world: &World| world.api.get(&settings).unwrap().unwrap()["data"]["value"].clone();
    for round in 0..3 {
        world.eventually(&format!("round {round} is healed"), |world| value(world) == "one");
        edit(&world, &settings, "other-operator", "two");
    }
    world.eventually("the fight is seen", |world| {
        let conditions = world.app("app")["status"]["conditions"].to_string();
        ["FieldFightWarning", "other-operator", "/data/value", "jsonPointers: [/data/value]"]
            .iter()
            .all(|word| conditions.contains(word))
    });
    let entries = drift(&world);
    let entry = entries.as_array().unwrap().iter().find(|one| one["name"] == "settings").unwrap().clone();
    assert_eq!((&entry["manager"], &entry["times"]), (&json!("other-operator"), &json!(3)), "{entry}");
    // Self-heal leaves it alone now, though the controller looks again.
    let before = world.app("app")["status"]["operationState"]["startedAt"].clone();
    world.refresh("app");
    world.eventually("the refresh is heard", |world| {
        world.app("app")["metadata"]["annotations"].get("argocd.argoproj.io/refresh").is_none()
    });
    assert_eq!(value(&world), "two");
    assert_eq!(world.app("app")["status"]["operationState"]["startedAt"], before);
    let shown = world.tiphys(&["app", "drift", "app"]);
    assert!(shown.contains("other-operator") && shown.contains("/data/value"), "{shown}");
    println!(
        "{shown}\n{}\n{}",
        world.tiphys(&["app", "get", "app"]),
        world.tiphys(&["explain", "app", "--cache", &world.cache()])
    );

    // The rule that the condition proposes ends it.
    let rule = json!({"spec": {"ignoreDifferences": [
        {"kind": "ConfigMap", "namespace": target, "name": "settings", "jsonPointers": ["/data/value"]}]}});
    world.api.merge(&world.app_path("app"), &rule).unwrap();
    world.eventually("it is Synced with the other's value", |world| {
        world.app("app")["status"]["sync"]["status"] == "Synced" && value(world) == "two"
    });
}
