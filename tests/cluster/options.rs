//! What sync options do to real objects.

use serde_json::{Value, json};

use super::harness::{World, config_map, deployment};

fn state(world: &World) -> Value {
    world.app("app")["status"]["operationState"].clone()
}

fn get(world: &World, path: &str) -> Option<Value> {
    world.api.get(path).unwrap()
}

fn uid(object: &Value) -> String {
    object["metadata"]["uid"].as_str().unwrap().to_owned()
}

/// An object's YAML with sync options.
fn with_options(yaml: &str, options: &str) -> String {
    let line = format!("  annotations:\n    argocd.argoproj.io/sync-options: {options}\n");
    yaml.replacen("  annotations:\n", &line, 1)
}

/// A Deployment whose immutable selector names a version.
fn selecting(version: &str) -> String {
    deployment("web", 0, 0, "{}").replace("{app: web}", &format!("{{app: web, version: {version}}}"))
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn what_cannot_be_changed_is_made_anew_with_force_and_only_then() {
    let world = World::new("force");
    let url = world.repository("app", &[("web.yaml", &selecting("one"))]);
    let target = world.application("app", &url, |app| {
        app["spec"]["syncPolicy"]["retry"] = json!({"limit": 0});
    });
    world.converged("app", "");
    let path = format!("/apis/apps/v1/namespaces/{target}/deployments/web");
    let before = get(&world, &path).unwrap();

    world.commit("app", &[("web.yaml", &selecting("two"))]);
    world.refresh("app");
    world.eventually("the change is refused, and how to go on is said", |world| {
        let state = state(world).to_string();
        state.contains("Failed") && state.contains("immutable")
    });
    assert_eq!(uid(&get(&world, &path).unwrap()), uid(&before), "nothing was deleted unasked");

    let last = world.commit("app", &[("web.yaml", &with_options(&selecting("two"), "Force=true"))]);
    world.refresh("app");
    world.converged("app", &last);
    let after = get(&world, &path).unwrap();
    assert_ne!(uid(&after), uid(&before));
    assert_eq!(after["spec"]["selector"]["matchLabels"]["version"], "two");

    // A change that can be made leaves the object where it is.
    let scaled = with_options(&selecting("two").replace("replicas: 0", "replicas: 1"), "Force=true");
    let last = world.commit("app", &[("web.yaml", &scaled)]);
    world.refresh("app");
    world.converged("app", &last);
    assert_eq!(uid(&get(&world, &path).unwrap()), uid(&after));
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn a_forced_object_that_is_refused_anew_comes_back_as_it_was() {
    let world = World::new("forceback");
    let url = world.repository("app", &[("web.yaml", &selecting("one"))]);
    let target = world.application("app", &url, |app| {
        app["spec"]["syncPolicy"]["retry"] = json!({"limit": 0});
    });
    world.converged("app", "");
    let path = format!("/apis/apps/v1/namespaces/{target}/deployments/web");
    // Wrong whether the object is there or not: the labels of the pods are not those of the selector.
    let wrong = selecting("one").replacen("version: one", "version: two", 1);
    world.commit("app", &[("web.yaml", &with_options(&wrong, "Force=true"))]);
    world.refresh("app");
    world.eventually("the operation fails", |world| state(world)["phase"] == "Failed");
    world.eventually("the old one is there", |world| {
        get(world, &path).is_some_and(|web| web["spec"]["selector"]["matchLabels"]["version"] == "one")
    });
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn replace_puts_the_whole_object_and_with_force_makes_it_anew_each_time() {
    let world = World::new("replace");
    let files = |value: &str| {
        [
            ("applied.yaml", config_map("applied", value, 0)),
            ("put.yaml", with_options(&config_map("put", value, 0), "Replace=true")),
            ("anew.yaml", with_options(&config_map("anew", "same", 0), "Replace=true,Force=true")),
        ]
    };
    let commit = |world: &World, value: &str| {
        let files = files(value);
        world.commit("app", &files.each_ref().map(|(path, text)| (*path, text.as_str())))
    };
    let url = world.repository("app", &[]);
    let first = commit(&world, "one");
    let target = world.application("app", &url, |_| {});
    world.converged("app", &first);
    let path = |name: &str| format!("/api/v1/namespaces/{target}/configmaps/{name}");
    let uids = |world: &World| ["applied", "put", "anew"].map(|name| uid(&get(world, &path(name)).unwrap()));
    let before = uids(&world);
    for name in ["applied", "put"] {
        world.api.merge(&path(name), &json!({"data": {"of-somebody": "else"}})).unwrap();
    }
    let second = commit(&world, "two");
    world.refresh("app");
    world.converged("app", &second);
    let data = |name: &str| get(&world, &path(name)).unwrap()["data"].clone();
    assert_eq!(data("applied"), json!({"value": "two", "of-somebody": "else"}), "fields of others stay");
    assert_eq!(data("put"), json!({"value": "two"}), "the whole object is Git's");
    let after = uids(&world);
    assert_eq!(before[..2], after[..2]);
    assert_ne!(before[2], after[2], "made anew, though nothing in it changed");
}

/// A Deployment that owns something that does not go away: deleting it in the foreground takes until that is gone.
fn with_stubborn_child(world: &World, target: &str) -> String {
    let web = get(world, &format!("/apis/apps/v1/namespaces/{target}/deployments/web")).unwrap();
    let child = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
        "name": "child", "namespace": target, "finalizers": ["example.com/stays"],
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": uid(&web), "blockOwnerDeletion": true}]}});
    world.api.create(&format!("/api/v1/namespaces/{target}/configmaps"), &child).unwrap();
    format!("/api/v1/namespaces/{target}/configmaps/child")
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn pruning_waits_for_dependents_or_leaves_them_as_the_policy_says() {
    let world = World::new("propagation");
    for policy in ["foreground", "background", "orphan"] {
        let web = deployment("web", 0, 0, "{}");
        // With several waves a sync waits for what it deletes.
        let keep = config_map("keep", "x", 1);
        let url = world.repository(policy, &[("web.yaml", &web), ("keep.yaml", &keep)]);
        let target = world.application(policy, &url, |app| {
            let options = json!(["CreateNamespace=true", format!("PrunePropagationPolicy={policy}")]);
            app["spec"]["syncPolicy"]["syncOptions"] = options;
        });
        world.converged(policy, "");
        let child = with_stubborn_child(&world, &target);
        let owner = format!("/apis/apps/v1/namespaces/{target}/deployments/web");
        let last = world.commit(policy, &[("keep.yaml", &keep)]);
        world.refresh(policy);
        let state = |world: &World| world.app(policy)["status"]["operationState"].clone();
        if policy == "foreground" {
            world.eventually("the sync waits for the deletion", |world| {
                let state = state(world);
                state["phase"] == "Running" && state["message"].to_string().contains("Pending deletion")
            });
            assert!(get(&world, &owner).is_some(), "its dependent is still there");
            world.api.merge(&child, &json!({"metadata": {"finalizers": null}})).unwrap();
        }
        world.converged(policy, &last);
        assert!(get(&world, &owner).is_none(), "{policy}");
        match policy {
            "foreground" => assert!(get(&world, &child).is_none(), "it went first"),
            "background" => world.eventually("the dependent is on its way out", |world| {
                get(world, &child).is_some_and(|child| !child["metadata"]["deletionTimestamp"].is_null())
            }),
            _ => world.eventually("the dependent has no owner any more", |world| {
                let child = get(world, &child).unwrap();
                child["metadata"]["ownerReferences"].is_null()
                    && child["metadata"]["deletionTimestamp"].is_null()
            }),
        }
        let _ = world.api.merge(&child, &json!({"metadata": {"finalizers": null}}));
    }
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn prune_last_waits_until_everything_else_is_well() {
    let world = World::new("prunelast");
    let (old, keep) = (config_map("old", "x", 0), config_map("keep", "x", 0));
    let url = world.repository("app", &[("old.yaml", &old), ("keep.yaml", &keep)]);
    let target = world.application("app", &url, |app| {
        app["spec"]["syncPolicy"]["syncOptions"] = json!(["CreateNamespace=true", "PruneLast=true"]);
    });
    world.converged("app", "");
    // Never healthy: nothing gives what it asks for.
    let stuck = deployment("stuck", 1, 0, "{\"example.com/none\": 1}");
    world.commit("app", &[("keep.yaml", &keep), ("stuck.yaml", &stuck)]);
    world.refresh("app");
    world.eventually("the sync waits for the Deployment", |world| {
        state(world)["message"].to_string().contains("Deployment/stuck")
    });
    let old = format!("/api/v1/namespaces/{target}/configmaps/old");
    assert!(get(&world, &old).is_some(), "it goes last");
    let web = format!("/apis/apps/v1/namespaces/{target}/deployments/stuck");
    world.api.merge(&web, &json!({"spec": {"replicas": 0}})).unwrap();
    world.eventually("then it goes", |world| get(world, &old).is_none());
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn the_namespace_gets_its_metadata_and_its_result_is_over_when_the_sync_is() {
    let world = World::new("nsmeta");
    let (first, second) = (config_map("first", "x", 0), config_map("second", "x", 1));
    let url = world.repository("app", &[("a.yaml", &first), ("b.yaml", &second)]);
    let target = world.application("app", &url, |app| {
        let metadata = json!({"labels": {"team": "ml"}, "annotations": {"example.com/note": "here"}});
        app["spec"]["syncPolicy"]["managedNamespaceMetadata"] = metadata;
    });
    world.converged("app", "");
    let namespace = get(&world, &format!("/api/v1/namespaces/{target}")).unwrap();
    assert_eq!(namespace["metadata"]["labels"]["team"], "ml");
    assert_eq!(namespace["metadata"]["annotations"]["example.com/note"], "here");
    let results = state(&world)["syncResult"]["resources"].clone();
    let phases: Vec<(&str, &str)> = results
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["kind"].as_str().unwrap(), one["hookPhase"].as_str().unwrap()))
        .collect();
    assert!(phases.contains(&("Namespace", "Succeeded")), "{phases:?}");

    // Another value comes with the next sync, in front of everything else.
    let labels = json!({"spec": {"syncPolicy": {"managedNamespaceMetadata": {"labels": {"team": "web"}}}}});
    world.api.merge(&world.app_path("app"), &labels).unwrap();
    let last = world.commit("app", &[("a.yaml", &first), ("b.yaml", &config_map("second", "y", 1))]);
    world.refresh("app");
    world.converged("app", &last);
    world.eventually("the label is new", |world| {
        get(world, &format!("/api/v1/namespaces/{target}")).unwrap()["metadata"]["labels"]["team"] == "web"
    });
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn only_what_is_out_of_sync_is_applied_where_that_is_asked_for() {
    let world = World::new("onlyout");
    let (one, two) = (config_map("one", "x", 0), config_map("two", "x", 0));
    let url = world.repository("app", &[("1.yaml", &one), ("2.yaml", &two)]);
    world.application("app", &url, |app| {
        app["spec"]["syncPolicy"]["syncOptions"] = json!(["CreateNamespace=true", "ApplyOutOfSyncOnly=true"]);
    });
    world.converged("app", "");
    let last = world.commit("app", &[("1.yaml", &one), ("2.yaml", &config_map("two", "y", 0))]);
    world.refresh("app");
    world.converged("app", &last);
    let results = state(&world)["syncResult"]["resources"].clone();
    let names: Vec<&str> =
        results.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["two"]);
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn a_missing_kind_stops_everything_unless_the_object_says_that_it_comes_later() {
    let world = World::new("missingkind");
    let group = format!("{}.example.com", world.namespace);
    let thing = |options: &str| {
        format!(
            "apiVersion: {group}/v1\nkind: Thing\nmetadata:\n  name: t\n  annotations:\n    argocd.argoproj.io/sync-wave: \"1\"\n\
             {options}spec: {{size: 1}}\n"
        )
    };
    let config = config_map("config", "x", 0);
    let url = world.repository("app", &[("config.yaml", &config), ("thing.yaml", &thing(""))]);
    let target = world.application("app", &url, |app| {
        app["spec"]["syncPolicy"]["retry"] =
            json!({"limit": 20, "backoff": {"duration": "1s", "maxDuration": "2s"}});
    });
    world.eventually("the kind is missed", |world| state(world).to_string().contains("could not find"));
    let path = format!("/api/v1/namespaces/{target}/configmaps/config");
    assert!(get(&world, &path).is_none(), "nothing is written before everything can be");

    let later = thing("    argocd.argoproj.io/sync-options: SkipDryRunOnMissingResource=true\n");
    let last = world.commit("app", &[("config.yaml", &config), ("thing.yaml", &later)]);
    world.refresh("app");
    world.eventually("the wave before is written", |world| get(world, &path).is_some());
    let crd = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("things.{group}")},
        "spec": {"group": group, "scope": "Namespaced", "names": {"kind": "Thing", "plural": "things", "singular": "thing", "listKind": "ThingList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object",
                "x-kubernetes-preserve-unknown-fields": true}}}]}});
    world.api.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &crd).unwrap();
    world.eventually("the object of the new kind is there", |world| {
        let path = format!("/apis/{group}/v1/namespaces/{target}/things/t");
        world.api.request("GET", &path, "", None).is_ok_and(|(status, _)| status == 200)
    });
    world.converged("app", &last);
}
