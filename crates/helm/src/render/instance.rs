//! A chart's tree as one render sees it: aliases applied, switched-off subcharts gone, values imported.

use gotemplate::Map;

use crate::chart::{Chart, Dependency};
use crate::values::tree;

/// A chart or subchart in one render.
#[derive(Clone)]
pub(crate) struct Instance<'c> {
    /// What was loaded.
    pub(crate) chart: &'c Chart,
    /// The chart's name, or the alias that its parent gave it.
    pub(crate) name: String,
    /// The dependencies that take part, aliases as names; `None` when the chart lists none.
    pub(crate) dependencies: Option<Vec<Dependency>>,
    /// The subcharts that take part.
    pub(crate) children: Vec<Instance<'c>>,
    /// Default values after import from subcharts; `None`: those of the chart.
    values: Option<Map>,
}

impl<'c> Instance<'c> {
    /// The tree as it was loaded.
    pub(crate) fn new(chart: &'c Chart) -> Self {
        Instance {
            chart,
            name: chart.metadata.name.clone(),
            dependencies: chart.metadata.dependencies.clone(),
            children: chart.subcharts.iter().map(Instance::new).collect(),
            values: None,
        }
    }

    /// A fresh copy of the default values.
    pub(crate) fn copy_values(&self) -> Map {
        match &self.values {
            Some(values) => tree::deep_copy(values),
            None => tree::from_json(&self.chart.values),
        }
    }

    /// Replaces the default values.
    pub(crate) fn set_values(&mut self, values: Map) {
        self.values = Some(values);
    }
}
