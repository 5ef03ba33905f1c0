//! `helmCharts` and what is common to them.

use serde_json::{Map, Value};

use crate::decode::{Decode, Decoder};

/// `helmGlobals`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct HelmGlobals {
    pub(crate) chart_home: String,
    pub(crate) config_home: String,
}

impl Decode for HelmGlobals {
    const NAME: &'static str = "HelmGlobals";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "charthome" => self.chart_home = d.string(value),
            "confighome" => self.config_home = d.string(value),
            _ => return false,
        }
        true
    }
}

/// One entry of `helmCharts`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct HelmChart {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) repo: String,
    pub(crate) release_name: String,
    pub(crate) namespace: String,
    pub(crate) additional_values_files: Vec<String>,
    pub(crate) values_file: String,
    pub(crate) values_inline: Map<String, Value>,
    pub(crate) values_merge: String,
    pub(crate) include_crds: bool,
    pub(crate) skip_hooks: bool,
    pub(crate) api_versions: Vec<String>,
    pub(crate) kube_version: String,
    pub(crate) name_template: String,
    pub(crate) skip_tests: bool,
    pub(crate) debug: bool,
    pub(crate) devel: bool,
}

impl Decode for HelmChart {
    const NAME: &'static str = "HelmChart";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "name" => self.name = d.string(value),
            "version" => self.version = d.string(value),
            "repo" => self.repo = d.string(value),
            "releasename" => self.release_name = d.string(value),
            "namespace" => self.namespace = d.string(value),
            "additionalvaluesfiles" => self.additional_values_files = d.strings(value),
            "valuesfile" => self.values_file = d.string(value),
            "valuesinline" => self.values_inline = d.any_map(value),
            "valuesmerge" => self.values_merge = d.string(value),
            "includecrds" => self.include_crds = d.bool(value),
            "skiphooks" => self.skip_hooks = d.bool(value),
            "apiversions" => self.api_versions = d.strings(value),
            "kubeversion" => self.kube_version = d.string(value),
            "nametemplate" => self.name_template = d.string(value),
            "skiptests" => self.skip_tests = d.bool(value),
            "debug" => self.debug = d.bool(value),
            "devel" => self.devel = d.bool(value),
            _ => return false,
        }
        true
    }
}

/// One entry of the old `helmChartInflationGenerator`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct HelmChartArgs {
    chart: HelmChart,
    globals: HelmGlobals,
}

impl Decode for HelmChartArgs {
    const NAME: &'static str = "HelmChartArgs";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "chartname" => self.chart.name = d.string(value),
            "chartversion" => self.chart.version = d.string(value),
            "chartrepourl" => self.chart.repo = d.string(value),
            "charthome" => self.globals.chart_home = d.string(value),
            "helmhome" => self.globals.config_home = d.string(value),
            "values" => self.chart.values_file = d.string(value),
            "valueslocal" => self.chart.values_inline = d.any_map(value),
            "valuesmerge" => self.chart.values_merge = d.string(value),
            "releasename" => self.chart.release_name = d.string(value),
            "chartreponame" | "helmbin" | "releasenamespace" => {
                d.string(value);
            }
            "extraargs" => {
                d.strings(value);
            }
            _ => return false,
        }
        true
    }
}

/// The old entries as new ones, and the globals that they carry.
pub(super) fn split(old: Vec<HelmChartArgs>) -> (Vec<HelmChart>, HelmGlobals) {
    let mut globals = HelmGlobals::default();
    let mut charts = Vec::with_capacity(old.len());
    for args in old {
        if !args.globals.config_home.is_empty() {
            globals.config_home = args.globals.config_home;
        }
        if !args.globals.chart_home.is_empty() {
            globals.chart_home = args.globals.chart_home;
        }
        charts.push(args.chart);
    }
    (charts, globals)
}

/// A chart as a generator plugin's configuration file has it: chart and globals in one.
#[derive(Debug, Default)]
pub(crate) struct HelmSpec {
    pub(crate) chart: HelmChart,
    pub(crate) globals: HelmGlobals,
}

impl Decode for HelmSpec {
    const NAME: &'static str = "HelmChartInflationGeneratorPlugin";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        self.globals.field(d, name, value) || self.chart.field(d, name, value)
    }
}
