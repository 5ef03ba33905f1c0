//! The oracle on Argo CD, which answers newline-delimited JSON: `<name>.requests.jsonl` → `<name>.answers.jsonl`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use super::{Oracle, Scribe};
use crate::error::{Context, Error, Result};
use crate::paths;

/// Where the requests of the oracle on Argo CD lie.
const FOLDER: &str = "tests/golden/argo";

pub(super) fn ask(program: &Path, mut scribe: Scribe<'_>) -> Result<()> {
    // Argo CD runs kustomize for overlays.
    let kustomize = Oracle::Kustomize.build()?;
    for requests in files(&paths::workspace().join(FOLDER), ".requests.jsonl") {
        let questions = fs::read(&requests).context(requests.display())?;
        let answers = answer(program, &kustomize, questions).context(requests.display())?;
        let name = requests.to_string_lossy().replace(".requests.jsonl", ".answers.jsonl");
        scribe.settle(Path::new(&name), &answers)?;
    }
    Ok(())
}

/// Everything that `program` says to these lines.
fn answer(program: &Path, kustomize: &Path, questions: Vec<u8>) -> Result<String> {
    let mut child = Command::new(program)
        .env(Oracle::Kustomize.variable(), kustomize)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context(program.display())?;
    let stdin = child.stdin.take();
    let writer = thread::spawn(move || {
        if let Some(mut stdin) = stdin {
            // An oracle that ends early shows in its status and output.
            let _ = stdin.write_all(&questions);
        }
    });
    let output = child.wait_with_output().context(program.display())?;
    let _ = writer.join();
    if !output.status.success() {
        return Err(Error::new(format!("{} ended with {}", program.display(), output.status)));
    }
    String::from_utf8(output.stdout).context("the oracle's answers")
}

/// The files of a folder whose names end so, sorted; none where there is no folder.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    found.sort();
    found
}
