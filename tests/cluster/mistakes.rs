//! Each mistake is a condition on the one Application that it belongs to; the others go on.

use serde_json::{Value, json};

use super::harness::{World, config_map};
use super::proxy::Proxy;

/// A name, a mistake in an Application, and words that the condition must hold.
type Mistake = (&'static str, fn(&mut Value), &'static [&'static str]);

const MISTAKES: &[Mistake] = &[
    (
        "revision",
        |app| app["spec"]["source"]["targetRevision"] = json!("no-such-branch"),
        &["no-such-branch"],
    ),
    (
        "repository",
        |app| app["spec"]["source"]["repoURL"] = json!("http://user:s3cret@127.0.0.1:1/x.git"),
        &["127.0.0.1"],
    ),
    ("path", |app| app["spec"]["source"]["path"] = json!("nowhere"), &["nowhere", "does not exist"]),
    ("escape", |app| app["spec"]["source"]["path"] = json!("../../etc"), &["leads out of the repository"]),
    ("yaml", |app| app["spec"]["source"]["path"] = json!("broken"), &["broken/a.yaml", "line"]),
    ("kind", |app| app["spec"]["source"]["path"] = json!("unknown"), &["Gadget", "CRD"]),
    (
        "duration",
        |app| app["spec"]["syncPolicy"]["retry"] = json!({"limit": 1, "backoff": {"duration": "soon"}}),
        &["soon", "not a duration"],
    ),
    ("project", |app| app["spec"]["project"] = json!("missing"), &["missing", "does not exist"]),
    ("destination", |app| app["spec"]["destination"] = json!({"name": "nobody"}), &["nobody"]),
    ("plugin", |app| app["spec"]["source"]["plugin"] = json!({"name": "x"}), &["plugin"]),
];

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn a_mistake_is_a_condition_and_harms_nobody_else() {
    let world = World::new("mistakes");
    let url = world.repository(
        "app",
        &[
            ("good/config.yaml", &config_map("settings", "one", 0)),
            ("broken/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: [\n"),
            ("unknown/a.yaml", "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: g}\n"),
        ],
    );
    for (name, mistake, _) in MISTAKES {
        world.application(name, &url, |app| {
            app["spec"]["source"]["path"] = json!("good");
            mistake(app);
        });
    }
    world.application("good", &url, |app| app["spec"]["source"]["path"] = json!("good"));
    world.converged("good", "");
    for (name, _, words) in MISTAKES {
        world.eventually(&format!("{name} has its condition"), |world| {
            let conditions = world.app(name)["status"]["conditions"].to_string();
            words.iter().all(|word| conditions.contains(word))
        });
        let app = world.app(name).to_string();
        let spec_free = app.replace("http://user:s3cret@127.0.0.1:1/x.git", "");
        assert!(!spec_free.contains("s3cret"), "{name} shows a password");
    }
    assert_eq!(world.app("good")["status"]["sync"]["status"], "Synced");
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn an_empty_render_prunes_nothing_without_allow_empty() {
    let world = World::new("empty");
    let url = world.repository("app", &[("config.yaml", &config_map("settings", "one", 0))]);
    let target = world.application("app", &url, |_| {});
    world.converged("app", "");
    world.commit("app", &[("README.md", "nothing here")]);
    world.refresh("app");
    world.eventually("it says why nothing happens", |world| {
        world.app("app")["status"]["conditions"].to_string().contains("allowEmpty")
    });
    assert!(world.api.get(&format!("/api/v1/namespaces/{target}/configmaps/settings")).unwrap().is_some());
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn a_controller_that_comes_before_the_crds_waits_for_them() {
    let (world, proxy) = World::behind("early", |kubeconfig| {
        let proxy = Proxy::start(kubeconfig, 1);
        proxy.hide(Some("/apis/argoproj.io"));
        proxy
    });
    let url = world.repository("app", &[("a.yaml", &config_map("a", "1", 0))]);
    world.application("app", &url, |_| {});
    world.eventually("it says what to do", |world| world.log().contains("apply the CRDs first"));
    proxy.hide(None);
    world.converged("app", "");
}
