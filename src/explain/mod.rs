//! Why an application is OutOfSync, Degraded, Progressing or stuck: from the top down, the true cause first.
//!
//! Pure: what was seen comes as [`Evidence`], values of `flow`; what comes out is a tree of [`Finding`]s that is
//! printed ([`Explanation::print`]), given as JSON, and put into a condition ([`Explanation::summary`]). A finding is
//! a cause, or it follows from one: an object that a later wave would create follows from what the wave before waits
//! for. Knows no client, no clock, and not how anything was fetched.

mod desired;
mod ownership;
mod print;
mod running;
mod stages;
#[cfg(test)]
mod tests;
mod unserved;
mod writer;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::api::{Application, HealthCode, SyncCode, Time};
use crate::flow::{
    Comparison, EndpointFacts, EventFacts, FieldDifference, FieldWriter, HealthStatus, NoController,
    PodCause, Problem, Reason,
};
use crate::object::ResourceKey;

pub use print::{Plain, Tone};
pub use writer::{last_writer, writers_of};

/// What an explanation is made from.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    /// The application, with its status.
    pub app: &'a Application,
    /// What kept a stage from being done, where one was.
    pub problem: Option<&'a Problem>,
    /// The revision that was compared; empty where none was reached.
    pub revision: &'a str,
    /// How Git and cluster compare, where that was reached.
    pub comparison: Option<&'a Comparison>,
    /// Health of the application and of its objects.
    pub rolled_up: Option<HealthCode>,
    /// Health of single objects, with causes.
    pub health: &'a BTreeMap<ResourceKey, HealthStatus>,
    /// `metadata.managedFields` of objects that differ.
    pub managed_fields: &'a BTreeMap<ResourceKey, Value>,
    /// Why pods are not ready, by the workload that they belong to.
    pub pods: &'a BTreeMap<ResourceKey, Vec<PodCause>>,
    /// Events about objects and their pods.
    pub events: &'a [EventFacts],
    /// What stands behind Services that have a selector.
    pub endpoints: &'a BTreeMap<ResourceKey, EndpointFacts>,
    /// That nobody works, where that is so.
    pub no_controller: Option<&'a NoController>,
}

/// How far down a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Spec and project.
    Spec,
    /// Git, Helm, OCI.
    Source,
    /// Charts, overlays, manifests.
    Render,
    /// The cluster, read.
    Cluster,
    /// Git and cluster, compared.
    Compare,
    /// A sync, its waves and hooks.
    Sync,
    /// An object that is not healthy.
    Workload,
    /// A pod.
    Pod,
    /// An Event.
    Event,
}

impl Level {
    /// The word in print.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spec => "spec",
            Self::Source => "source",
            Self::Render => "render",
            Self::Cluster => "cluster",
            Self::Compare => "compare",
            Self::Sync => "sync",
            Self::Workload => "health",
            Self::Pod => "pod",
            Self::Event => "event",
        }
    }
}

/// One thing that was found, with what shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// How far down it is.
    pub level: Level,
    /// The object that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<ResourceKey>,
    /// What is the matter, in words. Holds no data of a Secret.
    pub message: String,
    /// The cause of health, from the closed list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The field that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<FieldDifference>,
    /// Who wrote it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written_by: Option<FieldWriter>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// What to do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<String>,
    /// What shows it: pods below a workload, events below a pod.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Finding>,
}

impl Finding {
    fn new(level: Level, object: Option<&ResourceKey>, message: impl Into<String>) -> Self {
        Self {
            level,
            object: object.cloned(),
            message: message.into(),
            reason: None,
            field: None,
            written_by: None,
            since: None,
            advice: Vec::new(),
            evidence: Vec::new(),
        }
    }

    fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice.push(advice.into());
        self
    }
}

/// What a stage came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StageLine {
    /// The stage.
    pub stage: Level,
    /// Whether all is well there; nothing where it was not reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ok: Option<bool>,
    /// In words.
    pub message: String,
}

/// Why an application is as it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// `namespace/name`.
    pub application: String,
    /// Whether it is as Git says.
    pub sync: SyncCode,
    /// How its objects are.
    pub health: HealthCode,
    /// What has to change, what blocks most first. Empty where nothing is wrong.
    pub causes: Vec<Finding>,
    /// What will be well by itself once the causes are gone.
    pub consequences: Vec<Finding>,
    /// What each stage came to, from the top down.
    pub stages: Vec<StageLine>,
}

/// The condition that holds the summary.
pub const CONDITION: &str = "Explanation";
/// The longest summary, in characters.
const LONGEST_SUMMARY: usize = 1500;

impl Explanation {
    /// The causes in one line each, without times: for a condition, which is to change only when the causes do.
    /// Nothing where nothing is wrong.
    pub fn summary(&self) -> Option<String> {
        let lines: Vec<String> = self.causes.iter().map(print::headline).collect();
        if lines.is_empty() {
            return None;
        }
        let text = lines.join("; ");
        if text.chars().count() <= LONGEST_SUMMARY {
            return Some(text);
        }
        let cut: String = text.chars().take(LONGEST_SUMMARY).collect();
        Some(format!("{cut}…"))
    }
}

/// Findings with how much each blocks: what ranks lower comes first.
#[derive(Default)]
struct Found {
    causes: Vec<(u8, Finding)>,
    consequences: Vec<Finding>,
}

/// Ranks of causes. A stage that could not be done hides everything below it; a failure weighs more than waiting.
mod rank {
    pub(super) const STAGE: u8 = 0;
    pub(super) const REFUSED: u8 = 1;
    pub(super) const FAILED: u8 = 2;
    pub(super) const DRIFT: u8 = 3;
    pub(super) const WAITING: u8 = 4;
    pub(super) const WARNING: u8 = 5;
}

impl Found {
    fn cause(&mut self, rank: u8, finding: Finding) {
        self.causes.push((rank, finding));
    }
}

/// Explains.
pub fn explain(evidence: &Evidence<'_>) -> Explanation {
    let mut found = Found::default();
    if let Some(problem) = evidence.problem {
        found.cause(rank::STAGE, stages::of_problem(problem));
    }
    unserved::controller(evidence, &mut found);
    running::unhealthy(evidence, &mut found);
    running::services(evidence, &mut found);
    desired::findings(evidence, &mut found);
    desired::conditions(evidence, &mut found);
    found.causes.sort_by_key(|(rank, _)| *rank);
    let comparison = evidence.comparison.map(|comparison| comparison.status);
    Explanation {
        application: format!("{}/{}", evidence.app.namespace(), evidence.app.name()),
        sync: comparison.unwrap_or(SyncCode::Unknown),
        health: evidence.rolled_up.unwrap_or(HealthCode::Unknown),
        stages: stages::lines(evidence),
        causes: found.causes.into_iter().map(|(_, finding)| finding).collect(),
        consequences: found.consequences,
    }
}

/// `Deployment shop/web`, as findings name an object.
fn named(key: &ResourceKey) -> String {
    if key.namespace.is_empty() {
        format!("{} {}", key.kind, key.name)
    } else {
        format!("{} {}/{}", key.kind, key.namespace, key.name)
    }
}
