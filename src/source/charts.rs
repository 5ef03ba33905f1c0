//! Charts from Helm repositories and OCI registries: versions resolved, archives kept on disk, files given as a tree.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gotemplate::sprig::semver::Version;
use tokio::sync::Mutex as AsyncMutex;

use super::archive::unpack_chart;
use super::budget::{Budget, CancelToken};
use super::error::SourceError;
use super::helm_repo::{self, ChartVersion, Index};
use super::oci::{Registry, digest_of};
use super::repository::{Access, hash};
use super::sources::{Freshness, Sources};
use super::url::Scheme;
use super::versions::{newest, range_of};
use crate::flow::{Revision, RevisionKind, Tree};

/// A failure is told to whoever asks again within this time.
const FAILURE_KEPT: Duration = Duration::from_secs(3);
/// Lists of versions kept.
const LISTS_KEPT: usize = 200;
/// Unpacked charts kept at hand.
const TREES_KEPT: usize = 16;

/// The versions of one chart repository, or of one chart of a registry.
#[derive(Clone)]
enum Offer {
    Index(Arc<Index>),
    Versions(Arc<[String]>),
}

struct Listed {
    started: Instant,
    result: Result<Offer, SourceError>,
}

/// What is known of charts.
pub(super) struct ChartCache {
    dir: PathBuf,
    lists: Slots<Listed>,
    trees: Slots<Unpacked>,
}

/// A place for each key, locked by whoever fills it, so that what is slow delays only those who want the same.
type Slots<T> = Mutex<HashMap<String, Slot<T>>>;
type Slot<T> = Arc<AsyncMutex<Option<T>>>;

struct Unpacked {
    started: Instant,
    result: Result<Tree, SourceError>,
}

impl ChartCache {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self { dir, lists: Mutex::default(), trees: Mutex::default() }
    }
}

/// The place of a key. Where there are too many, those that nobody uses at the moment are given up.
fn slot<T>(slots: &Slots<T>, most: usize, key: &str) -> Slot<T> {
    let mut slots = slots.lock().unwrap_or_else(PoisonError::into_inner);
    if slots.len() >= most && !slots.contains_key(key) {
        slots.retain(|_, slot| Arc::strong_count(slot) > 1);
    }
    slots.entry(key.to_owned()).or_default().clone()
}

impl Sources {
    /// What a `targetRevision` is for a chart: an exact version is taken as written and asks nobody, a range is the
    /// newest version that it allows, empty is the newest that is no pre-release. For an OCI registry `chart` is below
    /// the path of the URL, and empty if the URL names the chart itself.
    ///
    /// # Errors
    /// [`SourceError::UnknownChart`], and whatever keeps the server from answering.
    pub async fn resolve_chart(
        &self,
        access: &Access,
        chart: &str,
        requested: &str,
        freshness: Freshness,
    ) -> Result<Revision, SourceError> {
        let oci = is_oci(access);
        let kind = if oci { RevisionKind::OciArtifact } else { RevisionKind::ChartVersion };
        let make = |id: &str, digest: &str| Revision {
            kind,
            id: id.to_owned(),
            requested: requested.to_owned(),
            reference: None,
            digest: (!digest.is_empty()).then(|| format!("sha256:{digest}")),
        };
        if Version::parse(requested).is_ok() || oci && requested.starts_with("sha256:") {
            return Ok(make(requested, ""));
        }
        match self.offer(access, chart, freshness).await? {
            Offer::Index(index) => {
                let found = index.find(&access.url.to_string(), chart, requested)?;
                Ok(make(&found.version, &found.digest))
            }
            Offer::Versions(versions) => {
                let range = range_of(if requested.is_empty() { "*" } else { requested });
                let found = match range {
                    Some(range) => newest(&range, versions.iter().map(String::as_str)),
                    None => versions.iter().map(String::as_str).find(|version| *version == requested),
                };
                found.map(|found| make(found, "")).ok_or_else(|| {
                    let some: Vec<&str> = versions.iter().rev().take(5).map(String::as_str).collect();
                    let reason =
                        format!("chart {chart} has no version {requested:?}; some are: {}", some.join(", "));
                    SourceError::UnknownChart { url: access.url.to_string(), reason }
                })
            }
        }
    }

    /// The files of a resolved chart, seen from the chart's directory.
    ///
    /// # Errors
    /// [`SourceError::UnknownChart`], [`SourceError::BadArchive`], and whatever keeps the server from answering.
    pub async fn chart(
        &self,
        access: &Access,
        chart: &str,
        revision: &Revision,
    ) -> Result<Tree, SourceError> {
        let asked = Instant::now();
        let digest = revision.digest.clone().unwrap_or_default();
        let key = hash(&[access.cache_key(), chart.to_owned(), revision.id.clone(), digest]);
        let place = slot(&self.charts().trees, TREES_KEPT, &key);
        // Held during the download: others who want this chart wait for it rather than fetch it too.
        let mut unpacked = place.lock().await;
        if let Some(Unpacked { started, result }) = unpacked.as_ref()
            && (result.is_ok() || *started + FAILURE_KEPT >= asked)
        {
            return result.clone();
        }
        let started = Instant::now();
        let result = self.unpacked(access, chart, revision, &key).await;
        *unpacked = Some(Unpacked { started, result: result.clone() });
        result
    }

    async fn unpacked(
        &self,
        access: &Access,
        chart: &str,
        revision: &Revision,
        key: &str,
    ) -> Result<Tree, SourceError> {
        let file = self.charts().dir.join(format!("{key}.tgz"));
        let place = file.clone();
        let kept = on_thread(move || unpack_chart(&std::fs::read(place).map_err(|error| error.to_string())?));
        if let Ok(tree) = kept.await {
            return Ok(tree);
        }
        // Not there, or damaged: either way it is had anew.
        let packed = self.download(access, chart, revision).await.map_err(|error| access.clean(error))?;
        let bad = |reason: String| SourceError::BadArchive { url: access.url.to_string(), reason };
        on_thread(move || unpack_and_keep(&packed, &file)).await.map_err(bad)
    }

    async fn download(
        &self,
        access: &Access,
        chart: &str,
        revision: &Revision,
    ) -> Result<Vec<u8>, SourceError> {
        let _place = self.network(access).await?;
        let budget = Budget::start(&access.url, self.timeout(), CancelToken::default());
        if is_oci(access) {
            return Registry::open(access, &budget, chart)?.pull(&revision.id).await;
        }
        let offer = self.offer(access, chart, Freshness::Within(self.timeout())).await?;
        let Offer::Index(index) = offer else {
            return Err(SourceError::UnknownChart { url: access.url.to_string(), reason: chart.to_owned() });
        };
        let version = match index.find(&access.url.to_string(), chart, &revision.id) {
            Ok(version) => version.clone(),
            Err(_) => self.newer_index(access, chart, &revision.id).await?,
        };
        let packed = helm_repo::archive(access, &budget, &version).await?;
        let digest = digest_of(&packed);
        if !version.digest.is_empty() && digest.trim_start_matches("sha256:") != version.digest {
            // Helm does not compare them either, and indexes with stale digests are in use.
            tracing::warn!(chart, version = %version.version, "the archive's digest is not that of the index");
        }
        Ok(packed)
    }

    /// A version that was published since the index was read.
    async fn newer_index(
        &self,
        access: &Access,
        chart: &str,
        version: &str,
    ) -> Result<ChartVersion, SourceError> {
        match self.offer(access, chart, Freshness::Now).await? {
            Offer::Index(index) => Ok(index.find(&access.url.to_string(), chart, version)?.clone()),
            Offer::Versions(_) => {
                Err(SourceError::UnknownChart { url: access.url.to_string(), reason: chart.to_owned() })
            }
        }
    }

    /// What the repository offers, at most as old as allowed; asked for once however many want it.
    async fn offer(&self, access: &Access, chart: &str, freshness: Freshness) -> Result<Offer, SourceError> {
        let asked = Instant::now();
        let oci = is_oci(access);
        let of = if oci { chart } else { "" };
        let key = hash(&[access.connection_key(), of.to_owned()]);
        let list = slot(&self.charts().lists, LISTS_KEPT, &key);
        let mut listed = list.lock().await;
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
        let budget = Budget::start(&access.url, self.timeout(), CancelToken::default());
        let result = if oci {
            match Registry::open(access, &budget, chart) {
                Ok(mut registry) => {
                    registry.versions().await.map(|versions| Offer::Versions(versions.into()))
                }
                Err(error) => Err(error),
            }
        } else {
            helm_repo::index(access, &budget).await.map(|index| Offer::Index(Arc::new(index)))
        };
        let result = result.map_err(|error| access.clean(error));
        *listed = Some(Listed { started, result: result.clone() });
        result
    }
}

fn is_oci(access: &Access) -> bool {
    access.oci || access.url.scheme() == Scheme::Oci
}

async fn on_thread(work: impl FnOnce() -> Result<Tree, String> + Send + 'static) -> Result<Tree, String> {
    tokio::task::spawn_blocking(work).await.map_err(|_| "unpacking was interrupted".to_owned())?
}

fn unpack_and_keep(packed: &[u8], file: &Path) -> Result<Tree, String> {
    let tree = unpack_chart(packed)?;
    if let Err(error) = keep(file, packed) {
        // A full disk costs the cache, not the sync.
        tracing::warn!(%error, "a chart could not be kept in the cache");
    }
    Ok(tree)
}

/// Writes beside the place and moves it there, so that nobody reads half a file.
fn keep(file: &Path, packed: &[u8]) -> std::io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let beside = file.with_extension(name);
    if let Some(dir) = file.parent() {
        std::fs::create_dir_all(dir)?;
    }
    std::fs::write(&beside, packed)?;
    std::fs::rename(&beside, file)
}
