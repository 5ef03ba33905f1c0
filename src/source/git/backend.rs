//! The seam behind which Git lives: list references, fetch a commit, read its files.

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use git2::{Oid, Repository};
use tokio::runtime::Handle;

use super::daemon::Daemon;
use super::local;
use super::mirror::{LockedMirror, Mirror};
use super::object_store::CommitTree;
use super::refs::RefList;
use super::session::{Session, Want, Wire};
use super::smart_http::SmartHttp;
use super::ssh::Ssh;
use crate::flow::{CommitInfo, TreeStore};
use crate::source::budget::Budget;
use crate::source::error::SourceError;
use crate::source::repository::Access;
use crate::source::url::Scheme;

/// What Tiphys needs of Git. Every method blocks for at most the budget and is called from a thread that may block.
/// Errors may still hold what a server said: [`Access::redact`] has not seen it yet.
pub trait GitBackend: Send + Sync {
    /// The references whose names start with one of the prefixes; a server may list more.
    ///
    /// # Errors
    /// No connection, no access, no Git repository, the end of the budget.
    fn list_refs(&self, access: &Access, prefixes: &[&str], budget: &Budget) -> Result<RefList, SourceError>;

    /// Whether the commit is in the cache, so that [`GitBackend::fetch`] asks no server.
    fn is_cached(&self, access: &Access, commit: &str, budget: &Budget) -> bool;

    /// Brings a commit with all its files into the cache and gives them to read.
    ///
    /// # Errors
    /// As [`GitBackend::list_refs`], and [`SourceError::UnknownRevision`].
    fn fetch(
        &self,
        access: &Access,
        commit: &str,
        budget: &Budget,
    ) -> Result<Arc<dyn TreeStore>, SourceError>;

    /// The full id of the commit whose id starts with these digits.
    ///
    /// # Errors
    /// As [`GitBackend::fetch`], and [`SourceError::AmbiguousRevision`].
    fn expand(&self, access: &Access, short: &str, budget: &Budget) -> Result<String, SourceError>;

    /// What a fetched commit says of itself.
    ///
    /// # Errors
    /// As [`GitBackend::fetch`].
    fn commit_info(&self, access: &Access, commit: &str, budget: &Budget) -> Result<CommitInfo, SourceError>;
}

/// Mirrors on disk, with libgit2 for objects and our own client for the wire.
pub struct MirrorBackend {
    cache: PathBuf,
    runtime: Handle,
    /// Largest pack that is taken, in bytes.
    max_pack: u64,
    mirrors: Mutex<HashMap<String, Arc<Mirror>>>,
}

impl MirrorBackend {
    /// Mirrors below `cache`. The runtime drives the network.
    pub fn new(cache: PathBuf, runtime: Handle, max_pack: u64) -> Self {
        Self { cache, runtime, max_pack, mirrors: Mutex::default() }
    }

    fn mirror(&self, access: &Access) -> Arc<Mirror> {
        let key = access.cache_key();
        let mut mirrors = self.mirrors.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || Arc::new(Mirror::new(self.cache.join(&key), access.url.to_string()));
        mirrors.entry(key.clone()).or_insert_with(make).clone()
    }

    fn wire(&self, access: &Access, budget: &Budget) -> Result<Box<dyn Wire>, SourceError> {
        match access.url.scheme() {
            Scheme::Http | Scheme::Https => Ok(Box::new(SmartHttp::open(access, budget, &self.runtime)?)),
            Scheme::Ssh => Ok(Box::new(Ssh::open(access, budget, &self.runtime)?)),
            Scheme::Git => Ok(Box::new(Daemon::open(access, budget, &self.runtime)?)),
            Scheme::File | Scheme::Oci => Err(SourceError::InvalidUrl {
                reason: "no Git repository is reached by its scheme".to_owned(),
            }),
        }
    }

    fn fetch_into(
        &self,
        mirror: &LockedMirror<'_>,
        access: &Access,
        want: &Want,
        budget: &Budget,
    ) -> Result<(), SourceError> {
        let mut wire = self.wire(access, budget)?;
        let mut session = Session::open(wire.as_mut())?;
        self.fetch_in_session(mirror, access, &mut session, want)?;
        session.close();
        Ok(())
    }

    fn fetch_in_session(
        &self,
        mirror: &LockedMirror<'_>,
        access: &Access,
        session: &mut Session<'_>,
        want: &Want,
    ) -> Result<(), SourceError> {
        let cache = |error: git2::Error| SourceError::Cache {
            url: access.url.to_string(),
            reason: error.message().to_owned(),
        };
        let odb = mirror.repository.odb().map_err(cache)?;
        let mut pack =
            Pack { writer: odb.packwriter().map_err(cache)?, bytes: 0, access, limit: self.max_pack };
        let cuts = session.fetch(want, &mut pack)?;
        if pack.bytes > 0 {
            pack.writer.commit().map_err(|error| SourceError::BadAnswer {
                url: access.url.to_string(),
                reason: format!("its pack is damaged: {}", error.message()),
            })?;
        }
        mirror.record_cuts(&cuts)
    }

    /// One commit without its history; where the server only gives what it lists, everything.
    fn fetch_commit(
        &self,
        mirror: &LockedMirror<'_>,
        access: &Access,
        commit: &str,
        budget: &Budget,
    ) -> Result<(), SourceError> {
        let haves = mirror.haves();
        let want = Want {
            objects: vec![commit.to_owned()],
            shallow: mirror.shallow(),
            haves,
            depth: Some(1),
            filter: None,
        };
        let refused = match self.fetch_into(mirror, access, &want, budget) {
            Err(SourceError::ServerError { reason, .. }) if is_not_ours(&reason) => reason,
            other => return other,
        };
        tracing::debug!(repository = %access.url, %commit, %refused, "asking for all branches and tags instead");
        self.fetch_all(mirror, access, None, budget)?;
        let id = Oid::from_str(commit).ok();
        if id.is_some_and(|id| mirror.repository.odb().is_ok_and(|odb| odb.exists(id))) {
            return Ok(());
        }
        let nearby = "; no branch or tag contains it any more".to_owned();
        Err(SourceError::UnknownRevision { url: access.url.to_string(), revision: commit.to_owned(), nearby })
    }

    fn fetch_all(
        &self,
        mirror: &LockedMirror<'_>,
        access: &Access,
        filter: Option<&'static str>,
        budget: &Budget,
    ) -> Result<(), SourceError> {
        let mut wire = self.wire(access, budget)?;
        let mut session = Session::open(wire.as_mut())?;
        let refs = session.list_refs(&["refs/heads/", "refs/tags/"])?;
        let wanted =
            refs.iter().filter(|(name, _)| name.starts_with("refs/heads/") || name.starts_with("refs/tags/"));
        let mut objects: Vec<String> = wanted.map(|(_, reference)| reference.object.clone()).collect();
        objects.sort();
        objects.dedup();
        if objects.is_empty() {
            return Err(SourceError::EmptyRepository { url: access.url.to_string() });
        }
        let want = Want { objects, filter, ..Want::default() };
        self.fetch_in_session(mirror, access, &mut session, &want)?;
        session.close();
        Ok(())
    }

    /// The root tree of a commit, fetched if it is not here. A damaged mirror is made anew, once.
    fn ensure(
        &self,
        access: &Access,
        commit: &str,
        budget: &Budget,
    ) -> Result<(Arc<Mirror>, Oid), SourceError> {
        let mirror = self.mirror(access);
        let root = match self.ensure_in(&mirror, access, commit, budget) {
            Err(SourceError::Cache { reason, .. }) => {
                tracing::warn!(repository = %access.url, %reason, "cache damaged");
                mirror.objects().set_damaged();
                self.ensure_in(&mirror, access, commit, budget)?
            }
            other => other?,
        };
        Ok((mirror, root))
    }

    fn ensure_in(
        &self,
        mirror: &Mirror,
        access: &Access,
        commit: &str,
        budget: &Budget,
    ) -> Result<Oid, SourceError> {
        let locked = mirror.lock(budget)?;
        if let Some(root) = locked.complete(commit)? {
            return Ok(root);
        }
        if access.url.scheme() == Scheme::File {
            local::copy(access, &locked, commit, budget)?;
        } else {
            self.fetch_commit(&locked, access, commit, budget)?;
        }
        locked.mark_complete(commit)
    }
}

impl GitBackend for MirrorBackend {
    fn list_refs(&self, access: &Access, prefixes: &[&str], budget: &Budget) -> Result<RefList, SourceError> {
        if access.url.scheme() == Scheme::File {
            return local::list_refs(access);
        }
        let mut wire = self.wire(access, budget)?;
        let mut session = Session::open(wire.as_mut())?;
        let list = session.list_refs(prefixes)?;
        session.close();
        Ok(list)
    }

    fn is_cached(&self, access: &Access, commit: &str, budget: &Budget) -> bool {
        self.mirror(access).lock(budget).is_ok_and(|mirror| matches!(mirror.complete(commit), Ok(Some(_))))
    }

    fn fetch(
        &self,
        access: &Access,
        commit: &str,
        budget: &Budget,
    ) -> Result<Arc<dyn TreeStore>, SourceError> {
        let (mirror, root) = self.ensure(access, commit, budget)?;
        Ok(Arc::new(CommitTree::new(mirror.objects().clone(), root)))
    }

    fn expand(&self, access: &Access, short: &str, budget: &Budget) -> Result<String, SourceError> {
        let unknown = || SourceError::UnknownRevision {
            url: access.url.to_string(),
            revision: short.to_owned(),
            nearby: "; no branch, tag or commit has this name".to_owned(),
        };
        if access.url.scheme() == Scheme::File {
            return local::expand(access, short)?.ok_or_else(unknown);
        }
        let mirror = self.mirror(access);
        let locked = mirror.lock(budget)?;
        // What is here is only a part: a second commit with these digits may exist on the server. As with
        // abbreviated ids in general, the user takes that risk; what was found once stays what it is.
        if let Some(id) = locked.expand(short)? {
            return Ok(id);
        }
        self.fetch_all(&locked, access, Some("tree:0"), budget)?;
        locked.expand(short)?.ok_or_else(unknown)
    }

    fn commit_info(&self, access: &Access, commit: &str, budget: &Budget) -> Result<CommitInfo, SourceError> {
        let (mirror, _) = self.ensure(access, commit, budget)?;
        mirror.objects().with(|repository| describe(repository, commit)).map_err(|error| SourceError::Cache {
            url: access.url.to_string(),
            reason: error.message().to_owned(),
        })
    }
}

/// Longest commit message that is kept, in bytes.
const MAX_MESSAGE: usize = 8 << 10;

fn describe(repository: &Repository, id: &str) -> Result<CommitInfo, git2::Error> {
    let commit = repository.find_object(Oid::from_str(id)?, None)?.peel_to_commit()?;
    let author = commit.author();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let message = commit.message_bytes();
    Ok(CommitInfo {
        author: format!("{} <{}>", text(author.name_bytes()), text(author.email_bytes())),
        date: author.when().seconds(),
        message: text(message.get(..MAX_MESSAGE).unwrap_or(message)).trim_end().to_owned(),
        signed: commit.header_field_bytes("gpgsig").is_ok(),
    })
}

/// Whether the server says that it does not give this object, as opposed to failing.
fn is_not_ours(reason: &str) -> bool {
    [
        "not our ref",
        "unadvertised object",
        "no such remote ref",
        "want ",
        "not valid",
        "bad object",
        "missing object",
    ]
    .iter()
    .any(|words| reason.contains(words))
}

/// Where a pack goes: into the object database, up to a limit.
struct Pack<'a> {
    writer: git2::OdbPackwriter<'a>,
    bytes: u64,
    access: &'a Access,
    limit: u64,
}

impl Write for Pack<'_> {
    fn write(&mut self, chunk: &[u8]) -> std::io::Result<usize> {
        self.bytes += chunk.len() as u64;
        if self.bytes > self.limit {
            return Err(std::io::Error::other(SourceError::TooLarge {
                url: self.access.url.to_string(),
                what: "one commit".to_owned(),
                limit: self.limit,
            }));
        }
        // libgit2 keeps its reason for itself here; what stands in the pack is the server's, so it is to blame.
        self.writer.write(chunk).map_err(|_| {
            let reason = git2::Error::last_error(-1).message().to_owned();
            let reason = format!("its pack cannot be stored: {reason}");
            std::io::Error::other(SourceError::BadAnswer { url: self.access.url.to_string(), reason })
        })
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
