//! Git's framing: four hex digits of length, then that many bytes less four.

use std::io::Read;

use crate::source::error::SourceError;

/// One packet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    /// Bytes of any kind.
    Data(Vec<u8>),
    /// `0000`: the end of a message or a list.
    Flush,
    /// `0001`: between sections, in protocol version 2.
    Delimiter,
    /// `0002`: the end of an answer over a stateless connection.
    End,
}

/// Reads packets.
pub(crate) struct PacketReader<'a> {
    input: &'a mut (dyn Read + 'a),
    url: &'a str,
}

impl<'a> PacketReader<'a> {
    pub(crate) fn new(input: &'a mut (dyn Read + 'a), url: &'a str) -> Self {
        Self { input, url }
    }

    /// The next packet.
    ///
    /// # Errors
    /// [`SourceError::BadAnswer`] for what is no packet or ends early, and the error of an `ERR` packet.
    pub(crate) fn next(&mut self) -> Result<Packet, SourceError> {
        let mut head = [0_u8; 4];
        self.fill(&mut head)?;
        let length =
            std::str::from_utf8(&head).ok().and_then(|digits| usize::from_str_radix(digits, 16).ok());
        let length = length.filter(|_| !head.contains(&b'+'));
        match length {
            Some(0) => Ok(Packet::Flush),
            Some(1) => Ok(Packet::Delimiter),
            Some(2) => Ok(Packet::End),
            Some(length @ 4..) => {
                let mut data = vec![0; length - 4];
                self.fill(&mut data)?;
                match data.strip_prefix(b"ERR ") {
                    Some(message) => Err(remote_error(self.url, message)),
                    None => Ok(Packet::Data(data)),
                }
            }
            Some(3) | None => Err(self.bad("it does not speak Git's protocol")),
        }
    }

    /// The next packet as a line of text without its line end; none at a flush, a delimiter or the end.
    ///
    /// # Errors
    /// As [`PacketReader::next`], and for text that is not UTF-8.
    pub(crate) fn line(&mut self) -> Result<Option<String>, SourceError> {
        match self.next()? {
            Packet::Data(data) => {
                text_line(data).ok_or_else(|| self.bad("it sent a line that is not UTF-8")).map(Some)
            }
            Packet::Flush | Packet::Delimiter | Packet::End => Ok(None),
        }
    }

    /// As [`PacketReader::line`], where only a flush may end the list.
    ///
    /// # Errors
    /// As [`PacketReader::line`], and for a delimiter.
    pub(crate) fn line_or_flush(&mut self) -> Result<Option<String>, SourceError> {
        match self.next()? {
            Packet::Data(data) => {
                text_line(data).ok_or_else(|| self.bad("it sent a line that is not UTF-8")).map(Some)
            }
            Packet::Flush => Ok(None),
            Packet::Delimiter | Packet::End => Err(self.bad("it does not speak Git's protocol")),
        }
    }

    pub(crate) fn bad(&self, reason: &str) -> SourceError {
        SourceError::BadAnswer { url: self.url.to_owned(), reason: format!("unexpected answer: {reason}") }
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), SourceError> {
        self.input.read_exact(buffer).map_err(|error| {
            if error.kind() == std::io::ErrorKind::UnexpectedEof {
                return self.bad("it ended too early");
            }
            SourceError::from_io(error, |reason| SourceError::Unreachable {
                url: self.url.to_owned(),
                reason,
            })
        })
    }
}

/// A packet's bytes as one line.
pub(crate) fn text_line(mut data: Vec<u8>) -> Option<String> {
    if data.last() == Some(&b'\n') {
        data.pop();
    }
    String::from_utf8(data).ok()
}

/// What a server says went wrong, sorted by what helps.
pub(crate) fn remote_error(url: &str, message: &[u8]) -> SourceError {
    let url = url.to_owned();
    let reason = format!("the server says: {}", String::from_utf8_lossy(message).trim());
    let lower = reason.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if says(&[
        "not found",
        "does not exist",
        "not exported",
        "no such",
        "does not appear to be a git",
        "not a git",
    ]) {
        SourceError::NotFound { url, reason }
    } else if says(&["permission denied", "access denied", "unauthorized", "authentication", "forbidden"]) {
        SourceError::Unauthenticated { url, reason }
    } else {
        SourceError::ServerError { url, reason }
    }
}

/// Adds a packet to a request.
pub(crate) fn put(request: &mut Vec<u8>, line: &str) {
    request.extend_from_slice(format!("{:04x}{line}", line.len() + 4).as_bytes());
}

/// Adds a flush packet.
pub(crate) fn put_flush(request: &mut Vec<u8>) {
    request.extend_from_slice(b"0000");
}

/// Adds a delimiter packet.
pub(crate) fn put_delimiter(request: &mut Vec<u8>) {
    request.extend_from_slice(b"0001");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_read_as_they_are_written() {
        let mut bytes = Vec::new();
        put(&mut bytes, "want x\n");
        put_delimiter(&mut bytes);
        put_flush(&mut bytes);
        let mut input = bytes.as_slice();
        let mut reader = PacketReader::new(&mut input, "u");
        assert_eq!(reader.line().unwrap().as_deref(), Some("want x"));
        assert_eq!(reader.next().unwrap(), Packet::Delimiter);
        assert_eq!(reader.next().unwrap(), Packet::Flush);
        assert!(matches!(reader.next(), Err(SourceError::BadAnswer { .. })));
    }

    #[test]
    fn garbage_is_an_error() {
        for garbage in [&b"<html>"[..], b"0003", b"00", b"ffff12", b"+004", b"0008ERR ", b"000dERR denied"] {
            let mut input = garbage;
            assert!(PacketReader::new(&mut input, "u").next().is_err(), "{garbage:?}");
        }
    }
}
