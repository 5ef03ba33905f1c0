//! Rules in code for kinds outside of Kubernetes whose health takes more than a table of conditions: counting,
//! comparing lists, looking into parents and listeners. Equal to Argo CD's.

mod argo_rollout;
mod cluster_api;
mod flux;
mod gateway;
mod gloo;
mod knative;
mod kruise;
mod open_cluster;
mod operators;
mod promoter;
mod promotion;
mod secrets;
mod spark;
mod storage;
mod streams;
mod workloads;

use serde_json::Value;

use crate::flow::{HealthStatus, Reason};
use crate::object::{list_at, str_at};

type Rule = fn(&Value) -> HealthStatus;

const RULES: &[(&str, &str, Rule)] = &[
    ("apps.kruise.io", "DaemonSet", kruise::daemon_set),
    ("apps.kruise.io", "StatefulSet", kruise::stateful_set),
    ("argoproj.io", "Rollout", argo_rollout::rule),
    ("cassandra.rook.io", "Cluster", storage::cassandra),
    ("ceph.rook.io", "CephCluster", storage::ceph_cluster),
    ("cluster.x-k8s.io", "MachinePool", cluster_api::machine_pool),
    ("controlplane.cluster.x-k8s.io", "AWSManagedControlPlane", cluster_api::aws_control_plane),
    ("core.spinkube.dev", "SpinApp", workloads::spin_app),
    ("elasticsearch.k8s.elastic.co", "Elasticsearch", storage::elasticsearch),
    ("external-secrets.io", "ClusterExternalSecret", secrets::cluster_external_secret),
    ("flagger.app", "Canary", workloads::canary),
    ("game.kruise.io", "GameServerSet", kruise::game_server_set),
    ("gateway.networking.k8s.io", "BackendTLSPolicy", gateway::backend_tls_policy),
    ("gateway.networking.k8s.io", "GRPCRoute", gateway::grpc_route),
    ("gateway.networking.k8s.io", "Gateway", gateway::gateway),
    ("gateway.networking.k8s.io", "HTTPRoute", gateway::http_route),
    ("gateway.solo.io", "Gateway", gloo::rule),
    ("gateway.solo.io", "MatchableHttpGateway", gloo::rule),
    ("gateway.solo.io", "RouteOption", gloo::rule),
    ("gateway.solo.io", "RouteTable", gloo::rule),
    ("gateway.solo.io", "VirtualHostOption", gloo::rule),
    ("gateway.solo.io", "VirtualService", gloo::rule),
    ("gloo.solo.io", "Proxy", gloo::rule),
    ("gloo.solo.io", "Settings", gloo::rule),
    ("gloo.solo.io", "Upstream", gloo::rule),
    ("gloo.solo.io", "UpstreamGroup", gloo::rule),
    ("grafana.integreatly.org", "GrafanaDashboard", operators::grafana),
    ("grafana.integreatly.org", "GrafanaFolder", operators::grafana),
    ("k8s.keycloak.org", "Keycloak", secrets::keycloak),
    ("kafka.banzaicloud.io", "KafkaCluster", streams::kafka_cluster),
    ("kubernetes-client.io", "ExternalSecret", secrets::external_secret),
    ("kubevirt.io", "VirtualMachine", workloads::virtual_machine),
    ("microgateway.airlock.com", "*", gateway::microgateway),
    ("opentelemetry.io", "OpenTelemetryCollector", workloads::telemetry_collector),
    ("operator.knative.dev", "KnativeEventing", knative::eventing),
    ("operator.knative.dev", "KnativeServing", knative::serving),
    ("operators.coreos.com", "Subscription", operators::subscription),
    ("policy.open-cluster-management.io", "ConfigurationPolicy", open_cluster::configuration_policy),
    ("policy.open-cluster-management.io", "Policy", open_cluster::policy),
    ("promoter.argoproj.io", "ChangeTransferPolicy", promotion::change_transfer_policy),
    ("promoter.argoproj.io", "GitCommitStatus", promoter::git_commit_status),
    ("promoter.argoproj.io", "PromotionStrategy", promotion::strategy),
    ("promoter.argoproj.io", "TimedCommitStatus", promoter::timed_commit_status),
    ("promoter.argoproj.io", "WebRequestCommitStatus", promoter::web_request_commit_status),
    ("route.openshift.io", "Route", operators::route),
    ("serving.knative.dev", "Service", knative::service),
    ("serving.kserve.io", "InferenceService", knative::inference_service),
    ("source.toolkit.fluxcd.io", "Bucket", flux::source),
    ("source.toolkit.fluxcd.io", "GitRepository", flux::source),
    ("source.toolkit.fluxcd.io", "HelmChart", flux::source),
    ("source.toolkit.fluxcd.io", "HelmRepository", flux::helm_repository),
    ("source.toolkit.fluxcd.io", "OCIRepository", flux::source),
    ("sparkoperator.k8s.io", "SparkApplication", spark::rule),
];

/// Group and kind of every rule of this module; a kind may be `*`.
pub(super) fn kinds() -> impl Iterator<Item = (&'static str, &'static str)> {
    RULES.iter().map(|(group, kind, _)| (*group, *kind))
}

/// Applies the rule of a kind, if it has one here.
pub(super) fn assess(group: &str, kind: &str, object: &Value) -> Option<HealthStatus> {
    let matches = |(of_group, of_kind, _): &&(&str, &str, Rule)| {
        *of_group == group && (*of_kind == kind || *of_kind == "*")
    };
    RULES.iter().find(matches).map(|(_, _, rule)| rule(object))
}

/// The status of an object, if it has one.
fn status(object: &Value) -> Option<&Value> {
    object.get("status").filter(|status| !status.is_null())
}

/// The conditions of an object's status; nothing where there is no list of them.
fn conditions(object: &Value) -> Option<&[Value]> {
    object.get("status")?.get("conditions")?.as_array().map(Vec::as_slice)
}

/// A field as text, empty where it is none.
fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    str_at(value, &[field]).unwrap_or_default()
}

/// Whether a condition has a type and a status.
fn is(condition: &Value, kind: &str, status: &str) -> bool {
    text(condition, "type") == kind && text(condition, "status") == status
}

/// The message of a condition, or other words where it has none.
fn message_or<'a>(condition: &'a Value, otherwise: &'a str) -> &'a str {
    str_at(condition, &["message"]).unwrap_or(otherwise)
}

/// A number anywhere in an object.
fn number(value: &Value, path: &[&str]) -> Option<f64> {
    crate::object::at(value, path)?.as_f64()
}

/// A number as a script prints it.
fn printed(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 { format!("{number:.0}") } else { number.to_string() }
}

/// Whether a list is there and holds something.
fn has_items(value: &Value, path: &[&str]) -> bool {
    !list_at(value, path).is_empty()
}

/// The rule needs a field that is not there.
fn needs(field: &str) -> HealthStatus {
    HealthStatus::unknown(format!("the health rule needs {field}, which is not there"))
        .because(Reason::RuleFailed)
}
