//! A node that runs real containers: containerd, kubelet and kube-proxy, as root on Linux.
//!
//! All of it lives in network, mount and process namespaces that one sleeping process holds. When
//! that process ends, so do the containers, and the mounts, bridges and iptables rules are gone: the
//! machine itself is changed by one veth interface and one cgroup, and `down` removes both.

mod image;
mod namespaces;
mod packages;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;

pub(super) use namespaces::Namespaces;
pub(super) use packages::require;

use super::pki::Pki;
use crate::error::{Context, Error, Result};
use crate::go_build::GoModule;
use crate::process::{Background, wait_until};

/// Name of the node, label and taint of the same meaning: only pods that ask for it run there.
pub(super) const REAL: &str = "tiphys.dev/real";

/// What only a real node needs of Kubernetes.
pub(super) const KUBELET: GoModule = GoModule {
    folder: "cluster/kubernetes",
    programs: &[
        ("k8s.io/kubernetes/cmd/kubelet", "kubelet"),
        ("k8s.io/kubernetes/cmd/kube-proxy", "kube-proxy"),
    ],
    ldflags: super::control_plane::KUBERNETES.ldflags,
};

/// Starts the programs of the node one after the other.
pub(super) struct RealNode<'a> {
    pub(super) folder: &'a Path,
    pub(super) pki: &'a Pki,
    pub(super) namespaces: &'a Namespaces,
    pub(super) name: &'a str,
}

impl RealNode<'_> {
    pub(super) fn start(&self) -> Result<Vec<Background>> {
        let binaries = KUBELET.build()?;
        let image = image::archive(self.folder)?;
        namespaces::make_cgroup(self.name)?;
        let containerd = self.containerd()?;
        self.import(&image, &containerd)?;
        let kubelet = self.kubelet(&binaries)?;
        let proxy = self.proxy(&binaries)?;
        Ok(vec![containerd, kubelet, proxy])
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("containerd.sock")
    }

    fn containerd(&self) -> Result<Background> {
        let network = self.folder.join("cni");
        fs::create_dir_all(&network).context("making the CNI folder")?;
        let bridge = json!({
            "cniVersion": "0.4.0",
            "name": "tiphys",
            "plugins": [
                {"type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true,
                 "ipam": {"type": "host-local", "dataDir": self.folder.join("ipam"),
                          "ranges": [[{"subnet": "10.244.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
            ],
        });
        fs::write(network.join("10-tiphys.conflist"), bridge.to_string())
            .context("writing the CNI configuration")?;
        let config = self.folder.join("containerd.toml");
        fs::write(&config, self.containerd_config(&network)).context("writing containerd's configuration")?;
        let mut command = self.namespaces.inside("containerd");
        command.arg("--config").arg(&config);
        let containerd = Background::start("containerd", self.folder, command)?;
        let listening = || self.socket().exists();
        if !wait_until(Duration::from_secs(30), std::slice::from_ref(&containerd), listening)? {
            return Err(Error::new(format!("containerd does not listen:\n{}", containerd.log_tail())));
        }
        Ok(containerd)
    }

    fn containerd_config(&self, network: &Path) -> String {
        let folder = self.folder.display();
        // The native snapshotter works on every file system; restrict_oom_score_adj is for machines
        // that lack CAP_SYS_RESOURCE.
        format!(
            "version = 2\nroot = \"{folder}/containerd\"\nstate = \"{folder}/containerd-state\"\n\
             [grpc]\naddress = \"{}\"\n\
             [plugins.\"io.containerd.grpc.v1.cri\"]\nsandbox_image = \"{}\"\nrestrict_oom_score_adj = true\n\
             disable_apparmor = true\n\
             [plugins.\"io.containerd.grpc.v1.cri\".containerd]\nsnapshotter = \"native\"\n\
             [plugins.\"io.containerd.grpc.v1.cri\".cni]\nbin_dir = \"/usr/lib/cni\"\nconf_dir = \"{}\"\n",
            self.socket().display(),
            image::NAME,
            network.display(),
        )
    }

    fn import(&self, archive: &Path, containerd: &Background) -> Result<()> {
        let import = || {
            let mut command = self.namespaces.inside("ctr");
            command.arg("--address").arg(self.socket()).args(["--namespace", "k8s.io", "images", "import"]);
            command.args(["--snapshotter", "native"]).arg(archive).output()
        };
        let imported = || import().is_ok_and(|output| output.status.success());
        if wait_until(Duration::from_secs(30), std::slice::from_ref(containerd), imported)? {
            return Ok(());
        }
        let words =
            import().map(|output| String::from_utf8_lossy(&output.stderr).into_owned()).unwrap_or_default();
        Err(Error::new(format!("importing the image: {words}")))
    }

    fn kubelet(&self, binaries: &Path) -> Result<Background> {
        let config = json!({
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": {
                "anonymous": {"enabled": false},
                "webhook": {"enabled": false},
                "x509": {"clientCAFile": self.pki.ca()},
            },
            "authorization": {"mode": "AlwaysAllow"},
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": namespaces::cgroup_root(self.name),
            "containerRuntimeEndpoint": format!("unix://{}", self.socket().display()),
            "enforceNodeAllocatable": [],
            "failCgroupV1": false,
            "failSwapOn": false,
            "localStorageCapacityIsolation": false,
            "registerWithTaints": [{"key": REAL, "value": "true", "effect": "NoSchedule"}],
            "resolvConf": "",
            "shutdownGracePeriod": "0s",
            "staticPodPath": "",
        });
        let file = self.folder.join("kubelet.json");
        fs::write(&file, config.to_string()).context("writing kubelet's configuration")?;
        let mut command = self.namespaces.inside(binaries.join("kubelet"));
        command
            .arg("--config")
            .arg(&file)
            .arg(format!("--kubeconfig={}", self.folder.join("kubelet.kubeconfig").display()))
            .arg(format!("--root-dir={}", self.folder.join("kubelet").display()))
            .arg(format!("--cert-dir={}", self.folder.join("kubelet-pki").display()))
            .arg(format!("--node-ip={}", self.namespaces.address()))
            .args(["--hostname-override=real-0", &format!("--node-labels={REAL}=true")]);
        Background::start("kubelet", self.folder, command)
    }

    fn proxy(&self, binaries: &Path) -> Result<Background> {
        let mut command = self.namespaces.inside(binaries.join("kube-proxy"));
        command
            .arg(format!("--kubeconfig={}", self.folder.join("kubelet.kubeconfig").display()))
            .args(["--proxy-mode=iptables", "--hostname-override=real-0", "--cluster-cidr=10.244.0.0/16"])
            .args(["--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0"])
            .args(["--conntrack-tcp-timeout-close-wait=0"]);
        Background::start("kube-proxy", self.folder, command)
    }
}

/// Removes what the namespaces' end does not.
pub(super) fn clean(name: &str) {
    namespaces::remove_cgroup(name);
}

fn succeed(mut command: Command) -> Result<()> {
    let output = command.output().context(format!("{command:?}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::new(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim())))
}
