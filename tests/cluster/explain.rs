//! Prepared failures, and what `tiphys explain` says of each: the true causes first, and nothing else as a cause.

use serde_json::{Value, json};

use super::harness::{World, config_map, deployment};

/// An application, what may differ in it, and words of each cause in the order in which they have to come.
struct Case {
    name: &'static str,
    change: fn(&mut Value),
    causes: &'static [&'static [&'static str]],
}

fn keep(_: &mut Value) {}

/// Self-heal off, so that what was changed stays to be explained.
fn without_self_heal(app: &mut Value) {
    app["spec"]["syncPolicy"]["automated"] = json!({"prune": true});
}

const CASES: &[Case] = &[
    Case { name: "healthy", change: keep, causes: &[] },
    Case {
        name: "path",
        change: |app| app["spec"]["source"]["path"] = json!("nowhere"),
        causes: &[&["nowhere", "does not exist"]],
    },
    Case { name: "yaml", change: keep, causes: &[&["yaml/a.yaml", "line 4"]] },
    Case {
        name: "project",
        change: |app| app["spec"]["project"] = json!("closed"),
        causes: &[&["do not match any of the allowed destinations", "closed"]],
    },
    Case {
        name: "drift",
        change: without_self_heal,
        causes: &[&[
            "ConfigMap",
            "drift/settings",
            "/data/value is \"by hand\", Git says \"one\"",
            "written by kubectl-edit",
        ]],
    },
    Case {
        name: "immutable",
        change: keep,
        causes: &[&["Deployment", "immutable/web", "field is immutable"]],
    },
    Case { name: "image", change: keep, causes: &[&["Deployment", "image/web", "image"]] },
    Case {
        name: "gpu",
        change: keep,
        causes: &[&["Deployment", "gpu/server", "waiting for 9 nvidia.com/gpu"]],
    },
    Case {
        name: "quota",
        change: keep,
        causes: &[&["Deployment", "quota/web", "quota", "pods=1", "limited: pods=0"]],
    },
    Case {
        name: "hook",
        change: |app| app["spec"]["syncPolicy"]["retry"] = json!({"limit": 0}),
        causes: &[&["Job", "hook/before", "PreSync hook failed"]],
    },
    Case {
        name: "claim",
        change: keep,
        causes: &[&["PersistentVolumeClaim", "claim/data", "no-such-class"]],
    },
    Case {
        name: "endpoints",
        change: keep,
        causes: &[&["Service", "endpoints/web", "no pod has the labels app=typo"]],
    },
    Case {
        name: "two",
        change: without_self_heal,
        causes: &[
            &["two/settings", "written by kubectl-edit"],
            &["two/server", "waiting for 9 nvidia.com/gpu"],
        ],
    },
    Case {
        name: "both",
        change: keep,
        causes: &[
            &["PersistentVolumeClaim", "both/data", "no-such-class"],
            &["Service", "both/lost", "app=typo"],
        ],
    },
];

/// A pod template's annotation that makes the simulated node report a failure.
fn failing(deployment: &str, stage: &str) -> String {
    let labels = "    metadata:\n      labels:";
    deployment.replace(
        labels,
        &format!("    metadata:\n      annotations: {{tiphys.dev/kwok: {stage}}}\n      labels:"),
    )
}

fn claim() -> String {
    "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec:\n  storageClassName: no-such-class\n  \
     accessModes: [ReadWriteOnce]\n  resources: {requests: {storage: 1Gi}}\n"
        .into()
}

fn service(name: &str, app: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec:\n  selector: {{app: {app}}}\n  ports: [{{port: 80}}]\n"
    )
}

/// A Deployment that mounts the claim.
fn mounting(name: &str) -> String {
    let volumes = "    spec:\n      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]\n";
    deployment(name, 1, 0, "{}").replace("    spec:\n", volumes)
}

fn files() -> Vec<(&'static str, String)> {
    let hook = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: before\n  annotations: {argocd.argoproj.io/hook: PreSync}\n\
                spec:\n  backoffLimit: 0\n  template:\n    metadata: {annotations: {tiphys.dev/kwok: fail}}\n    spec:\n      \
                restartPolicy: Never\n      containers: [{name: main, image: registry.example.com/hook:1}]\n";
    let quota = "apiVersion: v1\nkind: ResourceQuota\nmetadata:\n  name: none\n  annotations: \
                 {argocd.argoproj.io/sync-wave: \"-1\"}\nspec: {hard: {pods: \"0\"}}\n";
    let gpus = deployment("server", 1, 0, "{nvidia.com/gpu: 9}");
    vec![
        ("healthy/a.yaml", deployment("web", 1, 0, "{}")),
        ("healthy/b.yaml", service("web", "web")),
        ("yaml/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a: b\n".into()),
        ("project/a.yaml", config_map("settings", "one", 0)),
        ("drift/a.yaml", config_map("settings", "one", 0)),
        ("image/a.yaml", failing(&deployment("web", 1, 0, "{}"), "image-pull-back-off")),
        ("image/b.yaml", service("web", "web")),
        ("gpu/a.yaml", gpus.clone()),
        ("gpu/b.yaml", config_map("later", "one", 1)),
        ("quota/a.yaml", quota.into()),
        ("quota/b.yaml", deployment("web", 1, 0, "{}")),
        ("hook/a.yaml", hook.into()),
        ("hook/b.yaml", config_map("settings", "one", 0)),
        ("claim/a.yaml", claim()),
        ("claim/b.yaml", mounting("db")),
        ("claim/c.yaml", service("db", "db")),
        ("endpoints/a.yaml", deployment("web", 1, 0, "{}")),
        ("endpoints/b.yaml", service("web", "typo")),
        ("two/a.yaml", config_map("settings", "one", -1)),
        ("two/b.yaml", gpus),
        ("both/a.yaml", claim()),
        ("both/b.yaml", mounting("db")),
        ("both/c.yaml", service("lost", "typo")),
    ]
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn prepared_failures_are_explained_with_the_true_causes_first() {
    let world = World::new("why");
    let project = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
        "metadata": {"name": "closed", "namespace": world.namespace},
        "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "elsewhere"}]},
    });
    let path = format!("/apis/argoproj.io/v1alpha1/namespaces/{}/appprojects/closed", world.namespace);
    world.api.apply(&path, &project).unwrap();
    let files = files();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let url = world.repository("app", &files);
    // A repository of its own, so that its second commit starts no sync of the others.
    let web = deployment("web", 1, 0, "{}");
    let changing = world.repository("changing", &[("immutable/a.yaml", &web)]);
    for case in CASES {
        let url = if case.name == "immutable" { &changing } else { &url };
        world.application(case.name, url, |app| {
            app["spec"]["source"]["path"] = json!(case.name);
            (case.change)(app);
        });
    }
    // What happens after the first sync: a selector that may not change, and edits by hand.
    for name in ["immutable", "drift", "healthy"] {
        world.converged(name, "");
    }
    world.commit("changing", &[("immutable/a.yaml", &web.replace("{app: web}", "{app: other}"))]);
    world.refresh("immutable");
    for name in ["drift", "two"] {
        let settings = format!("/api/v1/namespaces/{}-{name}/configmaps/settings", world.namespace);
        world.eventually("the settings are there", |world| world.api.get(&settings).unwrap().is_some());
        let edit = json!({"data": {"value": "by hand"}});
        let answer = world.api.request(
            "PATCH",
            &format!("{settings}?fieldManager=kubectl-edit"),
            "application/merge-patch+json",
            Some(&edit),
        );
        assert_eq!(answer.unwrap().0, 200);
    }
    let mut wrong = Vec::new();
    for case in CASES {
        // Each try asks Git and the cluster anew, which takes its time.
        let seen =
            (0..TRIES).map(|_| headlines(&world.explain(case.name))).find(|seen| case.is_told_by(seen));
        let text = world.tiphys(&["explain", case.name, "--cache", &world.cache()]);
        println!("{text}");
        if seen.is_none() || text.contains("nothing is wrong") != case.causes.is_empty() {
            wrong.push(format!("{}:\n{text}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// How often an explanation is asked for until it is the right one: pods, events and syncs need a while.
const TRIES: usize = 40;

impl Case {
    fn is_told_by(&self, headlines: &[String]) -> bool {
        let told = |(line, words): (&String, &&[&str])| words.iter().all(|word| line.contains(word));
        headlines.len() == self.causes.len() && headlines.iter().zip(self.causes).all(told)
    }
}

fn headlines(explanation: &Value) -> Vec<String> {
    match explanation["causes"].as_array() {
        Some(causes) => causes.iter().map(headline).collect(),
        None => vec!["no answer".into()],
    }
}

fn headline(cause: &Value) -> String {
    let text = |path: &str| cause.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let mut line = format!(
        "{} {}/{}: {}",
        text("/object/kind"),
        text("/object/namespace"),
        text("/object/name"),
        text("/message")
    );
    if cause.pointer("/writtenBy").is_some() {
        line += &format!(", written by {} {}", text("/writtenBy/manager"), text("/writtenBy/time"));
    }
    line
}
