//! Webhooks of the API server, served by the tests on loopback with TLS: a sidecar injector, and a conversion that
//! dies.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use serde_json::{Value, json};
use tokio_rustls::TlsAcceptor;
use xtask::cluster::Authority;

use super::harness::{World, config_map, deployment};

/// What a webhook makes of a review.
type Answer = Arc<dyn Fn(&Value) -> Value + Send + Sync>;

/// A webhook; gone when it is dropped.
struct Webhook {
    port: u16,
    /// The authority of its certificate, as webhook configurations want it.
    ca: String,
    runtime: Option<tokio::runtime::Runtime>,
    server: Mutex<Option<Arc<rustls::ServerConfig>>>,
}

fn encoded(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

impl Webhook {
    fn start(answer: Answer) -> Self {
        let authority = Authority::new("webhooks").unwrap();
        let identity = authority.issue("webhook", &["127.0.0.1"]).unwrap();
        let certificate = CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
        let config =
            rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![certificate], key)
                .unwrap();
        let mut webhook = Self {
            port: 0,
            ca: encoded(&authority.certificate()),
            runtime: None,
            server: Mutex::new(Some(Arc::new(config))),
        };
        webhook.serve(answer);
        webhook
    }

    /// Serves, at the same port as before where there was one.
    fn serve(&mut self, answer: Answer) {
        let config = self.server.lock().unwrap().clone().unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        self.port = runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
            let port = listener.local_addr().unwrap().port();
            tokio::spawn(accept(listener, TlsAcceptor::from(config), answer));
            port
        });
        self.runtime = Some(runtime);
    }

    fn die(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    fn client_config(&self, path: &str) -> Value {
        json!({"url": format!("https://127.0.0.1:{}{path}", self.port), "caBundle": self.ca})
    }
}

async fn accept(listener: tokio::net::TcpListener, tls: TlsAcceptor, answer: Answer) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, answer) = (tls.clone(), Arc::clone(&answer));
        tokio::spawn(async move {
            let Ok(stream) = tls.accept(stream).await else { return };
            let service = service_fn(move |request| review(Arc::clone(&answer), request));
            let server = hyper::server::conn::http1::Builder::new();
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn review(
    answer: Answer,
    request: http::Request<Incoming>,
) -> Result<http::Response<Full<Bytes>>, hyper::Error> {
    let body = request.into_body().collect().await?.to_bytes();
    let mut review: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut response = answer(&review["request"]);
    response["uid"] = review["request"]["uid"].clone();
    review["response"] = response;
    review["request"] = Value::Null;
    let reply = http::Response::builder().header("content-type", "application/json");
    Ok(reply.body(Full::new(Bytes::from(review.to_string()))).unwrap_or_default())
}

/// Injects a container `sidecar` of a version, or brings the one that is there to that version.
fn inject(request: &Value, version: u32) -> Value {
    let containers = request["object"]["spec"]["template"]["spec"]["containers"].as_array();
    let there = containers.and_then(|all| all.iter().position(|one| one["name"] == "sidecar"));
    let sidecar = json!({"name": "sidecar", "image": format!("registry.example.com/sidecar:{version}")});
    let path = "/spec/template/spec/containers";
    let patch = match there {
        Some(index) => {
            json!([{"op": "replace", "path": format!("{path}/{index}/image"), "value": sidecar["image"]}])
        }
        None => json!([{"op": "add", "path": format!("{path}/-"), "value": sidecar}]),
    };
    json!({"allowed": true, "patchType": "JSONPatch", "patch": encoded(&patch.to_string())})
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn an_injected_sidecar_is_no_difference() {
    let version = Arc::new(AtomicU32::new(1));
    let current = Arc::clone(&version);
    let webhook = Webhook::start(Arc::new(move |request| inject(request, current.load(Ordering::Relaxed))));
    let world = World::new("sidecar");
    let target = world.target("app");
    let name = world.namespace.clone();
    let configuration = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [{
            "name": "sidecar.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None",
            "failurePolicy": "Ignore", "clientConfig": webhook.client_config("/mutate"),
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": target}},
            "rules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"],
                       "operations": ["CREATE", "UPDATE"]}],
        }],
    });
    let configurations = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
    world.api.create(configurations, &configuration).unwrap();
    let path = format!("/apis/apps/v1/namespaces/{target}/deployments");
    // The configuration is known to the API server a moment after it was accepted.
    let probe = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "probe"}, "spec": {
        "replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "main", "image": "registry.example.com/x:1"}]}}}});
    world.eventually("the webhook is called", |world| {
        let made = world.api.create(&format!("{path}?dryRun=All"), &probe);
        made.is_ok_and(|made| made["spec"]["template"]["spec"]["containers"][1]["name"] == "sidecar")
    });
    let url = world.repository("app", &[("web.yaml", &deployment("web", 1, 0, "{}"))]);
    world.application("app", &url, |_| {});
    world.converged("app", "");
    let web = |world: &World| world.api.get(&format!("{path}/web")).unwrap().unwrap();
    let image = |world: &World| web(world)["spec"]["template"]["spec"]["containers"][1]["image"].clone();
    assert_eq!(image(&world), "registry.example.com/sidecar:1");
    let before = web(&world)["metadata"]["generation"].clone();

    // The injector changes its mind: what it would make of the object now is neither a difference nor written.
    version.store(2, Ordering::Relaxed);
    world.hard_refresh("app");
    assert_eq!(world.app("app")["status"]["sync"]["status"], "Synced");
    assert_eq!(web(&world)["metadata"]["generation"], before);

    // Unless the user wants it to count.
    let annotation = json!({"argocd.argoproj.io/compare-options": "IncludeMutationWebhook=true"});
    world.api.merge(&world.app_path("app"), &json!({"metadata": {"annotations": annotation}})).unwrap();
    world.hard_refresh("app");
    world
        .eventually("the newer sidecar is applied", |world| image(world) == "registry.example.com/sidecar:2");
    world.converged("app", "");
    world.api.delete(&format!("{configurations}/{name}")).unwrap();
}

/// A conversion that changes nothing but the version.
fn convert(request: &Value) -> Value {
    let mut objects = request["objects"].clone();
    for object in objects.as_array_mut().into_iter().flatten() {
        object["apiVersion"] = request["desiredAPIVersion"].clone();
    }
    json!({"convertedObjects": objects, "result": {"status": "Success"}})
}

#[test]
#[ignore = "needs a cluster: cargo xtask test"]
fn a_dead_conversion_harms_only_who_uses_the_kind() {
    let mut webhook = Webhook::start(Arc::new(convert));
    let mut world = World::new("conversion");
    let group = format!("{}.example.com", world.namespace);
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let crd = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("gadgets.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced", "names": {"plural": "gadgets", "singular": "gadget", "kind": "Gadget"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema},
                         {"name": "v2", "served": true, "storage": false, "schema": schema}],
            "conversion": {"strategy": "Webhook", "webhook": {
                "conversionReviewVersions": ["v1"], "clientConfig": webhook.client_config("/convert")}},
        },
    });
    let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    world.api.create(crds, &crd).unwrap();
    let gadgets = format!("/apis/{group}/v1/namespaces/{}/gadgets", world.namespace);
    world.eventually("the kind is served", |world| {
        world.api.request("GET", &gadgets, "", None).is_ok_and(|(status, _)| status == 200)
    });
    let gadget = format!("apiVersion: {group}/v2\nkind: Gadget\nmetadata: {{name: g}}\nspec: {{a: 1}}\n");
    let url = world.repository(
        "app",
        &[
            ("victim/g.yaml", &gadget),
            ("victim/c.yaml", &config_map("beside", "one", 0)),
            ("other/c.yaml", &config_map("c", "one", 0)),
        ],
    );
    let target = world.application("victim", &url, |app| app["spec"]["source"]["path"] = json!("victim"));
    let other = world.application("other", &url, |app| app["spec"]["source"]["path"] = json!("other"));
    world.converged("victim", "");
    world.converged("other", "");

    world.kill_controller();
    webhook.die();
    world.start_controller();
    // Git drops the gadget: nothing of a kind that cannot be seen is pruned.
    let commit = world.commit(
        "app",
        &[("victim/c.yaml", &config_map("beside", "one", 0)), ("other/c.yaml", &config_map("c", "two", 0))],
    );
    world.refresh("victim");
    world.refresh("other");
    world.converged("other", &commit);
    let value = world.api.get(&format!("/api/v1/namespaces/{other}/configmaps/c")).unwrap().unwrap();
    assert_eq!(value["data"]["value"], "two");
    // Whether the API server still lists the kind depends on what its own cache holds.
    world.eventually("the victim says what is wrong", |world| {
        let status = &world.app("victim")["status"];
        status["sync"]["status"] != "Synced" && status["conditions"].to_string().contains("Gadget")
    });
    let stored = format!("/apis/{group}/v1/namespaces/{target}/gadgets/g");
    assert!(world.api.get(&stored).unwrap().is_some(), "it was pruned unseen");

    // The webhook comes back, and with it the application.
    webhook.serve(Arc::new(convert));
    world.eventually("the gadget is pruned after all", |world| world.api.get(&stored).unwrap().is_none());
    world.converged("victim", &commit);
    world.api.delete(&format!("{crds}/gadgets.{group}")).unwrap();
}
