//! The closed list of causes for which an object is not healthy, and the facts that go with them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::api::Time;

/// Why an object is not healthy. One word per cause: status, events, metric labels and explanations all print it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Reason {
    /// Pods wait for an extended resource (a GPU, say) that no matching node has free.
    WaitingForCapacity,
    /// A ResourceQuota does not admit the pods.
    WaitingForQuota,
    /// Kueue holds the workload in a queue.
    QueuedByKueue,
    /// A node is pulling the image.
    PullingImage,
    /// Containers run and their probes have not passed yet.
    StartingUp,
    /// A model server runs and loads its model.
    LoadingModel,
    /// A container ends again and again.
    CrashLooping,
    /// A container was killed for want of memory.
    OutOfMemory,
    /// The image does not exist or may not be pulled.
    ImageMissing,
    /// A ConfigMap, a Secret or a key in one of them that a container needs is not there.
    ConfigMissing,
    /// No node matches for another cause than an extended resource.
    Unschedulable,
    /// Pods were evicted or preempted.
    Preempted,
    /// A time limit that the object sets for itself is over.
    DeadlineExceeded,
    /// A volume is not bound or not mounted yet.
    WaitingForVolume,
    /// The storage class binds a claim when its first consumer is scheduled.
    WaitingForFirstConsumer,
    /// New pods replace old ones.
    RollingOut,
    /// The controller has not seen the newest generation yet.
    NotObserved,
    /// The object is being deleted.
    PendingDeletion,
    /// Somebody paused or suspended the object.
    Paused,
    /// Work goes on, and the rule of the kind says no more.
    InProgress,
    /// The object reports a failure.
    Failed,
    /// The object is not in the cluster.
    NotFound,
    /// The rule itself failed, so nothing is known.
    RuleFailed,
    /// The object reports that it does not know.
    Undetermined,
}

impl Reason {
    /// Every reason, in the order of the declaration.
    pub const ALL: [Self; 24] = [
        Self::WaitingForCapacity,
        Self::WaitingForQuota,
        Self::QueuedByKueue,
        Self::PullingImage,
        Self::StartingUp,
        Self::LoadingModel,
        Self::CrashLooping,
        Self::OutOfMemory,
        Self::ImageMissing,
        Self::ConfigMissing,
        Self::Unschedulable,
        Self::Preempted,
        Self::DeadlineExceeded,
        Self::WaitingForVolume,
        Self::WaitingForFirstConsumer,
        Self::RollingOut,
        Self::NotObserved,
        Self::PendingDeletion,
        Self::Paused,
        Self::InProgress,
        Self::Failed,
        Self::NotFound,
        Self::RuleFailed,
        Self::Undetermined,
    ];

    /// The word of the reason, for example `WaitingForCapacity`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WaitingForCapacity => "WaitingForCapacity",
            Self::WaitingForQuota => "WaitingForQuota",
            Self::QueuedByKueue => "QueuedByKueue",
            Self::PullingImage => "PullingImage",
            Self::StartingUp => "StartingUp",
            Self::LoadingModel => "LoadingModel",
            Self::CrashLooping => "CrashLooping",
            Self::OutOfMemory => "OutOfMemory",
            Self::ImageMissing => "ImageMissing",
            Self::ConfigMissing => "ConfigMissing",
            Self::Unschedulable => "Unschedulable",
            Self::Preempted => "Preempted",
            Self::DeadlineExceeded => "DeadlineExceeded",
            Self::WaitingForVolume => "WaitingForVolume",
            Self::WaitingForFirstConsumer => "WaitingForFirstConsumer",
            Self::RollingOut => "RollingOut",
            Self::NotObserved => "NotObserved",
            Self::PendingDeletion => "PendingDeletion",
            Self::Paused => "Paused",
            Self::InProgress => "InProgress",
            Self::Failed => "Failed",
            Self::NotFound => "NotFound",
            Self::RuleFailed => "RuleFailed",
            Self::Undetermined => "Undetermined",
        }
    }

    /// Whether waiting for this cause never turns an object Degraded by time alone
    /// (unless `tiphys.dev/capacity-timeout` is set).
    pub fn waits_without_limit(self) -> bool {
        matches!(self, Self::WaitingForCapacity | Self::WaitingForQuota | Self::QueuedByKueue)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is known about a cause: how much of what is short, where, since when, until when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// What is short, one entry per resource.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shortages: Vec<Shortage>,
    /// Since when the cause holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// When the cause turns the object Degraded if it still holds; nothing where it may wait for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Time>,
    /// When the next probe is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_probe: Option<Time>,
    /// How many pods the cause holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pods: Option<u64>,
    /// The container that the cause is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
}

impl Facts {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How much of one resource is wanted and how much there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shortage {
    /// Name of the resource, for example `nvidia.com/gpu`.
    pub resource: String,
    /// What the waiting pods ask for, together.
    pub wanted: u64,
    /// What is free, on all matching nodes together; nothing where the nodes cannot be seen.
    pub free: Option<u64>,
    /// How many nodes match selectors, affinity and taints; nothing where the nodes cannot be seen.
    pub matching_nodes: Option<u64>,
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.wanted, self.resource)?;
        match (self.free, self.matching_nodes) {
            (Some(free), Some(1)) => write!(f, ": {free} free on 1 matching node"),
            (Some(free), Some(nodes)) => write!(f, ": {free} free on {nodes} matching nodes"),
            _ => f.write_str(": free capacity unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_serialised_as_its_word() {
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
    }

    #[test]
    fn a_shortage_reads_like_a_sentence() {
        let shortage =
            Shortage { resource: "nvidia.com/gpu".into(), wanted: 4, free: Some(2), matching_nodes: Some(3) };
        assert_eq!(shortage.to_string(), "4 nvidia.com/gpu: 2 free on 3 matching nodes");
    }
}
