//! What holds a sync back from outside: limits of pruning, sync windows, projects.

use serde_json::{Value, json};

use super::harness::{World, config_map};

fn configs(names: &[&str]) -> Vec<(String, String)> {
    names.iter().map(|name| (format!("{name}.yaml"), config_map(name, "x", 0))).collect()
}

fn as_files(files: &[(String, String)]) -> Vec<(&str, &str)> {
    files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect()
}

fn conditions(world: &World, app: &str) -> String {
    world.app(app)["status"]["conditions"].to_string()
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn pruning_beyond_the_limit_waits_for_a_person_or_a_better_commit() {
    let world = World::new("max-prune");
    let all = configs(&["a", "b", "c", "d"]);
    let url = world.repository("app", &as_files(&all));
    let target = world.application("app", &url, |app| {
        app["metadata"]["annotations"] = json!({"tiphys.dev/max-prune": "25%"});
    });
    world.converged("app", "");
    let count = |world: &World| {
        let there = world.api.list(&format!("/api/v1/namespaces/{target}/configmaps")).unwrap();
        there.iter().filter(|one| one["metadata"]["name"] != "kube-root-ca.crt").count()
    };
    let waits = |world: &World| {
        let message = world.app("app")["status"]["operationState"]["message"].to_string();
        message.contains("3 of 4 objects would be pruned")
            && conditions(world, "app").contains("ConfirmationWarning")
    };
    world.commit("app", &as_files(&configs(&["a"])));
    world.refresh("app");
    world.eventually("it says what is waited for", waits);
    assert_eq!(count(&world), 4);

    // A better commit replaces the one that waits.
    let better = world.commit("app", &as_files(&configs(&["a", "b", "c"])));
    world.refresh("app");
    world.converged("app", &better);
    assert_eq!(count(&world), 3);
    assert!(!conditions(&world, "app").contains("ConfirmationWarning"));

    // Or somebody confirms.
    let last = world.commit("app", &as_files(&configs(&["a"])));
    world.refresh("app");
    world.eventually("it waits again", |world| {
        world.app("app")["status"]["operationState"]["message"].to_string().contains("2 of 3 objects")
    });
    world.approve("app");
    world.converged("app", &last);
    assert_eq!(count(&world), 1);
}

fn project(world: &World, name: &str, change: impl FnOnce(&mut Value)) {
    let mut project = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": name, "namespace": world.namespace},
        "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
                 "clusterResourceWhitelist": [{"group": "*", "kind": "*"}]},
    });
    change(&mut project["spec"]);
    let path = format!("/apis/argoproj.io/v1alpha1/namespaces/{}/appprojects/{name}", world.namespace);
    world.api.apply(&path, &project).unwrap();
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn a_closed_window_holds_syncs_until_it_opens() {
    let world = World::new("windows");
    let frozen = json!([{"kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": ["*"]}]);
    project(&world, "frozen", |spec| spec["syncWindows"] = frozen);
    let url = world.repository("app", &as_files(&configs(&["a"])));
    world.application("app", &url, |app| app["spec"]["project"] = json!("frozen"));
    world.application("by-hand", &url, |app| {
        app["spec"]["project"] = json!("frozen");
        app["spec"]["syncPolicy"]["automated"] = Value::Null;
        app["operation"] = json!({"sync": {"revision": "main"}, "initiatedBy": {"username": "somebody"}});
    });
    world.eventually("the window is named", |world| {
        conditions(world, "app").contains("blocked by sync window (deny:* * * * *:1h)")
            && world.app("by-hand")["status"]["operationState"]["message"]
                .to_string()
                .contains("blocked by sync window")
    });
    assert_eq!(world.app("by-hand")["status"]["operationState"]["phase"], "Running");
    assert_eq!(world.app("app")["status"]["operationState"], Value::Null, "nothing was started");
    project(&world, "frozen", |spec| spec["syncWindows"] = json!([]));
    world.converged("app", "");
    world.converged("by-hand", "");
    assert!(!conditions(&world, "app").contains("SyncWindowWarning"));
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn applications_live_in_other_namespaces_where_controller_and_project_permit() {
    let mut world = World::new("anywhere");
    let (team, other) = (format!("{}-team", world.namespace), format!("{}-other", world.namespace));
    let params = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cmd-params-cm", "namespace": world.namespace},
        "data": {"application.namespaces": format!("{}-te*", world.namespace)},
    });
    world
        .api
        .apply(&format!("/api/v1/namespaces/{}/configmaps/argocd-cmd-params-cm", world.namespace), &params)
        .unwrap();
    world.kill_controller();
    world.start_controller();
    project(&world, "team", |spec| spec["sourceNamespaces"] = json!([team]));
    project(&world, "closed", |_| {});
    let url = world.repository("app", &as_files(&configs(&["a"])));
    for (namespace, name, project) in
        [(&team, "permitted", "team"), (&team, "refused", "closed"), (&other, "foreign", "team")]
    {
        world.namespace_object(namespace);
        let app = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name, "namespace": namespace},
            "spec": {"project": project, "source": {"repoURL": url, "path": ".", "targetRevision": "main"},
                     "destination": {"server": "https://kubernetes.default.svc", "namespace": format!("{namespace}-{name}")},
                     "syncPolicy": {"automated": {}, "syncOptions": ["CreateNamespace=true"]}},
        });
        world
            .api
            .create(&format!("/apis/argoproj.io/v1alpha1/namespaces/{namespace}/applications"), &app)
            .unwrap();
    }
    let app = |world: &World, namespace: &str, name: &str| {
        world
            .api
            .get(&format!("/apis/argoproj.io/v1alpha1/namespaces/{namespace}/applications/{name}"))
            .unwrap()
            .unwrap()
    };
    world.eventually("the permitted one is synced", |world| {
        app(world, &team, "permitted")["status"]["sync"]["status"] == "Synced"
    });
    world.eventually("the refused one says why", |world| {
        app(world, &team, "refused")["status"]["conditions"]
            .to_string()
            .contains("not permitted to use project 'closed'")
    });
    let config =
        world.api.get(&format!("/api/v1/namespaces/{team}-permitted/configmaps/a")).unwrap().unwrap();
    let tracking = config["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"].as_str().unwrap();
    assert!(tracking.starts_with(&format!("{team}_permitted:")), "{tracking}");
    assert_eq!(app(&world, &other, "foreign")["status"], Value::Null, "another controller's business");
}
