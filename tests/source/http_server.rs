//! A small HTTP/1.1 server for tests: a thread per connection, an answer from a closure, TLS if wanted, and
//! `git http-backend` as CGI.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What the server does.
pub(crate) enum Reply {
    /// An answer with its headers.
    Answer(u16, Vec<(String, String)>, Vec<u8>),
    /// These bytes, then the connection is closed.
    Raw(Vec<u8>),
    /// These bytes, then nothing, until the client goes away.
    Hang(Vec<u8>),
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self::Answer(status, vec![], b"no".to_vec())
    }

    pub(crate) fn redirect(location: &str) -> Self {
        Self::Answer(302, vec![("Location".into(), location.into())], vec![])
    }
}

type Handler = dyn Fn(&Request) -> Reply + Send + Sync;

/// A running server; it ends with the process. What it was asked is recorded.
pub(crate) struct HttpServer {
    pub(crate) port: u16,
    pub(crate) requests: Arc<Mutex<Vec<Request>>>,
}

impl HttpServer {
    pub(crate) fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(None, Arc::new(handler))
    }

    pub(crate) fn start_tls(
        config: ServerConfig,
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::listen(Some(Arc::new(config)), Arc::new(handler))
    }

    fn listen(tls: Option<Arc<ServerConfig>>, handler: Arc<Handler>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let record = requests.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (tls, handler, record) = (tls.clone(), handler.clone(), record.clone());
                std::thread::spawn(move || {
                    let stream = stream.unwrap();
                    match tls {
                        None => serve(stream, &*handler, &record),
                        Some(config) => {
                            let connection = ServerConnection::new(config).unwrap();
                            serve(StreamOwned::new(connection, stream), &*handler, &record);
                        }
                    }
                });
            }
        });
        Self { port, requests }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn asked(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve<S: Read + Write>(stream: S, handler: &Handler, record: &Mutex<Vec<Request>>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read_request(&mut stream) {
        let reply = handler(&request);
        record.lock().unwrap().push(request);
        let out = stream.get_mut();
        match reply {
            Reply::Answer(status, headers, body) => {
                let mut head = format!("HTTP/1.1 {status} Some Reason\r\nContent-Length: {}\r\n", body.len());
                for (name, value) in headers {
                    head.push_str(&format!("{name}: {value}\r\n"));
                }
                head.push_str("\r\n");
                if out.write_all(head.as_bytes()).and_then(|()| out.write_all(&body)).is_err() {
                    return;
                }
                let _ = out.flush();
            }
            Reply::Raw(bytes) => {
                let _ = out.write_all(&bytes).and_then(|()| out.flush());
                return;
            }
            Reply::Hang(bytes) => {
                let _ = out.write_all(&bytes).and_then(|()| out.flush());
                // Ends when the client closes the connection.
                let _ = std::io::copy(&mut stream, &mut std::io::sink());
                return;
            }
        }
    }
}

fn read_request(stream: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_owned(), value.to_owned()));
    }
    let mut request = Request { method, target, headers, body: Vec::new() };
    let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    request.body = vec![0; length];
    stream.read_exact(&mut request.body).ok()?;
    Some(request)
}

/// Answers with the real `git http-backend` for the repositories below `root`.
pub(crate) fn git_backend(root: &Path) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    git_backend_with(root, true)
}

/// As [`git_backend`]; without version 2 the header that asks for it is not passed on.
pub(crate) fn git_backend_with(
    root: &Path,
    version_2: bool,
) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    let root: PathBuf = root.to_owned();
    move |request| {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let mut command = Command::new("git");
        command
            .arg("http-backend")
            .env("GIT_PROJECT_ROOT", &root)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_COUNT", "2")
            .env("GIT_CONFIG_KEY_0", "uploadpack.allowFilter")
            .env("GIT_CONFIG_VALUE_0", "true")
            .env("GIT_CONFIG_KEY_1", "safe.directory")
            .env("GIT_CONFIG_VALUE_1", "*")
            .env("REQUEST_METHOD", &request.method)
            .env("PATH_INFO", path)
            .env("QUERY_STRING", query)
            .env("CONTENT_TYPE", request.header("content-type").unwrap_or_default())
            .env("REMOTE_ADDR", "127.0.0.1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        if let Some(protocol) = request.header("git-protocol").filter(|_| version_2) {
            command.env("GIT_PROTOCOL", protocol);
        }
        let mut child = command.spawn().expect("these tests need the program git");
        let mut stdin = child.stdin.take().unwrap();
        let body = request.body.clone();
        let writer = std::thread::spawn(move || {
            let _ = stdin.write_all(&body);
        });
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        cgi_answer(&output.stdout)
    }
}

fn cgi_answer(output: &[u8]) -> Reply {
    let Some(end) = output.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Reply::status(500);
    };
    let head = String::from_utf8_lossy(&output[..end]).into_owned();
    let mut status = 200;
    let mut headers = Vec::new();
    for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
        if name == "Status" {
            status = value.split(' ').next().unwrap().parse().unwrap();
        } else {
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
    Reply::Answer(status, headers, output[end + 4..].to_vec())
}
