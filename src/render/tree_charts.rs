//! Charts inside of kustomizations (`helmCharts`), from a tree or fetched.

use std::sync::{Arc, Mutex, PoisonError};

use helm::{Chart, KubeVersion, RenderInput, ValuesLayer};
use kustomize::{ChartRef, ChartRelease, Charts, Error, ErrorKind};

use crate::flow::{Tree, TreePath};

use super::caches::RenderCaches;
use super::chart_files::load;
use super::needs::{Given, Got, Need};

/// Charts of a tree, for kustomizations with `helmCharts`: the tree's root is `/`. A chart that does not stand where the
/// kustomization says, but has a repository, is needed from there.
pub struct TreeCharts {
    tree: Tree,
    caches: Arc<RenderCaches>,
    given: Given,
    needs: Arc<Mutex<Vec<Need>>>,
}

impl TreeCharts {
    /// The charts of a tree, and those that were fetched. What is missing is added to `needs`.
    pub fn new(tree: Tree, caches: Arc<RenderCaches>, given: Given, needs: Arc<Mutex<Vec<Need>>>) -> Self {
        Self { tree, caches, given, needs }
    }

    /// The chart's files.
    fn find(&self, chart: &ChartRef) -> Result<(Tree, TreePath), Error> {
        let failed = |message: String| Error::new(message);
        let root = TreePath::parse(chart.directory.trim_start_matches('/'))
            .map_err(|error| failed(error.to_string()))?;
        if self.tree.find(&root).is_ok_and(|found| found.is_some()) {
            return Ok((self.tree.clone(), root));
        }
        if chart.repo.is_empty() {
            let (name, directory) = (&chart.name, &chart.directory);
            return Err(failed(format!("chart {name} is not in {directory}, and no repo is given for it")));
        }
        let need = Need::Chart {
            repository: chart.repo.clone(),
            name: chart.name.clone(),
            version: chart.version.clone(),
            pass_credentials: false,
        };
        match self.given.get(&need) {
            Some(Got::Tree(tree)) => Ok((tree.clone(), TreePath::root())),
            Some(Got::Absent(why) | Got::Refused(why)) => Err(failed(format!("chart {}: {why}", chart.name))),
            Some(Got::File(_)) | None => {
                self.needs.lock().unwrap_or_else(PoisonError::into_inner).push(need);
                Err(Error::with_kind(ErrorKind::Pending, format!("{} {}", chart.repo, chart.name)))
            }
        }
    }

    fn load(&self, chart: &ChartRef) -> Result<Arc<Chart>, Error> {
        let (tree, root) = self.find(chart)?;
        load(&tree, &root, &Vec::new(), &self.caches).map_err(|problem| Error::new(problem.message))
    }
}

impl Charts for TreeCharts {
    fn values(&self, chart: &ChartRef) -> Result<Vec<u8>, Error> {
        let (tree, root) = self.find(chart)?;
        tree.read(&root.child("values.yaml")).map_err(|error| Error::new(error.to_string()))
    }

    fn template(&self, release: &ChartRelease) -> Result<String, Error> {
        let failed = |error: helm::Error| Error::new(error.command_line_text());
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
