//! What every request to an API server goes through: it is counted for the application that it is made for, and a
//! write is held back once somebody else may be the leader.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use http::{Method, Request, Response};
use kube::client::{Body, ClientBuilder};
use kube::{Client, Config};
use tower::{BoxError, Layer, Service};

use crate::flow::{KubernetesRequest, Meter, NoMeter, ObjectName};

tokio::task_local! {
    /// The application, and its project, whose reconcile makes the requests of this task.
    static MADE_FOR: (ObjectName, String);
}

/// Runs a reconcile: requests in it are counted for this application.
pub async fn made_for<T>(application: ObjectName, project: String, work: impl Future<Output = T>) -> T {
    MADE_FOR.scope((application, project), work).await
}

/// Until when this process may write, by the monotonic clock. Shared by the leader, who moves it on, and by all clients.
#[derive(Clone, Debug, Default)]
pub struct Lease(Arc<Mutex<Option<Instant>>>);

impl Lease {
    /// A lease that nobody holds yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes may be made until then.
    pub fn extend(&self, until: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }

    /// No write may be made any more.
    pub fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What is left; zero where it is over.
    pub fn remaining(&self) -> Duration {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }
}

/// A write that was not made, or not waited for, since this process may no longer be the leader.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("this replica is not the leader any more, so it writes nothing")]
pub struct NotLeader;

/// How requests are counted and held back. Cheap to clone.
#[derive(Clone)]
pub struct Requests {
    meter: Arc<dyn Meter>,
    lease: Option<Lease>,
}

impl Default for Requests {
    /// Counts nothing and holds nothing back: for the command line.
    fn default() -> Self {
        Self { meter: Arc::new(NoMeter), lease: None }
    }
}

impl Requests {
    /// Counts by the meter; with a lease, writes are made only while it lasts, and none outlives it.
    pub fn new(meter: Arc<dyn Meter>, lease: Option<Lease>) -> Self {
        Self { meter, lease }
    }

    /// A client whose requests go through here.
    ///
    /// # Errors
    /// Where the configuration names no usable cluster.
    pub fn client(&self, config: Config) -> Result<Client, kube::Error> {
        let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let layer = RequestsLayer { server: server.into(), requests: self.clone() };
        Ok(ClientBuilder::try_from(config)?.with_layer(&layer).build())
    }
}

#[derive(Clone)]
struct RequestsLayer {
    server: Arc<str>,
    requests: Requests,
}

impl<S> Layer<S> for RequestsLayer {
    type Service = Through<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Through { inner, layer: self.clone() }
    }
}

/// The service of [`Requests`].
#[derive(Clone)]
struct Through<S> {
    inner: S,
    layer: RequestsLayer,
}

impl<S, B> Service<Request<Body>> for Through<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<B>, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let writes = !matches!(*request.method(), Method::GET | Method::HEAD);
        let deadline = self.layer.requests.lease.as_ref().filter(|_| writes).map(Lease::remaining);
        if deadline.is_some_and(|left| left.is_zero()) {
            return Box::pin(async { Err(NotLeader.into()) });
        }
        let counted = MADE_FOR.try_with(|made_for| (made_for.clone(), Parsed::of(&request))).ok();
        let layer = self.layer.clone();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = match deadline {
                Some(left) => {
                    tokio::time::timeout(left, answer).await.map_err(|_| BoxError::from(NotLeader))?
                }
                None => answer.await,
            };
            if let Some(((application, project), parsed)) = counted {
                layer.requests.meter.kubernetes_request(&KubernetesRequest {
                    application: &application,
                    project: &project,
                    server: &layer.server,
                    verb: parsed.verb,
                    resource: &parsed.resource,
                    namespace: &parsed.namespace,
                    dry_run: parsed.dry_run,
                    code: answer.as_ref().map_or(0, |answer| answer.status().as_u16()),
                });
            }
            answer.map_err(Into::into)
        })
    }
}

/// What a request is, read from its address.
#[derive(Debug, PartialEq, Eq)]
struct Parsed {
    verb: &'static str,
    resource: String,
    namespace: String,
    dry_run: bool,
}

impl Parsed {
    fn of(request: &Request<Body>) -> Self {
        Self::read(request.method(), request.uri().path(), request.uri().query().unwrap_or_default())
    }

    fn read(method: &Method, path: &str, query: &str) -> Self {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let rest = match parts.as_slice() {
            ["api", _, rest @ ..] | ["apis", _, _, rest @ ..] => rest,
            _ => &[],
        };
        let (namespace, resource, named) = match rest {
            ["namespaces", namespace, resource, name @ ..] => (*namespace, *resource, !name.is_empty()),
            [resource, name @ ..] => ("", *resource, !name.is_empty()),
            [] => ("", "", true),
        };
        let has = |wanted: &str| query.split('&').any(|pair| pair == wanted);
        let verb = match *method {
            Method::POST => "Create",
            Method::PUT => "Update",
            Method::PATCH => "Patch",
            Method::DELETE => "Delete",
            Method::GET if has("watch=true") => "Watch",
            Method::GET if named => "Get",
            Method::GET => "List",
            _ => "Unknown",
        };
        let (resource, namespace) = (resource.to_owned(), namespace.to_owned());
        Self { verb, resource, namespace, dry_run: has("dryRun=All") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(method: Method, path: &str, query: &str) -> (&'static str, String, String, bool) {
        let parsed = Parsed::read(&method, path, query);
        (parsed.verb, parsed.resource, parsed.namespace, parsed.dry_run)
    }

    #[test]
    fn requests_are_told_by_their_address() {
        let told = |verb, resource: &str, namespace: &str, dry_run| {
            (verb, resource.to_owned(), namespace.to_owned(), dry_run)
        };
        let patch = read(Method::PATCH, "/apis/apps/v1/namespaces/n/deployments/d", "dryRun=All&force=true");
        assert_eq!(patch, told("Patch", "deployments", "n", true));
        assert_eq!(
            read(Method::GET, "/api/v1/namespaces", "limit=250"),
            told("List", "namespaces", "", false)
        );
        assert_eq!(read(Method::GET, "/api/v1/namespaces/n", ""), told("Get", "namespaces", "", false));
        assert_eq!(read(Method::GET, "/api/v1/pods", "watch=true"), told("Watch", "pods", "", false));
        assert_eq!(
            read(Method::POST, "/api/v1/namespaces/n/events", ""),
            told("Create", "events", "n", false)
        );
        assert_eq!(read(Method::GET, "/version", ""), told("Get", "", "", false));
    }

    #[tokio::test]
    async fn nothing_is_written_without_the_lease() {
        let lease = Lease::new();
        let requests = Requests::new(Arc::new(NoMeter), Some(lease.clone()));
        let layer = RequestsLayer { server: "s".into(), requests };
        let inner = tower::service_fn(|_: Request<Body>| async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok::<_, BoxError>(Response::new(Body::empty()))
        });
        let mut service = layer.layer(inner);
        let request = |method: Method| Request::builder().method(method).uri("/api/v1/x").body(Body::empty());
        assert!(service.call(request(Method::PATCH).unwrap()).await.is_err(), "nobody holds it yet");
        assert!(service.call(request(Method::GET).unwrap()).await.is_ok(), "reading is always allowed");
        lease.extend(Instant::now() + Duration::from_secs(60));
        assert!(service.call(request(Method::PATCH).unwrap()).await.is_ok());
        lease.extend(Instant::now() + Duration::from_millis(5));
        assert!(service.call(request(Method::PATCH).unwrap()).await.is_err(), "it would outlive the lease");
        lease.end();
        assert!(service.call(request(Method::DELETE).unwrap()).await.is_err());
    }
}
