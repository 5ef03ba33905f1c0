//! Single files by URL: remote resources of kustomizations, value files.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Mutex as AsyncMutex;

use super::budget::{Budget, CancelToken};
use super::error::SourceError;
use super::http::{Call, HttpClient, Target, status_error};
use super::repository::{Access, hash};
use super::sources::{Freshness, Sources};

/// Largest file that is taken: 16 MiB.
const MAX_FILE: u64 = 16 << 20;
/// Files kept at hand.
const FILES_KEPT: usize = 200;
/// A failure is told to whoever asks again within this time.
const FAILURE_KEPT: Duration = Duration::from_secs(3);
/// One file is small: it need not take as long as a repository may.
const LONGEST: Duration = Duration::from_secs(30);

/// What a server said about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileAnswer {
    /// Its content.
    Found(Arc<[u8]>),
    /// It is not there, or not for everybody; in words.
    Missing(String),
}

struct Asked {
    started: Instant,
    result: Result<FileAnswer, SourceError>,
}

/// Answers by URL.
#[derive(Default)]
pub(super) struct FileCache {
    known: Mutex<HashMap<String, Arc<AsyncMutex<Option<Asked>>>>>,
}

impl FileCache {
    fn slot(&self, key: &str) -> Arc<AsyncMutex<Option<Asked>>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= FILES_KEPT && !known.contains_key(key) {
            known.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        known.entry(key.to_owned()).or_default().clone()
    }
}

impl Sources {
    /// The content of an http or https URL, at most as old as allowed; asked for once however many want it. `access`
    /// is for the URL without its query.
    ///
    /// # Errors
    /// No answer, an answer that says to come back later, or one that is larger than 16 MiB.
    pub async fn file(
        &self,
        access: &Access,
        url: &str,
        freshness: Freshness,
    ) -> Result<FileAnswer, SourceError> {
        let asked = Instant::now();
        let slot = self.files().slot(&hash(&[access.connection_key(), url.to_owned()]));
        let mut known = slot.lock().await;
        if let Some(known) = known.as_ref() {
            let kept = match (&known.result, freshness) {
                (Ok(_), Freshness::Now) => Duration::ZERO,
                (Ok(_), Freshness::Within(age)) => age,
                (Err(_), _) => FAILURE_KEPT,
            };
            if known.started + kept >= asked {
                return known.result.clone();
            }
        }
        let started = Instant::now();
        let result = self.get_file(access, url).await.map_err(|error| access.clean(error));
        *known = Some(Asked { started, result: result.clone() });
        result
    }

    async fn get_file(&self, access: &Access, url: &str) -> Result<FileAnswer, SourceError> {
        let target = Target::parse(url).ok_or_else(|| SourceError::InvalidUrl {
            reason: "files are taken from http and https URLs without credentials".to_owned(),
        })?;
        let _place = self.network(access).await?;
        let budget = Budget::start(&access.url, self.timeout().min(LONGEST), CancelToken::default());
        let mut client = HttpClient::new(access, &budget)?;
        let answer = client.send(Call::get(target)).await?;
        let status = answer.status;
        if let Some(error) = status_error(access, &answer) {
            return match error {
                error @ SourceError::ServerError { .. } => Err(error),
                _ => Ok(FileAnswer::Missing(format!(
                    "HTTP Error: status code {} ({})",
                    status.as_u16(),
                    status.canonical_reason().unwrap_or_default()
                ))),
            };
        }
        let shown = access.url.to_string();
        let content =
            budget.run("reading its answer", answer.body.collect(&shown, "the file", MAX_FILE)).await??;
        Ok(FileAnswer::Found(content.into()))
    }
}
