//! The programs of a cluster and their command lines.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use super::node::Namespaces;
use super::pki::{Pki, write_private};
use super::{ADMIN_TOKEN_FILE, Options, stages};
use crate::error::{Context, Error, Result};
use crate::go_build::GoModule;
use crate::process::{Background, wait_until};

/// Kubernetes and etcd, without what only a real node needs.
pub(super) const KUBERNETES: GoModule = GoModule {
    folder: "cluster/kubernetes",
    programs: &[
        ("go.etcd.io/etcd/server/v3", "etcd"),
        ("k8s.io/kubernetes/cmd/kube-apiserver", "kube-apiserver"),
        ("k8s.io/kubernetes/cmd/kube-controller-manager", "kube-controller-manager"),
        ("k8s.io/kubernetes/cmd/kube-scheduler", "kube-scheduler"),
        ("k8s.io/kubernetes/cmd/kubectl", "kubectl"),
    ],
    ldflags: "-s -w -X k8s.io/component-base/version.gitVersion=v1.35.4 \
              -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=35",
};

/// The player of kubelets.
pub(super) const KWOK: GoModule =
    GoModule { folder: "cluster/kwok", programs: &[("sigs.k8s.io/kwok/cmd/kwok", "kwok")], ldflags: "-s -w" };

/// Ports on loopback that were free when asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    etcd: u16,
    etcd_peer: u16,
    pub(super) api: u16,
    pub(super) metrics: u16,
}

impl Ports {
    /// Four different free ports; all are held at once, so that two clusters seldom get the same.
    pub(super) fn free() -> Result<Self> {
        let listen = || TcpListener::bind("127.0.0.1:0").context("looking for a free port");
        let held = [listen()?, listen()?, listen()?, listen()?];
        let port = |index: usize| held[index].local_addr().map(|address| address.port()).context("port");
        Ok(Self { etcd: port(0)?, etcd_peer: port(1)?, api: port(2)?, metrics: port(3)? })
    }
}

/// What the starters of the single programs share.
pub(super) struct Starter<'a> {
    pub(super) folder: &'a Path,
    pub(super) kubernetes: &'a Path,
    pub(super) kwok: &'a Path,
    pub(super) pki: &'a Pki,
    pub(super) ports: Ports,
    pub(super) options: &'a Options,
    /// Where a real node lives; without one, everything is on loopback.
    pub(super) namespaces: Option<&'a Namespaces>,
}

/// The users of the cluster: name, groups. Each gets a random token and a kubeconfig.
const USERS: &[(&str, &str, &str)] = &[
    ("admin", "admin", "system:masters"),
    ("controller-manager", "system:kube-controller-manager", ""),
    ("scheduler", "system:kube-scheduler", ""),
    ("kwok", "kwok", "system:masters"),
    ("metrics", "metrics", "system:masters"),
    ("kubelet", "kubelet", "system:masters"),
    // The operator under test: a user of its own, so that its requests can be told apart.
    ("tiphys", super::OPERATOR_USER, "system:masters"),
];

impl Starter<'_> {
    /// Writes the token file and a kubeconfig for each user; the admin's is `kubeconfig`.
    pub(super) fn write_access(&self) -> Result<()> {
        let mut tokens = String::new();
        let ca = base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            fs::read(self.pki.ca()).context("reading the CA")?,
        );
        for (file, user, groups) in USERS {
            let token = random_token()?;
            tokens.push_str(&format!("{token},{user},{user},\"{groups}\"\n"));
            let kubeconfig = kubeconfig(&self.server(), &ca, &token);
            let name = if *file == "admin" { "kubeconfig".to_owned() } else { format!("{file}.kubeconfig") };
            write_private(&self.folder.join(name), &kubeconfig)?;
            if *file == "admin" {
                write_private(&self.folder.join(ADMIN_TOKEN_FILE), &token)?;
            }
        }
        write_private(&self.folder.join("tokens.csv"), &tokens)
    }

    /// The API server's URL.
    pub(super) fn server(&self) -> String {
        format!("https://{}:{}", address(self.namespaces), self.ports.api)
    }

    fn command(&self, program: impl AsRef<Path>) -> Command {
        let program = self.kubernetes.join(program);
        let mut command = match self.namespaces {
            None => Command::new(program),
            Some(namespaces) => namespaces.on_network(program),
        };
        // Nothing of the developer's environment may reach the cluster.
        command.env_remove("KUBECONFIG").current_dir(self.folder);
        command
    }

    /// Starts etcd and waits until it listens.
    pub(super) fn etcd(&self) -> Result<Background> {
        let client = format!("http://127.0.0.1:{}", self.ports.etcd);
        let peer = format!("http://127.0.0.1:{}", self.ports.etcd_peer);
        let mut command = self.command("etcd");
        command
            .arg("--data-dir")
            .arg(self.folder.join("etcd"))
            .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
            .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
            .args(["--initial-cluster", &format!("default={peer}")])
            .args(["--unsafe-no-fsync", "--log-level", "warn", "--quota-backend-bytes", "8589934592"]);
        let etcd = Background::start("etcd", self.folder, command)?;
        if self.namespaces.is_some() {
            // Out of our reach; the API server waits for it too.
            return Ok(etcd);
        }
        let address = ([127, 0, 0, 1], self.ports.etcd).into();
        let listening = || std::net::TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok();
        if !wait_until(Duration::from_secs(60), std::slice::from_ref(&etcd), listening)? {
            return Err(Error::new(format!("etcd does not listen after 60 s:\n{}", etcd.log_tail())));
        }
        Ok(etcd)
    }

    /// Starts the API server: admission as by default, RBAC, tokens, aggregation.
    pub(super) fn api_server(&self) -> Result<Background> {
        let mut command = self.command("kube-apiserver");
        let mut file = |flag: &str, path: std::path::PathBuf| {
            command.arg(format!("--{flag}={}", path.display()));
        };
        file("cert-dir", self.folder.join("apiserver"));
        file("tls-cert-file", self.pki.certificate("apiserver"));
        file("tls-private-key-file", self.pki.key("apiserver"));
        file("token-auth-file", self.folder.join("tokens.csv"));
        file("service-account-key-file", self.pki.public_key("service-account"));
        file("service-account-signing-key-file", self.pki.key("service-account"));
        file("requestheader-client-ca-file", self.pki.ca());
        file("proxy-client-cert-file", self.pki.certificate("front-proxy"));
        file("proxy-client-key-file", self.pki.key("front-proxy"));
        file("kubelet-client-certificate", self.pki.certificate("front-proxy"));
        file("kubelet-client-key", self.pki.key("front-proxy"));
        if self.options.audit {
            let policy = self.folder.join("audit-policy.yaml");
            fs::write(&policy, AUDIT_POLICY).context("writing the audit policy")?;
            file("audit-policy-file", policy);
            file("audit-log-path", self.folder.join("audit.log"));
        }
        command
            .arg(format!("--etcd-servers=http://127.0.0.1:{}", self.ports.etcd))
            .arg(format!("--secure-port={}", self.ports.api))
            .args(self.api_server_address())
            .args(["--authorization-mode=RBAC", "--allow-privileged=true"])
            .args(["--service-cluster-ip-range=10.96.0.0/16"])
            .args(["--service-account-issuer=https://kubernetes.default.svc"])
            .args([
                "--requestheader-allowed-names=front-proxy",
                "--requestheader-username-headers=X-Remote-User",
            ])
            .args(["--requestheader-group-headers=X-Remote-Group"])
            .args(["--requestheader-extra-headers-prefix=X-Remote-Extra-"]);
        Background::start("kube-apiserver", self.folder, command)
    }

    fn api_server_address(&self) -> Vec<String> {
        let (bind, advertise) = match self.namespaces {
            // Never dialled; given so that a machine without a default route can start it too.
            None => ("127.0.0.1", "192.0.2.1".to_owned()),
            Some(namespaces) => ("0.0.0.0", namespaces.address()),
        };
        vec![
            format!("--bind-address={bind}"),
            format!("--advertise-address={advertise}"),
            "--kubelet-preferred-address-types=InternalIP".to_owned(),
        ]
    }

    /// Starts the controllers, with an autoscaler that acts within seconds.
    pub(super) fn controller_manager(&self) -> Result<Background> {
        let mut command = self.command("kube-controller-manager");
        command
            .arg(format!("--kubeconfig={}", self.folder.join("controller-manager.kubeconfig").display()))
            .arg(format!("--service-account-private-key-file={}", self.pki.key("service-account").display()))
            .arg(format!("--root-ca-file={}", self.pki.ca().display()))
            .args(["--use-service-account-credentials=true", "--leader-elect=false", "--secure-port=0"])
            // The defaults, 20 and 30, are what a hundred new Deployments would wait for: large clusters raise them.
            .args(["--kube-api-qps=200", "--kube-api-burst=400"])
            .args(["--horizontal-pod-autoscaler-sync-period=2s"])
            .args(["--horizontal-pod-autoscaler-initial-readiness-delay=0s"])
            .args(["--horizontal-pod-autoscaler-cpu-initialization-period=0s"]);
        Background::start("kube-controller-manager", self.folder, command)
    }

    /// Starts the scheduler.
    pub(super) fn scheduler(&self) -> Result<Background> {
        let mut command = self.command("kube-scheduler");
        command
            .arg(format!("--kubeconfig={}", self.folder.join("scheduler.kubeconfig").display()))
            .args(["--leader-elect=false", "--secure-port=0"]);
        Background::start("kube-scheduler", self.folder, command)
    }

    /// Starts KWOK with our stages.
    pub(super) fn kwok(&self) -> Result<Background> {
        let stages = self.folder.join("stages.yaml");
        fs::write(&stages, stages::documents()).context("writing the stages")?;
        let mut command = self.command(self.kwok.join("kwok"));
        command
            .arg(format!("--kubeconfig={}", self.folder.join("kwok.kubeconfig").display()))
            .arg(format!("--config={}", stages.display()))
            .args(["--manage-nodes-with-label-selector=type=kwok", "--node-lease-duration-seconds=40"]);
        Background::start("kwok", self.folder, command)
    }

    /// Starts the answerer for metrics.k8s.io, which is this very program.
    pub(super) fn metrics(&self) -> Result<Background> {
        let mut command = self.command(env::current_exe().context("finding xtask's binary")?);
        command
            .args(["internal", "metrics-api", "--port", &self.ports.metrics.to_string(), "--cluster"])
            .arg(self.folder);
        Background::start("metrics-api", self.folder, command)
    }
}

const AUDIT_POLICY: &str =
    "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Metadata}]\n";

fn random_token() -> Result<String> {
    // The kernel's random numbers, by way of a fresh key: no crate for this alone.
    let key = rcgen::KeyPair::generate().context("random token")?;
    let digest = <sha2::Sha256 as sha2::Digest>::digest(key.serialize_der());
    Ok(digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect())
}

/// Where the API server is reached.
pub(super) fn address(namespaces: Option<&Namespaces>) -> String {
    namespaces.map_or_else(|| "127.0.0.1".to_owned(), Namespaces::address)
}

fn kubeconfig(server: &str, ca: &str, token: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: tiphys\n\
         clusters:\n- name: tiphys\n  cluster:\n    server: {server}\n    certificate-authority-data: {ca}\n\
         users:\n- name: tiphys\n  user:\n    token: {token}\n\
         contexts:\n- name: tiphys\n  context:\n    cluster: tiphys\n    user: tiphys\n    namespace: default\n"
    )
}
