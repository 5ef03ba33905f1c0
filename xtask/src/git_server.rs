//! A Git server on loopback over real git: smart HTTP by `git http-backend`, with basic
//! authentication and TLS if asked for, and git:// by `git daemon`. For tests and the demo.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::cluster::Identity;
use crate::error::{Context, Error, Result};
use crate::http::{Request, Response, Server};

/// How a Git server behaves.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The port, or 0 for any free one.
    pub port: u16,
    /// User and password that every request must bring.
    pub login: Option<(String, String)>,
    /// Serve https with this certificate.
    pub identity: Option<Identity>,
}

/// What the server does instead of answering, until told otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answers every request with this status.
    Status(u16),
    /// Closes every connection without a word.
    HangUp,
    /// Sends every client elsewhere.
    Redirect(String),
}

/// A running server over a folder of bare repositories; ends when dropped.
#[derive(Debug)]
pub struct GitServer {
    server: Server,
    root: PathBuf,
    scheme: &'static str,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    requests: Mutex<Vec<String>>,
    fault: Mutex<Option<Fault>>,
}

impl GitServer {
    /// Serves the bare repositories below `root`; pushes are allowed.
    pub fn start(root: &Path, options: &Options) -> Result<Self> {
        let state = Arc::new(State::default());
        let handler = {
            let (state, root, login) = (Arc::clone(&state), root.to_path_buf(), options.login.clone());
            move |request: Request<'_>| answer(&state, &root, login.as_ref(), request)
        };
        let server = Server::start(options.port, options.identity.as_ref(), Arc::new(handler))?;
        let scheme = if options.identity.is_some() { "https" } else { "http" };
        Ok(Self { server, root: root.to_path_buf(), scheme, state })
    }

    /// The URL of a repository, such as `http://127.0.0.1:4711/sample.git`.
    pub fn url(&self, repository: &str) -> String {
        format!("{}://{}/{repository}", self.scheme, self.server.address())
    }

    /// Makes an empty bare repository with branch `main` and gives its URL.
    pub fn create(&self, repository: &str) -> Result<String> {
        let folder = self.root.join(repository);
        run_git(&["init", "--quiet", "--bare", "--initial-branch=main", &folder.display().to_string()])?;
        let allow =
            ["config", "--file", &folder.join("config").display().to_string(), "http.receivepack", "true"];
        run_git(&allow)?;
        Ok(self.url(repository))
    }

    /// Every request so far, as `GET /sample.git/info/refs?service=git-upload-pack`.
    pub fn requests(&self) -> Vec<String> {
        lock(&self.state.requests).clone()
    }

    /// From now on, misbehave (or not).
    pub fn set_fault(&self, fault: Option<Fault>) {
        *lock(&self.state.fault) = fault;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs git without the developer's configuration; an error has git's own words.
pub fn run_git(arguments: &[&str]) -> Result<String> {
    let output = git().args(arguments).output().context("running git")?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(Error::new(format!("git {}: {}", arguments.join(" "), words.trim())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn git() -> Command {
    let mut command = Command::new("git");
    // Nothing of the developer's own settings may decide a test.
    for (variable, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
        command.env_remove(variable);
    }
    command
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("no_proxy", "127.0.0.1,localhost")
        .envs([("GIT_AUTHOR_NAME", "demo"), ("GIT_AUTHOR_EMAIL", "demo@example.com")])
        .envs([("GIT_COMMITTER_NAME", "demo"), ("GIT_COMMITTER_EMAIL", "demo@example.com")]);
    command
}

fn answer(
    state: &State,
    root: &Path,
    login: Option<&(String, String)>,
    request: Request<'_>,
) -> Option<Response> {
    lock(&state.requests).push(match request.query.as_str() {
        "" => format!("{} {}", request.method, request.path),
        query => format!("{} {}?{query}", request.method, request.path),
    });
    match lock(&state.fault).clone() {
        Some(Fault::HangUp) => return None,
        Some(Fault::Status(status)) => {
            return Some(Response::text(status, "text/plain", "as the test asked"));
        }
        Some(Fault::Redirect(to)) => {
            let mut response = Response::text(302, "text/plain", "");
            let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
            response.headers.push(("Location".to_owned(), format!("{to}{}{query}", request.path)));
            return Some(response);
        }
        None => {}
    }
    if let Some((user, password)) = login {
        let expected = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        if request.header("authorization") != Some(expected.as_str()) {
            let mut response = Response::text(401, "text/plain", "who are you?");
            response.headers.push(("WWW-Authenticate".to_owned(), "Basic realm=\"git\"".to_owned()));
            return Some(response);
        }
    }
    Some(backend(root, request).unwrap_or_else(|error| Response::text(500, "text/plain", error.to_string())))
}

/// Hands the request to `git http-backend` by the rules of CGI.
fn backend(root: &Path, mut request: Request<'_>) -> Result<Response> {
    let mut command = git();
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", &request.method)
        .env("PATH_INFO", &request.path)
        .env("QUERY_STRING", &request.query)
        .env("REMOTE_ADDR", "127.0.0.1")
        .env_remove("CONTENT_LENGTH")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let passed_on = [
        ("content-type", "CONTENT_TYPE"),
        ("content-length", "CONTENT_LENGTH"),
        ("content-encoding", "HTTP_CONTENT_ENCODING"),
        ("git-protocol", "GIT_PROTOCOL"),
    ];
    for (header, variable) in passed_on {
        if let Some(value) = request.header(header) {
            command.env(variable, value);
        }
    }
    let mut child = command.spawn().context("starting git http-backend")?;
    let stdin = child.stdin.take().context("git http-backend has no stdin")?;
    let stdout = child.stdout.take().context("git http-backend has no stdout")?;
    feed(&mut request.body, stdin);
    read_cgi(BufReader::new(stdout), child)
}

/// A client that goes away in the middle shows as an error on its side.
fn feed(body: &mut dyn Read, mut stdin: ChildStdin) {
    let _ = io::copy(body, &mut stdin);
}

/// Header lines up to an empty one, with the status among them, then the body.
fn read_cgi(mut stdout: impl BufRead + 'static, child: Child) -> Result<Response> {
    let (mut status, mut headers) = (200, Vec::new());
    loop {
        let mut line = String::new();
        stdout.read_line(&mut line).context("reading from git http-backend")?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        if name.eq_ignore_ascii_case("status") {
            status = value.split(' ').next().and_then(|code| code.parse().ok()).unwrap_or(500);
        } else {
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
    thread::spawn(move || {
        let mut child = child;
        let _ = child.wait();
    });
    Ok(Response { status, headers, body: Box::new(stdout) })
}

/// A `git daemon` over the same kind of folder; ends when dropped.
#[derive(Debug)]
pub struct GitDaemon {
    child: Child,
    port: u16,
}

impl GitDaemon {
    /// Serves every repository below `root` on this port of loopback, read-only.
    pub fn start(root: &Path, port: u16) -> Result<Self> {
        // The program itself, not `git daemon`, which would start it and leave it behind when it is killed.
        let programs = run_git(&["--exec-path"])?;
        let child = Command::new(Path::new(programs.trim()).join("git-daemon"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .envs([
                ("GIT_CONFIG_COUNT", "1"),
                ("GIT_CONFIG_KEY_0", "safe.directory"),
                ("GIT_CONFIG_VALUE_0", "*"),
            ])
            .args(["--export-all", "--reuseaddr", "--listen=127.0.0.1", &format!("--port={port}")])
            .arg(format!("--base-path={}", root.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("starting git daemon")?;
        Ok(Self { child, port })
    }

    /// The URL of a repository.
    pub fn url(&self, repository: &str) -> String {
        format!("git://127.0.0.1:{}/{repository}", self.port)
    }
}

impl Drop for GitDaemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::cluster::Authority;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("tiphys-git-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn push_a_file(folder: &Path, url: &str, size: usize) {
        let work = folder.join("work").display().to_string();
        run_git(&["init", "--quiet", "--initial-branch=main", &work]).unwrap();
        // Does not compress, so that git sends it in chunks.
        let mut seed = 7_u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 56) as u8
        })
        .take(size)
        .collect();
        fs::write(Path::new(&work).join("file"), noise).unwrap();
        run_git(&["-C", &work, "add", "."]).unwrap();
        run_git(&["-C", &work, "commit", "--quiet", "-m", "one"]).unwrap();
        run_git(&["-C", &work, "push", "--quiet", url, "main"]).unwrap();
    }

    #[test]
    fn what_is_pushed_can_be_cloned() {
        let folder = folder("http");
        let server = GitServer::start(&folder, &Options::default()).unwrap();
        let url = server.create("a.git").unwrap();
        push_a_file(&folder, &url, 3 << 20);
        let copy = folder.join("copy").display().to_string();
        run_git(&["clone", "--quiet", &url, &copy]).unwrap();
        assert_eq!(fs::read(folder.join("copy/file")).unwrap(), fs::read(folder.join("work/file")).unwrap());
        assert!(
            server.requests().iter().any(|request| request == "GET /a.git/info/refs?service=git-upload-pack")
        );
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_login_and_a_certificate_are_asked_for() {
        let folder = folder("https");
        let authority = Authority::new("test").unwrap();
        let ca = folder.join("ca.pem");
        fs::write(&ca, authority.certificate()).unwrap();
        let options = Options {
            identity: Some(authority.issue("git", &["127.0.0.1"]).unwrap()),
            login: Some(("ann".to_owned(), "secret".to_owned())),
            ..Options::default()
        };
        let server = GitServer::start(&folder, &options).unwrap();
        let url = server.create("a.git").unwrap();
        let trust = format!("http.sslCAInfo={}", ca.display());
        let with_login = url.replace("https://", "https://ann:secret@");
        assert!(run_git(&["-c", &trust, "ls-remote", &with_login]).is_ok());
        assert!(run_git(&["-c", &trust, "ls-remote", &url]).is_err());
        assert!(run_git(&["ls-remote", &with_login]).is_err());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn it_misbehaves_as_asked() {
        let folder = folder("fault");
        let server = GitServer::start(&folder, &Options::default()).unwrap();
        let url = server.create("a.git").unwrap();
        server.set_fault(Some(Fault::HangUp));
        assert!(run_git(&["ls-remote", &url]).is_err());
        server.set_fault(None);
        assert!(run_git(&["ls-remote", &url]).is_ok());
        fs::remove_dir_all(folder).unwrap();
    }
}
