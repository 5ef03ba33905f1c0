//! From text to tokens.

use super::token::{Kind, Token};
use crate::strconv::{decode_rune, is_digit, is_letter, is_print};

const LEFT: &[u8] = b"{{";
const RIGHT: &[u8] = b"}}";

/// Cuts a text into tokens, one at a time.
pub(super) struct Lexer<'a> {
    /// The whole text.
    source: &'a [u8],
    /// What is read: the same, until an error empties it.
    input: &'a [u8],
    /// Start of the token being read, and its line.
    start: usize,
    line: u32,
    pos: usize,
    inside_action: bool,
    paren_depth: u32,
    /// Whether `break` and `continue` are keywords.
    pub(super) loop_words: bool,
    /// The message of the last [`Kind::Error`] token.
    pub(super) error: String,
}

fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\r' | b'\n')
}

fn is_alphanumeric(c: char) -> bool {
    c == '_' || is_letter(c) || is_digit(c)
}

/// Go's `%#U`.
fn code_point(c: char) -> String {
    if is_print(c) { format!("U+{:04X} '{c}'", c as u32) } else { format!("U+{:04X}", c as u32) }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

/// Position of the next `{{`: text is most of a template, so this is the hot loop.
fn find_left_delim(text: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let rest = text.get(from..)?;
        let at = from + memchr::memchr(b'{', rest)?;
        if text.get(at + 1) == Some(&b'{') {
            return Some(at);
        }
        from = at + 1;
    }
}

impl<'a> Lexer<'a> {
    pub(super) fn new(input: &'a [u8], loop_words: bool) -> Self {
        Lexer {
            source: input,
            input,
            start: 0,
            line: 1,
            pos: 0,
            inside_action: false,
            paren_depth: 0,
            loop_words,
            error: String::new(),
        }
    }

    pub(super) fn text(&self, token: Token) -> &'a [u8] {
        self.source.get(token.start as usize..token.end as usize).unwrap_or_default()
    }

    fn rest(&self) -> &'a [u8] {
        self.input.get(self.pos..).unwrap_or_default()
    }

    fn current(&self) -> &'a [u8] {
        self.input.get(self.start..self.pos).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        decode_rune(self.rest()).map(|(c, _)| c)
    }

    fn next(&mut self) -> Option<char> {
        let (c, width) = decode_rune(self.rest())?;
        self.pos += width;
        Some(c)
    }

    /// Forgets what has been read since the last token.
    fn ignore(&mut self) {
        let newlines = match self.current() {
            [] => 0,
            [one] => usize::from(*one == b'\n'),
            more => more.iter().filter(|b| **b == b'\n').count(),
        };
        self.line += u32::try_from(newlines).unwrap_or(0);
        self.start = self.pos;
    }

    /// Ends the token being read. The caller of [`super::parse`] has made sure that offsets fit.
    fn emit(&mut self, kind: Kind) -> Token {
        let offset = |p: usize| u32::try_from(p).unwrap_or(u32::MAX);
        let token = Token { kind, start: offset(self.start), end: offset(self.pos), line: self.line };
        self.ignore();
        token
    }

    fn fail(&mut self, message: String) -> Token {
        self.error = message;
        let mut token = self.emit(Kind::Error);
        token.end = token.start;
        self.input = &[];
        self.start = 0;
        self.pos = 0;
        token
    }

    pub(super) fn next_token(&mut self) -> Token {
        if self.inside_action { self.action() } else { self.plain_text() }
    }

    fn plain_text(&mut self) -> Token {
        loop {
            let Some(x) = find_left_delim(self.rest()) else {
                self.pos = self.input.len();
                return self.emit(if self.pos > self.start { Kind::Text } else { Kind::Eof });
            };
            if x > 0 {
                self.pos += x;
                let text_end = self.pos;
                let trim = has_left_trim_marker(self.input.get(text_end + LEFT.len()..).unwrap_or_default());
                if trim {
                    let trailing = self.current().iter().rev().take_while(|b| is_space(**b)).count();
                    self.pos -= trailing;
                }
                let token = (self.pos > self.start).then(|| self.emit(Kind::Text));
                self.pos = text_end;
                self.ignore();
                if let Some(token) = token {
                    return token;
                }
            }
            match self.left_delim() {
                Some(token) => return token,
                None => continue,
            }
        }
    }

    /// At a `{{`. A comment gives no token.
    fn left_delim(&mut self) -> Option<Token> {
        self.pos += LEFT.len();
        let marker = if has_left_trim_marker(self.rest()) { 2 } else { 0 };
        if self.rest().get(marker..).unwrap_or_default().starts_with(b"/*") {
            self.pos += marker;
            self.ignore();
            return self.comment();
        }
        let token = self.emit(Kind::LeftDelim);
        self.inside_action = true;
        self.pos += marker;
        self.ignore();
        self.paren_depth = 0;
        Some(token)
    }

    fn comment(&mut self) -> Option<Token> {
        self.pos += 2;
        let Some(x) = find(self.rest(), b"*/") else {
            return Some(self.fail("unclosed comment".into()));
        };
        self.pos += x + 2;
        let Some(trim) = self.at_right_delim() else {
            return Some(self.fail("comment ends before closing delimiter".into()));
        };
        self.pos += RIGHT.len();
        if trim {
            self.pos += 2;
            self.skip_spaces();
        }
        self.ignore();
        None
    }

    fn skip_spaces(&mut self) {
        self.pos += self.rest().iter().take_while(|b| is_space(**b)).count();
    }

    /// Whether the closing delimiter is next; `Some(true)` with a trim marker.
    fn at_right_delim(&self) -> Option<bool> {
        let rest = self.rest();
        if has_right_trim_marker(rest) && rest.get(2..).unwrap_or_default().starts_with(RIGHT) {
            return Some(true);
        }
        rest.starts_with(RIGHT).then_some(false)
    }

    fn right_delim(&mut self, trim: bool) -> Token {
        if trim {
            self.pos += 2;
            self.ignore();
        }
        self.pos += RIGHT.len();
        let token = self.emit(Kind::RightDelim);
        if trim {
            self.skip_spaces();
            self.ignore();
        }
        self.inside_action = false;
        token
    }

    fn action(&mut self) -> Token {
        if let Some(trim) = self.at_right_delim() {
            return match self.paren_depth {
                0 => self.right_delim(trim),
                _ => self.fail("unclosed left paren".into()),
            };
        }
        let Some(c) = self.next() else { return self.fail("unclosed action".into()) };
        match c {
            ' ' | '\t' | '\r' | '\n' => self.space(),
            '=' => self.emit(Kind::Assign),
            ':' if self.next() == Some('=') => self.emit(Kind::Declare),
            ':' => self.fail("expected :=".into()),
            '|' => self.emit(Kind::Pipe),
            '"' => self.quoted('"', Kind::String, "unterminated quoted string"),
            '\'' => self.quoted('\'', Kind::CharConstant, "unterminated character constant"),
            '`' => self.raw_quoted(),
            '$' => self.field_or_variable(Kind::Variable),
            '.' if self.rest().first().is_some_and(|b| !b.is_ascii_digit()) => {
                self.field_or_variable(Kind::Field)
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.pos = self.start;
                self.number()
            }
            c if is_alphanumeric(c) => self.identifier(),
            '(' => {
                self.paren_depth += 1;
                self.emit(Kind::LeftParen)
            }
            ')' if self.paren_depth == 0 => self.fail("unexpected right paren".into()),
            ')' => {
                self.paren_depth -= 1;
                self.emit(Kind::RightParen)
            }
            c if c.is_ascii() && is_print(c) => self.emit(Kind::Char),
            c => self.fail(format!("unrecognized character in action: {}", code_point(c))),
        }
    }

    /// A run of spaces, the first of which has been read. The last one may belong to a closing delimiter with a trim marker.
    fn space(&mut self) -> Token {
        self.skip_spaces();
        let last = self.pos - 1;
        let tail = self.input.get(last..).unwrap_or_default();
        if has_right_trim_marker(tail) && tail.get(2..).unwrap_or_default().starts_with(RIGHT) {
            self.pos = last;
            if self.pos == self.start {
                return match self.at_right_delim() {
                    Some(trim) => self.right_delim(trim),
                    None => self.emit(Kind::Space),
                };
            }
        }
        self.emit(Kind::Space)
    }

    fn identifier(&mut self) -> Token {
        self.skip_alphanumerics();
        if !self.at_terminator() {
            return self.bad_character();
        }
        let word = self.current();
        let kind = match Kind::keyword(word, self.loop_words) {
            Some(keyword) => keyword,
            None if word == b"true" || word == b"false" => Kind::Bool,
            None => Kind::Identifier,
        };
        self.emit(kind)
    }

    fn skip_alphanumerics(&mut self) {
        let ascii = |b: &&u8| b.is_ascii_alphanumeric() || **b == b'_';
        self.pos += self.rest().iter().take_while(ascii).count();
        while let Some((c, width)) = decode_rune(self.rest()) {
            if !is_alphanumeric(c) {
                break;
            }
            self.pos += width;
        }
    }

    fn bad_character(&mut self) -> Token {
        let c = self.peek().unwrap_or_default();
        self.fail(format!("bad character {}", code_point(c)))
    }

    /// The dot or dollar has been read.
    fn field_or_variable(&mut self, kind: Kind) -> Token {
        if self.at_terminator() {
            return self.emit(if kind == Kind::Variable { kind } else { Kind::Dot });
        }
        self.skip_alphanumerics();
        if !self.at_terminator() {
            return self.bad_character();
        }
        self.emit(kind)
    }

    /// Whether a name may end here.
    fn at_terminator(&self) -> bool {
        match self.rest().first() {
            None | Some(b' ' | b'\t' | b'\r' | b'\n' | b'.' | b',' | b'|' | b':' | b')' | b'(') => true,
            Some(_) => self.rest().starts_with(RIGHT),
        }
    }

    fn quoted(&mut self, quote: char, kind: Kind, unterminated: &str) -> Token {
        loop {
            // Multi-byte characters hold no byte of these.
            let plain = |b: &&u8| !matches!(**b, b'\\' | b'\n') && **b != quote as u8;
            self.pos += self.rest().iter().take_while(plain).count();
            match self.next() {
                Some('\\') if self.next().is_some_and(|c| c != '\n') => {}
                Some('\\' | '\n') | None => return self.fail(unterminated.into()),
                Some(c) if c == quote => return self.emit(kind),
                Some(_) => {}
            }
        }
    }

    fn raw_quoted(&mut self) -> Token {
        match self.rest().iter().position(|b| *b == b'`') {
            Some(x) => {
                self.pos += x + 1;
                self.emit(Kind::RawString)
            }
            None => self.fail("unterminated raw quoted string".into()),
        }
    }

    /// Not a perfect scanner: it accepts `.` and `089`, which the parser refuses when it converts them.
    fn number(&mut self) -> Token {
        let mut complete = self.scan_number();
        let mut kind = Kind::Number;
        if complete && matches!(self.peek(), Some('+' | '-')) {
            complete = self.scan_number() && self.current().ends_with(b"i");
            kind = Kind::Complex;
        }
        if complete {
            return self.emit(kind);
        }
        let text = crate::strconv::quote(self.current());
        self.fail(format!("bad number syntax: {text}"))
    }

    fn scan_number(&mut self) -> bool {
        self.accept(b"+-");
        let mut digits: &[u8] = b"0123456789_";
        if self.accept(b"0") {
            if self.accept(b"xX") {
                digits = b"0123456789abcdefABCDEF_";
            } else if self.accept(b"oO") {
                digits = b"01234567_";
            } else if self.accept(b"bB") {
                digits = b"01_";
            }
        }
        self.accept_run(digits);
        if self.accept(b".") {
            self.accept_run(digits);
        }
        let exponent = match digits.len() {
            11 => self.accept(b"eE"),
            23 => self.accept(b"pP"),
            _ => false,
        };
        if exponent {
            self.accept(b"+-");
            self.accept_run(b"0123456789_");
        }
        self.accept(b"i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.next();
            return false;
        }
        true
    }

    fn accept(&mut self, valid: &[u8]) -> bool {
        let found = self.rest().first().is_some_and(|b| valid.contains(b));
        self.pos += usize::from(found);
        found
    }

    fn accept_run(&mut self, valid: &[u8]) {
        self.pos += self.rest().iter().take_while(|b| valid.contains(b)).count();
    }
}

fn has_left_trim_marker(s: &[u8]) -> bool {
    matches!(s, [b'-', b, ..] if is_space(*b))
}

fn has_right_trim_marker(s: &[u8]) -> bool {
    matches!(s, [b, b'-', ..] if is_space(*b))
}
