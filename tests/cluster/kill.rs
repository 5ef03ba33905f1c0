//! The controller is killed at random moments of a sync of ten waves.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use super::harness::{World, config_map, deployment, job};

const WAVES: i64 = 10;
const HOOKS: [(&str, &str); 4] =
    [("before", "PreSync"), ("with", "Sync"), ("after", "PostSync"), ("alarm", "SyncFail")];

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn a_killed_controller_finishes_what_it_began_and_writes_nothing_twice() {
    let mut world = World::new("kill");
    let mut files: Vec<(String, String)> = (0..WAVES)
        .flat_map(|wave| {
            [
                (format!("{wave}-config.yaml"), config_map(&format!("config-{wave}"), "x", wave)),
                (format!("{wave}-web.yaml"), deployment(&format!("web-{wave}"), 1, wave, "{}")),
            ]
        })
        .collect();
    for (name, phase) in HOOKS {
        let wave = if phase == "Sync" { "    argocd.argoproj.io/sync-wave: \"5\"\n" } else { "" };
        files.push((format!("{name}.yaml"), job(name, phase, wave, "")));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let url = world.repository("app", &files);
    let target = world.application("app", &url, |_| {});
    let jobs = format!("/apis/batch/v1/namespaces/{target}/jobs");
    let seen: RefCell<BTreeSet<(String, String)>> = RefCell::default();
    let look = |world: &World| {
        for job in world.api.list(&jobs).unwrap_or_default() {
            let text = |field: &str| job["metadata"][field].as_str().unwrap_or_default().to_owned();
            seen.borrow_mut().insert((text("name"), text("uid")));
        }
    };
    // A fixed seed: a failure can be looked at again.
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    for _ in 0..6 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        for _ in 0..(15 + state % 90) {
            look(&world);
            std::thread::sleep(Duration::from_millis(10));
        }
        world.kill_controller();
        world.start_controller();
    }
    world.eventually("the sync ends", |world| {
        look(world);
        world.app("app")["status"]["operationState"]["phase"] == "Succeeded"
    });
    world.converged("app", "");
    for wave in 0..WAVES {
        let path = format!("/apis/apps/v1/namespaces/{target}/deployments/web-{wave}");
        let web = world.api.get(&path).unwrap().unwrap();
        assert_eq!(web["metadata"]["generation"], 1, "web-{wave} was written again");
    }
    let names: Vec<String> = seen.borrow().iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(names, ["after", "before", "with"], "each hook was created once, and none for a failure");
    let history = world.app("app")["status"]["history"].as_array().map_or(0, Vec::len);
    assert_eq!(history, 1, "one sync, however often the controller was killed");
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn an_application_deleted_in_the_middle_of_its_first_sync_leaves_nothing_behind() {
    let mut world = World::new("orphans");
    // The second wave never comes: the first is never healthy.
    let waiting = deployment("waiting", 1, 0, "{\"example.com/none\": 1}");
    let url = world.repository("app", &[("a.yaml", &waiting), ("b.yaml", &config_map("later", "x", 1))]);
    let target = world.application("app", &url, |_| {});
    let path = format!("/apis/apps/v1/namespaces/{target}/deployments/waiting");
    world.eventually("the first wave is applied", |world| world.api.get(&path).unwrap().is_some());
    world.kill_controller();
    world.api.delete(&world.app_path("app")).unwrap();
    world.start_controller();
    world.eventually("the application is gone", |world| world.app("app").is_null());
    let left = world.api.get(&path).unwrap();
    assert!(left.is_none_or(|left| !left["metadata"]["deletionTimestamp"].is_null()), "an orphan is left");
}
