//! From files to a chart.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::archive::{ArchiveLimits, unpack};
use super::files::{File, select};
use super::metadata::RawMetadata;
use super::{Chart, Warning};
use crate::values::merge_maps;
use crate::{Error, Result};

/// Deepest nesting of charts inside charts.
const MAX_DEPTH: usize = 32;

/// Loads the files of a directory, `.helmignore` applied.
pub(super) fn directory(files: Vec<File>, limits: &ArchiveLimits) -> Result<Chart> {
    let total: u64 = files.iter().map(|f| f.data.len() as u64).sum();
    if total > limits.bytes {
        return Err(Error::load(format!(
            "chart exceeds maximum decompressed size of {} bytes",
            limits.bytes
        )));
    }
    if files.len() > limits.files {
        return Err(Error::Limit(format!("chart has more than {} files", limits.files)));
    }
    let chart_yaml = files.iter().find(|f| &*f.path == "Chart.yaml");
    let chart_yaml = chart_yaml.ok_or_else(|| {
        Error::load("unable to detect chart at Chart.yaml: open Chart.yaml: no such file or directory")
    })?;
    check_api_version(chart_yaml)?;
    let mut loader = Loader { limits: *limits, left: limits.bytes, warnings: Vec::new() };
    let chart = loader.load(select(files)?, 0)?;
    Ok(Chart { warnings: loader.warnings, ..chart })
}

/// Loads a `.tgz`.
pub(super) fn archive(data: &[u8], limits: &ArchiveLimits) -> Result<Chart> {
    let files = unpack(data, limits)?;
    let used: u64 = files.iter().map(|f| f.data.len() as u64).sum();
    let chart_yaml = files.iter().find(|f| &*f.path == "Chart.yaml");
    let missing = || Error::load("unable to detect chart version, no Chart.yaml found");
    check_api_version(chart_yaml.ok_or_else(missing)?)?;
    let left = limits.bytes.saturating_sub(used);
    let mut loader = Loader { limits: *limits, left, warnings: Vec::new() };
    let chart = loader.load(files, 0)?;
    Ok(Chart { warnings: loader.warnings, ..chart })
}

/// Helm looks at the API version of the outermost chart first, to choose a loader.
fn check_api_version(chart_yaml: &File) -> Result<()> {
    let version = RawMetadata::read_api_version(&chart_yaml.data)
        .map_err(|e| Error::load(format!("cannot load Chart.yaml: {e}")))?;
    match version.as_str() {
        "" | "v1" | "v2" => Ok(()),
        "v3" => Err(Error::load("invalid chart apiVersion")),
        _ => Err(Error::load("unsupported chart version")),
    }
}

struct Loader {
    limits: ArchiveLimits,
    /// Bytes that archives inside archives may still unpack to.
    left: u64,
    warnings: Vec<Warning>,
}

/// The files of one chart, by what they are.
#[derive(Default)]
struct Parts {
    templates: Vec<File>,
    files: Vec<File>,
    values: Map<String, Value>,
    schema: Option<Arc<[u8]>>,
    /// By the first path element below `charts/`.
    subcharts: BTreeMap<String, Vec<File>>,
}

impl Loader {
    fn load(&mut self, files: Vec<File>, depth: usize) -> Result<Chart> {
        if depth > MAX_DEPTH {
            return Err(Error::Limit(format!("charts are nested more than {MAX_DEPTH} levels deep")));
        }
        let mut metadata = None;
        for file in files.iter().filter(|f| &*f.path == "Chart.yaml") {
            let raw: &mut RawMetadata = metadata.get_or_insert_default();
            raw.read(&file.data).map_err(|e| Error::load(format!("cannot load Chart.yaml: {e}")))?;
            raw.default_api_version();
        }
        let parts = self.sort(files, &mut metadata)?;
        let metadata = metadata.ok_or_else(|| Error::load("Chart.yaml file is missing"))?;
        let metadata = metadata.validate().map_err(Error::Load)?;
        let mut subcharts = Vec::new();
        for (name, files) in parts.subcharts {
            let loaded = self.subchart(&name, files, &metadata.name, depth);
            let wrap = |e| Error::load(format!("error unpacking subchart {name} in {}: {e}", metadata.name));
            subcharts.extend(loaded.map_err(wrap)?);
        }
        Ok(Chart {
            metadata,
            templates: parts.templates,
            files: parts.files,
            values: parts.values,
            schema: parts.schema,
            subcharts,
            warnings: Vec::new(),
            templates_cache: Default::default(),
        })
    }

    fn sort(&mut self, files: Vec<File>, metadata: &mut Option<RawMetadata>) -> Result<Parts> {
        let mut parts = Parts::default();
        for file in files {
            match &*file.path {
                "Chart.yaml" => {}
                "Chart.lock" => check_lock(&file)?,
                "values.yaml" => {
                    let cannot = |e| Error::load(format!("cannot load values.yaml: {e}"));
                    parts.values = read_values(&file.data).map_err(cannot)?;
                }
                "values.schema.json" => parts.schema = Some(Arc::clone(&file.data)),
                "requirements.yaml" | "requirements.lock" => {
                    self.requirements(&file, metadata.get_or_insert_default())?;
                    if metadata.as_ref().is_some_and(|m| m.api_version() == "v1") {
                        parts.files.push(file);
                    }
                }
                path if path.starts_with("templates/") => parts.templates.push(file),
                path => match path.strip_prefix("charts/") {
                    Some(inner) if !has_extension(path, ".prov") => {
                        let first = inner.split('/').next().unwrap_or(inner).to_owned();
                        let inner = File { path: Arc::from(inner), data: file.data };
                        parts.subcharts.entry(first).or_default().push(inner);
                    }
                    _ => parts.files.push(file),
                },
            }
        }
        Ok(parts)
    }

    /// Dependencies of charts of Helm 2.
    fn requirements(&mut self, file: &File, metadata: &mut RawMetadata) -> Result<()> {
        let is_v1 = metadata.api_version() == "v1";
        if &*file.path == "requirements.lock" {
            check_lock(file)?;
            if !is_v1 {
                self.warnings.push(Warning::log("Warning: Dependency locking is handled in Chart.lock since apiVersion \"v2\". We recommend migrating to Chart.lock."));
            }
            return Ok(());
        }
        if !is_v1 {
            self.warnings.push(Warning::log("Warning: Dependencies are handled in Chart.yaml since apiVersion \"v2\". We recommend migrating dependencies to Chart.yaml."));
        }
        metadata.read(&file.data).map_err(|e| Error::load(format!("cannot load requirements.yaml: {e}")))
    }

    /// A directory or an archive below `charts/`; names that start with `_` or `.` are left out.
    fn subchart(
        &mut self,
        name: &str,
        files: Vec<File>,
        parent: &str,
        depth: usize,
    ) -> Result<Option<Chart>> {
        if name.starts_with(['_', '.']) {
            return Ok(None);
        }
        if has_extension(name, ".tgz") {
            let file = files.into_iter().next().ok_or_else(|| Error::load("no files"))?;
            if &*file.path != name {
                let path = &file.path;
                return Err(Error::load(format!(
                    "error unpacking subchart tar in {parent}: expected {name}, got {path}"
                )));
            }
            let files = unpack(&file.data, &ArchiveLimits { bytes: self.left, ..self.limits })?;
            self.left = self.left.saturating_sub(files.iter().map(|f| f.data.len() as u64).sum());
            return self.load(files, depth + 1).map(Some);
        }
        let inner = files.into_iter().filter_map(|f| {
            let (_, path) = f.path.split_once('/')?;
            Some(File { path: Arc::from(path), data: Arc::clone(&f.data) })
        });
        self.load(inner.collect(), depth + 1).map(Some)
    }
}

/// Go's `filepath.Ext(path) == extension`.
fn has_extension(path: &str, extension: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rfind('.').is_some_and(|dot| &name[dot..] == extension)
}

/// Lock files have no effect on rendering, but broken ones are refused.
fn check_lock(file: &File) -> Result<()> {
    let cannot = |e: String| Error::load(format!("cannot load {}: {e}", file.path));
    let value = goyaml::from_yaml(&file.data).map_err(|e| cannot(e.to_string()))?;
    match value {
        Value::Null | Value::Object(_) => Ok(()),
        other => {
            let kind = super::struct_reader::json_kind(&other);
            let message = format!("json: cannot unmarshal {kind} into Go value of type v2.Lock");
            Err(cannot(super::struct_reader::unmarshal_error(&message)))
        }
    }
}

/// Reads values: all documents of the text, later ones merged over earlier ones.
///
/// # Errors
/// In Helm's words: `cannot unmarshal yaml document: …`, `error reading yaml document: …`.
pub(crate) fn read_values(text: &[u8]) -> Result<Map<String, Value>, String> {
    let mut values = Map::new();
    let options = goyaml::DecodeOptions { target: goyaml::Target::Map, ..Default::default() };
    for document in goyaml::read_documents(text) {
        let document = document.map_err(|e| format!("error reading yaml document: {e}"))?;
        match goyaml::decode(&document, &options) {
            Ok(Value::Object(map)) => values = merge_maps(values, map),
            Ok(_) => {}
            Err(e) => return Err(format!("cannot unmarshal yaml document: {e}")),
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions() {
        assert!(has_extension("charts/a.tgz", ".tgz"));
        assert!(!has_extension("charts/a.tgz/x", ".tgz"));
        assert!(has_extension("a.prov", ".prov"));
    }
}
