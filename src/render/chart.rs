//! Helm charts, joined to the tree.

use helm::{ArchiveLimits, Capabilities, Chart, File, IgnoreRules, KubeVersion, RenderInput, ValuesLayer};

use kustomize::{ChartRef, ChartRelease, Charts};

use crate::api::{ApplicationSource, HelmSource};
use crate::flow::{EntryKind, Problem, Tree, TreePath};
use crate::object::{Manifest, glob_matches};

use super::{RenderContext, documents, render_problem, tree_problem};

/// Files that one chart may hold.
const MOST_FILES: usize = 20_000;

pub(super) fn render(
    tree: &Tree,
    root: &TreePath,
    source: &ApplicationSource,
    context: &RenderContext,
) -> Result<(Vec<Manifest>, Vec<String>), Problem> {
    let options = source.helm.clone().unwrap_or_default();
    let failed = |error: helm::Error| render_problem(format!("helm template: {error}"));
    let chart = Chart::load(chart_files(tree, root)?, &ArchiveLimits::default()).map_err(failed)?;
    let text = |own: &str, other: &str| if own.is_empty() { other.to_owned() } else { own.to_owned() };
    let input = RenderInput {
        values: layers(tree, root, &options)?,
        release_name: text(&options.release_name, &context.application),
        namespace: text(&options.namespace, &context.namespace),
        capabilities: capabilities(&options, context)?,
        include_crds: !options.skip_crds,
        skip_tests: options.skip_tests,
        skip_schema_validation: options.skip_schema_validation,
        ..RenderInput::default()
    };
    let rendered = helm::render(&chart, &input).map_err(failed)?;
    let objects = documents::read_documents("helm template", rendered.text().as_bytes())?;
    Ok((objects, rendered.warnings))
}

/// Charts of a tree, for kustomizations with `helmCharts`: the tree's root is `/`. Nothing is pulled: a chart stands
/// where the kustomization says, or is refused.
pub struct TreeCharts {
    tree: Tree,
}

impl TreeCharts {
    /// The charts of a tree.
    pub fn new(tree: Tree) -> Self {
        Self { tree }
    }

    fn load(&self, chart: &ChartRef) -> Result<Chart, kustomize::Error> {
        let root = TreePath::parse(chart.directory.trim_start_matches('/'))
            .map_err(|error| kustomize::Error::new(error.to_string()))?;
        let is_there = self.tree.find(&root).is_ok_and(|found| found.is_some());
        if !is_there {
            return Err(kustomize::Error::new(format!(
                "chart {} is not in {}: charts are not pulled, put it there",
                chart.name, chart.directory
            )));
        }
        let files =
            chart_files(&self.tree, &root).map_err(|problem| kustomize::Error::new(problem.message))?;
        Chart::load(files, &ArchiveLimits::default())
            .map_err(|error| kustomize::Error::new(error.to_string()))
    }
}

impl Charts for TreeCharts {
    fn values(&self, chart: &ChartRef) -> Result<Vec<u8>, kustomize::Error> {
        let path = TreePath::parse(chart.directory.trim_start_matches('/'))
            .map_err(|error| kustomize::Error::new(error.to_string()))?
            .child("values.yaml");
        self.tree.read(&path).map_err(|error| kustomize::Error::new(error.to_string()))
    }

    fn template(&self, release: &ChartRelease) -> Result<String, kustomize::Error> {
        let failed = |error: helm::Error| kustomize::Error::new(error.command_line_text());
        let chart = self.load(&release.chart)?;
        let mut input = RenderInput {
            include_crds: release.include_crds,
            skip_tests: release.skip_tests,
            no_hooks: release.skip_hooks,
            ..RenderInput::default()
        };
        if !release.name_template.is_empty() {
            input.release_name = helm::name_from_template(&release.name_template).map_err(failed)?;
        } else if !release.release_name.is_empty() {
            input.release_name.clone_from(&release.release_name);
        }
        if !release.namespace.is_empty() {
            input.namespace.clone_from(&release.namespace);
        }
        if !release.kube_version.is_empty() {
            input.capabilities.kube_version = KubeVersion::parse(&release.kube_version).map_err(failed)?;
        }
        input.capabilities.api_versions.extend(release.api_versions.iter().cloned());
        for (index, values) in release.values.iter().enumerate() {
            let name = format!("values-{index}.yaml");
            input.values.push(ValuesLayer::File { name, data: values.clone().into() });
        }
        helm::render(&chart, &input).map(|rendered| rendered.text()).map_err(failed)
    }
}

fn chart_files(tree: &Tree, root: &TreePath) -> Result<Vec<File>, Problem> {
    let ignore = root.child(".helmignore");
    let ignore = match tree.is_file(&ignore).map_err(|error| tree_problem(&error))? {
        true => {
            String::from_utf8_lossy(&tree.read(&ignore).map_err(|error| tree_problem(&error))?).into_owned()
        }
        false => String::new(),
    };
    let rules =
        IgnoreRules::parse(&ignore).map_err(|error| render_problem(format!(".helmignore: {error}")))?;
    let mut files = Vec::new();
    for (path, kind) in tree.walk(root, MOST_FILES).map_err(|error| tree_problem(&error))? {
        let Some(relative) = path.below(root) else { continue };
        if kind == EntryKind::Directory || is_ignored(&rules, relative.as_str()) {
            continue;
        }
        if !tree.is_file(&path).map_err(|error| tree_problem(&error))? {
            continue;
        }
        files.push(File::new(relative.as_str(), tree.read(&path).map_err(|error| tree_problem(&error))?));
    }
    Ok(files)
}

/// Whether a file, or a folder that it is in, is ignored.
fn is_ignored(rules: &IgnoreRules, path: &str) -> bool {
    let folders = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
    folders.into_iter().any(|folder| rules.ignores_directory(folder)) || rules.ignores_file(path)
}

fn capabilities(options: &HelmSource, context: &RenderContext) -> Result<Capabilities, Problem> {
    let mut capabilities = Capabilities::default();
    let version = if options.kube_version.is_empty() { &context.kube_version } else { &options.kube_version };
    if !version.is_empty() {
        capabilities.kube_version = KubeVersion::parse(version)
            .map_err(|error| render_problem(format!("spec.source.helm.kubeVersion: {error}")))?;
    }
    let versions =
        if options.api_versions.is_empty() { &context.api_versions } else { &options.api_versions };
    if !versions.is_empty() {
        capabilities.api_versions.clone_from(versions);
    }
    Ok(capabilities)
}

/// Values in Argo CD's order: value files, then the block or mapping, then file parameters and parameters.
fn layers(tree: &Tree, root: &TreePath, options: &HelmSource) -> Result<Vec<ValuesLayer>, Problem> {
    let mut layers = Vec::new();
    for name in &options.value_files {
        for path in value_files(tree, root, name, options.ignore_missing_value_files)? {
            let data = tree.read(&path).map_err(|error| tree_problem(&error))?;
            layers.push(ValuesLayer::File { name: path.as_str().to_owned(), data: data.into() });
        }
    }
    match &options.values_object {
        Some(serde_json::Value::Object(values)) => layers.push(ValuesLayer::Map(values.clone())),
        Some(_) => return Err(render_problem("spec.source.helm.valuesObject is not a mapping")),
        None if !options.values.is_empty() => {
            let data = options.values.as_bytes().to_vec().into();
            layers.push(ValuesLayer::File { name: "spec.source.helm.values".into(), data });
        }
        None => {}
    }
    for parameter in &options.parameters {
        // Argo CD escapes commas, so that a parameter is always one value.
        let text = format!("{}={}", parameter.name, parameter.value.replace(',', "\\,"));
        layers.push(if parameter.force_string {
            ValuesLayer::SetString(text)
        } else {
            ValuesLayer::Set(text)
        });
    }
    for parameter in &options.file_parameters {
        let text = format!("{}={}", parameter.name, parameter.path);
        let read = |name: &str| {
            let path = root.join(name).map_err(|error| error.to_string())?;
            let data = tree.read(&path).map_err(|error| error.to_string())?;
            Ok(String::from_utf8_lossy(&data).into_owned())
        };
        let layer = ValuesLayer::set_file(&text, read);
        layers.push(
            layer.map_err(|error| render_problem(format!("spec.source.helm.fileParameters: {error}")))?,
        );
    }
    Ok(layers)
}

/// The files that an entry of `valueFiles` names: one, or those that a glob matches.
fn value_files(tree: &Tree, root: &TreePath, name: &str, may_miss: bool) -> Result<Vec<TreePath>, Problem> {
    let refused = |why: &str| Err(render_problem(format!("value file \"{name}\" {why}")));
    if name.contains("://") {
        return refused(
            "is an address: remote value files are not supported; put the file into the repository",
        );
    }
    if name.starts_with('$') {
        return refused("refers to another source: several sources are not supported yet");
    }
    // A leading slash means the root of the repository.
    let path = match name.strip_prefix('/') {
        Some(rest) => TreePath::parse(rest),
        None => root.join(name),
    };
    let path = path.map_err(|error| render_problem(format!("value file \"{name}\": {error}")))?;
    if name.contains(['*', '?', '[']) {
        return matching(tree, &path);
    }
    let found =
        tree.is_file(&path).map_err(|error| render_problem(format!("value file \"{name}\": {error}")))?;
    match (found, may_miss) {
        (true, _) => Ok(vec![path]),
        (false, true) => Ok(Vec::new()),
        (false, false) => {
            refused("does not exist in this revision; set ignoreMissingValueFiles to go on without it")
        }
    }
}

fn matching(tree: &Tree, glob: &TreePath) -> Result<Vec<TreePath>, Problem> {
    let fixed: Vec<&str> = glob.parts().take_while(|part| !part.contains(['*', '?', '['])).collect();
    let folder = TreePath::parse(&fixed.join("/")).map_err(|error| tree_problem(&error))?;
    let walked = tree.walk(&folder, MOST_FILES).map_err(|error| tree_problem(&error))?;
    let files = walked.into_iter().filter(|(_, kind)| *kind == EntryKind::File).map(|(path, _)| path);
    let mut found: Vec<TreePath> = files.filter(|path| glob_matches(glob.as_str(), path.as_str())).collect();
    found.sort();
    Ok(found)
}
