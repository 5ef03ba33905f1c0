//! Finding the next token and putting it into the queue.

use super::cursor::is_blank;
use super::token::{Failure, Flavour, Token, TokenKind};
use super::{Scanner, Shape, SimpleKey};

impl<'a> Scanner<'a> {
    /// Puts at least one more token into the queue (or a `BlockEnd` and then that token).
    pub(super) fn fetch_next(&mut self) -> Result<(), Failure> {
        if !self.started {
            return self.fetch_stream_start();
        }
        let scan_mark = self.cursor.mark();
        self.scan_to_next_token()?;
        self.unroll_indent(i64::from(self.cursor.column), scan_mark);
        self.check_problem(4)?;
        if self.cursor.at_end() {
            return self.fetch_stream_end();
        }
        if self.cursor.column == 0 {
            if self.cursor.peek(0) == b'%' {
                return self.fetch_directive();
            }
            if self.cursor.at_document_indicator(b"---") {
                return self.fetch_document_indicator(TokenKind::DocumentStart);
            }
            if self.cursor.at_document_indicator(b"...") {
                return self.fetch_document_indicator(TokenKind::DocumentEnd);
            }
        }
        if self.flavour == Flavour::V2 {
            return self.fetch_content();
        }
        let byte = self.cursor.peek(0);
        // A comment behind `key:` or `item,` belongs to what stands before the indicator.
        let belongs_to = match byte {
            b':' if self.flow_level == 0 => self.last().1,
            b',' if self.flow_level > 0 => self.last().1,
            _ => self.cursor.mark(),
        };
        self.fetch_content()?;
        // A lone `-` has no line comment; it becomes a head comment of what follows.
        if self.last().0 != Shape::BlockEntry {
            self.scan_line_comment(belongs_to);
        }
        Ok(())
    }

    fn fetch_content(&mut self) -> Result<(), Failure> {
        let in_flow = self.flow_level > 0;
        match self.cursor.peek(0) {
            b'[' => self.fetch_flow_start(TokenKind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(TokenKind::FlowMappingStart),
            b']' => self.fetch_flow_end(TokenKind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(TokenKind::FlowMappingEnd),
            b',' => self.fetch_flow_entry(),
            b'-' if self.cursor.is_blankz(1) => self.fetch_block_entry(),
            b'?' if in_flow || self.cursor.is_blankz(1) => self.fetch_key(),
            b':' if in_flow || self.cursor.is_blankz(1) => self.fetch_value(),
            b'*' => self.fetch_anchor(true),
            b'&' => self.fetch_anchor(false),
            b'!' => self.fetch_keyed(Self::scan_tag),
            b'|' if !in_flow => self.fetch_block_scalar(true),
            b'>' if !in_flow => self.fetch_block_scalar(false),
            b'\'' => self.fetch_keyed(|scanner| scanner.scan_flow_scalar(true)),
            b'"' => self.fetch_keyed(|scanner| scanner.scan_flow_scalar(false)),
            byte if self.may_start_plain(byte) => self.fetch_keyed(Self::scan_plain_scalar),
            _ => Err(self.error(Some(self.cursor.mark()), "found character that cannot start any token")),
        }
    }

    fn may_start_plain(&self, byte: u8) -> bool {
        match byte {
            b'-' => !is_blank(self.cursor.peek(1)),
            b'?' | b':' => self.flow_level == 0 && !self.cursor.is_blankz(1),
            b'#' | b'|' | b'>' | b'%' | b'@' | b'`' => false,
            _ => !self.cursor.is_blankz(0),
        }
    }

    fn fetch_stream_start(&mut self) -> Result<(), Failure> {
        self.started = true;
        self.simple_keys.push(SimpleKey::default());
        self.simple_key_allowed = true;
        let mark = self.cursor.mark();
        self.tokens.push_back(Token { kind: TokenKind::StreamStart, start: mark, end: mark });
        Ok(())
    }

    fn fetch_stream_end(&mut self) -> Result<(), Failure> {
        if self.cursor.column != 0 {
            self.cursor.column = 0;
            self.cursor.line += 1;
        }
        self.unroll_indent(-1, self.cursor.mark());
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        let mark = self.cursor.mark();
        self.tokens.push_back(Token { kind: TokenKind::StreamEnd, start: mark, end: mark });
        Ok(())
    }

    fn fetch_directive(&mut self) -> Result<(), Failure> {
        self.unroll_indent(-1, self.cursor.mark());
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        let token = self.scan_directive()?;
        self.tokens.push_back(token);
        Ok(())
    }

    fn fetch_document_indicator(&mut self, kind: TokenKind<'a>) -> Result<(), Failure> {
        self.unroll_indent(-1, self.cursor.mark());
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        self.push_indicator(kind, 3);
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: TokenKind<'a>) -> Result<(), Failure> {
        self.save_simple_key()?;
        self.increase_flow_level()?;
        self.simple_key_allowed = true;
        self.push_indicator(kind, 1);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: TokenKind<'a>) -> Result<(), Failure> {
        self.remove_simple_key()?;
        self.decrease_flow_level();
        self.simple_key_allowed = false;
        self.push_indicator(kind, 1);
        Ok(())
    }

    fn fetch_flow_entry(&mut self) -> Result<(), Failure> {
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.push_indicator(TokenKind::FlowEntry, 1);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Result<(), Failure> {
        self.open_block(
            TokenKind::BlockSequenceStart,
            "block sequence entries are not allowed in this context",
        )?;
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.push_indicator(TokenKind::BlockEntry, 1);
        Ok(())
    }

    fn fetch_key(&mut self) -> Result<(), Failure> {
        self.open_block(TokenKind::BlockMappingStart, "mapping keys are not allowed in this context")?;
        self.remove_simple_key()?;
        self.simple_key_allowed = self.flow_level == 0;
        self.push_indicator(TokenKind::Key, 1);
        Ok(())
    }

    fn fetch_value(&mut self) -> Result<(), Failure> {
        let level = self.simple_keys.len().saturating_sub(1);
        if self.simple_key_is_valid(level)? {
            let Some(key) = self.simple_keys.last_mut() else { return Ok(()) };
            key.possible = false;
            let (number, mark) = (key.token_number, key.mark);
            self.forget_key(number);
            self.insert_token(number, Token { kind: TokenKind::Key, start: mark, end: mark });
            self.roll_indent(mark.column, Some(number), TokenKind::BlockMappingStart, mark)?;
            self.simple_key_allowed = false;
        } else {
            self.open_block(TokenKind::BlockMappingStart, "mapping values are not allowed in this context")?;
            self.simple_key_allowed = self.flow_level == 0;
        }
        self.push_indicator(TokenKind::Value, 1);
        Ok(())
    }

    fn fetch_anchor(&mut self, alias: bool) -> Result<(), Failure> {
        self.fetch_keyed(|scanner| scanner.scan_anchor(alias))
    }

    fn fetch_block_scalar(&mut self, literal: bool) -> Result<(), Failure> {
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        let token = self.scan_block_scalar(literal)?;
        self.tokens.push_back(token);
        Ok(())
    }

    /// A token that may be (the start of) a simple key.
    fn fetch_keyed(
        &mut self,
        scan: impl FnOnce(&mut Self) -> Result<Token<'a>, Failure>,
    ) -> Result<(), Failure> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let token = scan(self)?;
        self.tokens.push_back(token);
        Ok(())
    }

    /// In block context: checks that a block collection may start or go on here, and opens it.
    fn open_block(&mut self, kind: TokenKind<'a>, problem: &'static str) -> Result<(), Failure> {
        if self.flow_level > 0 {
            return Ok(());
        }
        let mark = self.cursor.mark();
        if !self.simple_key_allowed {
            return Err(self.error(Some(mark), problem));
        }
        self.roll_indent(mark.column, None, kind, mark)
    }

    fn push_indicator(&mut self, kind: TokenKind<'a>, length: usize) {
        let start = self.cursor.mark();
        self.cursor.advance(length);
        self.tokens.push_back(Token { kind, start, end: self.cursor.mark() });
    }

    /// Moves over blanks, comments and line breaks.
    fn scan_to_next_token(&mut self) -> Result<(), Failure> {
        let scan_mark = self.cursor.mark();
        loop {
            if self.cursor.pos == 0 && self.cursor.text.starts_with('\u{FEFF}') {
                self.cursor.skip();
            }
            let tabs = self.flow_level > 0 || !self.simple_key_allowed;
            self.cursor.skip_run(usize::MAX, |byte| byte == b' ' || tabs && byte == b'\t');
            if self.flavour == Flavour::V3 {
                self.adopt_entry_comment();
            }
            if self.cursor.peek(0) == b'#' {
                match self.flavour {
                    Flavour::V2 => self.cursor.skip_to_break(),
                    Flavour::V3 => self.scan_comments(scan_mark),
                }
            }
            if !self.cursor.skip_break() {
                return Ok(());
            }
            if self.flow_level == 0 {
                self.simple_key_allowed = true;
            }
        }
    }
}
