//! Literal and folded scalars.

use std::borrow::Cow;

use super::Scanner;
use super::cursor::is_blank;
use super::token::{Failure, Mark, ScalarStyle, Token, TokenKind};

/// What becomes of the line breaks at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomping {
    Strip,
    Clip,
    Keep,
}

impl<'a> Scanner<'a> {
    pub(super) fn scan_block_scalar(&mut self, literal: bool) -> Result<Token<'a>, Failure> {
        let start = self.cursor.mark();
        self.cursor.skip();
        let (chomping, increment) = self.scan_block_header(start)?;
        let mut end = self.cursor.mark();
        let mut indent = match increment {
            0 => 0,
            _ => self.indent.max(0) + i64::from(increment),
        };
        let mut value = String::new();
        let (mut leading, mut trailing) = (String::new(), String::new());
        self.scan_block_breaks(&mut indent, &mut trailing, start, &mut end)?;
        let mut leading_blank = false;
        while i64::from(self.cursor.column) == indent && !self.cursor.at_end() {
            let blank = is_blank(self.cursor.peek(0));
            if !literal && !leading_blank && !blank && leading.starts_with('\n') {
                if trailing.is_empty() {
                    value.push(' ');
                }
            } else {
                value.push_str(&leading);
            }
            leading.clear();
            value.push_str(&trailing);
            trailing.clear();
            leading_blank = blank;
            let from = self.cursor.pos;
            self.cursor.skip_to_break();
            value.push_str(self.cursor.since(from));
            self.cursor.read_break(&mut leading);
            self.scan_block_breaks(&mut indent, &mut trailing, start, &mut end)?;
        }
        if chomping != Chomping::Strip {
            value.push_str(&leading);
        }
        if chomping == Chomping::Keep {
            value.push_str(&trailing);
        }
        let style = if literal { ScalarStyle::Literal } else { ScalarStyle::Folded };
        Ok(Token { kind: TokenKind::Scalar { value: Cow::Owned(value), style }, start, end })
    }

    /// Reads what follows `|` or `>` up to and with the line break.
    fn scan_block_header(&mut self, start: Mark) -> Result<(Chomping, u8), Failure> {
        let mut chomping = self.scan_chomping();
        let increment = self.scan_increment(start)?;
        if increment != 0 && chomping == Chomping::Clip {
            chomping = self.scan_chomping();
        }
        self.cursor.skip_blanks();
        if self.cursor.peek(0) == b'#' {
            if self.flavour == super::Flavour::V3 {
                self.scan_line_comment(start);
            }
            self.cursor.skip_to_break();
        }
        if !self.cursor.is_breakz(0) {
            return Err(self.error(Some(start), "did not find expected comment or line break"));
        }
        self.cursor.skip_break();
        Ok((chomping, increment))
    }

    fn scan_chomping(&mut self) -> Chomping {
        let chomping = match self.cursor.peek(0) {
            b'+' => Chomping::Keep,
            b'-' => Chomping::Strip,
            _ => return Chomping::Clip,
        };
        self.cursor.skip();
        chomping
    }

    fn scan_increment(&mut self, start: Mark) -> Result<u8, Failure> {
        match self.cursor.peek(0) {
            b'0' => Err(self.error(Some(start), "found an indentation indicator equal to 0")),
            digit @ b'1'..=b'9' => {
                self.cursor.skip();
                Ok(digit - b'0')
            }
            _ => Ok(0),
        }
    }

    /// Moves over indentation and empty lines; finds the indentation when it is not known yet (0).
    fn scan_block_breaks(
        &mut self,
        indent: &mut i64,
        breaks: &mut String,
        start: Mark,
        end: &mut Mark,
    ) -> Result<(), Failure> {
        *end = self.cursor.mark();
        let mut deepest = 0;
        loop {
            let inside = |column: u32| *indent == 0 || i64::from(column) < *indent;
            let wanted = match *indent {
                0 => usize::MAX,
                indent => usize::try_from(indent - i64::from(self.cursor.column)).unwrap_or(0),
            };
            self.cursor.skip_run(wanted, |byte| byte == b' ');
            deepest = deepest.max(i64::from(self.cursor.column));
            if inside(self.cursor.column) && self.cursor.peek(0) == b'\t' {
                let problem = "found a tab character where an indentation space is expected";
                return Err(self.error(Some(start), problem));
            }
            if !self.cursor.read_break(breaks) {
                break;
            }
            *end = self.cursor.mark();
        }
        if *indent == 0 {
            *indent = deepest.max(self.indent + 1).max(1);
        }
        Ok(())
    }
}
