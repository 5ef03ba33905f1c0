//! `tiphys plan`: offline, the ordered tasks that a sync would run.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};

use crate::api::{Application, HookType, SourceType, SyncOperation, Time};
use crate::diff::{Comparing, IgnoreRules, Remembered, compare};
use crate::eval::JqPaths;
use crate::flow::{Action, Comparison, Manifests, Observation, Plan, Task};
use crate::object::{Manifest, str_at};
use crate::render::read_documents;
use crate::settings::Customizations;
use crate::sync::{Guards, PlanRequest, plan};

use super::diff::read_application;
use super::inspect::{InspectArgs, inspect};
use super::{CliError, draw};

/// Print the ordered tasks that a sync would run: of an Application, or offline of these manifests.
#[derive(Args, Debug)]
pub(super) struct PlanArgs {
    /// An Application on the cluster: NAME or NAMESPACE/NAME.
    #[arg(required_unless_present = "files", conflicts_with = "files")]
    name: Option<String>,
    #[command(flatten)]
    cluster: InspectArgs,
    /// Files of manifests, offline; `-` is standard input.
    #[arg(short, long = "file", num_args = 1..)]
    files: Vec<PathBuf>,
    /// File of the Application, for its sync options and destination.
    #[arg(long)]
    app: Option<PathBuf>,
    /// Form of the output: text or json.
    #[arg(short, long, default_value = "text", value_parser = ["text", "json"])]
    output: String,
}

pub(super) fn run(args: &PlanArgs, out: &mut impl Write) -> Result<u8, CliError> {
    if let Some(name) = &args.name {
        let inspection = inspect(&args.cluster, name)?;
        return print(&inspection.plan, &inspection.comparison, &args.output, out);
    }
    let app = args.app.as_deref().map(read_application).transpose()?.unwrap_or_default();
    let comparison = comparison(args, &app)?;
    let operation = SyncOperation { prune: true, ..SyncOperation::default() };
    let app_options = app.spec.sync_policy.as_ref().map(|policy| &policy.sync_options);
    let request = PlanRequest {
        operation: &operation,
        app_options,
        revision: "",
        started_at: Time::new(jiff::Timestamp::UNIX_EPOCH),
        create_namespace: None,
        guards: Guards::default(),
    };
    print(&plan(&comparison, &request), &comparison, &args.output, out)
}

fn print(the_plan: &Plan, comparison: &Comparison, form: &str, out: &mut impl Write) -> Result<u8, CliError> {
    for one in comparison.resources.iter().flat_map(|one| &one.annotations.problems) {
        eprintln!("warning: {one}");
    }
    // What no sync runs: skipped objects, and the hooks of a deletion.
    let skipped = comparison.resources.iter().flat_map(|one| {
        let never = [HookType::Skip, HookType::PreDelete, HookType::PostDelete];
        let hooks = one.annotations.hooks.iter().filter(move |hook| never.contains(hook));
        hooks.filter_map(|hook| {
            let object = one.desired.as_ref()?;
            Some(entry(&format!("{hook:?}"), object.namespace(), &one.annotations, object, true))
        })
    });
    let entries: Vec<Value> = the_plan.tasks.iter().map(task_entry).chain(skipped).collect();
    if form == "json" {
        serde_json::to_writer_pretty(&mut *out, &entries).map_err(CliError::output)?;
        writeln!(out)?;
    } else {
        draw_plan(out, the_plan)?;
    }
    Ok(0)
}

fn comparison(args: &PlanArgs, app: &Application) -> Result<Comparison, CliError> {
    let mut objects = Vec::new();
    for file in &args.files {
        let name = file.display().to_string();
        let text = if name == "-" {
            let mut text = Vec::new();
            std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut text).map(|_| text)
        } else {
            std::fs::read(file)
        };
        let text = text.map_err(|error| CliError::Read { file: name.clone(), error })?;
        objects.extend(read_documents(&name, &text)?);
    }
    if args.app.is_some() {
        set_namespaces(&mut objects, &app.spec.destination.namespace);
    }
    let objects = objects.into_iter().map(Arc::new).collect();
    let manifests = Manifests {
        objects,
        source_types: vec![SourceType::Directory],
        revision: String::new(),
        revisions: Vec::new(),
        warnings: Vec::new(),
    };
    let (ignore, _) = IgnoreRules::read(&app.spec.ignore_differences, &Customizations::default(), &JqPaths);
    let seen = Observation::empty(Time::new(jiff::Timestamp::UNIX_EPOCH));
    Ok(compare(&manifests, &seen, Comparing { ignore: &ignore }, &mut Remembered::default()))
}

/// Objects of namespaced kinds that name no namespace go into the destination's. Without a cluster to ask, a kind is
/// cluster-scoped where Kubernetes or a CRD among the files says so.
fn set_namespaces(objects: &mut [Manifest], namespace: &str) {
    let field = |object: &Manifest, path: &[&str]| str_at(object.body(), path).unwrap_or_default().to_owned();
    let of_cluster: BTreeSet<(String, String)> = objects
        .iter()
        .filter(|object| object.kind() == "CustomResourceDefinition")
        .filter(|object| field(object, &["spec", "scope"]) == "Cluster")
        .map(|object| (field(object, &["spec", "group"]), field(object, &["spec", "names", "kind"])))
        .collect();
    for object in objects.iter_mut().filter(|object| object.namespace().is_empty()) {
        let kind = (object.group().to_owned(), object.kind().to_owned());
        let of_kubernetes = CLUSTER_SCOPED.contains(&(kind.0.as_str(), kind.1.as_str()));
        if !of_kubernetes && !of_cluster.contains(&kind) {
            object.set_namespace(namespace);
        }
    }
}

/// Kinds of Kubernetes that live in no namespace, by group.
const CLUSTER_SCOPED: &[(&str, &str)] = &[
    ("", "Namespace"),
    ("", "Node"),
    ("", "PersistentVolume"),
    ("", "ComponentStatus"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"),
    ("certificates.k8s.io", "CertificateSigningRequest"),
    ("certificates.k8s.io", "ClusterTrustBundle"),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
    ("networking.k8s.io", "IPAddress"),
    ("networking.k8s.io", "IngressClass"),
    ("networking.k8s.io", "ServiceCIDR"),
    ("node.k8s.io", "RuntimeClass"),
    ("policy", "PodSecurityPolicy"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("resource.k8s.io", "DeviceClass"),
    ("resource.k8s.io", "ResourceSlice"),
    ("scheduling.k8s.io", "PriorityClass"),
    ("storage.k8s.io", "CSIDriver"),
    ("storage.k8s.io", "CSINode"),
    ("storage.k8s.io", "StorageClass"),
    ("storage.k8s.io", "VolumeAttachment"),
    ("storage.k8s.io", "VolumeAttributesClass"),
];

fn task_entry(task: &Task) -> Value {
    let annotations = crate::api::ResourceAnnotations::of(&task.object);
    let phase = format!("{:?}", task.phase);
    let mut value = entry(&phase, &task.key.namespace, &annotations, &task.object, task.skipped.is_some());
    value["wave"] = json!(task.wave);
    value["name"] = json!(task.key.name);
    value
}

fn entry(
    phase: &str,
    namespace: &str,
    annotations: &crate::api::ResourceAnnotations,
    object: &crate::object::Manifest,
    skipped: bool,
) -> Value {
    let policies = if annotations.is_hook() { annotations.delete_policies.clone() } else { Vec::new() };
    json!({
        "phase": phase,
        "wave": annotations.wave,
        "group": object.group(),
        "kind": object.kind(),
        "namespace": namespace,
        "name": object.name(),
        "hookTypes": annotations.hooks,
        "deletePolicies": policies,
        "options": annotations.options,
        "skipped": skipped,
    })
}

/// The plan as people look at it: phases, waves, objects.
pub(super) fn draw_plan(out: &mut impl Write, the_plan: &Plan) -> std::io::Result<()> {
    let mut at = None;
    for task in &the_plan.tasks {
        if at != Some((task.phase, task.wave)) {
            at = Some((task.phase, task.wave));
            let wave = if task.wave == i64::MIN { "first".to_owned() } else { format!("wave {}", task.wave) };
            writeln!(out, "{:?} · {wave}", task.phase)?;
        }
        let mark = match (task.action, task.options.unchanged) {
            (Action::Prune, _) => "-",
            (Action::Apply, true) => "=",
            (Action::Apply, false) if task.live.is_some() => "~",
            (Action::Apply, false) => "+",
        };
        let hook = if task.hook.is_some() { " (hook)" } else { "" };
        let because = task.skipped.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        writeln!(out, "  {mark} {}{hook}{because}", draw::object(&task.key))?;
    }
    let problems = the_plan.tasks.iter().filter_map(|task| task.refused.as_ref());
    for problem in problems {
        writeln!(out, "{}", draw::problem(problem))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: PlanArgs,
    }

    const MANIFESTS: &str = r#"
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, annotations: {argocd.argoproj.io/sync-wave: "1"}}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: reader}}
---
{apiVersion: batch/v1, kind: Job, metadata: {name: migrate, annotations: {argocd.argoproj.io/hook: "PreSync,PostSync",
  argocd.argoproj.io/hook-delete-policy: HookSucceeded, argocd.argoproj.io/sync-options: Replace=true}}}
---
{apiVersion: batch/v1, kind: Job, metadata: {name: clean, namespace: other, annotations: {helm.sh/hook: post-delete}}}
---
{apiVersion: example.com/v1, kind: Zone, metadata: {name: z}}
---
{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: zones.example.com},
 spec: {group: example.com, scope: Cluster, names: {kind: Zone}}}
"#;
    const APP: &str = r#"
{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: app},
 spec: {destination: {server: "https://x", namespace: team}, source: {repoURL: "https://host/r"}}}
"#;

    fn printed(more: &[&str]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let (manifests, app) = (folder.path().join("m.yaml"), folder.path().join("app.yaml"));
        std::fs::write(&manifests, MANIFESTS).unwrap();
        std::fs::write(&app, APP).unwrap();
        let (manifests, app) = (manifests.to_str().unwrap(), app.to_str().unwrap());
        let mut line = vec!["plan", "-f", manifests];
        line.extend(more.iter().map(|word| if *word == "APP" { app } else { word }));
        let mut out = Vec::new();
        assert_eq!(run(&Command::parse_from(line).args, &mut out).unwrap(), 0);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_plan_as_people_read_it() {
        let expected = "PreSync · wave 0
  + batch/Job/team/migrate (hook)
Sync · wave 0
  + apiextensions.k8s.io/CustomResourceDefinition/zones.example.com
  + rbac.authorization.k8s.io/ClusterRole/reader
  + example.com/Zone/z
Sync · wave 1
  + apps/Deployment/team/web
PostSync · wave 0
  + batch/Job/team/migrate (hook)
";
        assert_eq!(printed(&["--app", "APP"]), expected);
    }

    #[test]
    fn the_plan_as_programs_read_it() {
        let entries: Vec<Value> = serde_json::from_str(&printed(&["--app", "APP", "-o", "json"])).unwrap();
        let names: Vec<String> = entries
            .iter()
            .map(|one| {
                format!("{}/{} {}/{}", one["phase"], one["wave"], one["namespace"], one["name"])
                    .replace('"', "")
            })
            .collect();
        assert_eq!(
            names,
            [
                "PreSync/0 team/migrate",
                "Sync/0 /zones.example.com",
                "Sync/0 /reader",
                "Sync/0 /z",
                "Sync/1 team/web",
                "PostSync/0 team/migrate",
                "PostDelete/0 other/clean",
            ]
        );
        assert_eq!(
            entries[0],
            json!({"phase": "PreSync", "wave": 0, "group": "batch", "kind": "Job", "namespace": "team",
            "name": "migrate", "hookTypes": ["PreSync", "PostSync"], "deletePolicies": ["HookSucceeded"],
            "options": ["Replace=true"], "skipped": false})
        );
        let alone: Vec<Value> = serde_json::from_str(&printed(&["-o", "json"])).unwrap();
        assert!(alone.iter().all(|one| one["namespace"] == "" || one["namespace"] == "other"));
    }
}
