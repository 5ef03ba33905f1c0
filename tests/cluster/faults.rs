//! Whole syncs with hooks while requests go wrong: at the end the cluster equals Git, no hook ran twice, and nothing
//! was pruned that Git holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use kube::core::{ApiResource, DynamicObject};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};

use super::harness::{World, config_map, deployment, hook};
use super::proxy::Proxy;

/// Every incarnation of objects of one kind: name and operation → uids.
type Incarnations = Arc<Mutex<BTreeMap<String, BTreeSet<String>>>>;

/// Follows a kind in a namespace, straight from the API server.
fn follow(world: &World, namespace: &str, resource: ApiResource) -> (tokio::runtime::Runtime, Incarnations) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let seen = Incarnations::default();
    let (sink, kubeconfig, namespace) =
        (Arc::clone(&seen), world.kubeconfig().to_owned(), namespace.to_owned());
    runtime.spawn(async move {
        let kubeconfig = kube::config::Kubeconfig::read_from(kubeconfig).unwrap();
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await.unwrap();
        let api: Api<DynamicObject> =
            Api::namespaced_with(Client::try_from(config).unwrap(), &namespace, &resource);
        let mut events = std::pin::pin!(watcher(api, watcher::Config::default()));
        while let Some(event) = events.next().await {
            if let Ok(Event::Apply(object) | Event::InitApply(object) | Event::Delete(object)) = event {
                let annotations = object.metadata.annotations.unwrap_or_default();
                let operation = annotations.get("tiphys.dev/operation").cloned().unwrap_or_default();
                let key = format!("{} {operation}", object.metadata.name.unwrap_or_default());
                let mut sink = sink.lock().unwrap();
                sink.entry(key).or_default().insert(object.metadata.uid.unwrap_or_default());
            }
        }
    });
    (runtime, seen)
}

fn resource(group: &str, kind: &str, plural: &str) -> ApiResource {
    let api_version = if group.is_empty() { "v1".to_owned() } else { format!("{group}/v1") };
    ApiResource {
        group: group.into(),
        version: "v1".into(),
        api_version,
        kind: kind.into(),
        plural: plural.into(),
    }
}

/// Six files in three waves and two hooks; `round` changes values.
fn files(round: u32) -> Vec<(String, String)> {
    let mut files = vec![
        ("0-before.yaml".to_owned(), hook("name: before", "PreSync", "BeforeHookCreation")),
        ("9-after.yaml".to_owned(), hook("name: after", "PostSync", "BeforeHookCreation")),
        ("web.yaml".to_owned(), deployment("web", 1, 1, "{}")),
    ];
    for wave in 0..3 {
        let name = format!("config-{wave}");
        files.push((format!("{name}.yaml"), config_map(&name, &format!("round-{round}"), wave)));
    }
    if round.is_multiple_of(2) {
        files.push(("sometimes.yaml".to_owned(), config_map("sometimes", "x", 1)));
    }
    files
}

fn commit(world: &World, round: u32) -> String {
    let files = files(round);
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    world.commit("app", &files)
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
#[allow(clippy::print_stdout, reason = "a failed test shows which seed it was")]
fn whole_syncs_survive_a_bad_connection() {
    let seeds = std::env::var("TIPHYS_SEEDS").ok().and_then(|text| text.parse::<u64>().ok());
    for seed in 1..=seeds.map_or(2, |seeds| seeds.div_ceil(10)) {
        println!("seed {seed}");
        let (world, proxy) = World::behind("faults", |kubeconfig| Proxy::start(kubeconfig, seed));
        let url = world.repository("app", &[]);
        let target = world.target("app");
        let (_jobs, hooks) = follow(&world, &target, resource("batch", "Job", "jobs"));
        let (_maps, maps) = follow(&world, &target, resource("", "ConfigMap", "configmaps"));
        commit(&world, 1);
        proxy.rate(20);
        world.application("app", &url, |app| {
            app["spec"]["syncPolicy"]["retry"] =
                serde_json::json!({"limit": 20, "backoff": {"duration": "1s", "maxDuration": "3s"}});
        });
        let mut last = String::new();
        for round in 2..5 {
            std::thread::sleep(Duration::from_secs(4));
            last = commit(&world, round);
            world.refresh("app");
        }
        std::thread::sleep(Duration::from_secs(4));
        proxy.rate(0);
        world.refresh("app");
        world.converged("app", &last);
        for wave in 0..3 {
            let path = format!("/api/v1/namespaces/{target}/configmaps/config-{wave}");
            let object = world.api.get(&path).unwrap().unwrap();
            assert_eq!(object["data"]["value"], "round-4", "seed {seed}: {:?}", proxy.faults());
        }
        for (name, uids) in maps.lock().unwrap().iter().filter(|(name, _)| name.starts_with("config-")) {
            assert_eq!(
                uids.len(),
                1,
                "seed {seed}: {name} was pruned though Git holds it: {:?}",
                proxy.faults()
            );
        }
        let hooks = hooks.lock().unwrap();
        assert!(hooks.len() >= 2, "{hooks:?}");
        for (operation, uids) in hooks.iter() {
            assert_eq!(uids.len(), 1, "seed {seed}: hook {operation} ran twice: {:?}", proxy.faults());
        }
        assert!(!proxy.faults().is_empty() && proxy.requests() > 50);
    }
}
