//! On which nodes a pod may run, and whether pods fit together: the predicates of the real scheduler for node
//! name, unschedulable nodes, taints, node selectors, required node affinity and resources. What pods ask of each other
//! is in [`super::neighbours`].
//!
//! Not looked at: volumes, preemption.

use std::collections::BTreeMap;

use super::neighbours::Floor;
use crate::flow::{
    LabelRequirement, NodeFacts, NodeTerm, Operator, PodRequest, Resources, Taint, Toleration,
};

const UNSCHEDULABLE_TAINT: &str = "node.kubernetes.io/unschedulable";

/// Whether a node matches what a pod asks for, resources aside.
pub fn matches(node: &NodeFacts, request: &PodRequest) -> bool {
    if !request.node_name.is_empty() {
        return node.name == request.node_name;
    }
    node.ready
        && (!node.unschedulable || tolerates_unschedulable(&request.tolerations))
        && node.taints.iter().all(|taint| !keeps_away(taint) || is_tolerated(taint, &request.tolerations))
        && matches_node_affinity(node, request)
}

/// Whether a node matches the node selector and the required node affinity of a pod.
pub(super) fn matches_node_affinity(node: &NodeFacts, request: &PodRequest) -> bool {
    let affinity = request.node_affinity.as_ref();
    request.node_selector.iter().all(|(key, value)| node.labels.get(key) == Some(value))
        && affinity.is_none_or(|terms| terms.iter().any(|term| term_matches(node, term)))
}

/// Whether labels meet one requirement of a selector.
pub(super) fn selects(wanted: &LabelRequirement, labels: &BTreeMap<String, String>) -> bool {
    holds(wanted, labels.get(&wanted.key).map(String::as_str))
}

fn keeps_away(taint: &Taint) -> bool {
    matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute")
}

fn is_tolerated(taint: &Taint, tolerations: &[Toleration]) -> bool {
    tolerations.iter().any(|toleration| {
        (toleration.effect.is_empty() || toleration.effect == taint.effect)
            && if toleration.key.is_empty() { toleration.exists } else { toleration.key == taint.key }
            && (toleration.exists || toleration.value == taint.value)
    })
}

fn tolerates_unschedulable(tolerations: &[Toleration]) -> bool {
    let taint =
        Taint { key: UNSCHEDULABLE_TAINT.to_owned(), value: String::new(), effect: "NoSchedule".to_owned() };
    is_tolerated(&taint, tolerations)
}

/// A term without any requirement matches nothing, as in Kubernetes.
fn term_matches(node: &NodeFacts, term: &NodeTerm) -> bool {
    let some = !term.labels.is_empty() || !term.fields.is_empty();
    some && term.labels.iter().all(|wanted| holds(wanted, node.labels.get(&wanted.key).map(String::as_str)))
        && term.fields.iter().all(|wanted| {
            let value = (wanted.key == "metadata.name").then_some(node.name.as_str());
            holds(wanted, value)
        })
}

fn holds(wanted: &LabelRequirement, value: Option<&str>) -> bool {
    let listed = || value.is_some_and(|value| wanted.values.iter().any(|other| other == value));
    let numbers = || -> Option<(i64, i64)> {
        let [bound] = wanted.values.as_slice() else { return None };
        Some((value?.parse().ok()?, bound.parse().ok()?))
    };
    match wanted.operator {
        Operator::In => listed(),
        Operator::NotIn => !listed(),
        Operator::Exists => value.is_some(),
        Operator::DoesNotExist => value.is_none(),
        Operator::Gt => numbers().is_some_and(|(value, bound)| value > bound),
        Operator::Lt => numbers().is_some_and(|(value, bound)| value < bound),
        Operator::Unknown => false,
    }
}

/// Whether a resource is an extended one (it has a domain that is not Kubernetes' own), such as `nvidia.com/gpu`.
pub fn is_extended(resource: &str) -> bool {
    resource
        .split_once('/')
        .is_some_and(|(domain, _)| domain != "kubernetes.io" && !domain.ends_with(".kubernetes.io"))
}

/// Whether a node has room for one more pod.
pub fn has_room(node: &NodeFacts, resources: &Resources) -> bool {
    resources.iter().all(|(name, wanted)| match node.free.get(name) {
        Some(free) => wanted <= free,
        None => *wanted == 0 || !is_extended(name),
    })
}

/// Places pods one after the other, each on the emptiest node that the scheduler would take, as the real one does, and
/// tries again those that others may have made a place for. Gives the indexes of the pods that found none.
pub fn place<'a>(floor: &mut Floor<'a>, pods: &[&'a PodRequest]) -> Vec<usize> {
    let mut waiting: Vec<usize> = (0..pods.len()).collect();
    loop {
        let before = waiting.len();
        waiting.retain(|index| {
            let Some(pod) = pods.get(*index) else { return false };
            let emptiest = floor.places(pod).into_iter().max_by_key(|at| {
                let node = floor.nodes.get(*at);
                (node.map_or(0, |node| emptiness(node, pod)), std::cmp::Reverse(*at))
            });
            let Some(at) = emptiest else { return true };
            floor.put(at, pod);
            false
        });
        let may_help = pods.iter().any(|pod| pod.asks_of_neighbours());
        if waiting.is_empty() || waiting.len() == before || !may_help {
            return waiting;
        }
    }
}

/// The least-allocated score: the mean free share of CPU and memory after the pod, in percent.
fn emptiness(node: &NodeFacts, pod: &PodRequest) -> u64 {
    let share = |name: &str| -> u64 {
        let all = node.allocatable.get(name).copied().unwrap_or(0);
        let free = node.free.get(name).copied().unwrap_or(0);
        let asked = pod.resources.get(name).copied().unwrap_or(0);
        let left = u128::from(free.saturating_sub(asked)) * 100;
        left.checked_div(u128::from(all)).and_then(|share| u64::try_from(share).ok()).unwrap_or(0)
    };
    (share("cpu") + share("memory")) / 2
}

/// Takes amounts away, down to zero.
pub(super) fn take(free: &mut Resources, used: &Resources) {
    for (name, amount) in used {
        if let Some(left) = free.get_mut(name) {
            *left = left.saturating_sub(*amount);
        }
    }
}

/// Gives amounts back.
pub(super) fn give(free: &mut Resources, back: &Resources) {
    for (name, amount) in back {
        if let Some(left) = free.get_mut(name) {
            *left = left.saturating_add(*amount);
        }
    }
}
