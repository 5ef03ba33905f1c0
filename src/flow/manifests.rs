//! What a source was rendered to.

use std::sync::Arc;

use crate::api::SourceType;
use crate::object::Manifest;

/// The objects that a revision wants, tracked and with their namespaces set.
#[derive(Clone, Debug)]
pub struct Manifests {
    /// The objects, in the order in which the renderer printed them.
    pub objects: Vec<Arc<Manifest>>,
    /// How they were rendered.
    pub source_type: SourceType,
    /// The revision they were rendered from: a commit id or a chart version.
    pub revision: String,
    /// What the renderer warned of.
    pub warnings: Vec<String>,
}
