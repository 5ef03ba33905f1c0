//! What template functions find behind `Exec::host`: state of one render, and what it looked at.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use gotemplate::Map;

/// Answers the template function `lookup`.
pub trait Lookup: Send + Sync {
    /// The object, or a list of objects when `name` is empty; an empty map when there is none.
    ///
    /// # Errors
    /// A text for the user; stops the render.
    fn lookup(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<serde_json::Value, String>;
}

/// How often a template may include itself, through whatever others.
const MAX_INCLUDES: u32 = 1000;

/// State of one render.
pub(super) struct Host {
    lookup: Option<Arc<dyn Lookup>>,
    /// How many calls of each template are under way.
    including: RefCell<HashMap<String, u32>>,
    /// The chart path of each `.Files` map, by the address of the map.
    file_maps: RefCell<HashMap<usize, String>>,
    /// Maps that `.Files.Glob` made: kept so that their addresses stay theirs.
    globbed: RefCell<Vec<Map>>,
    files_read: RefCell<BTreeSet<String>>,
    api_versions_asked: RefCell<BTreeSet<String>>,
}

impl Host {
    pub(super) fn new(lookup: Option<Arc<dyn Lookup>>) -> Self {
        Host {
            lookup,
            including: RefCell::default(),
            file_maps: RefCell::default(),
            globbed: RefCell::default(),
            files_read: RefCell::default(),
            api_versions_asked: RefCell::default(),
        }
    }

    /// Begins an `include`; `None` when the template is in too many of itself.
    pub(super) fn enter(&self, template: &str) -> Option<()> {
        let mut including = self.including.borrow_mut();
        match including.get_mut(template) {
            Some(count) if *count > MAX_INCLUDES => return None,
            Some(count) => *count += 1,
            None => {
                including.insert(template.to_owned(), 1);
            }
        }
        Some(())
    }

    /// Ends an `include`.
    pub(super) fn leave(&self, template: &str) {
        if let Some(count) = self.including.borrow_mut().get_mut(template) {
            *count = count.saturating_sub(1);
        }
    }

    /// The cluster's answer; without a cluster an empty map.
    pub(super) fn lookup(&self, args: [&str; 4]) -> Result<serde_json::Value, String> {
        let [api_version, kind, namespace, name] = args;
        match &self.lookup {
            Some(lookup) => lookup.lookup(api_version, kind, namespace, name),
            None => Ok(serde_json::Value::Object(serde_json::Map::new())),
        }
    }

    /// Makes the files of a chart known, so that reads can be told apart.
    pub(super) fn add_files(&self, files: &Map, chart_path: &str) {
        self.file_maps.borrow_mut().insert(files.address(), chart_path.to_owned());
    }

    /// Notes that a template read a file, whether it is there or not.
    pub(super) fn note_read(&self, files: &Map, name: &str) {
        if let Some(chart) = self.file_maps.borrow().get(&files.address()) {
            self.files_read.borrow_mut().insert(format!("{chart}/{name}"));
        }
    }

    /// Notes what a glob found.
    pub(super) fn note_glob(&self, all: &Map, found: &Map) {
        let chart = self.file_maps.borrow().get(&all.address()).cloned();
        if let Some(chart) = chart {
            for name in found.keys() {
                self.files_read.borrow_mut().insert(format!("{chart}/{}", name.to_text()));
            }
            self.add_files(found, &chart);
            self.globbed.borrow_mut().push(found.clone());
        }
    }

    /// Notes that a template asked for an API version.
    pub(super) fn note_api_version(&self, version: &str) {
        self.api_versions_asked.borrow_mut().insert(version.to_owned());
    }

    /// The files that were read, with the paths of their charts, and the API versions that were asked for.
    pub(super) fn into_seen(self) -> (BTreeSet<String>, BTreeSet<String>) {
        (self.files_read.into_inner(), self.api_versions_asked.into_inner())
    }
}
