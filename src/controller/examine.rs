//! Everything that says why an application is as it is, read once: for `tiphys explain`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::join_all;
use serde_json::{Value, json};

use crate::api::{Application, HealthCode, SyncCode, Time};
use crate::explain::{Evidence, Explanation, explain};
use crate::flow::{
    Comparison, EndpointFacts, EventFacts, HealthStatus, NoController, ObjectName, PodCause, Problem,
};
use crate::health::cause;
use crate::health::workload::Grace;
use crate::object::{Manifest, ResourceKey, at, str_at};
use crate::source::Freshness;

use super::inspect::read_one;
use super::leader::absence;
use super::reconcile::Work;
use super::rendering::{Asked, want};
use super::validate::validate;
use super::{Controller, Shared, assess, clusters};

/// Objects whose field owners are read.
const MOST_OWNERS: usize = 20;
/// Namespaces whose events are read.
const MOST_NAMESPACES: usize = 8;

/// What was read.
pub struct Examination {
    app: Arc<Application>,
    problem: Option<Problem>,
    revision: String,
    comparison: Option<Comparison>,
    rolled_up: Option<HealthCode>,
    health: BTreeMap<ResourceKey, HealthStatus>,
    managed_fields: BTreeMap<ResourceKey, Value>,
    pods: BTreeMap<ResourceKey, Vec<PodCause>>,
    events: Vec<EventFacts>,
    endpoints: BTreeMap<ResourceKey, EndpointFacts>,
    no_controller: Option<NoController>,
}

impl Examination {
    /// Why the application is as it is.
    pub fn explain(&self) -> Explanation {
        explain(&Evidence {
            app: &self.app,
            problem: self.problem.as_ref(),
            revision: &self.revision,
            comparison: self.comparison.as_ref(),
            rolled_up: self.rolled_up,
            health: &self.health,
            managed_fields: &self.managed_fields,
            pods: &self.pods,
            events: &self.events,
            endpoints: &self.endpoints,
            no_controller: self.no_controller.as_ref(),
        })
    }

    /// What is known of an application of which no stage was reached.
    fn of(app: Arc<Application>) -> Self {
        Self {
            app,
            problem: None,
            revision: String::new(),
            comparison: None,
            rolled_up: None,
            health: BTreeMap::new(),
            managed_fields: BTreeMap::new(),
            pods: BTreeMap::new(),
            events: Vec::new(),
            endpoints: BTreeMap::new(),
            no_controller: None,
        }
    }
}

impl Controller {
    /// Looks at one Application as a reconcile would, and at everything that explains what it finds. Writes nothing.
    ///
    /// # Errors
    /// Where there is no such Application, or the cluster does not answer.
    pub async fn examine(self, name: &ObjectName) -> Result<Examination, Problem> {
        let shared = self.shared();
        let app = read_one(&shared, name).await?;
        let mut examination = Examination::of(Arc::clone(&app));
        let now = Time::new(jiff::Timestamp::now());
        examination.no_controller = absence(&shared.client, &shared.options.namespace, now).await;
        if let Err(problem) = look(&shared, name, &app, &mut examination).await {
            examination.problem = Some(problem);
        }
        Ok(examination)
    }
}

async fn look(
    shared: &Shared,
    name: &ObjectName,
    app: &Arc<Application>,
    into: &mut Examination,
) -> Result<(), Problem> {
    let destination = validate(shared, app)?;
    let cluster = clusters::cluster(shared, &destination).await?;
    let now = Time::new(jiff::Timestamp::now());
    let work = Work { shared, app: Arc::clone(app), name, destination, cluster, now, recall: Arc::default() };
    let wanted = want(&work, &Asked::of_spec(app)?, Freshness::Now).await?;
    into.revision = wanted.manifests.all_revisions().join(", ");
    let comparison = wanted.comparison;
    into.health = assess::assess_undamped(&work, &comparison).await;
    into.rolled_up = Some(assess::roll_up(app, &comparison, &into.health).0);
    into.managed_fields = owners(&work, &comparison).await;
    let unwell: Vec<(&ResourceKey, &Manifest)> = comparison
        .resources
        .iter()
        .filter(|one| into.health.get(&one.key).is_some_and(|health| health.status != HealthCode::Healthy))
        .filter_map(|one| Some((&one.key, one.live.as_deref()?)))
        .collect();
    into.pods = pods(&work, &unwell).await;
    let namespaces: BTreeSet<&str> = unwell.iter().map(|(key, _)| key.namespace.as_str()).collect();
    let events = namespaces.into_iter().filter(|name| !name.is_empty()).take(MOST_NAMESPACES);
    into.events =
        join_all(events.map(|name| work.cluster.events(name))).await.into_iter().flatten().collect();
    into.endpoints = endpoints(&work, &comparison).await;
    into.comparison = Some(comparison);
    Ok(())
}

/// managedFields of objects that differ in the cluster.
async fn owners(work: &Work<'_>, comparison: &Comparison) -> BTreeMap<ResourceKey, Value> {
    let differ = comparison
        .resources
        .iter()
        .filter(|one| one.status == SyncCode::OutOfSync && !one.differences.is_empty() && one.live.is_some());
    let asked = differ.take(MOST_OWNERS).map(|one| async move {
        let live = one.live.as_ref()?;
        Some((one.key.clone(), work.cluster.managed_fields(&live.gvk(), &one.key).await?))
    });
    join_all(asked).await.into_iter().flatten().collect()
}

async fn pods(work: &Work<'_>, unwell: &[(&ResourceKey, &Manifest)]) -> BTreeMap<ResourceKey, Vec<PodCause>> {
    let namespaces: BTreeSet<String> = unwell.iter().map(|(key, _)| key.namespace.clone()).collect();
    let view = work.cluster.workloads(&work.instance(), &namespaces).await;
    let annotations = serde_json::to_value(&work.app.metadata.annotations).unwrap_or_default();
    let of_app = Grace::of(&json!({"metadata": {"annotations": annotations}}));
    let mut all = BTreeMap::new();
    for (key, live) in unwell {
        let startup = Grace::of(live.body()).or(of_app).startup.map(|grace| grace.as_secs());
        let causes: Vec<PodCause> = view
            .pods_of(live.body())
            .into_iter()
            .filter_map(|pod| {
                let Some(cause) = cause::of_pod(pod, &view.capacity, startup, work.now) else {
                    return PodCause::of_failed(pod);
                };
                let message =
                    if cause.message.is_empty() { pod.unscheduled_message.clone() } else { cause.message };
                Some(PodCause {
                    pod: pod.name.clone(),
                    reason: cause.reason,
                    message,
                    since: cause.facts.since,
                })
            })
            .collect();
        if !causes.is_empty() {
            all.insert((*key).clone(), causes);
        }
    }
    all
}

async fn endpoints(work: &Work<'_>, comparison: &Comparison) -> BTreeMap<ResourceKey, EndpointFacts> {
    let mut services: BTreeMap<&str, Vec<(&str, &Value)>> = BTreeMap::new();
    for one in &comparison.resources {
        let Some(live) = one.live.as_ref().filter(|_| one.key.kind == "Service" && one.key.group.is_empty())
        else {
            continue;
        };
        let selector = at(live.body(), &["spec", "selector"])
            .filter(|selector| selector.as_object().is_some_and(|pairs| !pairs.is_empty()));
        let external = str_at(live.body(), &["spec", "type"]) == Some("ExternalName");
        if let (Some(selector), false) = (selector, external) {
            services.entry(&one.key.namespace).or_default().push((&one.key.name, selector));
        }
    }
    let mut all = BTreeMap::new();
    for (namespace, services) in services.into_iter().take(MOST_NAMESPACES) {
        for (name, facts) in work.cluster.endpoints(namespace, &services).await {
            all.insert(ResourceKey::new("", "Service", namespace, name), facts);
        }
    }
    all
}
