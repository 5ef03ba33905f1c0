//! The pieces of work that are measured, one after the other on the same cluster.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::meter::{Meter, Row};
use super::workload::Workload;
use crate::cluster::Api;
use crate::error::{Error, Result};
use crate::operator::NAMESPACE;

const LIMIT: Duration = Duration::from_secs(600);
const APPLICATIONS: &str = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/bench/deployments";

/// What the measurements share.
pub(super) struct Bench<'a> {
    pub(super) api: Api,
    pub(super) workload: Workload,
    pub(super) meter: &'a Meter,
    pub(super) idle: u64,
}

impl Bench<'_> {
    /// All measurements, in order.
    pub(super) fn all(&self) -> Result<Vec<Row>> {
        let apps = self.workload.apps;
        self.api.create("/api/v1/namespaces", &json!({"metadata": {"name": "bench"}}))?;
        let mut rows = Vec::new();
        rows.push(self.meter.over("empty controller, 5 s", || {
            thread::sleep(Duration::from_secs(5));
            Ok(None)
        })?);
        rows.push(
            self.meter
                .over(&format!("{apps} new applications → all Synced and Healthy"), || self.create())?,
        );
        self.settle()?;
        rows.push(self.meter.over(&format!("one commit that changes all {apps} → applied"), || {
            self.commit(0..apps, 0..apps, "1")
        })?);
        self.settle()?;
        rows.push(self.meter.over("one commit that changes 1, that one refreshed → applied", || {
            self.commit(0..1, 0..1, "2")
        })?);
        self.settle()?;
        rows.push(self.meter.over(
            &format!("one commit that changes 1, all {apps} refreshed → applied"),
            || {
                let took = self.commit(0..1, 0..apps, "3")?;
                // What is done after the change has arrived counts as well, but for the time.
                self.settle()?;
                Ok(took)
            },
        )?);
        rows.push(self.meter.over("self-heal, median of 5", || self.heal())?);
        self.settle()?;
        rows.push(self.meter.over(&format!("hard refresh of all {apps}"), || self.hard_refresh())?);
        self.settle()?;
        rows.push(self.meter.over(&format!("idle for {} s", self.idle), || {
            thread::sleep(Duration::from_secs(self.idle));
            Ok(None)
        })?);
        Ok(rows)
    }

    fn create(&self) -> Result<Option<Duration>> {
        self.in_parallel(0..self.workload.apps, |app| {
            self.api.create(APPLICATIONS, &self.workload.application(app)).map(drop)
        })?;
        self.wait("Synced and Healthy", || self.all_converged())?;
        Ok(None)
    }

    /// Pushes a change of some Applications, refreshes some, waits until the change is live.
    fn commit(
        &self,
        changed: std::ops::Range<u32>,
        refreshed: std::ops::Range<u32>,
        value: &str,
    ) -> Result<Option<Duration>> {
        self.workload.commit(changed.clone(), value)?;
        let started = Instant::now();
        self.in_parallel(refreshed, |app| self.refresh(app, "normal"))?;
        self.wait("the change is live", || {
            let live = self.api.list(DEPLOYMENTS)?;
            let new =
                live.iter().filter(|deployment| deployment["metadata"]["annotations"]["bench"] == value);
            Ok(new.count() >= changed.len())
        })?;
        Ok(Some(started.elapsed()))
    }

    fn heal(&self) -> Result<Option<Duration>> {
        let mut times = Vec::new();
        for round in 0..5 {
            let app = round % self.workload.apps;
            let path = format!("{DEPLOYMENTS}/{}-web", Workload::name(app));
            let good = self.api.get(&path)?.unwrap_or_default()["metadata"]["annotations"]["bench"].clone();
            self.api.merge(&path, &json!({"metadata": {"annotations": {"bench": "by hand"}}}))?;
            let started = Instant::now();
            self.wait("healed", || {
                Ok(self.api.get(&path)?.unwrap_or_default()["metadata"]["annotations"]["bench"] == good)
            })?;
            times.push(started.elapsed());
            self.settle()?;
        }
        times.sort();
        Ok(times.get(2).copied())
    }

    fn hard_refresh(&self) -> Result<Option<Duration>> {
        self.in_parallel(0..self.workload.apps, |app| self.refresh(app, "hard"))?;
        self.wait("refreshed", || {
            Ok(self
                .api
                .list(APPLICATIONS)?
                .iter()
                .all(|app| app["metadata"]["annotations"]["argocd.argoproj.io/refresh"].is_null()))
        })?;
        Ok(None)
    }

    fn refresh(&self, app: u32, kind: &str) -> Result<()> {
        let patch = json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": kind}}});
        self.api
            .merge(
                &format!(
                    "/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/applications/{}",
                    Workload::name(app)
                ),
                &patch,
            )
            .map(drop)
    }

    /// Everything is converged, and nobody has written for two seconds.
    fn settle(&self) -> Result<()> {
        self.wait("quiet", || self.all_converged())?;
        let mut last = String::new();
        self.wait("quiet", || {
            let versions: Vec<String> = self
                .api
                .list(APPLICATIONS)?
                .iter()
                .map(|app| app["metadata"]["resourceVersion"].to_string())
                .collect();
            let now = versions.join(" ");
            let quiet = now == last;
            last = now;
            if !quiet {
                thread::sleep(Duration::from_secs(2));
            }
            Ok(quiet)
        })
    }

    fn all_converged(&self) -> Result<bool> {
        let applications = self.api.list(APPLICATIONS)?;
        let converged = |app: &Value| {
            let status = &app["status"];
            status["sync"]["status"] == "Synced"
                && status["health"]["status"] == "Healthy"
                && app["operation"].is_null()
        };
        Ok(applications.len() == self.workload.apps as usize && applications.iter().all(converged))
    }

    fn wait(&self, what: &str, mut reached: impl FnMut() -> Result<bool>) -> Result<()> {
        let deadline = Instant::now() + LIMIT;
        while !reached()? {
            if Instant::now() > deadline {
                return Err(Error::new(format!("not after {} s: {what}", LIMIT.as_secs())));
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Eight at a time, so that the measuring side is not what is measured.
    fn in_parallel(&self, apps: std::ops::Range<u32>, work: impl Fn(u32) -> Result<()> + Sync) -> Result<()> {
        thread::scope(|scope| {
            let work = &work;
            let workers: Vec<_> = (0..8)
                .map(|worker| {
                    let mine = apps.clone().filter(move |app| app % 8 == worker);
                    scope.spawn(move || mine.into_iter().try_for_each(work))
                })
                .collect();
            workers
                .into_iter()
                .try_for_each(|worker| worker.join().unwrap_or_else(|_| Err(Error::new("a worker panicked"))))
        })
    }
}
