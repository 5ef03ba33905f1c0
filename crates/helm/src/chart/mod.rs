//! Charts: what is in their files. Nothing here looks at the values of a render.

mod archive;
mod dependency;
mod files;
mod ignore;
mod load;
mod metadata;
mod struct_reader;

use std::sync::Arc;

pub use archive::ArchiveLimits;
pub(crate) use archive::clean;
pub use dependency::Dependency;
pub use files::File;
pub use ignore::IgnoreRules;
pub(crate) use load::read_values;
pub use metadata::{Maintainer, Metadata};
use serde_json::{Map, Value};

use crate::Result;

/// A loaded chart with its subcharts: immutable, to be shared between renders and threads in an `Arc`.
#[derive(Debug, Clone)]
pub struct Chart {
    /// `Chart.yaml`.
    pub metadata: Metadata,
    /// Files below `templates/`, partials included.
    pub(crate) templates: Vec<File>,
    /// What `.Files` shows, and the custom resource definitions below `crds/`.
    pub(crate) files: Vec<File>,
    /// `values.yaml`; all numbers are floats.
    pub(crate) values: Map<String, Value>,
    /// `values.schema.json`.
    pub(crate) schema: Option<Arc<[u8]>>,
    /// What is below `charts/`, sorted by directory or archive name.
    pub(crate) subcharts: Vec<Chart>,
    /// What loading warned about; of the outermost chart only.
    pub(crate) warnings: Vec<Warning>,
    /// Templates parsed so far.
    pub(crate) templates_cache: crate::render::TemplateCache,
}

impl Chart {
    /// Loads a chart from the files of its directory, in any order. `.helmignore` is applied here.
    ///
    /// # Errors
    /// [`Error::Load`](crate::Error::Load) in Helm's words.
    pub fn load(files: Vec<File>, limits: &ArchiveLimits) -> Result<Self> {
        load::directory(files, limits)
    }

    /// Loads a chart from a packed archive (`.tgz`), whose `.helmignore` has no effect.
    ///
    /// # Errors
    /// [`Error::Load`](crate::Error::Load) in Helm's words; links, special files and ways out are refused.
    pub fn load_archive(data: &[u8], limits: &ArchiveLimits) -> Result<Self> {
        load::archive(data, limits)
    }

    /// Name of the chart.
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// The default values; all numbers are floats.
    pub fn values(&self) -> &Map<String, Value> {
        &self.values
    }

    /// The charts below `charts/`, whether a render uses them or not.
    pub fn subcharts(&self) -> &[Chart] {
        &self.subcharts
    }

    /// What loading warned about.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

/// Something that Helm prints on standard error while it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The text without time or level.
    pub message: String,
}

impl Warning {
    pub(crate) fn log(message: impl Into<String>) -> Self {
        Warning { message: message.into() }
    }
}
