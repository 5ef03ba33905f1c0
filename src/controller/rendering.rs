//! From a source to manifests: revision, tree, render. The last render is kept with what it depended on.

use std::sync::Arc;

use crate::api::{ApplicationSource, SourceType};
use crate::diff::IgnoreRules;
use crate::eval::JqPaths;
use crate::flow::{Cause, Comparison, Manifests, Problem, ReadSet, Revision, Stage};
use crate::object::Manifest;
use crate::render::{RenderContext, read_documents, render};
use crate::settings::Customizations;
use crate::source::Freshness;

use super::Memory;
use super::access::access_to;
use super::comparing::look;
use super::reconcile::Work;
use super::validate::invalid;

/// A render, and what it depended on.
pub(super) struct RenderedBefore {
    premise: u64,
    read: ReadSet,
    objects: Vec<Arc<Manifest>>,
    source_type: SourceType,
    warnings: Vec<String>,
}

/// Everything that a source came to.
pub(super) struct Wanted {
    pub(super) manifests: Manifests,
    pub(super) comparison: Comparison,
    pub(super) rules: IgnoreRules,
    /// What is worth a warning, whatever becomes of the comparison.
    pub(super) notes: Vec<Problem>,
}

/// Source → revision → tree → manifests → observation → comparison.
pub(super) async fn want(
    work: &Work<'_>,
    memory: &mut Memory,
    source: &ApplicationSource,
    revision: &str,
    freshness: Freshness,
) -> Result<Wanted, Problem> {
    let access = access_to(&work.shared.store, &source.repo_url)?;
    let sources = &work.shared.sources;
    let revision = if source.chart.is_empty() {
        sources.resolve(&access, revision, freshness).await?
    } else {
        sources.resolve_chart(&access, &source.chart, revision, freshness).await?
    };
    let objects = rendered(work, memory, source, &access, &revision).await?;
    want_rendered(work, objects, &revision.id).await
}

/// Manifests → observation → comparison.
pub(super) async fn want_rendered(
    work: &Work<'_>,
    rendering: Rendering,
    revision: &str,
) -> Result<Wanted, Problem> {
    let system = Customizations::read(&work.shared.store.argocd_cm().data);
    let rules = IgnoreRules::read(&work.app.spec.ignore_differences, &system, &JqPaths);
    let (manifests, comparison, mut notes) = look(work, rendering, revision, &rules.0).await?;
    notes.extend(rules.1.iter().map(|rule| invalid(rule.to_string())));
    Ok(Wanted { manifests, comparison, rules: rules.0, notes })
}

/// The manifests that an operation brings along, in the place of a source.
pub(super) async fn want_manifests(
    work: &Work<'_>,
    texts: &[String],
    revision: &str,
) -> Result<Wanted, Problem> {
    let mut objects = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        let name = format!("operation.sync.manifests[{at}]");
        objects.extend(read_documents(&name, text.as_bytes())?.into_iter().map(Arc::new));
    }
    let system = Customizations::read(&work.shared.store.argocd_cm().data);
    let rules = IgnoreRules::read(&work.app.spec.ignore_differences, &system, &JqPaths);
    let rendering = Rendering { objects, source_type: SourceType::Directory, warnings: Vec::new() };
    let (manifests, comparison, notes) = look(work, rendering, revision, &rules.0).await?;
    Ok(Wanted { manifests, comparison, rules: rules.0, notes })
}

/// Renders, or takes the render before where nothing that it read has changed.
async fn rendered(
    work: &Work<'_>,
    memory: &mut Memory,
    source: &ApplicationSource,
    access: &crate::source::Access,
    revision: &Revision,
) -> Result<Rendering, Problem> {
    let context = render_context(work, revision).await?;
    let premise = premise(source, &context);
    let sources = &work.shared.sources;
    let tree = if source.chart.is_empty() {
        sources.tree(access, revision).await?
    } else {
        sources.chart(access, &source.chart, revision).await?
    };
    if let Some(before) = memory.render.as_ref().filter(|before| before.premise == premise) {
        let unchanged = before.read.first_change(&tree).is_ok_and(|change| change.is_none());
        if unchanged {
            return Ok(Rendering {
                objects: before.objects.clone(),
                source_type: before.source_type,
                warnings: before.warnings.clone(),
            });
        }
    }
    let tree = tree.recording();
    let (source, inner) = (source.clone(), tree.clone());
    let rendered =
        tokio::task::spawn_blocking(move || render(&inner, &source, &context)).await.map_err(|_| {
            Problem::stalled(
                Stage::Render,
                Cause::Internal,
                "the renderer failed; this is a defect of Tiphys, please report it",
            )
        })??;
    memory.render = Some(RenderedBefore {
        premise,
        read: tree.read_set(),
        objects: rendered.objects.clone(),
        source_type: rendered.source_type,
        warnings: rendered.warnings.clone(),
    });
    Ok(Rendering {
        objects: rendered.objects,
        source_type: rendered.source_type,
        warnings: rendered.warnings,
    })
}

pub(super) struct Rendering {
    pub(super) objects: Vec<Arc<Manifest>>,
    pub(super) source_type: SourceType,
    pub(super) warnings: Vec<String>,
}

async fn render_context(work: &Work<'_>, revision: &Revision) -> Result<RenderContext, Problem> {
    let (kube_version, api_versions) = work.cluster.discovery().capabilities().await.map_err(|error| {
        let message = format!("cluster {} does not answer: {error}", work.destination.server);
        Problem::retry(Stage::Observe, Cause::DestinationUnreachable, message)
    })?;
    Ok(RenderContext {
        application: work.app.name().to_owned(),
        namespace: work.destination.namespace.clone(),
        kube_version,
        api_versions,
        kustomize_build_options: work.shared.store.argocd_cm().kustomize_build_options.clone(),
        revision: revision.id.clone(),
    })
}

/// A hash of what a render depends on besides the files that it reads.
fn premise(source: &ApplicationSource, context: &RenderContext) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    let source = ApplicationSource { target_revision: String::new(), ..source.clone() };
    serde_json::to_string(&source).unwrap_or_default().hash(&mut hasher);
    (&context.application, &context.namespace, &context.kube_version, &context.api_versions)
        .hash(&mut hasher);
    context.kustomize_build_options.hash(&mut hasher);
    hasher.finish()
}
