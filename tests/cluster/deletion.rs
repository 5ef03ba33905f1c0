//! Deletion of an application: hooks before and after it, confirmation, what stays behind.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::harness::{World, config_map, job};

fn uid(object: &Value) -> String {
    object["metadata"]["uid"].as_str().unwrap_or_default().to_owned()
}

fn delete_jobs(behaviour: &str) -> Vec<(&'static str, String)> {
    vec![
        ("config.yaml", config_map("settings", "one", 0)),
        ("before.yaml", job("before", "PreDelete", "", behaviour)),
        ("after.yaml", job("after", "PostDelete", "", "")),
    ]
}

fn as_files<'a>(files: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    files.iter().map(|(path, text)| (*path, text.as_str())).collect()
}

fn finalizers(world: &World) -> String {
    world.app("app")["metadata"]["finalizers"].to_string()
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn hooks_run_before_and_after_a_deletion_once_each_however_often_the_controller_is_killed() {
    let mut world = World::new("delete-hooks");
    let files = delete_jobs("slow");
    let url = world.repository("app", &as_files(&files));
    let target = world.application("app", &url, |_| {});
    world.converged("app", "");
    world.eventually("the finalizers of the hooks are set", |world| {
        ["pre-delete-finalizer.argocd.argoproj.io/cleanup", "post-delete-finalizer.argocd.argoproj.io\""]
            .iter()
            .all(|name| finalizers(world).contains(name))
    });
    let job_path = |name: &str| format!("/apis/batch/v1/namespaces/{target}/jobs/{name}");
    assert!(world.api.get(&job_path("before")).unwrap().is_none(), "it is no hook of the sync");

    world.api.delete(&world.app_path("app")).unwrap();
    let settings = format!("/api/v1/namespaces/{target}/configmaps/settings");
    let (before, after) = (RefCell::new(BTreeSet::new()), RefCell::new(BTreeSet::new()));
    let look = |world: &World| {
        let config = world.api.get(&settings).unwrap();
        if let Some(job) = world.api.get(&job_path("before")).unwrap() {
            before.borrow_mut().insert(uid(&job));
            let running =
                job["status"]["succeeded"].is_null() && job["metadata"]["deletionTimestamp"].is_null();
            assert!(!running || config.is_some_and(|one| one["metadata"]["deletionTimestamp"].is_null()));
        }
        if let Some(job) = world.api.get(&job_path("after")).unwrap() {
            after.borrow_mut().insert(uid(&job));
            assert!(world.api.get(&settings).unwrap().is_none(), "PostDelete comes after the objects");
        }
    };
    for pause in [30_u64, 170, 90, 400, 250, 700] {
        for _ in 0..pause / 10 {
            look(&world);
            std::thread::sleep(Duration::from_millis(10));
        }
        world.kill_controller();
        look(&world);
        world.start_controller();
    }
    world.eventually("the application is gone", |world| {
        look(world);
        world.app("app").is_null()
    });
    assert_eq!((before.borrow().len(), after.borrow().len()), (1, 1), "each hook was created once");
    let after = world.api.get(&job_path("after")).unwrap().unwrap();
    assert_eq!(after["status"]["succeeded"], 1, "a PostDelete hook without a delete policy stays");
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn a_failed_pre_delete_hook_keeps_everything_and_names_the_way_out() {
    let world = World::new("delete-fails");
    let files = delete_jobs("fail");
    let url = world.repository("app", &as_files(&files));
    let target = world.application("app", &url, |_| {});
    world.converged("app", "");
    world.eventually("the finalizers of the hooks are set", |world| finalizers(world).contains("pre-delete"));
    world.api.delete(&world.app_path("app")).unwrap();
    world.eventually("the failure is a condition", |world| {
        let conditions = world.app("app")["status"]["conditions"].to_string();
        conditions.contains("DeletionError") && conditions.contains("Take the finalizer pre-delete-finalizer")
    });
    let settings = format!("/api/v1/namespaces/{target}/configmaps/settings");
    assert!(world.api.get(&settings).unwrap().is_some());
    let cascade = json!({"metadata": {"finalizers": ["resources-finalizer.argocd.argoproj.io/background"]}});
    world.api.merge(&world.app_path("app"), &cascade).unwrap();
    world.eventually("the application is gone", |world| world.app("app").is_null());
    assert!(world.api.get(&settings).unwrap().is_none());
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn a_deletion_waits_for_confirmation_and_leaves_what_must_stay() {
    let world = World::new("delete-confirm");
    let with = |name: &str, option: &str| {
        let wave = "argocd.argoproj.io/sync-wave";
        config_map(name, "x", 0)
            .replace(wave, &format!("argocd.argoproj.io/sync-options: {option}\n    {wave}"))
    };
    let (precious, stays) = (with("precious", "Delete=confirm"), with("stays", "Delete=false"));
    let url = world.repository(
        "app",
        &[("a.yaml", &precious), ("b.yaml", &stays), ("c.yaml", &config_map("plain", "x", 1))],
    );
    let target = world.application("app", &url, |_| {});
    world.converged("app", "");
    let config = |world: &World, name: &str| {
        world.api.get(&format!("/api/v1/namespaces/{target}/configmaps/{name}")).unwrap().is_some()
    };
    world.api.delete(&world.app_path("app")).unwrap();
    world.eventually("it says what is waited for", |world| {
        let conditions = world.app("app")["status"]["conditions"].to_string();
        conditions.contains("ConfirmationWarning")
            && conditions.contains("v1/ConfigMap/precious (Delete=confirm)")
    });
    assert!(config(&world, "precious") && config(&world, "plain"), "nothing goes before somebody confirmed");
    world.approve("app");
    world.eventually("the application is gone", |world| world.app("app").is_null());
    assert!(!config(&world, "precious") && !config(&world, "plain") && config(&world, "stays"));
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn a_hook_of_an_application_that_its_project_no_longer_permits_does_not_run() {
    let world = World::new("delete-project");
    let project = |kinds: Value| {
        let project = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": "team", "namespace": world.namespace},
            "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}], "namespaceResourceBlacklist": kinds,
                     "clusterResourceWhitelist": [{"group": "*", "kind": "*"}]},
        });
        let path = format!("/apis/argoproj.io/v1alpha1/namespaces/{}/appprojects/team", world.namespace);
        world.api.apply(&path, &project).unwrap();
    };
    project(json!([]));
    let files = delete_jobs("");
    let url = world.repository("app", &as_files(&files));
    let target = world.application("app", &url, |app| app["spec"]["project"] = json!("team"));
    world.converged("app", "");
    world.eventually("the finalizers of the hooks are set", |world| finalizers(world).contains("pre-delete"));
    project(json!([{"group": "batch", "kind": "Job"}]));
    world.eventually("the project's change is seen", |world| {
        world.app("app")["status"]["conditions"].to_string().contains("not permitted")
    });
    world.api.delete(&world.app_path("app")).unwrap();
    world.eventually("the refusal is a condition", |world| {
        let conditions = world.app("app")["status"]["conditions"].to_string();
        conditions.contains("DeletionError") && conditions.contains("not permitted in the project")
    });
    assert!(world.api.get(&format!("/apis/batch/v1/namespaces/{target}/jobs/before")).unwrap().is_none());
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn hooks_that_kubernetes_deletes_when_they_have_finished_count_as_they_ended() {
    let world = World::new("ttl");
    let short = |name: &str, phase: &str| {
        job(name, phase, "", "")
            .replace("spec:\n  backoffLimit", "spec:\n  ttlSecondsAfterFinished: 0\n  backoffLimit")
    };
    let config = config_map("a", "x", 0);
    let (before, after) = (short("before", "PreSync"), short("after", "PostSync"));
    let files = [("a.yaml", &config), ("before.yaml", &before), ("after.yaml", &after)];
    let url = world.repository("app", &files.each_ref().map(|(path, text)| (*path, text.as_str())));
    let target = world.application("app", &url, |_| {});
    world.converged("app", "");
    assert!(world.api.get(&format!("/api/v1/namespaces/{target}/configmaps/a")).unwrap().is_some());
}
