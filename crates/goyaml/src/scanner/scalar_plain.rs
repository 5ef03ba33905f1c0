//! Plain scalars.

use std::borrow::Cow;

use super::Scanner;
use super::cursor::is_blank;
use super::token::{Failure, ScalarStyle, Token, TokenKind};

/// Joins the lines of a flow scalar: one break is a space, more are all but the first.
pub(super) fn fold(out: &mut String, leading: &mut String, trailing: &mut String) {
    if leading.starts_with('\n') {
        if trailing.is_empty() { out.push(' ') } else { out.push_str(trailing) }
    } else {
        out.push_str(leading);
        out.push_str(trailing);
    }
    leading.clear();
    trailing.clear();
}

impl<'a> Scanner<'a> {
    pub(super) fn scan_plain_scalar(&mut self) -> Result<Token<'a>, Failure> {
        let start = self.cursor.mark();
        let mut end = start;
        let indent = self.indent + 1;
        // The value so far is `joined` and then the text from `line` to `line_end`.
        let mut joined: Option<String> = None;
        let (mut line, mut line_end) = (start.index, start.index);
        let (mut leading, mut trailing) = (String::new(), String::new());
        let mut after_break = false;
        loop {
            if self.at_any_indicator() || self.cursor.peek(0) == b'#' {
                break;
            }
            let run = self.plain_run();
            if run > 0 {
                if after_break {
                    let out = joined.get_or_insert_default();
                    out.push_str(self.cursor.text.get(line..line_end).unwrap_or_default());
                    fold(out, &mut leading, &mut trailing);
                    line = self.cursor.pos;
                    after_break = false;
                }
                self.cursor.advance(run);
                line_end = self.cursor.pos;
                end = self.cursor.mark();
            }
            if !is_blank(self.cursor.peek(0)) && !self.cursor.is_break(0) {
                break;
            }
            loop {
                if is_blank(self.cursor.peek(0)) {
                    let outdented = after_break && i64::from(self.cursor.column) < indent;
                    if outdented && self.cursor.peek(0) == b'\t' {
                        return Err(
                            self.error(Some(start), "found a tab character that violates indentation")
                        );
                    }
                    self.cursor.skip();
                } else if !self.cursor.read_break(if after_break { &mut trailing } else { &mut leading }) {
                    break;
                } else {
                    after_break = true;
                }
            }
            if self.flow_level == 0 && i64::from(self.cursor.column) < indent {
                break;
            }
        }
        if after_break {
            self.simple_key_allowed = true;
        }
        let last = self.cursor.text.get(line..line_end).unwrap_or_default();
        let value = match joined {
            None => Cow::Borrowed(last),
            Some(joined) => Cow::Owned(joined + last),
        };
        Ok(Token { kind: TokenKind::Scalar { value, style: ScalarStyle::Plain }, start, end })
    }

    pub(super) fn at_any_indicator(&self) -> bool {
        self.cursor.at_document_indicator(b"---") || self.cursor.at_document_indicator(b"...")
    }

    /// The number of bytes from here that go on a plain scalar without a blank.
    fn plain_run(&self) -> usize {
        let in_flow = self.flow_level > 0;
        let rest = self.cursor.rest();
        let mut at = 0;
        while let Some(byte) = rest.get(at) {
            match byte {
                b' ' | b'\t' | b'\n' => return at,
                b'\r' | 0xC2 | 0xE2 if self.cursor.is_break(at) => return at,
                b':' if self.cursor.is_blankz(at + 1) => return at,
                b',' | b'?' | b'[' | b']' | b'{' | b'}' if in_flow => return at,
                _ => at += 1,
            }
        }
        at
    }
}
