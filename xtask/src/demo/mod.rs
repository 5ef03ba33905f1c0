//! `cargo xtask demo`: the main job, from nothing to converged, before the developer's eyes.
//!
//! Each act fails loudly when what it announces does not happen.

mod repository;
mod watch;

use std::time::{Duration, Instant};
use std::{fs, thread};

use serde_json::{Value, json};

use crate::cluster::{self, Api, Cluster, Node, apply_node};
use crate::console::{self, Style, styled};
use crate::error::{Context, Error, Result};
use crate::git_server::{self, GitServer};
use crate::operator::{NAMESPACE, Operator};
use crate::{interrupt, paths};
use repository::Repository;
use watch::{Watch, converged, resource, text};

const LIMIT: Duration = Duration::from_secs(120);

/// What `cargo xtask demo` is asked for.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Leave cluster, Git server and operator running until Ctrl-C
    #[arg(long)]
    pub keep: bool,
}

/// The parts of the stage.
struct Stage {
    cluster: Cluster,
    api: Api,
    operator: Operator,
    server: GitServer,
    repository: Repository,
}

/// Plays the demo.
pub fn run(options: &Options) -> Result<()> {
    let operator = Operator::build(false)?;
    let cluster = Cluster::named("demo")?;
    cluster.down();
    let guard = interrupt::on_interrupt({
        let cluster = cluster.clone();
        move || cluster.down()
    });
    let played = set_up(operator).and_then(|stage| {
        play(&stage).map_err(|error| with_log(&stage, &error))?;
        epilogue(&stage, options);
        Ok(())
    });
    drop(guard);
    cluster.down();
    played
}

/// A cluster with one GPU node of two GPUs, a Git server with the sample, the operator.
fn set_up(operator: Operator) -> Result<Stage> {
    act("A Kubernetes of its own, with one GPU node of two GPUs");
    let cluster = Cluster::up(&cluster::Options { gpu_nodes: 1, ..cluster::Options::named("demo") })?;
    let api = cluster.api()?;
    act("A Git server with the sample repository (examples/ml-platform)");
    let root = cluster.folder().join("git");
    fs::create_dir_all(&root).context("making the Git folder")?;
    let server = GitServer::start(&root, &git_server::Options::default())?;
    let url = server.create("ml-platform.git")?;
    let sample = paths::workspace().join("examples/ml-platform");
    let repository = Repository::create(&cluster.folder().join("clone"), &sample, &url)?;
    console::line(format!("  {url} at {}", repository.head()?));
    act("The operator");
    operator.install(&cluster)?;
    operator.start(&cluster, &[])?;
    console::line(format!("  tiphys controller --kubeconfig {}", cluster.kubeconfig().display()));
    Ok(Stage { cluster, api, operator, server, repository })
}

fn play(stage: &Stage) -> Result<()> {
    let mut watch = Watch::new(&stage.api, "inference-dev");
    gate(stage, &mut watch)?;
    commit(stage, &mut watch)?;
    drift(stage, &mut watch)?;
    chart(stage)
}

fn gate(stage: &Stage, watch: &mut Watch<'_>) -> Result<()> {
    act("An Application: six waves, and a model server that asks for four GPUs");
    apply_application(stage, "inference-dev")?;
    let waiting = |application: &Value| {
        resource(application, "Deployment").is_some_and(|deployment| {
            deployment["health"]["status"] == "Progressing"
                && text(&deployment["health"]["message"]).contains("nvidia.com/gpu")
        })
    };
    watch.until("the Deployment waits for GPUs", LIMIT, waiting)?;
    act("The gate holds: the next wave has not started");
    thread::sleep(Duration::from_secs(3));
    let next_wave = "/apis/batch/v1/namespaces/inference-dev/cronjobs/nightly-evaluation";
    if stage.api.get(next_wave)?.is_some() {
        return Err(Error::new("the CronJob of wave 5 exists although wave 4 is not healthy"));
    }
    act("A GPU node joins, and the gate lets go");
    apply_node(&stage.api, &Node { name: "gpu-1".to_owned(), gpus: 2 })?;
    watch.until("Synced and Healthy", LIMIT, converged)?;
    if stage.api.get(next_wave)?.is_none() {
        return Err(Error::new("the CronJob of wave 5 does not exist although the sync is over"));
    }
    Ok(())
}

fn commit(stage: &Stage, watch: &mut Watch<'_>) -> Result<()> {
    act("A commit: larger batches");
    let revision = stage.repository.replace_in("inference/base/config.yaml", "\"8\"", "\"16\"")?;
    console::line(format!("  pushed {revision}"));
    let started = Instant::now();
    refresh(stage, "inference-dev")?;
    watch.until("the new revision is Synced and Healthy", LIMIT, |application| {
        application["status"]["sync"]["revision"] == revision.as_str() && converged(application)
    })?;
    let map = stage.api.get("/api/v1/namespaces/inference-dev/configmaps/model")?.unwrap_or_default();
    if map["data"]["max-batch-size"] != "16" {
        return Err(Error::new(format!("the ConfigMap still says {}", map["data"]["max-batch-size"])));
    }
    console::line(format!("  converged {:.1} s after the push", started.elapsed().as_secs_f32()));
    Ok(())
}

fn drift(stage: &Stage, watch: &mut Watch<'_>) -> Result<()> {
    act("Someone changes the cluster by hand");
    let path = "/api/v1/namespaces/inference-dev/configmaps/model";
    stage.api.merge(path, &json!({"data": {"max-batch-size": "1024"}}))?;
    let started = Instant::now();
    loop {
        let map = stage.api.get(path)?.unwrap_or_default();
        if map["data"]["max-batch-size"] == "16" {
            break;
        }
        if started.elapsed() > LIMIT {
            return Err(Error::new("the change made by hand was not healed"));
        }
        thread::sleep(Duration::from_millis(10));
    }
    console::line(format!("  healed after {:.2} s", started.elapsed().as_secs_f32()));
    watch.until("Synced and Healthy again", LIMIT, converged)?;
    Ok(())
}

fn chart(stage: &Stage) -> Result<()> {
    act("A second Application: a Helm chart");
    apply_application(stage, "notebook")?;
    Watch::new(&stage.api, "notebook").until("Synced and Healthy", LIMIT, converged)?;
    let listed = stage.operator.run(&stage.cluster, &["app", "list"])?;
    console::line(listed.trim_end());
    Ok(())
}

fn epilogue(stage: &Stage, options: &Options) {
    act("Everything happened as announced. Where to look next");
    console::line("  examples/ml-platform    what was applied, and why in these waves");
    console::line("  src/lib.rs              the architecture: rooms, arrows, invariants");
    console::line("  cargo xtask cluster up  a cluster of your own; cargo xtask test: all tests");
    if options.keep {
        let folder = stage.cluster.folder().display();
        console::line(format!("\n  {folder}/kubectl --kubeconfig {folder}/kubeconfig get applications -A"));
        console::line(format!(
            "  {} app get inference-dev --kubeconfig {folder}/kubeconfig",
            stage.operator.binary().display()
        ));
        console::line(format!("  git clone {}", stage.server.url("ml-platform.git")));
        console::line("  Ctrl-C ends it all.");
        loop {
            thread::park();
        }
    }
}

fn act(title: &str) {
    console::line(format!("\n{}", styled(Style::Bold, &format!("▶ {title}"))));
}

/// Applies an example Application with the demo's repository in it.
fn apply_application(stage: &Stage, name: &str) -> Result<()> {
    let file = paths::workspace().join(format!("examples/applications/{name}.yaml"));
    let example = fs::read_to_string(&file).context(file.display())?;
    let ours =
        example.replace("https://git.example.com/ml-platform.git", &stage.server.url("ml-platform.git"));
    stage.cluster.kubectl(&["apply", "--filename", "-"], &ours)?;
    console::line(format!("  kubectl apply -f examples/applications/{name}.yaml"));
    Ok(())
}

/// What a webhook does: asks for a look at Git now rather than at the next poll.
fn refresh(stage: &Stage, name: &str) -> Result<()> {
    let path = format!("/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/applications/{name}");
    let patch = json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}});
    stage.api.merge(&path, &patch).map(drop)
}

fn with_log(stage: &Stage, error: &Error) -> Error {
    let programs = stage.cluster.programs();
    let log = programs.iter().find(|program| program.name == "tiphys").map(|program| program.log_tail());
    Error::new(format!("{error}\n── the end of the operator's log\n{}", log.unwrap_or_default()))
}
