//! The time that one operation may take, and its cancellation. Everything in this room that waits, waits through a
//! [`Budget`].

use std::future::Future;
use std::io::Read;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::error::SourceError;

/// Cancels the operations that hold it. Clones share the state.
#[derive(Debug, Clone)]
pub struct CancelToken(Arc<watch::Sender<bool>>);

impl Default for CancelToken {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl CancelToken {
    /// Ends every operation that holds this token, now or at its next step.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }

    /// Whether [`CancelToken::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    async fn cancelled(&self) {
        // The sender lives in self, so the channel cannot close.
        let _ = self.0.subscribe().wait_for(|cancelled| *cancelled).await;
    }
}

/// How long one operation on one repository may take, and who can end it early.
#[derive(Debug, Clone)]
pub struct Budget {
    url: String,
    deadline: Instant,
    allowed: Duration,
    cancel: CancelToken,
}

impl Budget {
    /// A budget that starts now. `url` names the repository in errors and holds no credentials.
    pub(crate) fn start(url: impl ToString, allowed: Duration, cancel: CancelToken) -> Self {
        Self { url: url.to_string(), deadline: Instant::now() + allowed, allowed, cancel }
    }

    /// Fails once the time is over or the operation was cancelled.
    pub(crate) fn check(&self, doing: &'static str) -> Result<(), SourceError> {
        if self.cancel.is_cancelled() {
            return Err(self.cancelled(doing));
        }
        if Instant::now() >= self.deadline { Err(self.timed_out(doing)) } else { Ok(()) }
    }

    /// Waits for `work` as long as the budget lasts.
    pub(crate) async fn run<F: Future>(
        &self,
        doing: &'static str,
        work: F,
    ) -> Result<F::Output, SourceError> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(self.cancelled(doing)),
            done = tokio::time::timeout_at(self.deadline.into(), work) => done.map_err(|_| self.timed_out(doing)),
        }
    }

    fn timed_out(&self, doing: &'static str) -> SourceError {
        SourceError::TimedOut { url: self.url.clone(), doing, allowed: self.allowed }
    }

    fn cancelled(&self, doing: &'static str) -> SourceError {
        SourceError::Cancelled { url: self.url.clone(), doing }
    }
}

/// Reads an asynchronous stream from a thread that may block, within a budget. Errors of the budget travel as
/// `io::Error` and come out again with [`SourceError::from_io`].
pub(crate) struct BlockingReader {
    pub(crate) runtime: Handle,
    pub(crate) budget: Budget,
    pub(crate) doing: &'static str,
    pub(crate) stream: Pin<Box<dyn AsyncRead + Send>>,
}

impl Read for BlockingReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.stream.read(buffer);
        self.runtime.block_on(self.budget.run(self.doing, read)).map_err(std::io::Error::other)?
    }
}
