//! `cargo xtask openapi`: the table of how Kubernetes merges lists, from what a running API server says.
//!
//! The table joins two OpenAPI documents: the API server's, and the one inside of the kustomize whose output
//! ours must equal. Which words come from which stands in the table itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cluster::{self, Api, Cluster};
use crate::console;
use crate::error::{Context, Error, Result};
use crate::golden::Oracle;
use crate::{interrupt, paths};

/// What `cargo xtask openapi` is asked for.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Fail where the committed table differs, write nothing
    #[arg(long)]
    pub check: bool,
    /// Ask the API server of this kubeconfig instead of a new cluster
    #[arg(long)]
    pub kubeconfig: Option<PathBuf>,
}

/// Writes the table, or compares it with the committed one.
pub fn run(options: &Options) -> Result<()> {
    if let Some(kubeconfig) = &options.kubeconfig {
        return settle(kubeconfig, options.check);
    }
    let cluster = Cluster::up(&cluster::Options::named(&format!("openapi-{}", std::process::id())))?;
    let guard = interrupt::on_interrupt({
        let cluster = cluster.clone();
        move || cluster.down()
    });
    let settled = settle(&cluster.kubeconfig(), options.check);
    drop(guard);
    cluster.down();
    settled
}

/// Fails where the committed table is not what the API server of this kubeconfig says.
pub fn check(kubeconfig: &Path) -> Result<()> {
    settle(kubeconfig, true)
}

fn settle(kubeconfig: &Path, check: bool) -> Result<()> {
    let made = table(kubeconfig)?;
    let file = paths::workspace().join("crates/kustomize/data/openapi.txt");
    let committed = fs::read_to_string(&file).unwrap_or_default();
    if committed == made {
        console::line("crates/kustomize/data/openapi.txt is what the API server says");
        return Ok(());
    }
    let mut lines = committed.lines().zip(made.lines()).enumerate();
    let first = lines.find(|(_, (old, new))| old != new);
    let first = first.map_or_else(String::new, |(index, (old, new))| {
        format!("; line {}: committed {old:?}, made {new:?}", index + 1)
    });
    if check {
        return Err(Error::new(format!(
            "{} is out of date: run `cargo xtask openapi`{first}",
            file.display()
        )));
    }
    fs::write(&file, made).context(file.display())?;
    console::line(format!("crates/kustomize/data/openapi.txt written{first}"));
    Ok(())
}

/// The table as the example of the crate makes it.
fn table(kubeconfig: &Path) -> Result<String> {
    let kustomize = Oracle::kustomize_openapi()?;
    let scratch = paths::cache()?.join(format!("openapi-{}.json", std::process::id()));
    let document = Api::from_kubeconfig(kubeconfig)?.text("/openapi/v2")?;
    fs::write(&scratch, document).context(scratch.display())?;
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "kustomize", "--example", "openapi_table", "--"])
        .args([&kustomize, &scratch])
        .current_dir(paths::workspace())
        .env("CARGO_TARGET_DIR", paths::target())
        .output()
        .context("running openapi_table");
    let _ = fs::remove_file(&scratch);
    let output = output?;
    if !output.status.success() {
        return Err(Error::new(format!("openapi_table: {}", String::from_utf8_lossy(&output.stderr))));
    }
    String::from_utf8(output.stdout).context("the output of openapi_table")
}
