//! One reconcile: the stages in their order.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::api::{Application, ApplicationSource, ApplicationStatus, SourceType, Time, annotations};
use crate::cluster::{Cluster, ObserveRequest, instance_key};
use crate::diff::{Comparing, IgnoreRules, compare};
use crate::eval::JqPaths;
use crate::flow::{
    Cause, Comparison, Destination, Manifests, Next, ObjectName, Observation, Problem, ReadSet, Revision,
    Stage,
};
use crate::object::{GroupVersionKind, Manifest, ResourceKey};
use crate::project::{permits_destination, permits_kind, permits_source};
use crate::render::{RenderContext, Scope, Tracking, render, track};
use crate::settings::Customizations;
use crate::source::Freshness;
use crate::status::{Seen, compose};

use super::access::access_to;
use super::publish::{Changes, publish, publish_unreadable};
use super::{Memory, Shared, assess, clusters, finalize, operation};

/// A render, and what it depended on.
pub(super) struct RenderedBefore {
    premise: u64,
    read: ReadSet,
    objects: Vec<Arc<Manifest>>,
    source_type: SourceType,
    warnings: Vec<String>,
}

/// What a reconcile works on.
pub(super) struct Work<'a> {
    pub(super) shared: &'a Shared,
    pub(super) app: Arc<Application>,
    pub(super) name: &'a ObjectName,
    pub(super) destination: Destination,
    pub(super) cluster: Arc<Cluster>,
    pub(super) now: Time,
}

impl Work<'_> {
    /// Kinds that the application used before: objects of them may be left over, whatever Git says now.
    pub(super) fn known_kinds(&self) -> BTreeSet<GroupVersionKind> {
        let status = &self.app.status;
        let kind = |group: &str, version: &str, kind: &str| GroupVersionKind {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
        };
        let seen = status.resources.iter().map(|one| kind(&one.group, &one.version, &one.kind));
        let results = status.operation_state.iter().filter_map(|state| state.sync_result.as_ref());
        let written =
            results.flat_map(|result| &result.resources).map(|one| kind(&one.group, &one.version, &one.kind));
        seen.chain(written).collect()
    }

    /// The instance in tracking-ids of the application's objects.
    pub(super) fn instance(&self) -> String {
        let name = self.app.instance_name(&self.shared.options.namespace);
        instance_key(&name, &self.shared.store.argocd_cm().installation_id)
    }
}

/// Everything that a source came to.
pub(super) struct Wanted {
    pub(super) manifests: Manifests,
    pub(super) comparison: Comparison,
    pub(super) rules: IgnoreRules,
}

/// Reconciles one application. Gives after how long to come back by itself.
pub(super) async fn reconcile(shared: &Shared, name: &ObjectName) -> Option<Duration> {
    let started = Instant::now();
    let stored = shared.store.application(name)?;
    let app = match stored.application {
        Ok(app) => app,
        Err(error) => {
            tracing::warn!(application = %name, stage = "validate", "{error}");
            let memory = shared.memory(name);
            let mut memory = memory.lock().await;
            if memory.unreadable.as_deref() != Some(&error.message) {
                publish_unreadable(shared, name, &error.to_string()).await;
                memory.unreadable = Some(error.message);
            }
            return None;
        }
    };
    if app.annotation(annotations::SKIP_RECONCILE) == Some("true") {
        return None;
    }
    let memory = shared.memory(name);
    let mut memory = memory.lock().await;
    let now = Time::new(jiff::Timestamp::now());
    let again = match run(shared, Arc::clone(&app), name, &mut memory, now).await {
        Ok(again) => {
            memory.failures = 0;
            memory.unreadable = None;
            again
        }
        Err(problem) => {
            tracing::warn!(application = %name, stage = problem.stage.as_str(), cause = ?problem.cause, "{problem}");
            report(shared, &app, &problem, now).await;
            wait_after(&problem, &mut memory.failures)
        }
    };
    shared.meter.reconciled(name, &app.spec.destination.server, started.elapsed());
    let poll = until_poll(shared, &mut memory);
    Some(again.map_or(poll, |again| again.min(poll)))
}

/// The condition, on the one Application that it belongs to.
async fn report(shared: &Shared, app: &Application, problem: &Problem, now: Time) {
    let seen = Seen {
        problems: vec![problem.clone()],
        controller_namespace: &shared.options.namespace,
        ..Seen::default()
    };
    let mut status = compose(app, &seen, now);
    let mut changes = Changes { refresh_heard: has_refresh(app), ..Changes::default() };
    operation::fail_pending(app, problem, now, &mut status, &mut changes);
    if let Err(error) = publish(shared, app, &status, &changes).await {
        tracing::warn!(application = app.name(), error = %error, "the status could not be written");
    }
}

fn has_refresh(app: &Application) -> bool {
    app.annotation(annotations::REFRESH).is_some()
}

fn wait_after(problem: &Problem, failures: &mut u32) -> Option<Duration> {
    *failures = failures.saturating_add(1);
    match problem.next {
        Next::Stalled => None,
        Next::Waiting(after) => Some(after),
        Next::Retry => Some(Duration::from_secs(1 << (*failures).min(6))),
    }
}

/// How long until Git is asked for news.
fn until_poll(shared: &Shared, memory: &mut Memory) -> Duration {
    let settings = shared.store.argocd_cm();
    if settings.poll_interval.is_zero() {
        return Duration::from_secs(24 * 3600);
    }
    let now = Instant::now();
    let at = memory.poll_at.filter(|at| *at > now).unwrap_or_else(|| {
        // The clock's low digits spread applications well enough.
        let jitter = settings.poll_jitter.as_millis().max(1);
        let part = u128::from(jiff::Timestamp::now().as_nanosecond().unsigned_abs() as u64) % jitter;
        now + settings.poll_interval + Duration::from_millis(u64::try_from(part).unwrap_or(0))
    });
    memory.poll_at = Some(at);
    at.duration_since(now).max(Duration::from_millis(50))
}

async fn run(
    shared: &Shared,
    app: Arc<Application>,
    name: &ObjectName,
    memory: &mut Memory,
    now: Time,
) -> Result<Option<Duration>, Problem> {
    let destination = validate(shared, &app)?;
    let cluster = clusters::cluster(shared, &destination).await?;
    let work = Work { shared, app, name, destination, cluster, now };
    if work.app.is_deleting() {
        return finalize::finalize(&work, memory).await;
    }
    let refresh = work.app.annotation(annotations::REFRESH).map(str::to_owned);
    if refresh.as_deref() == Some("hard") {
        memory.render = None;
        work.cluster.forget_predictions();
    }
    let source = the_source(&work.app)?;
    let freshness = freshness(shared, memory, refresh.is_some());
    let wanted = want(&work, memory, source, &source.target_revision, freshness).await?;
    let outcome = operation::drive(&work, memory, &wanted).await?;
    let comparison = outcome.comparison.as_ref().unwrap_or(&wanted.comparison);
    let health = assess::assess_all(&work, comparison).await;
    let seen = Seen {
        comparison: Some(comparison),
        rolled_up: Some(assess::roll_up(&work.app, comparison, &health)),
        health: Some(&health),
        revisions: vec![wanted.manifests.revision.clone()],
        source_types: vec![wanted.manifests.source_type],
        operation_state: outcome.state,
        synced: outcome.synced,
        problems: comparison.problems.iter().cloned().chain(outcome.problems).collect(),
        controller_namespace: &shared.options.namespace,
    };
    // The operation may have been stored in the meantime: what was seen is laid over the newest state.
    let newest =
        shared.store.application(name).and_then(|stored| stored.application.ok()).unwrap_or(work.app);
    let status = compose(&newest, &seen, Time::new(jiff::Timestamp::now()));
    let changes = Changes {
        refresh_heard: refresh.is_some(),
        operation_taken: outcome.operation_taken,
        finalizers: None,
    };
    write(shared, &newest, &status, &changes).await?;
    Ok(outcome.again)
}

/// Writes status; a conflict or a lost connection is a problem that passes.
pub(super) async fn write(
    shared: &Shared,
    app: &Application,
    status: &ApplicationStatus,
    changes: &Changes,
) -> Result<(), Problem> {
    publish(shared, app, status, changes).await.map_err(|error| {
        let message = format!("the status of {} could not be written: {error}", app.name());
        Problem::retry(Stage::Sync, Cause::DestinationUnreachable, message)
    })
}

fn freshness(shared: &Shared, memory: &Memory, refresh: bool) -> Freshness {
    let due = memory.poll_at.is_some_and(|at| at <= Instant::now());
    if refresh {
        Freshness::Now
    } else if due {
        Freshness::Within(shared.store.argocd_cm().poll_interval / 2)
    } else {
        Freshness::Within(Duration::from_secs(3600))
    }
}

fn invalid(message: impl Into<String>) -> Problem {
    Problem::stalled(Stage::Validate, Cause::InvalidSpec, message)
}

/// What does not depend on the source: destination and project.
pub(super) fn validate(shared: &Shared, app: &Application) -> Result<Destination, Problem> {
    let wanted = &app.spec.destination;
    if !wanted.server.is_empty() && !wanted.name.is_empty() {
        return Err(invalid("spec.destination has both server and name: keep one of them"));
    }
    if wanted.server.is_empty() && wanted.name.is_empty() {
        return Err(invalid("spec.destination has neither server nor name: set one of them"));
    }
    let destination =
        shared.store.destination(&wanted.server, &wanted.name, &wanted.namespace).ok_or_else(|| {
            let cluster = if wanted.server.is_empty() { &wanted.name } else { &wanted.server };
            invalid(format!(
                "there are no clusters with this name or address: {cluster}; add a cluster Secret for it"
            ))
        })?;
    if let Some(policy) = &app.spec.sync_policy
        && let Some(retry) = &policy.retry
    {
        retry.wait_before(0).map_err(|error| invalid(format!("spec.syncPolicy.retry.backoff: {error}")))?;
    }
    let Some(project) = shared.store.project(&shared.options.namespace, app.project()) else {
        // Argo CD makes the default project by itself, and it allows everything.
        if app.project() == "default" {
            return Ok(destination);
        }
        return Err(invalid(format!(
            "application references project {} which does not exist",
            app.project()
        )));
    };
    let refused = |what: String| Problem::stalled(Stage::Validate, Cause::NotPermitted, what);
    for source in app.spec.all_sources() {
        if !permits_source(&project.spec, &source.repo_url) {
            let url = crate::source::RepoUrl::parse(&source.repo_url)
                .map(|url| url.to_string())
                .unwrap_or_default();
            return Err(refused(format!(
                "application repo {url} is not permitted in project '{}'",
                app.project()
            )));
        }
    }
    if !permits_destination(&project.spec, &destination) {
        return Err(refused(format!(
            "application destination server '{}' and namespace '{}' do not match any of the allowed destinations in \
             project '{}'",
            destination.server,
            destination.namespace,
            app.project()
        )));
    }
    Ok(destination)
}

pub(super) fn the_source(app: &Application) -> Result<&ApplicationSource, Problem> {
    let unsupported = |what: &str| Problem::stalled(Stage::Validate, Cause::NotSupported, what.to_owned());
    if !app.spec.sources.is_empty() {
        return Err(unsupported("spec.sources: several sources are not supported yet; use spec.source"));
    }
    if app.spec.source_hydrator.is_some() {
        return Err(unsupported("spec.sourceHydrator is not supported yet; use spec.source"));
    }
    if !app.spec.destinations.is_empty() {
        return Err(unsupported("spec.destinations is not supported yet; use spec.destination"));
    }
    let source =
        app.spec.source.as_ref().ok_or_else(|| invalid("spec.source is missing: name a repository"))?;
    Ok(source)
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
    let system = Customizations::read(&work.shared.store.argocd_cm().data);
    let rules = IgnoreRules::read(&work.app.spec.ignore_differences, &system, &JqPaths);
    let (manifests, comparison) = look(work, objects, &revision.id, &rules.0).await?;
    let mut comparison = comparison;
    comparison.problems.extend(rules.1.iter().map(|rule| invalid(rule.to_string())));
    Ok(Wanted { manifests, comparison, rules: rules.0 })
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
    objects: Vec<Arc<Manifest>>,
    source_type: SourceType,
    warnings: Vec<String>,
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

/// Marks the objects, observes the cluster, and compares.
async fn look(
    work: &Work<'_>,
    rendering: Rendering,
    revision: &str,
    rules: &IgnoreRules,
) -> Result<(Manifests, Comparison), Problem> {
    let scopes = scopes(work, &rendering.objects).await?;
    let settings = work.shared.store.argocd_cm();
    let instance = work.app.instance_name(&work.shared.options.namespace);
    let tracking = Tracking {
        instance: &instance,
        method: settings.tracking,
        label: &settings.instance_label,
        namespace: &work.destination.namespace,
        installation_id: &settings.installation_id,
    };
    let scope_of = |object: &Manifest| scopes.get(&object.gvk()).copied().unwrap_or(Scope::Unknown);
    let objects = track(&rendering.objects, &tracking, scope_of);
    let manifests = Manifests {
        objects,
        source_type: rendering.source_type,
        revision: revision.to_owned(),
        warnings: rendering.warnings,
    };
    let comparison = compare_again(work, &manifests, rules).await?;
    Ok((manifests, comparison))
}

/// Observes and compares the same manifests anew, after writes.
pub(super) async fn compare_again(
    work: &Work<'_>,
    manifests: &Manifests,
    rules: &IgnoreRules,
) -> Result<Comparison, Problem> {
    let seen = observe(work, manifests, &work.instance()).await?;
    let mut comparison = compare(manifests, &seen, Comparing { ignore: rules });
    refuse_unknown_kinds(&mut comparison, &seen);
    refuse_kinds(work, &mut comparison, &seen);
    Ok(comparison)
}

type Scopes = std::collections::BTreeMap<GroupVersionKind, Scope>;

async fn scopes(work: &Work<'_>, objects: &[Arc<Manifest>]) -> Result<Scopes, Problem> {
    let mut scopes = Scopes::new();
    for gvk in objects.iter().map(|object| object.gvk()).collect::<BTreeSet<_>>() {
        let found = work.cluster.discovery().find(&gvk).await.map_err(|error| {
            let message = format!("cluster {} does not answer: {error}", work.destination.server);
            Problem::retry(Stage::Observe, Cause::DestinationUnreachable, message)
        })?;
        let scope = match found {
            Some(kind) if kind.namespaced => Scope::Namespaced,
            Some(_) => Scope::Cluster,
            None => Scope::Unknown,
        };
        scopes.insert(gvk, scope);
    }
    Ok(scopes)
}

/// Observes what the manifests want, what the application used before, and the destination's namespace.
pub(super) async fn observe(
    work: &Work<'_>,
    manifests: &Manifests,
    instance: &str,
) -> Result<Observation, Problem> {
    let known_kinds = work.known_kinds();
    let request = ObserveRequest {
        desired: &manifests.objects,
        known_kinds: &known_kinds,
        also: &[],
        instance,
        predict: true,
        now: work.now,
    };
    work.cluster.observe(&request).await
}

/// An object of a kind that the cluster does not know, and that no CRD of the same set brings.
fn refuse_unknown_kinds(comparison: &mut Comparison, seen: &Observation) {
    let brought: BTreeSet<(String, String)> = comparison
        .resources
        .iter()
        .filter(|one| one.key.kind == "CustomResourceDefinition")
        .filter_map(|one| {
            let body = one.desired.as_ref()?.body();
            let text = |path: &[&str]| crate::object::str_at(body, path).map(str::to_owned);
            Some((text(&["spec", "group"])?, text(&["spec", "names", "kind"])?))
        })
        .collect();
    let mut problems = Vec::new();
    for one in &mut comparison.resources {
        let kind = one.key.group_kind();
        let known = seen.namespaced.contains(&kind) || seen.cluster_scoped.contains(&kind);
        let skips = one.annotations.options.switch("SkipDryRunOnMissingResource") == Some(true);
        if known
            || skips
            || brought.contains(&(kind.group.clone(), kind.kind.clone()))
            || one.problem.is_some()
        {
            continue;
        }
        let problem = Problem::stalled(
            Stage::Compare,
            Cause::KindUnknown,
            format!(
                "The Kubernetes API could not find {kind} for requested resource {}/{}. Make sure the \"{}\" CRD is \
                 installed on the destination cluster",
                one.key.namespace, one.key.name, kind.kind
            ),
        );
        one.problem = Some(problem.clone());
        problems.push(problem);
    }
    comparison.problems.extend(problems);
}

/// Objects whose kind the project does not allow.
fn refuse_kinds(work: &Work<'_>, comparison: &mut Comparison, seen: &Observation) {
    let Some(project) = work.shared.store.project(&work.shared.options.namespace, work.app.project()) else {
        return;
    };
    let mut problems = Vec::new();
    for one in comparison.resources.iter_mut().filter(|one| one.desired.is_some()) {
        let namespaced = !seen.cluster_scoped.contains(&one.key.group_kind());
        let destination = Destination { namespace: one.key.namespace.clone(), ..work.destination.clone() };
        let permitted = permits_kind(&project.spec, &one.key, namespaced)
            && (!namespaced || permits_destination(&project.spec, &destination));
        if !permitted && one.problem.is_none() {
            let problem = Problem::stalled(
                Stage::Sync,
                Cause::NotPermitted,
                format!(
                    "resource {} is not permitted in project {}",
                    kind_and_name(&one.key),
                    work.app.project()
                ),
            );
            one.problem = Some(problem.clone());
            problems.push(problem);
        }
    }
    comparison.problems.extend(problems);
}

fn kind_and_name(key: &ResourceKey) -> String {
    format!("{}:{} {}/{}", key.group, key.kind, key.namespace, key.name)
}
