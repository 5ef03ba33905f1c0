//! `tiphys render kustomize`: what `kustomize build` prints.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ::kustomize::{Build, LoadRestrictor, MergeKeys, Options, Outcome, ParseCache, Reorder, RepoSpec};
use clap::Args;

use crate::controller::Fetching;
use crate::flow::{Cause, Problem, Stage};
use crate::render::{Given, Need, RemoteFiles, TreeCharts};
use crate::source::{DirTree, Freshness};

use super::super::{CliError, runtime};
use super::disk::Disk;
use super::fail;
use super::remote::{UserSetup, sources};

/// Remote bases may name others, this deep.
const MOST_ROUNDS: usize = 24;

/// Build a kustomization, as `kustomize build` does.
#[derive(Args, Debug)]
pub(super) struct KustomizeArgs {
    /// Folder of the kustomization, or a repository: URL//path?ref=revision.
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
    /// Whose keys merge lists: kustomize (its own, as `kustomize build`) or kubernetes (those of the API server's
    /// version too).
    #[arg(long, default_value = "kustomize")]
    merge_keys: String,
    /// Folder for mirrors of remote bases.
    #[arg(long, default_value = "/tmp/tiphys")]
    cache: PathBuf,
    /// Refused: plugins run programs.
    #[arg(long)]
    enable_alpha_plugins: bool,
}

pub(super) fn run(args: &KustomizeArgs, out: &mut impl Write) -> Result<u8, CliError> {
    if args.enable_alpha_plugins {
        return Ok(fail("plugins run programs and are refused; use the built-in transformers"));
    }
    let options = match options(args) {
        Ok(options) => options,
        Err(message) => return Ok(fail(&message)),
    };
    let mut given = Given::new();
    for _ in 0..MOST_ROUNDS {
        let needs = Arc::new(Mutex::new(Vec::new()));
        let built = build(args, options.clone(), &given, &needs)?;
        match built {
            Ok(Outcome::Done(output)) => {
                for warning in &output.warnings {
                    eprintln!("{warning}");
                }
                out.write_all(output.text.as_bytes())?;
                // The process ends here: taking the objects apart would only cost time.
                std::mem::forget(output);
                return Ok(0);
            }
            Ok(Outcome::Needs(_)) => {
                let needs = std::mem::take(&mut *needs.lock().unwrap_or_else(PoisonError::into_inner));
                if let Err(problem) = fetch(args, needs, &mut given) {
                    return Ok(fail(&problem.to_string()));
                }
            }
            Err(error) => {
                for warning in error.warnings() {
                    eprintln!("{warning}");
                }
                return Ok(fail(&error.to_string()));
            }
        }
    }
    Ok(fail(&format!("remote references lead to others more than {MOST_ROUNDS} times")))
}

fn options(args: &KustomizeArgs) -> Result<Options, String> {
    let load_restrictor = match args.load_restrictor.to_lowercase().as_str() {
        "none" | "loadrestrictionsnone" => LoadRestrictor::None,
        "root-only" | "rootonly" | "loadrestrictionsrootonly" => LoadRestrictor::RootOnly,
        other => {
            return Err(format!("illegal flag value --load-restrictor {other}; use none or root-only"));
        }
    };
    let reorder = match args.reorder.as_str() {
        "none" => Reorder::None,
        "legacy" => Reorder::Legacy,
        other => return Err(format!("illegal flag value --reorder {other}; use legacy or none")),
    };
    let merge_keys = match args.merge_keys.as_str() {
        "kustomize" => MergeKeys::Kustomize,
        "kubernetes" => MergeKeys::Kubernetes,
        other => return Err(format!("illegal flag value --merge-keys {other}; use kustomize or kubernetes")),
    };
    let enable_helm = args.enable_helm;
    Ok(Options { load_restrictor, reorder, enable_helm, merge_keys, ..Options::default() })
}

type Built = Result<Outcome, ::kustomize::Error>;

/// One build with what was fetched so far.
fn build(
    args: &KustomizeArgs,
    options: Options,
    given: &Given,
    needs: &Arc<Mutex<Vec<Need>>>,
) -> Result<Built, CliError> {
    let remote = Arc::new(RemoteFiles::new(given.clone(), Arc::clone(needs)));
    let mut build = Build::new(Arc::new(Disk::new(remote)));
    build.options = options;
    build.cache = Arc::new(ParseCache::with_limit(0));
    if args.enable_helm {
        let disk = DirTree::open(Path::new("/")).map_err(|error| CliError::Usage(error.to_string()))?;
        build.charts = Arc::new(TreeCharts::new(disk, Arc::default(), given.clone(), Arc::clone(needs)));
    }
    let is_remote = !Path::new(&args.dir).exists() && RepoSpec::parse(&args.dir).is_ok();
    let start = match std::path::absolute(&args.dir) {
        Ok(path) if !is_remote => ::kustomize::clean_path(&path.to_string_lossy()),
        _ => args.dir.clone(),
    };
    let built = build.run(&start);
    // As in `run`: what was parsed is not taken apart.
    std::mem::forget(build);
    Ok(built)
}

fn fetch(args: &KustomizeArgs, needs: Vec<Need>, given: &mut Given) -> Result<(), Problem> {
    let failed = |error: CliError| Problem::stalled(Stage::Source, Cause::Internal, error.to_string());
    runtime().map_err(failed)?.block_on(async {
        let (sources, user) = (sources(&args.cache), UserSetup::new());
        let fetching = Fetching::new(&sources, &user, &[], &[], Freshness::Now).await?;
        for need in needs {
            let got = fetching.get(&need).await?;
            given.insert(need, got);
        }
        Ok(())
    })
}
