//! What an explanation is made from besides comparison and health: who wrote a field, what pods, events and
//! endpoints say.

use serde::{Deserialize, Serialize};

use crate::api::Time;
use crate::object::ResourceKey;

use super::{ContainerState, PodFacts, PodPhase, Reason};

/// Who wrote a field, from `metadata.managedFields`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldWriter {
    /// The field manager, for example `kubectl-edit`.
    pub manager: String,
    /// `Apply` or `Update`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub operation: String,
    /// The subresource through which it was written, for example `scale`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subresource: String,
    /// When the manager last wrote to the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Time>,
}

/// That no controller works, by the Lease that the one that does renews.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NoController {
    /// `namespace/name` of the Lease.
    pub lease: String,
    /// Who held it last; empty for nobody.
    pub holder: String,
    /// When it was renewed last; absent where there is no such Lease.
    pub renewed: Option<Time>,
}

/// Why one pod of a workload is not ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PodCause {
    /// Name of the pod.
    pub pod: String,
    /// The word.
    pub reason: Reason,
    /// For people; what the scheduler or the kubelet says.
    pub message: String,
    /// Since when.
    pub since: Option<Time>,
}

impl PodCause {
    /// What became of a pod that ended badly; nothing of any other.
    pub fn of_failed(pod: &PodFacts) -> Option<Self> {
        if pod.phase != PodPhase::Failed || pod.deleting {
            return None;
        }
        let ended = pod.containers.iter().find_map(|container| match &container.state {
            ContainerState::Ended { code, reason } if *code != 0 => {
                Some(format!("container {} ended with exit code {code} ({reason})", container.name))
            }
            _ => None,
        });
        let message = ended.unwrap_or_else(|| pod.reason.clone());
        Some(Self { pod: pod.name.clone(), reason: Reason::Failed, message, since: pod.created })
    }
}

/// An Event of the cluster, about one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventFacts {
    /// What it is about; the group is left empty.
    pub about: ResourceKey,
    /// Its reason, for example `FailedScheduling`.
    pub reason: String,
    /// Its message.
    pub message: String,
    /// Whether it is a warning.
    pub warning: bool,
    /// How often it happened.
    pub count: u64,
    /// When it happened last.
    pub last: Option<Time>,
}

/// What stands behind a Service with a selector.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointFacts {
    /// Addresses that take requests.
    pub ready: u64,
    /// Pods that the selector finds.
    pub pods: u64,
}
