//! Watches of the controller's own objects.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use kube::core::ApiResource;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};
use serde_json::Value;

use crate::api::{API_VERSION, AppProject, GROUP, VERSION, annotations::SECRET_TYPE};
use crate::cluster::{WatchedObject, resource};
use crate::flow::ObjectName;
use crate::health::health_scripts;
use crate::object::str_at;
use crate::settings::{ArgocdCm, ClusterSecret, RepositorySecret, config_map_data, secret_data};

use super::Shared;

/// The kind Application.
pub(super) fn applications() -> ApiResource {
    debug_assert!(API_VERSION.starts_with(GROUP));
    resource(GROUP, VERSION, "Application", "applications")
}

/// What a watch tells.
enum Told {
    Here(Value),
    Gone(ObjectName),
    Complete,
    /// The first list is refused: it does not come before somebody gives the right, or the kind.
    Refused,
}

/// Follows one kind for as long as the process lives. `complete` is notified after the first list.
async fn follow(
    client: Client,
    resource: ApiResource,
    namespace: Option<String>,
    config: watcher::Config,
    mut told: impl FnMut(Told),
) {
    let api: Api<WatchedObject> = match &namespace {
        Some(namespace) => Api::namespaced_with(client, namespace, &resource),
        None => Api::all_with(client, &resource),
    };
    let mut events = pin!(watcher(api, config).default_backoff());
    let mut listed: Option<std::collections::HashSet<ObjectName>> = None;
    let mut known = std::collections::HashSet::new();
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => listed = Some(std::collections::HashSet::new()),
            Ok(Event::InitApply(mut object) | Event::Apply(mut object)) => {
                object.complete(&resource);
                let name = ObjectName::new(object.namespace(), object.name());
                if let Some(listed) = listed.as_mut() {
                    listed.insert(name.clone());
                }
                known.insert(name);
                told(Told::Here(object.body));
            }
            Ok(Event::Delete(object)) => {
                let name = ObjectName::new(object.namespace(), object.name());
                known.remove(&name);
                told(Told::Gone(name));
            }
            Ok(Event::InitDone) => {
                if let Some(listed) = listed.take() {
                    for name in known.difference(&listed) {
                        told(Told::Gone(name.clone()));
                    }
                    known = listed;
                }
                told(Told::Complete);
            }
            Err(error) => {
                tracing::warn!(kind = resource.kind, error = %error, "watch failed, trying again");
                if let watcher::Error::InitialListFailed(kube::Error::Api(status)) = &error
                    && matches!(status.code, 401 | 403 | 404)
                {
                    told(Told::Refused);
                }
            }
        }
    }
}

fn name_of(body: &Value) -> ObjectName {
    let text = |field: &str| str_at(body, &["metadata", field]).unwrap_or_default();
    ObjectName::new(text("namespace"), text("name"))
}

/// Starts all watches, and gives back when the first lists of all of them are complete, or refused: to begin without a
/// project or a setting that is only late would be to do what it forbids.
pub(super) async fn start(shared: &Arc<Shared>) {
    let mut ready = Vec::new();
    ready.push(spawn(shared, applications(), false, None, on_application));
    ready.push(spawn(shared, resource(GROUP, VERSION, "AppProject", "appprojects"), true, None, on_project));
    ready.push(spawn(shared, resource("", "v1", "ConfigMap", "configmaps"), true, None, on_config_map));
    let secrets = Some(SECRET_TYPE.to_owned());
    ready.push(spawn(shared, resource("", "v1", "Secret", "secrets"), true, secrets, on_secret));
    for one in ready {
        let _ = one.await;
    }
}

fn spawn(
    shared: &Arc<Shared>,
    resource: ApiResource,
    own_namespace: bool,
    labels: Option<String>,
    mut on: impl FnMut(&Shared, Told) + Send + 'static,
) -> tokio::sync::oneshot::Receiver<()> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let mut sender = Some(sender);
    let shared = Arc::clone(shared);
    let namespace = (own_namespace || shared.options.application_namespaces.is_empty())
        .then(|| shared.options.namespace.clone());
    let mut config = watcher::Config::default().page_size(100);
    if let Some(labels) = labels {
        config = config.labels(&labels);
    }
    tokio::spawn(async move {
        let client = shared.client.clone();
        follow(client, resource, namespace, config, |told| {
            if matches!(told, Told::Complete | Told::Refused)
                && let Some(sender) = sender.take()
            {
                let _ = sender.send(());
            }
            on(&shared, told);
        })
        .await;
    });
    receiver
}

fn on_application(shared: &Shared, told: Told) {
    match told {
        Told::Here(body) => {
            let name = name_of(&body);
            // Another controller's, perhaps: not a word in its status.
            if !shared.serves(&name.namespace) {
                return;
            }
            if shared.store.put_application(&name, body) {
                shared.queue.add(&name, Duration::ZERO);
            }
        }
        Told::Gone(name) => shared.forget(&name),
        Told::Complete | Told::Refused => {}
    }
}

fn on_project(shared: &Shared, told: Told) {
    match told {
        Told::Here(body) => {
            let name = name_of(&body);
            match serde_json::from_value(body) {
                Ok(project) => shared.store.put_project(name, Some(project)),
                Err(error) => {
                    tracing::warn!(project = %name, error = %error, "the AppProject cannot be read: it permits nothing");
                    shared.store.put_project(name, Some(AppProject::default()));
                }
            }
        }
        Told::Gone(name) => shared.store.put_project(name, None),
        Told::Complete | Told::Refused => return,
    }
    shared.reconcile_all();
}

fn on_config_map(shared: &Shared, told: Told) {
    let (name, data) = match told {
        Told::Here(body) => (name_of(&body), config_map_data(&body)),
        Told::Gone(name) => (name, Default::default()),
        Told::Complete | Told::Refused => return,
    };
    match name.name.as_str() {
        "argocd-cm" => {
            let settings = ArgocdCm::read(&data);
            for problem in &settings.problems {
                tracing::warn!("{problem}; the default is used");
            }
            let old = data.get("resource.customizations").map(|text| goyaml::from_yaml(text.as_bytes()));
            let old = old.transpose().unwrap_or_else(|error| {
                tracing::warn!("argocd-cm: resource.customizations: {error}; it is left out");
                None
            });
            let (scripts, problems) = health_scripts(&data, &old.unwrap_or_default());
            for problem in &problems {
                tracing::warn!("argocd-cm: {problem}; it is left out");
            }
            shared.store.put_argocd_cm(settings, scripts);
        }
        "argocd-ssh-known-hosts-cm" => {
            shared.store.put_known_hosts(data.get("ssh_known_hosts").map_or("", String::as_str));
        }
        "argocd-tls-certs-cm" => shared.store.put_tls_certs(data),
        _ => return,
    }
    shared.reconcile_all();
}

fn on_secret(shared: &Shared, told: Told) {
    match told {
        Told::Here(body) => {
            let name = name_of(&body).name;
            let data = secret_data(&body);
            let kind = str_at(&body, &["metadata", "labels", SECRET_TYPE]).unwrap_or_default();
            match kind {
                "repository" | "repo-creds" => {
                    shared
                        .store
                        .put_repository(&name, Some(RepositorySecret::read(&data, kind == "repo-creds")));
                }
                "cluster" => match ClusterSecret::read(&name, &data) {
                    Ok(cluster) => shared.store.put_cluster(&name, Some(cluster)),
                    Err(error) => tracing::warn!("{error}"),
                },
                _ => return,
            }
        }
        Told::Gone(name) => {
            shared.store.put_repository(&name.name, None);
            shared.store.put_cluster(&name.name, None);
        }
        Told::Complete => {
            shared.store.secrets_are_listed();
            return;
        }
        Told::Refused => return,
    }
    shared.reconcile_all();
}
