//! `helm template` of a folder: the chart, its values, what the destination can do.

use helm::{Capabilities, KubeVersion, RenderInput};

use crate::api::{ApplicationSource, HelmSource};
use crate::flow::{Problem, Tree, TreePath};
use crate::object::Manifest;

use super::chart_dependencies::complete;
use super::chart_values::layers;
use super::env::Env;
use super::needs::{Given, Stop};
use super::{RenderContext, documents, render_problem};

/// What a chart renders from besides its own files.
pub(super) struct ChartWorld<'a> {
    pub(super) tree: &'a Tree,
    pub(super) root: &'a TreePath,
    pub(super) context: &'a RenderContext,
    pub(super) given: &'a Given,
    pub(super) env: &'a Env<'a>,
}

pub(super) fn render(
    world: &ChartWorld<'_>,
    source: &ApplicationSource,
) -> Result<(Vec<Manifest>, Vec<String>), Stop> {
    let options = source.helm.clone().unwrap_or_default();
    // Values are asked for together with charts, so that all that is missing is fetched in one go.
    let (values, chart) = match (layers(world, &options), complete(world, &options)) {
        (Ok(values), Ok(chart)) => (values, chart),
        (Err(Stop::Needs(mut needs)), Err(Stop::Needs(more))) => {
            needs.extend(more);
            return Err(Stop::Needs(needs));
        }
        (Err(stop @ Stop::Problem(_)), _) | (_, Err(stop @ Stop::Problem(_))) => return Err(stop),
        (Err(stop), _) | (_, Err(stop)) => return Err(stop),
    };
    let context = world.context;
    let text = |own: &str, other: &str| if own.is_empty() { other.to_owned() } else { own.to_owned() };
    let input = RenderInput {
        values,
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

pub(super) fn failed(error: helm::Error) -> Problem {
    render_problem(format!("helm template: {error}"))
}

fn capabilities(options: &HelmSource, context: &RenderContext) -> Result<Capabilities, Problem> {
    let mut capabilities = Capabilities::default();
    let version = if options.kube_version.is_empty() { &context.kube_version } else { &options.kube_version };
    if !version.is_empty() {
        capabilities.kube_version = KubeVersion::parse(&plain_version(version))
            .map_err(|error| render_problem(format!("spec.source.helm.kubeVersion: {error}")))?;
    }
    let versions =
        if options.api_versions.is_empty() { &context.api_versions } else { &options.api_versions };
    capabilities.api_versions.extend(versions.iter().cloned());
    Ok(capabilities)
}

/// A version without what a provider adds to it: charts compare `1.35.4-eks-1` as a pre-release.
pub(super) fn plain_version(version: &str) -> String {
    let numbers = version.trim().trim_start_matches('v');
    let end = numbers.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(numbers.len());
    let numbers = numbers.get(..end).unwrap_or_default().trim_end_matches('.');
    if numbers.is_empty() { version.to_owned() } else { numbers.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_providers_are_plain_ones() {
        let cases = [
            ("v1.35.4", "1.35.4"),
            ("v1.31.2-eks-7f9249a", "1.31.2"),
            ("1.30.1+k3s1", "1.30.1"),
            ("1.29", "1.29"),
        ];
        for (version, expected) in cases {
            assert_eq!(plain_version(version), expected);
        }
        assert_eq!(plain_version("nonsense"), "nonsense");
    }
}
