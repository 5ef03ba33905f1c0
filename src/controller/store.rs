//! The controller's own objects, as last seen: Applications, AppProjects, settings.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;

use crate::api::annotations::NOTIFIED;
use crate::api::{AppProject, Application, InvalidApplication, decode_application};
use crate::flow::{Destination, IN_CLUSTER_NAME, IN_CLUSTER_SERVER, ObjectName};
use crate::health::HealthScript;
use crate::settings::{ArgocdCm, ClusterSecret, RepositorySecret};

/// An Application as last seen.
#[derive(Clone, Debug)]
pub(super) struct StoredApplication {
    /// The application, or why it cannot be read.
    pub(super) application: Result<Arc<Application>, InvalidApplication>,
    /// `metadata.resourceVersion` as a number.
    pub(super) version: u64,
}

#[derive(Default)]
struct Objects {
    applications: HashMap<ObjectName, StoredApplication>,
    projects: HashMap<ObjectName, Arc<AppProject>>,
    repositories: BTreeMap<String, RepositorySecret>,
    clusters: BTreeMap<String, ClusterSecret>,
    /// Whether the first list of Secrets is complete.
    secrets_listed: bool,
    known_hosts: Arc<str>,
    tls_certs: BTreeMap<String, String>,
    argocd_cm: Arc<ArgocdCm>,
    health_scripts: Arc<BTreeMap<String, HealthScript>>,
}

/// Everything that was read from the controller's own cluster.
#[derive(Default)]
pub(super) struct Store {
    objects: RwLock<Objects>,
}

fn version_of(body: &Value) -> u64 {
    let version = crate::object::str_at(body, &["metadata", "resourceVersion"]);
    version.and_then(|text| text.parse().ok()).unwrap_or(0)
}

impl Store {
    fn read<T>(&self, with: impl FnOnce(&Objects) -> T) -> T {
        with(&self.objects.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, with: impl FnOnce(&mut Objects) -> T) -> T {
        with(&mut self.objects.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes an Application in, unless a newer state of it is there. Gives whether anything but its status changed.
    pub(super) fn put_application(&self, name: &ObjectName, body: Value) -> bool {
        let version = version_of(&body);
        let application = decode_application(body).map(Arc::new);
        self.write(|objects| {
            let before = objects.applications.get(name);
            if before.is_some_and(|before| before.version >= version && version > 0) {
                return false;
            }
            let changed = match (before.map(|before| &before.application), &application) {
                (Some(Ok(before)), Ok(now)) => concerns_us(before, now),
                (Some(Err(before)), Err(now)) => before != now,
                _ => true,
            };
            objects.applications.insert(name.clone(), StoredApplication { application, version });
            changed
        })
    }

    pub(super) fn application(&self, name: &ObjectName) -> Option<StoredApplication> {
        self.read(|objects| objects.applications.get(name).cloned())
    }

    pub(super) fn remove_application(&self, name: &ObjectName) {
        self.write(|objects| objects.applications.remove(name));
    }

    pub(super) fn application_names(&self) -> Vec<ObjectName> {
        self.read(|objects| objects.applications.keys().cloned().collect())
    }

    pub(super) fn applications(&self) -> Vec<Arc<Application>> {
        self.read(|objects| {
            objects.applications.values().filter_map(|stored| stored.application.clone().ok()).collect()
        })
    }

    pub(super) fn put_project(&self, name: ObjectName, project: Option<AppProject>) {
        self.write(|objects| match project {
            Some(project) => objects.projects.insert(name, Arc::new(project)),
            None => objects.projects.remove(&name),
        });
    }

    pub(super) fn project(&self, namespace: &str, name: &str) -> Option<Arc<AppProject>> {
        self.read(|objects| objects.projects.get(&ObjectName::new(namespace, name)).map(Arc::clone))
    }

    pub(super) fn put_repository(&self, secret: &str, repository: Option<RepositorySecret>) {
        self.write(|objects| match repository {
            Some(repository) => objects.repositories.insert(secret.to_owned(), repository),
            None => objects.repositories.remove(secret),
        });
    }

    pub(super) fn repositories(&self) -> Vec<RepositorySecret> {
        self.read(|objects| objects.repositories.values().cloned().collect())
    }

    pub(super) fn put_cluster(&self, secret: &str, cluster: Option<ClusterSecret>) {
        self.write(|objects| match cluster {
            Some(cluster) => objects.clusters.insert(secret.to_owned(), cluster),
            None => objects.clusters.remove(secret),
        });
    }

    pub(super) fn secrets_are_listed(&self) {
        self.write(|objects| objects.secrets_listed = true);
    }

    /// Whether a cluster that is not known is none: every Secret was seen.
    pub(super) fn knows_clusters(&self) -> bool {
        self.read(|objects| objects.secrets_listed)
    }

    pub(super) fn cluster(&self, server: &str) -> Option<ClusterSecret> {
        let comparable = |text: &str| text.trim_end_matches('/').to_owned();
        self.read(|objects| {
            objects.clusters.values().find(|one| comparable(&one.server) == comparable(server)).cloned()
        })
    }

    /// Resolves a destination's name or address; nothing where no cluster has it.
    pub(super) fn destination(&self, server: &str, name: &str, namespace: &str) -> Option<Destination> {
        let at = |server: &str, name: &str| Destination {
            server: server.trim_end_matches('/').to_owned(),
            name: name.to_owned(),
            namespace: namespace.to_owned(),
        };
        let in_cluster = (server.is_empty() && name == IN_CLUSTER_NAME)
            || server.trim_end_matches('/') == IN_CLUSTER_SERVER;
        let declared = self.read(|objects| {
            let found = objects.clusters.values().find(|cluster| {
                if server.is_empty() {
                    cluster.name == name
                } else {
                    cluster.server.trim_end_matches('/') == server.trim_end_matches('/')
                }
            });
            found.map(|cluster| at(&cluster.server, &cluster.name))
        });
        declared.or_else(|| in_cluster.then(|| at(IN_CLUSTER_SERVER, IN_CLUSTER_NAME)))
    }

    pub(super) fn put_argocd_cm(&self, cm: ArgocdCm, scripts: BTreeMap<String, HealthScript>) {
        self.write(|objects| {
            objects.argocd_cm = Arc::new(cm);
            objects.health_scripts = Arc::new(scripts);
        });
    }

    /// The user's own health rules.
    pub(super) fn health_scripts(&self) -> Arc<BTreeMap<String, HealthScript>> {
        self.read(|objects| Arc::clone(&objects.health_scripts))
    }

    pub(super) fn argocd_cm(&self) -> Arc<ArgocdCm> {
        self.read(|objects| Arc::clone(&objects.argocd_cm))
    }

    pub(super) fn put_known_hosts(&self, known_hosts: &str) {
        self.write(|objects| objects.known_hosts = Arc::from(known_hosts));
    }

    pub(super) fn known_hosts(&self) -> Arc<str> {
        self.read(|objects| Arc::clone(&objects.known_hosts))
    }

    pub(super) fn put_tls_certs(&self, certs: BTreeMap<String, String>) {
        self.write(|objects| objects.tls_certs = certs);
    }

    pub(super) fn tls_cert(&self, host: &str) -> Option<String> {
        self.read(|objects| objects.tls_certs.get(host).cloned())
    }
}

/// Whether a change of an Application asks for work: a change of its status by ourselves does not, but a terminate
/// written into the operation's phase does.
fn concerns_us(before: &Application, now: &Application) -> bool {
    let phase = |app: &Application| app.status.operation_state.as_ref().map(|state| state.phase);
    // What a notifications controller has told already is its own business.
    let annotations = |app: &Application| {
        let mut all = app.metadata.annotations.clone().unwrap_or_default();
        all.remove(NOTIFIED);
        all
    };
    before.spec != now.spec
        || before.operation != now.operation
        || annotations(before) != annotations(now)
        || before.metadata.deletion_timestamp != now.metadata.deletion_timestamp
        || before.metadata.finalizers != now.metadata.finalizers
        || phase(before) != phase(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn books_of_notifications_ask_for_no_work() {
        let store = Store::default();
        let name = ObjectName::new("argocd", "a");
        let put = |version: u64, annotations: Value| {
            let metadata = json!({"name": "a", "namespace": "argocd", "resourceVersion": version.to_string(),
                                  "annotations": annotations});
            store.put_application(&name, json!({"metadata": metadata}))
        };
        assert!(put(1, json!({})));
        assert!(!put(2, json!({NOTIFIED: "{}"})));
        assert!(put(3, json!({NOTIFIED: "{}", "argocd.argoproj.io/refresh": "normal"})));
    }
}
