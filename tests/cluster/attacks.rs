//! Bad input and attacks on compare and sync, by the numbers of the project's list of cases.
//!
//! | case | shown by |
//! |---|---|
//! | 11 Secrets in a diff | `converge` (stringData), `diff::compare::differences_of_secrets_show_no_value`, `object::masking`, [`case_11_no_value_of_a_secret_is_told`] |
//! | 12 project bypass | `project::oracle_tests`, `guards::applications_live_in_other_namespaces_…`, [`case_12_an_application_that_is_moved_while_its_operation_waits_writes_nothing`] |
//! | 13 escalation by manifests | [`case_13_a_tenant_cannot_bring_applications_projects_settings_or_clusters`], [`case_13_an_application_in_a_tenants_own_namespace_is_an_object_like_others`] |
//! | 14 hooks | `plan::thousands_of_hooks_…`, `plan::generated_names_…`, `operations::an_operation_ends_when_its_time_is_over`, `deletion::a_failed_pre_delete_hook_…` |
//! | 15 unreadable annotations | `api::resource_annotations`, `plan::options_of_the_object_…`, [`case_15_annotations_that_nobody_can_read_harm_nothing`] |
//! | 16 invalid durations, crons, regular expressions | `mistakes::a_mistake_is_a_condition_and_harms_nobody_else`, `project::windows_tests` |
//! | 17 sizes | `large::a_large_application_stays_under_a_mebibyte_…`, [`case_17_a_manifest_that_is_too_large_fails_alone`] |
//! | 18 kinds that break | `webhook::a_dead_conversion_…`, [`case_18_a_dead_api_service_harms_nobody`], [`case_18_a_crd_that_goes_and_one_that_changes_its_version`] |
//! | 19 incomplete answers | `faults`, [`case_19_nothing_is_pruned_by_lists_that_are_cut`] |
//! | 20 Git | `source::hostile`, `source::submodules`, `source::local::a_rewritten_history_is_followed`, `mistakes::an_empty_render_…`, [`case_20_what_git_loses_is_an_error_and_nothing_is_pruned`] |
//! | 21 shared objects | `operations::an_object_of_two_applications_…`, `diff::shared`, `cluster::store::a_copied_tracking_id_tracks_nothing`, `settings::tracking_moves_…`, `docs/diff.md` on labels of 63 characters |
//! | 22 a commit during sync, retry, rollback | `faults`, `model`, `rollback`, [`case_22_a_newer_commit_replaces_one_that_waits_for_capacity`] |
//! | 23 the controller is killed | `kill`, `deletion::hooks_run_before_and_after_a_deletion_once_each_however_often_…`, `model` |

use serde_json::{Value, json};

use super::harness::{World, config_map, deployment};
use super::proxy::{Lists, Proxy};

fn conditions(world: &World, app: &str) -> String {
    world.app(app)["status"]["conditions"].to_string()
}

fn state(world: &World, app: &str) -> Value {
    world.app(app)["status"]["operationState"].clone()
}

fn exists(world: &World, path: &str) -> bool {
    world.api.get(path).unwrap().is_some()
}

fn project(world: &World, name: &str, spec: &Value) {
    let path = format!("/apis/argoproj.io/v1alpha1/namespaces/{}/appprojects/{name}", world.namespace);
    let object = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
        "metadata": {"name": name, "namespace": world.namespace}, "spec": spec});
    world.api.apply(&path, &object).unwrap();
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn case_11_no_value_of_a_secret_is_told() {
    let world = World::new("case11");
    let secret = |value: &str, more: &str| {
        format!("apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  token: {value}\n{more}")
    };
    let url = world.repository("app", &[("s.yaml", &secret("hunter2-one", ""))]);
    let target = world.application("app", &url, |app| {
        app["spec"]["syncPolicy"]["automated"]["selfHeal"] = json!(false);
        app["spec"]["syncPolicy"]["retry"] = json!({"limit": 0});
    });
    world.converged("app", "");
    let path = format!("/api/v1/namespaces/{target}/secrets/s");
    world.api.merge(&path, &json!({"stringData": {"token": "hunter2-two"}})).unwrap();
    world
        .eventually("the drift is seen", |world| world.app("app")["status"]["sync"]["status"] == "OutOfSync");
    let mut shown = world.app("app").to_string();
    for command in [
        &["app", "diff", "app"][..],
        &["app", "drift", "app"],
        &["explain", "app"],
        &["app", "manifests", "app"],
    ] {
        shown += &world.command(command).1;
    }
    // What the API server refuses, it quotes: a value that is no base64.
    world.commit("app", &[("s.yaml", &secret("x", "data:\n  other: hunter2-three\n"))]);
    world.refresh("app");
    world.eventually("the refusal is told", |world| state(world, "app")["phase"] == "Failed");
    shown += &world.app("app").to_string();
    shown += &world.log();
    let events = world.api.list(&format!("/api/v1/namespaces/{}/events", world.namespace)).unwrap();
    shown += &Value::from(events).to_string();
    for value in ["hunter2", "aHVudGVyMi"] {
        assert!(!shown.contains(value), "{value} in {shown}");
    }
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn case_12_an_application_that_is_moved_while_its_operation_waits_writes_nothing() {
    let mut world = World::new("case12");
    project(
        &world,
        "open",
        &json!({"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]}),
    );
    project(
        &world,
        "closed",
        &json!({"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "elsewhere"}]}),
    );
    let url = world.repository("app", &[("a.yaml", &config_map("a", "x", 0))]);
    let target = world.target("app");
    world.stop_controller();
    world.application("app", &url, |app| {
        app["spec"]["project"] = json!("open");
        app["spec"]["syncPolicy"] = json!({});
        app["operation"] = json!({"sync": {}});
    });
    world.api.merge(&world.app_path("app"), &json!({"spec": {"project": "closed"}})).unwrap();
    world.start_controller();
    world.eventually("the operation ends with the reason", |world| {
        state(world, "app")["phase"] == "Error"
            && state(world, "app")["message"].to_string().contains("closed")
    });
    assert!(!exists(&world, &format!("/api/v1/namespaces/{target}/configmaps/a")));
}

/// A project that permits one namespace.
fn tenants(world: &World, target: &str) {
    let destinations = json!([{"server": "*", "namespace": target}]);
    project(world, "tenants", &json!({"sourceRepos": ["*"], "destinations": destinations}));
}

/// An Application that would write into the controller's namespace.
fn child(world: &World, namespace: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: child, namespace: {namespace}}}\nspec: \
         {{project: default, destination: {{server: 'https://kubernetes.default.svc', namespace: {}}}, source: {{repoURL: \
         'http://127.0.0.1/x.git', path: .}}}}\n",
        world.namespace
    )
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn case_13_a_tenant_cannot_bring_applications_projects_settings_or_clusters() {
    let world = World::new("case13");
    let home = world.namespace.clone();
    let target = world.target("tenant");
    tenants(&world, &target);
    let attacks = [
        ("application", child(&world, &home)),
        (
            "project",
            format!(
                "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {{name: tenants, namespace: {home}}}\nspec: {{sourceRepos: ['*']}}\n"
            ),
        ),
        (
            "settings",
            format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: argocd-cm, namespace: {home}}}\ndata: {{mine: 'yes'}}\n"
            ),
        ),
        (
            "cluster",
            format!(
                "apiVersion: v1\nkind: Secret\nmetadata: {{name: c, namespace: {home}, labels: {{argocd.argoproj.io/secret-type: cluster}}}}\nstringData: {{server: 'https://evil', name: evil}}\n"
            ),
        ),
    ];
    for (name, manifest) in &attacks {
        let url =
            world.repository(name, &[("attack.yaml", manifest), ("fine.yaml", &config_map(name, "x", 0))]);
        world.application(name, &url, |app| {
            app["spec"]["project"] = json!("tenants");
            app["spec"]["destination"]["namespace"] = json!(target);
            app["spec"]["syncPolicy"]["syncOptions"] = json!([]);
        });
    }
    for (name, _) in &attacks {
        world.eventually(&format!("{name} is not permitted"), |world| {
            conditions(world, name).contains("is not permitted in project tenants")
        });
        assert!(
            !exists(&world, &format!("/api/v1/namespaces/{target}/configmaps/{name}")),
            "nothing of it is written"
        );
    }
    let settings =
        world.api.get(&format!("/api/v1/namespaces/{home}/configmaps/argocd-cm")).unwrap().unwrap();
    assert_eq!(settings["data"]["mine"], Value::Null);
    assert!(!exists(&world, &format!("/api/v1/namespaces/{home}/secrets/c")));
    assert!(world.app("child").is_null());
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn case_13_an_application_in_a_tenants_own_namespace_is_an_object_like_others() {
    let world = World::new("case13own");
    let target = world.target("tenant");
    tenants(&world, &target);
    let url = world.repository(
        "own",
        &[("child.yaml", &child(&world, &target)), ("fine.yaml", &config_map("own", "x", 0))],
    );
    world.application("own", &url, |app| {
        app["spec"]["project"] = json!("tenants");
        app["spec"]["destination"]["namespace"] = json!(target);
        app["spec"]["syncPolicy"]["syncOptions"] = json!([]);
    });
    let path = format!("/apis/argoproj.io/v1alpha1/namespaces/{target}/applications/child");
    world.eventually("the child is there", |world| exists(world, &path));
    world.eventually("the parent is synced", |world| state(world, "own")["phase"] == "Succeeded");
    assert_eq!(world.api.get(&path).unwrap().unwrap()["status"], Value::Null);
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn case_15_annotations_that_nobody_can_read_harm_nothing() {
    let world = World::new("case15");
    let odd = |name: &str, annotations: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  annotations: {{{annotations}}}\ndata: {{value: x}}\n"
        )
    };
    let files = [
        ("word.yaml", odd("word", "argocd.argoproj.io/sync-wave: first")),
        ("huge.yaml", odd("huge", "argocd.argoproj.io/sync-wave: '9223372036854775808'")),
        ("empty.yaml", odd("empty", "argocd.argoproj.io/sync-wave: ''")),
        (
            "tokens.yaml",
            odd("tokens", "argocd.argoproj.io/sync-options: 'Prune,=,Force=,,Nonsense=true,\u{1F980}'"),
        ),
        (
            "both.yaml",
            odd(
                "both",
                "argocd.argoproj.io/hook: PostSync, helm.sh/hook: 'pre-install,nonsense', helm.sh/hook-weight: NaN",
            ),
        ),
    ];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let url = world.repository("app", &files);
    let target = world.application("app", &url, |_| {});
    world.converged("app", "");
    for name in ["word", "huge", "empty", "tokens", "both"] {
        assert!(exists(&world, &format!("/api/v1/namespaces/{target}/configmaps/{name}")), "{name}");
    }
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn case_17_a_manifest_that_is_too_large_fails_alone() {
    let world = World::new("case17");
    let large = config_map("large", &"x".repeat(3 << 20), 0);
    let url = world.repository(
        "app",
        &[("large/large.yaml", &large), ("small/small.yaml", &config_map("small", "x", 0))],
    );
    world.application("large", &url, |app| {
        app["spec"]["source"]["path"] = json!("large");
        app["spec"]["syncPolicy"]["retry"] = json!({"limit": 1, "backoff": {"duration": "1s"}});
    });
    world.application("small", &url, |app| app["spec"]["source"]["path"] = json!("small"));
    world.converged("small", "");
    world.eventually("the last try has failed", |world| {
        let state = state(world, "large");
        state["phase"] == "Failed" && state["retryCount"] == 1
    });
    let app = world.app("large");
    assert!(app.to_string().len() < 64 * 1024, "{} bytes", app.to_string().len());
    let message = app["status"]["operationState"]["message"].to_string();
    assert!(message.contains("ConfigMap/large"), "{message}");
    let ended = app["status"]["operationState"]["finishedAt"].clone();
    world.refresh("large");
    world.eventually("the refresh is heard", |world| {
        world.app("large")["metadata"]["annotations"].get("argocd.argoproj.io/refresh").is_none()
    });
    assert_eq!(state(&world, "large")["finishedAt"], ended, "it is not tried for ever");
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn case_18_a_dead_api_service_harms_nobody() {
    let mut world = World::new("case18");
    let group = format!("{}.example.com", world.namespace);
    let service = json!({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": format!("v1.{group}")},
        "spec": {"group": group, "version": "v1", "groupPriorityMinimum": 1000, "versionPriority": 10, "insecureSkipTLSVerify": true,
                 "service": {"name": "nobody", "namespace": world.namespace}}});
    let services = "/apis/apiregistration.k8s.io/v1/apiservices";
    world.api.create(services, &service).unwrap();
    // What was discovered before does not help.
    world.kill_controller();
    world.start_controller();
    let thing = format!("apiVersion: {group}/v1\nkind: Thing\nmetadata: {{name: t}}\n");
    let url = world.repository("app", &[("fine/a.yaml", &config_map("a", "x", 0)), ("dead/t.yaml", &thing)]);
    world.application("fine", &url, |app| app["spec"]["source"]["path"] = json!("fine"));
    world.application("dead", &url, |app| app["spec"]["source"]["path"] = json!("dead"));
    world.converged("fine", "");
    world.eventually("the one that wants its kinds says so", |world| {
        conditions(world, "dead").contains("Thing")
    });
    world.api.delete(&format!("{services}/v1.{group}")).unwrap();
}

/// A CRD of things with one version that is served.
fn things(group: &str, version: &str, schema: &Value) -> Value {
    let one = |name: &str| {
        json!({"name": name, "served": name == version, "storage": name == "v1",
               "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": schema}}}})
    };
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": format!("things.{group}")},
        "spec": {"group": group, "scope": "Namespaced", "versions": [one("v1"), one("v2")],
                 "names": {"kind": "Thing", "plural": "things", "singular": "thing", "listKind": "ThingList"}}})
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn case_18_a_crd_that_goes_and_one_that_changes_its_version() {
    let world = World::new("case18crd");
    let group = format!("{}.example.com", world.namespace);
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let crd = format!("{crds}/things.{group}");
    world.api.create(crds, &things(&group, "v1", &open)).unwrap();
    let thing = |version: &str| {
        format!("apiVersion: {group}/{version}\nkind: Thing\nmetadata: {{name: t}}\nspec: {{size: 1}}\n")
    };
    let keep = config_map("keep", "x", 0);
    let url = world.repository("app", &[("t.yaml", &thing("v1")), ("keep.yaml", &keep)]);
    let target = world.application("app", &url, |app| {
        app["spec"]["syncPolicy"]["retry"] =
            json!({"limit": 30, "backoff": {"duration": "1s", "maxDuration": "2s"}});
    });
    world.converged("app", "");
    let at = |version: &str| format!("/apis/{group}/{version}/namespaces/{target}/things/t");
    let uid = |world: &World, version: &str| {
        world.api.get(&at(version)).ok().flatten().map(|one| one["metadata"]["uid"].clone())
    };
    let before = uid(&world, "v1").unwrap();

    // Another version is served; the object is the same one, and nothing of it is pruned.
    world.api.apply(&crd, &things(&group, "v2", &open)).unwrap();
    let last = world.commit("app", &[("t.yaml", &thing("v2")), ("keep.yaml", &keep)]);
    world.refresh("app");
    // Nothing may be left to sync: the other version of the object is as Git says already.
    let synced = |world: &World| {
        let sync = world.app("app")["status"]["sync"].take();
        sync["status"] == "Synced" && sync["revision"] == last.as_str()
    };
    world.eventually("the other version is as Git says", synced);
    assert_eq!(uid(&world, "v2"), Some(before.clone()));

    // The CRD goes, and its objects with it: the rest stays, and all is well when it is back.
    world.api.delete(&crd).unwrap();
    world.eventually("the kind is missed", |world| conditions(world, "app").contains("could not find"));
    assert!(exists(&world, &format!("/api/v1/namespaces/{target}/configmaps/keep")));
    world.eventually("the CRD is gone", |world| world.api.get(&crd).is_ok_and(|found| found.is_none()));
    world.api.create(crds, &things(&group, "v2", &open)).unwrap();
    world.eventually("the object is made again", |world| uid(world, "v2").is_some_and(|uid| uid != before));
    world.eventually("all is as Git says again", synced);
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn case_19_nothing_is_pruned_by_lists_that_are_cut() {
    for cut in [Lists::Cut, Lists::Short, Lists::Pages] {
        let (mut world, proxy) = World::behind("case19", |kubeconfig| Proxy::start(kubeconfig, 1));
        let files: Vec<(String, String)> = (0..12)
            .map(|index| (format!("{index}.yaml"), config_map(&format!("c{index}"), "x", 0)))
            .collect();
        let files: Vec<(&str, &str)> =
            files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let url = world.repository("app", &files);
        let target = world.application("app", &url, |_| {});
        world.converged("app", "");
        let there = |world: &World| {
            let all = world.api.list(&format!("/api/v1/namespaces/{target}/configmaps")).unwrap();
            all.iter().filter(|one| one["metadata"]["name"] != "kube-root-ca.crt").count()
        };
        // A new controller has only these lists to know the objects from, and Git holds fewer of them.
        world.stop_controller();
        proxy.lists("/api/v1/configmaps", Some(cut));
        world.start_controller();
        let last = world.commit("app", &files[..8]);
        world.refresh("app");
        if cut == Lists::Pages {
            world.converged("app", &last);
        } else {
            world.eventually("the gap is told", |world| {
                let conditions = conditions(world, "app");
                conditions.contains("failed to list") && conditions.contains("nor pruned")
            });
            assert_ne!(world.app("app")["status"]["sync"]["status"], "Synced");
            assert_eq!(there(&world), 12, "{cut:?}");
            proxy.lists("/api/v1/configmaps", None);
            world.converged("app", &last);
        }
        assert_eq!(there(&world), 8, "{cut:?}");
    }
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn case_20_what_git_loses_is_an_error_and_nothing_is_pruned() {
    let mut world = World::new("case20");
    let (a, b) = (config_map("a", "x", 0), config_map("b", "x", 0));
    let url = world.repository("app", &[("dir/a.yaml", &a), ("dir/b.yaml", &b)]);
    let target = world.application("app", &url, |app| app["spec"]["source"]["path"] = json!("dir"));
    world.converged("app", "");
    let both = |world: &World| {
        ["a", "b"].iter().all(|name| exists(world, &format!("/api/v1/namespaces/{target}/configmaps/{name}")))
    };
    // The folder becomes a file.
    world.commit("app", &[("dir", &a)]);
    world.refresh("app");
    world.eventually("the path is named", |world| conditions(world, "app").contains("dir"));
    assert!(both(&world));
    // Names that a shell or a command line could mistake are names.
    let odd = config_map("odd", "x", 0);
    let names =
        ["dir/-rf.yaml", "dir/;id.yaml", "dir/$(id).yaml", "dir/new\nline.yaml", "dir/A.yaml", "dir/a.yaml"];
    let texts: Vec<String> =
        (0..names.len()).map(|index| odd.replace("odd", &format!("odd-{index}"))).collect();
    let files: Vec<(&str, &str)> =
        names.iter().zip(&texts).map(|(name, text)| (*name, text.as_str())).collect();
    let last = world.commit("app", &files);
    world.refresh("app");
    world.converged("app", &last);
    for index in 0..names.len() {
        assert!(exists(&world, &format!("/api/v1/namespaces/{target}/configmaps/odd-{index}")), "{index}");
    }
    // The repository goes.
    world.lose_repository("app");
    world.eventually("Git is missed", |world| conditions(world, "app").contains("ComparisonError"));
    assert!(exists(&world, &format!("/api/v1/namespaces/{target}/configmaps/odd-0")));
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn case_22_a_newer_commit_replaces_one_that_waits_for_capacity() {
    let world = World::new("case22");
    let limits = format!("{{\"example.com/case22-{}\": 1}}", std::process::id());
    let server = deployment("server", 2, 1, &limits);
    let url = world
        .repository("app", &[("server.yaml", &server), ("config.yaml", &config_map("config", "one", 0))]);
    let target = world.application("app", &url, |app| {
        app["metadata"]["annotations"] = json!({"tiphys.dev/gpu-gate": "Wait"});
    });
    world.eventually("the gate holds the second wave", |world| {
        state(world, "app")["message"].to_string().contains("GPU gate: waiting")
    });
    let last = world.commit("app", &[("config.yaml", &config_map("config", "two", 0))]);
    world.refresh("app");
    world.converged("app", &last);
    let config = world.api.get(&format!("/api/v1/namespaces/{target}/configmaps/config")).unwrap().unwrap();
    assert_eq!(config["data"]["value"], "two");
    assert!(!exists(&world, &format!("/apis/apps/v1/namespaces/{target}/deployments/server")));
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn a_schema_that_changes_is_noticed_without_a_hard_refresh() {
    let world = World::new("schema");
    let group = format!("{}.example.com", world.namespace);
    let schema = |more: Value| {
        let mut properties = json!({"size": {"type": "integer"}});
        properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"type": "object", "properties": properties})
    };
    let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let crd = format!("{crds}/things.{group}");
    world.api.create(crds, &things(&group, "v1", &schema(json!({})))).unwrap();
    let thing = format!("apiVersion: {group}/v1\nkind: Thing\nmetadata: {{name: t}}\nspec: {{size: 1}}\n");
    let url = world.repository("app", &[("t.yaml", &thing)]);
    let target = world.application("app", &url, |app| {
        app["spec"]["syncPolicy"]["retry"] =
            json!({"limit": 30, "backoff": {"duration": "1s", "maxDuration": "2s"}});
    });
    world.converged("app", "");
    let history = |world: &World| world.app("app")["status"]["history"].as_array().map_or(0, Vec::len);
    let before = history(&world);
    // A default shows in what is there at once, and is neither drift nor a reason to write.
    let with_default = schema(json!({"mode": {"type": "string", "default": "fast"}}));
    world.api.apply(&crd, &things(&group, "v1", &with_default)).unwrap();
    let live = |world: &World| world.command(&["app", "manifests", "app", "--source", "live"]).1;
    world.eventually("the default shows", |world| live(world).contains("fast"));
    world.eventually("the application is Synced", |world| {
        world.app("app")["status"]["sync"]["status"] == "Synced"
    });
    assert_eq!(history(&world), before, "nothing was synced for it");

    // A kind may lose a field that Git still names, and get it back.
    let without = json!({"type": "object", "properties": {"other": {"type": "string"}}});
    world.api.apply(&crd, &things(&group, "v1", &without)).unwrap();
    world.eventually("Git's object would be refused now", |world| {
        conditions(world, "app").contains("declared in schema")
    });
    world.api.apply(&crd, &things(&group, "v1", &with_default)).unwrap();
    world.eventually("and is fine again", |world| {
        world.app("app")["status"]["sync"]["status"] == "Synced"
            && !conditions(world, "app").contains("declared in schema")
    });
    assert!(exists(&world, &format!("/apis/{group}/v1/namespaces/{target}/things/t")));
}
