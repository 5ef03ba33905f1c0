//! The one image that a real node holds, made from a static binary: no registry is asked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::succeed;
use crate::error::{Context, Result};
use crate::go_build::GoModule;

/// Its name: the sandbox of every pod, and good for test workloads (`serve`, `exit`).
pub(super) const NAME: &str = "tiphys.dev/image:1";

const PROGRAM: GoModule = GoModule { folder: "cluster/image", programs: &[(".", "image")], ldflags: "-s -w" };

/// A tar archive as `ctr images import` takes it: one layer, a configuration, a manifest.
pub(super) fn archive(folder: &Path) -> Result<PathBuf> {
    let parts = folder.join("image");
    fs::create_dir_all(&parts).context("making the image")?;
    fs::copy(PROGRAM.build_static()?.join("image"), parts.join("app")).context("making the image")?;
    tar(&parts, &parts.join("layer.tar"), &["app"])?;
    let layer = fs::read(parts.join("layer.tar")).context("reading the layer")?;
    let digest: String = Sha256::digest(&layer).iter().map(|byte| format!("{byte:02x}")).collect();
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let config = json!({
        "architecture": architecture,
        "os": "linux",
        "config": {"Entrypoint": ["/app"]},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{digest}")]},
    });
    fs::write(parts.join("config.json"), config.to_string()).context("writing the image's configuration")?;
    let manifest = json!([{"Config": "config.json", "RepoTags": [NAME], "Layers": ["layer.tar"]}]);
    fs::write(parts.join("manifest.json"), manifest.to_string()).context("writing the image's manifest")?;
    let archive = folder.join("image.tar");
    tar(&parts, &archive, &["manifest.json", "config.json", "layer.tar"])?;
    Ok(archive)
}

fn tar(folder: &Path, archive: &Path, files: &[&str]) -> Result<()> {
    let mut command = Command::new("tar");
    command.arg("--create").arg("--file").arg(archive).arg("--directory").arg(folder).args(files);
    succeed(command)
}
