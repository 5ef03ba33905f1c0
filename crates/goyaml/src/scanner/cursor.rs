//! Moving through the text by characters and lines.

use super::token::Mark;

/// A position in a text that knows its line and column.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    pub(crate) text: &'a str,
    bytes: &'a [u8],
    pub(crate) pos: usize,
    pub(crate) line: u32,
    pub(crate) column: u32,
    /// Line breaks since the last character that is no blank.
    pub(crate) newlines: u32,
}

pub(crate) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

pub(crate) fn is_alpha(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// The length in bytes of the line break at the start of `bytes`, 0 when there is none.
pub(crate) fn break_len(bytes: &[u8]) -> usize {
    match bytes {
        [b'\r', b'\n', ..] => 2,
        [b'\n' | b'\r', ..] => 1,
        [0xC2, 0x85, ..] => 2,
        [0xE2, 0x80, 0xA8 | 0xA9, ..] => 3,
        _ => 0,
    }
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, bytes: text.as_bytes(), pos: 0, line: 0, column: 0, newlines: 0 }
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark { index: self.pos, line: self.line, column: self.column }
    }

    /// The byte `ahead` bytes further on; 0 after the end (a text has no NUL).
    #[inline]
    pub(crate) fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.pos + ahead).copied().unwrap_or(0)
    }

    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.pos..).unwrap_or_default()
    }

    /// The text from `start` to here.
    pub(crate) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.pos).unwrap_or_default()
    }

    pub(crate) fn at_end(&self) -> bool {
        self.pos >= self.bytes.len()
    }

    /// The length of the line break `ahead` bytes further on, 0 when there is none.
    #[inline]
    pub(crate) fn break_at(&self, ahead: usize) -> usize {
        match self.peek(ahead) {
            b'\n' => 1,
            b'\r' | 0xC2 | 0xE2 => break_len(self.bytes.get(self.pos + ahead..).unwrap_or_default()),
            _ => 0,
        }
    }

    #[inline]
    pub(crate) fn is_break(&self, ahead: usize) -> bool {
        self.break_at(ahead) > 0
    }

    /// Line break or end.
    #[inline]
    pub(crate) fn is_breakz(&self, ahead: usize) -> bool {
        self.pos + ahead >= self.bytes.len() || self.is_break(ahead)
    }

    /// Blank, line break or end.
    #[inline]
    pub(crate) fn is_blankz(&self, ahead: usize) -> bool {
        is_blank(self.peek(ahead)) || self.is_breakz(ahead)
    }

    /// Whether `---` or `...` stands here with nothing glued to it.
    pub(crate) fn at_document_indicator(&self, indicator: &[u8; 3]) -> bool {
        self.column == 0 && self.rest().starts_with(indicator) && self.is_blankz(3)
    }

    /// Moves over one character that is no line break.
    pub(crate) fn skip(&mut self) {
        let byte = self.peek(0);
        if !is_blank(byte) {
            self.newlines = 0;
        }
        self.pos += width(byte);
        self.column += 1;
    }

    /// Moves over `count` bytes that hold no line break.
    pub(crate) fn advance(&mut self, count: usize) {
        let run = self.rest().get(..count).unwrap_or_default();
        let characters =
            if run.is_ascii() { count } else { run.iter().filter(|byte| **byte & 0xC0 != 0x80).count() };
        if run.iter().any(|byte| !is_blank(*byte)) {
            self.newlines = 0;
        }
        self.pos += count;
        self.column = self.column.saturating_add(u32::try_from(characters).unwrap_or(u32::MAX));
    }

    /// Moves over blanks.
    pub(crate) fn skip_blanks(&mut self) {
        self.skip_run(usize::MAX, is_blank);
    }

    /// Moves over at most this many blanks of one kind.
    pub(crate) fn skip_run(&mut self, most: usize, is_in: impl Fn(u8) -> bool) {
        let count = self.rest().iter().take(most).take_while(|byte| is_in(**byte)).count();
        self.pos += count;
        self.column = self.column.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
    }

    /// Moves to the next line break or the end.
    pub(crate) fn skip_to_break(&mut self) {
        let count = self.to_break();
        self.advance(count);
    }

    /// The number of bytes up to the next line break or the end.
    pub(crate) fn to_break(&self) -> usize {
        let rest = self.rest();
        let mut at = 0;
        while let Some(found) = rest[at..].iter().position(|byte| matches!(byte, b'\n' | b'\r' | 0xC2 | 0xE2))
        {
            at += found;
            if break_len(&rest[at..]) > 0 {
                return at;
            }
            at += 1;
        }
        rest.len()
    }

    /// Moves over the line break that stands here, if one does.
    pub(crate) fn skip_break(&mut self) -> bool {
        let length = self.break_at(0);
        if length == 0 {
            return false;
        }
        self.pos += length;
        self.column = 0;
        self.line += 1;
        self.newlines += 1;
        true
    }

    /// Moves over the line break that stands here and appends what it means to `out`.
    pub(crate) fn read_break(&mut self, out: &mut String) -> bool {
        let start = self.pos;
        if !self.skip_break() {
            return false;
        }
        match self.since(start) {
            separator @ ("\u{2028}" | "\u{2029}") => out.push_str(separator),
            _ => out.push('\n'),
        }
        true
    }
}

/// The length of the character that starts with `byte`.
fn width(byte: u8) -> usize {
    match byte {
        0x00..=0xBF => 1,
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 3,
        _ => 4,
    }
}
