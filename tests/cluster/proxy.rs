//! What can go wrong between a controller and its API server, put there on purpose and by a seed: a proxy that delays,
//! resets before and after, answers 409, 410, 429 and 500, cuts lists short and ends watches.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

type Reply = Result<http::Response<UnsyncBoxBody<Bytes, Broken>>, Broken>;

/// The connection breaks.
#[derive(Debug, thiserror::Error)]
#[error("broken on purpose")]
struct Broken;

/// A proxy in front of the API server.
pub(super) struct Proxy {
    /// Its address.
    pub(super) url: String,
    state: Arc<State>,
    /// Ends with the proxy.
    _runtime: tokio::runtime::Runtime,
}

struct State {
    client: Client,
    random: Mutex<StdRng>,
    /// Requests of a hundred that go wrong.
    rate: AtomicU32,
    requests: AtomicU32,
    faults: Mutex<Vec<String>>,
    /// Paths that begin so are not found.
    hidden: Mutex<Option<&'static str>>,
    /// The path of lists that are always answered like this.
    lists: Mutex<Option<(String, Lists)>>,
}

/// How lists are answered, each with status 200.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Lists {
    /// Half of the text.
    Cut,
    /// Half of the items, and a token for the rest that nobody knows.
    Short,
    /// Two items at a time, with a token that leads on.
    Pages,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    Delay(u64),
    ResetBefore,
    ResetAfter,
    Status(u16),
    List(Lists),
    EndWatch(u64),
}

impl Proxy {
    /// A proxy to the cluster of a kubeconfig. Nothing goes wrong before `rate` says so.
    pub(super) fn start(kubeconfig: &Path, seed: u64) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
        let (state, url) = runtime.block_on(async {
            let config =
                Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
            let state = Arc::new(State {
                client: Client::try_from(config).unwrap(),
                random: Mutex::new(StdRng::seed_from_u64(seed)),
                rate: AtomicU32::new(0),
                requests: AtomicU32::new(0),
                faults: Mutex::default(),
                lists: Mutex::default(),
                hidden: Mutex::default(),
            });
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            tokio::spawn(accept(listener, Arc::clone(&state)));
            (state, url)
        });
        Self { url, state, _runtime: runtime }
    }

    /// Lets so many requests of a hundred go wrong from now on.
    pub(super) fn rate(&self, rate: u32) {
        self.state.rate.store(rate, Ordering::Relaxed);
    }

    /// Answers 404 to paths that begin so, as a server that does not know the API group; nothing is hidden where absent.
    pub(super) fn hide(&self, begin: Option<&'static str>) {
        *self.state.hidden.lock().unwrap() = begin;
    }

    /// Answers all lists at a path like this from now on.
    pub(super) fn lists(&self, path: &str, how: Option<Lists>) {
        *self.state.lists.lock().unwrap() = how.map(|how| (path.to_owned(), how));
    }

    /// How many requests came through.
    pub(super) fn requests(&self) -> u32 {
        self.state.requests.load(Ordering::Relaxed)
    }

    /// What went wrong, in order, for messages.
    pub(super) fn faults(&self) -> Vec<String> {
        self.state.faults.lock().unwrap().clone()
    }
}

async fn accept(listener: tokio::net::TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&state), request));
            let connection = hyper::server::conn::http1::Builder::new();
            let _ = connection.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

impl State {
    fn choose(&self, path: &str, is_write: bool, is_watch: bool, is_list: bool) -> Fault {
        if let Some((end, how)) = &*self.lists.lock().unwrap()
            && is_list
            && path == end
        {
            return Fault::List(*how);
        }
        let mut random = self.random.lock().unwrap();
        if random.random_range(0..100) >= self.rate.load(Ordering::Relaxed) {
            return Fault::None;
        }
        let fault = match random.random_range(0..8) {
            0 => Fault::Delay(random.random_range(10..400)),
            1 => Fault::ResetBefore,
            2 if is_watch => Fault::EndWatch(random.random_range(50..1500)),
            2 => Fault::ResetAfter,
            3 if is_write => Fault::Status(409),
            3 if is_watch => Fault::Status(410),
            4 => Fault::Status(429),
            5 => Fault::Status(500),
            6 if is_list => match random.random_range(0..3) {
                0 => Fault::List(Lists::Cut),
                1 => Fault::List(Lists::Short),
                _ => Fault::List(Lists::Pages),
            },
            6 if is_write => Fault::ResetAfter,
            _ => Fault::Delay(random.random_range(10..400)),
        };
        drop(random);
        fault
    }

    fn note(&self, fault: Fault, what: &str) {
        self.faults.lock().unwrap().push(format!("{fault:?} {what}"));
    }
}

async fn answer(state: Arc<State>, request: http::Request<Incoming>) -> Reply {
    state.requests.fetch_add(1, Ordering::Relaxed);
    let (parts, body) = request.into_parts();
    if state.hidden.lock().unwrap().is_some_and(|begin| parts.uri.path().starts_with(begin)) {
        return Ok(refusal(404));
    }
    let query = parts.uri.query().unwrap_or_default();
    let is_watch = query.contains("watch=true") || query.contains("watch=1");
    let is_write = parts.method != http::Method::GET;
    let is_list = !is_write && !is_watch && query.contains("limit=");
    let fault = state.choose(parts.uri.path(), is_write, is_watch, is_list);
    if fault != Fault::None {
        state.note(fault, &format!("{} {}", parts.method, parts.uri));
    }
    match fault {
        Fault::ResetBefore => return Err(Broken),
        Fault::Status(code) => return Ok(refusal(code)),
        Fault::Delay(milliseconds) => tokio::time::sleep(Duration::from_millis(milliseconds)).await,
        _ => {}
    }
    let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
    let mut uri = parts.uri;
    if fault == Fault::List(Lists::Pages) {
        uri = with_limit(&uri, 2);
    }
    let mut forwarded = http::Request::builder().method(parts.method).uri(uri);
    for name in [http::header::CONTENT_TYPE, http::header::ACCEPT] {
        if let Some(value) = parts.headers.get(&name) {
            forwarded = forwarded.header(name, value);
        }
    }
    let forwarded = forwarded.body(Body::from(body.to_vec())).map_err(|_| Broken)?;
    let answer = state.client.send(forwarded).await.map_err(|_| Broken)?;
    let (parts, body) = answer.into_parts();
    let mut reply = http::Response::builder().status(parts.status);
    if let Some(value) = parts.headers.get(http::header::CONTENT_TYPE) {
        reply = reply.header(http::header::CONTENT_TYPE, value);
    }
    let body = match fault {
        Fault::ResetAfter => return Err(Broken),
        Fault::List(how @ (Lists::Cut | Lists::Short)) => {
            let whole = body.collect().await.map_err(|_| Broken)?.to_bytes();
            let less = if how == Lists::Cut { whole.slice(..whole.len() / 2) } else { shortened(&whole) };
            Full::new(less).map_err(|_| Broken).boxed_unsync()
        }
        Fault::EndWatch(milliseconds) => {
            let end = tokio::time::sleep(Duration::from_millis(milliseconds));
            let frames = futures::StreamExt::take_until(frames(body), end);
            StreamBody::new(frames).boxed_unsync()
        }
        _ => StreamBody::new(frames(body)).boxed_unsync(),
    };
    reply.body(body).map_err(|_| Broken)
}

/// The same request for fewer items.
fn with_limit(uri: &http::Uri, limit: usize) -> http::Uri {
    let query = uri.query().unwrap_or_default().split('&');
    let query: Vec<String> = query
        .map(|one| if one.starts_with("limit=") { format!("limit={limit}") } else { one.to_owned() })
        .collect();
    format!("{}?{}", uri.path(), query.join("&")).parse().unwrap()
}

/// A list with half of its items, which names a rest that cannot be had.
fn shortened(text: &[u8]) -> Bytes {
    let mut list: serde_json::Value = serde_json::from_slice(text).unwrap_or_default();
    if let Some(items) = list["items"].as_array_mut() {
        items.truncate(items.len() / 2);
        list["metadata"]["continue"] = json!("nobody-knows");
    }
    Bytes::from(list.to_string())
}

fn frames(body: Body) -> futures::stream::BoxStream<'static, Result<Frame<Bytes>, Broken>> {
    let frames = futures::stream::unfold(Some(body), |body| async move {
        let mut body = body?;
        match body.frame().await? {
            Ok(frame) => Some((Ok(frame), Some(body))),
            Err(_) => Some((Err(Broken), None)),
        }
    });
    futures::StreamExt::boxed(frames)
}

fn refusal(code: u16) -> http::Response<UnsyncBoxBody<Bytes, Broken>> {
    let reason = match code {
        404 => "NotFound",
        409 => "Conflict",
        410 => "Expired",
        429 => "TooManyRequests",
        _ => "InternalError",
    };
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code,
                        "reason": reason, "message": format!("{reason}, on purpose")});
    let body = Full::new(Bytes::from(status.to_string())).map_err(|_| Broken).boxed_unsync();
    let reply = http::Response::builder().status(code).header("content-type", "application/json");
    let reply = if code == 429 { reply.header("retry-after", "1") } else { reply };
    reply.body(body).unwrap()
}
