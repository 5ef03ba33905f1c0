//! Kinds of ML operators: their pods tell why they are not healthy, queues and devices hold waves. The operators are
//! stood in for by the tests, which patch status as they would; the schemas are our own.

use serde_json::{Value, json};

use super::harness::{World, deployment};

/// Installs a CRD that takes anything, with a status, and waits until it is served.
fn install(world: &World, group: &str, version: &str, kind: &str, plural: &str, scope: &str) {
    let name = format!("{plural}.{group}");
    let crd = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": name}, "spec": {"group": group, "scope": scope,
            "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase(), "listKind": format!("{kind}List")},
            "versions": [{"name": version, "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}});
    world
        .api
        .apply(&format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"), &crd)
        .unwrap();
    let path = format!("/apis/{group}/{version}/{plural}");
    world.eventually(&format!("{kind} is served"), |world| {
        world.api.request("GET", &path, "", None).is_ok_and(|(status, _)| status == 200)
    });
}

/// A kind of an operator.
struct Kind {
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    /// The label that the operator puts on pods of an object named `it`.
    label: (&'static str, &'static str),
    /// The status of an object at work.
    at_work: Value,
    /// The status of one that is done, or ready.
    done: Value,
}

fn kinds() -> Vec<Kind> {
    let condition = |kind: &str| json!({"conditions": [{"type": kind, "status": "True", "message": kind}]});
    vec![
        Kind {
            group: "serving.kserve.io",
            version: "v1beta1",
            kind: "InferenceService",
            plural: "inferenceservices",
            label: ("serving.kserve.io/inferenceservice", "it"),
            at_work: json!({"modelStatus": {"transitionStatus": "InProgress"},
                   "conditions": [{"type": "Ready", "status": "Unknown"}]}),
            done: json!({"modelStatus": {"transitionStatus": "UpToDate"},
                   "conditions": [{"type": "Ready", "status": "True"}]}),
        },
        Kind {
            group: "jobset.x-k8s.io",
            version: "v1alpha2",
            kind: "JobSet",
            plural: "jobsets",
            label: ("jobset.sigs.k8s.io/jobset-name", "it"),
            at_work: json!({"restarts": 0}),
            done: condition("Completed"),
        },
        Kind {
            group: "leaderworkerset.x-k8s.io",
            version: "v1",
            kind: "LeaderWorkerSet",
            plural: "leaderworkersets",
            label: ("leaderworkerset.sigs.k8s.io/name", "it"),
            at_work: json!({"replicas": 1, "readyReplicas": 0}),
            done: condition("Available"),
        },
        Kind {
            group: "kubeflow.org",
            version: "v1",
            kind: "PyTorchJob",
            plural: "pytorchjobs",
            label: ("training.kubeflow.org/job-name", "it"),
            at_work: condition("Running"),
            done: condition("Succeeded"),
        },
        Kind {
            group: "ray.io",
            version: "v1",
            kind: "RayJob",
            plural: "rayjobs",
            label: ("ray.io/cluster", "it-x7"),
            at_work: json!({"jobDeploymentStatus": "Initializing", "rayClusterName": "it-x7"}),
            done: json!({"jobDeploymentStatus": "Complete", "jobStatus": "SUCCEEDED", "rayClusterName": "it-x7"}),
        },
        Kind {
            group: "batch.volcano.sh",
            version: "v1alpha1",
            kind: "Job",
            plural: "jobs",
            label: ("volcano.sh/job-name", "it"),
            at_work: json!({"state": {"phase": "Pending"}}),
            done: json!({"state": {"phase": "Completed"}}),
        },
    ]
}

fn cause(world: &World, group: &str, kind: &str) -> Value {
    let causes = world.app("app")["status"]["tiphys"]["causes"].take();
    let its = |cause: &&Value| cause["group"] == group && cause["kind"] == kind;
    causes.as_array().and_then(|causes| causes.iter().find(its).cloned()).unwrap_or(Value::Null)
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn pods_of_ml_operators_tell_why_their_objects_wait() {
    let world = World::new("ml");
    let gpu = format!("example.com/ml-{}", std::process::id());
    let kinds = kinds();
    for Kind { group, version, kind, plural, .. } in &kinds {
        install(&world, group, version, kind, plural, "Namespaced");
    }
    let manifests: Vec<(String, String)> = kinds
        .iter()
        .map(|Kind { group, version, kind, plural, .. }| {
            let text = format!(
                "apiVersion: {group}/{version}\nkind: {kind}\nmetadata:\n  name: it\nspec: {{replicas: 1}}\n"
            );
            (format!("{plural}.{group}.yaml"), text)
        })
        .collect();
    let files: Vec<(&str, &str)> =
        manifests.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let url = world.repository("app", &files);
    let target = world.application("app", &url, |_| {});
    world.eventually("everything is applied", |world| {
        world.app("app")["status"]["operationState"]["phase"] == "Succeeded"
    });
    for Kind { group, version, kind, plural, label: (label, value), at_work, .. } in &kinds {
        let path = format!("/apis/{group}/{version}/namespaces/{target}/{plural}/it/status");
        world.api.merge(&path, &json!({"status": at_work})).unwrap();
        let pod = json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": format!("{}-0", plural.replace('.', "-") + &kind.to_lowercase()), "labels": {*label: value}},
            "spec": {"containers": [{"name": "main", "image": "registry.example.com/main:1",
                                     "resources": {"limits": {gpu.as_str(): "2"}}}]}});
        world.api.create(&format!("/api/v1/namespaces/{target}/pods"), &pod).unwrap();
    }
    for Kind { group, kind, .. } in &kinds {
        world.eventually(&format!("{kind} waits for capacity, and says for how much"), |world| {
            let cause = cause(world, group, kind);
            let short = &cause["shortages"][0];
            cause["reason"] == "WaitingForCapacity"
                && cause["since"].is_string()
                && (&short["resource"], &short["wanted"]) == (&json!(gpu), &json!(2))
        });
    }
    let health = world.app("app")["status"]["health"].take();
    assert_eq!(health["status"], "Progressing");
    assert!(
        health["message"].to_string().contains(&format!("waiting for 2 {gpu}: 0 free on 0 matching nodes"))
    );

    for pod in world.api.list(&format!("/api/v1/namespaces/{target}/pods")).unwrap() {
        let name = pod["metadata"]["name"].as_str().unwrap();
        world.api.delete(&format!("/api/v1/namespaces/{target}/pods/{name}")).unwrap();
    }
    for Kind { group, version, plural, done, .. } in &kinds {
        let path = format!("/apis/{group}/{version}/namespaces/{target}/{plural}/it/status");
        world.api.merge(&path, &json!({"status": done})).unwrap();
    }
    world.converged("app", "");
    world.eventually("no cause is left", |world| world.app("app")["status"]["tiphys"]["causes"].is_null());
}

fn suspended_job(name: &str, labels: &str) -> String {
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {name}\n  labels: {labels}\nspec:\n  suspend: true\n  template:\n    \
         spec:\n      restartPolicy: Never\n      containers:\n      - name: main\n        image: registry.example.com/main:1\n"
    )
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn a_job_that_kueue_holds_is_queued_and_another_one_is_suspended() {
    let world = World::new("queued");
    let held = suspended_job("held", "{kueue.x-k8s.io/queue-name: team}");
    let paused = suspended_job("paused", "{}");
    let url = world.repository("app", &[("held.yaml", &held), ("paused.yaml", &paused)]);
    world.application("app", &url, |_| {});
    world.eventually("both are told apart", |world| {
        let status = world.app("app")["status"].take();
        let of = |name: &str| {
            let resources = status["resources"].as_array().cloned().unwrap_or_default();
            resources.iter().find(|one| one["name"] == name).map(|one| one["health"]["status"].clone())
        };
        of("held") == Some(json!("Progressing"))
            && of("paused") == Some(json!("Suspended"))
            && cause(world, "batch", "Job")["reason"] == "QueuedByKueue"
    });
}

fn message(world: &World) -> String {
    world.app("app")["status"]["operationState"]["message"].to_string()
}

fn waits(world: &World, url: &str) -> String {
    world.application("app", url, |app| {
        app["metadata"]["annotations"] = json!({"tiphys.dev/gpu-gate": "Wait"});
    })
}

fn exists(world: &World, target: &str) -> bool {
    world.api.get(&format!("/apis/apps/v1/namespaces/{target}/deployments/server")).unwrap().is_some()
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn a_kueue_queue_holds_a_wave_until_its_quota_is_raised() {
    let world = World::new("kueue");
    let gpu = format!("example.com/kueue-{}", std::process::id());
    install(&world, "kueue.x-k8s.io", "v1beta1", "ClusterQueue", "clusterqueues", "Cluster");
    install(&world, "kueue.x-k8s.io", "v1beta1", "LocalQueue", "localqueues", "Namespaced");
    let queue = format!("queue-{}", std::process::id());
    let quota = |nominal: u64| {
        json!({"spec": {"resourceGroups": [{"coveredResources": [gpu], "flavors": [
            {"name": "any", "resources": [{"name": gpu, "nominalQuota": nominal}]}]}]}})
    };
    let queues = "/apis/kueue.x-k8s.io/v1beta1/clusterqueues";
    let mut object = quota(3);
    object["apiVersion"] = json!("kueue.x-k8s.io/v1beta1");
    object["kind"] = json!("ClusterQueue");
    object["metadata"] = json!({"name": queue});
    world.api.create(queues, &object).unwrap();
    let used = json!({"status": {"flavorsReservation": [{"name": "any", "resources": [{"name": gpu, "total": "2"}]}]}});
    world.api.merge(&format!("{queues}/{queue}/status"), &used).unwrap();
    let server = deployment("server", 2, 0, &format!("{{\"{gpu}\": 1}}")).replace(
        "  name: server\n  annotations:",
        "  name: server\n  labels: {kueue.x-k8s.io/queue-name: team}\n  annotations:",
    );
    let url = world.repository("app", &[("server.yaml", &server)]);
    let target = world.target("app");
    let local = json!({"apiVersion": "kueue.x-k8s.io/v1beta1", "kind": "LocalQueue", "metadata": {"name": "team"},
        "spec": {"clusterQueue": queue}});
    world
        .api
        .create(&format!("/apis/kueue.x-k8s.io/v1beta1/namespaces/{target}/localqueues"), &local)
        .unwrap();
    waits(&world, &url);
    let short = format!("waiting for 2 {gpu}: queue {target}/team admits 1");
    world.eventually("the queue holds the wave", |world| message(world).contains(&short));
    assert!(!exists(&world, &target));
    world.api.merge(&format!("{queues}/{queue}"), &quota(4)).unwrap();
    world.eventually("the wave is let go", |world| exists(world, &target));
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn devices_hold_a_wave_until_a_driver_offers_more() {
    let world = World::new("devices");
    let driver = format!("gpu-{}.example.com", std::process::id());
    let api = "/apis/resource.k8s.io/v1";
    let class = json!({"apiVersion": "resource.k8s.io/v1", "kind": "DeviceClass", "metadata": {"name": driver},
        "spec": {"selectors": [{"cel": {"expression": format!("device.driver == \"{driver}\"")}}]}});
    world.api.create(&format!("{api}/deviceclasses"), &class).unwrap();
    let slice = |generation: u64, devices: &[&str]| {
        let devices: Vec<Value> = devices.iter().map(|name| json!({"name": name})).collect();
        json!({"apiVersion": "resource.k8s.io/v1", "kind": "ResourceSlice", "metadata": {"name": driver},
            "spec": {"driver": driver, "nodeName": "gpu-0", "devices": devices,
                     "pool": {"name": "gpu-0", "generation": generation, "resourceSliceCount": 1}}})
    };
    world.api.create(&format!("{api}/resourceslices"), &slice(1, &["a"])).unwrap();
    let claim = format!(
        "apiVersion: resource.k8s.io/v1\nkind: ResourceClaimTemplate\nmetadata: {{name: gpu}}\nspec:\n  spec:\n    devices:\n      \
         requests: [{{name: gpu, exactly: {{deviceClassName: {driver}}}}}]\n"
    );
    let server = deployment("server", 2, 0, "{}").replace(
        "    spec:\n      containers:\n      - name: main\n",
        "    spec:\n      resourceClaims: [{name: gpu, resourceClaimTemplateName: gpu}]\n      containers:\n      - name: main\n",
    );
    let server =
        server.replace("        resources: {limits: {}}\n", "        resources: {claims: [{name: gpu}]}\n");
    let url = world.repository("app", &[("claim.yaml", &claim), ("server.yaml", &server)]);
    let target = waits(&world, &url);
    let short = format!("waiting for 2 devices of class {driver}: 1 free");
    world.eventually("the devices hold the wave", |world| message(world).contains(&short));
    assert!(!exists(&world, &target));
    let newer = slice(2, &["a", "b"]);
    world.api.merge(&format!("{api}/resourceslices/{driver}"), &json!({"spec": newer["spec"]})).unwrap();
    world.eventually("the wave is let go", |world| exists(world, &target));
    world.converged("app", "");
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn since_when_something_fails_outlasts_the_controller() {
    let mut world = World::new("since");
    let gpu = format!("example.com/since-{}", std::process::id());
    let more = json!({"status": {"capacity": {gpu.as_str(): "1"}, "allocatable": {gpu.as_str(): "1"}}});
    world.api.merge("/api/v1/nodes/gpu-0/status", &more).unwrap();
    let server = deployment("server", 1, 0, &format!("{{\"{gpu}\": 1}}")).replace(
        "      labels: {app: server}\n    spec:",
        "      labels: {app: server}\n      annotations: {tiphys.dev/kwok: crash-loop}\n    spec:",
    );
    let url = world.repository("app", &[("server.yaml", &server)]);
    world.application("app", &url, |app| {
        app["metadata"]["annotations"] = json!({"tiphys.dev/degraded-grace": "1h"});
    });
    world.eventually("the failure is noted and does not count yet", |world| {
        let status = world.app("app")["status"].take();
        cause(world, "apps", "Deployment")["failingSince"].is_string()
            && status["health"]["status"] == "Progressing"
            && status["operationState"]["phase"] == "Succeeded"
    });
    let before = cause(&world, "apps", "Deployment");
    assert_eq!(before["reason"], "CrashLooping");
    // The next second would be another time.
    let noted: jiff::Timestamp = before["failingSince"].as_str().unwrap().parse().unwrap();
    world.eventually("a second has passed", |_| jiff::Timestamp::now().duration_since(noted).as_secs() > 1);
    world.kill_controller();
    let reconciles = |world: &World| world.log().lines().filter(|line| line.contains("reconciled")).count();
    let so_far = reconciles(&world);
    world.start_controller();
    world.eventually("the next controller has looked", |world| reconciles(world) > so_far);
    world.refresh("app");
    world.eventually("and once more", |world| reconciles(world) > so_far + 1);
    assert_eq!(cause(&world, "apps", "Deployment")["failingSince"], before["failingSince"]);
}
