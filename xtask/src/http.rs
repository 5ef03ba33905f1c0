//! A small HTTP/1.1 server on loopback for tests and the demo: one request per connection, a thread
//! each, TLS if given an identity. Not for anything that strangers can reach.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::cluster::Identity;
use crate::error::{Context, Result};

const HEAD_LIMIT: usize = 64 << 10;

/// A request whose body has not been read yet.
pub struct Request<'a> {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, as sent.
    pub path: String,
    /// What follows the `?`.
    pub query: String,
    headers: Vec<(String, String)>,
    /// The body, already freed of chunks.
    pub body: Box<dyn Read + Send + 'a>,
}

impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}?{}", self.method, self.path, self.query)
    }
}

impl Request<'_> {
    /// The value of a header, by any case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// An answer; the body is sent until its end, then the connection is closed.
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Header lines.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Box<dyn Read>,
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.status)
    }
}

impl Response {
    /// A text or JSON answer.
    pub fn text(status: u16, content_type: &str, body: impl Into<String>) -> Self {
        let body = body.into();
        let headers = vec![
            ("Content-Type".to_owned(), content_type.to_owned()),
            ("Content-Length".to_owned(), body.len().to_string()),
        ];
        Self { status, headers, body: Box::new(io::Cursor::new(body.into_bytes())) }
    }
}

/// What answers requests. `None` closes the connection without a word.
pub type Handler = dyn Fn(Request<'_>) -> Option<Response> + Send + Sync;

/// A server that ends when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
}

impl Server {
    /// Listens on this port of loopback (0 for any) and answers with `handler`.
    pub fn start(port: u16, identity: Option<&Identity>, handler: Arc<Handler>) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).context("listening on loopback")?;
        let address = listener.local_addr().context("listening on loopback")?;
        let tls = identity.map(tls_config).transpose()?.map(Arc::new);
        let ended = Arc::new(AtomicBool::new(false));
        let server = Self { address, ended: Arc::clone(&ended) };
        thread::spawn(move || {
            for connection in listener.incoming() {
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                if let Ok(connection) = connection {
                    let (tls, handler) = (tls.clone(), Arc::clone(&handler));
                    // A broken connection is the client's to notice.
                    thread::spawn(move || drop(serve(connection, tls, handler.as_ref())));
                }
            }
        });
        Ok(server)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes the listener, which then ends.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

fn tls_config(identity: &Identity) -> Result<ServerConfig> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(identity.certificate.as_bytes())
        .collect::<std::result::Result<_, _>>()
        .context("reading a certificate")?;
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).context("reading a key")?;
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .context("TLS versions")?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("TLS identity")
}

fn serve(connection: TcpStream, tls: Option<Arc<ServerConfig>>, handler: &Handler) -> io::Result<()> {
    connection.set_read_timeout(Some(Duration::from_secs(120)))?;
    connection.set_nodelay(true)?;
    match tls {
        None => exchange(connection, handler),
        Some(config) => {
            let session = ServerConnection::new(config).map_err(io::Error::other)?;
            let mut stream = StreamOwned::new(session, connection);
            exchange(&mut stream, handler)?;
            stream.conn.send_close_notify();
            stream.flush()
        }
    }
}

fn exchange(stream: impl Read + Write + Send, handler: &Handler) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let Some((mut request, length)) = read_head(&mut stream)? else { return Ok(()) };
    if request.header("expect").is_some() {
        stream.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    request.body = match length {
        Length::Bytes(count) => Box::new((&mut stream).take(count)),
        Length::Chunked => Box::new(Chunks { stream: &mut stream, left: 0, ended: false }),
    };
    let head = request.method == "HEAD";
    let Some(mut response) = handler(request) else { return Ok(()) };
    let mut text = format!("HTTP/1.1 {} -\r\nConnection: close\r\n", response.status);
    for (name, value) in &response.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    let out = stream.get_mut();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\r\n")?;
    if !head {
        io::copy(&mut response.body, out)?;
    }
    out.flush()
}

enum Length {
    Bytes(u64),
    Chunked,
}

/// Reads up to the empty line; `None` when the client sends nothing or no HTTP.
fn read_head<'a>(stream: &mut impl BufRead) -> io::Result<Option<(Request<'a>, Length)>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > HEAD_LIMIT
            || stream.by_ref().take(HEAD_LIMIT as u64).read_until(b'\n', &mut head)? == 0
        {
            return Ok(None);
        }
    }
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Request::new(&mut fields);
    if !parsed.parse(&head).is_ok_and(|status| status.is_complete()) {
        return Ok(None);
    }
    let target = parsed.path.unwrap_or("/");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let request = Request {
        method: parsed.method.unwrap_or("GET").to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: parsed.headers.iter().map(|field| (field.name.to_owned(), text(field.value))).collect(),
        body: Box::new(io::empty()),
    };
    let length = match request.header("transfer-encoding") {
        Some(_) => Length::Chunked,
        None => Length::Bytes(request.header("content-length").and_then(|n| n.parse().ok()).unwrap_or(0)),
    };
    Ok(Some((request, length)))
}

/// The content of a chunked body.
struct Chunks<'a, S> {
    stream: &'a mut S,
    left: u64,
    ended: bool,
}

impl<S: BufRead> Read for Chunks<'_, S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.left == 0 && !self.ended {
            let mut line = String::new();
            while line.trim().is_empty() {
                line.clear();
                if self.stream.read_line(&mut line)? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            let size = line.trim().split(';').next().unwrap_or_default();
            self.left = u64::from_str_radix(size, 16).map_err(io::Error::other)?;
            self.ended = self.left == 0;
        }
        let count = self.stream.by_ref().take(self.left).read(into)?;
        self.left -= count as u64;
        Ok(count)
    }
}
