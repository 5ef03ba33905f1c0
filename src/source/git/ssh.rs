//! git-upload-pack over SSH.

use std::borrow::Cow;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf, Bytes};
use russh::client::{self, AuthResult, Handle as SshHandle};
use russh::keys::{Algorithm, HashAlg, PrivateKeyWithHashAlg, PublicKeyOrCertificate, decode_secret_key};
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Preferred};
use tokio::runtime::Handle;

use super::known_hosts::{Verdict, algorithms, kind, verify};
use super::pkt_line::remote_error;
use super::session::Wire;
use crate::source::budget::Budget;
use crate::source::error::SourceError;
use crate::source::http::{tcp, unreachable};
use crate::source::repository::{Access, Auth, SecretText};

/// What is kept of the server's standard error, in bytes.
const MAX_STDERR: usize = 4096;

/// A repository behind SSH.
pub(crate) struct Ssh {
    url: String,
    reader: SshReader,
    writer: ChannelWriteHalf<client::Msg>,
    budget: Budget,
    runtime: Handle,
    _session: SshHandle<HostKeys>,
}

impl Ssh {
    /// Connects, checks the host's key, authenticates and starts git-upload-pack.
    pub(crate) fn open(access: &Access, budget: &Budget, runtime: &Handle) -> Result<Self, SourceError> {
        let opened = budget.run("connecting", open(access));
        let (session, reader, writer) = runtime.block_on(opened)??;
        let url = access.url.to_string();
        let reader = SshReader {
            half: reader,
            url: url.clone(),
            chunk: Bytes::new(),
            stderr: Vec::new(),
            ended: false,
            budget: budget.clone(),
            runtime: runtime.clone(),
        };
        Ok(Self { url, reader, writer, budget: budget.clone(), runtime: runtime.clone(), _session: session })
    }
}

impl Wire for Ssh {
    fn reader(&mut self) -> &mut (dyn Read + Send) {
        &mut self.reader
    }

    fn send(&mut self, request: Vec<u8>) -> Result<(), SourceError> {
        let sent = self.budget.run("sending a request", self.writer.data_bytes(request));
        self.runtime
            .block_on(sent)?
            .map_err(|error| SourceError::Unreachable { url: self.url.clone(), reason: error.to_string() })
    }

    fn url(&self) -> &str {
        &self.url
    }
}

struct SshReader {
    half: ChannelReadHalf,
    url: String,
    chunk: Bytes,
    stderr: Vec<u8>,
    ended: bool,
    budget: Budget,
    runtime: Handle,
}

impl Read for SshReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.chunk.is_empty() && !self.ended {
            let next = self.budget.run("reading its answer", self.half.wait());
            match self.runtime.block_on(next).map_err(std::io::Error::other)? {
                Some(ChannelMsg::Data { data }) => self.chunk = data,
                Some(ChannelMsg::ExtendedData { data, .. }) => {
                    let room = MAX_STDERR.saturating_sub(self.stderr.len());
                    self.stderr.extend(data.iter().take(room));
                }
                // The exit status and the rest of standard error may come after the end of the data.
                Some(ChannelMsg::Close) | None => self.ended = true,
                Some(_) => {}
            }
        }
        if self.chunk.is_empty() && !self.stderr.is_empty() {
            // The server ended and said why.
            return Err(std::io::Error::other(remote_error(&self.url, &self.stderr)));
        }
        let count = buffer.len().min(self.chunk.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), self.chunk.get(..count)) {
            to.copy_from_slice(from);
        }
        self.chunk.advance(count);
        Ok(count)
    }
}

/// Checks the server's key against the known hosts.
struct HostKeys {
    access: Access,
    /// Why the key was refused; the library's own error does not say.
    refused: Arc<Mutex<Option<String>>>,
}

impl client::Handler for HostKeys {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        if self.access.insecure {
            return Ok(true);
        }
        let reason = match key {
            PublicKeyOrCertificate::Certificate(_) => {
                "it shows a host certificate, which is not supported".to_owned()
            }
            PublicKeyOrCertificate::PublicKey { key, .. } => {
                let url = &self.access.url;
                let shown = format!("{} {}", key.algorithm(), key.fingerprint(HashAlg::Sha256));
                match verify(&self.access.known_hosts, url.host(), url.port(), key) {
                    Verdict::Known => return Ok(true),
                    Verdict::Revoked => format!("its host key {shown} is revoked"),
                    Verdict::Changed => {
                        format!("its host key {shown} is not the one that is known; it may be an impostor")
                    }
                    Verdict::Unknown => {
                        format!("its host key {shown} is unknown; add it to argocd-ssh-known-hosts-cm")
                    }
                }
            }
        };
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
        Ok(false)
    }
}

type Opened = (SshHandle<HostKeys>, ChannelReadHalf, ChannelWriteHalf<client::Msg>);

async fn open(access: &Access) -> Result<Opened, SourceError> {
    let failed = |error: russh::Error| unreachable(access, format!("SSH: {error}"));
    let stream = tcp(access, access.url.host(), access.url.port()).await?;
    let refused = Arc::<Mutex<Option<String>>>::default();
    let handler = HostKeys { access: access.clone(), refused: refused.clone() };
    let config = client::Config { preferred: preferred(access), ..client::Config::default() };
    let mut session = client::connect_stream(Arc::new(config), stream, handler).await.map_err(|error| {
        let reason = refused.lock().unwrap_or_else(PoisonError::into_inner).take();
        match reason {
            Some(reason) => SourceError::Untrusted { url: access.url.to_string(), reason },
            None => failed(error),
        }
    })?;
    authenticate(access, &mut session).await?;
    let channel = session.channel_open_session().await.map_err(failed)?;
    // Servers that do not take it answer in version 0.
    channel.set_env(false, "GIT_PROTOCOL", "version=2").await.map_err(failed)?;
    channel.exec(false, command(access.url.path())).await.map_err(failed)?;
    let (reader, writer) = channel.split();
    Ok((session, reader, writer))
}

/// Asks for a host key of a kind that is known, if any is.
fn preferred(access: &Access) -> Preferred {
    let known = algorithms(&access.known_hosts, access.url.host(), access.url.port());
    let mut preferred = Preferred::default();
    let mut keys: Vec<Algorithm> = preferred.key.to_vec();
    let is_known = |algorithm: &Algorithm| known.iter().any(|known| kind(known) == kind(algorithm));
    // Stable: within each group the library's order stays.
    keys.sort_by_key(|algorithm| !is_known(algorithm));
    preferred.key = Cow::Owned(keys);
    preferred
}

async fn authenticate(access: &Access, session: &mut SshHandle<HostKeys>) -> Result<(), SourceError> {
    let failed = |error: russh::Error| unreachable(access, format!("SSH: {error}"));
    let user = access.url.user().unwrap_or("git");
    let result = match (&access.auth, access.url.password()) {
        (Auth::SshKey(key), _) => {
            // The reason is left out: it could quote the key.
            let key = decode_secret_key(key.expose(), None).map_err(|_| SourceError::InvalidAccess {
                url: access.url.to_string(),
                reason:
                    "the SSH key cannot be read; it must be an unencrypted private key in OpenSSH or PEM form"
                        .to_owned(),
            })?;
            let hash = session.best_supported_rsa_hash().await.map_err(failed)?;
            let hash = hash.unwrap_or(Some(HashAlg::Sha512));
            session.authenticate_publickey(user, PrivateKeyWithHashAlg::new(Arc::new(key), hash)).await
        }
        (Auth::Basic { password, .. }, _) | (Auth::Anonymous, Some(password)) => {
            let password: &SecretText = password;
            session.authenticate_password(user, password.expose()).await
        }
        (Auth::Anonymous | Auth::Bearer(_), _) => session.authenticate_none(user).await,
    };
    match result.map_err(failed)? {
        AuthResult::Success => Ok(()),
        AuthResult::Failure { .. } => {
            let reason = match access.auth {
                Auth::SshKey(_) => "the server does not accept the SSH key",
                Auth::Anonymous => "the repository has no SSH key",
                Auth::Basic { .. } | Auth::Bearer(_) => "the server does not accept the password",
            };
            Err(SourceError::Unauthenticated { url: access.url.to_string(), reason: reason.to_owned() })
        }
    }
}

/// The command line, quoted for the shell at the other end as git quotes it.
fn command(path: &str) -> String {
    let quoted = path.replace('\'', "'\\''").replace('!', "'\\!'");
    format!("git-upload-pack '{quoted}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_cannot_leave_their_quotes() {
        assert_eq!(command("/a b.git"), "git-upload-pack '/a b.git'");
        assert_eq!(command("/x'; rm -rf '!"), r"git-upload-pack '/x'\''; rm -rf '\'''\!''");
    }
}
