//! What a source was rendered to.

use std::sync::Arc;

use crate::api::SourceType;
use crate::object::Manifest;

/// The objects that a revision wants, tracked and with their namespaces set.
#[derive(Clone, Debug)]
pub struct Manifests {
    /// The objects, in the order in which the renderer printed them.
    pub objects: Vec<Arc<Manifest>>,
    /// How each source was rendered, in the order of the sources.
    pub source_types: Vec<SourceType>,
    /// The revision they were rendered from: a commit id or a chart version; empty where there are several sources.
    pub revision: String,
    /// The revisions of `spec.sources`, in their order; empty where there is the one `spec.source`.
    pub revisions: Vec<String>,
    /// What the renderer warned of.
    pub warnings: Vec<String>,
}

impl Manifests {
    /// The revision of each source, however many there are.
    pub fn all_revisions(&self) -> &[String] {
        if self.revisions.is_empty() { std::slice::from_ref(&self.revision) } else { &self.revisions }
    }
}
