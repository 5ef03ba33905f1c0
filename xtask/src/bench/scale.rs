//! Applications of many objects: ten waves against one, and five thousand objects.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::meter::{Meter, Row};
use crate::cluster::Api;
use crate::error::{Context, Error, Result};
use crate::git_server::{GitServer, run_git};
use crate::operator::NAMESPACE;

const LIMIT: Duration = Duration::from_secs(600);
const WAVES: usize = 10;
/// Objects of a wave of the small application; one of them is a Deployment, whose health its controller has to report.
const PER_WAVE: usize = 20;
const MANY: usize = 5_000;
/// Objects in a file of the large application.
const PER_FILE: usize = 100;

/// What the measurements share.
pub(super) struct Scale<'a> {
    api: Api,
    meter: &'a Meter,
    folder: PathBuf,
    url: String,
}

impl<'a> Scale<'a> {
    pub(super) fn create(api: Api, meter: &'a Meter, folder: PathBuf, server: &GitServer) -> Result<Self> {
        let url = server.create("scale.git")?;
        let scale = Self { api, meter, folder, url };
        for path in ["waves", "flat", "many"] {
            fs::create_dir_all(scale.folder.join(path)).context("making the repository")?;
        }
        for wave in 0..WAVES {
            scale.write(&format!("waves/{wave}.yaml"), &small(wave, Some(wave)))?;
            scale.write(&format!("flat/{wave}.yaml"), &small(wave, None))?;
        }
        for file in 0..MANY / PER_FILE {
            scale.write(&format!("many/{file}.yaml"), &many(file, "0"))?;
        }
        scale.git(&["init", "--quiet", "--initial-branch=main"])?;
        scale.git(&["remote", "add", "origin", &scale.url])?;
        scale.push()?;
        Ok(scale)
    }

    /// The same 200 objects in ten waves and in one.
    pub(super) fn waves(&self) -> Result<Vec<Row>> {
        let count = WAVES * PER_WAVE;
        let flat = format!("{count} new objects of one application in one wave → Synced and Healthy");
        let waves = format!("the same {count} in {WAVES} waves");
        Ok(vec![
            self.meter.over(&flat, || self.application("flat"))?,
            self.meter.over(&waves, || self.application("waves"))?,
        ])
    }

    /// One application of five thousand ConfigMaps.
    pub(super) fn many(&self) -> Result<Vec<Row>> {
        let name = format!("{MANY} new ConfigMaps of one application in {WAVES} waves → Synced");
        let mut rows = vec![self.meter.over(&name, || self.application("many"))?];
        let bytes = self.app("many")?.to_string().len();
        if let Some(row) = rows.last_mut() {
            let _ = write!(row.work, " (Application of {} KiB)", bytes / 1024);
        }
        rows.push(self.meter.over(
            &format!("one commit that changes 1 of the {MANY} → applied"),
            || {
                self.write("many/0.yaml", &many(0, "1"))?;
                self.push()?;
                let refresh = json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}});
                let started = Instant::now();
                self.api.merge(&app_path("many"), &refresh)?;
                self.wait("the change is live", || self.value_is(0, "1"))?;
                let took = started.elapsed();
                self.converged("many")?;
                Ok(Some(took))
            },
        )?);
        rows.push(self.meter.over(&format!("self-heal of 1 of the {MANY}, median of 3"), || self.heal())?);
        Ok(rows)
    }

    fn heal(&self) -> Result<Option<Duration>> {
        let mut times = Vec::new();
        for index in [1_000, 2_000, 3_000] {
            self.api.merge(&config_path(index), &json!({"data": {"value": "by hand"}}))?;
            let started = Instant::now();
            self.wait("healed", || self.value_is(index, "0"))?;
            times.push(started.elapsed());
            self.converged("many")?;
        }
        times.sort();
        Ok(times.get(1).copied())
    }

    fn value_is(&self, index: usize, value: &str) -> Result<bool> {
        Ok(self.api.get(&config_path(index))?.unwrap_or_default()["data"]["value"] == value)
    }

    /// Creates an Application and gives how long it took until everything was there and well.
    fn application(&self, name: &str) -> Result<Option<Duration>> {
        self.api.create("/api/v1/namespaces", &json!({"metadata": {"name": format!("bench-{name}")}}))?;
        let app = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {
                "project": "default",
                "source": {"repoURL": self.url, "targetRevision": "main", "path": name},
                "destination": {"server": "https://kubernetes.default.svc", "namespace": format!("bench-{name}")},
                "syncPolicy": {"automated": {"prune": true, "selfHeal": true}},
            },
        });
        let started = Instant::now();
        self.api.create(&format!("/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/applications"), &app)?;
        self.converged(name)?;
        Ok(Some(started.elapsed()))
    }

    fn app(&self, name: &str) -> Result<Value> {
        Ok(self.api.get(&app_path(name))?.unwrap_or_default())
    }

    fn converged(&self, name: &str) -> Result<()> {
        self.wait("Synced and Healthy", || {
            let app = self.app(name)?;
            let status = &app["status"];
            Ok(status["sync"]["status"] == "Synced"
                && status["health"]["status"] == "Healthy"
                && status["operationState"]["phase"] == "Succeeded"
                && app["metadata"]["annotations"]["argocd.argoproj.io/refresh"].is_null())
        })
    }

    fn wait(&self, what: &str, mut reached: impl FnMut() -> Result<bool>) -> Result<()> {
        let deadline = Instant::now() + LIMIT;
        while !reached()? {
            if Instant::now() > deadline {
                return Err(Error::new(format!("not after {} s: {what}", LIMIT.as_secs())));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn write(&self, path: &str, text: &str) -> Result<()> {
        fs::write(self.folder.join(path), text).context(path)
    }

    fn push(&self) -> Result<()> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--message", "Change"])?;
        self.git(&["push", "--quiet", "origin", "main"]).map(drop)
    }

    fn git(&self, arguments: &[&str]) -> Result<String> {
        let folder = self.folder.display().to_string();
        run_git(&[&["-C", folder.as_str()], arguments].concat())
    }
}

fn app_path(name: &str) -> String {
    format!("/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/applications/{name}")
}

fn config_path(index: usize) -> String {
    format!("/api/v1/namespaces/bench-many/configmaps/config-{index:05}")
}

fn config_map(name: &str, value: &str, wave: Option<usize>) -> String {
    format!(
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n{}data:\n  value: \"{value}\"\n",
        annotation(wave)
    )
}

fn annotation(wave: Option<usize>) -> String {
    wave.map(|wave| format!("  annotations:\n    argocd.argoproj.io/sync-wave: \"{wave}\"\n"))
        .unwrap_or_default()
}

/// ConfigMaps and one Deployment without pods.
fn small(wave: usize, annotated: Option<usize>) -> String {
    let mut text: String =
        (1..PER_WAVE).map(|index| config_map(&format!("config-{wave}-{index}"), "0", annotated)).collect();
    let _ = write!(
        text,
        "---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web-{wave}\n{}spec:\n  replicas: 0\n  selector:\n    \
         matchLabels: {{app: web-{wave}}}\n  template:\n    metadata:\n      labels: {{app: web-{wave}}}\n    spec:\n      \
         containers:\n        - name: web\n          image: registry.example.com/web:1.0\n",
        annotation(annotated)
    );
    text
}

/// ConfigMaps of the large application; `first` is the value of the first of them.
fn many(file: usize, first: &str) -> String {
    let per_wave = MANY / WAVES;
    let from = file * PER_FILE;
    (from..from + PER_FILE)
        .map(|index| {
            let value = if index == from { first } else { "0" };
            config_map(&format!("config-{index:05}"), value, Some(index / per_wave))
        })
        .collect()
}
