//! Splitting a stream into documents as Kubernetes' `YAMLReader` does: by lines, before any parsing.

use std::borrow::Cow;

use crate::{Error, ErrorKind};

/// What stands between documents.
const SEPARATOR: &[u8] = b"---";

/// The documents of a text; see [`read_documents`].
#[derive(Debug, Clone)]
pub struct Documents<'a> {
    rest: &'a [u8],
}

/// Splits `text` at lines that start with `---`, as `NewYAMLReader` of `k8s.io/apimachinery` does (Helm's
/// values and CRD files, kubectl).
///
/// Only white space or a comment may follow the `---`; anything else is the error
/// `invalid Yaml document separator: …`, after which there are no more documents. A separator at the start of
/// a document stays in it. Each document ends with a line break, and `\r\n` becomes `\n`. Parts between two
/// separators that have no line at all are left out; those with only comments are not.
pub fn read_documents(text: &[u8]) -> Documents<'_> {
    Documents { rest: text }
}

/// The documents that [`read_documents`] finds, up to the first bad separator, with their line breaks as they
/// are.
pub fn split_documents(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut documents = Documents { rest: text };
    std::iter::from_fn(move || documents.next_part()?.ok())
}

impl<'a> Iterator for Documents<'a> {
    type Item = Result<Cow<'a, [u8]>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.next_part()?.map(normalized))
    }
}

impl<'a> Documents<'a> {
    /// The next document as it stands in the text.
    fn next_part(&mut self) -> Option<Result<&'a [u8], Error>> {
        let start = self.rest;
        let mut length = 0;
        while let Some(line) = start.get(length..).filter(|rest| !rest.is_empty()) {
            let end = line.iter().position(|byte| *byte == b'\n').map_or(line.len(), |at| at + 1);
            if let Some(behind) = line[..end].strip_prefix(SEPARATOR) {
                let behind = String::from_utf8_lossy(behind);
                let behind = behind.trim();
                if !behind.is_empty() && !behind.starts_with('#') {
                    self.rest = &[];
                    let message = format!("invalid Yaml document separator: {behind}");
                    return Some(Err(Error::new(ErrorKind::Syntax, message)));
                }
                if length > 0 {
                    self.rest = &line[end..];
                    return Some(Ok(&start[..length]));
                }
            }
            length += end;
        }
        self.rest = &[];
        (length > 0).then(|| Ok(&start[..length]))
    }
}

/// The text with `\n` at the end of every line.
fn normalized(text: &[u8]) -> Cow<'_, [u8]> {
    if text.ends_with(b"\n") && !text.contains(&b'\r') {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len() + 1);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line));
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    Cow::Owned(out)
}
