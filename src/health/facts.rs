//! Facts from bodies: what of a pod, a pod template, a node and a quota the rules of capacity need.
//! Fields of a wrong type count as absent.

use std::collections::BTreeMap;

use serde_json::Value;

use super::quantity::amount;
use crate::api::Time;
use crate::flow::{
    ContainerFacts, ContainerState, HostPort, LabelRequirement, NodeFacts, NodeTerm, Operator, PodFacts,
    PodPhase, PodRequest, PodTerm, QuotaFacts, Resources, Spread, Taint, Toleration,
};
use crate::object::{at, bool_at, i64_at, list_at, str_at};

const KUEUE_GATE: &str = "kueue.x-k8s.io/admission";
/// Labels that model servers put on their pods.
const MODEL_LABELS: &[&str] =
    &["serving.kserve.io/inferenceservice", "app.nvidia.com/nim-type", "seldon-deployment-id"];

fn text(value: &Value, path: &[&str]) -> String {
    str_at(value, path).unwrap_or_default().to_owned()
}

fn time(value: &Value, path: &[&str]) -> Option<Time> {
    str_at(value, path)?.parse().ok()
}

fn texts(value: Option<&Value>) -> BTreeMap<String, String> {
    let entries = value.and_then(Value::as_object).into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

fn amounts(value: Option<&Value>) -> Resources {
    let entries = value.and_then(Value::as_object).into_iter().flatten();
    entries.filter_map(|(name, value)| Some((name.clone(), amount(name, value)?))).collect()
}

fn add(total: &mut Resources, more: &Resources) {
    for (name, amount) in more {
        let sum = total.entry(name.clone()).or_default();
        *sum = sum.saturating_add(*amount);
    }
}

fn raise(total: &mut Resources, other: &Resources) {
    for (name, amount) in other {
        let most = total.entry(name.clone()).or_default();
        *most = (*most).max(*amount);
    }
}

/// A container's requests; a limit stands in for a request that is not there, as the API server defaults it.
fn requests(container: &Value) -> Resources {
    let mut requests = amounts(at(container, &["resources", "limits"]));
    requests.extend(amounts(at(container, &["resources", "requests"])));
    requests
}

/// What a pod with this spec asks of the scheduler: containers and sidecars together, or one init container with
/// the sidecars before it where that is more, plus the overhead.
pub fn pod_request(spec: &Value) -> PodRequest {
    let mut total = Resources::new();
    for container in list_at(spec, &["containers"]) {
        add(&mut total, &requests(container));
    }
    let (mut sidecars, mut most) = (Resources::new(), Resources::new());
    for container in list_at(spec, &["initContainers"]) {
        let asked = requests(container);
        if str_at(container, &["restartPolicy"]) == Some("Always") {
            add(&mut sidecars, &asked);
            add(&mut total, &asked);
            raise(&mut most, &sidecars);
        } else {
            let mut with_sidecars = sidecars.clone();
            add(&mut with_sidecars, &asked);
            raise(&mut most, &with_sidecars);
        }
    }
    raise(&mut total, &most);
    // Requests of the pod as a whole stand above those of its containers.
    total.extend(amounts(at(spec, &["resources", "requests"])));
    add(&mut total, &amounts(at(spec, &["overhead"])));
    total.retain(|_, amount| *amount > 0);
    total.insert("pods".to_owned(), 1);
    PodRequest {
        resources: total,
        devices: Resources::new(),
        node_selector: texts(at(spec, &["nodeSelector"])),
        node_affinity: node_affinity(spec),
        tolerations: list_at(spec, &["tolerations"]).iter().map(toleration).collect(),
        node_name: text(spec, &["nodeName"]),
        ..PodRequest::default()
    }
}

/// The same with what the pod asks of other pods, for which its namespace and its labels count as well.
pub fn pod_request_of(spec: &Value, namespace: &str, labels: Option<&Value>) -> PodRequest {
    let labels = texts(labels);
    let terms = |kind: &str| -> Vec<PodTerm> {
        let required = list_at(spec, &["affinity", kind, "requiredDuringSchedulingIgnoredDuringExecution"]);
        required.iter().map(|term| pod_term(term, &labels)).collect()
    };
    PodRequest {
        namespace: namespace.to_owned(),
        affinity: terms("podAffinity"),
        anti_affinity: terms("podAntiAffinity"),
        spread: list_at(spec, &["topologySpreadConstraints"])
            .iter()
            .filter(|entry| str_at(entry, &["whenUnsatisfiable"]) == Some("DoNotSchedule"))
            .map(|entry| spread(entry, &labels))
            .collect(),
        host_ports: host_ports(spec),
        labels,
        ..pod_request(spec)
    }
}

fn pod_term(term: &Value, labels: &BTreeMap<String, String>) -> PodTerm {
    let by_labels = at(term, &["namespaceSelector"]).and_then(Value::as_object);
    PodTerm {
        selector: selector(term, labels),
        namespaces: list_at(term, &["namespaces"])
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        all_namespaces: by_labels.is_some_and(serde_json::Map::is_empty),
        topology_key: text(term, &["topologyKey"]),
    }
}

/// The requirements of a label selector, with those that `matchLabelKeys` takes from the pod itself.
fn selector(entry: &Value, labels: &BTreeMap<String, String>) -> Option<Vec<LabelRequirement>> {
    let selector = at(entry, &["labelSelector"]).filter(|selector| selector.is_object())?;
    let is = |key: &str, operator: Operator, value: &str| LabelRequirement {
        key: key.to_owned(),
        operator,
        values: vec![value.to_owned()],
    };
    let own = |field: &str, operator: Operator| -> Vec<LabelRequirement> {
        let keys = list_at(entry, &[field]).iter().filter_map(Value::as_str);
        keys.filter_map(|key| Some(is(key, operator, labels.get(key)?))).collect()
    };
    let mut all: Vec<LabelRequirement> = texts(at(selector, &["matchLabels"]))
        .iter()
        .map(|(key, value)| is(key, Operator::In, value))
        .collect();
    all.extend(list_at(selector, &["matchExpressions"]).iter().map(requirement));
    all.extend(own("matchLabelKeys", Operator::In));
    all.extend(own("mismatchLabelKeys", Operator::NotIn));
    Some(all)
}

fn spread(entry: &Value, labels: &BTreeMap<String, String>) -> Spread {
    let count = |field: &str| i64_at(entry, &[field]).and_then(|count| u64::try_from(count).ok());
    Spread {
        max_skew: count("maxSkew").unwrap_or(1),
        topology_key: text(entry, &["topologyKey"]),
        selector: selector(entry, labels),
        min_domains: count("minDomains").unwrap_or(1),
        honors_affinity: str_at(entry, &["nodeAffinityPolicy"]) != Some("Ignore"),
    }
}

fn host_ports(spec: &Value) -> Vec<HostPort> {
    let of_host = bool_at(spec, &["hostNetwork"]) == Some(true);
    let ports = list_at(spec, &["containers"]).iter().flat_map(|container| list_at(container, &["ports"]));
    let port = |entry: &Value| {
        let port = i64_at(entry, &["hostPort"])
            .filter(|port| *port > 0)
            .or_else(|| i64_at(entry, &["containerPort"]).filter(|_| of_host))?;
        Some(HostPort {
            protocol: str_at(entry, &["protocol"]).unwrap_or("TCP").to_owned(),
            address: text(entry, &["hostIP"]),
            port,
        })
    };
    ports.filter_map(port).collect()
}

fn node_affinity(spec: &Value) -> Option<Vec<NodeTerm>> {
    let required = at(spec, &["affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"])?;
    if required.is_null() {
        return None;
    }
    let term = |term: &Value| NodeTerm {
        labels: list_at(term, &["matchExpressions"]).iter().map(requirement).collect(),
        fields: list_at(term, &["matchFields"]).iter().map(requirement).collect(),
    };
    Some(list_at(required, &["nodeSelectorTerms"]).iter().map(term).collect())
}

fn requirement(entry: &Value) -> LabelRequirement {
    let operator = match str_at(entry, &["operator"]).unwrap_or_default() {
        "In" => Operator::In,
        "NotIn" => Operator::NotIn,
        "Exists" => Operator::Exists,
        "DoesNotExist" => Operator::DoesNotExist,
        "Gt" => Operator::Gt,
        "Lt" => Operator::Lt,
        _ => Operator::Unknown,
    };
    let values = list_at(entry, &["values"]).iter().filter_map(Value::as_str).map(str::to_owned).collect();
    LabelRequirement { key: text(entry, &["key"]), operator, values }
}

fn toleration(entry: &Value) -> Toleration {
    Toleration {
        key: text(entry, &["key"]),
        value: text(entry, &["value"]),
        exists: str_at(entry, &["operator"]) == Some("Exists"),
        effect: text(entry, &["effect"]),
    }
}

/// Facts of a live pod.
pub fn pod(body: &Value) -> PodFacts {
    let status = body.get("status").unwrap_or(&Value::Null);
    let spec = body.get("spec").unwrap_or(&Value::Null);
    let labels = texts(at(body, &["metadata", "labels"]));
    let condition = |kind: &str| {
        list_at(status, &["conditions"]).iter().find(|entry| str_at(entry, &["type"]) == Some(kind))
    };
    let is_true = |entry: &Value| str_at(entry, &["status"]) == Some("True");
    let scheduled = condition("PodScheduled").unwrap_or(&Value::Null);
    let bound = is_true(scheduled);
    let gates: Vec<String> =
        list_at(spec, &["schedulingGates"]).iter().map(|gate| text(gate, &["name"])).collect();
    let owner = list_at(body, &["metadata", "ownerReferences"]);
    let owner = owner.iter().find(|owner| bool_at(owner, &["controller"]) == Some(true));
    PodFacts {
        namespace: text(body, &["metadata", "namespace"]),
        name: text(body, &["metadata", "name"]),
        owner: owner.map(|owner| text(owner, &["uid"])).unwrap_or_default(),
        deleting: str_at(body, &["metadata", "deletionTimestamp"]).is_some(),
        phase: phase(str_at(status, &["phase"]).unwrap_or_default()),
        reason: text(status, &["reason"]),
        created: time(body, &["metadata", "creationTimestamp"]),
        node: text(spec, &["nodeName"]),
        scheduled: time(scheduled, &["lastTransitionTime"]).filter(|_| bound),
        unscheduled_reason: if bound { String::new() } else { text(scheduled, &["reason"]) },
        unscheduled_message: if bound { String::new() } else { text(scheduled, &["message"]) },
        unscheduled_since: time(scheduled, &["lastTransitionTime"]).filter(|_| !bound),
        ready: condition("Ready").is_some_and(is_true),
        sandbox_ready: condition("PodReadyToStartContainers").map(is_true),
        claims_volumes: list_at(spec, &["volumes"])
            .iter()
            .any(|volume| volume.get("persistentVolumeClaim").is_some() || volume.get("ephemeral").is_some()),
        queued: gates.iter().any(|gate| gate == KUEUE_GATE)
            || labels.contains_key("kueue.x-k8s.io/queue-name"),
        gates,
        serves_model: MODEL_LABELS.iter().any(|label| labels.contains_key(*label)),
        containers: containers(spec, status),
        request: pod_request_of(
            spec,
            str_at(body, &["metadata", "namespace"]).unwrap_or_default(),
            at(body, &["metadata", "labels"]),
        ),
    }
}

fn phase(word: &str) -> PodPhase {
    match word {
        "Running" => PodPhase::Running,
        "Succeeded" => PodPhase::Succeeded,
        "Failed" => PodPhase::Failed,
        "Unknown" => PodPhase::Unknown,
        _ => PodPhase::Pending,
    }
}

fn containers(spec: &Value, status: &Value) -> Vec<ContainerFacts> {
    let lists = [("initContainers", "initContainerStatuses"), ("containers", "containerStatuses")];
    let mut all = Vec::new();
    for (of_spec, of_status) in lists {
        let statuses = list_at(status, &[of_status]);
        for container in list_at(spec, &[of_spec]) {
            let name = str_at(container, &["name"]);
            let found = statuses.iter().find(|entry| str_at(entry, &["name"]) == name);
            let ends = of_spec == "initContainers" && str_at(container, &["restartPolicy"]) != Some("Always");
            all.push(container_facts(container, found.unwrap_or(&Value::Null), ends));
        }
        // A status without its spec (slim bodies) still tells what goes wrong.
        let known = |entry: &&Value| {
            list_at(spec, &[of_spec]).iter().all(|container| container.get("name") != entry.get("name"))
        };
        for entry in statuses.iter().filter(known) {
            all.push(container_facts(&Value::Null, entry, of_spec == "initContainers"));
        }
    }
    all
}

fn container_facts(spec: &Value, status: &Value, init: bool) -> ContainerFacts {
    let name = if spec.is_null() { text(status, &["name"]) } else { text(spec, &["name"]) };
    let image = if spec.is_null() { text(status, &["image"]) } else { text(spec, &["image"]) };
    let ended = at(status, &["lastState", "terminated"]).filter(|ended| ended.is_object());
    ContainerFacts {
        name,
        image,
        state: state(at(status, &["state"]).unwrap_or(&Value::Null)),
        last_ended: ended.map(|ended| text(ended, &["reason"])),
        restarts: i64_at(status, &["restartCount"]).and_then(|count| u64::try_from(count).ok()).unwrap_or(0),
        ready: bool_at(status, &["ready"]).unwrap_or(false),
        init,
        startup_allowance: probe_allowance(spec, "startupProbe"),
        readiness_allowance: probe_allowance(spec, "readinessProbe"),
    }
}

fn state(state: &Value) -> ContainerState {
    if let Some(waiting) = state.get("waiting").filter(|waiting| waiting.is_object()) {
        ContainerState::Waiting { reason: text(waiting, &["reason"]), message: text(waiting, &["message"]) }
    } else if let Some(running) = state.get("running").filter(|running| running.is_object()) {
        ContainerState::Running { since: time(running, &["startedAt"]) }
    } else if let Some(ended) = state.get("terminated").filter(|ended| ended.is_object()) {
        let code = i64_at(ended, &["exitCode"]).unwrap_or(0);
        ContainerState::Ended { code, reason: text(ended, &["reason"]) }
    } else {
        ContainerState::Unknown
    }
}

/// Seconds from its start within which a probe must pass: delay plus period times threshold, with Kubernetes' defaults.
fn probe_allowance(container: &Value, probe: &str) -> Option<u64> {
    let probe = container.get(probe).filter(|probe| probe.is_object())?;
    let field = |name: &str, default: u64| {
        i64_at(probe, &[name]).and_then(|value| u64::try_from(value).ok()).unwrap_or(default)
    };
    let rounds = field("periodSeconds", 10).max(1).saturating_mul(field("failureThreshold", 3).max(1));
    Some(field("initialDelaySeconds", 0).saturating_add(rounds))
}

/// Facts of a node. `used` is what pods bound to it request, by resource.
pub fn node(body: &Value, used: &Resources) -> NodeFacts {
    let allocatable = amounts(at(body, &["status", "allocatable"]));
    let free = allocatable
        .iter()
        .map(|(name, amount)| {
            (name.clone(), amount.saturating_sub(used.get(name).copied().unwrap_or_default()))
        })
        .collect();
    let taint = |entry: &Value| Taint {
        key: text(entry, &["key"]),
        value: text(entry, &["value"]),
        effect: text(entry, &["effect"]),
    };
    NodeFacts {
        name: text(body, &["metadata", "name"]),
        labels: texts(at(body, &["metadata", "labels"])),
        taints: list_at(body, &["spec", "taints"]).iter().map(taint).collect(),
        ready: list_at(body, &["status", "conditions"]).iter().any(|entry| {
            str_at(entry, &["type"]) == Some("Ready") && str_at(entry, &["status"]) == Some("True")
        }),
        unschedulable: bool_at(body, &["spec", "unschedulable"]).unwrap_or(false),
        allocatable,
        free,
    }
}

/// Facts of a ResourceQuota.
pub fn quota(body: &Value) -> QuotaFacts {
    QuotaFacts {
        namespace: text(body, &["metadata", "namespace"]),
        name: text(body, &["metadata", "name"]),
        hard: amounts(at(body, &["status", "hard"]).or_else(|| at(body, &["spec", "hard"]))),
        used: amounts(at(body, &["status", "used"])),
    }
}
