//! A tree and a source → manifests.
//!
//! Pure given the tree: everything is read through it, so what was read is recorded and nothing outside of the
//! repository can be reached. The languages themselves are crates of their own; here they are joined to the tree and
//! to Argo CD's fields.

mod chart;
mod detect;
mod directory;
mod documents;
mod overlay;
mod overlay_edit;
mod tracking;

use std::sync::Arc;

use crate::api::{ApplicationSource, SourceType};
use crate::flow::{Cause, Problem, Stage, Tree, TreeError, TreePath};
use crate::object::Manifest;

pub use chart::TreeCharts;
pub use documents::{read_documents, read_json_or_yaml};
pub use tracking::{LONGEST_LABEL, Scope, Tracking, track};

/// What a render depends on besides the tree and the source.
#[derive(Clone, Debug, Default)]
pub struct RenderContext {
    /// Name of the application, the release name of charts.
    pub application: String,
    /// Namespace of the destination.
    pub namespace: String,
    /// Version of the destination's Kubernetes, for example `v1.35.4`.
    pub kube_version: String,
    /// API versions of the destination.
    pub api_versions: Vec<String>,
    /// `kustomize.buildOptions` of argocd-cm.
    pub kustomize_build_options: String,
    /// The revision that the tree is of.
    pub revision: String,
}

/// What came out.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The objects, in the renderer's order.
    pub objects: Vec<Arc<Manifest>>,
    /// How they were rendered.
    pub source_type: SourceType,
    /// What the renderer warned of.
    pub warnings: Vec<String>,
}

/// Renders one source.
///
/// # Errors
/// With the file, line and column where they are known.
pub fn render(tree: &Tree, source: &ApplicationSource, context: &RenderContext) -> Result<Rendered, Problem> {
    let root = source_path(tree, &source.path)?;
    let source_type = detect::detect(tree, &root, source)?;
    let (objects, warnings) = match source_type {
        SourceType::Directory => (directory::render(tree, &root, source)?, Vec::new()),
        SourceType::Helm => chart::render(tree, &root, source, context)?,
        SourceType::Kustomize => (overlay::render(tree, &root, source, context)?, Vec::new()),
        SourceType::Plugin => {
            return Err(Problem::stalled(
                Stage::Render,
                Cause::NotSupported,
                "spec.source.plugin: config management plugins are not supported yet; use helm, kustomize or a directory",
            ));
        }
    };
    Ok(Rendered { objects: objects.into_iter().map(Arc::new).collect(), source_type, warnings })
}

fn source_path(tree: &Tree, path: &str) -> Result<TreePath, Problem> {
    let invalid = |message: String| Problem::stalled(Stage::Render, Cause::PathInvalid, message);
    let advice = "set spec.source.path to a folder of the repository";
    let root =
        TreePath::parse(path).map_err(|error| invalid(format!("app path {path:?}: {error}; {advice}")))?;
    match tree.find(&root) {
        Ok(Some(found)) if found.kind == crate::flow::EntryKind::Directory => Ok(found.path),
        Ok(Some(_)) => Err(invalid(format!("app path {path:?} is a file; {advice}"))),
        Ok(None) => Err(invalid(format!("app path {path:?} does not exist in this revision; {advice}"))),
        Err(error) => Err(invalid(format!("app path {path:?}: {error}; {advice}"))),
    }
}

/// A problem with the content of a source.
pub(crate) fn render_problem(message: impl Into<String>) -> Problem {
    Problem::stalled(Stage::Render, Cause::RenderFailed, message)
}

/// A file that cannot be read.
pub(crate) fn tree_problem(error: &TreeError) -> Problem {
    match error {
        TreeError::Unreadable { .. } => {
            Problem::retry(Stage::Render, Cause::RepositoryUnreachable, error.to_string())
        }
        _ => Problem::stalled(Stage::Render, Cause::PathInvalid, error.to_string()),
    }
}
