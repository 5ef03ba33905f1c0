//! Every value that crosses rooms. The pure rooms meet only here.
//!
//! Layer 0: imports `settings`, `api` and `object`; knows no client, no runtime, no clock.

mod capacity;
mod comparison;
mod evidence;
mod health;
mod manifests;
mod memory_tree;
mod meter;
mod observation;
mod path_query;
mod plan;
mod pod;
mod problem;
mod read_set;
mod reason;
mod revision;
mod script;
mod target;
mod tree;
mod tree_path;

pub use capacity::{Capacity, NodeFacts, QuotaFacts, Resources, Taint};
pub use comparison::{Comparison, FieldDifference, OwnershipChange, ResourceComparison, Writing};
pub use evidence::{EndpointFacts, EventFacts, FieldWriter, NoController, PodCause};
pub use health::{HealthCode, HealthStatus, UnknownHealthCode};
pub use manifests::Manifests;
pub use memory_tree::MemoryTree;
pub use meter::{GitRequest, KubernetesRequest, Meter, NoMeter, SyncEnd};
pub use observation::{Observation, Prediction};
pub use path_query::{PathLanguage, PathQuery, PathStep};
pub use plan::{
    Action, AppliedResource, ApplyReport, Assessment, Blocked, Plan, Step, Task, WriteOptions, Written,
};
pub use pod::{
    ContainerFacts, ContainerState, HostPort, LabelRequirement, NodeTerm, Operator, PodFacts, PodPhase,
    PodRequest, PodTerm, Spread, Toleration,
};
pub use problem::{Cause, Next, Problem, Stage};
pub use read_set::ReadSet;
pub use reason::{Facts, Reason, Shortage};
pub use revision::{CommitInfo, Revision, RevisionKind};
pub use script::{Script, ScriptError};
pub use target::{Destination, IN_CLUSTER_NAME, IN_CLUSTER_SERVER, ObjectName, Target, printable_url};
pub use tree::{
    ContentId, DEFAULT_FILE_LIMIT, Entry, EntryKind, Found, Tree, TreeError, TreeStore, find_entry,
};
pub use tree_path::TreePath;
