//! Several sources: a chart with values of another repository, plain manifests beside it.

use serde_json::{Value, json};

use super::harness::{World, config_map};

fn chart(default: &str) -> [(&'static str, String); 3] {
    [
        ("chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 0.1.0\n".into()),
        ("chart/values.yaml", format!("value: {default}\n")),
        ("chart/templates/a.yaml", config_map("{{ .Release.Name }}-chart", "{{ .Values.value }}", 0)),
    ]
}

fn as_files<'a>(files: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    files.iter().map(|(path, text)| (*path, text.as_str())).collect()
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn several_sources_converge_and_go_back() {
    let world = World::new("sources");
    let files = chart("default");
    let charts = world.repository("charts", &as_files(&files));
    let plain = config_map("plain", "x", 0);
    let values = world.repository("values", &[("prod/app.yaml", "value: one\n"), ("plain/a.yaml", &plain)]);
    let target = world.application("app", &charts, |app| {
        // The one source does not count where there are several.
        app["spec"]["source"]["path"] = json!("nowhere");
        app["spec"]["syncPolicy"]["automated"]["selfHeal"] = json!(false);
        app["spec"]["sources"] = json!([
            {"repoURL": charts, "path": "chart", "targetRevision": "main",
             "helm": {"valueFiles": ["$values/prod/$ARGOCD_APP_NAME.yaml"]}},
            {"repoURL": values, "targetRevision": "main", "ref": "values"},
            {"repoURL": values, "targetRevision": "main", "path": "plain", "name": "plain manifests"},
        ]);
    });
    world.converged("app", "");
    let value = |world: &World, name: &str| {
        let path = format!("/api/v1/namespaces/{target}/configmaps/{name}");
        world.api.get(&path).unwrap().map(|one| one["data"]["value"].clone())
    };
    assert_eq!(value(&world, "app-chart"), Some(json!("one")));
    assert_eq!(value(&world, "plain"), Some(json!("x")));
    let status = world.app("app")["status"].take();
    assert_eq!(status["sourceTypes"], json!(["Helm", "", "Directory"]));
    assert_eq!(status["sourceType"], Value::Null);
    assert_eq!(status["sync"]["revision"], Value::Null);
    let revisions = status["sync"]["revisions"].clone();
    assert_eq!(revisions.as_array().map(Vec::len), Some(3), "{revisions}");
    assert_eq!(status["sync"]["comparedTo"]["sources"].as_array().map(Vec::len), Some(3));
    assert_eq!(status["operationState"]["syncResult"]["revisions"], revisions);
    assert_eq!(status["history"][0]["revisions"], revisions);
    assert_eq!(status["history"][0]["sources"].as_array().map(Vec::len), Some(3));

    // A commit to the values alone is a new revision of two sources.
    let commit = world.commit("values", &[("prod/app.yaml", "value: two\n"), ("plain/a.yaml", &plain)]);
    world.refresh("app");
    world.eventually("the new values arrive", |world| value(world, "app-chart") == Some(json!("two")));
    world.eventually("the history has both", |world| {
        world.app("app")["status"]["history"].as_array().is_some_and(|history| history.len() == 2)
    });
    let second = world.app("app")["status"]["history"][1]["revisions"].clone();
    assert_eq!((&second[0], &second[1], &second[2]), (&revisions[0], &json!(commit), &json!(commit)));

    // Back to what the history has first, as `tiphys app rollback` asks for it.
    let off = json!({"spec": {"syncPolicy": {"automated": {"enabled": false}}}});
    world.api.merge(&world.app_path("app"), &off).unwrap();
    let entry = world.app("app")["status"]["history"][0].take();
    let sync = json!({"sources": entry["sources"], "revisions": entry["revisions"], "prune": true});
    world.api.merge(&world.app_path("app"), &json!({"operation": {"sync": sync}})).unwrap();
    world.eventually("the earlier values are back", |world| value(world, "app-chart") == Some(json!("one")));
    world.eventually("the rollback is in the history", |world| {
        world.app("app")["status"]["history"][2]["revisions"] == revisions
    });
    the_last_source_wins(&world, &target);
}

/// A resource that two sources have: the last one wins, and a condition says so.
fn the_last_source_wins(world: &World, target: &str) {
    let twice = config_map("app-chart", "from the last source", 0);
    world.commit("values", &[("prod/app.yaml", "value: two\n"), ("plain/a.yaml", &twice)]);
    let on = json!({"spec": {"syncPolicy": {"automated": {"enabled": true}}}});
    world.api.merge(&world.app_path("app"), &on).unwrap();
    world.refresh("app");
    world.eventually("the last one wins", |world| {
        let path = format!("/api/v1/namespaces/{target}/configmaps/app-chart");
        world.api.get(&path).unwrap().is_some_and(|one| one["data"]["value"] == "from the last source")
    });
    world.eventually("a condition tells of it", |world| {
        let conditions = world.app("app")["status"]["conditions"].take();
        let told = |one: &Value| {
            let message = one["message"].as_str().unwrap_or_default();
            one["type"] == "RepeatedResourceWarning"
                && message.contains("app-chart appeared 2 times among application resources")
        };
        conditions.as_array().is_some_and(|all| all.iter().any(told))
    });
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn a_remote_base_is_followed_and_held_to_the_project() {
    let world = World::new("remote-base");
    let first = config_map("settings", "one", 0);
    let base = world
        .repository("base", &[("app/kustomization.yaml", "resources: [a.yaml]\n"), ("app/a.yaml", &first)]);
    let kustomization = format!("resources: ['{base}//app?ref=main']\nnamePrefix: prod-\n");
    let overlay = world.repository("overlay", &[("kustomization.yaml", &kustomization)]);
    let target = world.application("app", &overlay, |_| {});
    world.converged("app", "");
    let value = |world: &World| {
        let path = format!("/api/v1/namespaces/{target}/configmaps/prod-settings");
        world.api.get(&path).unwrap().map(|one| one["data"]["value"].clone())
    };
    assert_eq!(value(&world), Some(json!("one")));
    let second = config_map("settings", "two", 0);
    world.commit("base", &[("app/kustomization.yaml", "resources: [a.yaml]\n"), ("app/a.yaml", &second)]);
    world.refresh("app");
    world.eventually("the base's commit arrives", |world| value(world) == Some(json!("two")));

    let project = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
        "metadata": {"name": "narrow", "namespace": world.namespace},
        "spec": {"sourceRepos": [overlay], "destinations": [{"server": "*", "namespace": "*"}],
                 "clusterResourceWhitelist": [{"group": "*", "kind": "*"}]},
    });
    let path = format!("/apis/argoproj.io/v1alpha1/namespaces/{}/appprojects", world.namespace);
    world.api.create(&path, &project).unwrap();
    world.api.merge(&world.app_path("app"), &json!({"spec": {"project": "narrow"}})).unwrap();
    world.eventually("the project refuses the base", |world| {
        let conditions = world.app("app")["status"]["conditions"].take();
        conditions.to_string().contains("is not permitted in project 'narrow'")
    });
}
