//! What runs, and does not run well: workloads, their pods, events, Services without endpoints.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::api::HealthCode;
use crate::flow::{EventFacts, HealthStatus, PodCause, Reason, ResourceComparison};
use crate::object::{Manifest, ResourceKey, at, str_at};

use super::{Evidence, Finding, Found, Level, named, rank};

/// Pods with different causes, and events, that are shown below one object.
const MOST_BELOW: usize = 4;
/// The longest message of a pod or an event, in characters.
const LONGEST: usize = 300;

/// Objects that are not healthy.
pub(super) fn unhealthy(evidence: &Evidence<'_>, found: &mut Found) {
    let hooks: BTreeSet<&ResourceKey> = evidence
        .comparison
        .iter()
        .flat_map(|comparison| &comparison.resources)
        .filter(|one| one.annotations.is_hook())
        .map(|one| &one.key)
        .collect();
    for (key, health) in evidence.health {
        let rank = match health.status {
            HealthCode::Degraded | HealthCode::Unknown => rank::FAILED,
            HealthCode::Progressing => rank::WAITING,
            HealthCode::Suspended => rank::WARNING,
            HealthCode::Healthy | HealthCode::Missing => continue,
        };
        if hooks.contains(key) {
            continue;
        }
        let finding = of_object(evidence, key, health);
        // A workload that only waits for another object of the application follows from it.
        match waits_for(evidence, key, health) {
            Some(other) => found.consequences.push(Finding {
                message: format!("{} (waits for {})", finding.message, named(&other)),
                ..finding
            }),
            None => found.cause(rank, finding),
        }
    }
}

fn of_object(evidence: &Evidence<'_>, key: &ResourceKey, health: &HealthStatus) -> Finding {
    let below = below(evidence, key);
    let message = if health.message.is_empty() {
        let said = evidence.events.iter().filter(|event| is_about(event, key)).max_by_key(|event| event.last);
        said.map(|event| event.message.clone()).unwrap_or_else(|| format!("is {}", health.status.as_str()))
    } else {
        health.message.clone()
    };
    let mut finding = Finding::new(Level::Workload, Some(key), shorten(&message));
    finding.reason = health.reason;
    finding.since = health.facts.since;
    finding.advice.extend(health.reason.and_then(|reason| advice(reason, &message)));
    if finding.advice.is_empty() && message.contains("storageclass.storage.k8s.io") {
        finding.advice.push(NO_CLASS.to_owned());
    }
    finding.evidence = below;
    finding
}

const NO_CLASS: &str = "name a storage class that exists, or make one the default";

fn advice(reason: Reason, message: &str) -> Option<String> {
    let text = match reason {
        Reason::WaitingForCapacity => "free or add nodes with this resource, or ask for less",
        Reason::WaitingForQuota => "raise the ResourceQuota or ask for less",
        Reason::ImageMissing => "correct the image's name and tag, or give the pod an imagePullSecret",
        Reason::ConfigMissing => "create the ConfigMap or Secret, or correct its name",
        Reason::CrashLooping | Reason::OutOfMemory => {
            "look at the logs of the container's last run: kubectl logs --previous"
        }
        Reason::WaitingForVolume if message.contains("storage class") => NO_CLASS,
        _ => return None,
    };
    Some(text.to_owned())
}

/// A claim that a workload waits for is the cause; the workload follows from it.
fn waits_for(evidence: &Evidence<'_>, key: &ResourceKey, health: &HealthStatus) -> Option<ResourceKey> {
    if health.reason != Some(Reason::WaitingForVolume) {
        return None;
    }
    let live = live_of(evidence, key)?;
    let spec = at(live.body(), &["spec", "template", "spec"]).or_else(|| at(live.body(), &["spec"]))?;
    let claims = crate::object::list_at(spec, &["volumes"]).iter();
    let claims = claims.filter_map(|volume| str_at(volume, &["persistentVolumeClaim", "claimName"]));
    claims
        .map(|claim| ResourceKey::new("", "PersistentVolumeClaim", &key.namespace, claim))
        .find(|claim| evidence.health.get(claim).is_some_and(|claim| claim.status != HealthCode::Healthy))
}

fn live_of<'a>(evidence: &Evidence<'a>, key: &ResourceKey) -> Option<&'a Manifest> {
    let comparison = evidence.comparison?;
    comparison.resources.iter().find(|one| one.key == *key)?.live.as_deref()
}

/// Pods and events that show what is the matter with an object.
pub(super) fn below(evidence: &Evidence<'_>, key: &ResourceKey) -> Vec<Finding> {
    let empty = Vec::new();
    let causes = evidence.pods.get(key).unwrap_or(&empty);
    let mut below = pods(evidence, key, causes);
    let own: Vec<&EventFacts> = evidence.events.iter().filter(|event| is_about(event, key)).collect();
    below.extend(events(&own));
    below
}

/// One finding per cause; pods with the same words are counted.
fn pods(evidence: &Evidence<'_>, key: &ResourceKey, causes: &[PodCause]) -> Vec<Finding> {
    let mut groups: BTreeMap<(Reason, &str), Vec<&PodCause>> = BTreeMap::new();
    for cause in causes {
        groups.entry((cause.reason, cause.message.as_str())).or_default().push(cause);
    }
    let mut all = Vec::new();
    for ((reason, message), group) in groups.into_iter().take(MOST_BELOW) {
        let Some(first) = group.first() else { continue };
        let pod = ResourceKey::new("", "Pod", &key.namespace, &first.pod);
        let others = match group.len() {
            1 => String::new(),
            2 => " (and 1 more pod)".to_owned(),
            count => format!(" (and {} more pods)", count - 1),
        };
        let message = if message.is_empty() { reason.as_str() } else { message };
        let mut finding = Finding::new(Level::Pod, Some(&pod), format!("{}{others}", shorten(message)));
        finding.reason = Some(reason);
        finding.since = group.iter().filter_map(|one| one.since).min();
        let own: Vec<&EventFacts> = evidence.events.iter().filter(|event| is_about(event, &pod)).collect();
        finding.evidence = events(&own);
        all.push(finding);
    }
    all
}

/// Warnings, the newest first; of a claim everything that its controller says.
fn events(about: &[&EventFacts]) -> Vec<Finding> {
    let mut newest: Vec<&&EventFacts> =
        about.iter().filter(|event| event.warning || event.about.kind == "PersistentVolumeClaim").collect();
    newest.sort_by(|left, right| right.last.cmp(&left.last).then_with(|| left.message.cmp(&right.message)));
    let mut told = BTreeSet::new();
    newest.retain(|event| told.insert(&event.reason));
    let finding = |event: &&EventFacts| {
        let times = if event.count > 1 { format!(" ({} times)", event.count) } else { String::new() };
        let mut finding =
            Finding::new(Level::Event, None, format!("{}{times}: {}", event.reason, shorten(&event.message)));
        finding.since = event.last;
        finding
    };
    newest.into_iter().take(MOST_BELOW).map(finding).collect()
}

/// Whether an event is about an object, or about a ReplicaSet that a Deployment made.
fn is_about(event: &EventFacts, key: &ResourceKey) -> bool {
    if event.about.namespace != key.namespace && !key.namespace.is_empty() {
        return false;
    }
    if event.about.kind == key.kind {
        return event.about.name == key.name;
    }
    let made = event.about.name.strip_prefix(&key.name).and_then(|rest| rest.strip_prefix('-'));
    (key.kind.as_str(), event.about.kind.as_str()) == ("Deployment", "ReplicaSet")
        && made.is_some_and(|hash| !hash.is_empty() && !hash.contains('-'))
}

/// Services whose selector finds nothing that takes requests.
pub(super) fn services(evidence: &Evidence<'_>, found: &mut Found) {
    for (key, facts) in evidence.endpoints {
        if facts.ready > 0 {
            continue;
        }
        let Some(service) = live_of(evidence, key) else { continue };
        let Some(selector) = at(service.body(), &["spec", "selector"]) else { continue };
        let words = labels(selector);
        let message = match facts.pods {
            0 => format!("has no endpoints: no pod has the labels {words}"),
            1 => format!("has no endpoints: the one pod with the labels {words} is not ready"),
            pods => format!("has no endpoints: none of the {pods} pods with the labels {words} is ready"),
        };
        let finding = Finding::new(Level::Workload, Some(key), message);
        match workload_behind(evidence, key, selector) {
            Some(workload) if is_unwell(evidence, &workload.key) => {
                let message = format!("{} (follows from {})", finding.message, named(&workload.key));
                found.consequences.push(Finding { message, ..finding });
            }
            Some(workload) if facts.pods == 0 && wants_none(workload) => {
                let advice = format!("{} is scaled to 0", named(&workload.key));
                found.cause(rank::WARNING, finding.advise(advice));
            }
            Some(_) => found.cause(rank::WARNING, finding),
            None => found.cause(
                rank::WARNING,
                finding.advise(
                    "no workload of this application has pods with these labels: correct spec.selector",
                ),
            ),
        }
    }
}

fn is_unwell(evidence: &Evidence<'_>, key: &ResourceKey) -> bool {
    evidence.health.get(key).is_none_or(|health| health.status != HealthCode::Healthy)
}

fn wants_none(workload: &ResourceComparison) -> bool {
    let replicas = |body: &Value| crate::object::i64_at(body, &["spec", "replicas"]);
    workload.live.as_ref().and_then(|live| replicas(live.body())) == Some(0)
}

/// The workload of the application whose pods a selector means.
fn workload_behind<'a>(
    evidence: &Evidence<'a>,
    service: &ResourceKey,
    selector: &Value,
) -> Option<&'a ResourceComparison> {
    let wanted = selector.as_object()?;
    evidence.comparison?.resources.iter().find(|one| {
        let body = one.live.as_ref().or(one.desired.as_ref()).map(|object| object.body());
        let labels = body.and_then(|body| {
            if one.key.kind == "Pod" {
                at(body, &["metadata", "labels"])
            } else {
                at(body, &["spec", "template", "metadata", "labels"])
            }
        });
        one.key.namespace == service.namespace
            && labels.is_some_and(|labels| wanted.iter().all(|(key, value)| labels.get(key) == Some(value)))
    })
}

fn labels(selector: &Value) -> String {
    let pairs = selector.as_object().into_iter().flatten();
    let words: Vec<String> =
        pairs.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    words.join(",")
}

fn shorten(message: &str) -> String {
    let line = message.replace('\n', " ");
    if line.chars().count() <= LONGEST {
        return line;
    }
    let cut: String = line.chars().take(LONGEST).collect();
    format!("{cut}…")
}
