//! git-upload-pack over Git's own protocol (`git://`): no credentials, no encryption.

use std::io::Read;

use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::runtime::Handle;

use super::pkt_line::put;
use super::session::Wire;
use crate::source::budget::{BlockingReader, Budget};
use crate::source::error::SourceError;
use crate::source::http::tcp;
use crate::source::repository::Access;

/// A repository behind `git daemon`.
pub(crate) struct Daemon {
    url: String,
    reader: Box<dyn Read + Send>,
    writer: OwnedWriteHalf,
    budget: Budget,
    runtime: Handle,
}

impl Daemon {
    /// Connects and names the repository.
    pub(crate) fn open(access: &Access, budget: &Budget, runtime: &Handle) -> Result<Self, SourceError> {
        let url = &access.url;
        let connect = budget.run("connecting", tcp(access, url.host(), url.port()));
        let (reader, writer) = runtime.block_on(connect)??.into_split();
        let reader = BlockingReader {
            runtime: runtime.clone(),
            budget: budget.clone(),
            doing: "reading its answer",
            stream: Box::pin(reader),
        };
        let mut daemon = Self {
            url: url.to_string(),
            reader: Box::new(std::io::BufReader::with_capacity(64 << 10, reader)),
            writer,
            budget: budget.clone(),
            runtime: runtime.clone(),
        };
        let mut request = Vec::new();
        let (path, host) = (url.path(), url.authority());
        put(&mut request, &format!("git-upload-pack {path}\0host={host}\0\0version=2\0"));
        daemon.send(request)?;
        Ok(daemon)
    }
}

impl Wire for Daemon {
    fn reader(&mut self) -> &mut (dyn Read + Send) {
        self.reader.as_mut()
    }

    fn send(&mut self, request: Vec<u8>) -> Result<(), SourceError> {
        let sent = self.budget.run("sending a request", self.writer.write_all(&request));
        self.runtime
            .block_on(sent)?
            .map_err(|error| SourceError::Unreachable { url: self.url.clone(), reason: error.to_string() })
    }

    fn url(&self) -> &str {
        &self.url
    }
}
