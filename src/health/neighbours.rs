//! What pods ask of each other: affinity and anti-affinity between pods, topology spread, ports of the host; as the real
//! scheduler's filters see it.
//!
//! Terms with a `namespaceSelector` that chooses by labels count for the pod's own namespace alone, since labels of
//! namespaces are not known here.

use std::collections::{BTreeMap, BTreeSet};

use super::placement::{has_room, matches, matches_node_affinity, selects};
use crate::flow::{HostPort, LabelRequirement, NodeFacts, PodRequest, PodTerm, Spread};

/// A label of nodes and its value: one place, as a topology sees it.
type Domain<'a> = (&'a str, &'a str);

/// Nodes and the pods on them.
pub struct Floor<'a> {
    /// The nodes; what is free on them follows what is put there.
    pub nodes: Vec<NodeFacts>,
    pods: Vec<(usize, &'a PodRequest)>,
}

/// What the pods that are there mean for one more pod.
struct Neighbours<'a> {
    affinity: BTreeSet<Domain<'a>>,
    /// Nobody matches any of the pod's affinity terms, and the pod matches them itself.
    is_first: bool,
    forbidden: BTreeSet<Domain<'a>>,
    spread: Vec<(&'a Spread, BTreeMap<&'a str, u64>)>,
}

impl<'a> Floor<'a> {
    /// Nodes whose free amounts already know of the pods that run there.
    pub fn new(nodes: &[NodeFacts], running: impl IntoIterator<Item = (&'a str, &'a PodRequest)>) -> Self {
        let at: BTreeMap<&str, usize> =
            nodes.iter().enumerate().map(|(index, node)| (node.name.as_str(), index)).collect();
        let pods = running.into_iter().filter_map(|(node, pod)| Some((*at.get(node)?, pod))).collect();
        Self { nodes: nodes.to_vec(), pods }
    }

    /// Puts a pod on a node and takes what it asks for.
    pub fn put(&mut self, at: usize, pod: &'a PodRequest) {
        if let Some(node) = self.nodes.get_mut(at) {
            super::placement::take(&mut node.free, &pod.resources);
        }
        self.pods.push((at, pod));
    }

    /// Takes a pod away, and gives back what it asked for.
    pub fn remove(&mut self, node: &str, pod: &PodRequest) {
        let Some(at) = self.nodes.iter().position(|known| known.name == node) else { return };
        if let Some(node) = self.nodes.get_mut(at) {
            super::placement::give(&mut node.free, &pod.resources);
        }
        if let Some(gone) = self.pods.iter().position(|(on, known)| *on == at && std::ptr::eq(*known, pod)) {
            self.pods.swap_remove(gone);
        }
    }

    /// The indexes of the nodes on which the scheduler would put a pod.
    pub fn places(&self, pod: &PodRequest) -> Vec<usize> {
        let roomy = |at: &usize| {
            self.nodes.get(*at).is_some_and(|node| matches(node, pod) && has_room(node, &pod.resources))
        };
        let mut places: Vec<usize> = (0..self.nodes.len()).filter(roomy).collect();
        if pod.node_name.is_empty() && (pod.asks_of_neighbours() || self.somebody_minds()) {
            let neighbours = self.neighbours(pod);
            places.retain(|at| self.allows(*at, pod, &neighbours));
        }
        places
    }

    /// Whether a pod that is there wants to be kept apart from others.
    fn somebody_minds(&self) -> bool {
        self.pods.iter().any(|(_, pod)| !pod.anti_affinity.is_empty())
    }

    fn label(&self, at: usize, key: &str) -> Option<&str> {
        self.nodes.get(at)?.labels.get(key).map(String::as_str)
    }

    fn neighbours<'p>(&'p self, pod: &'p PodRequest) -> Neighbours<'p> {
        let (mut affinity, mut forbidden) = (BTreeSet::new(), BTreeSet::new());
        for (at, other) in &self.pods {
            if !pod.affinity.is_empty() && pod.affinity.iter().all(|term| is_meant(term, pod, other)) {
                let found = pod.affinity.iter().filter_map(|term| self.domain(*at, &term.topology_key));
                affinity.extend(found);
            }
            let minds = pod.anti_affinity.iter().filter(|term| is_meant(term, pod, other));
            let minded = other.anti_affinity.iter().filter(|term| is_meant(term, other, pod));
            forbidden.extend(minds.chain(minded).filter_map(|term| self.domain(*at, &term.topology_key)));
        }
        let is_first = affinity.is_empty() && pod.affinity.iter().all(|term| is_meant(term, pod, pod));
        let spread = pod.spread.iter().map(|spread| (spread, self.counts(spread, pod))).collect();
        Neighbours { affinity, is_first, forbidden, spread }
    }

    fn domain<'p>(&'p self, at: usize, key: &'p str) -> Option<Domain<'p>> {
        Some((key, self.label(at, key)?))
    }

    /// How many pods that a spread counts are in each of its domains, those without any included.
    fn counts<'p>(&'p self, spread: &Spread, pod: &PodRequest) -> BTreeMap<&'p str, u64> {
        let counted = |at: usize| -> Option<&str> {
            let node = self.nodes.get(at)?;
            let has_all = pod.spread.iter().all(|one| node.labels.contains_key(&one.topology_key));
            let honoured = !spread.honors_affinity || matches_node_affinity(node, pod);
            node.labels.get(&spread.topology_key).filter(|_| has_all && honoured).map(String::as_str)
        };
        let mut counts: BTreeMap<&str, u64> =
            (0..self.nodes.len()).filter_map(counted).map(|domain| (domain, 0)).collect();
        for (at, other) in &self.pods {
            let is_counted = other.namespace == pod.namespace && selects_all(&spread.selector, other);
            if let Some(count) = counted(*at).filter(|_| is_counted).and_then(|domain| counts.get_mut(domain))
            {
                *count += 1;
            }
        }
        counts
    }

    fn allows(&self, at: usize, pod: &PodRequest, neighbours: &Neighbours<'_>) -> bool {
        let forbidden = neighbours.forbidden.iter().any(|(key, value)| self.label(at, key) == Some(*value));
        !forbidden
            && self.satisfies_affinity(at, pod, neighbours)
            && neighbours.spread.iter().all(|(spread, counts)| self.satisfies_spread(at, pod, spread, counts))
            && !self.ports_are_taken(at, pod)
    }

    fn satisfies_affinity(&self, at: usize, pod: &PodRequest, neighbours: &Neighbours<'_>) -> bool {
        let mut all_met = true;
        for term in &pod.affinity {
            let Some(domain) = self.domain(at, &term.topology_key) else { return false };
            all_met &= neighbours.affinity.contains(&domain);
        }
        all_met || neighbours.is_first
    }

    fn satisfies_spread(
        &self,
        at: usize,
        pod: &PodRequest,
        spread: &Spread,
        counts: &BTreeMap<&str, u64>,
    ) -> bool {
        let Some(domain) = self.label(at, &spread.topology_key) else { return false };
        let least = if (counts.len() as u64) < spread.min_domains {
            0
        } else {
            counts.values().copied().min().unwrap_or(0)
        };
        let own = u64::from(selects_all(&spread.selector, pod));
        let here = counts.get(domain).copied().unwrap_or(0);
        (here + own).saturating_sub(least) <= spread.max_skew
    }

    fn ports_are_taken(&self, at: usize, pod: &PodRequest) -> bool {
        !pod.host_ports.is_empty()
            && self.pods.iter().filter(|(on, _)| *on == at).any(|(_, other)| {
                other.host_ports.iter().any(|taken| pod.host_ports.iter().any(|port| collide(taken, port)))
            })
    }
}

fn collide(one: &HostPort, other: &HostPort) -> bool {
    let any = |address: &str| address.is_empty() || address == "0.0.0.0";
    one.port == other.port
        && one.protocol == other.protocol
        && (any(&one.address) || any(&other.address) || one.address == other.address)
}

fn selects_all(selector: &Option<Vec<LabelRequirement>>, pod: &PodRequest) -> bool {
    selector.as_ref().is_some_and(|all| all.iter().all(|wanted| selects(wanted, &pod.labels)))
}

/// Whether a term of `owner` is about a pod.
fn is_meant(term: &PodTerm, owner: &PodRequest, pod: &PodRequest) -> bool {
    let here = term.all_namespaces
        || if term.namespaces.is_empty() {
            pod.namespace == owner.namespace
        } else {
            term.namespaces.contains(&pod.namespace)
        };
    here && selects_all(&term.selector, pod)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::facts;
    use serde_json::{Value, json};

    fn nodes() -> Vec<NodeFacts> {
        let node = |name: &str, zone: &str| {
            let body = json!({"metadata": {"name": name, "labels": {"host": name, "zone": zone}},
                "status": {"allocatable": {"pods": "10"}, "conditions": [{"type": "Ready", "status": "True"}]}});
            facts::node(&body, &BTreeMap::new())
        };
        vec![node("a1", "a"), node("a2", "a"), node("b1", "b")]
    }

    fn pod(app: &str, spec: &Value) -> PodRequest {
        facts::pod_request_of(spec, "n", Some(&json!({"app": app})))
    }

    fn term(app: &str, key: &str) -> Value {
        json!({"requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}}]})
    }

    /// Where a pod may go when others are on nodes `a1` and so on.
    fn places(pod: &PodRequest, there: &[(&str, &PodRequest)]) -> Vec<usize> {
        Floor::new(&nodes(), there.iter().copied()).places(pod)
    }

    #[test]
    fn anti_affinity_counts_both_ways() {
        let alone = pod("x", &json!({"affinity": {"podAntiAffinity": term("x", "zone")}}));
        let plain = pod("x", &json!({}));
        assert_eq!(places(&alone, &[("a1", &plain)]), [2]);
        assert_eq!(places(&plain, &[("a1", &alone)]), [2], "who is there minds as well");
        assert_eq!(places(&pod("y", &json!({})), &[("a1", &alone)]), [0, 1, 2]);
    }

    #[test]
    fn affinity_lets_the_first_of_its_kind_anywhere() {
        let together = pod("x", &json!({"affinity": {"podAffinity": term("x", "zone")}}));
        assert_eq!(places(&together, &[]), [0, 1, 2]);
        assert_eq!(places(&together, &[("b1", &together)]), [2]);
        let follows = pod("y", &json!({"affinity": {"podAffinity": term("x", "host")}}));
        assert_eq!(places(&follows, &[]), [0_usize; 0], "nobody to follow");
    }

    #[test]
    fn a_spread_keeps_the_difference_small() {
        let spread = json!({"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone",
            "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "x"}}}]});
        let x = pod("x", &spread);
        assert_eq!(places(&x, &[("a1", &x)]), [2]);
        assert_eq!(places(&x, &[("a1", &x), ("b1", &x)]), [0, 1, 2]);
        let mut anyway = spread;
        anyway["topologySpreadConstraints"][0]["whenUnsatisfiable"] = json!("ScheduleAnyway");
        assert_eq!(places(&pod("x", &anyway), &[("a1", &x)]), [0, 1, 2]);
    }

    #[test]
    fn a_port_of_the_host_is_taken_once() {
        let ports = |ip: &str| json!({"containers": [{"name": "c", "ports": [{"containerPort": 80, "hostPort": 80, "hostIP": ip}]}]});
        let (all, one, other) =
            (pod("x", &ports("")), pod("x", &ports("10.0.0.1")), pod("x", &ports("10.0.0.2")));
        assert_eq!(places(&all, &[("a1", &one)]), [1, 2]);
        assert_eq!(places(&other, &[("a1", &one)]), [0, 1, 2]);
    }
}
