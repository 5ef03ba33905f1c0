//! `cargo bench -p kustomize`: builds in process, and side by side with the process of the real tool when
//! `TIPHYS_ORACLE_KUSTOMIZE` names it.
#![allow(clippy::print_stdout, reason = "prints its figures")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kustomize::{Build, Entry, Error, Files};

struct Disk;

impl Files for Disk {
    fn resolve(&self, path: &str) -> Result<Entry, Error> {
        let real = Path::new(path).canonicalize().map_err(|_| kustomize::missing(path, path))?;
        let text = |path: &Path| path.to_string_lossy().into_owned();
        if real.is_dir() {
            return Ok(Entry::Directory(text(&real)));
        }
        let name = real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Entry::File { directory: text(real.parent().unwrap_or(Path::new("/"))), name })
    }

    fn read(&self, path: &str) -> Result<Arc<[u8]>, Error> {
        std::fs::read(path).map(Arc::from).map_err(|error| Error::new(error.to_string()))
    }
}

fn deployment(i: usize) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web-{i}\n  labels: {{app: web-{i}}}\nspec:\n  replicas: 2\n  \
         selector: {{matchLabels: {{app: web-{i}}}}}\n  template:\n    metadata: {{labels: {{app: web-{i}}}}}\n    spec:\n      \
         containers:\n      - name: main\n        image: registry.example/web:1.0\n        ports: [{{containerPort: 80}}]\n        \
         envFrom: [{{configMapRef: {{name: settings}}}}]\n        resources: {{limits: {{cpu: 500m, memory: 1Gi}}}}\n---\n"
    )
}

/// An overlay over a base of this many objects, in a folder of its own.
fn overlay(folder: &Path, objects: usize) -> std::io::Result<PathBuf> {
    let mut text = String::new();
    (0..objects).for_each(|i| {
        let _ = write!(text, "{}", deployment(i));
    });
    let (base, top) = (folder.join("base"), folder.join("overlay"));
    std::fs::create_dir_all(&base)?;
    std::fs::create_dir_all(&top)?;
    std::fs::write(base.join("objects.yaml"), text)?;
    std::fs::write(
        base.join("kustomization.yaml"),
        "resources: [objects.yaml]\nconfigMapGenerator: [{name: settings, literals: [a=b]}]\n",
    )?;
    std::fs::write(
        top.join("kustomization.yaml"),
        "resources: [../base]\nnamePrefix: prod-\nnamespace: prod\nimages: [{name: registry.example/web, newTag: \"2.0\"}]\n\
         labels: [{pairs: {env: prod}, includeSelectors: true}]\npatches:\n- target: {kind: Deployment, name: web-0}\n  patch: |\n    \
         apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: x}\n    spec: {replicas: 5}\n",
    )?;
    Ok(top)
}

fn median(rounds: usize, mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort();
    times.get(rounds / 2).copied().unwrap_or_default()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join(format!("kustomize-bench-{}", std::process::id()));
    for (objects, rounds) in [(10, 51), (100, 31), (1000, 11)] {
        let path = overlay(&folder.join(objects.to_string()), objects)?;
        let text = path.to_string_lossy().into_owned();
        let cold = median(rounds, || drop(Build::new(Arc::new(Disk)).run(&text)));
        let kept = Build::new(Arc::new(Disk));
        let warm = median(rounds, || drop(kept.run(&text)));
        print!("{objects:5} objects: {cold:>10.2?} in process, {warm:>10.2?} with the base parsed before");
        if let Ok(program) = std::env::var("TIPHYS_ORACLE_KUSTOMIZE") {
            let process = median(rounds, || {
                let _ = Command::new(&program).arg("build").arg(&text).stdout(Stdio::null()).status();
            });
            print!(
                ", {process:>10.2?} by the kustomize process ({:.1} times)",
                process.as_secs_f64() / cold.as_secs_f64()
            );
        }
        println!();
    }
    std::fs::remove_dir_all(folder)?;
    Ok(())
}
