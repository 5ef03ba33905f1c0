//! When and how a sync runs.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{InvalidDuration, SyncOptions, is_default, parse_retry_duration};

/// `spec.syncPolicy`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SyncPolicy {
    /// Syncs start by themselves; absent, somebody has to ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automated: Option<Automated>,
    /// Options of every sync of the application.
    #[serde(skip_serializing_if = "is_default")]
    pub sync_options: SyncOptions,
    /// What happens after a failed sync.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryStrategy>,
    /// Metadata of the namespace that `CreateNamespace=true` makes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_namespace_metadata: Option<ManagedNamespaceMetadata>,
}

/// How syncs start by themselves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Automated {
    /// Deletes objects that Git no longer holds.
    #[serde(skip_serializing_if = "is_default")]
    pub prune: bool,
    /// Undoes changes made by hand in the cluster.
    #[serde(skip_serializing_if = "is_default")]
    pub self_heal: bool,
    /// Allows a revision that renders nothing.
    #[serde(skip_serializing_if = "is_default")]
    pub allow_empty: bool,
    /// `false` turns automation off without losing the rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// What happens after a failed sync.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct RetryStrategy {
    /// How many times it is tried again; without end where negative.
    #[serde(skip_serializing_if = "is_default")]
    pub limit: i64,
    /// How long to wait between.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff: Option<Backoff>,
    /// Takes the newest revision for the next try. Tiphys does so in any case.
    #[serde(skip_serializing_if = "is_default")]
    pub refresh: bool,
}

/// Waiting times between tries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Backoff {
    /// The first wait, `5s` where absent.
    #[serde(skip_serializing_if = "is_default")]
    pub duration: String,
    /// Factor from wait to wait, 2 where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factor: Option<i64>,
    /// The longest wait, `3m` where absent.
    #[serde(skip_serializing_if = "is_default")]
    pub max_duration: String,
}

const DEFAULT_WAIT: Duration = Duration::from_secs(5);
const DEFAULT_LONGEST_WAIT: Duration = Duration::from_secs(180);
const DEFAULT_FACTOR: f64 = 2.0;

impl RetryStrategy {
    /// How long to wait before the next try, after `tries_done` tries again (0 for the first).
    ///
    /// # Errors
    /// Where a duration of the spec cannot be read.
    pub fn wait_before(&self, tries_done: i64) -> Result<Duration, InvalidDuration> {
        let read =
            |text: &str, default| if text.is_empty() { Ok(default) } else { parse_retry_duration(text) };
        let backoff = self.backoff.clone().unwrap_or_default();
        let first = read(&backoff.duration, DEFAULT_WAIT)?;
        let longest = read(&backoff.max_duration, DEFAULT_LONGEST_WAIT)?;
        let factor = backoff.factor.map_or(DEFAULT_FACTOR, |factor| factor as f64);
        let grown = first.as_secs_f64() * factor.powf(tries_done.max(0) as f64);
        Ok(Duration::try_from_secs_f64(grown).unwrap_or(longest).min(longest))
    }

    /// Whether another try is allowed after `tries_done`.
    pub fn allows(&self, tries_done: i64) -> bool {
        self.limit < 0 || tries_done < self.limit
    }
}

/// Metadata of the namespace that `CreateNamespace=true` makes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ManagedNamespaceMetadata {
    /// Labels.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    #[serde(skip_serializing_if = "is_default")]
    pub annotations: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_limit() {
        let retry = RetryStrategy { limit: 5, ..RetryStrategy::default() };
        let waits: Vec<u64> = (0..7).map(|tries| retry.wait_before(tries).unwrap().as_secs()).collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 180]);
        assert!(retry.allows(4) && !retry.allows(5));
        assert_eq!(retry.wait_before(i64::MAX).unwrap().as_secs(), 180);
    }
}
