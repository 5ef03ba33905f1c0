//! Time, CPU, memory and requests of one process over one piece of work.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::cluster::OPERATOR_USER;
use crate::error::{Context, Result};
use crate::process::Background;

/// Clock ticks per second of `/proc/<pid>/stat`: fixed on Linux.
const TICKS: f64 = 100.0;

/// Reads the operator's counters.
#[derive(Debug)]
pub(super) struct Meter {
    operator: Background,
    audit: PathBuf,
}

/// A line of the table.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) work: String,
    pub(super) time: Duration,
    pub(super) cpu: f64,
    pub(super) peak_mib: u64,
    pub(super) requests: Requests,
}

/// How many requests there were of each verb and kind.
#[derive(Debug, Default)]
pub(super) struct Requests(BTreeMap<String, u64>);

impl Requests {
    fn total(&self) -> u64 {
        self.0.values().sum()
    }

    fn since(mut self, before: &Self) -> Self {
        for (what, count) in &mut self.0 {
            *count -= before.0.get(what).copied().unwrap_or_default();
        }
        self.0.retain(|_, count| *count > 0);
        self
    }
}

impl fmt::Display for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut most: Vec<_> = self.0.iter().collect();
        most.sort_by(|one, other| other.1.cmp(one.1));
        let lines: Vec<String> = most.iter().map(|(what, count)| format!("{count:>6} {what}")).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { work, time, cpu, peak_mib, requests } = self;
        let requests = requests.total();
        write!(f, "| {work} | {:.2} s | {cpu:.2} s | {peak_mib} MiB | {requests} |", time.as_secs_f64())
    }
}

/// Counters at one moment.
struct Reading {
    cpu: f64,
    requests: Requests,
}

impl Meter {
    pub(super) fn new(operator: Background, audit: PathBuf) -> Self {
        Self { operator, audit }
    }

    /// Does the work and gives what it cost; the work's own result is the time it took by its own
    /// reckoning, or none for the time of the whole.
    pub(super) fn over(&self, name: &str, work: impl FnOnce() -> Result<Option<Duration>>) -> Result<Row> {
        self.operator.check()?;
        // Resets the peak to what is resident now.
        let _ = fs::write(format!("/proc/{}/clear_refs", self.operator.pid()), "5");
        let before = self.read()?;
        let started = Instant::now();
        let reckoned = work()?;
        let time = reckoned.unwrap_or_else(|| started.elapsed());
        let after = self.read()?;
        let row = Row {
            work: name.to_owned(),
            time,
            cpu: after.cpu - before.cpu,
            peak_mib: self.peak()?,
            requests: after.requests.since(&before.requests),
        };
        crate::console::note(row.to_string());
        Ok(row)
    }

    fn read(&self) -> Result<Reading> {
        let path = format!("/proc/{}/stat", self.operator.pid());
        let stat = fs::read_to_string(&path).context(&path)?;
        let fields: Vec<f64> = stat
            .rsplit_once(')')
            .map(|(_, rest)| {
                rest.split_whitespace().skip(11).take(4).filter_map(|field| field.parse().ok()).collect()
            })
            .unwrap_or_default();
        Ok(Reading { cpu: fields.iter().sum::<f64>() / TICKS, requests: self.requests()? })
    }

    fn peak(&self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.operator.pid());
        let status = fs::read_to_string(&path).context(&path)?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: u64 = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default();
        Ok(kib.div_ceil(1024))
    }

    /// Requests of the operator that the API server has finished (a watch counts when it ends).
    fn requests(&self) -> Result<Requests> {
        let log = fs::File::open(&self.audit).context(self.audit.display())?;
        let user = format!("\"username\":\"{OPERATOR_USER}\"");
        let mut requests = Requests::default();
        for line in BufReader::new(log).lines().map_while(|line| line.ok()) {
            if line.contains("\"stage\":\"ResponseComplete\"") && line.contains(&user) {
                *requests.0.entry(kind_of(&line)).or_default() += 1;
            }
        }
        Ok(requests)
    }
}

/// Verb and kind of a line of the audit log.
fn kind_of(line: &str) -> String {
    let event: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
    let text = |path: &str| event.pointer(path).and_then(serde_json::Value::as_str).unwrap_or_default();
    let dry_run = if text("/requestURI").contains("dryRun=") { " (dry-run)" } else { "" };
    format!("{} {}{dry_run}", text("/verb"), text("/objectRef/resource"))
}
