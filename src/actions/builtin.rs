//! Our own actions: those that Argo CD brings, under its names.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::{Action, ActionError, Change};
use crate::api::Time;
use crate::object::{GroupVersionKind, at, bool_at, i64_at, list_at, str_at};

type Run = fn(&mut Call<'_>) -> Result<(), ActionError>;

/// One action: its name, whether an object in this state offers it and whether it is enabled then, and what it does.
struct Builtin {
    name: &'static str,
    /// Nothing where the object does not offer it now; else whether it is disabled.
    disabled: fn(&Value) -> Option<bool>,
    params: &'static [&'static str],
    run: Run,
}

/// An action under way.
struct Call<'a> {
    /// The object; what the action leaves here is patched.
    object: Value,
    created: Option<Value>,
    parameters: &'a BTreeMap<String, String>,
    now: Time,
}

impl Call<'_> {
    /// Sets a field, making the mappings on the way.
    fn set(&mut self, path: &[&str], value: Value) {
        let mut place = &mut self.object;
        for name in path {
            if !place.is_object() {
                *place = json!({});
            }
            let Some(fields) = place.as_object_mut() else { return };
            place = fields.entry((*name).to_owned()).or_insert(Value::Null);
        }
        *place = value;
    }

    fn remove(&mut self, parent: &[&str], name: &str) {
        let mut place = &mut self.object;
        for step in parent {
            let Some(inner) = place.get_mut(*step) else { return };
            place = inner;
        }
        if let Some(fields) = place.as_object_mut() {
            fields.remove(name);
        }
    }

    fn text(&self, path: &[&str]) -> String {
        str_at(&self.object, path).unwrap_or_default().to_owned()
    }

    fn stamp(&self) -> String {
        format!("{}", self.now)
    }

    fn formatted(&self, format: &str) -> String {
        self.now.timestamp().to_zoned(TimeZone::UTC).strftime(format).to_string()
    }

    fn owner(&self, controller: bool) -> Value {
        let mut owner = json!({"apiVersion": self.text(&["apiVersion"]), "kind": self.text(&["kind"]),
            "name": self.text(&["metadata", "name"]), "uid": self.text(&["metadata", "uid"])});
        if controller {
            owner["blockOwnerDeletion"] = json!(true);
            owner["controller"] = json!(true);
        }
        json!([owner])
    }
}

const ALWAYS: fn(&Value) -> Option<bool> = |_| Some(false);
const RESTART: Builtin = Builtin { name: "restart", disabled: ALWAYS, params: &[], run: restart };
const SCALE: Builtin = Builtin { name: "scale", disabled: ALWAYS, params: &["replicas"], run: scale };

const DEPLOYMENT: &[Builtin] = &[
    Builtin {
        name: "pause",
        disabled: |object| at(object, &["spec", "paused"]).filter(|paused| !paused.is_null()).map(|_| false),
        params: &[],
        run: pause,
    },
    RESTART,
    Builtin {
        name: "resume",
        disabled: |object| Some(!is(object, &["spec", "paused"])),
        params: &[],
        run: |call| {
            call.remove(&["spec"], "paused");
            Ok(())
        },
    },
    SCALE,
];

const CRON_JOB: &[Builtin] = &[
    Builtin { name: "create-job", disabled: ALWAYS, params: &[], run: create_job },
    Builtin {
        name: "resume",
        disabled: |object| suspended(object).then_some(false),
        params: &[],
        run: resume,
    },
    Builtin {
        name: "suspend",
        disabled: |object| (!suspended(object)).then_some(false),
        params: &[],
        run: suspend,
    },
];

const JOB: &[Builtin] = &[
    Builtin {
        name: "resume",
        disabled: |object| (!has_ended(object) && suspended(object)).then_some(false),
        params: &[],
        run: resume,
    },
    Builtin {
        name: "suspend",
        disabled: |object| (!has_ended(object) && !suspended(object)).then_some(false),
        params: &[],
        run: suspend,
    },
    Builtin {
        name: "terminate",
        disabled: |object| (!has_ended(object) && object.get("status").is_some()).then_some(false),
        params: &[],
        run: terminate_job,
    },
];

const FLUX_SWITCH: &[Builtin] = &[
    Builtin { name: "resume", disabled: |object| Some(!suspended(object)), params: &[], run: resume },
    Builtin { name: "suspend", disabled: |object| Some(suspended(object)), params: &[], run: suspend },
];

const FLUX: &[Builtin] = &[
    Builtin {
        name: "reconcile",
        disabled: |object| Some(suspended(object)),
        params: &[],
        run: |call| {
            let stamp = json!(call.stamp());
            call.set(&["metadata", "annotations", "reconcile.fluxcd.io/requestedAt"], stamp);
            Ok(())
        },
    },
    Builtin { name: "resume", disabled: |object| Some(!suspended(object)), params: &[], run: resume },
    Builtin { name: "suspend", disabled: |object| Some(suspended(object)), params: &[], run: suspend },
];

const ROLLOUT: &[Builtin] = &[
    Builtin {
        name: "abort",
        disabled: |object| Some(is_promoted(object) || is(object, &["status", "abort"])),
        params: &[],
        run: |call| {
            call.set(&["status", "abort"], json!(true));
            Ok(())
        },
    },
    Builtin {
        name: "pause",
        disabled: |object| {
            let stopped = is(object, &["status", "abort"]) || is(object, &["spec", "paused"]);
            Some(is_promoted(object) || stopped)
        },
        params: &[],
        run: pause,
    },
    Builtin { name: "promote-full", disabled: promotes_not, params: &[], run: promote_full },
    Builtin {
        name: "restart",
        disabled: ALWAYS,
        params: &[],
        run: |call| {
            let stamp = json!(call.stamp());
            call.set(&["spec", "restartAt"], stamp);
            Ok(())
        },
    },
    Builtin {
        name: "resume",
        disabled: |object| {
            let conditions = at(object, &["status", "pauseConditions"]).and_then(Value::as_array);
            Some(!conditions.map_or_else(|| is(object, &["spec", "paused"]), |all| !all.is_empty()))
        },
        params: &[],
        run: |call| {
            call.remove(&["status"], "pauseConditions");
            if is(&call.object, &["spec", "paused"]) {
                call.set(&["spec", "paused"], json!(false));
            }
            Ok(())
        },
    },
    Builtin {
        name: "retry",
        disabled: |object| Some(is_promoted(object) || !is(object, &["status", "abort"])),
        params: &[],
        run: |call| {
            call.remove(&["status"], "abort");
            Ok(())
        },
    },
    Builtin { name: "skip-current-step", disabled: has_no_step, params: &[], run: skip_step },
];

const ANALYSIS_RUN: &[Builtin] = &[Builtin {
    name: "terminate",
    disabled: |object| {
        let phase = str_at(object, &["status", "phase"]).unwrap_or_default();
        let ended = ["Successful", "Failed", "Error", "Inconclusive"].contains(&phase);
        Some(ended || is(object, &["spec", "terminate"]))
    },
    params: &[],
    run: |call| {
        call.set(&["spec", "terminate"], json!(true));
        Ok(())
    },
}];

const CREATE_WORKFLOW: &[Builtin] =
    &[Builtin { name: "create-workflow", disabled: ALWAYS, params: &[], run: create_workflow }];

const REFRESH: &[Builtin] = &[Builtin {
    name: "refresh",
    disabled: |object| {
        Some(never_refreshed(object) && str_at(object, &["spec", "refreshPolicy"]) != Some("OnChange"))
    },
    params: &[],
    run: force_sync,
}];

const PUSH: &[Builtin] = &[Builtin {
    name: "push",
    disabled: |object| Some(never_refreshed(object)),
    params: &[],
    run: force_sync,
}];

const KINDS: &[(&str, &str, &[Builtin])] = &[
    ("apps", "Deployment", DEPLOYMENT),
    ("apps", "StatefulSet", &[RESTART, SCALE]),
    ("apps", "DaemonSet", &[RESTART]),
    ("batch", "CronJob", CRON_JOB),
    ("batch", "Job", JOB),
    ("argoproj.io", "Rollout", ROLLOUT),
    ("argoproj.io", "AnalysisRun", ANALYSIS_RUN),
    ("argoproj.io", "WorkflowTemplate", CREATE_WORKFLOW),
    ("argoproj.io", "CronWorkflow", CREATE_WORKFLOW),
    ("external-secrets.io", "ExternalSecret", REFRESH),
    ("external-secrets.io", "PushSecret", PUSH),
    ("helm.toolkit.fluxcd.io", "HelmRelease", FLUX),
    ("kustomize.toolkit.fluxcd.io", "Kustomization", FLUX),
    ("image.toolkit.fluxcd.io", "ImageRepository", FLUX),
    ("image.toolkit.fluxcd.io", "ImageUpdateAutomation", FLUX),
    ("notification.toolkit.fluxcd.io", "Receiver", FLUX),
    ("notification.toolkit.fluxcd.io", "Alert", FLUX_SWITCH),
    ("notification.toolkit.fluxcd.io", "Provider", FLUX_SWITCH),
    ("source.toolkit.fluxcd.io", "Bucket", FLUX),
    ("source.toolkit.fluxcd.io", "GitRepository", FLUX),
    ("source.toolkit.fluxcd.io", "HelmChart", FLUX),
    ("source.toolkit.fluxcd.io", "HelmRepository", FLUX),
    ("source.toolkit.fluxcd.io", "OCIRepository", FLUX),
];

fn of(gvk: &GroupVersionKind) -> &'static [Builtin] {
    KINDS.iter().find(|(group, kind, _)| (*group, *kind) == (&gvk.group, &gvk.kind)).map_or(&[], |one| one.2)
}

pub(super) fn table() -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
    KINDS
        .iter()
        .map(|(group, kind, actions)| (*group, *kind, actions.iter().map(|action| action.name).collect()))
        .collect()
}

pub(super) fn available(gvk: &GroupVersionKind, object: &Value) -> Vec<Action> {
    let action = |builtin: &Builtin| {
        Some(Action {
            name: builtin.name.to_owned(),
            disabled: (builtin.disabled)(object)?,
            params: builtin.params.iter().map(|name| (*name).to_owned()).collect(),
            display_name: String::new(),
        })
    };
    of(gvk).iter().filter_map(action).collect()
}

pub(super) fn run(
    gvk: &GroupVersionKind,
    object: &Value,
    name: &str,
    parameters: &BTreeMap<String, String>,
    now: Time,
) -> Result<Vec<Change>, ActionError> {
    let Some(builtin) = of(gvk).iter().find(|builtin| builtin.name == name) else {
        let message = format!("argocd-cm offers the action {name:?} and does not define it");
        return Err(ActionError::Parameter(message));
    };
    let mut call = Call { object: object.clone(), created: None, parameters, now };
    (builtin.run)(&mut call)?;
    Ok(vec![match call.created {
        Some(created) => Change::Create(created),
        None => Change::Patch(call.object),
    }])
}

fn is(object: &Value, path: &[&str]) -> bool {
    bool_at(object, path) == Some(true)
}

fn suspended(object: &Value) -> bool {
    is(object, &["spec", "suspend"])
}

fn restart(call: &mut Call<'_>) -> Result<(), ActionError> {
    let stamp = json!(call.stamp());
    let annotation = "kubectl.kubernetes.io/restartedAt";
    call.set(&["spec", "template", "metadata", "annotations", annotation], stamp);
    Ok(())
}

fn scale(call: &mut Call<'_>) -> Result<(), ActionError> {
    let text = call.parameters.get("replicas").map_or("", String::as_str);
    let replicas: u32 = text
        .trim()
        .parse()
        .ok()
        .filter(|replicas| i32::try_from(*replicas).is_ok())
        .ok_or_else(|| ActionError::Parameter(format!("replicas={text}: invalid number")))?;
    call.set(&["spec", "replicas"], json!(replicas));
    Ok(())
}

fn pause(call: &mut Call<'_>) -> Result<(), ActionError> {
    call.set(&["spec", "paused"], json!(true));
    Ok(())
}

fn suspend(call: &mut Call<'_>) -> Result<(), ActionError> {
    call.set(&["spec", "suspend"], json!(true));
    Ok(())
}

fn resume(call: &mut Call<'_>) -> Result<(), ActionError> {
    call.set(&["spec", "suspend"], json!(false));
    Ok(())
}

fn force_sync(call: &mut Call<'_>) -> Result<(), ActionError> {
    let stamp = json!(call.stamp());
    call.set(&["metadata", "annotations", "force-sync"], stamp);
    Ok(())
}

/// A refresh interval of zero: fetched once, never again.
fn never_refreshed(object: &Value) -> bool {
    let interval = match at(object, &["spec", "refreshInterval"]) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => return false,
    };
    ["0", "0ns", "0us", "0µs", "0ms", "0s", "0m", "0h"].contains(&interval.as_str())
}

fn has_ended(job: &Value) -> bool {
    let ends = ["Complete", "Failed", "FailureTarget", "SuccessCriteriaMet"];
    list_at(job, &["status", "conditions"]).iter().any(|condition| {
        str_at(condition, &["status"]) == Some("True")
            && str_at(condition, &["type"]).is_some_and(|kind| ends.contains(&kind))
    })
}

fn terminate_job(call: &mut Call<'_>) -> Result<(), ActionError> {
    let mut conditions = list_at(&call.object, &["status", "conditions"]).to_vec();
    conditions.push(json!({"type": "FailureTarget", "status": "True", "reason": "ManuallyTerminated",
        "message": "the Job was terminated by hand", "lastTransitionTime": call.stamp()}));
    call.set(&["status", "conditions"], json!(conditions));
    Ok(())
}

fn create_job(call: &mut Call<'_>) -> Result<(), ActionError> {
    let template = at(&call.object, &["spec", "jobTemplate"]).cloned().unwrap_or_default();
    let mut metadata = template.get("metadata").filter(|it| it.is_object()).cloned().unwrap_or(json!({}));
    metadata["name"] =
        json!(format!("{}-{}", call.text(&["metadata", "name"]), call.formatted("%y%m%d%H%M")));
    metadata["namespace"] = json!(call.text(&["metadata", "namespace"]));
    if !metadata["annotations"].is_object() {
        metadata["annotations"] = json!({});
    }
    metadata["annotations"]["cronjob.kubernetes.io/instantiate"] = json!("manual");
    metadata["ownerReferences"] = call.owner(true);
    let spec = template.get("spec").cloned().unwrap_or_default();
    call.created = Some(json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}));
    Ok(())
}

fn create_workflow(call: &mut Call<'_>) -> Result<(), ActionError> {
    let name = call.text(&["metadata", "name"]);
    let is_cron = str_at(&call.object, &["kind"]) == Some("CronWorkflow");
    let texts = |path: &[&str]| {
        let found = at(&call.object, path).and_then(Value::as_object).cloned();
        found.unwrap_or_else(Map::new)
    };
    let mut metadata = json!({
        "name": format!("{name}-{}", call.formatted("%Y%m%d%H%M")),
        "namespace": call.text(&["metadata", "namespace"]),
        "ownerReferences": call.owner(false),
    });
    let spec = if is_cron {
        let mut labels = texts(&["spec", "workflowMetadata", "labels"]);
        labels.insert("workflows.argoproj.io/cron-workflow".into(), json!(name));
        let instance = "workflows.argoproj.io/controller-instanceid";
        if let Some(id) = str_at(&call.object, &["metadata", "labels", instance]) {
            labels.insert(instance.into(), json!(id));
        }
        let mut annotations = texts(&["spec", "workflowMetadata", "annotations"]);
        annotations.insert("workflows.argoproj.io/scheduled-time".into(), json!(call.stamp()));
        metadata["labels"] = Value::Object(labels);
        metadata["annotations"] = Value::Object(annotations);
        at(&call.object, &["spec", "workflowSpec"]).cloned().unwrap_or_default()
    } else {
        metadata["labels"] = json!({"workflows.argoproj.io/workflow-template": name});
        json!({"workflowTemplateRef": {"name": name}})
    };
    call.created = Some(
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": metadata, "spec": spec}),
    );
    Ok(())
}

/// Whether the new version is the stable one already.
fn is_promoted(rollout: &Value) -> bool {
    at(rollout, &["status", "currentPodHash"]) == at(rollout, &["status", "stableRS"])
}

/// Rollouts before 0.10 wrote a hash where newer ones write the generation that they observed.
fn is_old_rollout(rollout: &Value) -> bool {
    let generation = i64_at(rollout, &["metadata", "generation"]).unwrap_or(0);
    let observed =
        str_at(rollout, &["status", "observedGeneration"]).and_then(|text| text.parse::<i64>().ok());
    observed.is_none_or(|observed| observed > generation)
}

fn promotes_not(rollout: &Value) -> Option<bool> {
    if rollout.get("status").is_none() || is_promoted(rollout) {
        return Some(true);
    }
    Some(is_old_rollout(rollout) && at(rollout, &["spec", "strategy", "blueGreen"]).is_some())
}

fn promote_full(call: &mut Call<'_>) -> Result<(), ActionError> {
    if is_old_rollout(&call.object) {
        call.remove(&["status"], "abort");
        let steps = list_at(&call.object, &["spec", "strategy", "canary", "steps"]).len();
        if steps > 0 {
            call.set(&["status", "currentStepIndex"], json!(steps));
        }
    } else {
        call.set(&["status", "promoteFull"], json!(true));
    }
    Ok(())
}

fn has_no_step(rollout: &Value) -> Option<bool> {
    let steps = at(rollout, &["spec", "strategy", "canary", "steps"]).and_then(Value::as_array);
    let current = i64_at(rollout, &["status", "currentStepIndex"]);
    Some(steps.is_none_or(|steps| current == i64::try_from(steps.len()).ok()))
}

fn skip_step(call: &mut Call<'_>) -> Result<(), ActionError> {
    let steps = list_at(&call.object, &["spec", "strategy", "canary", "steps"]).len();
    let current = i64_at(&call.object, &["status", "currentStepIndex"]).unwrap_or(0);
    if current < i64::try_from(steps).unwrap_or(0) {
        call.remove(&["status"], "pauseConditions");
        call.set(&["status", "currentStepIndex"], json!(current.saturating_add(1)));
    }
    Ok(())
}
