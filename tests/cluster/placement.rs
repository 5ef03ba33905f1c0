//! Random sets of nodes, taints, affinities and pods: the gate says "fits" exactly where the real scheduler binds all.
//!
//! All sets are on the cluster at once, each behind a label and a taint of its own. Where the answer depends on the order
//! in which pods come, there is nothing to agree on: such a set is drawn anew.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tiphys::flow::{Capacity, NodeFacts, PodRequest};
use tiphys::health::facts;
use tiphys::health::gate::{GateReport, GateWorkload, check};
use tiphys::health::neighbours::Floor;

use super::harness::World;

const RESOURCE: &str = "example.com/placed";
/// Sets of a plain run; `--seeds 200` for all of them.
const SETS: u64 = 40;
const ZONES: &[&str] = &["a", "b"];
const TAINTS: &[(&str, &str)] =
    &[("dedicated", "NoSchedule"), ("flaky", "NoExecute"), ("slow", "PreferNoSchedule")];

struct Set {
    name: String,
    nodes: Vec<Value>,
    pods: Vec<Value>,
}

fn node(random: &mut StdRng, set: &str, index: usize) -> Value {
    let mut taints = vec![json!({"key": "tiphys.dev/set", "value": set, "effect": "NoSchedule"})];
    for (key, effect) in TAINTS {
        if random.random_bool(0.2) {
            taints.push(json!({"key": key, "value": ZONES.choose(random).unwrap(), "effect": effect}));
        }
    }
    let amounts = json!({"cpu": random.random_range(2..9).to_string(), "memory": "16Gi", "pods": random.random_range(2..6).to_string(),
        RESOURCE: random.random_range(0..5).to_string()});
    json!({"apiVersion": "v1", "kind": "Node",
        "metadata": {"name": format!("{set}-n{index}"), "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {"type": "kwok", "tiphys.dev/set": set, "zone": ZONES.choose(random).unwrap(),
                       "size": random.random_range(1..4).to_string(), "kubernetes.io/hostname": format!("{set}-n{index}")}},
        "spec": {"taints": taints, "unschedulable": random.random_bool(0.1)},
        "status": {"capacity": amounts, "allocatable": amounts}})
}

fn requirement(random: &mut StdRng) -> Value {
    let zone = ZONES.choose(random).unwrap();
    let size = random.random_range(1..4).to_string();
    match random.random_range(0..6) {
        0 => json!({"key": "zone", "operator": "In", "values": [zone]}),
        1 => json!({"key": "zone", "operator": "NotIn", "values": [zone]}),
        2 => json!({"key": "size", "operator": "Gt", "values": [size]}),
        3 => json!({"key": "size", "operator": "Lt", "values": [size]}),
        4 => json!({"key": "gone", "operator": "DoesNotExist"}),
        _ => json!({"key": "size", "operator": "Exists"}),
    }
}

/// Pods of one shape.
fn group(random: &mut StdRng, set: &str, namespace: &str, index: usize) -> Vec<Value> {
    let mut tolerations = vec![json!({"key": "tiphys.dev/set", "operator": "Exists"})];
    for (key, effect) in TAINTS {
        match random.random_range(0..4) {
            0 => tolerations.push(json!({"key": key, "operator": "Exists"})),
            1 => tolerations
                .push(json!({"key": key, "value": ZONES.choose(random).unwrap(), "effect": effect})),
            _ => {}
        }
    }
    if random.random_bool(0.1) {
        tolerations.push(json!({"operator": "Exists", "effect": "NoSchedule"}));
    }
    let mut spec = json!({
        "nodeSelector": {"tiphys.dev/set": set},
        "tolerations": tolerations,
        "terminationGracePeriodSeconds": 0,
        "containers": [{"name": "main", "image": "registry.example.com/main:1", "resources": {
            "requests": {"cpu": format!("{}m", random.random_range(1..8) * 250)},
            "limits": {RESOURCE: random.random_range(1..4).to_string()}}}],
    });
    if random.random_bool(0.3) {
        spec["nodeSelector"]["zone"] = json!(ZONES.choose(random).unwrap());
    }
    if random.random_bool(0.4) {
        let term = |random: &mut StdRng| {
            let all: Vec<Value> = (0..random.random_range(1..3)).map(|_| requirement(random)).collect();
            json!({"matchExpressions": all})
        };
        let mut terms: Vec<Value> = (0..random.random_range(1..3)).map(|_| term(random)).collect();
        if random.random_bool(0.2) {
            terms.push(json!({"matchFields": [
                {"key": "metadata.name", "operator": "In", "values": [format!("{set}-n0")]}]}));
        }
        spec["affinity"] = json!({"nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}});
    }
    if random.random_bool(0.2) {
        spec["initContainers"] = json!([{"name": "init", "image": "registry.example.com/init:1",
            "resources": {"requests": {"cpu": "2"}}}]);
    }
    neighbours(random, set, index, &mut spec);
    let labels = json!({"set": set, "group": format!("g{index}")});
    let pod = |number: usize| {
        json!({"apiVersion": "v1", "kind": "Pod", "spec": spec,
            "metadata": {"name": format!("{set}-g{index}-{number}"), "namespace": namespace, "labels": labels}})
    };
    (0..random.random_range(1..5)).map(pod).collect()
}

/// What pods of a group ask of pods of their set.
fn neighbours(random: &mut StdRng, set: &str, index: usize, spec: &mut Value) {
    let topology =
        |random: &mut StdRng| if random.random_bool(0.5) { "zone" } else { "kubernetes.io/hostname" };
    let group = |group: usize| json!({"matchLabels": {"set": set, "group": format!("g{group}")}});
    if random.random_bool(0.3) {
        let whom = if random.random_bool(0.6) { index } else { random.random_range(0..3) };
        spec["affinity"]["podAntiAffinity"] = json!({"requiredDuringSchedulingIgnoredDuringExecution": [
            {"labelSelector": group(whom), "topologyKey": topology(random)}]});
    }
    if random.random_bool(0.25) {
        let whom = if random.random_bool(0.5) { index } else { random.random_range(0..3) };
        spec["affinity"]["podAffinity"] = json!({"requiredDuringSchedulingIgnoredDuringExecution": [
            {"labelSelector": group(whom), "topologyKey": topology(random)}]});
    }
    if random.random_bool(0.3) {
        let mut spread = json!({"maxSkew": random.random_range(1..3), "topologyKey": topology(random),
            "whenUnsatisfiable": if random.random_bool(0.8) { "DoNotSchedule" } else { "ScheduleAnyway" },
            "labelSelector": {"matchLabels": {"set": set}, "matchExpressions": [
                {"key": "group", "operator": "In", "values": [format!("g{index}")]}]}});
        if random.random_bool(0.2) {
            spread["nodeAffinityPolicy"] = json!("Honor");
        }
        spec["topologySpreadConstraints"] = json!([spread]);
    }
    if random.random_bool(0.15) {
        spec["containers"][0]["ports"] = json!([{"containerPort": 80, "hostPort": 8080, "protocol": "TCP"}]);
    }
}

/// Whether all pods find room, if they come in this order and each takes any node.
fn fits_at_random(random: &mut StdRng, nodes: &[NodeFacts], pods: &[PodRequest]) -> bool {
    let mut floor = Floor::new(nodes, std::iter::empty());
    let mut waiting: Vec<&PodRequest> = pods.iter().collect();
    waiting.shuffle(random);
    loop {
        let before = waiting.len();
        waiting.retain(|pod| {
            let Some(place) = floor.places(pod).choose(random).copied() else { return true };
            floor.put(place, pod);
            false
        });
        if waiting.is_empty() || waiting.len() == before {
            return waiting.is_empty();
        }
    }
}

fn facts_of(node: &Value) -> NodeFacts {
    let mut ready = node.clone();
    ready["status"]["conditions"] = json!([{"type": "Ready", "status": "True"}]);
    facts::node(&ready, &BTreeMap::new())
}

/// A set whose answer does not depend on the order of its pods.
fn draw(seed: u64, namespace: &str, prefix: &str) -> Set {
    for attempt in 0..200 {
        let mut random = StdRng::seed_from_u64(seed.wrapping_mul(1000).wrapping_add(attempt));
        let name = format!("{prefix}{seed}");
        let nodes: Vec<Value> =
            (0..random.random_range(1..5)).map(|at| node(&mut random, &name, at)).collect();
        let pods: Vec<Value> =
            (0..random.random_range(1..4)).flat_map(|at| group(&mut random, &name, namespace, at)).collect();
        let seen: Vec<NodeFacts> = nodes.iter().map(facts_of).collect();
        let requests: Vec<PodRequest> = pods
            .iter()
            .map(|pod| facts::pod_request_of(&pod["spec"], namespace, Some(&pod["metadata"]["labels"])))
            .collect();
        let first = fits_at_random(&mut random, &seen, &requests);
        // Sets that fit are rarer: not every other one may be dropped in favour of those that do not.
        let wanted = seed.is_multiple_of(2);
        if first == wanted && (0..60).all(|_| fits_at_random(&mut random, &seen, &requests) == first) {
            return Set { name, nodes, pods };
        }
    }
    panic!("seed {seed} gives no set")
}

/// Runs requests side by side.
fn in_parallel<T: Sync>(all: &[T], each: impl Fn(&T) + Sync) {
    std::thread::scope(|scope| {
        for part in all.chunks(all.len().div_ceil(8).max(1)) {
            scope.spawn(|| part.iter().for_each(&each));
        }
    });
}

/// How many sets the scheduler bound whole, and where the gate says otherwise.
fn compare(sets: &[Set], live: &[Value], capacity: &Capacity) -> (usize, Vec<String>) {
    let bound: BTreeMap<String, bool> = live
        .iter()
        .map(|pod| {
            (pod["metadata"]["name"].as_str().unwrap().to_owned(), pod["spec"]["nodeName"].is_string())
        })
        .collect();
    let (mut wrong, mut fitting) = (Vec::new(), 0);
    for set in sets {
        let none = BTreeMap::new();
        let wave: Vec<GateWorkload<'_>> = set
            .pods
            .iter()
            .map(|desired| GateWorkload { desired, replaces_pods: false, pods: &[], claim_templates: &none })
            .collect();
        let gate = check(&wave, &[], capacity);
        let all_bound = set.pods.iter().all(|pod| bound[pod["metadata"]["name"].as_str().unwrap()]);
        fitting += usize::from(all_bound);
        if (gate == GateReport::Fits) != all_bound {
            wrong.push(format!("{}: the scheduler bound all: {all_bound}, the gate: {gate:?}", set.name));
        }
    }
    (fitting, wrong)
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn the_gate_agrees_with_the_real_scheduler() {
    let world = World::new("placement");
    let sets = std::env::var("TIPHYS_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SETS).min(200);
    let prefix = format!("p{}-", std::process::id());
    let namespace = world.namespace.clone();
    let sets: Vec<Set> = (0..sets).map(|seed| draw(seed, &namespace, &prefix)).collect();
    let nodes: Vec<&Value> = sets.iter().flat_map(|set| &set.nodes).collect();
    in_parallel(&nodes, |node| {
        world.api.create("/api/v1/nodes", node).unwrap();
    });
    let mine = |objects: Vec<Value>| -> Vec<Value> {
        let ours =
            |object: &Value| object["metadata"]["name"].as_str().unwrap_or_default().starts_with(&prefix);
        objects.into_iter().filter(ours).collect()
    };
    let listed = || mine(world.api.list("/api/v1/nodes").unwrap());
    world.eventually("the nodes are ready", |_| {
        let all = listed();
        let is_ready = |node: &Value| {
            facts::node(node, &BTreeMap::new()).ready
                && !node["spec"]["taints"].to_string().contains("node.kubernetes.io/not-ready")
                && (node["spec"]["unschedulable"] != true
                    || node["spec"]["taints"].to_string().contains("node.kubernetes.io/unschedulable"))
        };
        all.len() == nodes.len() && all.iter().all(is_ready)
    });
    let capacity = Capacity {
        nodes: Some(listed().iter().map(|node| facts::node(node, &BTreeMap::new())).collect()),
        ..Capacity::default()
    };
    let pods_path = format!("/api/v1/namespaces/{namespace}/pods");
    let pods: Vec<&Value> = sets.iter().flat_map(|set| &set.pods).collect();
    in_parallel(&pods, |pod| {
        world.api.create(&pods_path, pod).unwrap();
    });
    let decided = |pod: &Value| {
        pod["spec"]["nodeName"].is_string()
            || pod["status"]["conditions"].to_string().contains("Unschedulable")
    };
    let live = || world.api.list(&pods_path).unwrap();
    world.eventually("the scheduler has tried every pod", |_| {
        let all = live();
        all.len() == pods.len() && all.iter().all(decided)
    });
    let (fitting, wrong) = compare(&sets, &live(), &capacity);
    in_parallel(&nodes, |node| {
        let path = format!("/api/v1/nodes/{}", node["metadata"]["name"].as_str().unwrap());
        let _ = world.api.delete(&path);
    });
    println!("{} sets, {} nodes, {} pods; {fitting} sets fit", sets.len(), nodes.len(), pods.len());
    assert_eq!(wrong, Vec::<String>::new());
}
