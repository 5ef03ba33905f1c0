//! Directives, tags and anchors.

use std::borrow::Cow;

use super::Scanner;
use super::cursor::is_alpha;
use super::token::{Failure, Mark, Token, TokenKind};

impl<'a> Scanner<'a> {
    pub(super) fn scan_directive(&mut self) -> Result<Token<'a>, Failure> {
        let start = self.cursor.mark();
        self.cursor.skip();
        let name = self.scan_alpha();
        if name.is_empty() {
            return Err(self.error(Some(start), "could not find expected directive name"));
        }
        if !self.cursor.is_blankz(0) {
            return Err(self.error(Some(start), "found unexpected non-alphabetical character"));
        }
        let kind = match name {
            "YAML" => self.scan_version(start)?,
            "TAG" => self.scan_tag_directive(start)?,
            _ => return Err(self.error(Some(start), "found unknown directive name")),
        };
        let end = self.cursor.mark();
        self.cursor.skip_blanks();
        if self.cursor.peek(0) == b'#' {
            self.cursor.skip_to_break();
        }
        if !self.cursor.is_breakz(0) {
            return Err(self.error(Some(start), "did not find expected comment or line break"));
        }
        self.cursor.skip_break();
        Ok(Token { kind, start, end })
    }

    fn scan_alpha(&mut self) -> &'a str {
        let from = self.cursor.pos;
        while is_alpha(self.cursor.peek(0)) {
            self.cursor.skip();
        }
        self.cursor.since(from)
    }

    fn scan_version(&mut self, start: Mark) -> Result<TokenKind<'a>, Failure> {
        self.cursor.skip_blanks();
        let major = self.scan_version_number(start)?;
        if self.cursor.peek(0) != b'.' {
            return Err(self.error(Some(start), "did not find expected digit or '.' character"));
        }
        self.cursor.skip();
        let minor = self.scan_version_number(start)?;
        Ok(TokenKind::VersionDirective { major, minor })
    }

    fn scan_version_number(&mut self, start: Mark) -> Result<u8, Failure> {
        let (mut value, mut length) = (0, 0);
        while self.cursor.peek(0).is_ascii_digit() {
            length += 1;
            if length > 2 {
                return Err(self.error(Some(start), "found extremely long version number"));
            }
            value = value * 10 + (self.cursor.peek(0) - b'0');
            self.cursor.skip();
        }
        if length == 0 {
            return Err(self.error(Some(start), "did not find expected version number"));
        }
        Ok(value)
    }

    fn scan_tag_directive(&mut self, start: Mark) -> Result<TokenKind<'a>, Failure> {
        self.cursor.skip_blanks();
        let handle = self.scan_tag_handle(true, start)?;
        if !super::cursor::is_blank(self.cursor.peek(0)) {
            return Err(self.error(Some(start), "did not find expected whitespace"));
        }
        self.cursor.skip_blanks();
        let prefix = self.scan_tag_uri("", start)?;
        if !self.cursor.is_blankz(0) {
            return Err(self.error(Some(start), "did not find expected whitespace or line break"));
        }
        Ok(TokenKind::TagDirective { handle, prefix })
    }

    pub(super) fn scan_anchor(&mut self, alias: bool) -> Result<Token<'a>, Failure> {
        let start = self.cursor.mark();
        self.cursor.skip();
        let name = self.scan_alpha();
        let end = self.cursor.mark();
        let ends = matches!(self.cursor.peek(0), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if name.is_empty() || !ends && !self.cursor.is_blankz(0) {
            return Err(self.error(Some(start), "did not find expected alphabetic or numeric character"));
        }
        let kind = if alias { TokenKind::Alias(name) } else { TokenKind::Anchor(name) };
        Ok(Token { kind, start, end })
    }

    pub(super) fn scan_tag(&mut self) -> Result<Token<'a>, Failure> {
        let start = self.cursor.mark();
        let (handle, suffix) = if self.cursor.peek(1) == b'<' {
            self.cursor.advance(2);
            let suffix = self.scan_tag_uri("", start)?;
            if self.cursor.peek(0) != b'>' {
                return Err(self.error(Some(start), "did not find the expected '>'"));
            }
            self.cursor.skip();
            ("", suffix)
        } else {
            let handle = self.scan_tag_handle(false, start)?;
            if handle.len() > 1 && handle.ends_with('!') {
                (handle, self.scan_tag_uri("", start)?)
            } else {
                match self.scan_tag_uri(handle, start)? {
                    empty if empty.is_empty() => ("", Cow::Borrowed("!")),
                    suffix => ("!", suffix),
                }
            }
        };
        if !self.cursor.is_blankz(0) {
            return Err(self.error(Some(start), "did not find expected whitespace or line break"));
        }
        Ok(Token { kind: TokenKind::Tag { handle, suffix }, start, end: self.cursor.mark() })
    }

    fn scan_tag_handle(&mut self, directive: bool, start: Mark) -> Result<&'a str, Failure> {
        if self.cursor.peek(0) != b'!' {
            return Err(self.error(Some(start), "did not find expected '!'"));
        }
        let from = self.cursor.pos;
        self.cursor.skip();
        self.scan_alpha();
        if self.cursor.peek(0) == b'!' {
            self.cursor.skip();
        } else if directive && self.cursor.since(from) != "!" {
            return Err(self.error(Some(start), "did not find expected '!'"));
        }
        Ok(self.cursor.since(from))
    }

    /// Reads the characters of a tag; `head` is a handle of which all but its `!` belongs to the tag.
    fn scan_tag_uri(&mut self, head: &'a str, start: Mark) -> Result<Cow<'a, str>, Failure> {
        let from = self.cursor.pos - head.len().saturating_sub(1);
        let mut decoded: Option<Vec<u8>> = None;
        let mut found = !head.is_empty();
        loop {
            let byte = self.cursor.peek(0);
            if byte == b'%' {
                let out = decoded.get_or_insert_with(|| self.cursor.since(from).as_bytes().to_vec());
                let escaped = self.scan_uri_escapes(start)?;
                out.extend(escaped);
            } else if is_alpha(byte) || b";/?:@&=+$,.!~*'()[]".contains(&byte) {
                if let Some(out) = &mut decoded {
                    out.push(byte);
                }
                self.cursor.skip();
            } else {
                break;
            }
            found = true;
        }
        if !found {
            return Err(self.error(Some(start), "did not find expected tag URI"));
        }
        Ok(match decoded {
            Some(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
            None => Cow::Borrowed(self.cursor.since(from)),
        })
    }

    /// The octets of one character written as `%C3%A4`.
    fn scan_uri_escapes(&mut self, start: Mark) -> Result<Vec<u8>, Failure> {
        let mut octets = Vec::new();
        let mut width = 1;
        while octets.len() < width {
            let digit = |byte: u8| (byte as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            let pair = digit(self.cursor.peek(1)).zip(digit(self.cursor.peek(2)));
            let Some((high, low)) = pair.filter(|_| self.cursor.peek(0) == b'%') else {
                return Err(self.error(Some(start), "did not find URI escaped octet"));
            };
            let octet = high << 4 | low;
            if octets.is_empty() {
                width = match octet {
                    0x00..=0x7F => 1,
                    0xC0..=0xDF => 2,
                    0xE0..=0xEF => 3,
                    0xF0..=0xF7 => 4,
                    _ => return Err(self.error(Some(start), "found an incorrect leading UTF-8 octet")),
                };
            } else if octet & 0xC0 != 0x80 {
                return Err(self.error(Some(start), "found an incorrect trailing UTF-8 octet"));
            }
            octets.push(octet);
            self.cursor.advance(3);
        }
        Ok(octets)
    }
}
