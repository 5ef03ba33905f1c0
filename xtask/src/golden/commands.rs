//! The command-line oracles: a folder per case, `helm template` and `kustomize build` over it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::Scribe;
use crate::error::{Context, Result};
use crate::paths;

pub(super) fn helm(program: &Path, mut scribe: Scribe<'_>) -> Result<()> {
    let home = std::env::temp_dir().join(format!("tiphys-helm-{}", std::process::id()));
    for case in folders(&paths::workspace().join("crates/helm/tests/charts")) {
        let asked = case_file(&case)?;
        let chart = if case.join("chart").is_dir() { "chart" } else { "." };
        let text = |key: &str, default: &str| asked[key].as_str().unwrap_or(default).to_owned();
        let mut command = Command::new(program);
        command.args(["template", &text("release", "release"), chart]);
        command.args(["--namespace", &text("namespace", "default")]);
        command.args(["--kube-version", &text("kubeVersion", "1.35.0")]);
        for (key, flag) in [("values", "--values"), ("set", "--set"), ("apiVersions", "--api-versions")] {
            strings(&asked[key]).iter().for_each(|value| {
                command.args([flag, value]);
            });
        }
        command.args(strings(&asked["args"]));
        // Neither the developer's repositories nor plugins may change what is printed.
        for variable in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            command.env(variable, &home);
        }
        settle(&case, command, &mut scribe)?;
    }
    let _ = fs::remove_dir_all(home);
    Ok(())
}

pub(super) fn kustomize(program: &Path, mut scribe: Scribe<'_>) -> Result<()> {
    for case in folders(&paths::workspace().join("crates/kustomize/tests/cases")) {
        let asked = case_file(&case)?;
        let is_root = |name: &&str| {
            ["kustomization.yaml", "kustomization.yml", "Kustomization"]
                .iter()
                .any(|file| case.join(name).join(file).exists())
        };
        let found = [".", "overlay", "input"].into_iter().find(is_root).unwrap_or(".");
        let mut command = Command::new(program);
        command.args(["build", asked["path"].as_str().unwrap_or(found)]);
        command.args(strings(&asked["args"]));
        settle(&case, command, &mut scribe)?;
    }
    Ok(())
}

/// Runs the tool in the case's folder: what it prints is `expected.yaml`, or `expected.err`.
fn settle(case: &Path, mut command: Command, scribe: &mut Scribe<'_>) -> Result<()> {
    let output = command.current_dir(case).env_remove("KUBECONFIG").output().context(case.display())?;
    let (printed, refused) = (case.join("expected.yaml"), case.join("expected.err"));
    if output.status.success() {
        scribe.forbid(&refused)?;
        return scribe.settle(&printed, &String::from_utf8_lossy(&output.stdout));
    }
    scribe.forbid(&printed)?;
    // Messages that name the folder must not depend on where the clone is.
    let folder = case.display().to_string();
    scribe.settle(&refused, &String::from_utf8_lossy(&output.stderr).replace(&folder, "<case>"))
}

fn case_file(case: &Path) -> Result<Value> {
    match fs::read_to_string(case.join("case.json")) {
        Ok(text) => serde_json::from_str(&text).context(format!("{}/case.json", case.display())),
        Err(_) => Ok(Value::Null),
    }
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The folders in a folder, sorted; none where it does not exist.
fn folders(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<_> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}
