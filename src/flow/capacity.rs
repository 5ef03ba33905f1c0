//! What is known of a cluster's room for pods: facts per node and per quota, slim enough to keep for every node.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::PodFacts;

/// Amounts by resource name: CPU in thousandths, everything else in its unit (bytes, pieces, pods).
pub type Resources = BTreeMap<String, u64>;

/// A taint of a node that keeps pods away.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Taint {
    /// Key, for example `nvidia.com/gpu`.
    pub key: String,
    /// Value; may be empty.
    pub value: String,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub effect: String,
}

/// One node, as far as scheduling needs to know it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeFacts {
    /// Name.
    pub name: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Taints.
    pub taints: Vec<Taint>,
    /// Whether the node's Ready condition is True.
    pub ready: bool,
    /// `spec.unschedulable`.
    pub unschedulable: bool,
    /// `status.allocatable`. Only resources that are tracked: a resource that is no key here is not checked if it is
    /// one of Kubernetes' own (cpu, memory, pods, …), and counts as none if it is an extended one.
    pub allocatable: Resources,
    /// Allocatable minus what bound pods request; the same keys.
    pub free: Resources,
}

/// A ResourceQuota.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuotaFacts {
    /// Namespace that it limits.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// `status.hard`, by quota key (`requests.nvidia.com/gpu`, `pods`).
    pub hard: Resources,
    /// `status.used`, by quota key.
    pub used: Resources,
}

/// The room in one cluster at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capacity {
    /// The nodes; nothing where they may not be listed: free capacity is then unknown.
    pub nodes: Option<Vec<NodeFacts>>,
    /// The pods that are known: those that ask for extended resources, and those of the namespaces in question.
    pub pods: Vec<Arc<PodFacts>>,
    /// The quotas of the namespaces in question.
    pub quotas: Vec<QuotaFacts>,
    /// Free devices by DeviceClass, from ResourceSlices minus allocated ResourceClaims.
    pub devices: Resources,
    /// What Kueue queues still admit, by `namespace/LocalQueue` and resource.
    pub queues: BTreeMap<String, Resources>,
}
