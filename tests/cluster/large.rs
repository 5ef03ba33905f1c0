//! An application that is too large for its status: it says what it left out, and loses nothing.

use super::harness::{World, config_map};

const OBJECTS: usize = 1200;

/// Names as long as names may be, so that fewer objects make the status too large.
fn name(index: usize) -> String {
    format!("{}-{index:05}", "a-long-name".repeat(21))
}

fn files(objects: usize) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> =
        (0..objects).map(|index| (format!("{index}.yaml"), config_map(&name(index), "one", 0))).collect();
    let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: zz-last}\n";
    files.push(("account.yaml".into(), account.into()));
    files
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn a_large_application_stays_under_a_mebibyte_and_is_pruned_in_full() {
    let world = World::new("large");
    let all = files(OBJECTS);
    let all: Vec<(&str, &str)> = all.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let url = world.repository("app", &all);
    let target = world.application("app", &url, |_| {});
    world.converged("app", "");
    let app = world.app("app");
    let weight = app.to_string().len();
    assert!(weight < 1024 * 1024, "{weight} bytes");
    let listed = app["status"]["resources"].as_array().unwrap().len();
    let results = app["status"]["operationState"]["syncResult"]["resources"].as_array().map_or(0, Vec::len);
    let omitted = &app["status"]["tiphys"]["omittedResources"];
    let count = |what: &str| usize::try_from(omitted[what].as_u64().unwrap_or(0)).unwrap();
    assert_eq!(listed + count("Synced"), OBJECTS + 1, "{omitted}");
    assert_eq!(results + count("Results"), OBJECTS + 2, "the namespace is a result as well: {omitted}");
    let conditions = app["status"]["conditions"].to_string();
    assert!(conditions.contains("OmittedResourcesWarning") && conditions.contains("1 MiB"), "{conditions}");

    // Objects that the status does not name are pruned as well.
    let few = files(3);
    let few: Vec<(&str, &str)> = few.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let commit = world.commit("app", &few[..3]);
    world.refresh("app");
    world.converged("app", &commit);
    let left = world.api.list(&format!("/api/v1/namespaces/{target}/configmaps")).unwrap();
    let ours = left.iter().filter(|one| one["metadata"]["name"] != "kube-root-ca.crt").count();
    assert_eq!(ours, 3);
    let conditions = world.app("app")["status"]["conditions"].to_string();
    assert!(!conditions.contains("OmittedResourcesWarning"), "there is room again: {conditions}");
}
