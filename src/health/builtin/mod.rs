//! Rules in code for the kinds of Kubernetes itself (and Argo's Workflow), one file per kind, equal to those of
//! Argo CD's own engine.

mod api_service;
mod cron_job;
mod daemon_set;
mod deployment;
mod horizontal_pod_autoscaler;
mod ingress;
mod job;
mod persistent_volume_claim;
mod pod;
mod replica_set;
mod service;
mod stateful_set;
mod workflow;

use serde_json::Value;

use super::field::WrongType;
use crate::flow::{HealthStatus, Reason};

type Rule = fn(&Value) -> Result<HealthStatus, WrongType>;

/// A rule in code: the kind, the versions that it reads (empty for all), and the function.
struct Builtin {
    group: &'static str,
    kind: &'static str,
    versions: &'static [&'static str],
    rule: Rule,
}

const fn builtin(
    group: &'static str,
    kind: &'static str,
    versions: &'static [&'static str],
    rule: Rule,
) -> Builtin {
    Builtin { group, kind, versions, rule }
}

const BUILTINS: &[Builtin] = &[
    builtin("", "PersistentVolumeClaim", &["v1"], persistent_volume_claim::rule),
    builtin("", "Pod", &["v1"], pod::rule),
    builtin("", "Service", &["v1"], service::rule),
    builtin("apiregistration.k8s.io", "APIService", &["v1", "v1beta1"], api_service::rule),
    builtin("apps", "DaemonSet", &["v1"], daemon_set::rule),
    builtin("apps", "Deployment", &["v1"], deployment::rule),
    builtin("apps", "ReplicaSet", &["v1"], replica_set::rule),
    builtin("apps", "StatefulSet", &["v1"], stateful_set::rule),
    builtin("argoproj.io", "Workflow", &[], workflow::rule),
    builtin(
        "autoscaling",
        "HorizontalPodAutoscaler",
        &["v1", "v2", "v2beta1", "v2beta2"],
        horizontal_pod_autoscaler::rule,
    ),
    builtin("batch", "CronJob", &[], cron_job::rule),
    builtin("batch", "Job", &["v1"], job::rule),
    builtin("extensions", "Ingress", &[], ingress::rule),
    builtin("networking.k8s.io", "Ingress", &[], ingress::rule),
];

/// Group and kind of every rule in code.
pub(super) fn kinds() -> impl Iterator<Item = (&'static str, &'static str)> {
    BUILTINS.iter().map(|builtin| (builtin.group, builtin.kind))
}

/// Applies the rule in code of a kind, if it has one.
pub(super) fn assess(group: &str, version: &str, kind: &str, object: &Value) -> Option<HealthStatus> {
    let builtin = BUILTINS.iter().find(|known| known.group == group && known.kind == kind)?;
    if !builtin.versions.is_empty() && !builtin.versions.contains(&version) {
        let message = format!("no health rule reads version {version} of {kind}");
        return Some(HealthStatus::unknown(message).because(Reason::RuleFailed));
    }
    let health = (builtin.rule)(object).unwrap_or_else(|wrong| {
        HealthStatus::unknown(format!("cannot read this {kind}: {wrong}")).because(Reason::RuleFailed)
    });
    Some(health)
}

/// `metadata.generation` and `status.observedGeneration`, 0 where they are absent.
fn generations(object: &Value, status: &Value) -> Result<(i64, i64), WrongType> {
    let metadata = super::field::mapping(object, "metadata")?;
    Ok((super::field::count(metadata, "generation")?, super::field::count(status, "observedGeneration")?))
}
