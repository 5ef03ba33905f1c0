//! `/metrics`, `/healthz` and `/readyz`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use crate::controller::Shared;

use super::{Counters, scrape};

/// What the endpoints read from.
pub struct Endpoints {
    /// Counters.
    pub counters: Arc<Counters>,
    /// The controller.
    pub shared: Arc<Shared>,
    /// Labels of Applications that `argocd_app_labels` shows.
    pub labels: Vec<String>,
}

/// Opens the port.
///
/// # Errors
/// Where the address cannot be listened on.
pub async fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address).await?;
    tracing::info!(address = %listener.local_addr()?, "serving metrics");
    Ok(listener)
}

/// Serves until the process ends.
pub async fn serve(listener: TcpListener, endpoints: Endpoints) {
    let endpoints = Arc::new(endpoints);
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let endpoints = Arc::clone(&endpoints);
        tokio::spawn(async move {
            let answer = service_fn(move |request| {
                let endpoints = Arc::clone(&endpoints);
                async move { Ok::<_, Infallible>(answer(&request, &endpoints)) }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(10))
                .serve_connection(TokioIo::new(stream), answer);
            if let Err(error) = connection.await {
                tracing::debug!(error = %error, "a connection to the metrics port broke");
            }
        });
    }
}

fn answer(request: &Request<Incoming>, endpoints: &Endpoints) -> Response<Full<Bytes>> {
    let plain = |status: StatusCode, text: Vec<u8>| {
        let mut response = Response::new(Full::new(Bytes::from(text)));
        *response.status_mut() = status;
        let kind = http::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
        response
    };
    if request.method() != Method::GET {
        return plain(StatusCode::METHOD_NOT_ALLOWED, b"only GET\n".to_vec());
    }
    match request.uri().path() {
        "/metrics" => match scrape::text(endpoints) {
            Ok(text) => plain(StatusCode::OK, text),
            Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n").into_bytes()),
        },
        "/healthz" => plain(StatusCode::OK, b"ok\n".to_vec()),
        "/readyz" if endpoints.shared.is_ready() => plain(StatusCode::OK, b"ok\n".to_vec()),
        "/readyz" => plain(StatusCode::SERVICE_UNAVAILABLE, b"the first lists are not complete\n".to_vec()),
        _ => plain(StatusCode::NOT_FOUND, b"/metrics, /healthz, /readyz\n".to_vec()),
    }
}
