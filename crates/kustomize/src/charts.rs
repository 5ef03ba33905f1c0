//! Helm charts: the caller implements [`Charts`] with a renderer.

use crate::error::{Error, ErrorKind, Result};

/// Which chart, and where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChartRef {
    /// Name of the chart.
    pub name: String,
    /// Version to pull, or empty.
    pub version: String,
    /// Repository to pull from, or empty: then the chart has to be in `directory`.
    pub repo: String,
    /// The directory in which the chart stands or would stand, by its clean absolute path.
    pub directory: String,
    /// Whether pre-releases are wanted.
    pub devel: bool,
}

/// A chart and what to render it with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChartRelease {
    /// The chart.
    pub chart: ChartRef,
    /// Name of the release; empty means to make one up.
    pub release_name: String,
    /// Namespace of the release; empty means the default one.
    pub namespace: String,
    /// A template for the name of the release, or empty.
    pub name_template: String,
    /// Values files, the later ones win.
    pub values: Vec<Vec<u8>>,
    /// Further API versions.
    pub api_versions: Vec<String>,
    /// Version of Kubernetes, or empty.
    pub kube_version: String,
    /// Whether to print the chart's CRDs.
    pub include_crds: bool,
    /// Whether to leave out tests.
    pub skip_tests: bool,
    /// Whether to leave out hooks.
    pub skip_hooks: bool,
}

/// Renders charts.
pub trait Charts: Send + Sync {
    /// The chart's own `values.yaml`.
    ///
    /// # Errors
    /// The chart cannot be had.
    fn values(&self, chart: &ChartRef) -> Result<Vec<u8>>;

    /// What `helm template` prints.
    ///
    /// # Errors
    /// The chart cannot be had or rendered.
    fn template(&self, release: &ChartRelease) -> Result<String>;
}

/// Refuses every chart.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCharts;

impl Charts for NoCharts {
    fn values(&self, chart: &ChartRef) -> Result<Vec<u8>> {
        Err(Error::with_kind(ErrorKind::Refused, format!("no renderer for chart '{}'", chart.name)))
    }

    fn template(&self, release: &ChartRelease) -> Result<String> {
        self.values(&release.chart).map(|_| String::new())
    }
}
