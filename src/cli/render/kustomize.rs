//! `tiphys render kustomize`: what `kustomize build` prints.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use ::kustomize::{Build, LoadRestrictor, Outcome, Reorder};
use clap::Args;

use crate::render::TreeCharts;
use crate::source::DirTree;

use super::super::CliError;
use super::disk::Disk;
use super::fail;

/// Build a kustomization, as `kustomize build` does.
#[derive(Args, Debug)]
pub(super) struct KustomizeArgs {
    /// Folder of the kustomization.
    #[arg(default_value = ".")]
    dir: String,
    /// From where files may be loaded: root-only (LoadRestrictionsRootOnly) or none (LoadRestrictionsNone).
    #[arg(long, default_value = "root-only")]
    load_restrictor: String,
    /// Render the charts of helmCharts.
    #[arg(long)]
    enable_helm: bool,
    /// Order of the output: legacy or none.
    #[arg(long, default_value = "legacy")]
    reorder: String,
    /// Refused: plugins run programs.
    #[arg(long)]
    enable_alpha_plugins: bool,
}

pub(super) fn run(args: &KustomizeArgs, out: &mut impl Write) -> Result<u8, CliError> {
    if args.enable_alpha_plugins {
        return Ok(fail("plugins run programs and are refused; use the built-in transformers"));
    }
    let mut build = Build::new(Arc::new(Disk));
    build.options.load_restrictor = match args.load_restrictor.to_lowercase().as_str() {
        "none" | "loadrestrictionsnone" => LoadRestrictor::None,
        "root-only" | "rootonly" | "loadrestrictionsrootonly" => LoadRestrictor::RootOnly,
        other => {
            return Ok(fail(&format!("illegal flag value --load-restrictor {other}; use none or root-only")));
        }
    };
    build.options.enable_helm = args.enable_helm;
    build.options.reorder = match args.reorder.as_str() {
        "none" => Reorder::None,
        "legacy" => Reorder::Legacy,
        other => return Ok(fail(&format!("illegal flag value --reorder {other}; use legacy or none"))),
    };
    if args.enable_helm {
        let disk = DirTree::open(Path::new("/")).map_err(|error| CliError::Usage(error.to_string()))?;
        build.charts = Arc::new(TreeCharts::new(disk));
    }
    let start = std::path::absolute(&args.dir)
        .map_or_else(|_| args.dir.clone(), |path| ::kustomize::clean_path(&path.to_string_lossy()));
    match build.run(&start) {
        Ok(Outcome::Done(output)) => {
            for warning in &output.warnings {
                eprintln!("{warning}");
            }
            out.write_all(output.text.as_bytes())?;
            Ok(0)
        }
        Ok(Outcome::Needs(needs)) => {
            Ok(fail(&format!("remote references are not fetched here: {}", needs.join(", "))))
        }
        Err(error) => {
            for warning in error.warnings() {
                eprintln!("{warning}");
            }
            Ok(fail(&error.to_string()))
        }
    }
}
