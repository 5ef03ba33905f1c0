//! `tiphys render app`: the manifests of an Application, from its repository or from a folder.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::flow::{NoMeter, Tree};
use crate::render::{RenderContext, render};
use crate::source::{Access, Freshness, RepoUrl, Sources, SourcesOptions};

use super::super::diff::read_application;
use super::super::{CliError, runtime};

/// Render the manifests of an Application.
#[derive(Args, Debug)]
pub(super) struct AppArgs {
    /// File of the Application.
    #[arg(short, long)]
    file: PathBuf,
    /// Revision in the place of spec.source.targetRevision.
    #[arg(long)]
    revision: Option<String>,
    /// Folder for mirrors of repositories.
    #[arg(long, default_value = "/tmp/tiphys")]
    cache: PathBuf,
    /// Version of Kubernetes to render for.
    #[arg(long, default_value = "v1.35.4")]
    kube_version: String,
}

pub(super) fn run(args: &AppArgs, out: &mut impl Write) -> Result<u8, CliError> {
    let app = read_application(&args.file)?;
    let Some(source) = app.spec.source.clone() else {
        return Err(CliError::Usage("spec.source is missing: name a repository".into()));
    };
    let revision = args.revision.clone().unwrap_or_else(|| source.target_revision.clone());
    let (tree, commit) = runtime()?.block_on(fetch(args, &source.repo_url, &revision))?;
    let context = RenderContext {
        application: app.name().to_owned(),
        namespace: app.spec.destination.namespace.clone(),
        kube_version: args.kube_version.clone(),
        revision: commit,
        ..RenderContext::default()
    };
    let rendered = render(&tree, &source, &context)?;
    for warning in &rendered.warnings {
        eprintln!("warning: {warning}");
    }
    for object in &rendered.objects {
        let text = goyaml::to_yaml(object.body()).map_err(|error| CliError::Usage(error.to_string()))?;
        write!(out, "---\n{text}")?;
    }
    Ok(0)
}

async fn fetch(args: &AppArgs, url: &str, revision: &str) -> Result<(Tree, String), CliError> {
    let usage = |error: crate::source::SourceError| CliError::Usage(error.to_string());
    let access = Access::anonymous(RepoUrl::parse(url).map_err(usage)?);
    let sources = Sources::new(SourcesOptions::new(args.cache.clone()), Arc::new(NoMeter));
    let revision = sources.resolve(&access, revision, Freshness::Now).await.map_err(usage)?;
    let tree = sources.tree(&access, &revision).await.map_err(usage)?;
    Ok((tree, revision.id))
}
