//! One bare repository on disk per remote repository and credentials: the cache of everything that was fetched.
//!
//! A mirror holds single commits with all their files, cut from their history. A commit that is here in full has a
//! reference `refs/tiphys/<id>`; only those are trusted, and only those are offered to the server as a base.
//! Everything in it can be fetched again, so damage is answered by making it anew.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use git2::{ErrorCode, ObjectType, Oid, Repository, RepositoryInitOptions};

use super::object_store::{ObjectStore, open_bare};
use super::session::Cuts;
use crate::source::budget::Budget;
use crate::source::error::SourceError;

const COMPLETE: &str = "refs/tiphys/";
/// Commits offered as a base of a fetch.
const MAX_HAVES: usize = 32;
/// Packs after which the mirror is made anew rather than searched ever more slowly.
const MAX_PACKS: usize = 200;

/// The mirror of one repository.
#[derive(Debug)]
pub(crate) struct Mirror {
    dir: PathBuf,
    url: String,
    objects: Arc<ObjectStore>,
}

/// A mirror that no other thread or process changes as long as this lives.
pub(crate) struct LockedMirror<'m> {
    mirror: &'m Mirror,
    _lock: File,
    pub(crate) repository: Repository,
}

impl Mirror {
    /// The mirror in directory `dir`, which need not exist yet. `url` names the repository in errors.
    pub(crate) fn new(dir: PathBuf, url: String) -> Self {
        let objects = Arc::new(ObjectStore::new(dir.join("repository.git")));
        Self { dir, url, objects }
    }

    pub(crate) fn objects(&self) -> &Arc<ObjectStore> {
        &self.objects
    }

    /// Locks the mirror, creates it if it is not there, and makes it anew if it is damaged.
    pub(crate) fn lock(&self, budget: &Budget) -> Result<LockedMirror<'_>, SourceError> {
        create_private(&self.dir).map_err(|error| self.failed(&error))?;
        let lock = self.lock_file(budget)?;
        if self.objects.is_damaged() || count_packs(self.objects.path()) > MAX_PACKS {
            self.discard()?;
        }
        let repository = match open_bare(self.objects.path()) {
            Ok(repository) => repository,
            Err(_) => {
                self.discard()?;
                init(self.objects.path()).map_err(|error| self.failed(&error.message()))?
            }
        };
        Ok(LockedMirror { mirror: self, _lock: lock, repository })
    }

    fn lock_file(&self, budget: &Budget) -> Result<File, SourceError> {
        let path = self.dir.join("lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path);
        let file = file.map_err(|error| self.failed(&error))?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => {
                    budget.check("waiting for another process that uses its cache")?;
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(TryLockError::Error(error)) => return Err(self.failed(&error)),
            }
        }
    }

    /// Moves the repository away, then deletes it: an interrupted deletion leaves nothing that looks whole.
    fn discard(&self) -> Result<(), SourceError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let path = self.objects.path();
        if path.symlink_metadata().is_ok() {
            let name = format!("discarded-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
            let aside = self.dir.join(name);
            std::fs::rename(path, &aside).map_err(|error| self.failed(&error))?;
            // What stays costs disk only; the next discard does not depend on it.
            let _ = std::fs::remove_dir_all(&aside);
            tracing::info!(repository = %self.url, "cache made anew");
        }
        self.objects.reset();
        Ok(())
    }

    fn failed(&self, reason: &dyn std::fmt::Display) -> SourceError {
        SourceError::Cache { url: self.url.clone(), reason: reason.to_string() }
    }
}

impl LockedMirror<'_> {
    /// The root tree of a commit that is here in full. An annotated tag leads to its commit.
    ///
    /// # Errors
    /// [`SourceError::Cache`] where the commit is marked as here but is not: the mirror is damaged.
    pub(crate) fn complete(&self, id: &str) -> Result<Option<Oid>, SourceError> {
        if self.repository.find_reference(&format!("{COMPLETE}{id}")).is_err() {
            return Ok(None);
        }
        self.root_tree(id).map(Some).map_err(|error| self.failed(&error))
    }

    /// Marks a commit as here in full.
    pub(crate) fn mark_complete(&self, id: &str) -> Result<Oid, SourceError> {
        let root = self.root_tree(id).map_err(|error| self.failed(&error))?;
        let oid = Oid::from_str(id).map_err(|error| self.failed(&error))?;
        let name = format!("{COMPLETE}{id}");
        self.repository.reference(&name, oid, true, "fetched").map_err(|error| self.failed(&error))?;
        Ok(root)
    }

    fn root_tree(&self, id: &str) -> Result<Oid, git2::Error> {
        let object = self.repository.find_object(Oid::from_str(id)?, None)?;
        let commit = object.peel_to_commit()?;
        let root = commit.tree_id();
        let (_, kind) = self.repository.odb()?.read_header(root)?;
        if kind == ObjectType::Tree { Ok(root) } else { Err(git2::Error::from_str("the commit has no tree")) }
    }

    /// Commits that are here in full, as a base for a fetch.
    pub(crate) fn haves(&self) -> Vec<String> {
        let Ok(names) = self.repository.references_glob(&format!("{COMPLETE}*")) else { return Vec::new() };
        let mut commits: Vec<git2::Commit<'_>> =
            names.flatten().filter_map(|reference| reference.peel_to_commit().ok()).collect();
        commits.sort_by_key(|commit| std::cmp::Reverse(commit.time().seconds()));
        commits.iter().take(MAX_HAVES).map(|commit| commit.id().to_string()).collect()
    }

    /// Commits whose parents are not here.
    pub(crate) fn shallow(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.shallow_file()).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn shallow_file(&self) -> PathBuf {
        self.mirror.objects.path().join("shallow")
    }

    /// Writes down where the server cut the history, in the file that git itself uses.
    pub(crate) fn record_cuts(&self, cuts: &Cuts) -> Result<(), SourceError> {
        if *cuts == Cuts::default() {
            return Ok(());
        }
        let mut ids = self.shallow();
        ids.extend(cuts.shallow.iter().cloned());
        ids.retain(|id| !cuts.unshallow.contains(id));
        ids.sort();
        ids.dedup();
        let text: String = ids.iter().map(|id| format!("{id}\n")).collect();
        let path = self.shallow_file();
        let beside = path.with_extension("new");
        let write = || {
            File::create(&beside)?.write_all(text.as_bytes())?;
            std::fs::rename(&beside, &path)
        };
        write().map_err(|error| self.failed(&error))
    }

    fn failed(&self, reason: &dyn std::fmt::Display) -> SourceError {
        self.mirror.failed(reason)
    }

    /// The one commit whose id starts with these digits, among what is here.
    pub(crate) fn expand(&self, short: &str) -> Result<Option<String>, SourceError> {
        let url = &self.mirror.url;
        let odb = self.repository.odb().map_err(|error| self.failed(&error))?;
        let prefix = Oid::from_str(&format!("{short:0<40}")).map_err(|error| self.failed(&error))?;
        match odb.exists_prefix(prefix, short.len()) {
            Ok(id) => {
                let commit = self.repository.find_object(id, None).and_then(|object| object.peel_to_commit());
                Ok(commit.ok().map(|commit| commit.id().to_string()))
            }
            Err(error) if error.code() == ErrorCode::Ambiguous => {
                Err(SourceError::AmbiguousRevision { url: url.clone(), revision: short.to_owned() })
            }
            Err(_) => Ok(None),
        }
    }
}

fn init(path: &Path) -> Result<Repository, git2::Error> {
    let mut options = RepositoryInitOptions::new();
    options.bare(true).external_template(false).no_reinit(true);
    Repository::init_opts(path, &options)
}

fn count_packs(path: &Path) -> usize {
    std::fs::read_dir(path.join("objects/pack")).map_or(0, Iterator::count) / 2
}

#[cfg(unix)]
fn create_private(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

#[cfg(not(unix))]
fn create_private(dir: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)
}
