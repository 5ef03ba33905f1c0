//! An SSH server in this process that runs the real `git upload-pack`.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use russh::keys::{Algorithm, EcdsaCurve, PrivateKey, PublicKey};
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::process::Command;

/// A running server; it ends with the runtime.
pub(crate) struct SshServer {
    pub(crate) port: u16,
    /// Its host keys.
    pub(crate) host_keys: Vec<PublicKey>,
    /// Commands that were asked for.
    pub(crate) commands: Arc<Mutex<Vec<String>>>,
}

pub(crate) fn new_key(algorithm: Algorithm) -> PrivateKey {
    PrivateKey::random(&mut rand::rng(), algorithm).unwrap()
}

impl SshServer {
    /// A server that takes these keys of the user `git`, and the password `hunter22`.
    pub(crate) async fn start(accepted: Vec<PublicKey>) -> Self {
        let keys =
            vec![new_key(Algorithm::Ed25519), new_key(Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 })];
        let host_keys = keys.iter().map(|key| key.public_key().clone()).collect();
        let config = Arc::new(Config {
            keys,
            auth_rejection_time: std::time::Duration::ZERO,
            auth_rejection_time_initial: Some(std::time::Duration::ZERO),
            ..Config::default()
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let commands = Arc::<Mutex<Vec<String>>>::default();
        let record = commands.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let handler = Connection {
                    accepted: accepted.clone(),
                    commands: record.clone(),
                    channels: HashMap::new(),
                    protocol: None,
                };
                let config = config.clone();
                tokio::spawn(async move {
                    if let Ok(session) = russh::server::run_stream(config, stream, handler).await {
                        let _ = session.await;
                    }
                });
            }
        });
        Self { port, host_keys, commands }
    }

    /// A line of known_hosts with one of its keys.
    pub(crate) fn known_host(&self, key: usize) -> String {
        format!("[127.0.0.1]:{} {}", self.port, self.host_keys[key].to_openssh().unwrap())
    }
}

struct Connection {
    accepted: Vec<PublicKey>,
    commands: Arc<Mutex<Vec<String>>>,
    channels: HashMap<ChannelId, Channel<Msg>>,
    protocol: Option<String>,
}

impl Handler for Connection {
    type Error = russh::Error;

    async fn auth_password(&mut self, _: &str, password: &str) -> Result<Auth, Self::Error> {
        Ok(if password == "hunter22" { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        let known = self.accepted.iter().any(|accepted| accepted.key_data() == key.public_key.key_data());
        Ok(if known && user == "git" { Auth::Accept } else { Auth::reject() })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn env_request(
        &mut self,
        _: ChannelId,
        name: &str,
        value: &str,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        if name == "GIT_PROTOCOL" {
            self.protocol = Some(value.to_owned());
        }
        Ok(())
    }

    async fn exec_request(
        &mut self,
        id: ChannelId,
        data: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let command = String::from_utf8_lossy(data).into_owned();
        self.commands.lock().unwrap().push(command.clone());
        let channel = self.channels.remove(&id).unwrap();
        let handle = session.handle();
        let protocol = self.protocol.clone().unwrap_or_default();
        tokio::spawn(async move {
            // As sshd does: the user's shell takes the line apart.
            let mut child = Command::new("sh")
                .args(["-c", &command])
                .env("GIT_PROTOCOL", protocol)
                .env("GIT_CONFIG_NOSYSTEM", "1")
                .env("GIT_CONFIG_GLOBAL", "/dev/null")
                .env("GIT_CONFIG_COUNT", "1")
                .env("GIT_CONFIG_KEY_0", "safe.directory")
                .env("GIT_CONFIG_VALUE_0", "*")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .kill_on_drop(true)
                .spawn()
                .unwrap();
            let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
            let mut stderr = child.stderr.take().unwrap();
            let (mut from, mut to) = tokio::io::split(channel.into_stream());
            let input = tokio::spawn(async move {
                let _ = tokio::io::copy(&mut from, &mut stdin).await;
            });
            let _ = tokio::io::copy(&mut stdout, &mut to).await;
            let _ = to.flush().await;
            let mut said = Vec::new();
            let _ = tokio::io::AsyncReadExt::read_to_end(&mut stderr, &mut said).await;
            let _ = handle.extended_data(id, 1, said).await;
            let status = child.wait().await.unwrap().code().unwrap_or(255);
            let _ = handle.exit_status_request(id, u32::try_from(status).unwrap_or(255)).await;
            let _ = handle.eof(id).await;
            let _ = handle.close(id).await;
            input.abort();
        });
        Ok(())
    }
}
