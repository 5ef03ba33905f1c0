//! The fuzz target: kustomizations and what they name, on any bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use kustomize::{Build, Entry, Error, Files, missing};

/// Files by clean absolute path.
struct Memory(BTreeMap<String, Arc<[u8]>>);

impl Files for Memory {
    fn resolve(&self, path: &str) -> Result<Entry, Error> {
        if self.0.contains_key(path) {
            let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
            return Ok(Entry::File { directory: directory.to_owned(), name: name.to_owned() });
        }
        let below = format!("{path}/");
        if self.0.keys().any(|file| file.starts_with(&below)) {
            return Ok(Entry::Directory(path.to_owned()));
        }
        Err(missing(path, path))
    }

    fn read(&self, path: &str) -> Result<Arc<[u8]>, Error> {
        self.0.get(path).cloned().ok_or_else(|| missing(path, path))
    }
}

/// What stands between the files of an input.
pub(crate) const CUT: &[u8] = b"\n=====\n";

/// Builds `/o`: the parts of the input are its kustomization, `/o/r.yaml`, `/o/p.yaml` and the kustomization of `/b`.
pub(crate) fn run(bytes: &[u8]) {
    const PATHS: [&str; 4] = ["/o/kustomization.yaml", "/o/r.yaml", "/o/p.yaml", "/b/kustomization.yaml"];
    let mut files = BTreeMap::new();
    let mut rest = bytes;
    for path in PATHS {
        let end = rest.windows(CUT.len()).position(|window| window == CUT);
        let part = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        files.insert(path.to_owned(), Arc::from(part));
        rest = end.and_then(|end| rest.get(end + CUT.len()..)).unwrap_or_default();
    }
    let mut build = Build::new(Arc::new(Memory(files)));
    build.limits.output_bytes = 1 << 20;
    let _ = build.run("/o");
}
