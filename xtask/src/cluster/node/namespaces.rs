//! The namespaces of a real node, held by one sleeping process, and the veth pair into them.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::succeed;
use crate::error::{Context, Error, Result};
use crate::process::{Background, wait_until};

/// Network, mount and process namespaces with an address that this machine can reach.
#[derive(Clone, Debug)]
pub(in crate::cluster) struct Namespaces {
    /// The first process inside, as seen from outside.
    holder: u32,
    subnet: u8,
}

impl Namespaces {
    /// Makes them; they end with the returned program.
    pub(in crate::cluster) fn create(folder: &Path) -> Result<(Self, Background)> {
        let mut command = Command::new("unshare");
        command
            .args([
                "--net",
                "--mount",
                "--propagation",
                "private",
                "--pid",
                "--fork",
                "--kill-child",
                "--mount-proc",
            ])
            .args(["sleep", "infinity"]);
        let program = Background::start("namespaces", folder, command)?;
        let children = format!("/proc/{0}/task/{0}/children", program.pid());
        let mut holder = None;
        wait_until(Duration::from_secs(10), std::slice::from_ref(&program), || {
            holder = fs::read_to_string(&children).ok().and_then(|list| list.trim().parse().ok());
            holder.is_some()
        })?;
        let holder = holder.context("the namespaces' first process did not start")?;
        let namespaces = Self { holder, subnet: free_subnet()? };
        namespaces.hide_system_folders(folder)?;
        namespaces.connect()?;
        Ok((namespaces, program))
    }

    /// The address of the node and of its API server.
    pub(in crate::cluster) fn address(&self) -> String {
        format!("10.213.{}.2", self.subnet)
    }

    /// A command in the network namespace alone: for the control plane.
    pub(in crate::cluster) fn on_network(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.holder)).arg("--").arg(program);
        command
    }

    /// A command in all of the namespaces.
    pub(super) fn inside(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.holder.to_string(), "--net", "--mount", "--pid", "--"]).arg(program);
        command.env_remove("KUBECONFIG");
        command
    }

    /// What containerd, CNI and kubelet write to these places must not reach the machine.
    fn hide_system_folders(&self, cluster: &Path) -> Result<()> {
        for hidden in ["/run", "/var/lib", "/var/log"].iter().filter(|hidden| !cluster.starts_with(hidden)) {
            let mut mount = self.inside("mount");
            mount.args(["-t", "tmpfs", "tmpfs", hidden]);
            succeed(mount)?;
        }
        Ok(())
    }

    fn connect(&self) -> Result<()> {
        let (outside, holder) = (interface(self.subnet), self.holder.to_string());
        let ip = |arguments: &[&str]| {
            let mut command = Command::new("ip");
            command.args(arguments);
            succeed(command)
        };
        let ip_inside = |arguments: &[&str]| {
            let mut command = self.on_network("ip");
            command.args(arguments);
            succeed(command)
        };
        ip(&["link", "add", &outside, "type", "veth", "peer", "name", "eth0", "netns", &holder])?;
        ip(&["address", "add", &format!("10.213.{}.1/24", self.subnet), "dev", &outside])?;
        ip(&["link", "set", &outside, "up"])?;
        ip_inside(&["address", "add", &format!("{}/24", self.address()), "dev", "eth0"])?;
        ip_inside(&["link", "set", "eth0", "up"])?;
        ip_inside(&["link", "set", "lo", "up"])?;
        ip_inside(&["route", "add", "default", "via", &format!("10.213.{}.1", self.subnet)])?;
        let mut forward = self.on_network("sh");
        forward.args(["-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);
        succeed(forward)
    }
}

fn interface(subnet: u8) -> String {
    format!("tiphys{subnet}")
}

fn free_subnet() -> Result<u8> {
    let taken = |subnet: &u8| Path::new("/sys/class/net").join(interface(*subnet)).exists();
    (0..=250).find(|subnet| !taken(subnet)).ok_or_else(|| Error::new("no free subnet in 10.213.0.0/16"))
}

/// The kubelet's cgroup, so that two clusters do not share one.
pub(super) fn cgroup_root(name: &str) -> String {
    format!("/tiphys-{name}")
}

pub(super) fn make_cgroup(name: &str) -> Result<()> {
    for hierarchy in hierarchies() {
        let folder = hierarchy.join(format!("tiphys-{name}"));
        // Some hierarchies take no children; the kubelet does not need those.
        if fs::create_dir(&folder).is_ok() && hierarchy.ends_with("cpuset") {
            for file in ["cpuset.cpus", "cpuset.mems"] {
                let parent = fs::read_to_string(hierarchy.join(file)).context(file)?;
                fs::write(folder.join(file), parent.trim()).context(file)?;
            }
        }
    }
    Ok(())
}

pub(super) fn remove_cgroup(name: &str) {
    for hierarchy in hierarchies() {
        remove_tree(&hierarchy.join(format!("tiphys-{name}")));
    }
}

/// The cgroup v1 hierarchies, or the one of v2.
fn hierarchies() -> Vec<PathBuf> {
    let root = Path::new("/sys/fs/cgroup");
    if root.join("cgroup.controllers").exists() {
        return vec![root.to_path_buf()];
    }
    let entries = fs::read_dir(root).into_iter().flatten();
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("cgroup.procs").exists())
        .collect()
}

/// Cgroups are removed one by one, the inner ones first; their files cannot be.
fn remove_tree(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir())
        .for_each(|path| remove_tree(&path));
    let _ = fs::remove_dir(folder);
}
