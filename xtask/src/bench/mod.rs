//! `cargo xtask bench`: what the operator costs against a real API server, as a table.
//!
//! One repository with a kustomize overlay per Application (Deployment with 0 replicas, ServiceAccount,
//! Service, Ingress); then one Application of 200 objects in one wave and in ten, and one of 5,000. CPU is user + system seconds of the operator, requests are those that the API
//! server's audit log shows for its user.

mod meter;
mod scale;
mod scenario;
mod workload;

use std::fs;
use std::path::PathBuf;

use crate::cluster::{self, Cluster};
use crate::console;
use crate::error::{Context, Result};
use crate::git_server::{self, GitServer};
use crate::interrupt;
use crate::operator::Operator;
use meter::{Meter, Row};
use scale::Scale;
use scenario::Bench;
use workload::Workload;

/// What `cargo xtask bench` is asked for.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Number of Applications
    #[arg(long, default_value_t = 100)]
    pub apps: u32,
    /// Seconds of the idle measurement
    #[arg(long, default_value_t = 60)]
    pub idle: u64,
    /// Measure a debug build (quick to build; says nothing about speed)
    #[arg(long)]
    pub debug: bool,
    /// Also print what each piece of work asked the API server for
    #[arg(long)]
    pub requests: bool,
    /// Measure only these
    #[arg(long, value_enum)]
    pub only: Vec<Part>,
    /// Also write the table to this file
    #[arg(long)]
    pub output: Option<PathBuf>,
}

/// A part of `cargo xtask bench`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Many Applications of one repository.
    Applications,
    /// 200 objects in one wave and in ten.
    Waves,
    /// 5,000 objects of one Application.
    Many,
}

/// Measures and prints the table.
pub fn run(options: &Options) -> Result<()> {
    let operator = Operator::build(!options.debug)?;
    let cluster = Cluster::named("bench")?;
    cluster.down();
    let guard = interrupt::on_interrupt({
        let cluster = cluster.clone();
        move || cluster.down()
    });
    let measured = measure(&operator, &cluster, options);
    drop(guard);
    cluster.down();
    let measured = measured?;
    let table = table(&measured, options);
    console::line(&table);
    if options.requests {
        for row in &measured {
            console::line(format!("\n{}\n{}", row.work, row.requests));
        }
    }
    if let Some(file) = &options.output {
        fs::write(file, &table).context(file.display())?;
    }
    Ok(())
}

fn measure(operator: &Operator, cluster: &Cluster, options: &Options) -> Result<Vec<Row>> {
    Cluster::up(&cluster::Options { audit: true, ..cluster::Options::named("bench") })?;
    operator.install(cluster)?;
    let root = cluster.folder().join("git");
    fs::create_dir_all(&root).context("making the Git folder")?;
    let server = GitServer::start(&root, &git_server::Options::default())?;
    let wants = |part: Part| options.only.is_empty() || options.only.contains(&part);
    let controller = operator.start(cluster, &[])?;
    let meter = Meter::new(controller, cluster.folder().join("audit.log"));
    let mut rows = Vec::new();
    if wants(Part::Applications) {
        let workload = Workload::create(&cluster.folder().join("clone"), &server, options.apps)?;
        let bench = Bench { api: cluster.api()?, workload, meter: &meter, idle: options.idle };
        rows.extend(bench.all()?);
    }
    if wants(Part::Waves) || wants(Part::Many) {
        let scale = Scale::create(cluster.api()?, &meter, cluster.folder().join("scale"), &server)?;
        if wants(Part::Waves) {
            rows.extend(scale.waves()?);
        }
        if wants(Part::Many) {
            rows.extend(scale.many()?);
        }
    }
    Ok(rows)
}

fn table(rows: &[Row], options: &Options) -> String {
    let mut text = format!(
        "\n{} Applications, {} cores{}\n\n",
        options.apps,
        cores(),
        if options.debug { ", debug build" } else { "" }
    );
    text.push_str("| work | time | CPU | peak RSS | API requests |\n|---|---|---|---|---|\n");
    for row in rows {
        text.push_str(&row.to_string());
        text.push('\n');
    }
    text
}

fn cores() -> usize {
    std::thread::available_parallelism().map(std::num::NonZero::get).unwrap_or(1)
}
