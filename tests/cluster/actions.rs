//! Actions on objects of an application, from the command line.

use serde_json::{Value, json};

use super::harness::{World, deployment};

fn server(world: &World, target: &str) -> Value {
    world.api.get(&format!("/apis/apps/v1/namespaces/{target}/deployments/server")).unwrap().unwrap()
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn actions_are_listed_and_run() {
    let world = World::new("actions");
    let cron = "apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: nightly\nspec:\n  schedule: '0 0 1 1 *'\n  \
                jobTemplate:\n    spec:\n      template:\n        spec:\n          restartPolicy: Never\n          \
                containers: [{name: main, image: 'registry.example.com/job:1'}]\n";
    let url =
        world.repository("app", &[("server.yaml", &deployment("server", 1, 0, "{}")), ("cron.yaml", cron)]);
    let target = world.application("app", &url, |app| {
        app["spec"]["syncPolicy"]["automated"]["selfHeal"] = json!(false);
    });
    world.converged("app", "");
    let own = "discovery.lua: |\n  return {hello = {}}\nmergeBuiltinActions: true\ndefinitions:\n- name: hello\n  \
               action.lua: |\n    obj.metadata.labels = {greeting = 'hello'}\n    return obj\n";
    let settings = json!({"data": {"resource.customizations.actions.apps_Deployment": own}});
    world
        .api
        .merge(&format!("/api/v1/namespaces/{}/configmaps/argocd-cm", world.namespace), &settings)
        .unwrap();

    let (fine, listed) = world.cli(&["app", "actions", "list", "app", "--kind", "Deployment"]);
    assert!(fine, "{listed}");
    let words: Vec<Vec<&str>> =
        listed.lines().skip(1).map(|line| line.split_whitespace().skip(3).collect()).collect();
    assert_eq!(words, [["hello", "false"], ["restart", "false"], ["resume", "true"], ["scale", "false"]]);

    let run = |arguments: &[&str]| {
        let (fine, text) = world.cli(&[&["app", "actions", "run", "app"], arguments].concat());
        assert!(fine, "{text}");
        text
    };
    run(&["restart", "--kind", "Deployment", "--resource-name", "server"]);
    let annotations = server(&world, &target)["spec"]["template"]["metadata"]["annotations"].take();
    assert!(annotations["kubectl.kubernetes.io/restartedAt"].is_string(), "{annotations}");
    run(&["scale", "--kind", "Deployment", "--param", "replicas=2"]);
    assert_eq!(server(&world, &target)["spec"]["replicas"], 2);
    run(&["hello", "--kind", "Deployment"]);
    assert_eq!(server(&world, &target)["metadata"]["labels"], json!({"greeting": "hello"}));
    let text = run(&["create-job", "--kind", "CronJob"]);
    assert!(text.contains("Job/nightly-") && text.contains(" created"), "{text}");

    let (fine, text) = world.cli(&["app", "actions", "run", "app", "restart"]);
    assert!(!fine && text.contains("Multiple resources match inputs"), "{text}");
    let (fine, text) = world.cli(&["app", "actions", "run", "app", "explode", "--kind", "Deployment"]);
    assert!(!fine && text.contains("offers no action \"explode\""), "{text}");
    // What the project does not allow is not written, whatever rights the caller has.
    let project = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
        "metadata": {"name": "default", "namespace": world.namespace},
        "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
                 "namespaceResourceBlacklist": [{"group": "batch", "kind": "Job"}]}});
    let path = format!("/apis/argoproj.io/v1alpha1/namespaces/{}/appprojects/default", world.namespace);
    world.api.apply(&path, &project).unwrap();
    let (fine, text) = world.cli(&["app", "actions", "run", "app", "create-job", "--kind", "CronJob"]);
    assert!(!fine && text.contains("not permitted in project default"), "{text}");
}
