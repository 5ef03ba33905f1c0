//! Quoted scalars.

use std::borrow::Cow;

use super::Scanner;
use super::cursor::is_blank;
use super::scalar_plain::fold;
use super::token::{Failure, Mark, ScalarStyle, Token, TokenKind};

impl<'a> Scanner<'a> {
    pub(super) fn scan_flow_scalar(&mut self, single: bool) -> Result<Token<'a>, Failure> {
        let start = self.cursor.mark();
        let quote = if single { b'\'' } else { b'"' };
        let style = if single { ScalarStyle::SingleQuoted } else { ScalarStyle::DoubleQuoted };
        self.cursor.skip();
        let value = match self.simple_quoted(quote) {
            Some(length) => {
                let from = self.cursor.pos;
                self.cursor.advance(length);
                Cow::Borrowed(self.cursor.since(from))
            }
            None => Cow::Owned(self.scan_quoted(quote, start)?),
        };
        self.cursor.skip();
        self.cursor.newlines = 0;
        Ok(Token { kind: TokenKind::Scalar { value, style }, start, end: self.cursor.mark() })
    }

    /// The length of the value when it ends on this line and means just its text.
    fn simple_quoted(&self, quote: u8) -> Option<usize> {
        let rest = self.cursor.rest();
        let stops = |byte: &u8| matches!(byte, b'\\' | b'\n' | b'\r' | 0xC2 | 0xE2) || *byte == quote;
        let length = rest.iter().position(stops)?;
        let ends =
            rest.get(length) == Some(&quote) && (quote == b'"' || rest.get(length + 1) != Some(&quote));
        ends.then_some(length)
    }

    fn scan_quoted(&mut self, quote: u8, start: Mark) -> Result<String, Failure> {
        let mut value = String::new();
        let (mut leading, mut trailing) = (String::new(), String::new());
        loop {
            if self.at_any_indicator() {
                return Err(self.error(Some(start), "found unexpected document indicator"));
            }
            if self.cursor.at_end() {
                return Err(self.error(Some(start), "found unexpected end of stream"));
            }
            let mut after_break = self.scan_quoted_run(quote, start, &mut value)?;
            if self.cursor.peek(0) == quote {
                return Ok(value);
            }
            let mut blanks = self.cursor.pos..self.cursor.pos;
            loop {
                if is_blank(self.cursor.peek(0)) {
                    self.cursor.skip();
                    if !after_break {
                        blanks.end = self.cursor.pos;
                    }
                } else if !self.cursor.read_break(if after_break { &mut trailing } else { &mut leading }) {
                    break;
                } else {
                    after_break = true;
                }
            }
            if after_break {
                fold_quoted(&mut value, &mut leading, &mut trailing);
            } else {
                value.push_str(self.cursor.text.get(blanks).unwrap_or_default());
            }
        }
    }

    /// Reads up to a blank, a break, the quote or the end. True after an escaped line break.
    fn scan_quoted_run(&mut self, quote: u8, start: Mark, value: &mut String) -> Result<bool, Failure> {
        loop {
            let length = self.quoted_run(quote);
            let from = self.cursor.pos;
            self.cursor.advance(length);
            value.push_str(self.cursor.since(from));
            match self.cursor.peek(0) {
                b'\'' if quote == b'\'' && self.cursor.peek(1) == b'\'' => {
                    value.push('\'');
                    self.cursor.advance(2);
                }
                b'\\' if quote == b'"' && self.cursor.is_break(1) => {
                    self.cursor.skip();
                    self.cursor.skip_break();
                    return Ok(true);
                }
                b'\\' if quote == b'"' => self.scan_escape(start, value)?,
                _ => return Ok(false),
            }
        }
    }

    /// The number of bytes from here that mean themselves.
    fn quoted_run(&self, quote: u8) -> usize {
        let rest = self.cursor.rest();
        let mut at = 0;
        while let Some(byte) = rest.get(at) {
            match byte {
                b' ' | b'\t' | b'\n' => break,
                b'\\' if quote == b'"' => break,
                b'\r' | 0xC2 | 0xE2 if self.cursor.is_break(at) => break,
                byte if *byte == quote => break,
                _ => at += 1,
            }
        }
        at
    }

    fn scan_escape(&mut self, start: Mark, value: &mut String) -> Result<(), Failure> {
        self.check_problem(2)?;
        let digits = match self.cursor.peek(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            byte => {
                let Some(meaning) = escaped(byte) else {
                    return Err(self.error(Some(start), "found unknown escape character"));
                };
                value.push(meaning);
                self.cursor.advance(2);
                return Ok(());
            }
        };
        self.cursor.advance(2);
        self.check_problem(digits)?;
        let text = self.cursor.rest().get(..digits).unwrap_or_default();
        if text.len() < digits || !text.iter().all(u8::is_ascii_hexdigit) {
            return Err(self.error(Some(start), "did not find expected hexdecimal number"));
        }
        let number = text
            .iter()
            .fold(0u64, |sum, digit| sum << 4 | u64::from((*digit as char).to_digit(16).unwrap_or_default()));
        match u32::try_from(number).ok().and_then(char::from_u32) {
            Some(character) => value.push(character),
            None => return Err(self.error(Some(start), "found invalid Unicode character escape code")),
        }
        self.cursor.advance(digits);
        Ok(())
    }
}

/// As [`fold`]; after an escaped break there is no leading break, and nothing is joined.
fn fold_quoted(out: &mut String, leading: &mut String, trailing: &mut String) {
    if leading.is_empty() {
        out.push_str(trailing);
        trailing.clear();
    } else {
        fold(out, leading, trailing);
    }
}

fn escaped(byte: u8) -> Option<char> {
    Some(match byte {
        b'0' => '\0',
        b'a' => '\x07',
        b'b' => '\x08',
        b't' | b'\t' => '\t',
        b'n' => '\n',
        b'v' => '\x0B',
        b'f' => '\x0C',
        b'r' => '\r',
        b'e' => '\x1B',
        b' ' => ' ',
        b'"' => '"',
        b'\'' => '\'',
        b'\\' => '\\',
        b'N' => '\u{85}',
        b'_' => '\u{A0}',
        b'L' => '\u{2028}',
        b'P' => '\u{2029}',
        _ => return None,
    })
}
