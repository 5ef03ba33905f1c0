//! What a real node needs from the system.

use std::path::Path;
use std::process::Command;

use rustix::process::geteuid;

use super::succeed;
use crate::console::Progress;
use crate::error::{Error, Result};

/// Debian packages, each with a file that shows that it is there.
const PACKAGES: &[(&str, &str)] = &[
    ("containerd", "/usr/bin/containerd"),
    ("runc", "/usr/sbin/runc"),
    ("containernetworking-plugins", "/usr/lib/cni/bridge"),
    ("iptables", "/usr/sbin/iptables"),
    ("conntrack", "/usr/sbin/conntrack"),
    ("iproute2", "/usr/sbin/ip"),
];

/// Checks that this machine can have a real node; installs packages only when asked to.
pub(in crate::cluster) fn require(install: bool) -> Result<()> {
    if !cfg!(target_os = "linux") || !geteuid().is_root() {
        return Err(Error::new("--node needs Linux and root"));
    }
    let missing: Vec<&str> =
        PACKAGES.iter().filter(|(_, file)| !is_there(file)).map(|(name, _)| *name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !install {
        let names = missing.join(" ");
        return Err(Error::new(format!(
            "--node needs the Debian packages {names}: install them, or add --install-packages"
        )));
    }
    let progress = Progress::start(format!("installing {}", missing.join(" ")));
    let mut update = Command::new("apt-get");
    update.args(["update", "--quiet"]);
    succeed(update)?;
    let mut command = Command::new("apt-get");
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["install", "--yes", "--no-install-recommends"])
        .args(&missing);
    succeed(command)?;
    progress.done();
    Ok(())
}

/// The file, at its Debian place or elsewhere on the path.
fn is_there(file: &str) -> bool {
    let path = Path::new(file);
    let name = path.file_name().unwrap_or_default();
    let folders = std::env::var_os("PATH").unwrap_or_default();
    path.exists() || std::env::split_paths(&folders).any(|folder| folder.join(name).exists())
}
