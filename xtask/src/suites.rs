//! `cargo xtask test`: every suite in one command, each with its minutes.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cluster::{self, Cluster};
use crate::console::{self, Style};
use crate::error::{Context, Error, Result};
use crate::golden::{self, Oracle};
use crate::{crds, interrupt, openapi, paths};

/// A part of `cargo xtask test`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Suite {
    /// `cargo fmt --check`.
    Fmt,
    /// `cargo clippy` over everything, warnings denied.
    Clippy,
    /// `crds/` is what the binary prints.
    Crds,
    /// The committed expectations are what the original tools print.
    Golden,
    /// Unit, property and architecture tests of every package; the oracles are built for them.
    Unit,
    /// The tests that need a real cluster (marked `ignore`).
    Cluster,
}

/// In the order that shows a mistake soonest.
const ALL: &[Suite] = &[Suite::Fmt, Suite::Clippy, Suite::Crds, Suite::Golden, Suite::Unit, Suite::Cluster];

/// What `cargo xtask test` is asked for.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Run only these suites (may be given several times)
    #[arg(long, value_enum)]
    pub only: Vec<Suite>,
    /// Cases of each property test (TIPHYS_SEEDS for the tests); their own number if not given
    #[arg(long)]
    pub seeds: Option<u32>,
    /// Use this disposable cluster (kube-system labelled tiphys.dev/disposable=true) instead of a new one
    #[arg(long, env = "TIPHYS_TEST_KUBECONFIG")]
    pub kubeconfig: Option<PathBuf>,
    /// Leave the cluster running
    #[arg(long)]
    pub keep: bool,
}

/// How many tests a suite ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    passed: u32,
    failed: u32,
}

/// Runs the suites, goes on after a failure, and ends with the line `N passed, N failed`.
pub fn run(options: &Options) -> Result<()> {
    console::note(format!("building in {}", paths::target().display()));
    let mut total = Count::default();
    let mut report = Vec::new();
    let suites = if options.only.is_empty() { ALL } else { &options.only };
    for suite in suites {
        let name = format!("{suite:?}").to_lowercase();
        console::line(console::styled(Style::Bold, &format!("── {name}")));
        let started = Instant::now();
        let count = match run_suite(*suite, options) {
            Ok(count) => count,
            Err(error) => {
                console::note(error.to_string());
                Count { passed: 0, failed: 1 }
            }
        };
        total.passed += count.passed;
        total.failed += count.failed;
        report.push(summary(&name, count, started.elapsed()));
    }
    console::line(console::styled(Style::Bold, "── minutes"));
    report.iter().for_each(console::line);
    console::line(format!("{} passed, {} failed", total.passed, total.failed));
    if total.failed > 0 {
        return Err(Error::new("some suites failed"));
    }
    Ok(())
}

fn summary(name: &str, count: Count, took: Duration) -> String {
    let line = format!(
        "{name:<10} {:>5.1} min  {} passed, {} failed",
        took.as_secs_f32() / 60.0,
        count.passed,
        count.failed
    );
    console::styled(if count.failed > 0 { Style::Red } else { Style::Green }, &line)
}

fn run_suite(suite: Suite, options: &Options) -> Result<Count> {
    match suite {
        Suite::Fmt => step(&["fmt", "--all", "--check"]),
        Suite::Clippy => step(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]),
        Suite::Crds => crds::run(true).map(|()| Count { passed: 1, failed: 0 }),
        Suite::Golden => golden(),
        Suite::Unit => unit(options),
        Suite::Cluster => real_cluster(options),
    }
}

fn golden() -> Result<Count> {
    let verdict = golden::examine(&golden::Options { update: false, oracles: Vec::new() })?;
    verdict.differences.iter().for_each(console::note);
    let failed = u32::try_from(verdict.differences.len()).unwrap_or(u32::MAX);
    Ok(Count { passed: verdict.cases.saturating_sub(failed), failed })
}

/// All tests but those that need a cluster; the oracles are there for those that ask them.
fn unit(options: &Options) -> Result<Count> {
    let mut oracles = Vec::new();
    for oracle in Oracle::ALL.iter().filter(|oracle| oracle.is_declared()) {
        oracles.push((oracle.variable(), oracle.build()?));
    }
    // Always the whole workspace: another choice of packages means other features, and all builds anew.
    let mut command = cargo(&["test", "--workspace", "--no-fail-fast"]);
    command.envs(oracles).envs(options.seeds.map(|seeds| ("TIPHYS_SEEDS", seeds.to_string())));
    tests(command)
}

/// One cluster for the whole run. Without one these tests fail; they are not skipped.
fn real_cluster(options: &Options) -> Result<Count> {
    if let Some(kubeconfig) = &options.kubeconfig {
        cluster::require_disposable(kubeconfig)?;
        return on_server(kubeconfig, options);
    }
    let cluster = Cluster::up(&cluster::Options::named(&format!("test-{}", std::process::id())))?;
    let guard = interrupt::on_interrupt({
        let cluster = cluster.clone();
        move || cluster.down()
    });
    let count = on_server(&cluster.kubeconfig(), options).and_then(|count| {
        let foreign = on_argo_crds(options)?;
        Ok(Count { passed: count.passed + foreign.passed, failed: count.failed + foreign.failed })
    });
    drop(guard);
    if options.keep {
        console::line(format!("the cluster is left running: {}", cluster.kubeconfig().display()));
    } else {
        cluster.down();
    }
    count
}

/// The tests of the main job once more, on a cluster that has Argo CD's own CRDs, from its Go module, in the place of
/// ours: their closed schemas drop fields that they do not know.
fn on_argo_crds(options: &Options) -> Result<Count> {
    let crds = Oracle::argo_sources()?.join("manifests/crds");
    let cluster = Cluster::up(&cluster::Options::named(&format!("test-argo-{}", std::process::id())))?;
    let guard = interrupt::on_interrupt({
        let cluster = cluster.clone();
        move || cluster.down()
    });
    let installed =
        cluster.kubectl(&["apply", "--server-side", "--kustomize", &crds.display().to_string()], "");
    let count = installed.and_then(|_| {
        let mut command = Command::new(integration_binary()?);
        command
            .args(["--ignored", "cluster::converge"])
            .current_dir(paths::workspace())
            .env("TIPHYS_TEST_KUBECONFIG", cluster.kubeconfig())
            .env("TIPHYS_TEST_FOREIGN_CRDS", "installed")
            .env_remove("KUBECONFIG")
            .envs(options.seeds.map(|seeds| ("TIPHYS_SEEDS", seeds.to_string())));
        tests(command)
    });
    drop(guard);
    cluster.down();
    count
}

/// Whether the table of merge keys is what this server says, then the tests.
fn on_server(kubeconfig: &Path, options: &Options) -> Result<Count> {
    let table = match openapi::check(kubeconfig) {
        Ok(()) => Count { passed: 1, failed: 0 },
        Err(error) => {
            console::note(error.to_string());
            Count { passed: 0, failed: 1 }
        }
    };
    let tests = integration_tests(kubeconfig, options)?;
    Ok(Count { passed: table.passed + tests.passed, failed: table.failed + tests.failed })
}

/// The tests that a plain `cargo test` ignores, since they need the cluster.
fn integration_tests(kubeconfig: &Path, options: &Options) -> Result<Count> {
    let mut command = Command::new(integration_binary()?);
    command
        .arg("--ignored")
        .current_dir(paths::workspace())
        .env("TIPHYS_TEST_KUBECONFIG", kubeconfig)
        .env_remove("KUBECONFIG")
        .envs(options.seeds.map(|seeds| ("TIPHYS_SEEDS", seeds.to_string())));
    tests(command)
}

/// Builds the root package's integration tests and asks cargo where their binary is.
fn integration_binary() -> Result<PathBuf> {
    let arguments = ["test", "--workspace", "--no-run", "--message-format", "json-render-diagnostics"];
    let output = cargo(&arguments).stderr(Stdio::inherit()).output().context("running cargo")?;
    let messages = String::from_utf8_lossy(&output.stdout);
    let binary =
        messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).find_map(|message| {
            let ours = message["target"]["src_path"].as_str()?.ends_with("/tests/all.rs")
                && Path::new(message["manifest_path"].as_str()?).parent()
                    == Some(paths::workspace().as_path());
            ours.then(|| message["executable"].as_str().map(PathBuf::from)).flatten()
        });
    binary.context("the integration tests do not build")
}

/// A cargo command that passes or fails as a whole.
fn step(arguments: &[&str]) -> Result<Count> {
    let status = cargo(arguments).status().context("running cargo")?;
    Ok(Count { passed: u32::from(status.success()), failed: u32::from(!status.success()) })
}

/// `cargo test`, its output passed on and its result lines added up.
fn tests(mut command: Command) -> Result<Count> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("running cargo")?;
    let mut count = Count::default();
    let lines = child.stdout.take().map(lines_of).context("reading what cargo prints")?;
    loop {
        match lines.recv_timeout(LEFT_OPEN) {
            Ok(line) => {
                if let Some(result) = test_result(&line) {
                    count.passed += result.passed;
                    count.failed += result.failed;
                }
                console::line(&line);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            // A process that a test left behind holds the pipe open: that must not hold up the suites.
            Err(RecvTimeoutError::Timeout) if child.try_wait().context("waiting for cargo")?.is_some() => {
                break;
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
    let status = child.wait().context("waiting for cargo")?;
    if !status.success() && count.failed == 0 {
        // It did not compile, or a test binary was killed.
        count.failed = 1;
    }
    Ok(count)
}

/// How long a pipe may stay silent and open after the process that was started has ended.
const LEFT_OPEN: Duration = Duration::from_secs(2);

/// The lines of a pipe, as they come.
fn lines_of(pipe: std::process::ChildStdout) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in io::BufRead::lines(io::BufReader::new(pipe)).map_while(|line| line.ok()) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Reads `test result: ok. 3 passed; 1 failed; …`.
fn test_result(line: &str) -> Option<Count> {
    let rest = line.strip_prefix("test result: ")?.split_once(". ")?.1;
    let mut numbers = rest.split("; ").map(|part| part.split(' ').next().and_then(|n| n.parse().ok()));
    Some(Count { passed: numbers.next()??, failed: numbers.next()?? })
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).current_dir(paths::workspace()).env("CARGO_TARGET_DIR", paths::target());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines_are_added_up() {
        let line = "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s";
        assert_eq!(test_result(line), Some(Count { passed: 12, failed: 3 }));
        assert_eq!(test_result("test x ... ok"), None);
    }
}
