//! The main job: from commit to converged.

use serde_json::json;

use super::harness::{World, config_map, deployment, hook};

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn commits_drift_prunes_and_deletion_converge() {
    let world = World::new("converge");
    let url = world.repository(
        "app",
        &[
            ("config.yaml", &config_map("settings", "one", -1)),
            ("web.yaml", &deployment("web", 1, 0, "{}")),
            ("later.yaml", &config_map("later", "x", 1)),
        ],
    );
    let target = world.application("app", &url, |_| {});
    world.converged("app", "");
    let settings = format!("/api/v1/namespaces/{target}/configmaps/settings");
    let value = |world: &World| world.api.get(&settings).unwrap().map(|one| one["data"]["value"].clone());
    assert_eq!(value(&world), Some(json!("one")));

    // A change by hand is undone.
    world.api.merge(&settings, &json!({"data": {"value": "drift"}})).unwrap();
    world.eventually("the drift is healed", |world| value(world) == Some(json!("one")));
    // So is a deletion by hand.
    world.api.delete(&settings).unwrap();
    world.eventually("the deletion is healed", |world| value(world) == Some(json!("one")));

    // A commit changes one object and drops another.
    let commit = world.commit(
        "app",
        &[("config.yaml", &config_map("settings", "two", -1)), ("web.yaml", &deployment("web", 1, 0, "{}"))],
    );
    world.refresh("app");
    world.converged("app", &commit);
    assert_eq!(value(&world), Some(json!("two")));
    assert!(world.api.get(&format!("/api/v1/namespaces/{target}/configmaps/later")).unwrap().is_none());
    let history = world.app("app")["status"]["history"].as_array().map_or(0, Vec::len);
    assert_eq!(history, 2, "one entry per full sync: {}", world.app("app")["status"]["history"]);

    // Deletion takes the objects along.
    world.api.delete(&world.app_path("app")).unwrap();
    world.eventually("the application is gone", |world| world.app("app").is_null());
    assert!(world.api.get(&settings).unwrap().is_none());
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn overlays_and_charts_converge() {
    let world = World::new("renderers");
    let url = world.repository("mixed", &[
        ("overlay/kustomization.yaml", "resources: [../base]\nnamePrefix: prod-\nreplicas: [{name: web, count: 2}]\n"),
        ("base/kustomization.yaml", "resources: [web.yaml]\n"),
        ("base/web.yaml", &deployment("web", 1, 0, "{}")),
        ("chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 0.1.0\n"),
        ("chart/values.yaml", "value: default\n"),
        (
            "chart/templates/config.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-config\ndata:\n  value: {{ .Values.value | quote }}\n",
        ),
    ]);
    let overlay = world.application("overlay", &url, |app| app["spec"]["source"]["path"] = json!("overlay"));
    let chart = world.application("chart", &url, |app| {
        app["spec"]["source"]["path"] = json!("chart");
        app["spec"]["source"]["helm"] = json!({"parameters": [{"name": "value", "value": "set"}]});
    });
    world.converged("overlay", "");
    world.converged("chart", "");
    let web =
        world.api.get(&format!("/apis/apps/v1/namespaces/{overlay}/deployments/prod-web")).unwrap().unwrap();
    assert_eq!(web["spec"]["replicas"], 2);
    let config =
        world.api.get(&format!("/api/v1/namespaces/{chart}/configmaps/chart-config")).unwrap().unwrap();
    assert_eq!(config["data"]["value"], "set");
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn an_operation_syncs_and_a_manual_application_waits_for_it() {
    let world = World::new("operation");
    let url = world.repository("app", &[("config.yaml", &config_map("settings", "one", 0))]);
    let target = world.application("app", &url, |app| {
        app["spec"]["syncPolicy"] = json!({"syncOptions": ["CreateNamespace=true"]});
    });
    world.eventually("it is OutOfSync", |world| world.app("app")["status"]["sync"]["status"] == "OutOfSync");
    assert!(world.api.get(&format!("/api/v1/namespaces/{target}/configmaps/settings")).unwrap().is_none());
    let operation = json!({"operation": {"sync": {}, "initiatedBy": {"username": "tester"}}});
    world.api.merge(&world.app_path("app"), &operation).unwrap();
    world.converged("app", "");
    let app = world.app("app");
    assert!(app.get("operation").is_none(), "the operation has become the operation's state");
    assert_eq!(app["status"]["history"][0]["initiatedBy"]["username"], "tester");
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn nothing_is_written_when_nothing_changed() {
    let world = World::new("quiet");
    let url = world.repository("app", &[("config.yaml", &config_map("settings", "one", 0))]);
    let target = world.application("app", &url, |_| {});
    world.converged("app", "");
    let versions = |world: &World| {
        let object =
            world.api.get(&format!("/api/v1/namespaces/{target}/configmaps/settings")).unwrap().unwrap();
        (
            world.app("app")["metadata"]["resourceVersion"].clone(),
            object["metadata"]["resourceVersion"].clone(),
        )
    };
    // The refresh itself writes the annotation twice: once to ask, once when it was heard.
    world.refresh("app");
    let heard = |world: &World| {
        world.app("app")["metadata"]["annotations"].get("argocd.argoproj.io/refresh").is_none()
    };
    world.eventually("the refresh is heard", heard);
    let before = versions(&world);
    let other =
        world.commit("app", &[("config.yaml", &config_map("settings", "one", 0)), ("notes.txt", "x")]);
    world.refresh("app");
    world.eventually("the new revision is seen", |world| {
        world.app("app")["status"]["sync"]["revision"] == other
    });
    assert_eq!(versions(&world).1, before.1, "an object that did not change was written");
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn hooks_run_once_each_sync_and_are_deleted_as_their_policy_says() {
    let world = World::new("hooks");
    let files = |value: &str| {
        vec![
            ("a-before.yaml", hook("name: before", "PreSync", "BeforeHookCreation")),
            ("b-config.yaml", config_map("settings", value, 0)),
            ("c-after.yaml", hook("generateName: after-", "PostSync", "HookSucceeded")),
        ]
    };
    let commit = |world: &World, value: &str| {
        let files = files(value);
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        world.commit("app", &files)
    };
    let url = world.repository("app", &[]);
    let first = commit(&world, "one");
    let target = world.application("app", &url, |_| {});
    world.converged("app", &first);
    let jobs = |world: &World| {
        let jobs = world.api.list(&format!("/apis/batch/v1/namespaces/{target}/jobs")).unwrap();
        let there = jobs.iter().filter(|job| job["metadata"]["deletionTimestamp"].is_null());
        there.map(|job| job["metadata"].clone()).collect::<Vec<_>>()
    };
    // It is deleted before the sync ends; the garbage collector takes it away when its pods are gone.
    world.eventually("the PostSync hook is gone", |world| jobs(world).len() == 1);
    let left = jobs(&world);
    assert_eq!(left[0]["name"], "before");
    let second = commit(&world, "two");
    world.refresh("app");
    world.converged("app", &second);
    world.eventually("the PostSync hook is gone again", |world| jobs(world).len() == 1);
    let again = jobs(&world);
    assert_ne!(again[0]["uid"], left[0]["uid"], "the PreSync hook ran anew");
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn a_secret_that_git_writes_as_string_data_is_healed() {
    let world = World::new("secret");
    let secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: token\nstringData:\n  token: right\n";
    let url = world.repository("app", &[("secret.yaml", secret)]);
    let target = world.application("app", &url, |_| {});
    world.converged("app", "");
    let path = format!("/api/v1/namespaces/{target}/secrets/token");
    // "wrong" and "right" in base64.
    world.api.merge(&path, &serde_json::json!({"data": {"token": "d3Jvbmc="}})).unwrap();
    world.eventually("the value is put right", |world| {
        world.api.get(&path).unwrap().unwrap()["data"]["token"] == "cmlnaHQ="
    });
    world.converged("app", "");
}
