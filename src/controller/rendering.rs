//! From sources to manifests: revisions, trees, renders, all objects together. A render is kept with what it depended
//! on.

use std::sync::Arc;

use crate::api::{Application, ApplicationSource, SourceType, SyncOperationResult};
use crate::diff::IgnoreRules;
use crate::flow::{Cause, Comparison, Manifests, Problem, Stage, Tree};
use crate::object::Manifest;
use crate::render::{Given, RenderContext, read_documents};
use crate::source::Freshness;

use super::access::Declared;
use super::comparing::look;
use super::fetching::Fetching;
use super::reconcile::Work;
use super::render_cache::{Kept, Premise, Rendering};
use super::validate::{invalid, the_sources};

/// The sources that are wanted, each at a revision.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    pub(super) sources: Vec<ApplicationSource>,
    pub(super) revisions: Vec<String>,
    /// Whether they are those of `spec.sources`, however many that are.
    pub(super) several: bool,
}

impl Asked {
    /// The sources of the spec, at their target revisions.
    pub(super) fn of_spec(app: &Application) -> Result<Self, Problem> {
        let sources: Vec<ApplicationSource> = the_sources(app)?.into_iter().cloned().collect();
        let revisions = sources.iter().map(|source| source.target_revision.clone()).collect();
        Ok(Self { sources, revisions, several: app.spec.has_multiple_sources() })
    }

    /// The sources of an operation, at the revisions that it is pinned to.
    pub(super) fn of_result(result: &SyncOperationResult) -> Self {
        let several = !result.sources.is_empty();
        let (sources, pinned) = if several {
            (result.sources.clone(), result.revisions.clone())
        } else {
            (vec![result.source.clone()], vec![result.revision.clone()])
        };
        let pinned_at = |index: usize| {
            let fits = pinned.len() == sources.len();
            pinned.get(index).filter(|revision| fits && !revision.is_empty())
        };
        let revision = |(index, source): (usize, &ApplicationSource)| {
            pinned_at(index).unwrap_or(&source.target_revision).clone()
        };
        let revisions = sources.iter().enumerate().map(revision).collect();
        Self { sources, revisions, several }
    }
}

/// Everything that the sources came to.
pub(super) struct Wanted {
    pub(super) manifests: Manifests,
    pub(super) comparison: Comparison,
    pub(super) rules: Arc<IgnoreRules>,
    /// What is worth a warning, whatever becomes of the comparison.
    pub(super) notes: Vec<Problem>,
}

/// The renders of all sources together.
pub(super) struct Joined {
    pub(super) objects: Vec<Arc<Manifest>>,
    pub(super) source_types: Vec<SourceType>,
    pub(super) revisions: Vec<String>,
    pub(super) several: bool,
    pub(super) warnings: Vec<String>,
}

/// Sources → revisions → trees → manifests → observation → comparison.
pub(super) async fn want(work: &Work<'_>, asked: &Asked, freshness: Freshness) -> Result<Wanted, Problem> {
    let repositories = Declared::new(work.shared, &work.app);
    let sources = &work.shared.sources;
    let fetching = Fetching::new(sources, &repositories, &asked.sources, &asked.revisions, freshness).await?;
    let mut joined = Joined {
        objects: Vec::new(),
        source_types: Vec::new(),
        revisions: fetching.resolved().iter().map(|one| one.revision.id.clone()).collect(),
        several: asked.several,
        warnings: Vec::new(),
    };
    for index in 0..asked.sources.len() {
        let one = rendered(work, asked, index, &fetching).await;
        let one = one.map_err(|problem| fetching.name(index, problem))?;
        joined.objects.extend(one.objects);
        joined.source_types.push(one.source_type);
        joined.warnings.extend(one.warnings);
    }
    want_joined(work, joined).await
}

/// One render that was made before → observation → comparison.
pub(super) async fn want_rendered(
    work: &Work<'_>,
    rendering: Rendering,
    revision: &str,
) -> Result<Wanted, Problem> {
    let joined = Joined {
        objects: rendering.objects,
        source_types: vec![rendering.source_type],
        revisions: vec![revision.to_owned()],
        several: false,
        warnings: rendering.warnings,
    };
    want_joined(work, joined).await
}

/// Manifests → observation → comparison.
async fn want_joined(work: &Work<'_>, joined: Joined) -> Result<Wanted, Problem> {
    let (rules, wrong) = work.recall.rules(&work.app.spec.ignore_differences, work.shared.store.argocd_cm());
    let (manifests, comparison, mut notes) = look(work, joined, &rules).await?;
    notes.extend(wrong.iter().map(|rule| invalid(rule.to_string())));
    Ok(Wanted { manifests, comparison, rules, notes })
}

/// The manifests that an operation brings along, in the place of its sources.
pub(super) async fn want_manifests(
    work: &Work<'_>,
    texts: &[String],
    revisions: Vec<String>,
    several: bool,
) -> Result<Wanted, Problem> {
    let mut objects = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        let name = format!("operation.sync.manifests[{at}]");
        objects.extend(read_documents(&name, text.as_bytes())?.into_iter().map(Arc::new));
    }
    let source_types = vec![SourceType::Directory; revisions.len()];
    let joined = Joined { objects, source_types, revisions, several, warnings: Vec::new() };
    want_joined(work, joined).await
}

/// Renders a source, or takes a render before where nothing that it read has changed.
async fn rendered(
    work: &Work<'_>,
    asked: &Asked,
    index: usize,
    fetching: &Fetching<'_>,
) -> Result<Rendering, Problem> {
    let (Some(source), Some(resolved)) = (asked.sources.get(index), fetching.resolved().get(index)) else {
        return Err(Problem::stalled(Stage::Source, Cause::Internal, "there is no such source"));
    };
    if asked.several && source.path.is_empty() && source.chart.is_empty() {
        let source_type = SourceType::FilesOnly;
        return Ok(Rendering { objects: Vec::new(), source_type, warnings: Vec::new() });
    }
    let context = render_context(work, asked, &resolved.revision.id).await?;
    let premise = Premise::new(work.name, source, &context);
    let tree = fetching.tree(index).await?;
    let mut given = Given::new();
    for kept in work.shared.renders.get(&premise) {
        if still_holds(&kept, &tree, source, &context, fetching, &mut given).await? {
            return Ok(kept.rendering.clone());
        }
    }
    let tree = tree.recording();
    let (rendered, used) = fetching.render(&tree, source, &context, given).await?;
    tracing::debug!(application = %work.name, stage = "render", source = index, "rendered");
    let rendering = Rendering {
        objects: rendered.objects,
        source_type: rendered.source_type,
        warnings: rendered.warnings,
    };
    let told = rendered.told_revision.then(|| (context.revision.clone(), source.target_revision.clone()));
    let kept = Kept { read: tree.read_set(), needs: used.used(), told, rendering: rendering.clone() };
    work.shared.renders.put(premise, work.name, Arc::new(kept));
    Ok(rendering)
}

/// Whether a render would come out the same: everything that it read, here and elsewhere, is looked at.
async fn still_holds(
    kept: &Kept,
    tree: &Tree,
    source: &ApplicationSource,
    context: &RenderContext,
    fetching: &Fetching<'_>,
    given: &mut Given,
) -> Result<bool, Problem> {
    let told = kept.told.as_ref();
    if told.is_some_and(|(id, target)| (id, target) != (&context.revision, &source.target_revision))
        || !kept.read.first_change(tree).is_ok_and(|change| change.is_none())
    {
        return Ok(false);
    }
    for (need, seen) in &kept.needs {
        if given.peek(need).is_none() {
            given.insert(need.clone(), fetching.get(need).await?);
        }
        if !given.peek(need).is_some_and(|got| seen.is_still(got)) {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn render_context(work: &Work<'_>, asked: &Asked, revision: &str) -> Result<RenderContext, Problem> {
    let (kube_version, api_versions) = work.cluster.discovery().capabilities().await.map_err(|error| {
        let message = format!("cluster {} does not answer: {error}", work.destination.server);
        Problem::retry(Stage::Observe, Cause::DestinationUnreachable, message)
    })?;
    let settings = work.shared.store.argocd_cm();
    let references = asked.sources.iter().filter(|source| !source.reference.is_empty());
    Ok(RenderContext {
        application: work.app.name().to_owned(),
        instance: work.app.instance_name(&work.shared.options.namespace),
        project: work.app.project().to_owned(),
        namespace: work.destination.namespace.clone(),
        kube_version,
        api_versions,
        kustomize_build_options: settings.kustomize_build_options.clone(),
        values_file_schemes: settings.values_file_schemes.clone(),
        revision: revision.to_owned(),
        refs: asked.several.then(|| references.map(|source| source.reference.clone()).collect()),
        caches: Arc::clone(&work.shared.parsed),
    })
}
