//! The controller is killed at random moments of a sync of ten waves.

use std::time::Duration;

use super::harness::{World, config_map, deployment};

const WAVES: i64 = 10;

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn a_killed_controller_finishes_what_it_began_and_writes_nothing_twice() {
    let mut world = World::new("kill");
    let files: Vec<(String, String)> = (0..WAVES)
        .flat_map(|wave| {
            [
                (format!("{wave}-config.yaml"), config_map(&format!("config-{wave}"), "x", wave)),
                (format!("{wave}-web.yaml"), deployment(&format!("web-{wave}"), 1, wave, "{}")),
            ]
        })
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let url = world.repository("app", &files);
    let target = world.application("app", &url, |_| {});
    // A fixed seed: a failure can be looked at again.
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    for _ in 0..6 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        std::thread::sleep(Duration::from_millis(150 + state % 900));
        world.kill_controller();
        world.start_controller();
    }
    world.converged("app", "");
    for wave in 0..WAVES {
        let path = format!("/apis/apps/v1/namespaces/{target}/deployments/web-{wave}");
        let web = world.api.get(&path).unwrap().unwrap();
        assert_eq!(web["metadata"]["generation"], 1, "web-{wave} was written again");
    }
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
