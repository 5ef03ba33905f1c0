//! Comments, and the token to which each belongs, as yaml.v3 decides it.
//!
//! A comment waits until the parser sees the first token that starts at or behind `token_index`. The rules
//! about empty lines and indentation look odd in places; they are what users' files depend on.

use super::cursor::is_blank;
use super::token::Mark;
use super::{Scanner, Shape};

/// How far a comment is looked for behind blanks and empty lines, in bytes.
const LOOK_AHEAD: usize = 512;

/// A comment that waits for its token. Exactly one of the three texts is set, none when it was taken.
#[derive(Debug, Default)]
pub(crate) struct Comment {
    /// Where the search for the comment started.
    scan: usize,
    /// The offset from which on a token takes this comment.
    token_index: usize,
    /// Where the comment starts; its column counts from 1.
    pub(super) start: Mark,
    end: usize,
    pub(crate) head: String,
    pub(crate) line: String,
    pub(crate) foot: String,
}

impl Comment {
    pub(super) fn end_index(&self) -> usize {
        self.end
    }

    pub(super) fn scan_index(&self) -> usize {
        self.scan
    }
}

/// The state of [`Scanner::scan_comments`].
struct Search {
    scan: usize,
    token_index: usize,
    /// Where the text starts.
    start: Mark,
    /// The comment lines that belong together so far.
    text: String,
    /// Whether the comments follow a `:`.
    behind_value: bool,
    foot_line: Option<u32>,
    /// Whether an empty line was seen since the last comment line.
    recent_empty: bool,
    /// Whether no empty line was seen at all.
    first_empty: bool,
    line: u32,
    /// From 1.
    column: u32,
    /// The indentation of the block that is open.
    indent: i64,
}

impl Search {
    /// At an empty line, at the end of the text, or where a flow collection closes: the text may be a foot of
    /// what stands before it.
    fn at_line_end(&mut self, closes_flow: bool, at_end: bool, here: usize) -> Option<Comment> {
        if self.text.is_empty() || self.recent_empty && !closes_flow {
            return None;
        }
        let outdented = i64::from(self.start.column) - 1 < self.indent;
        let after_content = Some(self.start.line) == self.foot_line && !self.behind_value;
        if !closes_flow && !(self.first_empty && (after_content || outdented)) {
            if !at_end {
                self.text.push('\n');
            }
            return None;
        }
        if outdented {
            // It has nothing to do with the token before.
            self.token_index = self.start.index;
        }
        Some(self.take_foot(here))
    }

    /// At a comment or token: a comment at another indentation is a foot of what stands before.
    fn at_other_indent(&mut self, here: usize) -> Option<Comment> {
        let outdented = i64::from(self.column) - 1 < self.indent;
        (!self.text.is_empty() && outdented && self.column != self.start.column).then(|| self.take_foot(here))
    }

    /// At the `#` of a comment line.
    fn start_line(&mut self, here: usize) {
        if self.text.is_empty() {
            self.start = Mark { index: here, line: self.line, column: self.column };
        } else {
            self.text.push('\n');
        }
        self.recent_empty = false;
    }

    /// Ends the text as a foot comment.
    fn take_foot(&mut self, end: usize) -> Comment {
        let comment = Comment {
            scan: self.scan,
            token_index: self.token_index,
            start: self.start,
            end,
            foot: std::mem::take(&mut self.text),
            ..Comment::default()
        };
        self.scan = end;
        self.token_index = end;
        comment
    }
}

impl Scanner<'_> {
    /// Takes the next comment that belongs to a token starting at `index`.
    pub(crate) fn take_comment(&mut self, index: usize, heads: bool) -> Option<Comment> {
        let comment = self.comments.get_mut(self.comments_head)?;
        if index < comment.token_index || !heads && !comment.head.is_empty() {
            return None;
        }
        self.comments_head += 1;
        Some(std::mem::take(comment))
    }

    /// Takes a comment at the end of the line that the cursor is on.
    pub(super) fn scan_line_comment(&mut self, belongs_to: Mark) {
        if self.cursor.newlines > 0 {
            return;
        }
        let blanks = self.cursor.rest().iter().take(LOOK_AHEAD).take_while(|byte| is_blank(**byte)).count();
        if blanks >= LOOK_AHEAD || self.cursor.peek(blanks) != b'#' {
            return;
        }
        self.cursor.advance(blanks);
        let start = self.cursor.mark();
        self.cursor.skip_to_break();
        let line = self.cursor.since(start.index).to_owned();
        self.comments.push(Comment { token_index: belongs_to.index, start, line, ..Comment::default() });
    }

    /// A line comment behind the first `-` of a sequence is a head comment of what follows.
    pub(super) fn adopt_entry_comment(&mut self) {
        if self.comments_head == self.comments.len()
            || self.last().0 != Shape::BlockEntry
            || self.second_to_last().is_none_or(|token| token.0 != Shape::BlockSequenceStart)
            || self.cursor.is_break(0)
        {
            return;
        }
        let here = self.cursor.mark();
        let Some(comment) = self.comments.last_mut().filter(|comment| !comment.line.is_empty()) else {
            return;
        };
        comment.head = std::mem::take(&mut comment.line);
        if comment.start.line + 1 == here.line {
            comment.token_index = here.index;
        }
    }

    /// Takes the comments from the `#` at the cursor up to the next token, and splits them into feet of
    /// what stands before and a head of what follows.
    pub(super) fn scan_comments(&mut self, scan_mark: Mark) {
        let last = self.last();
        let token = if last.0 == Shape::FlowEntry { self.second_to_last().unwrap_or(last) } else { last };
        let mut search = Search {
            scan: scan_mark.index,
            token_index: token.1.index,
            start: Mark::default(),
            text: String::new(),
            behind_value: token.0 == Shape::Value,
            foot_line: self.foot_line(scan_mark),
            recent_empty: false,
            first_empty: self.cursor.newlines <= 1,
            line: self.cursor.line,
            column: self.cursor.column,
            indent: self.indent.max(0),
        };
        let mut peek = 0;
        while peek < LOOK_AHEAD {
            search.column += 1;
            let byte = self.cursor.peek(peek);
            if is_blank(byte) {
                peek += 1;
                continue;
            }
            let closes_flow = self.flow_level > 0 && (byte == b']' || byte == b'}');
            if closes_flow || self.cursor.is_breakz(peek) {
                let foot = search.at_line_end(closes_flow, byte == 0, self.cursor.pos + peek);
                self.comments.extend(foot);
                if !self.cursor.is_break(peek) {
                    break;
                }
                search.first_empty = false;
                search.recent_empty = true;
                search.column = 0;
                search.line += 1;
                peek += 1;
                continue;
            }
            self.comments.extend(search.at_other_indent(self.cursor.pos + peek));
            if byte != b'#' {
                break;
            }
            search.start_line(self.cursor.pos + peek);
            self.read_comment_line(peek, &mut search.text);
            // The line break at the cursor is not looked at again.
            peek = 1;
            search.column = 0;
            search.line = self.cursor.line;
        }
        if !search.text.is_empty() {
            let Search { scan, start, text: head, .. } = search;
            let end = self.cursor.pos + peek - 1;
            self.comments.push(Comment {
                scan,
                token_index: start.index,
                start,
                end,
                head,
                ..Comment::default()
            });
        }
    }

    /// The line on which a comment must start to be a foot of what stands before.
    fn foot_line(&self, scan_mark: Mark) -> Option<u32> {
        if scan_mark.line == 0 {
            return None;
        }
        let behind_content = self.cursor.newlines == 0 && self.cursor.column > 1;
        (self.cursor.line + 1 + u32::from(behind_content)).checked_sub(self.cursor.newlines)
    }

    /// Moves over blanks and empty lines to the `#` and reads to the end of its line.
    fn read_comment_line(&mut self, ahead: usize, text: &mut String) {
        let at = self.cursor.pos + ahead;
        while self.cursor.pos < at {
            if !self.cursor.skip_break() {
                self.cursor.skip();
            }
        }
        let from = self.cursor.pos;
        self.cursor.skip_to_break();
        text.push_str(self.cursor.since(from));
    }
}
