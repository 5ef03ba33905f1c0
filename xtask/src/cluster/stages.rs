//! The stages that KWOK plays: what a kubelet, a provisioner and a load balancer would report.
//!
//! Pods become Running and Ready at once, Job pods complete. A pod's annotation `tiphys.dev/kwok` asks
//! for another life:
//!
//! | value | what the pod does |
//! |---|---|
//! | `crash-loop` | waits in CrashLoopBackOff after three restarts |
//! | `image-pull-back-off` | waits in ImagePullBackOff: the image does not exist |
//! | `create-error` | waits in CreateContainerConfigError |
//! | `slow-pull` | stays in ContainerCreating for `tiphys.dev/kwok-delay`, then becomes Ready |
//! | `slow-start` | runs at once, becomes Ready after `tiphys.dev/kwok-delay` |
//! | `never-ready` | runs and never becomes Ready |
//! | `fail` | ends with exit code 1 (`tiphys.dev/kwok-delay` after its start) |
//! | `oom` | ends with exit code 137, OOMKilled |
//! | `hang` | a Job's pod that never ends |
//!
//! `tiphys.dev/kwok-delay` (a Go duration such as `5s`) also says how long a Job's pod runs.

use serde_json::{Value, json};

const BEHAVIOUR: &str = r#".metadata.annotations["tiphys.dev/kwok"]"#;
const DELAY: &str = r#".metadata.annotations["tiphys.dev/kwok-delay"]"#;

/// All stages, as a stream of documents.
pub(super) fn documents() -> String {
    let mut stages = vec![node_ready(), node_heartbeat()];
    stages.extend(pods());
    stages.extend(volumes());
    stages.extend(load_balancers());
    let texts: Vec<_> = stages.iter().map(|stage| format!("{stage:#}\n")).collect();
    texts.join("---\n")
}

fn stage(name: &str, group: &str, kind: &str, matches: Vec<Value>, rest: &Value) -> Value {
    let mut spec = json!({
        "resourceRef": {"apiGroup": group, "kind": kind},
        "selector": {"matchExpressions": matches},
    });
    if let (Some(spec), Some(rest)) = (spec.as_object_mut(), rest.as_object()) {
        spec.extend(rest.clone());
    }
    json!({"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Stage", "metadata": {"name": name}, "spec": spec})
}

fn is(key: &str, values: &[&str]) -> Value {
    json!({"key": key, "operator": "In", "values": values})
}

fn is_not(key: &str, values: &[&str]) -> Value {
    json!({"key": key, "operator": "NotIn", "values": values})
}

fn exists(key: &str) -> Value {
    json!({"key": key, "operator": "Exists"})
}

fn absent(key: &str) -> Value {
    json!({"key": key, "operator": "DoesNotExist"})
}

const NODE_CONDITIONS: &str = "
{{ $now := Now }}
conditions:
{{ range NodeConditions }}
- {type: {{ .type | Quote }}, status: {{ .status | Quote }}, reason: {{ .reason | Quote }}, message: {{ .message | Quote }},
   lastHeartbeatTime: {{ $now | Quote }}, lastTransitionTime: {{ $now | Quote }}}
{{ end }}
";

fn node_ready() -> Value {
    let status = format!(
        "{NODE_CONDITIONS}
addresses:
- {{address: {{{{ NodeIP | Quote }}}}, type: InternalIP}}
- {{address: {{{{ NodeName | Quote }}}}, type: Hostname}}
nodeInfo: {{architecture: amd64, operatingSystem: linux, kubeletVersion: v1.35.4, kubeProxyVersion: \"\",
  containerRuntimeVersion: kwok, kernelVersion: kwok, osImage: kwok, bootID: \"\", machineID: \"\", systemUUID: \"\"}}
phase: Running
"
    );
    let not_ready = is_not(r#".status.conditions.[] | select( .type == "Ready" ) | .status"#, &["True"]);
    stage("node-ready", "v1", "Node", vec![not_ready], &json!({"next": {"statusTemplate": status}}))
}

fn node_heartbeat() -> Value {
    let ready = is(r#".status.conditions.[] | select( .type == "Ready" ) | .status"#, &["True"]);
    stage(
        "node-heartbeat",
        "v1",
        "Node",
        vec![ready],
        &json!({"delay": {"durationMilliseconds": 600_000}, "next": {"statusTemplate": NODE_CONDITIONS}}),
    )
}

/// What a pod's containers report: all of them alike.
struct Report {
    phase: &'static str,
    ready: bool,
    restarts: u32,
    state: &'static str,
    last_state: &'static str,
}

const RUNNING: &str = "{running: {startedAt: {{ $now | Quote }}}}";
const KEEPS_RUNNING: &str = "{running: {startedAt: {{ or $started $now | Quote }}}}";
const CREATING: &str = "{waiting: {reason: ContainerCreating}}";

impl Report {
    const fn new(phase: &'static str, ready: bool, state: &'static str) -> Self {
        Self { phase, ready, restarts: 0, state, last_state: "{}" }
    }

    /// The status template. Container statuses keep the time at which a container first ran.
    fn template(&self) -> String {
        let Self { phase, ready, restarts, state, last_state } = self;
        let condition = if *ready { "True" } else { "False" };
        format!(
            r#"
{{{{ $now := Now }}}}
{{{{ $root := . }}}}
{{{{ $started := "" }}}}
{{{{ range .status.containerStatuses }}}}{{{{ with .state.running }}}}{{{{ $started = .startedAt }}}}{{{{ end }}}}{{{{ end }}}}
phase: {phase}
startTime: {{{{ or .status.startTime $now | Quote }}}}
{{{{ with NodeIPsWith .spec.nodeName }}}}
hostIP: {{{{ index . 0 | Quote }}}}
hostIPs: [{{ip: {{{{ index . 0 | Quote }}}}}}]
{{{{ end }}}}
{{{{ if not .status.podIP }}}}
{{{{ with PodIPsWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) }}}}
podIP: {{{{ index . 0 | Quote }}}}
podIPs: [{{ip: {{{{ index . 0 | Quote }}}}}}]
{{{{ end }}}}
{{{{ end }}}}
conditions:
- {{type: Initialized, status: "True", lastTransitionTime: {{{{ $now | Quote }}}}}}
- {{type: Ready, status: "{condition}", lastTransitionTime: {{{{ $now | Quote }}}}}}
- {{type: ContainersReady, status: "{condition}", lastTransitionTime: {{{{ $now | Quote }}}}}}
{{{{ range .spec.readinessGates }}}}
- {{type: {{{{ .conditionType | Quote }}}}, status: "True", lastTransitionTime: {{{{ $now | Quote }}}}}}
{{{{ end }}}}
containerStatuses:
{{{{ range .spec.containers }}}}
- name: {{{{ .name | Quote }}}}
  image: {{{{ .image | Quote }}}}
  imageID: ""
  ready: {ready}
  started: {ready}
  restartCount: {restarts}
  state: {state}
  lastState: {last_state}
{{{{ end }}}}
{{{{ if .spec.initContainers }}}}
initContainerStatuses:
{{{{ range .spec.initContainers }}}}
- name: {{{{ .name | Quote }}}}
  image: {{{{ .image | Quote }}}}
  imageID: ""
  ready: true
  restartCount: 0
  {{{{ if eq ( or .restartPolicy "" ) "Always" }}}}
  started: true
  state: {{running: {{startedAt: {{{{ $now | Quote }}}}}}}}
  {{{{ else }}}}
  state: {{terminated: {{exitCode: 0, reason: Completed, startedAt: {{{{ $now | Quote }}}}, finishedAt: {{{{ $now | Quote }}}}}}}}
  {{{{ end }}}}
{{{{ end }}}}
{{{{ end }}}}
"#
        )
    }

    fn stage(&self, name: &str, mut matches: Vec<Value>, delayed: bool) -> Value {
        matches.push(absent(".metadata.deletionTimestamp"));
        let mut rest = json!({"next": {"statusTemplate": self.template()}});
        if delayed {
            rest["delay"] = json!({"durationMilliseconds": 100, "durationFrom": {"expressionFrom": DELAY}});
        }
        stage(name, "v1", "Pod", matches, &rest)
    }
}

fn phase(value: &str) -> Value {
    is(".status.phase", &[value])
}

/// Matches pods that have been scheduled and have reported nothing yet.
fn new_pod(behaviour: Value) -> Vec<Value> {
    vec![phase("Pending"), absent(".status.containerStatuses"), behaviour]
}

fn behaves(value: &str) -> Value {
    is(BEHAVIOUR, &[value])
}

fn pods() -> Vec<Value> {
    let gone = exists(".metadata.deletionTimestamp");
    let delete = stage("pod-delete", "v1", "Pod", vec![gone], &json!({"next": {"delete": true}}));
    [starting_pods(), stuck_pods(), ending_pods(), vec![delete]].concat()
}

/// Pods that become Ready, at once or later.
fn starting_pods() -> Vec<Value> {
    let other =
        ["crash-loop", "image-pull-back-off", "create-error", "slow-pull", "slow-start", "never-ready"];
    let creating = is(".status.containerStatuses.[0].state.waiting.reason", &["ContainerCreating"]);
    let unready = is(r#".status.conditions.[] | select( .type == "Ready" ) | .status"#, &["False"]);
    let pulled = vec![behaves("slow-pull"), creating];
    let started = vec![behaves("slow-start"), phase("Running"), unready];
    vec![
        Report::new("Running", true, RUNNING).stage("pod-ready", new_pod(is_not(BEHAVIOUR, &other)), false),
        Report::new("Pending", false, CREATING).stage("pod-pulling", new_pod(behaves("slow-pull")), false),
        Report::new("Running", true, RUNNING).stage("pod-pulled", pulled, true),
        Report::new("Running", false, RUNNING).stage("pod-starting", new_pod(behaves("slow-start")), false),
        Report::new("Running", true, KEEPS_RUNNING).stage("pod-started", started, true),
    ]
}

/// Pods that never become Ready.
fn stuck_pods() -> Vec<Value> {
    let back_off =
        "{waiting: {reason: CrashLoopBackOff, message: \"back-off 40s restarting failed container\"}}";
    let no_image = "{waiting: {reason: ImagePullBackOff, \
                    message: {{ printf \"Back-off pulling image %q: ErrImagePull: not found\" .image | Quote }}}}";
    let no_config =
        "{waiting: {reason: CreateContainerConfigError, message: \"configmap \\\"missing\\\" not found\"}}";
    let crashed = Report { restarts: 3, last_state: ERROR, ..Report::new("Running", false, back_off) };
    vec![
        crashed.stage("pod-crash-loop", new_pod(behaves("crash-loop")), false),
        Report::new("Pending", false, no_image).stage(
            "pod-no-image",
            new_pod(behaves("image-pull-back-off")),
            false,
        ),
        Report::new("Pending", false, no_config).stage(
            "pod-create-error",
            new_pod(behaves("create-error")),
            false,
        ),
        Report::new("Running", false, RUNNING).stage(
            "pod-never-ready",
            new_pod(behaves("never-ready")),
            false,
        ),
    ]
}

const DONE: &str = "{terminated: {exitCode: 0, reason: Completed, \
                    startedAt: {{ or $started $now | Quote }}, finishedAt: {{ $now | Quote }}}}";
const ERROR: &str = "{terminated: {exitCode: 1, reason: Error, \
                     startedAt: {{ or $started $now | Quote }}, finishedAt: {{ $now | Quote }}}}";
const OOM: &str = "{terminated: {exitCode: 137, reason: OOMKilled, \
                   startedAt: {{ or $started $now | Quote }}, finishedAt: {{ $now | Quote }}}}";

/// Pods that end: those of Jobs, and others that are not restarted.
fn ending_pods() -> Vec<Value> {
    let ends = is(".spec.restartPolicy", &["Never", "OnFailure"]);
    let otherwise = is_not(BEHAVIOUR, &["fail", "oom", "hang", "crash-loop", "never-ready"]);
    let complete = vec![phase("Running"), ends, otherwise];
    vec![
        Report::new("Succeeded", false, DONE).stage("pod-complete", complete, true),
        Report::new("Failed", false, ERROR).stage("pod-fail", vec![phase("Running"), behaves("fail")], true),
        Report::new("Failed", false, OOM).stage("pod-oom", vec![phase("Running"), behaves("oom")], true),
    ]
}

fn cel(expression: &str) -> Value {
    json!({"cel": {"expression": expression}})
}

/// A provisioner for the classes of [`super::objects`]: at once, or once the scheduler has chosen a node.
fn volumes() -> Vec<Value> {
    let volume = "
apiVersion: v1
kind: PersistentVolume
metadata:
  name: pvc-{{ .metadata.uid }}
  annotations: {pv.kubernetes.io/provisioned-by: tiphys.dev/kwok}
spec:
  accessModes:
  {{ YAML .spec.accessModes 1 }}
  capacity: {storage: {{ .spec.resources.requests.storage | Quote }}}
  persistentVolumeReclaimPolicy: Delete
  storageClassName: {{ .spec.storageClassName | Quote }}
  volumeMode: {{ or .spec.volumeMode \"Filesystem\" | Quote }}
  claimRef: {apiVersion: v1, kind: PersistentVolumeClaim, name: {{ .metadata.name | Quote }}, namespace: {{ .metadata.namespace | Quote }}, uid: {{ .metadata.uid | Quote }}}
  hostPath: {path: /tmp/tiphys-kwok, type: DirectoryOrCreate}
";
    let unbound = || cel("!has(self.metadata.deletionTimestamp) && !has(self.spec.volumeName)");
    let provision = json!({"steps": [{"apply": {"template": volume}}]});
    let at_once = cel("has(self.spec.storageClassName) && self.spec.storageClassName == 'standard'");
    let on_node = cel("has(self.spec.storageClassName) && self.spec.storageClassName == 'local' \
         && has(self.metadata.annotations) && 'volume.kubernetes.io/selected-node' in self.metadata.annotations");
    let released = cel(
        "has(self.metadata.annotations) && 'pv.kubernetes.io/provisioned-by' in self.metadata.annotations \
         && self.metadata.annotations['pv.kubernetes.io/provisioned-by'] == 'tiphys.dev/kwok' \
         && has(self.status.phase) && self.status.phase == 'Released' && !has(self.metadata.deletionTimestamp)",
    );
    vec![
        stage("volume-provision", "v1", "PersistentVolumeClaim", vec![unbound(), at_once], &provision),
        stage(
            "volume-provision-on-node",
            "v1",
            "PersistentVolumeClaim",
            vec![unbound(), on_node],
            &provision,
        ),
        stage(
            "volume-delete",
            "v1",
            "PersistentVolume",
            vec![released],
            &json!({"steps": [{"delete": true}]}),
        ),
    ]
}

/// What an ingress controller and a cloud's load balancer write back.
fn load_balancers() -> Vec<Value> {
    let address = json!({"steps": [{"patch": {
        "root": "status",
        "subresource": "status",
        "type": "merge",
        "template": "loadBalancer: {ingress: [{ip: 203.0.113.10}]}",
    }}]});
    let unset = || {
        cel("!has(self.status.loadBalancer) || !has(self.status.loadBalancer.ingress) \
             || size(self.status.loadBalancer.ingress) == 0")
    };
    let balanced = cel("has(self.spec.type) && self.spec.type == 'LoadBalancer'");
    vec![
        stage("ingress-address", "networking.k8s.io/v1", "Ingress", vec![unset()], &address),
        stage("service-address", "v1", "Service", vec![balanced, unset()], &address),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_is_a_document_with_a_name_of_its_own_and_balanced_templates() {
        let documents = documents();
        let stages: Vec<Value> =
            documents.split("---\n").map(|text| serde_json::from_str(text).unwrap()).collect();
        let mut names: Vec<_> = stages.iter().map(|stage| stage["metadata"]["name"].to_string()).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
        for stage in &stages {
            let template = stage["spec"]["next"]["statusTemplate"].as_str().unwrap_or_default();
            let opened = ["{{ if", "{{ range", "{{ with"]
                .map(|word| template.matches(word).count())
                .iter()
                .sum::<usize>();
            assert_eq!(opened, template.matches("{{ end }}").count(), "{template}");
        }
    }
}
