//! Defaults of built-in kinds, which an API server fills in.
//!
//! Both sides get them, so that a field that Git names with its default, or no longer names, is no difference.

use serde_json::{Map, Value, json};

use crate::object::{at_mut, str_at};

type Fields = Map<String, Value>;

/// Fills in what the API server would.
pub(super) fn add_defaults(body: &mut Value) {
    let kind = str_at(body, &["kind"]).unwrap_or_default().to_owned();
    for (known, path) in POD_SPECS {
        if *known == kind
            && let Some(Value::Object(pod)) = at_mut(body, path)
        {
            pod_spec(pod);
        }
    }
    let Some(spec) = body.get_mut("spec").and_then(Value::as_object_mut) else {
        if kind == "Secret"
            && let Some(fields) = body.as_object_mut()
        {
            add(fields, &json!({"type": "Opaque"}));
        }
        return;
    };
    match kind.as_str() {
        "Service" => service(spec),
        "Deployment" => {
            add(
                spec,
                &json!({"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
                "strategy": {"type": "RollingUpdate"}}),
            );
            rolling(spec, "strategy", &json!({"maxUnavailable": "25%", "maxSurge": "25%"}));
        }
        "DaemonSet" => {
            add(spec, &json!({"revisionHistoryLimit": 10, "updateStrategy": {"type": "RollingUpdate"}}));
            rolling(spec, "updateStrategy", &json!({"maxUnavailable": 1, "maxSurge": 0}));
        }
        "StatefulSet" => {
            add(
                spec,
                &json!({"replicas": 1, "revisionHistoryLimit": 10, "podManagementPolicy": "OrderedReady",
                "updateStrategy": {"type": "RollingUpdate"}}),
            );
            rolling(spec, "updateStrategy", &json!({"partition": 0}));
        }
        "ReplicaSet" => add(spec, &json!({"replicas": 1})),
        "CronJob" => add(
            spec,
            &json!({"concurrencyPolicy": "Allow", "suspend": false,
            "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1}),
        ),
        "NetworkPolicy" => network_policy(spec),
        "PersistentVolumeClaim" => add(spec, &json!({"volumeMode": "Filesystem"})),
        "HorizontalPodAutoscaler" => add(spec, &json!({"minReplicas": 1})),
        _ => {}
    }
}

/// Where the pods of a kind are described.
const POD_SPECS: &[(&str, &[&str])] = &[
    ("Pod", &["spec"]),
    ("Deployment", &["spec", "template", "spec"]),
    ("DaemonSet", &["spec", "template", "spec"]),
    ("StatefulSet", &["spec", "template", "spec"]),
    ("ReplicaSet", &["spec", "template", "spec"]),
    ("ReplicationController", &["spec", "template", "spec"]),
    ("Job", &["spec", "template", "spec"]),
    ("CronJob", &["spec", "jobTemplate", "spec", "template", "spec"]),
];

fn add(fields: &mut Fields, defaults: &Value) {
    for (name, value) in defaults.as_object().into_iter().flatten() {
        fields.entry(name.clone()).or_insert_with(|| value.clone());
    }
}

fn each<'a>(fields: &'a mut Fields, list: &str) -> impl Iterator<Item = &'a mut Fields> {
    fields.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}

fn rolling(spec: &mut Fields, strategy: &str, defaults: &Value) {
    let Some(Value::Object(strategy)) = spec.get_mut(strategy) else { return };
    strategy.entry("type").or_insert_with(|| "RollingUpdate".into());
    if strategy.get("type").is_some_and(|kind| kind == "RollingUpdate")
        && let Value::Object(update) = strategy.entry("rollingUpdate").or_insert_with(|| json!({}))
    {
        add(update, defaults);
    }
}

fn service(spec: &mut Fields) {
    add(spec, &json!({"sessionAffinity": "None", "type": "ClusterIP"}));
    for port in each(spec, "ports") {
        add(port, &json!({"protocol": "TCP"}));
        if let Some(number) = port.get("port").cloned() {
            port.entry("targetPort").or_insert(number);
        }
    }
}

fn network_policy(spec: &mut Fields) {
    let egress = spec.get("egress").and_then(Value::as_array).is_some_and(|rules| !rules.is_empty());
    add(
        spec,
        &json!({"policyTypes": if egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) }}),
    );
    for list in ["ingress", "egress"] {
        for rule in each(spec, list) {
            each(rule, "ports").for_each(|port| add(port, &json!({"protocol": "TCP"})));
        }
    }
}

fn pod_spec(pod: &mut Fields) {
    add(
        pod,
        &json!({"dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "securityContext": {},
        "terminationGracePeriodSeconds": 30, "schedulerName": "default-scheduler"}),
    );
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        each(pod, list).for_each(container);
    }
    for volume in each(pod, "volumes") {
        for source in ["configMap", "secret", "projected", "downwardAPI"] {
            if let Some(Value::Object(source)) = volume.get_mut(source) {
                add(source, &json!({"defaultMode": 420}));
            }
        }
        if volume.len() == 1 {
            add(volume, &json!({"emptyDir": {}}));
        }
    }
}

fn container(container: &mut Fields) {
    add(
        container,
        &json!({"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}),
    );
    let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
    let name = image.rsplit('/').next().unwrap_or_default();
    let latest = !image.contains('@') && (!name.contains(':') || name.ends_with(":latest"));
    let policy = if latest { "Always" } else { "IfNotPresent" };
    add(container, &json!({"imagePullPolicy": policy}));
    each(container, "ports").for_each(|port| add(port, &json!({"protocol": "TCP"})));
    for variable in each(container, "env") {
        if let Some(Value::Object(from)) = variable.get_mut("valueFrom")
            && let Some(Value::Object(field)) = from.get_mut("fieldRef")
        {
            add(field, &json!({"apiVersion": "v1"}));
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(Value::Object(probe)) = container.get_mut(probe) {
            add(
                probe,
                &json!({"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}),
            );
            if let Some(Value::Object(get)) = probe.get_mut("httpGet") {
                add(get, &json!({"path": "/", "scheme": "HTTP"}));
            }
        }
    }
    if let Some(Value::Object(resources)) = container.get_mut("resources")
        && let Some(Value::Object(limits)) = resources.get("limits").cloned()
        && let Value::Object(requests) = resources.entry("requests").or_insert_with(|| json!({}))
    {
        for (name, limit) in limits {
            requests.entry(name).or_insert(limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_default_is_no_difference() {
        let mut named = json!({"kind": "Deployment", "spec": {"replicas": 1, "template": {"spec": {
            "containers": [{"name": "a", "image": "x:1", "imagePullPolicy": "IfNotPresent"}]}}}});
        let mut silent = json!({"kind": "Deployment", "spec": {"template": {"spec": {
            "containers": [{"name": "a", "image": "x:1"}]}}}});
        add_defaults(&mut named);
        add_defaults(&mut silent);
        assert_eq!(named, silent);
    }
}
