//! What is known of pods: slim facts, so that not one body of a pod has to be kept.

use std::collections::BTreeMap;

use super::Resources;
use crate::api::Time;

/// What a pod asks of the scheduler: what of its spec decides on which nodes it may run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodRequest {
    /// Requests of all containers together, as the scheduler adds them up; always holds `pods: 1`.
    pub resources: Resources,
    /// Devices by DeviceClass, asked for through ResourceClaims.
    pub devices: Resources,
    /// `nodeSelector`.
    pub node_selector: BTreeMap<String, String>,
    /// Required node affinity: one of the terms must match; nothing where none is required.
    pub node_affinity: Option<Vec<NodeTerm>>,
    /// Tolerations.
    pub tolerations: Vec<Toleration>,
    /// `nodeName`, where the pod does without the scheduler.
    pub node_name: String,
    /// Namespace of the pod.
    pub namespace: String,
    /// Labels of the pod.
    pub labels: BTreeMap<String, String>,
    /// Required affinity to pods: all terms must hold.
    pub affinity: Vec<PodTerm>,
    /// Required anti-affinity to pods.
    pub anti_affinity: Vec<PodTerm>,
    /// Topology spread constraints with `DoNotSchedule`.
    pub spread: Vec<Spread>,
    /// Ports of the host.
    pub host_ports: Vec<HostPort>,
}

impl PodRequest {
    /// Whether it depends on the pods that are there on which nodes it may run, resources aside.
    pub fn asks_of_neighbours(&self) -> bool {
        !(self.affinity.is_empty()
            && self.anti_affinity.is_empty()
            && self.spread.is_empty()
            && self.host_ports.is_empty())
    }
}

/// A term of pod affinity or anti-affinity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodTerm {
    /// Which pods; nothing where none is meant.
    pub selector: Option<Vec<LabelRequirement>>,
    /// In which namespaces; empty for the pod's own.
    pub namespaces: Vec<String>,
    /// In all namespaces.
    pub all_namespaces: bool,
    /// The label of nodes that tells one place from another.
    pub topology_key: String,
}

/// A topology spread constraint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// How many more pods one place may have than another.
    pub max_skew: u64,
    /// The label of nodes that tells one place from another.
    pub topology_key: String,
    /// Which pods count; nothing where none does.
    pub selector: Option<Vec<LabelRequirement>>,
    /// With fewer places than these, the emptiest counts as empty.
    pub min_domains: u64,
    /// Whether only nodes count that the pod's node selector and affinity allow.
    pub honors_affinity: bool,
}

/// A port of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
    /// Address of the host; empty for all.
    pub address: String,
    /// The port.
    pub port: i64,
}

/// One term of a node selector: all of its requirements must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeTerm {
    /// Requirements on labels.
    pub labels: Vec<LabelRequirement>,
    /// Requirements on `metadata.name`.
    pub fields: Vec<LabelRequirement>,
}

/// One requirement of a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelRequirement {
    /// Label, or field.
    pub key: String,
    /// How values are compared.
    pub operator: Operator,
    /// The values.
    pub values: Vec<String>,
}

/// Operators of node selectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// The label has one of the values.
    In,
    /// The label has none of the values, or is absent.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is absent.
    DoesNotExist,
    /// The label is a number greater than the value.
    Gt,
    /// The label is a number less than the value.
    Lt,
    /// A word that Kubernetes does not know: matches nothing.
    Unknown,
}

/// A toleration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Toleration {
    /// Key of the taint; empty (with `exists`) for every taint.
    pub key: String,
    /// Value of the taint, where `exists` is not set.
    pub value: String,
    /// Operator `Exists`: any value.
    pub exists: bool,
    /// Effect; empty for every effect.
    pub effect: String,
}

/// Phase of a pod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PodPhase {
    /// Not scheduled, or containers are not started yet. Also where no phase is said.
    #[default]
    Pending,
    /// At least one container runs, starts or restarts.
    Running,
    /// Ended well.
    Succeeded,
    /// Ended badly.
    Failed,
    /// The node cannot be reached.
    Unknown,
}

/// One pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodFacts {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// `uid` of the owner that controls it; empty for a pod on its own.
    pub owner: String,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Phase.
    pub phase: PodPhase,
    /// `status.reason`, for example `Evicted`.
    pub reason: String,
    /// When it was created.
    pub created: Option<Time>,
    /// The node that it is bound to; empty while it waits.
    pub node: String,
    /// Since when it is bound.
    pub scheduled: Option<Time>,
    /// What the scheduler says while the pod waits: reason (`Unschedulable`, `SchedulingGated`).
    pub unscheduled_reason: String,
    /// What the scheduler says while the pod waits: message.
    pub unscheduled_message: String,
    /// Since when the scheduler says so.
    pub unscheduled_since: Option<Time>,
    /// Whether its Ready condition is True.
    pub ready: bool,
    /// Whether its sandbox stands, so that volumes are mounted; nothing where the cluster does not say.
    pub sandbox_ready: Option<bool>,
    /// Whether it mounts PersistentVolumeClaims.
    pub claims_volumes: bool,
    /// Names of its scheduling gates.
    pub gates: Vec<String>,
    /// Whether Kueue manages it.
    pub queued: bool,
    /// Whether it serves a model, so that starting up means loading.
    pub serves_model: bool,
    /// Init containers, then containers.
    pub containers: Vec<ContainerFacts>,
    /// What it asks of the scheduler.
    pub request: PodRequest,
}

/// One container of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerFacts {
    /// Name.
    pub name: String,
    /// Image.
    pub image: String,
    /// What it does now.
    pub state: ContainerState,
    /// Why it ended the last time, if it did: reason, for example `OOMKilled`.
    pub last_ended: Option<String>,
    /// How often it was restarted.
    pub restarts: u64,
    /// Whether it is ready.
    pub ready: bool,
    /// Whether it is an init container that has to end.
    pub init: bool,
    /// Seconds that its startup probe allows, counted from the start of the container.
    pub startup_allowance: Option<u64>,
    /// Seconds that its readiness probe allows after that.
    pub readiness_allowance: Option<u64>,
}

/// What a container does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ContainerState {
    /// Nothing is known yet.
    #[default]
    Unknown,
    /// Waits, with the kubelet's reason and message.
    Waiting {
        /// For example `ContainerCreating`, `CrashLoopBackOff`, `ImagePullBackOff`.
        reason: String,
        /// In the kubelet's words.
        message: String,
    },
    /// Runs, since.
    Running {
        /// When it started.
        since: Option<Time>,
    },
    /// Ended.
    Ended {
        /// Exit code.
        code: i64,
        /// For example `Error`, `OOMKilled`, `Completed`.
        reason: String,
    },
}
