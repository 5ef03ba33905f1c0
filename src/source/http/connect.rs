//! From a target to an open connection: addresses, proxy, TLS, HTTP/1.1 handshake.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

use super::proxy::tunnel;
use super::target::{Target, is_link_local};
use crate::source::error::SourceError;
use crate::source::repository::{Access, Proxy};

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Drives a connection until it is dropped.
#[derive(Debug)]
pub(crate) struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// An open connection to one server.
pub(crate) struct Connection {
    pub(crate) sender: SendRequest<Full<Bytes>>,
    /// Shared with the bodies that are still read.
    pub(crate) driver: Arc<Driver>,
    /// The server: requests to another one need another connection.
    pub(crate) server: (bool, String, u16),
    /// The request line must hold the whole URL, since a proxy reads it.
    pub(crate) absolute_form: bool,
}

/// Opens a connection to the server of a target.
pub(crate) async fn connect(
    access: &Access,
    tls: &Arc<ClientConfig>,
    target: &Target,
) -> Result<Connection, SourceError> {
    let proxy = access.proxy.as_ref().filter(|proxy| !proxy.bypasses(target));
    let stream: Box<dyn Stream> = match proxy {
        Some(proxy) => through_proxy(access, tls, proxy, target).await?,
        None => Box::new(tcp(access, &target.host, target.port).await?),
    };
    let stream = if target.https { secure(access, tls, &target.host, stream).await? } else { stream };
    let (sender, connection) = handshake::<_, Full<Bytes>>(TokioIo::new(stream))
        .await
        .map_err(|error| unreachable(access, error.to_string()))?;
    let driver = tokio::spawn(async move {
        // Its errors reach the request that waits.
        let _ = connection.await;
    });
    Ok(Connection {
        sender,
        driver: Arc::new(Driver(driver)),
        server: (target.https, target.host.clone(), target.port),
        absolute_form: proxy.is_some() && !target.https,
    })
}

async fn through_proxy(
    access: &Access,
    tls: &Arc<ClientConfig>,
    proxy: &Proxy,
    target: &Target,
) -> Result<Box<dyn Stream>, SourceError> {
    if target.host.parse().is_ok_and(is_link_local) {
        return Err(unreachable(access, "link-local addresses are refused".to_owned()));
    }
    let hop = Target::below(&proxy.url, "");
    let stream: Box<dyn Stream> = Box::new(tcp(access, &hop.host, hop.port).await?);
    let mut stream = if hop.https { secure(access, tls, &hop.host, stream).await? } else { stream };
    if target.https {
        tunnel(&mut stream, proxy, target).await.map_err(|reason| unreachable(access, reason))?;
    }
    Ok(stream)
}

/// Opens a TCP connection. Link-local addresses are refused after name resolution, so that a name cannot hide them.
pub(crate) async fn tcp(access: &Access, host: &str, port: u16) -> Result<TcpStream, SourceError> {
    let found = tokio::net::lookup_host((host, port)).await;
    let found = found.map_err(|error| unreachable(access, format!("cannot resolve {host}: {error}")))?;
    let mut reason = format!("{host} has no address");
    for address in found {
        if is_link_local(address.ip()) {
            reason = format!("{host} is the link-local address {}, which is refused", address.ip());
            continue;
        }
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Requests are small and written whole.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => reason = format!("{address}: {error}"),
        }
    }
    Err(unreachable(access, reason))
}

async fn secure(
    access: &Access,
    tls: &Arc<ClientConfig>,
    host: &str,
    stream: Box<dyn Stream>,
) -> Result<Box<dyn Stream>, SourceError> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| unreachable(access, format!("{host} is no name that a certificate can have")))?;
    match TlsConnector::from(tls.clone()).connect(name, stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => Err(tls_error(access, &error)),
    }
}

fn tls_error(access: &Access, error: &std::io::Error) -> SourceError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    if let Some(rustls::Error::InvalidCertificate(reason)) = inner {
        let hint = "add its authority to argocd-tls-certs-cm, or set insecure on the repository";
        let reason = format!("its TLS certificate is not accepted ({reason}); {hint}");
        return SourceError::Untrusted { url: access.url.to_string(), reason };
    }
    unreachable(access, format!("TLS: {error}"))
}

pub(crate) fn unreachable(access: &Access, reason: String) -> SourceError {
    SourceError::Unreachable { url: access.url.to_string(), reason }
}
