//! What was seen of a cluster for one target, at one moment.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use crate::api::Time;
use crate::object::{GroupKind, Manifest, ResourceKey};

use super::{Problem, Writing};

/// What was seen.
#[derive(Clone, Debug)]
pub struct Observation {
    /// Objects that are there: those that the revision wants, and those that are tracked for the application.
    /// Bodies hold no managedFields.
    pub live: HashMap<ResourceKey, Arc<Manifest>>,
    /// What the API server would make of a desired object that is there already.
    pub predictions: HashMap<ResourceKey, Prediction>,
    /// How desired objects that are there already would be applied, where there is more to it than sending them.
    pub writing: HashMap<ResourceKey, Writing>,
    /// `managedFields` of live objects, where they were needed.
    pub owners: HashMap<ResourceKey, Arc<Vec<Value>>>,
    /// Kinds of which not everything could be seen, with the reason. Nothing of these kinds is pruned.
    pub gaps: BTreeMap<GroupKind, Problem>,
    /// Kinds that live in namespaces; a kind in neither set is not known to the cluster.
    pub namespaced: BTreeSet<GroupKind>,
    /// Kinds that live in no namespace.
    pub cluster_scoped: BTreeSet<GroupKind>,
    /// When it was seen.
    pub now: Time,
}

/// The API server's own answer to "what would this apply make of the object?".
#[derive(Clone, Debug)]
pub enum Prediction {
    /// The object as it would be, without managedFields.
    Object(Arc<Manifest>),
    /// The apply would be refused; the structural comparison stands in.
    Refused(Problem),
}

impl Observation {
    /// An observation of nothing, to be filled.
    pub fn empty(now: Time) -> Self {
        Self {
            live: HashMap::new(),
            predictions: HashMap::new(),
            writing: HashMap::new(),
            owners: HashMap::new(),
            gaps: BTreeMap::new(),
            namespaced: BTreeSet::new(),
            cluster_scoped: BTreeSet::new(),
            now,
        }
    }

    /// Whether everything that matters was seen.
    pub fn is_complete(&self) -> bool {
        self.gaps.is_empty()
    }
}
