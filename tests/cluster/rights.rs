//! A controller with few rights: what it may not see or write is a condition on the one Application.

use serde_json::json;

use super::harness::{World, config_map};

const POLICY: &str =
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {podSelector: {}}\n";
const BUDGET: &str = "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: b}\nspec: {minAvailable: 1, selector: {}}\n";

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn missing_rights_are_a_condition_and_harm_nobody_else() {
    let all = json!(["*"]);
    let world = World::with_rights(
        "rights",
        &json!([
            {"apiGroups": ["argoproj.io"], "resources": all, "verbs": all},
            {"apiGroups": [""], "resources": ["configmaps", "secrets", "namespaces", "events"], "verbs": all},
            {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": all},
            {"apiGroups": ["policy"], "resources": ["poddisruptionbudgets"], "verbs": ["get", "list", "watch"]},
        ]),
    );
    let url = world.repository(
        "app",
        &[
            ("unseen/a.yaml", POLICY),
            ("unseen/b.yaml", &config_map("beside", "one", 0)),
            ("unwritten/a.yaml", BUDGET),
            ("good/c.yaml", &config_map("c", "one", 0)),
        ],
    );
    for name in ["unseen", "unwritten", "good"] {
        world.application(name, &url, |app| {
            app["spec"]["source"]["path"] = json!(name);
            app["spec"]["syncPolicy"]["retry"] = json!({"limit": 0});
        });
    }
    world.converged("good", "");
    let words = [("unseen", "NetworkPolicy"), ("unwritten", "poddisruptionbudgets")];
    for (name, word) in words {
        world.eventually(&format!("{name} has its condition"), |world| {
            let conditions = world.app(name)["status"]["conditions"].to_string();
            conditions.contains(word) && conditions.contains("forbidden")
        });
    }
    assert_eq!(world.app("good")["status"]["sync"]["status"], "Synced");
    let commit = world.commit("app", &[("good/c.yaml", &config_map("c", "two", 0))]);
    world.refresh("good");
    world.converged("good", &commit);
}
