//! Where things are: the workspace, and the cache that outlives clones.

use std::env;
use std::path::{Path, PathBuf};

use crate::error::{Context, Result};

/// The root folder of the workspace that this xtask was built from.
pub fn workspace() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_path_buf()
}

/// The cache folder: `$TIPHYS_CACHE`, else `$XDG_CACHE_HOME/tiphys`, else `~/.cache/tiphys`.
pub fn cache() -> Result<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("TIPHYS_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|xdg| xdg.join("tiphys")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/tiphys")))
        .context("no cache folder: set TIPHYS_CACHE or HOME")
}

/// Where Cargo builds: `$CARGO_TARGET_DIR` if set; else the folder in the cache that CI builds in, so
/// that a second clone starts warm, where there is one; else `target` of the workspace.
pub fn target() -> PathBuf {
    if let Some(set) = env::var_os("CARGO_TARGET_DIR") {
        return workspace().join(set);
    }
    match cache().map(|cache| cache.join("target")) {
        Ok(shared) if shared.is_dir() => shared,
        _ => workspace().join("target"),
    }
}
