//! The capacity gate before apply: whether the pods that a wave will make find room.
//!
//! What counts are workloads that ask for extended resources or devices. Their new pods are placed on the nodes as
//! the scheduler would, less what the pods that they replace give back. The gate never waits for room that only the
//! update itself can free: where a roll-out may take pods away before it adds new ones, their room counts as free, and
//! so does that of pods whose workload the same update deletes or scales down.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use serde_json::Value;

use super::facts::{pod_request, pod_request_of};
use super::neighbours::Floor;
use super::placement::{has_room, is_extended, matches, place};
use super::pod_sets::pod_sets;
use crate::flow::{Capacity, NodeFacts, PodFacts, PodPhase, PodRequest, Resources, Shortage};
use crate::object::{at, list_at, str_at};

const QUEUE_LABEL: &str = "kueue.x-k8s.io/queue-name";

/// What the gate does when there is no room: `tiphys.dev/gpu-gate`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GateMode {
    /// Holds the wave until there is room.
    Wait,
    /// Says so, and goes on.
    #[default]
    Warn,
    /// Does not look.
    Off,
}

/// A word that is no mode of the gate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no mode of the GPU gate; use Wait, Warn or Off")]
pub struct UnknownGateMode(pub String);

impl FromStr for GateMode {
    type Err = UnknownGateMode;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "Wait" => Ok(Self::Wait),
            "Warn" => Ok(Self::Warn),
            "Off" => Ok(Self::Off),
            _ => Err(UnknownGateMode(word.to_owned())),
        }
    }
}

/// One workload of the wave.
#[derive(Clone, Copy, Debug)]
pub struct GateWorkload<'a> {
    /// The object as it will be applied.
    pub desired: &'a Value,
    /// Whether the apply makes the workload replace its pods (its template changes).
    pub replaces_pods: bool,
    /// The pods that the workload has now.
    pub pods: &'a [&'a PodFacts],
    /// ResourceClaimTemplates by name, of the workload's namespace.
    pub claim_templates: &'a BTreeMap<String, Value>,
}

/// What the gate found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GateReport {
    /// Every pod finds a place, or none asks for an extended resource.
    Fits,
    /// Something is short.
    Short {
        /// What, by resource.
        shortages: Vec<Shortage>,
        /// For people.
        message: String,
    },
    /// The nodes cannot be seen, so nobody knows.
    Unknown {
        /// For people.
        message: String,
    },
}

impl GateReport {
    /// Whether a wave goes on, in a mode.
    pub fn lets_go(&self, mode: GateMode) -> bool {
        mode != GateMode::Wait || !matches!(self, Self::Short { .. })
    }
}

/// What one workload needs.
#[derive(Default)]
struct Demand<'a> {
    /// Pods to place after the old ones gave back what they use.
    finally: Vec<PodRequest>,
    /// Pods to place while all of the old ones still run: the surge that a roll-out cannot do without.
    at_first: Vec<PodRequest>,
    /// Old pods that give back what they use on their nodes.
    replaced: Vec<&'a PodFacts>,
    /// Old pods that wait for a node: a quota counts them already, and they are among `finally`.
    waiting: Vec<&'a PodFacts>,
    namespace: &'a str,
    /// The Kueue queue that admits the workload.
    queue: Option<&'a str>,
}

/// Whether an object makes pods that ask for extended resources or devices, so that the gate looks at it at all.
pub fn concerns(desired: &Value) -> bool {
    pod_sets(desired, 1).iter().any(|set| {
        !list_at(&set.spec, &["resourceClaims"]).is_empty() || asks_for_extended(&pod_request(&set.spec))
    })
}

/// The Kueue queue of a workload.
pub fn queue_of(desired: &Value) -> Option<&str> {
    str_at(desired, &["metadata", "labels", QUEUE_LABEL])
}

/// Which of its pods a workload gives up because it becomes smaller: those that are on their way out, and those beyond
/// the count that is wanted.
pub fn given_up<'a>(desired: &Value, pods: &[&'a PodFacts], nodes: u64) -> Vec<&'a PodFacts> {
    let wanted = pod_sets(desired, nodes).iter().fold(0_u64, |sum, set| sum.saturating_add(set.count));
    let (leaving, staying): (Vec<&PodFacts>, Vec<&PodFacts>) =
        running(pods).into_iter().partition(|pod| pod.deleting);
    let kept = usize::try_from(wanted).unwrap_or(usize::MAX);
    leaving.into_iter().chain(staying.into_iter().skip(kept)).collect()
}

/// Checks a wave against the room in the cluster. `leaving` are pods that other parts of the same update take away.
pub fn check(wave: &[GateWorkload<'_>], leaving: &[&PodFacts], capacity: &Capacity) -> GateReport {
    let mut demands: Vec<Demand<'_>> =
        wave.iter().filter_map(|workload| demand(workload, capacity)).collect();
    if demands.iter().all(|demand| demand.finally.is_empty() && demand.at_first.is_empty()) {
        return GateReport::Fits;
    }
    for pod in running(leaving) {
        demands.push(Demand { replaced: vec![pod], namespace: &pod.namespace, ..Demand::default() });
    }
    let mut short = quota_shortages(&demands, capacity);
    short.extend(device_shortages(&demands, capacity));
    let (queued, placed): (Vec<_>, Vec<_>) = demands.into_iter().partition(|demand| demand.queue.is_some());
    short.extend(queue_shortages(&queued, capacity));
    let Some(nodes) = &capacity.nodes else {
        if short.is_empty() && placed.is_empty() {
            return GateReport::Fits;
        }
        if short.is_empty() {
            let message = "free capacity unknown: the nodes cannot be listed".to_owned();
            return GateReport::Unknown { message };
        }
        return report(short);
    };
    short.extend(node_shortages(&placed, nodes, &capacity.pods));
    if short.is_empty() { GateReport::Fits } else { report(short) }
}

fn report(short: Vec<(String, Shortage)>) -> GateReport {
    let texts: Vec<String> = short.iter().map(|(words, _)| words.clone()).collect();
    let message = format!("waiting for {}", texts.join("; "));
    GateReport::Short { shortages: short.into_iter().map(|(_, shortage)| shortage).collect(), message }
}

fn asks_for_extended(request: &PodRequest) -> bool {
    !request.devices.is_empty() || request.resources.keys().any(|name| is_extended(name))
}

/// Pods that take room on a node.
fn running<'a>(pods: &[&'a PodFacts]) -> Vec<&'a PodFacts> {
    pods.iter().copied().filter(|pod| takes_room(pod)).collect()
}

fn takes_room(pod: &PodFacts) -> bool {
    !matches!(pod.phase, PodPhase::Succeeded | PodPhase::Failed) && !pod.node.is_empty()
}

fn demand<'a>(workload: &GateWorkload<'a>, capacity: &Capacity) -> Option<Demand<'a>> {
    let wanted = wanted_pods(workload, capacity);
    let old = running(workload.pods);
    if wanted.is_empty() && old.is_empty() {
        return None;
    }
    let waits = |pod: &&PodFacts| pod.node.is_empty() && pod.phase == PodPhase::Pending;
    let base = Demand {
        namespace: str_at(workload.desired, &["metadata", "namespace"]).unwrap_or_default(),
        queue: queue_of(workload.desired),
        waiting: workload.pods.iter().copied().filter(waits).collect(),
        ..Demand::default()
    };
    if !workload.replaces_pods {
        let (leaving, kept): (Vec<&PodFacts>, Vec<&PodFacts>) = old.into_iter().partition(|pod| pod.deleting);
        let replaced = leaving.into_iter().chain(kept.iter().skip(wanted.len()).copied()).collect();
        let finally = if is_daemon_set(workload.desired) {
            let has_pod = |node: &str| kept.iter().any(|pod| pod.node == node);
            wanted.into_iter().filter(|pod| !has_pod(&pod.node_name)).collect()
        } else {
            wanted.into_iter().skip(kept.len()).collect()
        };
        return Some(Demand { finally, replaced, ..base });
    }
    let needs_surge = !old.is_empty() && !frees_first(workload.desired, wanted.len() as u64);
    let at_first = if needs_surge { wanted.first().cloned().into_iter().collect() } else { Vec::new() };
    Some(Demand { finally: wanted, at_first, replaced: old, ..base })
}

fn is_daemon_set(workload: &Value) -> bool {
    str_at(workload, &["kind"]) == Some("DaemonSet")
}

/// The pods of a workload that ask for extended resources, one by one.
fn wanted_pods(workload: &GateWorkload<'_>, capacity: &Capacity) -> Vec<PodRequest> {
    // A cap keeps an absurd count of replicas from costing more than a short answer.
    let nodes = capacity.nodes.iter().flatten();
    let limit: u64 = nodes.map(|node| node.free.get("pods").copied().unwrap_or(1000)).sum();
    let held_by_kueue;
    let desired = match queue_of(workload.desired) {
        // Kueue wants its Jobs suspended until it admits them: they make pods all the same.
        Some(_) => {
            held_by_kueue = unsuspended(workload.desired);
            &held_by_kueue
        }
        None => workload.desired,
    };
    let mut wanted = Vec::new();
    for set in pod_sets(desired, 1) {
        let namespace = str_at(desired, &["metadata", "namespace"]).unwrap_or_default();
        let mut request = pod_request_of(&set.spec, namespace, set.labels);
        request.devices = devices(&set.spec, workload.claim_templates);
        if !asks_for_extended(&request) {
            continue;
        }
        if let (true, Some(nodes)) = (is_daemon_set(desired), &capacity.nodes) {
            let matching = nodes.iter().filter(|node| matches(node, &request));
            wanted
                .extend(matching.map(|node| PodRequest { node_name: node.name.clone(), ..request.clone() }));
            continue;
        }
        let count = set.count.min(limit.saturating_add(1)).min(100_000);
        wanted.extend((0..count).map(|_| request.clone()));
    }
    wanted
}

fn unsuspended(workload: &Value) -> Value {
    let mut copy = workload.clone();
    if let Some(spec) = copy.get_mut("spec").and_then(Value::as_object_mut) {
        spec.remove("suspend");
    }
    copy
}

/// Whether a roll-out may take an old pod away before a new one is ready.
fn frees_first(workload: &Value, replicas: u64) -> bool {
    if str_at(workload, &["kind"]) != Some("Deployment") {
        return true;
    }
    let strategy = at(workload, &["spec", "strategy"]).unwrap_or(&Value::Null);
    if str_at(strategy, &["type"]) == Some("Recreate") {
        return true;
    }
    let share = |field: &str, round_up: bool| -> u64 {
        let value = at(strategy, &["rollingUpdate", field]).cloned().unwrap_or_else(|| "25%".into());
        match value.as_str().and_then(|text| text.strip_suffix('%')).and_then(|text| text.parse::<u64>().ok())
        {
            Some(percent) => {
                let part = percent.saturating_mul(replicas);
                if round_up { part.div_ceil(100) } else { part / 100 }
            }
            None => value.as_u64().unwrap_or(0),
        }
    };
    // Where both come to zero, Kubernetes takes one pod away.
    share("maxUnavailable", false) > 0 || share("maxSurge", true) == 0
}

/// Devices by class that a pod's ResourceClaims ask for.
pub fn devices(spec: &Value, templates: &BTreeMap<String, Value>) -> Resources {
    let mut devices = Resources::new();
    for claim in list_at(spec, &["resourceClaims"]) {
        let name = str_at(claim, &["resourceClaimTemplateName"]).unwrap_or_default();
        let Some(template) = templates.get(name) else { continue };
        for request in list_at(template, &["spec", "spec", "devices", "requests"]) {
            let exactly = request.get("exactly").unwrap_or(request);
            let class = str_at(exactly, &["deviceClassName"]).unwrap_or_default();
            if !class.is_empty() {
                let count = exactly.get("count").and_then(Value::as_u64).unwrap_or(1);
                let sum = devices.entry(class.to_owned()).or_default();
                *sum = sum.saturating_add(count);
            }
        }
    }
    devices
}

fn total<'p>(pods: impl Iterator<Item = &'p PodRequest>, of: fn(&PodRequest) -> &Resources) -> Resources {
    let mut sum = Resources::new();
    for (name, amount) in pods.flat_map(of) {
        let entry = sum.entry(name.clone()).or_default();
        *entry = entry.saturating_add(*amount);
    }
    sum
}

fn node_shortages(
    demands: &[Demand<'_>],
    nodes: &[NodeFacts],
    running: &[Arc<PodFacts>],
) -> Vec<(String, Shortage)> {
    let there = || running.iter().filter(|pod| takes_room(pod)).map(|pod| (pod.node.as_str(), &pod.request));
    let mut now = Floor::new(nodes, there());
    let at_first: Vec<&PodRequest> = demands.iter().flat_map(|demand| &demand.at_first).collect();
    let left = place(&mut now, &at_first);
    if !left.is_empty() {
        let apart = are_kept_apart(&now, &at_first, &left);
        return describe(&at_first, nodes, " for the roll-out's first pod", apart);
    }
    let mut later = Floor::new(nodes, there());
    for pod in demands.iter().flat_map(|demand| &demand.replaced) {
        let known =
            running.iter().find(|known| (&known.namespace, &known.name) == (&pod.namespace, &pod.name));
        later.remove(&pod.node, known.map_or(&pod.request, |known| &known.request));
    }
    let freed = later.nodes.clone();
    let pods: Vec<&PodRequest> = demands.iter().flat_map(|demand| &demand.finally).collect();
    let left = place(&mut later, &pods);
    if left.is_empty() {
        return Vec::new();
    }
    let apart = are_kept_apart(&later, &pods, &left);
    describe(&pods, &freed, "", apart)
}

/// Whether pods that found no place would have found room, but for what pods ask of each other.
fn are_kept_apart(floor: &Floor<'_>, pods: &[&PodRequest], left: &[usize]) -> bool {
    left.iter()
        .filter_map(|index| pods.get(*index))
        .all(|pod| floor.nodes.iter().any(|node| matches(node, pod) && has_room(node, &pod.resources)))
}

/// What is wanted against what is free, for each extended resource that is short; where the sums would do and only
/// the shape does not fit, every extended resource is named with the largest piece that a node has free.
fn describe(
    pods: &[&PodRequest],
    nodes: &[NodeFacts],
    words: &str,
    kept_apart: bool,
) -> Vec<(String, Shortage)> {
    let wanted = total(pods.iter().copied(), |pod| &pod.resources);
    let (mut short, mut split) = (Vec::new(), Vec::new());
    for (resource, wanted) in wanted.into_iter().filter(|(name, _)| is_extended(name)) {
        let matching: Vec<&NodeFacts> = nodes
            .iter()
            .filter(|node| {
                node.allocatable.contains_key(&resource) && pods.iter().any(|pod| matches(node, pod))
            })
            .collect();
        let free_on = |node: &&NodeFacts| node.free.get(&resource).copied().unwrap_or(0);
        let free = matching.iter().map(free_on).fold(0_u64, u64::saturating_add);
        let largest = matching.iter().map(free_on).max().unwrap_or(0);
        let shortage =
            Shortage { resource, wanted, free: Some(free), matching_nodes: Some(matching.len() as u64) };
        if free < wanted {
            short.push((format!("{shortage}{words}"), shortage));
        } else if kept_apart {
            let why = "affinity between pods, topology spread or host ports leave no place";
            split.push((format!("{shortage}, but {why}{words}"), shortage));
        } else {
            split.push((format!("{shortage}, at most {largest} on one of them{words}"), shortage));
        }
    }
    if short.is_empty() { split } else { short }
}

fn quota_shortages(demands: &[Demand<'_>], capacity: &Capacity) -> Vec<(String, Shortage)> {
    let mut short = Vec::new();
    for quota in &capacity.quotas {
        let here = || demands.iter().filter(|demand| demand.namespace == quota.namespace);
        let new = total(here().flat_map(|demand| demand.finally.iter().chain(&demand.at_first)), |pod| {
            &pod.resources
        });
        let old = total(
            here().flat_map(|demand| demand.replaced.iter().chain(&demand.waiting)).map(|pod| &pod.request),
            |pod| &pod.resources,
        );
        for (resource, wanted) in new.into_iter().filter(|(name, _)| is_extended(name)) {
            let key = format!("requests.{resource}");
            let Some(hard) = quota.hard.get(&key) else { continue };
            let used = quota.used.get(&key).copied().unwrap_or(0);
            let free = hard.saturating_sub(used).saturating_add(old.get(&resource).copied().unwrap_or(0));
            if wanted > free {
                let words = format!("{wanted} {resource}: quota {} allows {free}", quota.name);
                short.push((words, Shortage { resource, wanted, free: Some(free), matching_nodes: None }));
            }
        }
    }
    short
}

fn device_shortages(demands: &[Demand<'_>], capacity: &Capacity) -> Vec<(String, Shortage)> {
    let new = total(demands.iter().flat_map(|demand| &demand.finally), |pod| &pod.devices);
    let old =
        total(demands.iter().flat_map(|demand| &demand.replaced).map(|pod| &pod.request), |pod| &pod.devices);
    let short = new.into_iter().filter_map(|(class, wanted)| {
        let free = capacity.devices.get(&class)?.saturating_add(old.get(&class).copied().unwrap_or(0));
        (wanted > free).then(|| {
            let words = format!("{wanted} devices of class {class}: {free} free");
            (words, Shortage { resource: class, wanted, free: Some(free), matching_nodes: None })
        })
    });
    short.collect()
}

fn queue_shortages(demands: &[Demand<'_>], capacity: &Capacity) -> Vec<(String, Shortage)> {
    let mut short = Vec::new();
    for demand in demands {
        let queue = format!("{}/{}", demand.namespace, demand.queue.unwrap_or_default());
        let Some(admits) = capacity.queues.get(&queue) else { continue };
        for (resource, wanted) in total(demand.finally.iter(), |pod| &pod.resources) {
            let Some(free) = admits.get(&resource).copied().filter(|free| *free < wanted) else { continue };
            let words = format!("{wanted} {resource}: queue {queue} admits {free}");
            short.push((words, Shortage { resource, wanted, free: Some(free), matching_nodes: None }));
        }
    }
    short
}
