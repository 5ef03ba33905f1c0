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

/// As [`read_documents`], but lenient: a line such as `--- text` starts a document with that text instead of
/// ending everything with an error, so that nothing is ever left out. Line breaks stay as they are.
pub fn split_documents(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest;
        let mut length = 0;
        while let Some(line) = start.get(length..).filter(|rest| !rest.is_empty()) {
            let end = line_length(line);
            if let Some(behind) = line[..end].strip_prefix(SEPARATOR)
                && length > 0
                && behind.first().is_none_or(u8::is_ascii_whitespace)
            {
                rest = if is_separator_end(behind).is_ok() { &line[end..] } else { line };
                return Some(&start[..length]);
            }
            length += end;
        }
        rest = &[];
        (length > 0).then_some(start)
    })
}

/// The length of the first line with its line break.
fn line_length(text: &[u8]) -> usize {
    text.iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| at + 1)
}

/// Whether what follows `---` may stand there; if not, that text.
fn is_separator_end(behind: &[u8]) -> Result<(), String> {
    let behind = String::from_utf8_lossy(behind);
    let behind = behind.trim();
    if behind.is_empty() || behind.starts_with('#') { Ok(()) } else { Err(behind.to_owned()) }
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
            let end = line_length(line);
            if let Some(behind) = line[..end].strip_prefix(SEPARATOR) {
                if let Err(behind) = is_separator_end(behind) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lenient_splitting_leaves_nothing_out() {
        let split = |text: &'static str| -> Vec<_> {
            split_documents(text.as_bytes()).map(|part| String::from_utf8_lossy(part).into_owned()).collect()
        };
        assert_eq!(split("a\n---\nb\n--- # c\nd"), ["a\n", "b\n", "d"]);
        assert_eq!(split("a\n--- x\nb\n----\nc\n"), ["a\n", "--- x\nb\n----\nc\n"]);
        assert_eq!(split("---\na\n---\n---\n"), ["---\na\n", "---\n"]);
        assert_eq!(split(""), [""; 0]);
    }

    #[test]
    fn strict_splitting_refuses_text_behind_a_separator() {
        let last = read_documents(b"a\r\n--- x\nb\n").last();
        assert_eq!(
            last.and_then(Result::err).map(|error| error.to_string()).as_deref(),
            Some("invalid Yaml document separator: x")
        );
    }
}
