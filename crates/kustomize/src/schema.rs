//! What is known of kinds: how their lists are merged, and which have no namespace.
//!
//! The built-in table (`data/openapi.txt`) is made by `cargo xtask openapi` from two documents: the one that
//! kustomize 5.8.2 carries (that of Kubernetes v1.21.2), and the one of the API server that Tiphys is made
//! for. `kustomize build` knows only the first, so only it counts unless [`MergeKeys::Kubernetes`] is asked
//! for; what the second has besides is marked in the table. A kustomization can bring a document of its own
//! (`openapi.path`).

mod openapi;
mod table;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, OnceLock};

pub use table::Table;

use crate::error::{Error, Result};
use crate::options::MergeKeys;

/// The name that `openapi.version` has to give, if it gives one.
pub(crate) const BUILT_IN_VERSION: &str = "v1.21.2";

static BUILT_IN: LazyLock<Table> = LazyLock::new(|| Table::from_text(include_str!("../data/openapi.txt")));

/// Lines `apiVersion kind scope`, in order.
static KNOWN_SCOPES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let lines = include_str!("../data/scopes.txt").lines();
    let mut lines: Vec<_> = lines.filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    lines.sort_unstable_by_key(|line| table::of_kind(line));
    lines
});

/// Whether kustomize knows by itself, without a document, that the objects of a kind are in namespaces.
fn is_known_namespaced(api_version: &str, kind: &str) -> Option<bool> {
    let found = KNOWN_SCOPES.binary_search_by_key(&(api_version, kind), |line| table::of_kind(line)).ok()?;
    Some(KNOWN_SCOPES.get(found)?.ends_with(" namespaced"))
}

/// The schema of one build.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    custom: OnceLock<Table>,
    /// Whether what only the API server's document says counts.
    server: bool,
    version_set: AtomicBool,
    /// kustomize reads its own document when it first needs it; before, it knows the scope of fewer kinds.
    read: AtomicBool,
    /// Whether the built-in document was asked for before a custom one came: then both hold.
    asked: AtomicBool,
}

impl Schema {
    pub(crate) fn new(merge_keys: MergeKeys) -> Self {
        Self { server: merge_keys == MergeKeys::Kubernetes, ..Self::default() }
    }

    /// Takes what a kustomization's `openapi` says, with the document that its path leads to. Only the
    /// first document counts; bases cannot replace what an overlay set.
    pub(crate) fn set(&self, version: Option<&str>, document: Option<&[u8]>) -> Result<()> {
        if self.custom.get().is_some() || self.version_set.load(Ordering::Relaxed) {
            return Ok(());
        }
        match (version, document) {
            (Some(_), Some(_)) => {
                Err(Error::new("builtin version and custom schema provided, cannot use both"))
            }
            (None, Some(document)) => {
                let value = goyaml::from_yaml(document).map_err(Error::from)?;
                let _ = self.custom.set(Table::from_openapi(&value));
                Ok(())
            }
            (Some(version), None) if !version.is_empty() => {
                if version != BUILT_IN_VERSION {
                    return Err(Error::new("the specified OpenAPI version is not built in"));
                }
                self.version_set.store(true, Ordering::Relaxed);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The custom table, and the built-in one where it holds.
    fn tables(&self) -> (Option<&Table>, Option<&Table>) {
        let custom = self.custom.get();
        if custom.is_none() {
            self.asked.store(true, Ordering::Relaxed);
        }
        (custom, self.asked.load(Ordering::Relaxed).then(|| &*BUILT_IN))
    }

    /// The shape of objects of a kind, if the kind is known.
    pub(crate) fn of_kind(&self, api_version: &str, kind: &str) -> Option<Shape<'_>> {
        self.read.store(true, Ordering::Relaxed);
        let (custom, built_in) = self.tables();
        custom
            .and_then(|table| table.kind(api_version, kind, built_in, self.server))
            .or_else(|| built_in?.kind(api_version, kind, None, self.server))
    }

    /// The shape that a field has by a schema of its own.
    pub(crate) fn of_field<'t>(&'t self, written: &'t Table) -> Shape<'t> {
        let (custom, built_in) = self.tables();
        written.field_shape(custom.or(built_in), self.server)
    }

    /// Whether a kind is known to have no namespace.
    pub(crate) fn is_cluster_scoped(&self, api_version: &str, kind: &str) -> bool {
        if let Some(namespaced) = is_known_namespaced(api_version, kind) {
            return !namespaced;
        }
        if !self.server && self.custom.get().is_none() && !self.read.load(Ordering::Relaxed) {
            self.asked.store(true, Ordering::Relaxed);
            return false;
        }
        let (custom, built_in) = self.tables();
        let tables = [custom, built_in].into_iter().flatten();
        tables.filter_map(|table| table.is_namespaced(api_version, kind, self.server)).next() == Some(false)
    }
}

pub(crate) use table::Shape;
