//! Text to tokens: indentation, simple keys and the queue of tokens.
//!
//! A design after libyaml, as both Go libraries are. The scanner knows nothing of nodes; comments wait in
//! [`Scanner::comments`] until the parser reaches the token that they belong to.

mod comments;
mod cursor;
mod directive;
mod fetch;
mod scalar_block;
mod scalar_flow;
mod scalar_plain;
pub(crate) mod token;

use std::collections::VecDeque;

pub(crate) use comments::Comment;
use cursor::Cursor;
use token::{Failure, Flavour, Mark, Stage, SyntaxError, Token, TokenKind};

/// A simple key (`key:` without `?`) is at most this long, in characters.
const SIMPLE_KEY_LENGTH: usize = 1024;

/// A place where a simple key may have started; one per level of flow collections.
#[derive(Debug, Clone, Copy, Default)]
struct SimpleKey {
    possible: bool,
    required: bool,
    token_number: usize,
    mark: Mark,
}

/// What is known of a token that may have left the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    BlockSequenceStart,
    BlockEntry,
    FlowEntry,
    Value,
    Other,
}

pub(crate) struct Scanner<'a> {
    cursor: Cursor<'a>,
    flavour: Flavour,
    /// What is wrong after the end of the text, if anything.
    problem: Option<&'static str>,
    max_depth: usize,
    tokens: VecDeque<Token<'a>>,
    /// Tokens that have left the queue.
    tokens_parsed: usize,
    /// The token that left the queue last.
    previous: (Shape, Mark),
    available: bool,
    indent: i64,
    indents: Vec<i64>,
    simple_keys: Vec<SimpleKey>,
    /// Tokens at which a simple key may start, with the level of the key, in order. The queue waits for these
    /// before it gives its head away. As in Go, an entry outlives a key that turned out to be impossible, and
    /// then means the next key of its level.
    keys_by_token: VecDeque<(usize, usize)>,
    simple_key_allowed: bool,
    flow_level: usize,
    started: bool,
    /// Comments in order; those before `comments_head` are taken.
    comments: Vec<Comment>,
    comments_head: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(
        text: &'a str,
        problem: Option<&'static str>,
        flavour: Flavour,
        max_depth: usize,
    ) -> Self {
        Self {
            cursor: Cursor::new(text),
            flavour,
            problem,
            max_depth,
            tokens: VecDeque::with_capacity(16),
            tokens_parsed: 0,
            previous: (Shape::Other, Mark::default()),
            available: false,
            indent: -1,
            indents: Vec::new(),
            simple_keys: Vec::new(),
            keys_by_token: VecDeque::new(),
            simple_key_allowed: false,
            flow_level: 0,
            started: false,
            comments: Vec::new(),
            comments_head: 0,
        }
    }

    /// The next token, which stays in the queue.
    pub(crate) fn peek(&mut self) -> Result<&Token<'a>, Failure> {
        if !self.available {
            self.fetch_more()?;
            self.available = true;
        }
        match self.tokens.front() {
            Some(token) => Ok(token),
            None => Err(self.error(None, "unexpected end of tokens")),
        }
    }

    /// Takes the token that [`peek`](Self::peek) showed.
    pub(crate) fn next(&mut self) -> Option<Token<'a>> {
        let token = self.tokens.pop_front()?;
        self.available = false;
        self.tokens_parsed += 1;
        self.previous = (shape(&token.kind), token.start);
        Some(token)
    }

    /// Fetches tokens until the head of the queue is certain: no simple key may still start there. The v3
    /// library looks two tokens further for the sake of comments.
    fn fetch_more(&mut self) -> Result<(), Failure> {
        let ahead = if self.flavour == Flavour::V3 { 2 } else { 0 };
        loop {
            if self.tokens.len() > ahead && !self.head_may_be_key()? {
                return Ok(());
            }
            if self.tokens.back().is_some_and(|token| token.kind == TokenKind::StreamEnd) {
                self.head_may_be_key()?;
                return Ok(());
            }
            let fetched = self.fetch_next();
            if self.problem.is_some() && self.cursor.at_end() {
                self.check_problem(1)?;
            }
            fetched?;
        }
    }

    /// Fails when fewer than `wanted` characters are left and what follows them is no text.
    fn check_problem(&self, wanted: usize) -> Result<(), Failure> {
        let Some(problem) = self.problem else { return Ok(()) };
        let rest = self.cursor.text.get(self.cursor.pos..).unwrap_or_default();
        if rest.chars().take(wanted).count() >= wanted {
            return Ok(());
        }
        Err(Box::new(SyntaxError {
            problem: problem.into(),
            context: None,
            place: None,
            stage: Stage::Reader,
        }))
    }

    /// Whether a simple key may still start at the head of the queue.
    fn head_may_be_key(&mut self) -> Result<bool, Failure> {
        while self.keys_by_token.front().is_some_and(|entry| entry.0 < self.tokens_parsed) {
            self.keys_by_token.pop_front();
        }
        match self.keys_by_token.front() {
            Some((number, level)) if *number == self.tokens_parsed => self.simple_key_is_valid(*level),
            _ => Ok(false),
        }
    }

    /// Forgets that a simple key may start at the token with this number.
    fn forget_key(&mut self, token_number: usize) {
        if let Ok(at) = self.keys_by_token.binary_search_by_key(&token_number, |entry| entry.0) {
            self.keys_by_token.remove(at);
        }
    }

    /// Whether the key may still become one; it must be on one line and not too long.
    fn simple_key_is_valid(&mut self, at: usize) -> Result<bool, Failure> {
        let Some(key) = self.simple_keys.get(at).copied().filter(|key| key.possible) else {
            return Ok(false);
        };
        let long = self.cursor.pos - key.mark.index > SIMPLE_KEY_LENGTH
            && self.cursor.since(key.mark.index).chars().count() > SIMPLE_KEY_LENGTH;
        if key.mark.line >= self.cursor.line && !long {
            return Ok(true);
        }
        if key.required {
            return Err(self.error(Some(key.mark), "could not find expected ':'"));
        }
        if let Some(key) = self.simple_keys.get_mut(at) {
            key.possible = false;
        }
        Ok(false)
    }

    /// Notes that a simple key may start here.
    fn save_simple_key(&mut self) -> Result<(), Failure> {
        if !self.simple_key_allowed {
            return Ok(());
        }
        let required = self.flow_level == 0 && self.indent == i64::from(self.cursor.column);
        self.remove_simple_key()?;
        let token_number = self.tokens_parsed + self.tokens.len();
        let mark = self.cursor.mark();
        if let Some(last) = self.simple_keys.last_mut() {
            *last = SimpleKey { possible: true, required, token_number, mark };
            self.keys_by_token.push_back((token_number, self.simple_keys.len() - 1));
        }
        Ok(())
    }

    /// Gives up the simple key of the current level.
    fn remove_simple_key(&mut self) -> Result<(), Failure> {
        let Some(key) = self.simple_keys.last_mut() else { return Ok(()) };
        if key.possible {
            if key.required {
                let mark = key.mark;
                return Err(self.error(Some(mark), "could not find expected ':'"));
            }
            key.possible = false;
            let number = key.token_number;
            self.forget_key(number);
        }
        Ok(())
    }

    fn increase_flow_level(&mut self) -> Result<(), Failure> {
        let token_number = self.tokens_parsed + self.tokens.len();
        let mark = self.cursor.mark();
        self.simple_keys.push(SimpleKey { token_number, mark, ..SimpleKey::default() });
        self.flow_level += 1;
        if self.flow_level > self.max_depth {
            return Err(self.too_deep(mark));
        }
        Ok(())
    }

    fn decrease_flow_level(&mut self) {
        if self.flow_level == 0 {
            return;
        }
        self.flow_level -= 1;
        // When nothing inside the collection was ever a key, this is the number of the bracket itself: `[]: a`
        // is refused by v2 for this reason.
        if let Some(gone) = self.simple_keys.pop() {
            self.forget_key(gone.token_number);
        }
    }

    /// Opens a block collection when the column is deeper than the indentation.
    fn roll_indent(
        &mut self,
        column: u32,
        at: Option<usize>,
        kind: TokenKind<'a>,
        mark: Mark,
    ) -> Result<(), Failure> {
        let column = i64::from(column);
        if self.flow_level > 0 || self.indent >= column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column;
        if self.indents.len() > self.max_depth {
            let mark = self.simple_keys.last().map_or(mark, |key| key.mark);
            return Err(self.too_deep(mark));
        }
        let token = Token { kind, start: mark, end: mark };
        match at {
            Some(number) => self.insert_token(number, token),
            None => self.tokens.push_back(token),
        }
        Ok(())
    }

    /// Inserts a token in front of the token with this number.
    fn insert_token(&mut self, number: usize, token: Token<'a>) {
        match number.checked_sub(self.tokens_parsed) {
            Some(at) if at <= self.tokens.len() => self.tokens.insert(at, token),
            _ => self.tokens.push_back(token),
        }
    }

    /// Closes the block collections that are deeper than `column`. With v3, a collection ends in front of
    /// the comments that stand at the indentation of its parent.
    fn unroll_indent(&mut self, column: i64, scan_mark: Mark) {
        if self.flow_level > 0 {
            return;
        }
        let mut mark = match self.flavour {
            Flavour::V2 => self.cursor.mark(),
            Flavour::V3 => Mark { index: scan_mark.index.saturating_sub(1), ..scan_mark },
        };
        while self.indent > column {
            let mut stop = mark.index;
            for comment in self.comments.iter().rev() {
                if comment.end_index() < stop {
                    break;
                }
                if i64::from(comment.start.column) == self.indent + 1 {
                    mark = comment.start;
                }
                stop = comment.scan_index();
            }
            self.tokens.push_back(Token { kind: TokenKind::BlockEnd, start: mark, end: mark });
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    /// The token before the last one, also when it has left the queue.
    fn second_to_last(&self) -> Option<(Shape, Mark)> {
        match self.tokens.len() {
            0 => None,
            1 => Some(self.previous),
            length => self.tokens.get(length - 2).map(|token| (shape(&token.kind), token.start)),
        }
    }

    /// The last token, also when it has left the queue.
    fn last(&self) -> (Shape, Mark) {
        self.tokens.back().map_or(self.previous, |token| (shape(&token.kind), token.start))
    }

    fn too_deep(&self, mark: Mark) -> Failure {
        let problem = format!("exceeded max depth of {}", self.max_depth).into();
        let place = Some(self.cursor.mark());
        Box::new(SyntaxError { problem, context: Some(mark), place, stage: Stage::Limit })
    }

    /// An error here, in a thing that started at `context`.
    fn error(&self, context: Option<Mark>, problem: &'static str) -> Failure {
        let place = Some(self.cursor.mark());
        Box::new(SyntaxError { problem: problem.into(), context, place, stage: Stage::Scanner })
    }
}

fn shape(kind: &TokenKind<'_>) -> Shape {
    match kind {
        TokenKind::BlockSequenceStart => Shape::BlockSequenceStart,
        TokenKind::BlockEntry => Shape::BlockEntry,
        TokenKind::FlowEntry => Shape::FlowEntry,
        TokenKind::Value => Shape::Value,
        _ => Shape::Other,
    }
}
