//! HTTP/1.1 for one operation on one repository: its own TLS, proxy and credentials, redirects that leak nothing.
//!
//! Shared by smart HTTP (Git), Helm repositories and OCI registries. It knows nothing of what it carries.

mod body;
mod connect;
mod proxy;
mod target;
mod tls;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST, LOCATION, PROXY_AUTHORIZATION, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::Full;
use rustls::ClientConfig;

pub(crate) use body::Body;
pub(crate) use connect::{tcp, unreachable};
pub(crate) use target::Target;

use super::budget::Budget;
use super::error::{SourceError, one_line};
use super::repository::{Access, Auth};
use connect::{Connection, connect};

/// Redirects followed for one request.
const MAX_REDIRECTS: usize = 5;
/// Some servers serve Git over HTTP only to clients that call themselves git.
const AGENT: &str = concat!("git/2.40 tiphys/", env!("CARGO_PKG_VERSION"));

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn get(target: Target) -> Self {
        Self { method: Method::GET, target, headers: Vec::new(), body: Bytes::new() }
    }

    #[must_use]
    pub(crate) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// An answer, its body unread.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    /// Where it came from, after redirects.
    pub(crate) target: Target,
}

impl Answer {
    /// A header as text, empty if it is absent or not text.
    pub(crate) fn header(&self, name: HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// A client for one operation.
pub(crate) struct HttpClient {
    access: Access,
    tls: Arc<ClientConfig>,
    budget: Budget,
    connection: Option<Connection>,
    /// Where the credentials of `access` belong.
    home: Target,
    /// Replaces the credentials of `access`: a token that a registry handed out for them.
    token: Option<String>,
    /// No credentials are sent.
    held: bool,
}

impl HttpClient {
    /// A client whose credentials are sent to the server of the repository's URL alone.
    ///
    /// # Errors
    /// [`SourceError::InvalidAccess`] where certificates cannot be read.
    pub(crate) fn new(access: &Access, budget: &Budget) -> Result<Self, SourceError> {
        Ok(Self {
            access: access.clone(),
            tls: tls::client_config(access)?,
            budget: budget.clone(),
            connection: None,
            home: home_of(access),
            token: None,
            held: false,
        })
    }

    /// Sends this bearer token to the repository's server from now on, instead of its credentials.
    pub(crate) fn use_token(&mut self, token: String) {
        self.token = Some(token);
        self.held = false;
    }

    /// Sends the credentials to the server of this target, in the place of the repository's.
    pub(crate) fn belong_to(&mut self, target: &Target) {
        self.home = target.clone();
    }

    /// Sends no credentials until they are released.
    pub(crate) fn hold_credentials(&mut self) {
        self.held = true;
    }

    /// Sends credentials again.
    pub(crate) fn release_credentials(&mut self) {
        self.held = false;
    }

    /// Sends a request and follows redirects of GET requests.
    ///
    /// # Errors
    /// No connection, no answer in time, a redirect that is refused. Every status is an answer.
    pub(crate) async fn send(&mut self, mut call: Call) -> Result<Answer, SourceError> {
        for _ in 0..=MAX_REDIRECTS {
            let budget = self.budget.clone();
            let answer = budget.run("waiting for its answer", self.send_once(&call)).await??;
            let location = answer.header(LOCATION);
            if !answer.status.is_redirection() || location.is_empty() {
                return Ok(answer);
            }
            let next = call.target.redirect(&self.access.url, location)?;
            if call.method != Method::GET {
                let reason = format!("it moves a request to {} halfway", next.shown());
                return Err(SourceError::RedirectRefused { url: self.access.url.to_string(), reason });
            }
            call.target = next;
        }
        let reason = format!("more than {MAX_REDIRECTS} redirects in a row");
        Err(SourceError::RedirectRefused { url: self.access.url.to_string(), reason })
    }

    async fn send_once(&mut self, call: &Call) -> Result<Answer, SourceError> {
        let target = &call.target;
        let server = (target.https, target.host.clone(), target.port);
        let mut connection = match self.reusable(&server).await {
            Some(open) => open,
            None => connect(&self.access, &self.tls, target).await?,
        };
        let request = self.request(call, connection.absolute_form)?;
        let answer = connection.sender.send_request(request).await;
        let answer = answer.map_err(|error| unreachable(&self.access, describe(&error)))?;
        let (head, body) = answer.into_parts();
        let body = Body::new(body, connection.driver.clone());
        self.connection = Some(connection);
        Ok(Answer { status: head.status, headers: head.headers, body, target: target.clone() })
    }

    /// The open connection, if it leads to this server and still stands.
    async fn reusable(&mut self, server: &(bool, String, u16)) -> Option<Connection> {
        let mut open = self.connection.take().filter(|open| open.server == *server)?;
        open.sender.ready().await.ok()?;
        Some(open)
    }

    fn request(&self, call: &Call, absolute_form: bool) -> Result<Request<Full<Bytes>>, SourceError> {
        let bad = |what: &str| SourceError::InvalidAccess {
            url: self.access.url.to_string(),
            reason: format!("{what} cannot be sent over HTTP: it holds forbidden characters"),
        };
        let target = &call.target;
        let uri = if absolute_form {
            format!("http://{}{}", target.authority(), target.path)
        } else {
            target.path.clone()
        };
        let uri: Uri = uri.parse().map_err(|_| bad("the path of the URL"))?;
        let mut request = Request::builder().method(call.method.clone()).uri(uri);
        request = request.header(HOST, target.authority()).header(USER_AGENT, AGENT);
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        if !self.held
            && self.home.shares_credentials(target)
            && let Some(value) = self.authorization()
        {
            let mut value = HeaderValue::from_str(&value).map_err(|_| bad("the credential"))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        if absolute_form
            && let Some(value) = self.access.proxy.as_ref().and_then(|proxy| proxy.authorization())
        {
            request = request.header(PROXY_AUTHORIZATION, value);
        }
        request.body(Full::new(call.body.clone())).map_err(|_| bad("a header"))
    }

    fn authorization(&self) -> Option<String> {
        if let Some(token) = &self.token {
            return Some(format!("Bearer {token}"));
        }
        if let Auth::Bearer(token) = &self.access.auth {
            return Some(format!("Bearer {}", token.expose()));
        }
        let (user, password) = self.access.basic()?;
        Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
    }
}

fn home_of(access: &Access) -> Target {
    let mut home = Target::below(&access.url, "");
    if access.plain_http {
        home.https = false;
    }
    home
}

/// Turns a status that is no success into the error that says what to do.
pub(crate) fn status_error(access: &Access, answer: &Answer) -> Option<SourceError> {
    let status = answer.status;
    if status.is_success() {
        return None;
    }
    let url = access.url.to_string();
    let reason = format!("HTTP {}", one_line(&status.to_string()));
    Some(match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            SourceError::Unauthenticated { url, reason }
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => SourceError::NotFound { url, reason },
        StatusCode::TOO_MANY_REQUESTS => SourceError::ServerError { url, reason },
        status if status.is_server_error() => SourceError::ServerError { url, reason },
        _ => SourceError::BadAnswer { url, reason: format!("unexpected answer: {reason}") },
    })
}

/// hyper's own message is short; the cause says more.
fn describe(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
