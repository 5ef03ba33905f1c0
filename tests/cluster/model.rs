//! Random commits, live edits, bad connections and restarts, against a simple model of what must be there at the end:
//! the last commit, and nothing else of ours.
//!
//! `TIPHYS_SEEDS` says how many sequences run (20 if not given), `TIPHYS_SEED` runs one alone; a failure names its seed.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::harness::{World, config_map};
use super::proxy::Proxy;

/// Names and values of the ConfigMaps that should be there.
type Model = BTreeMap<String, String>;

const STEPS: u32 = 8;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

fn commit(world: &World, app: &str, model: &Model, random: &mut StdRng) -> String {
    let files: Vec<(String, String)> = model
        .iter()
        .map(|(name, value)| (format!("{name}.yaml"), config_map(name, value, random.random_range(-1..3))))
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    world.commit(app, &files)
}

fn change_model(model: &mut Model, random: &mut StdRng) {
    for _ in 0..random.random_range(1..4) {
        let name = format!("c{}", random.random_range(0..6));
        if random.random_range(0..3) == 0 && model.len() > 1 {
            model.remove(&name);
        } else {
            model.insert(name, format!("v{}", random.random_range(0..1000)));
        }
    }
}

/// The ConfigMaps of a namespace but those that are in each.
fn there(world: &World, target: &str) -> Model {
    let objects = world.api.list(&format!("/api/v1/namespaces/{target}/configmaps")).unwrap_or_default();
    let value = |object: &Value| object["data"]["value"].as_str().unwrap_or_default().to_owned();
    let name = |object: &Value| object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    objects.iter().map(|one| (name(one), value(one))).filter(|(name, _)| name != "kube-root-ca.crt").collect()
}

#[allow(clippy::print_stdout, reason = "a failed test shows which seed it was")]
fn run(world: &mut World, proxy: &Proxy, seed: u64) {
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let app = format!("m{seed}");
    let url = world.repository(&app, &[]);
    let mut model = Model::from([("c0".to_owned(), "first".to_owned())]);
    let mut last = commit(world, &app, &model, &mut random);
    let target = world.target(&app);
    let foreign = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "foreign"}, "data": {"value": "mine"}});
    world.api.create(&format!("/api/v1/namespaces/{target}/configmaps"), &foreign).unwrap();
    world.application(&app, &url, |app| {
        app["spec"]["syncPolicy"]["retry"] =
            json!({"limit": 10, "backoff": {"duration": "1s", "maxDuration": "2s"}});
    });
    let mut done: Vec<String> = Vec::new();
    for _ in 0..STEPS {
        let path = format!("/api/v1/namespaces/{target}/configmaps/c{}", random.random_range(0..6));
        let step = random.random_range(0..8);
        done.push(format!("{step} {}", jiff::Timestamp::now()));
        match step {
            0..=2 => {
                change_model(&mut model, &mut random);
                last = commit(world, &app, &model, &mut random);
                world.refresh(&app);
            }
            // What is not there cannot be changed or deleted; both are fine.
            3 => drop(world.api.merge(&path, &json!({"data": {"value": "drift", "more": "x"}}))),
            4 => drop(world.api.delete(&path)),
            5 => proxy.rate(random.random_range(10..40)),
            6 => proxy.rate(0),
            _ => {
                world.kill_controller();
                world.start_controller();
            }
        }
        std::thread::sleep(Duration::from_millis(random.random_range(0..400)));
    }
    proxy.rate(0);
    world.refresh(&app);
    model.insert("foreign".to_owned(), "mine".to_owned());
    let what = format!(
        "TIPHYS_SEED={seed}: the cluster equals the last commit {last}, {model:?}; steps {done:?}; faults {:?}",
        proxy.faults()
    );
    world.eventually(&what, |world| there(world, &target) == model);
    world.converged(&app, &last);
    assert_eq!(there(world, &target), model, "TIPHYS_SEED={seed}: it did not stay so");
    world.api.delete(&world.app_path(&app)).unwrap();
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn the_last_commit_is_what_is_there_whatever_happened() {
    let seeds: Vec<u64> = match number("TIPHYS_SEED") {
        Some(seed) => vec![seed],
        None => (1..=number("TIPHYS_SEEDS").unwrap_or(20)).collect(),
    };
    // Two controllers, each with its own connection; sequences of one follow each other.
    std::thread::scope(|scope| {
        for half in seeds.chunks(seeds.len().div_ceil(2).max(1)) {
            scope.spawn(move || {
                let (mut world, proxy) = World::behind("model", |kubeconfig| {
                    Proxy::start(kubeconfig, half.first().copied().unwrap_or(0))
                });
                for seed in half {
                    run(&mut world, &proxy, *seed);
                }
            });
        }
    });
}
