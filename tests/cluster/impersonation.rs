//! Writing as the service account that a project names.

use serde_json::{Value, json};

use super::harness::{World, config_map};

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

/// Lets an account of a namespace do everything with these resources of the core group there.
fn permit(world: &World, target: &str, resources: &Value) {
    let rules = json!([{"apiGroups": [""], "resources": resources, "verbs": ["*"]}]);
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"name": "deployer", "namespace": target}, "rules": rules});
    world.api.apply(&format!("{RBAC}/namespaces/{target}/roles/deployer"), &role).unwrap();
}

/// An account that may do nothing yet.
fn account(world: &World, target: &str) {
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "deployer", "namespace": target}});
    world.api.apply(&format!("/api/v1/namespaces/{target}/serviceaccounts/deployer"), &account).unwrap();
    let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": "deployer", "namespace": target},
        "subjects": [{"kind": "ServiceAccount", "name": "deployer", "namespace": target}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "deployer"}});
    world.api.apply(&format!("{RBAC}/namespaces/{target}/rolebindings/deployer"), &binding).unwrap();
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn an_application_writes_with_the_rights_of_its_account_and_no_others() {
    let world = World::new("impersonate");
    world.settings(json!({"application.sync.impersonation.enabled": "true"}));
    let target = world.target("app");
    account(&world, &target);
    permit(&world, &target, &json!(["configmaps"]));
    let project = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
        "metadata": {"name": "tenants", "namespace": world.namespace},
        "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
                 "destinationServiceAccounts": [{"server": "*", "namespace": target, "defaultServiceAccount": "deployer"}]}});
    let path = format!("/apis/argoproj.io/v1alpha1/namespaces/{}/appprojects/tenants", world.namespace);
    world.api.apply(&path, &project).unwrap();
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {token: x}\n";
    let url = world.repository("app", &[("a.yaml", &config_map("a", "one", 0)), ("s.yaml", secret)]);
    let change = |app: &mut Value| {
        app["spec"]["project"] = json!("tenants");
        app["spec"]["syncPolicy"]["syncOptions"] = json!([]);
        app["spec"]["syncPolicy"]["retry"] =
            json!({"limit": 60, "backoff": {"duration": "1s", "maxDuration": "1s"}});
    };
    world.application("app", &url, change);
    let state = |world: &World, app: &str| world.app(app)["status"]["operationState"].to_string();
    world.eventually("the Secret is forbidden to the account", |world| {
        state(world, "app").contains("Forbidden")
    });
    let exists = |world: &World, what: &str| {
        world.api.get(&format!("/api/v1/namespaces/{target}/{what}")).unwrap().is_some()
    };
    assert!(!exists(&world, "configmaps/a"), "nothing is written before everything may be");
    permit(&world, &target, &json!(["configmaps", "secrets"]));
    world.converged("app", "");
    assert!(exists(&world, "configmaps/a") && exists(&world, "secrets/s"));

    // Self-heal is a sync as well: without the right it fails, with it the drift goes.
    permit(&world, &target, &json!(["secrets"]));
    world
        .api
        .merge(&format!("/api/v1/namespaces/{target}/configmaps/a"), &json!({"data": {"value": "drift"}}))
        .unwrap();
    world.eventually("the account may not heal", |world| state(world, "app").contains(":deployer"));
    permit(&world, &target, &json!(["configmaps", "secrets"]));
    world.eventually("it may again", |world| {
        let a = world.api.get(&format!("/api/v1/namespaces/{target}/configmaps/a")).unwrap().unwrap();
        a["data"]["value"] == "one"
    });

    // Where the project names no account, nothing is written at all.
    let other = world.target("other");
    world.application("other", &url, change);
    world.eventually("the operation ends", |world| {
        state(world, "other").contains("failed to find a matching service account to impersonate")
    });
    assert!(world.api.get(&format!("/api/v1/namespaces/{other}/configmaps/a")).unwrap().is_none());
}
