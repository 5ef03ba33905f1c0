//! A tree and a source → manifests.
//!
//! Pure given the tree: everything is read through it, so what was read is recorded and nothing outside of the
//! repository can be reached. What lies outside (another source's files, remote bases, charts that a chart depends on) is
//! asked for as a [`Need`]; the caller decides, fetches, and renders again. The languages themselves are crates of their own; here they are joined to the tree and
//! to Argo CD's fields.

mod build_options;
mod caches;
mod chart;
mod chart_dependencies;
mod chart_files;
mod chart_values;
mod detect;
mod directory;
mod documents;
mod env;
mod needs;
mod overlay;
mod overlay_edit;
#[cfg(test)]
mod overlay_tests;
mod parameters;
mod remote_files;
mod tracking;
mod tree_charts;

use std::sync::Arc;

use crate::api::{ApplicationSource, SourceType};
use crate::flow::{Cause, Problem, Stage, Tree, TreeError, TreePath};
use crate::object::Manifest;

pub use caches::RenderCaches;
pub use documents::{read_documents, read_json_or_yaml};
pub use needs::{Given, Got, Need, Seen};
pub use remote_files::RemoteFiles;
pub use tracking::{LONGEST_LABEL, Scope, Tracking, track};
pub use tree_charts::TreeCharts;

use env::Env;
use needs::Stop;

/// What a render depends on besides the tree and the source.
#[derive(Clone, Debug, Default)]
pub struct RenderContext {
    /// Name of the application, the release name of charts.
    pub application: String,
    /// The application's name in the whole installation: with its namespace where that is not the controller's.
    pub instance: String,
    /// Name of the project.
    pub project: String,
    /// Namespace of the destination.
    pub namespace: String,
    /// Version of the destination's Kubernetes, for example `v1.35.4`.
    pub kube_version: String,
    /// API versions of the destination.
    pub api_versions: Vec<String>,
    /// `kustomize.buildOptions` of argocd-cm.
    pub kustomize_build_options: String,
    /// `helm.valuesFileSchemes` of argocd-cm: where value files may come from besides repositories.
    pub values_file_schemes: Vec<String>,
    /// The revision that the tree is of.
    pub revision: String,
    /// The `ref` names of an application with `spec.sources`; nothing where it has the one `spec.source`.
    pub refs: Option<Vec<String>>,
    /// What renders share.
    pub caches: Arc<RenderCaches>,
}

/// How a render ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It is done.
    Done(Rendered),
    /// These are needed first.
    Needs(Vec<Need>),
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
    /// Whether the text depends on the revision by its name, not only by its content.
    pub told_revision: bool,
}

/// Renders one source, or says what is missing in `given`.
///
/// # Errors
/// With the file, line and column where they are known.
pub fn render(
    tree: &Tree,
    source: &ApplicationSource,
    context: &RenderContext,
    given: &Given,
) -> Result<Outcome, Problem> {
    match render_now(tree, source, context, given) {
        Ok(rendered) => Ok(Outcome::Done(rendered)),
        Err(Stop::Needs(needs)) => Ok(Outcome::Needs(needs)),
        Err(Stop::Problem(problem)) => Err(problem),
    }
}

fn render_now(
    tree: &Tree,
    source: &ApplicationSource,
    context: &RenderContext,
    given: &Given,
) -> Result<Rendered, Stop> {
    let root = source_path(tree, &source.path)?;
    let source = &parameters::merged(tree, &root, source, context)?;
    let env = Env::new(context, source);
    let source_type = detect::detect(tree, &root, source)?;
    let (objects, warnings) = match source_type {
        SourceType::Directory => (directory::render(tree, &root, source)?, Vec::new()),
        SourceType::Helm => {
            chart::render(&chart::ChartWorld { tree, root: &root, context, given, env: &env }, source)?
        }
        SourceType::Kustomize => (overlay::render(tree, &root, source, context, given, &env)?, Vec::new()),
        SourceType::Plugin | SourceType::FilesOnly => {
            return Err(Stop::Problem(Problem::stalled(
                Stage::Render,
                Cause::NotSupported,
                "spec.source.plugin: config management plugins are not supported yet; use helm, kustomize or a directory",
            )));
        }
    };
    let objects = objects.into_iter().map(Arc::new).collect();
    Ok(Rendered { objects, source_type, warnings, told_revision: env.told_revision() })
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
