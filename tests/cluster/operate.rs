//! `tiphys app` on a cluster: waiting, ending an operation, history, and what the audit says of it all.

use serde_json::json;

use super::harness::{World, config_map};

/// A hook that never ends.
const HANGING: &str = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: before\n  annotations: {argocd.argoproj.io/hook: PreSync}\n\
                       spec:\n  template:\n    metadata: {annotations: {tiphys.dev/kwok: hang}}\n    spec:\n      \
                       restartPolicy: Never\n      containers: [{name: main, image: registry.example.com/hook:1}]\n";

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn an_operation_is_waited_for_terminated_and_told_of() {
    let world = World::new("operate");
    let settings = config_map("settings", "one", 0);
    let url = world.repository("app", &[("hook.yaml", HANGING), ("config.yaml", &settings)]);
    world.application("app", &url, |app| {
        app["spec"]["syncPolicy"] = json!({"syncOptions": ["CreateNamespace=true"]});
    });
    world.eventually("it is OutOfSync", |world| world.app("app")["status"]["sync"]["status"] == "OutOfSync");
    assert_eq!(world.command(&["app", "diff", "app"]).0, 1, "there is a difference");
    assert_eq!(world.command(&["app", "terminate-op", "app"]).0, 20, "nothing to end");
    assert_eq!(world.command(&["app", "sync", "app", "--async"]).0, 0);
    world.eventually("the hook is waited for", |world| {
        world.app("app")["status"]["operationState"]["message"].to_string().contains("Job/before")
    });
    let (code, shown) = world.command(&["app", "get", "app"]);
    assert!(
        code == 0 && shown.contains("Wave:") && shown.contains("PreSync 0 of 0, waiting for 1 of 1"),
        "{shown}"
    );
    let (code, shown) = world.command(&["app", "wait", "app", "--operation", "--timeout", "1"]);
    assert!(code == 20 && shown.contains("timed out (1s)"), "{code} {shown}");
    assert_eq!(world.command(&["app", "terminate-op", "app"]).0, 0);
    assert_eq!(world.command(&["app", "wait", "app", "--operation", "--timeout", "100"]).0, 0);
    let state = world.app("app")["status"]["operationState"].clone();
    assert_eq!((&state["phase"], &state["message"]), (&json!("Failed"), &json!("Operation terminated")));

    // Without the hook it goes through, and the history knows the commit.
    world.commit("app", &[("config.yaml", &settings)]);
    let (code, shown) = world.command(&["app", "sync", "app", "--timeout", "100"]);
    assert_eq!(code, 0, "{shown}");
    assert_eq!(world.command(&["app", "wait", "app", "--timeout", "100"]).0, 0);
    assert_eq!(world.command(&["app", "diff", "app"]).0, 0, "no difference is left");
    let (_, shown) = world.command(&["app", "history", "app"]);
    assert!(shown.contains("demo <demo@example.com>") && shown.contains("change"), "{shown}");
    let (_, shown) = world.command(&["app", "resources", "app"]);
    assert!(shown.contains("settings"), "{shown}");
    let (_, shown) = world.command(&["app", "manifests", "app", "--source", "live"]);
    assert!(shown.contains("value: one"), "{shown}");

    let log = world.log();
    let audit: Vec<&str> = log.lines().filter(|line| line.contains(" audit: ")).collect();
    let told = |words: &[&str]| audit.iter().any(|line| words.iter().all(|word| line.contains(word)));
    assert!(told(&["operation Running", "user=\"tester\"", "subject=\"change\""]), "{audit:#?}");
    assert!(told(&["operation Failed", "terminated_by=\"tester\""]), "{audit:#?}");
    assert!(told(&["operation Succeeded", "author=\"demo <demo@example.com>\""]), "{audit:#?}");
    let events = world.api.list(&format!("/api/v1/namespaces/{}/events", world.namespace)).unwrap();
    let messages: Vec<String> = events.iter().map(|event| event["message"].to_string()).collect();
    assert!(
        messages.iter().any(|one| one.contains("succeeded by tester: change (demo <demo@example.com>)")),
        "{messages:?}"
    );
}
