//! `tiphys app actions`: what the objects of an Application offer, run through the Kubernetes API with the rights of
//! whoever calls it. The project's rules are kept, as the controller keeps them.

use std::collections::BTreeMap;
use std::io::Write;

use clap::{Args, Subcommand};
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::actions::{Action, ActionContext, ActionCustomizations, Change, available, run as run_action};
use crate::api::{AppProject, Application, GROUP, ResourceStatus, Time, VERSION};
use crate::cluster::{Cluster, KindInfo, WatchedObject, connect_context};
use crate::eval::LuaRunner;
use crate::flow::{Destination, IN_CLUSTER_NAME, IN_CLUSTER_SERVER, NoMeter};
use crate::object::{GroupVersionKind, ResourceKey, str_at};
use crate::project::permits_object;
use crate::settings::config_map_data;
use crate::status::merge_patch;

use super::super::{CliError, draw};
use super::client::{AppClient, ConnectionArgs};

/// List and run actions on objects of an Application.
#[derive(Args, Debug)]
pub(super) struct ActionsArgs {
    #[command(subcommand)]
    command: ActionsCommand,
}

#[derive(Subcommand, Debug)]
enum ActionsCommand {
    /// List the actions that objects offer.
    List(ListArgs),
    /// Run an action on objects that match the filters.
    Run(RunArgs),
}

#[derive(Args, Debug)]
struct Filter {
    /// Name, or NAMESPACE/NAME, of the Application.
    name: String,
    /// API group of the objects.
    #[arg(long)]
    group: Option<String>,
    /// Kind of the objects.
    #[arg(long)]
    kind: Option<String>,
    /// Namespace of the objects.
    #[arg(long)]
    resource_namespace: Option<String>,
    /// Name of the object.
    #[arg(long)]
    resource_name: Option<String>,
    /// Context of the kubeconfig that reaches the destination, where that is another cluster.
    #[arg(long)]
    destination_context: Option<String>,
}

#[derive(Args, Debug)]
struct ListArgs {
    #[command(flatten)]
    filter: Filter,
    /// How to print: `table`, `json` or `yaml`.
    #[arg(short, long, visible_alias = "out", default_value = "table", value_parser = ["table", "json", "yaml"])]
    output: String,
}

#[derive(Args, Debug)]
struct RunArgs {
    #[command(flatten)]
    filter: Filter,
    /// The action.
    action: String,
    /// Runs the action on every object that matches.
    #[arg(long)]
    all: bool,
    /// A parameter, `NAME=VALUE`; may be repeated.
    #[arg(long)]
    param: Vec<String>,
}

pub(super) async fn run(
    client: &AppClient,
    connection: &ConnectionArgs,
    args: &ActionsArgs,
    out: &mut impl Write,
) -> Result<u8, CliError> {
    match &args.command {
        ActionsCommand::List(args) => {
            list(&Session::open(client, connection, &args.filter).await?, args, out).await
        }
        ActionsCommand::Run(args) => {
            act(&Session::open(client, connection, &args.filter).await?, args, out).await
        }
    }
}

/// What both commands work on.
struct Session {
    app: Application,
    project: Option<AppProject>,
    destination: Destination,
    cluster: std::sync::Arc<Cluster>,
    customizations: ActionCustomizations,
    runner: LuaRunner,
    objects: Vec<ResourceStatus>,
}

impl Session {
    async fn open(
        client: &AppClient,
        connection: &ConnectionArgs,
        filter: &Filter,
    ) -> Result<Self, CliError> {
        let app = client.get(&filter.name).await?;
        let wanted = &app.spec.destination;
        let own = wanted.server.trim_end_matches('/') == IN_CLUSTER_SERVER || wanted.name == IN_CLUSTER_NAME;
        let kube = match &filter.destination_context {
            Some(context) => connect_context(connection.kubeconfig.as_deref(), Some(context)).await?.client,
            None if own => client.kube().clone(),
            None => {
                return Err(CliError::Usage(
                    "the destination is another cluster: name a context that reaches it with --destination-context"
                        .into(),
                ));
            }
        };
        let destination = Destination {
            server: if own { IN_CLUSTER_SERVER.to_owned() } else { wanted.server.clone() },
            name: if own { IN_CLUSTER_NAME.to_owned() } else { wanted.name.clone() },
            namespace: wanted.namespace.clone(),
        };
        // Nobody listens: this process asks once and ends.
        let (changes, _) = tokio::sync::mpsc::unbounded_channel();
        let objects =
            app.status.resources.iter().filter(|one| matches(filter, one)).cloned().collect::<Vec<_>>();
        let home = if app.status.controller_namespace.is_empty() {
            app.namespace().to_owned()
        } else {
            app.status.controller_namespace.clone()
        };
        Ok(Self {
            project: project(client, &home, app.project()).await?,
            customizations: customizations(client, &home).await?,
            cluster: Cluster::new(&destination.server, kube, changes, std::sync::Arc::new(NoMeter)),
            runner: LuaRunner::new(None),
            destination,
            app,
            objects,
        })
    }

    fn context(&self) -> ActionContext<'_> {
        ActionContext {
            customizations: &self.customizations,
            runner: &self.runner,
            now: Time::new(jiff::Timestamp::now()),
        }
    }

    async fn kind(&self, gvk: &GroupVersionKind) -> Result<std::sync::Arc<KindInfo>, CliError> {
        let found = self.cluster.discovery().find(gvk).await.map_err(|error| failed(&error))?;
        found.ok_or_else(|| CliError::Usage(format!("the destination does not know the kind {gvk}")))
    }

    async fn live(&self, one: &ResourceStatus) -> Result<Option<Value>, CliError> {
        let gvk = GroupVersionKind {
            group: one.group.clone(),
            version: one.version.clone(),
            kind: one.kind.clone(),
        };
        let kind = self.kind(&gvk).await?;
        let api = kind.api(self.cluster.client(), &one.namespace);
        let found = api.get_opt(&one.name).await.map_err(|error| failed(&error))?;
        Ok(found.map(|mut object| {
            object.complete(&kind.resource);
            object.body
        }))
    }

    /// Whether the project lets the application have such an object.
    fn check(&self, object: &Value, kind: &KindInfo) -> Result<(), CliError> {
        let text = |path: &[&str]| str_at(object, path).unwrap_or_default().to_owned();
        let namespace = text(&["metadata", "namespace"]);
        let key = ResourceKey::new(&kind.gvk.group, &kind.gvk.kind, &namespace, text(&["metadata", "name"]));
        let Some(project) = &self.project else {
            if self.app.project() == "default" {
                return Ok(());
            }
            return Err(CliError::Usage(format!("project {} does not exist", self.app.project())));
        };
        if permits_object(&project.spec, &self.destination, &key, kind.namespaced) {
            return Ok(());
        }
        Err(CliError::Usage(format!("{key} is not permitted in project {}", self.app.project())))
    }
}

fn matches(filter: &Filter, one: &ResourceStatus) -> bool {
    let is = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
    is(&filter.group, &one.group)
        && is(&filter.kind, &one.kind)
        && is(&filter.resource_namespace, &one.namespace)
        && is(&filter.resource_name, &one.name)
}

fn failed(error: &kube::Error) -> CliError {
    CliError::Usage(match error {
        kube::Error::Api(status) => status.message.clone(),
        other => format!("the cluster does not answer: {other}"),
    })
}

/// An object of the controller's namespace; nothing where it is not there.
async fn own_object(
    client: &AppClient,
    namespace: &str,
    kind: (&str, &str, &str, &str),
    name: &str,
) -> Result<Option<Value>, CliError> {
    let (group, version, kind, plural) = kind;
    let resource = crate::cluster::resource(group, version, kind, plural);
    let api: Api<WatchedObject> = Api::namespaced_with(client.kube().clone(), namespace, &resource);
    Ok(api.get_opt(name).await.map_err(|error| failed(&error))?.map(|object| object.body))
}

async fn project(client: &AppClient, namespace: &str, name: &str) -> Result<Option<AppProject>, CliError> {
    let kind = (GROUP, VERSION, "AppProject", "appprojects");
    let Some(body) = own_object(client, namespace, kind, name).await? else { return Ok(None) };
    serde_json::from_value(body)
        .map(Some)
        .map_err(|error| CliError::Usage(format!("project {name}: {error}")))
}

async fn customizations(client: &AppClient, namespace: &str) -> Result<ActionCustomizations, CliError> {
    let kind = ("", "v1", "ConfigMap", "configmaps");
    let Some(body) = own_object(client, namespace, kind, "argocd-cm").await? else {
        return Ok(ActionCustomizations::default());
    };
    let yaml = |text: &str| goyaml::from_yaml(text.as_bytes()).map_err(|error| error.to_string());
    let (read, problems) = ActionCustomizations::read(&config_map_data(&body), &yaml);
    for problem in problems {
        tracing::warn!("argocd-cm: {problem}; it is left out");
    }
    Ok(read)
}

async fn list(session: &Session, args: &ListArgs, out: &mut impl Write) -> Result<u8, CliError> {
    let mut found: Vec<(&ResourceStatus, Action)> = Vec::new();
    for one in &session.objects {
        let Some(object) = session.live(one).await? else { continue };
        let offered = available(&object, &session.context())
            .map_err(|error| CliError::Usage(format!("{}/{}: {error}", one.kind, one.name)))?;
        found.extend(offered.into_iter().map(|action| (one, action)));
    }
    if args.output == "table" {
        let row = |(one, action): &(&ResourceStatus, Action)| {
            vec![
                one.group.clone(),
                one.kind.clone(),
                one.name.clone(),
                action.name.clone(),
                action.disabled.to_string(),
            ]
        };
        let rows: Vec<Vec<String>> = found.iter().map(row).collect();
        draw::table(out, &["GROUP", "KIND", "NAME", "ACTION", "DISABLED"], &rows)?;
        return Ok(0);
    }
    let entry = |(one, action): &(&ResourceStatus, Action)| {
        json!({"Group": one.group, "Kind": one.kind, "Name": one.name, "Action": action.name,
               "Disabled": action.disabled, "Params": action.params})
    };
    super::print_value(&found.iter().map(entry).collect(), &args.output, out)?;
    Ok(0)
}

async fn act(session: &Session, args: &RunArgs, out: &mut impl Write) -> Result<u8, CliError> {
    let mut parameters = BTreeMap::new();
    for text in &args.param {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| CliError::Usage(format!("--param {text}: write NAME=VALUE")))?;
        parameters.insert(name.to_owned(), value.to_owned());
    }
    match session.objects.len() {
        0 => return Err(CliError::Usage("No matching resource found".into())),
        2.. if !args.all => {
            return Err(CliError::Usage(
                "Multiple resources match inputs. Use the --all flag to run the action on all of them".into(),
            ));
        }
        _ => {}
    }
    for one in &session.objects {
        let label = format!("{}/{}", one.kind, one.name);
        let object = session
            .live(one)
            .await?
            .ok_or_else(|| CliError::Usage(format!("{label} is not in the cluster")))?;
        let changes = run_action(&object, &args.action, &parameters, &session.context())
            .map_err(|error| CliError::Usage(format!("{label}: {error}")))?;
        for change in &changes {
            let done = write(session, &object, change).await?;
            writeln!(out, "{label}: {}: {done}", args.action)?;
        }
    }
    Ok(0)
}

/// Writes one change. Gives what was done, in words.
async fn write(session: &Session, before: &Value, change: &Change) -> Result<String, CliError> {
    let (Change::Patch(object) | Change::Create(object)) = change;
    let text = |path: &[&str]| str_at(object, path).unwrap_or_default();
    let gvk = GroupVersionKind::from_api_version(text(&["apiVersion"]), text(&["kind"]));
    let kind = session.kind(&gvk).await?;
    session.check(object, &kind)?;
    let api = kind.api(session.cluster.client(), text(&["metadata", "namespace"]));
    let name = text(&["metadata", "name"]);
    if matches!(change, Change::Create(_)) {
        let body: WatchedObject = serde_json::from_value(object.clone()).map_err(CliError::output)?;
        let made = api.create(&PostParams::default(), &body).await.map_err(|error| failed(&error))?;
        return Ok(format!("{}/{} created", gvk.kind, made.name()));
    }
    let same = ["apiVersion", "kind"].iter().all(|field| before.get(field) == object.get(field))
        && str_at(before, &["metadata", "name"]) == Some(name);
    let other;
    let before = if same {
        before
    } else {
        other = api.get(name).await.map_err(|error| failed(&error))?.body;
        &other
    };
    let Some(patch) = merge_patch(before, object) else { return Ok("nothing to change".into()) };
    patch_both(&api, name, patch).await?;
    Ok(format!("{}/{name} patched", gvk.kind))
}

/// Patches the object, and its status where that is a subresource of its own.
async fn patch_both(api: &Api<WatchedObject>, name: &str, mut patch: Value) -> Result<(), CliError> {
    let params = PatchParams { field_manager: Some("tiphys-cli".into()), ..PatchParams::default() };
    let status = patch.as_object_mut().and_then(|fields| fields.remove("status"));
    if let Some(status) = status {
        let of_status = json!({"status": status});
        match api.patch_status(name, &params, &Patch::Merge(&of_status)).await {
            Ok(_) => {}
            Err(kube::Error::Api(refused)) if refused.code == 404 => {
                patch["status"] = of_status["status"].clone();
            }
            Err(error) => return Err(failed(&error)),
        }
    }
    if patch.as_object().is_some_and(|fields| !fields.is_empty()) {
        api.patch(name, &params, &Patch::Merge(&patch)).await.map_err(|error| failed(&error))?;
    }
    Ok(())
}
