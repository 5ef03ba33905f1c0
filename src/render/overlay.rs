//! Kustomize overlays, joined to the tree.

use crate::api::ApplicationSource;
use crate::flow::{Cause, Problem, Stage, Tree, TreePath};
use crate::object::Manifest;

use super::RenderContext;

pub(super) fn render(
    _tree: &Tree,
    _root: &TreePath,
    _source: &ApplicationSource,
    _context: &RenderContext,
) -> Result<Vec<Manifest>, Problem> {
    Err(Problem::stalled(Stage::Render, Cause::NotSupported, "kustomize is not joined yet"))
}
