//! Connections to destinations, opened when the first application wants one.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use base64::Engine;
use kube::{Api, Client, Config};

use crate::cluster::{Cluster, TrackedBy, WatchedObject};
use crate::flow::{Cause, Destination, IN_CLUSTER_SERVER, Problem, Stage};
use crate::settings::{ClusterSecret, TrackingMethod};

use super::{Shared, watchers};

/// The controller is of no use where its own cluster does not know Applications.
pub(super) async fn check_own(shared: &Shared) -> Result<(), Problem> {
    let api: Api<WatchedObject> = Api::all_with(shared.client.clone(), &watchers::applications());
    let limit = kube::api::ListParams::default().limit(1);
    match api.list(&limit).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Err(Problem::stalled(
            Stage::Observe,
            Cause::KindUnknown,
            "the cluster does not know Applications: apply the CRDs first (`tiphys crds | kubectl apply --server-side -f -`)",
        )),
        // Rights may be limited to a namespace; the watch says so if they are not enough.
        Err(kube::Error::Api(status)) if status.code < 500 && status.code != 429 => Ok(()),
        Err(error) => Err(Problem::retry(
            Stage::Observe,
            Cause::DestinationUnreachable,
            format!("the cluster does not answer: {error}"),
        )),
    }
}

/// Waits until the controller's own cluster serves Applications: who installs may apply the CRDs last.
pub(super) async fn own_is_there(shared: &Shared) {
    let mut pause = Duration::from_secs(1);
    while let Err(problem) = check_own(shared).await {
        tracing::warn!(stage = problem.stage.as_str(), "{problem}; waiting for it");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(30));
    }
}

/// The cluster of a destination.
pub(super) async fn cluster(shared: &Shared, destination: &Destination) -> Result<Arc<Cluster>, Problem> {
    {
        let clusters = shared.clusters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cluster) = clusters.get(&destination.server) {
            cluster.track_by(tracked_by(shared));
            return Ok(Arc::clone(cluster));
        }
    }
    let client = match shared.store.cluster(&destination.server) {
        Some(secret) => client_of(shared, &secret)?,
        None if destination.server == IN_CLUSTER_SERVER => shared.client.clone(),
        None => {
            return Err(Problem::stalled(
                Stage::Validate,
                Cause::InvalidSpec,
                format!(
                    "there is no cluster with address {}: add a cluster Secret for it",
                    destination.server
                ),
            ));
        }
    };
    let cluster =
        Cluster::new(&destination.server, client, shared.changes.clone(), Arc::clone(&shared.meter));
    cluster.track_by(tracked_by(shared));
    let mut clusters = shared.clusters.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Arc::clone(clusters.entry(destination.server.clone()).or_insert(cluster)))
}

fn tracked_by(shared: &Shared) -> TrackedBy {
    let settings = shared.store.argocd_cm();
    match settings.tracking {
        TrackingMethod::Label => TrackedBy::Label(settings.instance_label.clone()),
        TrackingMethod::Annotation | TrackingMethod::AnnotationAndLabel => TrackedBy::Annotation,
    }
}

fn client_of(shared: &Shared, secret: &ClusterSecret) -> Result<Client, Problem> {
    let invalid = |message: String| {
        Problem::stalled(
            Stage::Validate,
            Cause::InvalidSpec,
            format!("cluster Secret of {}: {message}", secret.server),
        )
    };
    if secret.config.exec_provider_config.is_some() {
        return Err(invalid(
            "execProviderConfig runs a program and is refused; use bearerToken or a client certificate"
                .into(),
        ));
    }
    let url: http::Uri = secret.server.parse().map_err(|_| invalid("server is not an address".into()))?;
    let mut config = Config::new(url);
    let tls = &secret.config.tls_client_config;
    config.accept_invalid_certs = tls.insecure;
    config.tls_server_name = (!tls.server_name.is_empty()).then(|| tls.server_name.clone());
    config.read_timeout = Some(Duration::from_secs(295));
    if !tls.ca_data.is_empty() {
        config.root_cert =
            Some(certificates(&tls.ca_data).ok_or_else(|| invalid("caData is no PEM in base64".into()))?);
    }
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    config.auth_info.username = text(&secret.config.username);
    config.auth_info.password = text(&secret.config.password).map(Into::into);
    config.auth_info.token = text(&secret.config.bearer_token).map(Into::into);
    config.auth_info.client_certificate_data = text(&tls.cert_data);
    config.auth_info.client_key_data = text(&tls.key_data).map(Into::into);
    shared.requests.client(config).map_err(|error| invalid(error.to_string()))
}

/// Certificates in base64 of PEM, as DER.
fn certificates(data: &str) -> Option<Vec<Vec<u8>>> {
    let engine = base64::engine::general_purpose::STANDARD;
    let pem = String::from_utf8(engine.decode(data.trim()).ok()?).ok()?;
    let mut found = Vec::new();
    for block in pem.split("-----BEGIN CERTIFICATE-----").skip(1) {
        let body: String = block.split("-----END CERTIFICATE-----").next()?.split_whitespace().collect();
        found.push(engine.decode(body).ok()?);
    }
    (!found.is_empty()).then_some(found)
}
