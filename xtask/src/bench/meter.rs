//! Time, CPU, memory and requests of one process over one piece of work.

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
    pub(super) requests: u64,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { work, time, cpu, peak_mib, requests } = self;
        write!(f, "| {work} | {:.2} s | {cpu:.2} s | {peak_mib} MiB | {requests} |", time.as_secs_f64())
    }
}

/// Counters at one moment.
struct Reading {
    cpu: f64,
    requests: u64,
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
            requests: after.requests - before.requests,
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
    fn requests(&self) -> Result<u64> {
        let log = fs::File::open(&self.audit).context(self.audit.display())?;
        let user = format!("\"username\":\"{OPERATOR_USER}\"");
        let finished =
            |line: &String| line.contains("\"stage\":\"ResponseComplete\"") && line.contains(&user);
        Ok(BufReader::new(log).lines().map_while(|line| line.ok()).filter(finished).count() as u64)
    }
}
