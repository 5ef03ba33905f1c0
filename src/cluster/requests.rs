//! What requests to an API server go through: a write is held back once somebody else may be the leader, and what is
//! asked during the reconcile of an application is counted for it.
//!
//! A client hands its requests to a task of its own, which does not know who asked. So each application has a client in
//! front of the cluster's, which counts and passes on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use http::{HeaderValue, Method, Request, Response};
use kube::client::{Body, ClientBuilder};
use kube::{Client, Config};
use tower::{BoxError, Layer, Service};

use crate::flow::{KubernetesRequest, Meter, ObjectName};

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

/// The name of a user to act as cannot be sent.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the name of the service account to act as cannot be sent in a header")]
struct NoSuchUser;

fn writes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD)
}

/// How requests are held back; not at all by default, for the command line. Cheap to clone.
#[derive(Clone, Default)]
pub struct Requests {
    lease: Option<Lease>,
}

impl Requests {
    /// With a lease, writes are made only while it lasts, and none outlives it.
    pub fn new(lease: Option<Lease>) -> Self {
        Self { lease }
    }

    /// A client whose requests go through here.
    ///
    /// # Errors
    /// Where the configuration names no usable cluster.
    pub fn client(&self, config: Config) -> Result<Client, kube::Error> {
        Ok(ClientBuilder::try_from(config)?.with_layer(self).build())
    }
}

impl<S> Layer<S> for Requests {
    type Service = Through<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Through { inner, lease: self.lease.clone() }
    }
}

/// The service of [`Requests`].
#[derive(Clone)]
pub struct Through<S> {
    inner: S,
    lease: Option<Lease>,
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
        let deadline = self.lease.as_ref().filter(|_| writes(request.method())).map(Lease::remaining);
        if deadline.is_some_and(|left| left.is_zero()) {
            return Box::pin(async { Err(NotLeader.into()) });
        }
        let answer = self.inner.call(request);
        Box::pin(async move {
            match deadline {
                Some(left) => tokio::time::timeout(left, answer).await.map_err(|_| NotLeader)?,
                None => answer.await,
            }
            .map_err(Into::into)
        })
    }
}

/// The clients that count, one per application.
#[derive(Default)]
pub(super) struct Counted {
    clients: Mutex<HashMap<ObjectName, (String, Client)>>,
    /// As whom applications write, but for those that write as the controller.
    users: Mutex<HashMap<ObjectName, Arc<str>>>,
}

impl Counted {
    /// The client of the application that this task works for, in front of `client`; that one itself elsewhere.
    pub(super) fn client(&self, client: &Client, server: &str, meter: &Arc<dyn Meter>) -> Client {
        let Ok((application, project)) = MADE_FOR.try_with(Clone::clone) else { return client.clone() };
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, known)) = clients.get(&application)
            && *of == project
        {
            return known.clone();
        }
        let counting = Counting {
            inner: client.clone(),
            asker: Arc::new(Asker {
                application: application.clone(),
                project: project.clone(),
                server: server.to_owned(),
                meter: Arc::clone(meter),
            }),
            user: self.users.lock().unwrap_or_else(PoisonError::into_inner).get(&application).cloned(),
        };
        let counting = Client::new(counting, client.default_namespace());
        clients.insert(application, (project, counting.clone()));
        counting
    }

    /// Has an application write as a user from now on.
    pub(super) fn act_as(&self, application: &ObjectName, user: Option<String>) {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if users.get(application).map(|known| &**known) == user.as_deref() {
            return;
        }
        match user {
            Some(user) => users.insert(application.clone(), user.into()),
            None => users.remove(application),
        };
        drop(users);
        // The client of before would write as somebody else.
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).remove(application);
    }

    pub(super) fn forget(&self, application: &ObjectName) {
        self.users.lock().unwrap_or_else(PoisonError::into_inner).remove(application);
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).remove(application);
    }
}

struct Asker {
    application: ObjectName,
    project: String,
    server: String,
    meter: Arc<dyn Meter>,
}

/// Counts, and passes on.
#[derive(Clone)]
struct Counting {
    inner: Client,
    asker: Arc<Asker>,
    /// As whom writes and dry-runs go out.
    user: Option<Arc<str>>,
}

impl Service<Request<Body>> for Counting {
    type Response = Response<Body>;
    type Error = kube::Error;
    type Future = BoxFuture<'static, Result<Response<Body>, kube::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), kube::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if let Some(user) = self.user.as_ref().filter(|_| writes(request.method())) {
            let Ok(user) = HeaderValue::from_str(user) else {
                // Never as the controller in its place.
                return Box::pin(async { Err(kube::Error::Service(NoSuchUser.into())) });
            };
            request.headers_mut().insert("impersonate-user", user);
        }
        let parsed = Parsed::of(&request);
        let asker = Arc::clone(&self.asker);
        let inner = self.inner.clone();
        Box::pin(async move {
            let answer = inner.send(request).await;
            asker.meter.kubernetes_request(&KubernetesRequest {
                application: &asker.application,
                project: &asker.project,
                server: &asker.server,
                verb: parsed.verb,
                resource: &parsed.resource,
                namespace: &parsed.namespace,
                dry_run: parsed.dry_run,
                code: answer.as_ref().map_or(0, |answer| answer.status().as_u16()),
            });
            answer
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
        let requests = Requests::new(Some(lease.clone()));
        let inner = tower::service_fn(|_: Request<Body>| async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok::<_, BoxError>(Response::new(Body::empty()))
        });
        let mut service = requests.layer(inner);
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

    #[derive(Default)]
    struct Told(Mutex<Vec<String>>);

    impl Meter for Told {
        fn kubernetes_request(&self, request: &KubernetesRequest<'_>) {
            let KubernetesRequest { application, verb, resource, code, .. } = request;
            self.0.lock().unwrap().push(format!("{application} {verb} {resource} {code}"));
        }
    }

    #[tokio::test]
    async fn requests_count_for_the_application_that_is_reconciled() {
        let answers = tower::service_fn(|_: Request<Body>| async {
            Ok::<_, BoxError>(Response::builder().status(200).body(Body::from(b"{}".to_vec())).unwrap())
        });
        let cluster = Client::new(answers, "default");
        let (counted, told) = (Counted::default(), Arc::new(Told::default()));
        let meter: Arc<dyn Meter> = told.clone();
        let ask = async || {
            let request = http::Request::get("/api/v1/pods").body(Vec::new()).unwrap();
            let client = counted.client(&cluster, "s", &meter);
            client.request::<serde_json::Value>(request).await.unwrap();
        };
        ask().await;
        made_for(ObjectName::new("argocd", "a"), "p".into(), ask()).await;
        assert_eq!(*told.0.lock().unwrap(), ["argocd/a List pods 200"]);
        counted.forget(&ObjectName::new("argocd", "a"));
        assert!(counted.clients.lock().unwrap().is_empty());
    }
}
