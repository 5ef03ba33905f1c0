//! `tiphys render app`: the manifests of an Application, from its repositories.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use crate::api::{Application, ApplicationSource};
use crate::controller::Fetching;
use crate::render::{Given, RenderContext, Rendered};
use crate::source::Freshness;

use super::super::diff::read_application;
use super::super::{CliError, runtime};
use super::remote::{UserSetup, sources};

/// Render the manifests of an Application.
#[derive(Args, Debug)]
pub(super) struct AppArgs {
    /// File of the Application.
    #[arg(short, long)]
    file: PathBuf,
    /// Revision in the place of spec.source.targetRevision, of the first one where there are several sources.
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
    let sources: Vec<ApplicationSource> = app.spec.all_sources().into_iter().cloned().collect();
    if sources.is_empty() {
        return Err(CliError::Usage("spec.source is missing: name a repository".into()));
    }
    let rendered = runtime()?.block_on(render_all(args, &app, &sources))?;
    for warning in rendered.iter().flat_map(|one| &one.warnings) {
        eprintln!("warning: {warning}");
    }
    for object in rendered.iter().flat_map(|one| &one.objects) {
        let text = goyaml::to_yaml(object.body()).map_err(|error| CliError::Usage(error.to_string()))?;
        write!(out, "---\n{text}")?;
    }
    Ok(0)
}

/// Renders each source, the first one at the revision of the command line.
async fn render_all(
    args: &AppArgs,
    app: &Application,
    asked: &[ApplicationSource],
) -> Result<Vec<Rendered>, CliError> {
    let mut revisions: Vec<String> = asked.iter().map(|source| source.target_revision.clone()).collect();
    if let (Some(revision), Some(first)) = (&args.revision, revisions.first_mut()) {
        first.clone_from(revision);
    }
    let several = app.spec.has_multiple_sources();
    let (sources, user) = (sources(&args.cache), UserSetup::new());
    let fetching = Fetching::new(&sources, &user, asked, &revisions, Freshness::Now).await?;
    let references = asked.iter().filter(|source| !source.reference.is_empty());
    let context = RenderContext {
        application: app.name().to_owned(),
        instance: app.name().to_owned(),
        project: app.project().to_owned(),
        namespace: app.spec.destination.namespace.clone(),
        kube_version: args.kube_version.clone(),
        values_file_schemes: vec!["https".into(), "http".into()],
        refs: several.then(|| references.map(|source| source.reference.clone()).collect()),
        ..RenderContext::default()
    };
    let mut all = Vec::new();
    for (index, (source, resolved)) in asked.iter().zip(fetching.resolved()).enumerate() {
        if several && source.path.is_empty() && source.chart.is_empty() {
            continue;
        }
        let context = RenderContext { revision: resolved.revision.id.clone(), ..context.clone() };
        let tree = fetching.tree(index).await.map_err(|problem| fetching.name(index, problem))?;
        let rendered = fetching.render(&tree, source, &context, Given::new()).await;
        all.push(rendered.map_err(|problem| fetching.name(index, problem))?.0);
    }
    Ok(all)
}
