//! `helmCharts`: values put together, the chart rendered by the caller.

use goyaml::Value;
use serde_json::Map;

use crate::charts::{ChartRef, ChartRelease};
use crate::error::{Context, Error, Result};
use crate::files::join_path;
use crate::kustomization::{HelmChart, HelmGlobals, HelmSpec};
use crate::merge::{self, ListOrder};
use crate::plugin::Helpers;
use crate::resmap::ResMap;
use crate::resource::annotation;
use crate::schema::Schema;
use crate::tree::{meta, value};

/// A chart to render, its configuration checked.
#[derive(Debug)]
pub(crate) struct Chart {
    spec: HelmSpec,
    home: String,
    additional: Vec<Vec<u8>>,
}

const MERGE_OPTIONS: [&str; 3] = ["merge", "override", "replace"];

impl Chart {
    /// Checks a chart's configuration and loads its further values files.
    pub(crate) fn new(mut spec: HelmSpec, helpers: &Helpers<'_>) -> Result<Self> {
        let options = helpers.options;
        if !options.enable_helm {
            return Err(Error::new("must specify --enable-helm"));
        }
        if !options.helm_kube_version.is_empty() && spec.chart.kube_version.is_empty() {
            spec.chart.kube_version.clone_from(&options.helm_kube_version);
        }
        if spec.chart.api_versions.is_empty() {
            spec.chart.api_versions.clone_from(&options.helm_api_versions);
        }
        check(&spec.chart)?;
        if spec.globals.chart_home.is_empty() {
            "charts".clone_into(&mut spec.globals.chart_home);
        }
        let home = home(&spec, helpers.loader.root());
        let mut additional = Vec::new();
        for file in &spec.chart.additional_values_files {
            let content = helpers.loader.load(file).context_with(|| "could not load additionalValuesFile")?;
            additional.push(content.to_vec());
        }
        if spec.chart.values_merge.is_empty() {
            "override".clone_into(&mut spec.chart.values_merge);
        }
        if !MERGE_OPTIONS.contains(&spec.chart.values_merge.as_str()) {
            return Err(Error::new(format!("valuesMerge must be one of [{}]", MERGE_OPTIONS.join(" "))));
        }
        Ok(Self { spec, home, additional })
    }

    /// Renders the chart.
    pub(crate) fn generate(&self, helpers: &Helpers<'_>) -> Result<ResMap> {
        let chart = &self.spec.chart;
        let reference = ChartRef {
            name: chart.name.clone(),
            version: chart.version.clone(),
            repo: chart.repo.clone(),
            directory: join_path(&self.home, &chart.name),
            devel: chart.devel,
        };
        if chart.repo.is_empty() && !helpers.is_directory(&reference.directory) {
            return Err(Error::new("no repo specified for pull, no chart found at ''"));
        }
        let mut values = vec![self.values(&reference, helpers)?];
        values.extend(self.additional.iter().cloned());
        let text = helpers.charts.template(&ChartRelease {
            chart: reference,
            release_name: chart.release_name.clone(),
            namespace: chart.namespace.clone(),
            name_template: chart.name_template.clone(),
            values,
            api_versions: chart.api_versions.clone(),
            kube_version: chart.kube_version.clone(),
            include_crds: chart.include_crds,
            skip_tests: chart.skip_tests,
            skip_hooks: chart.skip_hooks,
        })?;
        let mut map = ResMap::from_list(helpers.parse(text.as_bytes())?)
            .map_err(|error| error.context("could not parse bytes into resource map"))?;
        for resource in &mut map.list {
            resource.edit(|node| meta::set_annotation(node, annotation::FROM_HELM, "true"))?;
        }
        Ok(map)
    }

    fn values(&self, reference: &ChartRef, helpers: &Helpers<'_>) -> Result<Vec<u8>> {
        let chart = &self.spec.chart;
        let load = || match chart.values_file.as_str() {
            // A chart that stands in the tree obeys the rules for files of it.
            "" if helpers.is_directory(&reference.directory) => {
                let path = join_path(&reference.directory, "values.yaml");
                helpers.loader.load(&path).map(|content| content.to_vec())
            }
            "" => helpers.charts.values(reference),
            path => helpers.loader.load(path).map(|content| content.to_vec()),
        };
        if chart.values_inline.is_empty() {
            return load();
        }
        let inline = Value::Object(chart.values_inline.clone());
        let merged = match chart.values_merge.as_str() {
            "override" => merged(&load()?, &inline, true)?,
            "merge" => merged(&load()?, &inline, false)?,
            _ => inline,
        };
        Ok(goyaml::to_yaml(&merged)?.into_bytes())
    }
}

/// Values of a file and of the kustomization in one.
fn merged(file: &[u8], inline: &Value, inline_wins: bool) -> Result<Value> {
    let text = String::from_utf8_lossy(file);
    let file = crate::parse::parse_one(&text).context_with(|| "could not parse values file into rnode")?;
    let inline = value::from_json(inline);
    let (mut dest, mut patch) = if inline_wins { (file, inline) } else { (inline, file) };
    let schema = Schema::default();
    let kept = merge::merge(&mut dest, &mut patch, &schema, ListOrder::PatchLast)
        .context_with(|| "could not merge values")?;
    if kept { value::to_map(&dest) } else { Ok(Value::Object(Map::new())) }
}

fn check(chart: &HelmChart) -> Result<()> {
    if chart.name.is_empty() {
        return Err(Error::new("chart name cannot be empty"));
    }
    if chart.release_name.starts_with('-') {
        return Err(Error::new(format!("releaseName must not start with '-', got {:?}", chart.release_name)));
    }
    if chart.name.starts_with('-') {
        return Err(Error::new(format!("chart name must not start with '-', got {:?}", chart.name)));
    }
    Ok(())
}

/// The directory in which charts stand.
fn home(spec: &HelmSpec, root: &str) -> String {
    let HelmGlobals { chart_home, .. } = &spec.globals;
    let home = if chart_home.starts_with('/') { chart_home.clone() } else { join_path(root, chart_home) };
    if spec.chart.version.is_empty() || spec.chart.repo.is_empty() {
        return home;
    }
    join_path(&home, &format!("{}-{}", spec.chart.name, spec.chart.version))
}
