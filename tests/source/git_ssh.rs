//! Git over SSH and over Git's own protocol.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::{KeypairData, RsaKeypair};
use russh::keys::{Algorithm, EcdsaCurve, PrivateKey};
use tiphys::source::{Access, Auth, SecretText, SourceError};

use super::fixture::{Repo, World, access, text};
use super::ssh_server::{SshServer, new_key};

fn pem(key: &PrivateKey) -> SecretText {
    SecretText::new(key.to_openssh(LineEnding::LF).unwrap().as_str())
}

fn ssh_access(server: &SshServer, repo: &Repo, key: &PrivateKey) -> Access {
    let mut access = access(&format!("ssh://git@127.0.0.1:{}{}", server.port, repo.path.display()));
    access.auth = Auth::SshKey(pem(key));
    access.known_hosts = server.known_host(0).into();
    access
}

#[tokio::test]
async fn keys_of_every_kind_open_a_repository() {
    let world = World::new();
    let repo = world.repo("it's an app!");
    let commit = repo.write("a.yaml", "a: 1\n").commit("first");
    let rsa = RsaKeypair::random(&mut rand::rng(), 2048).unwrap();
    let keys = [
        new_key(Algorithm::Ed25519),
        new_key(Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 }),
        PrivateKey::new(KeypairData::from(rsa), "rsa").unwrap(),
    ];
    let server = SshServer::start(keys.iter().map(|key| key.public_key().clone()).collect()).await;
    for key in &keys {
        // A space is no part of a URL.
        let mut access = ssh_access(&server, &Repo { path: "/".into() }, key);
        let path = repo.path.display().to_string().replace(' ', "%20");
        access.url =
            tiphys::source::RepoUrl::parse(&format!("ssh://git@127.0.0.1:{}{path}", server.port)).unwrap();
        let tree = world.tree(&access, "main").await.unwrap();
        assert_eq!(text(&tree, "a.yaml"), "a: 1\n");
        assert_eq!(world.resolve(&access, &commit[..7]).await.unwrap().id, commit);
    }
    let commands = server.commands.lock().unwrap().clone();
    assert!(commands[0].starts_with("git-upload-pack '/"), "{commands:?}");
}

#[tokio::test]
async fn host_keys_are_checked() {
    let world = World::new();
    let repo = world.repo("app");
    repo.write("a.yaml", "a: 1\n").commit("first");
    let key = new_key(Algorithm::Ed25519);
    let server = SshServer::start(vec![key.public_key().clone()]).await;
    let mut access = ssh_access(&server, &repo, &key);
    // The server's second key alone is known: it is asked for that one.
    access.known_hosts = server.known_host(1).into();
    world.tree(&access, "main").await.unwrap();
    for (known_hosts, expected) in [
        (String::new(), "is unknown"),
        (server.known_host(0).replace(&server.port.to_string(), "1"), "is unknown"),
        (format!("@revoked {0}\n{0}", server.known_host(0)), "is revoked"),
        (
            format!(
                "[127.0.0.1]:{} {}",
                server.port,
                new_key(Algorithm::Ed25519).public_key().to_openssh().unwrap()
            ),
            "impostor",
        ),
    ] {
        access.known_hosts = known_hosts.into();
        let error = world.resolve(&access, "main").await.unwrap_err();
        assert!(matches!(error, SourceError::Untrusted { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    access.insecure = true;
    access.known_hosts = "".into();
    world.tree(&access, "main").await.unwrap();
}

#[tokio::test]
async fn refusals_say_what_to_change() {
    let world = World::new();
    let repo = world.repo("app");
    repo.write("a.yaml", "a: 1\n").commit("first");
    let key = new_key(Algorithm::Ed25519);
    let server = SshServer::start(vec![key.public_key().clone()]).await;
    let good = ssh_access(&server, &repo, &key);

    let other = Access { auth: Auth::SshKey(pem(&new_key(Algorithm::Ed25519))), ..good.clone() };
    let error = world.resolve(&other, "main").await.unwrap_err();
    assert!(error.to_string().contains("does not accept the SSH key"), "{error}");
    let none = Access { auth: Auth::Anonymous, ..good.clone() };
    let error = world.resolve(&none, "main").await.unwrap_err();
    assert!(error.to_string().contains("has no SSH key"), "{error}");
    let broken = Access { auth: Auth::SshKey(SecretText::new("-----BEGIN SECRET-----")), ..good.clone() };
    let error = world.resolve(&broken, "main").await.unwrap_err();
    assert!(matches!(error, SourceError::InvalidAccess { .. }), "{error}");
    assert!(!error.to_string().contains("SECRET"));
    let password = Auth::Basic { username: "git".into(), password: SecretText::new("hunter22") };
    world.tree(&Access { auth: password, ..good.clone() }, "main").await.unwrap();
    let missing = ssh_access(&server, &Repo { path: "/nonexistent/repository".into() }, &key);
    let error = world.resolve(&missing, "main").await.unwrap_err();
    assert!(matches!(error, SourceError::NotFound { .. }), "{error}");
}

/// `git daemon`, killed when dropped.
struct Daemon(Child, u16);

impl Daemon {
    fn start(base: &std::path::Path) -> Self {
        // The port is free a moment ago; the daemon cannot choose one by itself.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // The program itself, not `git daemon`, which would start it and leave it behind when it is killed.
        let programs =
            Command::new("git").arg("--exec-path").output().expect("these tests need the program git");
        let programs = String::from_utf8(programs.stdout).unwrap();
        let child = Command::new(std::path::Path::new(programs.trim()).join("git-daemon"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .envs([
                ("GIT_CONFIG_COUNT", "1"),
                ("GIT_CONFIG_KEY_0", "safe.directory"),
                ("GIT_CONFIG_VALUE_0", "*"),
            ])
            .args(["--export-all", "--reuseaddr", "--listen=127.0.0.1"])
            .arg(format!("--port={port}"))
            .arg(format!("--base-path={}", base.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("these tests need git-daemon, which comes with git");
        let daemon = Self(child, port);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::yield_now();
        }
        daemon
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn gits_own_protocol_is_spoken() {
    let world = World::new();
    let repo = world.repo("app");
    let first = repo.write("a.yaml", "a: 1\n").commit("first");
    repo.write("a.yaml", "a: 2\n").commit("second");
    let daemon = Daemon::start(&world.repos());
    let there = access(&format!("git://127.0.0.1:{}/app", daemon.1));
    assert_eq!(text(&world.tree(&there, "main").await.unwrap(), "a.yaml"), "a: 2\n");
    assert_eq!(text(&world.tree(&there, &first).await.unwrap(), "a.yaml"), "a: 1\n");
    let missing = access(&format!("git://127.0.0.1:{}/missing", daemon.1));
    let error = world.resolve(&missing, "main").await.unwrap_err();
    assert!(matches!(error, SourceError::NotFound { .. }), "{error}");
}
