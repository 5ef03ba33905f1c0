//! What `argocd-cm` and AppProjects say about which objects count.

use serde_json::{Value, json};

use super::harness::{World, config_map};

const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata: {name: token}\nstringData: {a: b}\n";

fn conditions(world: &World, name: &str) -> String {
    world.app(name)["status"]["conditions"].to_string()
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn excluded_kinds_are_left_alone() {
    let world = World::new("excluded");
    world.settings(json!({"resource.exclusions": "- kinds: [Secret]\n  clusters: ['*']\n"}));
    let url = world.repository("app", &[("a.yaml", &config_map("settings", "one", 0)), ("b.yaml", SECRET)]);
    let target = world.application("app", &url, |_| {});
    world.converged("app", "");
    assert!(conditions(&world, "app").contains("ExcludedResourceWarning"), "{}", conditions(&world, "app"));
    let secret = format!("/api/v1/namespaces/{target}/secrets/token");
    assert!(world.api.get(&secret).unwrap().is_none());
    // The exclusion goes, and the object comes; it comes back, and the object stays.
    world.settings(json!({"resource.exclusions": null}));
    world.eventually("the Secret is applied", |world| world.api.get(&secret).unwrap().is_some());
    world.converged("app", "");
    world.settings(json!({"resource.exclusions": "- kinds: [Secret]\n"}));
    world.eventually("the warning is back", |world| conditions(world, "app").contains("Secret token"));
    world.converged("app", "");
    assert!(world.api.get(&secret).unwrap().is_some(), "what is excluded is not pruned");
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn tracking_moves_from_label_to_annotation_without_loss() {
    let world = World::new("tracking");
    world.settings(json!({"application.resourceTrackingMethod": "label"}));
    let both = [("a.yaml", config_map("stays", "x", 0)), ("b.yaml", config_map("goes", "x", 0))];
    let both: Vec<(&str, &str)> = both.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let url = world.repository("app", &both);
    let target = world.application("app", &url, |_| {});
    world.converged("app", "");
    let path = |name: &str| format!("/api/v1/namespaces/{target}/configmaps/{name}");
    let object = |world: &World, name: &str| world.api.get(&path(name)).unwrap();
    let id = |object: &Value| object["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"].clone();
    let before = object(&world, "stays").unwrap();
    assert_eq!(before["metadata"]["labels"]["app.kubernetes.io/instance"], "app");
    assert_eq!(id(&before), Value::Null);
    // Tracking by label finds what Git no longer holds.
    world.api.merge(&path("stays"), &json!({"data": {"value": "drift"}})).unwrap();
    world.eventually("it heals by label", |world| object(world, "stays").unwrap()["data"]["value"] == "x");

    // The settings change while nobody looks, and Git drops an object that only the label tracks.
    world.commit("app", &both[..1]);
    world.settings(json!({"application.resourceTrackingMethod": "annotation"}));
    world.eventually("the annotation is there", |world| !id(&object(world, "stays").unwrap()).is_null());
    world.refresh("app");
    world.eventually("what Git dropped is pruned", |world| object(world, "goes").is_none());
    world.converged("app", "");
    assert_eq!(object(&world, "stays").unwrap()["metadata"]["uid"], before["metadata"]["uid"]);
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn orphans_are_told_where_the_project_asks() {
    let world = World::new("stray");
    let project = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
        "metadata": {"name": "watched", "namespace": world.namespace},
        "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
            "orphanedResources": {"ignore": [{"kind": "ConfigMap", "name": "cache-*"}]}},
    });
    let projects = format!("/apis/argoproj.io/v1alpha1/namespaces/{}/appprojects", world.namespace);
    world.api.create(&projects, &project).unwrap();
    let target = world.target("app");
    for name in ["stray", "cache-1"] {
        let stray = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
        world.api.create(&format!("/api/v1/namespaces/{target}/configmaps"), &stray).unwrap();
    }
    let url = world.repository("app", &[("a.yaml", &config_map("settings", "one", 0))]);
    world.application("app", &url, |app| app["spec"]["project"] = json!("watched"));
    world.converged("app", "");
    world.eventually("the orphan is named", |world| {
        let conditions = conditions(world, "app");
        conditions.contains("OrphanedResourceWarning")
            && conditions.contains("1 orphaned resources: ConfigMap/stray")
    });
    world
        .api
        .merge(&format!("{projects}/watched"), &json!({"spec": {"orphanedResources": {"warn": false}}}))
        .unwrap();
    world.eventually("the warning goes", |world| {
        !conditions(world, "app").contains("OrphanedResourceWarning")
    });
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn fields_of_trusted_managers_and_ignored_content_do_not_count() {
    let world = World::new("trusted");
    world.settings(
        json!({"resource.customizations.ignoreDifferences.all": "managedFieldsManagers: [the-tuner]\n"}),
    );
    let ignored = config_map("ignored", "one", 0).replace(
        "  annotations:\n",
        "  annotations:\n    argocd.argoproj.io/compare-result: IgnoreDifference\n",
    );
    let url = world.repository("app", &[("a.yaml", &config_map("settings", "one", 0)), ("b.yaml", &ignored)]);
    let target = world.application("app", &url, |_| {});
    world.converged("app", "");
    let path = |name: &str| format!("/api/v1/namespaces/{target}/configmaps/{name}");
    let value =
        |world: &World, name: &str| world.api.get(&path(name)).unwrap().unwrap()["data"]["value"].clone();
    let tuned = json!({"data": {"value": "tuned"}});
    world.api.merge(&format!("{}?fieldManager=the-tuner", path("settings")), &tuned).unwrap();
    world.api.merge(&path("ignored"), &tuned).unwrap();
    // A third object shows that the changes before it were looked at.
    world
        .api
        .merge(
            &path("settings"),
            &json!({"metadata": {"annotations": {"argocd.argoproj.io/sync-wave": "7"}}}),
        )
        .unwrap();
    world.eventually("another field is healed", |world| {
        let object = world.api.get(&path("settings")).unwrap().unwrap();
        object["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] == "0"
    });
    assert_eq!(value(&world, "ignored"), "tuned");
    world.eventually("it is Synced", |world| world.app("app")["status"]["sync"]["status"] == "Synced");
}
