//! The body of an answer as a stream of bytes.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use hyper::body::{Body as _, Incoming};
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

use super::connect::Driver;
use crate::source::error::SourceError;

/// A body that is read as it arrives. Holds its connection open.
pub(crate) struct Body {
    incoming: Incoming,
    chunk: Bytes,
    _driver: Arc<Driver>,
}

impl Body {
    pub(super) fn new(incoming: Incoming, driver: Arc<Driver>) -> Self {
        Self { incoming, chunk: Bytes::new(), _driver: driver }
    }

    /// Reads the whole body.
    ///
    /// # Errors
    /// [`SourceError::TooLarge`] above `limit` bytes, and a connection that breaks.
    pub(crate) async fn collect(mut self, url: &str, what: &str, limit: u64) -> Result<Vec<u8>, SourceError> {
        let mut bytes = Vec::new();
        let read = (&mut self).take(limit.saturating_add(1)).read_to_end(&mut bytes).await;
        read.map_err(|error| SourceError::Unreachable { url: url.to_owned(), reason: error.to_string() })?;
        if bytes.len() as u64 > limit {
            return Err(SourceError::TooLarge { url: url.to_owned(), what: what.to_owned(), limit });
        }
        Ok(bytes)
    }
}

impl AsyncRead for Body {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        while self.chunk.is_empty() {
            match ready!(Pin::new(&mut self.incoming).poll_frame(context)) {
                None => return Poll::Ready(Ok(())),
                Some(Err(error)) => return Poll::Ready(Err(std::io::Error::other(error))),
                // Trailers carry nothing that is used.
                Some(Ok(frame)) => self.chunk = frame.into_data().unwrap_or_default(),
            }
        }
        let count = buffer.remaining().min(self.chunk.len());
        buffer.put_slice(self.chunk.get(..count).unwrap_or_default());
        self.chunk.advance(count);
        Poll::Ready(Ok(()))
    }
}
