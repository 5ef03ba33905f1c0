//! Repositories made with the real git, and sources that read them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tiphys::flow::{GitRequest, Meter, Revision, Tree, TreePath};
use tiphys::source::{Access, Freshness, RepoUrl, SourceError, Sources, SourcesOptions};

/// Runs git and gives what it prints. Independent of the machine's configuration.
pub(crate) fn git(dir: &Path, args: &[&str]) -> String {
    git_with_input(dir, args, "")
}

pub(crate) fn git_with_input(dir: &Path, args: &[&str], input: &str) -> String {
    let mut child = Command::new("git")
        .args(["-c", "protocol.file.allow=always"])
        .args(args)
        .current_dir(dir)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_NAME", "Tiphys")
        .env("GIT_AUTHOR_EMAIL", "tiphys@example.com")
        .env("GIT_COMMITTER_NAME", "Tiphys")
        .env("GIT_COMMITTER_EMAIL", "tiphys@example.com")
        .env("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z")
        .env("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("these tests need the program git");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// A repository with a work tree, in `<root>/<name>`.
pub(crate) struct Repo {
    pub(crate) path: PathBuf,
}

impl Repo {
    pub(crate) fn new(root: &Path, name: &str) -> Self {
        let path = root.join(name);
        std::fs::create_dir_all(&path).unwrap();
        git(&path, &["init", "-q", "-b", "main"]);
        Self { path }
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        git(&self.path, args)
    }

    pub(crate) fn write(&self, path: &str, content: &str) -> &Self {
        let path = self.path.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    /// Commits everything and gives the commit's id.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }
}

/// Counts requests to Git servers.
#[derive(Default)]
pub(crate) struct Counter(Mutex<Vec<(GitRequest, bool)>>);

impl Counter {
    pub(crate) fn count(&self, kind: GitRequest) -> usize {
        self.0.lock().unwrap().iter().filter(|(found, _)| *found == kind).count()
    }

    pub(crate) fn failures(&self) -> usize {
        self.0.lock().unwrap().iter().filter(|(_, failed)| *failed).count()
    }
}

impl Meter for Counter {
    fn git_request(&self, repository: &str, request: GitRequest, _: Duration, failed: bool) {
        assert!(
            !repository.contains('@') || repository.starts_with("git@") || repository.starts_with("ssh://")
        );
        self.0.lock().unwrap().push((request, failed));
    }
}

/// A directory for repositories, a cache, and sources over it.
pub(crate) struct World {
    pub(crate) root: TempDir,
    pub(crate) counter: Arc<Counter>,
    pub(crate) sources: Sources,
}

impl World {
    /// Must be called within a runtime.
    pub(crate) fn new() -> Self {
        Self::with_timeout(Duration::from_secs(60))
    }

    pub(crate) fn with_timeout(timeout: Duration) -> Self {
        let root = tempfile::tempdir().unwrap();
        let counter = Arc::new(Counter::default());
        let mut options = SourcesOptions::new(root.path().join("cache"));
        options.timeout = timeout;
        let sources = Sources::new(options, counter.clone());
        Self { root, counter, sources }
    }

    /// The same cache on disk, as a process sees it that starts now.
    pub(crate) fn restarted(self) -> Self {
        let counter = Arc::new(Counter::default());
        let options = SourcesOptions::new(self.root.path().join("cache"));
        let sources = Sources::new(options, counter.clone());
        Self { root: self.root, counter, sources }
    }

    pub(crate) fn repo(&self, name: &str) -> Repo {
        Repo::new(&self.root.path().join("repos"), name)
    }

    pub(crate) fn repos(&self) -> PathBuf {
        let path = self.root.path().join("repos");
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    pub(crate) async fn resolve(&self, access: &Access, revision: &str) -> Result<Revision, SourceError> {
        self.sources.resolve(access, revision, Freshness::Now).await
    }

    pub(crate) async fn tree(&self, access: &Access, revision: &str) -> Result<Tree, SourceError> {
        let revision = self.resolve(access, revision).await?;
        self.sources.tree(access, &revision).await
    }

    /// The directories of the mirrors.
    pub(crate) fn mirrors(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.root.path().join("cache/git")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

pub(crate) fn access(url: &str) -> Access {
    Access::anonymous(RepoUrl::parse(url).unwrap())
}

pub(crate) fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

/// The content of a file as text.
pub(crate) fn text(tree: &Tree, file: &str) -> String {
    String::from_utf8(tree.read(&path(file)).unwrap()).unwrap()
}
