//! How Git and cluster compare.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::api::{ResourceAnnotations, SyncCode};
use crate::object::{Manifest, ResourceKey};

use super::Problem;

/// One object, in Git, in the cluster, or in both.
#[derive(Clone, Debug)]
pub struct ResourceComparison {
    /// Key of the object.
    pub key: ResourceKey,
    /// The object as Git wants it; absent where Git no longer holds it.
    pub desired: Option<Arc<Manifest>>,
    /// The object as it is; absent where it is not there.
    pub live: Option<Arc<Manifest>>,
    /// What its annotations say (of the desired object, or of the live one where Git no longer holds it).
    pub annotations: ResourceAnnotations,
    /// Whether it is as Git says. Hooks are never out of sync.
    pub status: SyncCode,
    /// Whether an apply would change nothing at all, ignored fields included, by the API server's own word.
    pub unchanged: bool,
    /// Whether the API server itself has said what an apply would do.
    pub predicted: bool,
    /// Whether Git no longer holds it.
    pub requires_pruning: bool,
    /// Where it differs, after everything that does not count was taken out.
    pub differences: Vec<FieldDifference>,
    /// What is wrong with this one object: the kind is unknown, its dry-run was refused.
    pub problem: Option<Problem>,
    /// What an apply of the object would send and do to its ownership.
    pub writing: Writing,
}

/// How an object would be applied.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Writing {
    /// What is sent, where that is not the desired object: it carries live values of fields that do not count.
    pub object: Option<Arc<Manifest>>,
    /// What happens to the ownership of fields first.
    pub ownership: OwnershipChange,
}

/// A change of `managedFields` that an apply needs to have gone before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OwnershipChange {
    /// Managers that applied by updates: their fields become ours, so that what Git drops goes.
    pub migrate: Vec<String>,
    /// `spec.replicas` is given up: Git dropped it, and an autoscaler owns it from now on.
    pub release_replicas: bool,
}

impl OwnershipChange {
    /// Whether there is anything to change.
    pub fn is_none(&self) -> bool {
        self.migrate.is_empty() && !self.release_replicas
    }
}

/// One field that differs. Values of Secrets are masked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldDifference {
    /// JSON pointer (RFC 6901) to the field.
    pub pointer: String,
    /// The value that the apply would leave; absent where it would remove the field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicted: Option<Value>,
    /// The value that is there; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<Value>,
}

/// How Git and cluster compare, over all objects of a target.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The verdict: OutOfSync where one object is; Unknown where too little was seen to say Synced.
    pub status: SyncCode,
    /// One entry per object, in the order of their keys.
    pub resources: Vec<ResourceComparison>,
    /// Problems of single objects and of the whole; warnings among them.
    pub problems: Vec<Problem>,
}
