//! Crates whose own tests rewrite their expectations: with `TIPHYS_UPDATE_GOLDENS=1` the test `golden`
//! asks the oracle and writes its answers under the crate's `tests/golden`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Oracle, Scribe, first_difference};
use crate::error::{Context, Error, Result};
use crate::paths;

type Snapshot = BTreeMap<PathBuf, String>;

pub(super) fn ask(oracle: Oracle, program: &Path, krate: &str, scribe: Scribe<'_>) -> Result<()> {
    let folder = paths::workspace().join("crates").join(krate).join("tests/golden");
    if !folder.is_dir() {
        return Ok(());
    }
    let committed = snapshot(&folder)?;
    let output = Command::new(env!("CARGO"))
        .args(["test", "--quiet", "--package", krate, "golden"])
        .current_dir(paths::workspace())
        .env("CARGO_TARGET_DIR", paths::target())
        .env("TIPHYS_UPDATE_GOLDENS", "1")
        .env(oracle.variable(), program)
        .output()
        .context("running cargo test")?;
    let answered = snapshot(&folder)?;
    scribe.verdict.cases += u32::try_from(answered.len()).unwrap_or(u32::MAX);
    if !scribe.update {
        for (file, text) in &committed {
            let now = answered.get(file).map(String::as_str).unwrap_or_default();
            if now != text {
                fs::write(file, text).context(file.display())?;
                scribe.verdict.differences.push(format!(
                    "{}: {}",
                    file.display(),
                    first_difference(text, now)
                ));
            }
        }
    }
    if output.status.success() {
        return Ok(());
    }
    let words =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Err(Error::new(format!("the golden tests of {krate} fail while they are rewritten:\n{words}")))
}

fn snapshot(folder: &Path) -> Result<Snapshot> {
    let mut files = Snapshot::new();
    for entry in fs::read_dir(folder).context(folder.display())? {
        let path = entry.context(folder.display())?.path();
        if path.is_file() {
            let text = fs::read_to_string(&path).context(path.display())?;
            files.insert(path, text);
        }
    }
    Ok(files)
}
