//! One render from beginning to end, in the order of `helm template`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gotemplate::Str;

use super::host::{Host, Lookup};
use super::instance::Instance;
use super::{context, dependencies, engine};
use crate::capabilities::Capabilities;
use crate::chart::Chart;
use crate::manifest::{Hook, Manifest, print, sort_files};
use crate::values::coalesce::{Mode, chart_values};
use crate::values::{ValuesLayer, merge_layers, tree};
use crate::{Error, Result, schema};

/// What a render takes besides the chart.
#[derive(Clone)]
pub struct RenderInput {
    /// Values of the user, over the defaults of the chart.
    pub values: Vec<ValuesLayer>,
    /// `.Release.Name`.
    pub release_name: String,
    /// `.Release.Namespace`.
    pub namespace: String,
    /// `.Release.Revision`.
    pub revision: i64,
    /// `.Release.IsUpgrade`; its opposite is `.Release.IsInstall`.
    pub is_upgrade: bool,
    /// `.Release.Service`.
    pub service: String,
    /// The cluster.
    pub capabilities: Capabilities,
    /// Whether files below `crds/` are part of the result.
    pub include_crds: bool,
    /// Whether test hooks are left out.
    pub skip_tests: bool,
    /// Whether all hooks are left out of the printed text.
    pub no_hooks: bool,
    /// Whether `values.schema.json` is ignored.
    pub skip_schema_validation: bool,
    /// Answers `lookup`; without it, `lookup` finds nothing.
    pub lookup: Option<Arc<dyn Lookup>>,
    /// Bounds of the execution of templates. The stack is one made for the render.
    pub limits: gotemplate::Limits,
}

/// Stack of a render: enough for a thousand nested `include`s. Only what is used costs memory.
const STACK: usize = 256 << 20;

/// Deepest nesting of `template`, `include` and `tpl` by default: Helm stops a template's thousandth `include` of
/// itself, which may go through a few others each time.
const MAX_NESTING: u32 = 5_000;

/// What is left of the stack for the frames around the execution.
pub(super) const STACK_RESERVE: usize = 4 << 20;

impl Default for RenderInput {
    /// What `helm template CHART` takes without flags.
    fn default() -> Self {
        RenderInput {
            values: Vec::new(),
            release_name: "release-name".into(),
            namespace: "default".into(),
            revision: 1,
            is_upgrade: false,
            service: "Helm".into(),
            capabilities: Capabilities::default(),
            include_crds: false,
            skip_tests: false,
            no_hooks: false,
            skip_schema_validation: false,
            lookup: None,
            limits: gotemplate::Limits {
                depth: MAX_NESTING,
                stack: STACK - STACK_RESERVE,
                ..gotemplate::Limits::default()
            },
        }
    }
}

/// What a chart renders to.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// Files below `crds/` of all charts, when asked for: path and contents.
    pub crds: Vec<(String, String)>,
    /// Objects in install order.
    pub manifests: Vec<Manifest>,
    /// Hooks in install order; those of tests only when they were not skipped.
    pub hooks: Vec<Hook>,
    /// The rendered `NOTES.txt` of the outermost chart.
    pub notes: Option<String>,
    /// What Helm says on standard error.
    pub warnings: Vec<String>,
    /// Files that templates read through `.Files`, as `CHART/path`.
    pub files_read: BTreeSet<String>,
    /// API versions that templates asked for.
    pub api_versions_asked: BTreeSet<String>,
    /// Whether hooks are printed.
    print_hooks: bool,
}

impl Rendered {
    /// Exactly what `helm template` prints on standard output.
    pub fn text(&self) -> String {
        let hooks = if self.print_hooks { self.hooks.as_slice() } else { &[] };
        print::release_text(&self.crds, &self.manifests, hooks)
    }

    /// What `helm template --show-only` prints for these patterns.
    ///
    /// # Errors
    /// `could not find template X in chart`.
    pub fn text_of(&self, patterns: &[String]) -> Result<String> {
        if patterns.is_empty() { Ok(self.text()) } else { print::only(&self.text(), patterns) }
    }
}

/// Renders a chart. The same chart and input give the same result, but for templates that ask for random numbers,
/// keys or the time.
///
/// The work is done on a large stack of its own, in the calling thread: a thread of its own would have an own heap too,
/// which grows in small steps.
///
/// # Errors
/// In the words of `helm template`.
pub fn render(chart: &Chart, input: &RenderInput) -> Result<Rendered> {
    stacker::grow(STACK, || render_here(chart, input))
}

fn render_here(chart: &Chart, input: &RenderInput) -> Result<Rendered> {
    let mut warnings: Vec<String> = chart.warnings.iter().map(|w| w.message.clone()).collect();
    let user_values = tree::from_json(&merge_layers(&input.values)?);
    check_chart(chart, &mut warnings)?;
    check_release_name(&input.release_name)?;
    let mut root = Instance::new(chart);
    dependencies::process(&mut root, &user_values, &mut warnings)
        .map_err(|e| Error::values(format!("chart dependencies processing failed: {e}")))?;
    let values = chart_values(&root, &user_values, Mode::Coalesce, &mut warnings)?;
    if !input.skip_schema_validation {
        schema::check_tree(&root, &values)?;
    }
    check_kube_version(chart, &input.capabilities)?;

    let host = Host::new(input.lookup.clone());
    let shared = context::Shared {
        release: context::release(
            &input.release_name,
            &input.namespace,
            input.revision,
            input.is_upgrade,
            &input.service,
        ),
        capabilities: context::capabilities(&input.capabilities),
    };
    let templates = context::templates(&root, &values, &shared, &host);
    let mut files = engine::execute(&templates, &chart.templates_cache, input.limits, &host)?;
    let notes = take_notes(&mut files, &root.name);
    let (mut hooks, manifests) = sort_files(&files)?;
    if input.skip_tests {
        hooks.retain(|h| !h.is_test());
    }
    let mut crds = Vec::new();
    if input.include_crds {
        collect_crds(&root, &root.name, &mut crds);
    }
    let (files_read, api_versions_asked) = host.into_seen();
    let print_hooks = !input.no_hooks;
    Ok(Rendered { crds, manifests, hooks, notes, warnings, files_read, api_versions_asked, print_hooks })
}

fn check_chart(chart: &Chart, warnings: &mut Vec<String>) -> Result<()> {
    let metadata = &chart.metadata;
    if !matches!(metadata.chart_type.as_str(), "" | "application") {
        return Err(Error::input(format!("{} charts are not installable", metadata.chart_type)));
    }
    if metadata.deprecated {
        warnings.push("this chart is deprecated".into());
    }
    let listed = metadata.dependencies.iter().flatten();
    let is_there = |name: &str| chart.subcharts.iter().any(|c| c.name() == name);
    let missing: Vec<&str> = listed.map(|d| d.name.as_str()).filter(|name| !is_there(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::input(format!(
        "an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: {}",
        missing.join(", ")
    )))
}

/// Longest name of a release.
const MAX_RELEASE_NAME: usize = 53;

fn check_release_name(name: &str) -> Result<()> {
    let invalid =
        |why: &str| Error::input(format!("release name check failed: release name {name:?}: {why}"));
    if name.is_empty() {
        return Err(invalid("no name provided"));
    }
    let is_edge = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let is_label = |label: &str| {
        let bytes = label.as_bytes();
        let edges = bytes.first().copied().is_some_and(is_edge) && bytes.last().copied().is_some_and(is_edge);
        edges && bytes.iter().all(|b| is_edge(*b) || *b == b'-')
    };
    if name.len() > MAX_RELEASE_NAME || !name.split('.').all(is_label) {
        return Err(invalid(
            "invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than 53",
        ));
    }
    Ok(())
}

fn check_kube_version(chart: &Chart, capabilities: &Capabilities) -> Result<()> {
    let wanted = &chart.metadata.kube_version;
    let have = &capabilities.kube_version;
    if wanted.is_empty() || dependencies::is_compatible(wanted, &have.normalized) {
        return Ok(());
    }
    let have = &have.version;
    let message =
        format!("chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {have}");
    Err(Error::Incompatible(message))
}

/// Takes all `NOTES.txt` out of the files; those of subcharts are dropped.
fn take_notes(files: &mut BTreeMap<String, Str>, root: &str) -> Option<String> {
    let notes = files.remove(&format!("{root}/templates/NOTES.txt"));
    let notes = notes.map(|notes| notes.to_text().into_owned());
    files.retain(|path, _| !path.ends_with("NOTES.txt"));
    notes
}

fn collect_crds(chart: &Instance<'_>, path: &str, crds: &mut Vec<(String, String)>) {
    for file in &chart.chart.files {
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        let extension = name.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase());
        let is_manifest = matches!(extension.as_deref(), Some("yaml" | "yml" | "json"));
        if file.path.starts_with("crds/") && is_manifest {
            crds.push((format!("{path}/{}", file.path), file.text().into_owned()));
        }
    }
    for child in &chart.children {
        collect_crds(child, &format!("{path}/charts/{}", child.name), crds);
    }
}
