//! The door of the room: asynchronous, shared by everyone, bounded in what it does at once.
//!
//! References are listed once per repository and interval, however many ask, and several who ask at once get one
//! answer. Files of a commit are shared by all applications that use it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{Mutex as AsyncMutex, OwnedSemaphorePermit, Semaphore};

use super::budget::{Budget, CancelToken};
use super::charts::ChartCache;
use super::error::SourceError;
use super::files::FileCache;
use super::git::{GitBackend, MirrorBackend, RefList, Resolved, mount_submodules};
use super::repository::Access;
use crate::flow::{CommitInfo, GitRequest, Meter, Revision, RevisionKind, Tree, TreeStore};

/// References that are listed for every repository; others are asked for by name.
const USUAL_PREFIXES: [&str; 3] = ["HEAD", "refs/heads/", "refs/tags/"];
/// A failure is told to whoever asks again within this time, so that a hundred applications of a dead server do not
/// wait for it one after the other.
const FAILURE_KEPT: Duration = Duration::from_secs(3);
/// Repositories that nobody asked for in this time are forgotten (their mirrors stay on disk).
const IDLE_KEPT: Duration = Duration::from_secs(3600);
/// Commits per repository whose files are kept at hand.
const TREES_KEPT: usize = 4;

/// What [`Sources`] is made of.
#[derive(Debug, Clone)]
pub struct SourcesOptions {
    /// Where mirrors and archives are kept. Made if it does not exist; readable by this user alone.
    pub cache: PathBuf,
    /// How long one operation on a repository may take (Argo CD: `ARGOCD_EXEC_TIMEOUT`, 90 s).
    pub timeout: Duration,
    /// Operations on all repositories at once.
    pub parallelism: usize,
    /// Largest pack or archive that is taken, in bytes.
    pub max_download: u64,
}

impl SourcesOptions {
    /// 90 s, 10 at once, 4 GiB.
    pub fn new(cache: PathBuf) -> Self {
        Self { cache, timeout: Duration::from_secs(90), parallelism: 10, max_download: 4 << 30 }
    }
}

/// How old the list of references may be that a revision is looked up in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Listed after this call began: a hard refresh, a webhook.
    Now,
    /// Listed within this time: the poll.
    Within(Duration),
}

/// Resolves revisions and gives their files. Cheap to clone.
#[derive(Clone)]
pub struct Sources {
    inner: Arc<Inner>,
}

struct Inner {
    options: SourcesOptions,
    backend: Arc<dyn GitBackend>,
    meter: Arc<dyn Meter>,
    network: Arc<Semaphore>,
    repositories: Mutex<HashMap<String, Arc<Repository>>>,
    charts: ChartCache,
    files: FileCache,
}

/// What is known of one repository under one set of credentials.
struct Repository {
    listed: AsyncMutex<Option<Listed>>,
    trees: AsyncMutex<Trees>,
    waiting: AtomicUsize,
    used: Mutex<Instant>,
}

/// The files of the commits that were asked for last, and the last failure.
#[derive(Default)]
struct Trees {
    kept: Vec<(String, Arc<dyn TreeStore>)>,
    failed: Option<(String, Instant, SourceError)>,
}

/// One caller more that waits for a repository, as long as it lives.
struct Pending<'a> {
    inner: &'a Inner,
    repository: Arc<Repository>,
    url: String,
}

impl<'a> Pending<'a> {
    fn new(inner: &'a Inner, repository: Arc<Repository>, url: String) -> Self {
        let waiting = repository.waiting.fetch_add(1, Ordering::Relaxed) + 1;
        inner.meter.repository_pending(&url, waiting);
        Self { inner, repository, url }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        let before = self.repository.waiting.fetch_sub(1, Ordering::Relaxed);
        self.inner.meter.repository_pending(&self.url, before.saturating_sub(1));
    }
}

struct Listed {
    started: Instant,
    result: Result<Arc<RefList>, SourceError>,
}

/// Ends the blocking work of a caller who went away.
struct CancelOnDrop(CancelToken);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Sources {
    /// Sources with mirrors on disk. Must be called within a Tokio runtime, which then drives the network.
    pub fn new(options: SourcesOptions, meter: Arc<dyn Meter>) -> Self {
        let backend = MirrorBackend::new(options.cache.join("git"), Handle::current(), options.max_download);
        Self::with_backend(options, meter, Arc::new(backend))
    }

    /// Sources over another implementation of Git.
    pub fn with_backend(
        options: SourcesOptions,
        meter: Arc<dyn Meter>,
        backend: Arc<dyn GitBackend>,
    ) -> Self {
        let network = Arc::new(Semaphore::new(options.parallelism.max(1)));
        let charts = ChartCache::new(options.cache.join("charts"));
        let repositories = Mutex::default();
        let files = FileCache::default();
        Self { inner: Arc::new(Inner { options, backend, meter, network, repositories, charts, files }) }
    }

    /// What a `targetRevision` is right now: a branch, a tag, a semver range over tags, a full or short commit id,
    /// `HEAD` (also if empty), any reference by its full name. A full commit id is taken as written and asks nobody.
    ///
    /// # Errors
    /// [`SourceError::UnknownRevision`], [`SourceError::EmptyRepository`], and whatever keeps the server from answering.
    pub async fn resolve(
        &self,
        access: &Access,
        requested: &str,
        freshness: Freshness,
    ) -> Result<Revision, SourceError> {
        let make = |id: String, reference: Option<String>| Revision {
            kind: RevisionKind::Commit,
            id,
            requested: requested.to_owned(),
            reference,
            digest: None,
        };
        if super::git::is_commit_id(requested) {
            return Ok(make(requested.to_ascii_lowercase(), None));
        }
        let refs = self.refs(access, freshness).await?;
        let mut resolved = refs.resolve(requested);
        if matches!(resolved, Resolved::Unknown { .. }) && is_unusual(requested) {
            let named = requested.to_owned();
            let list = self.list(access, vec![named]).await?;
            resolved = list.resolve(requested);
        }
        match resolved {
            Resolved::Commit(id) => Ok(make(id, None)),
            Resolved::Reference { name, commit } => Ok(make(commit, Some(name))),
            Resolved::ShortId(short) => Ok(make(self.expand(access, &refs, short).await?, None)),
            Resolved::Unknown { .. } if refs.is_empty() => {
                Err(SourceError::EmptyRepository { url: access.url.to_string() })
            }
            Resolved::Unknown { nearby } => {
                let revision = if requested.is_empty() { "HEAD" } else { requested };
                let (url, revision) = (access.url.to_string(), revision.to_owned());
                Err(SourceError::UnknownRevision { url, revision, nearby })
            }
        }
    }

    /// The files of a resolved revision, fetched unless they are in the cache.
    ///
    /// # Errors
    /// [`SourceError::UnknownRevision`] for a commit that the server does not have or no longer gives, and whatever
    /// keeps it from being fetched.
    pub async fn tree(&self, access: &Access, revision: &Revision) -> Result<Tree, SourceError> {
        let asked = Instant::now();
        let repository = self.repository(access);
        // Held during the fetch: others who want this commit wait for it rather than fetch it too.
        let mut trees = repository.trees.lock().await;
        trees.kept.retain(|(_, store)| store.is_sound());
        // With and without its submodules, a commit has other files.
        let id = if access.submodules { revision.id.clone() } else { format!("{} alone", revision.id) };
        if let Some((_, store)) = trees.kept.iter().find(|(known, _)| *known == id) {
            return Ok(Tree::new(store.clone()));
        }
        if let Some((known, started, error)) = &trees.failed
            && *known == id
            && *started + FAILURE_KEPT >= asked
        {
            return Err(error.clone());
        }
        let started = Instant::now();
        match self.store(access, revision.id.clone()).await {
            Ok(store) => {
                trees.kept.insert(0, (id, store.clone()));
                trees.kept.truncate(TREES_KEPT);
                trees.failed = None;
                Ok(Tree::new(store))
            }
            Err(error) => {
                trees.failed = Some((id, started, error.clone()));
                Err(error)
            }
        }
    }

    async fn store(&self, access: &Access, commit: String) -> Result<Arc<dyn TreeStore>, SourceError> {
        let inner = self.inner.clone();
        self.blocking(access, move |access, budget| {
            let fetch = |access: &Access, commit: &str| inner.fetch(access, commit, budget);
            let store = fetch(access, &commit)?;
            if access.submodules { mount_submodules(access, store, &fetch) } else { Ok(store) }
        })
        .await
    }

    /// Author, date and message of a resolved commit.
    ///
    /// # Errors
    /// As [`Sources::tree`].
    pub async fn commit_info(&self, access: &Access, revision: &Revision) -> Result<CommitInfo, SourceError> {
        let (inner, id) = (self.inner.clone(), revision.id.clone());
        self.blocking(access, move |access, budget| inner.backend.commit_info(access, &id, budget)).await
    }

    /// The branches and tags of a repository, at most as old as allowed.
    ///
    /// # Errors
    /// Whatever keeps the server from answering.
    pub async fn refs(&self, access: &Access, freshness: Freshness) -> Result<Arc<RefList>, SourceError> {
        let asked = Instant::now();
        let repository = self.repository(access);
        let mut listed = repository.listed.lock().await;
        if let Some(listed) = listed.as_ref() {
            let kept = match (&listed.result, freshness) {
                (Ok(_), Freshness::Now) => Duration::ZERO,
                (Ok(_), Freshness::Within(age)) => age,
                (Err(_), _) => FAILURE_KEPT,
            };
            if listed.started + kept >= asked {
                return listed.result.clone();
            }
        }
        let started = Instant::now();
        let prefixes = USUAL_PREFIXES.map(str::to_owned).to_vec();
        let result = self.list(access, prefixes).await.map(Arc::new);
        *listed = Some(Listed { started, result: result.clone() });
        result
    }

    async fn list(&self, access: &Access, prefixes: Vec<String>) -> Result<RefList, SourceError> {
        let inner = self.inner.clone();
        self.blocking(access, move |access, budget| {
            let prefixes: Vec<&str> = prefixes.iter().map(String::as_str).collect();
            inner.metered(access, GitRequest::LsRemote, || inner.backend.list_refs(access, &prefixes, budget))
        })
        .await
    }

    async fn expand(&self, access: &Access, refs: &RefList, short: String) -> Result<String, SourceError> {
        let mut tips: Vec<&str> = refs.iter().map(|(_, reference)| reference.commit()).collect();
        tips.retain(|id| id.starts_with(&short));
        tips.dedup();
        if let Some(tip) = tips.first() {
            return Ok((*tip).to_owned());
        }
        let inner = self.inner.clone();
        self.blocking(access, move |access, budget| inner.backend.expand(access, &short, budget)).await
    }

    /// Runs work that blocks, on a thread of its own, when a place is free. The budget starts then.
    async fn blocking<T: Send + 'static>(
        &self,
        access: &Access,
        work: impl FnOnce(&Access, &Budget) -> Result<T, SourceError> + Send + 'static,
    ) -> Result<T, SourceError> {
        let lost = || SourceError::Cache { url: access.url.to_string(), reason: "interrupted".to_owned() };
        let pending = Pending::new(&self.inner, self.repository(access), access.url.to_string());
        let place = self.network(access).await?;
        drop(pending);
        let cancel = CancelToken::default();
        let _guard = CancelOnDrop(cancel.clone());
        let budget = Budget::start(&access.url, self.inner.options.timeout, cancel);
        let owned = access.clone();
        let done = tokio::task::spawn_blocking(move || {
            let result = work(&owned, &budget).map_err(|error| owned.clean(error));
            drop(place);
            result
        });
        done.await.map_err(|_| lost())?
    }

    /// Waits for a place among the operations that run at once.
    pub(super) async fn network(&self, access: &Access) -> Result<OwnedSemaphorePermit, SourceError> {
        let place = self.inner.network.clone().acquire_owned().await;
        place.map_err(|_| SourceError::Cache {
            url: access.url.to_string(),
            reason: "shutting down".to_owned(),
        })
    }

    pub(super) fn timeout(&self) -> Duration {
        self.inner.options.timeout
    }

    pub(super) fn charts(&self) -> &ChartCache {
        &self.inner.charts
    }

    pub(super) fn files(&self) -> &FileCache {
        &self.inner.files
    }

    fn repository(&self, access: &Access) -> Arc<Repository> {
        let key = access.connection_key();
        let now = Instant::now();
        let mut all = self.inner.repositories.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(&key) {
            all.retain(|_, repository| {
                let used = *repository.used.lock().unwrap_or_else(PoisonError::into_inner);
                now.duration_since(used) < IDLE_KEPT || Arc::strong_count(repository) > 1
            });
        }
        let make = || {
            let (listed, trees) = (AsyncMutex::default(), AsyncMutex::default());
            Arc::new(Repository { listed, trees, waiting: AtomicUsize::new(0), used: Mutex::new(now) })
        };
        let repository = all.entry(key).or_insert_with(make).clone();
        *repository.used.lock().unwrap_or_else(PoisonError::into_inner) = now;
        repository
    }
}

impl Inner {
    fn fetch(
        &self,
        access: &Access,
        commit: &str,
        budget: &Budget,
    ) -> Result<Arc<dyn TreeStore>, SourceError> {
        if self.backend.is_cached(access, commit, budget) {
            return self.backend.fetch(access, commit, budget);
        }
        self.metered(access, GitRequest::Fetch, || self.backend.fetch(access, commit, budget))
    }

    fn metered<T>(
        &self,
        access: &Access,
        request: GitRequest,
        work: impl FnOnce() -> Result<T, SourceError>,
    ) -> Result<T, SourceError> {
        let started = Instant::now();
        let result = work();
        self.meter.git_request(&access.url.to_string(), request, started.elapsed(), result.is_err());
        result
    }
}

/// Whether a revision may be a reference outside of branches and tags, such as `refs/pull/1/head`.
fn is_unusual(revision: &str) -> bool {
    revision.starts_with("refs/") && !USUAL_PREFIXES.iter().any(|prefix| revision.starts_with(prefix))
}
