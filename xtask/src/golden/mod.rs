//! `cargo xtask golden`: what the original tools print for our test inputs.
//!
//! Inputs are written by us, expectations by the tools: helm, kustomize, and small Go programs on
//! the libraries of the originals. Without `--update` a committed expectation that the tool would
//! not print any more is an error; with it, expectations are rewritten.

mod batch;
mod commands;
mod oracle;
mod rewritten;

use std::fs;
use std::path::Path;

pub use oracle::Oracle;

use crate::console;
use crate::error::{Context, Error, Result};

/// What `cargo xtask golden` is asked for.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Rewrite the expectations
    #[arg(long)]
    pub update: bool,
    /// Only these tools (default: all)
    #[arg(value_enum)]
    pub oracles: Vec<Oracle>,
}

/// How many expectations there are, and which are not what the tool prints.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Checked or written expectations.
    pub cases: u32,
    /// Sentences about those that differ.
    pub differences: Vec<String>,
}

/// Checks or updates the expectations of the tools asked for.
pub fn run(options: &Options) -> Result<()> {
    let verdict = examine(options)?;
    verdict.differences.iter().for_each(console::note);
    let word = if options.update { "written" } else { "checked" };
    console::line(format!("{} expectations {word}, {} differ", verdict.cases, verdict.differences.len()));
    if verdict.differences.is_empty() {
        return Ok(());
    }
    Err(Error::new("run `cargo xtask golden --update` and look at the difference before you commit it"))
}

/// As [`run`], without a word.
pub fn examine(options: &Options) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    let oracles = if options.oracles.is_empty() { Oracle::ALL } else { &options.oracles };
    for oracle in oracles {
        if !oracle.is_declared() {
            continue;
        }
        let program = oracle.build()?;
        let scribe = Scribe { update: options.update, verdict: &mut verdict };
        match oracle {
            Oracle::Helm => commands::helm(&program, scribe)?,
            Oracle::Kustomize => commands::kustomize(&program, scribe)?,
            Oracle::Goyaml => rewritten::ask(*oracle, &program, "goyaml", scribe)?,
            Oracle::Gotemplate => rewritten::ask(*oracle, &program, "gotemplate", scribe)?,
            Oracle::Argo => batch::ask(&program, scribe)?,
        }
    }
    Ok(verdict)
}

/// Compares what a tool printed with the committed file, or writes it there.
struct Scribe<'a> {
    update: bool,
    verdict: &'a mut Verdict,
}

impl Scribe<'_> {
    fn settle(&mut self, file: &Path, printed: &str) -> Result<()> {
        self.verdict.cases += 1;
        let committed = fs::read_to_string(file).ok();
        if committed.as_deref() == Some(printed) {
            return Ok(());
        }
        if self.update {
            return fs::write(file, printed).context(file.display());
        }
        let how = match committed {
            None => "is missing".to_owned(),
            Some(committed) => first_difference(&committed, printed),
        };
        self.verdict.differences.push(format!("{}: {how}", file.display()));
        Ok(())
    }

    /// The expectation that must not exist, because the tool took the other way.
    fn forbid(&mut self, file: &Path) -> Result<()> {
        if !file.exists() {
            return Ok(());
        }
        if self.update {
            return fs::remove_file(file).context(file.display());
        }
        self.verdict.differences.push(format!("{}: the tool does not end this way any more", file.display()));
        Ok(())
    }
}

fn first_difference(committed: &str, printed: &str) -> String {
    let mut lines = committed.lines().zip(printed.lines()).enumerate();
    match lines.find(|(_, (ours, theirs))| ours != theirs) {
        Some((index, (ours, theirs))) => {
            format!("line {}: committed {ours:?}, printed {theirs:?}", index + 1)
        }
        None => format!("{} lines committed, {} printed", committed.lines().count(), printed.lines().count()),
    }
}
