//! What renders share: parsed charts and parsed files of kustomizations, by content.
//!
//! Keys name content, so nothing here grows stale; what was not used for longest goes when there is too much.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use helm::Chart;
use kustomize::ParseCache;

/// A parsed chart is taken to need this many times the bytes of its files: texts, syntax trees, values. An estimate on the
/// safe side, not a measurement.
const PARSED_FACTOR: usize = 6;
/// Bytes of parsed charts that are kept, estimated.
const MOST_BYTES: usize = 192 << 20;

/// Parsed input of renders. Share one among all of them.
pub struct RenderCaches {
    charts: Mutex<Charts>,
    most: usize,
    pub(super) parsed: Arc<ParseCache>,
}

#[derive(Default)]
struct Charts {
    known: HashMap<String, Kept>,
    bytes: usize,
    clock: u64,
    parsed: u64,
}

struct Kept {
    chart: Arc<Chart>,
    bytes: usize,
    used: u64,
}

impl Default for RenderCaches {
    fn default() -> Self {
        Self::with_limit(MOST_BYTES)
    }
}

impl fmt::Debug for RenderCaches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let charts = self.charts.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("RenderCaches")
            .field("charts", &charts.known.len())
            .field("bytes", &charts.bytes)
            .finish()
    }
}

impl RenderCaches {
    /// Caches that keep parsed charts of about this many bytes.
    pub fn with_limit(bytes: usize) -> Self {
        Self { charts: Mutex::default(), most: bytes, parsed: Arc::default() }
    }

    /// How many charts were parsed so far.
    pub fn charts_parsed(&self) -> u64 {
        self.charts.lock().unwrap_or_else(PoisonError::into_inner).parsed
    }

    /// How many files of kustomizations were parsed so far.
    pub fn files_parsed(&self) -> u64 {
        self.parsed.parsed()
    }

    pub(super) fn chart(&self, key: &str) -> Option<Arc<Chart>> {
        let mut charts = self.charts.lock().unwrap_or_else(PoisonError::into_inner);
        charts.clock += 1;
        let now = charts.clock;
        let kept = charts.known.get_mut(key)?;
        kept.used = now;
        Some(Arc::clone(&kept.chart))
    }

    /// Keeps a chart that was parsed from this many bytes of files.
    pub(super) fn keep_chart(&self, key: String, chart: Arc<Chart>, size: usize) {
        let bytes = size.saturating_mul(PARSED_FACTOR);
        let mut charts = self.charts.lock().unwrap_or_else(PoisonError::into_inner);
        charts.clock += 1;
        charts.parsed += 1;
        if bytes > self.most {
            return;
        }
        let kept = Kept { chart, bytes, used: charts.clock };
        charts.bytes += bytes;
        if let Some(before) = charts.known.insert(key, kept) {
            charts.bytes = charts.bytes.saturating_sub(before.bytes);
        }
        while charts.bytes > self.most {
            let oldest = charts.known.iter().min_by_key(|(_, kept)| kept.used).map(|(key, _)| key.clone());
            let Some(gone) = oldest.and_then(|key| charts.known.remove(&key)) else { break };
            charts.bytes = charts.bytes.saturating_sub(gone.bytes);
        }
    }
}
