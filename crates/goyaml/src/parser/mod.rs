//! Tokens to events: the grammar, as a machine with an explicit stack.

mod block;
mod document;
pub(crate) mod event;
mod flow;

use std::borrow::Cow;

use event::{Event, EventKind, Properties};

use crate::node::Comments;
use crate::scanner::Scanner;
use crate::scanner::token::{Failure, Flavour, Mark, ScalarStyle, Stage, SyntaxError, Token, TokenKind};

/// What the parser expects next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    StreamStart,
    ImplicitDocumentStart,
    DocumentStart,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequenceFirstEntry,
    BlockSequenceEntry,
    IndentlessSequenceEntry,
    BlockMappingFirstKey,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirstEntry,
    FlowSequenceEntry,
    FlowPairKey,
    FlowPairValue,
    FlowPairEnd,
    FlowMappingFirstKey,
    FlowMappingKey,
    FlowMappingValue,
    FlowMappingEmptyValue,
    End,
}

/// The type of the next token and where it stands.
#[derive(Debug, Clone, Copy)]
struct Head {
    is: TokenType,
    start: Mark,
    end: Mark,
}

/// [`TokenKind`] without what the token carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TokenType {
    StreamStart,
    StreamEnd,
    Directive,
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias,
    Anchor,
    Tag,
    Scalar,
}

type Next<'a> = Result<Event<'a>, Failure>;

pub(crate) struct Parser<'a> {
    scanner: Scanner<'a>,
    /// The token that was looked at.
    head: Option<Head>,
    state: State,
    states: Vec<State>,
    /// Where the open collections started, for messages.
    marks: Vec<Mark>,
    tag_directives: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Comments in front of the next event.
    comments: Comments,
    /// A head comment of an entry that holds a collection; it belongs to the collection.
    stem_comment: String,
    /// An error that was passed over; it ends the stream with the next event.
    waiting_error: Option<Failure>,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(
        text: &'a str,
        problem: Option<&'static str>,
        flavour: Flavour,
        max_depth: usize,
    ) -> Self {
        Self {
            scanner: Scanner::new(text, problem, flavour, max_depth),
            head: None,
            state: State::StreamStart,
            states: Vec::new(),
            marks: Vec::new(),
            tag_directives: Vec::new(),
            comments: Comments::default(),
            stem_comment: String::new(),
            waiting_error: None,
        }
    }

    /// The next event; `StreamEnd` for ever after the last.
    pub(crate) fn next(&mut self) -> Next<'a> {
        let event = self.step()?;
        match self.waiting_error.take() {
            Some(error) => Err(error),
            None => Ok(event),
        }
    }

    fn step(&mut self) -> Next<'a> {
        match self.state {
            State::StreamStart => self.stream_start(),
            State::ImplicitDocumentStart => self.document_start(true),
            State::DocumentStart => self.document_start(false),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(true, false),
            State::BlockSequenceFirstEntry => self.block_sequence_entry(true),
            State::BlockSequenceEntry => self.block_sequence_entry(false),
            State::IndentlessSequenceEntry => self.indentless_sequence_entry(),
            State::BlockMappingFirstKey => self.block_mapping_key(true),
            State::BlockMappingKey => self.block_mapping_key(false),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceFirstEntry => self.flow_sequence_entry(true),
            State::FlowSequenceEntry => self.flow_sequence_entry(false),
            State::FlowPairKey => self.flow_pair_key(),
            State::FlowPairValue => self.flow_pair_value(),
            State::FlowPairEnd => self.flow_pair_end(),
            State::FlowMappingFirstKey => self.flow_mapping_key(true),
            State::FlowMappingKey => self.flow_mapping_key(false),
            State::FlowMappingValue => self.flow_mapping_value(false),
            State::FlowMappingEmptyValue => self.flow_mapping_value(true),
            State::End => Ok(self.event(EventKind::StreamEnd, Mark::default())),
        }
    }

    /// Looks at the next token, and takes the comments in front of it.
    #[inline]
    fn peek(&mut self) -> Result<Head, Failure> {
        match self.head {
            Some(head) => Ok(head),
            None => self.peek_anew(),
        }
    }

    fn peek_anew(&mut self) -> Result<Head, Failure> {
        let token = self.scanner.peek()?;
        let head = Head { is: token_type(&token.kind), start: token.start, end: token.end };
        let heads = head.is != TokenType::BlockEnd;
        while let Some(comment) = self.scanner.take_comment(head.start.index, heads) {
            append(&mut self.comments.head, comment.head);
            append(&mut self.comments.foot, comment.foot);
            append(&mut self.comments.line, comment.line);
        }
        self.head = Some(head);
        Ok(head)
    }

    /// Takes the token that was looked at.
    fn take(&mut self) -> Option<Token<'a>> {
        self.head = None;
        self.scanner.next()
    }

    /// Takes the token that was looked at, and looks at the next.
    fn advance(&mut self) -> Result<Head, Failure> {
        self.take();
        self.peek()
    }

    /// Goes on with what waits on the stack.
    fn pop_state(&mut self) {
        self.state = self.states.pop().unwrap_or(State::End);
    }

    fn event(&self, kind: EventKind<'a>, start: Mark) -> Event<'a> {
        Event { kind, start, comments: None }
    }

    /// An event with the comments in front of it.
    fn event_with_comments(&mut self, kind: EventKind<'a>, start: Mark) -> Event<'a> {
        self.stem_comment.clear();
        let Comments { head, line, foot } = &self.comments;
        let some = !(head.is_empty() && line.is_empty() && foot.is_empty());
        let comments = some.then(|| Box::new(std::mem::take(&mut self.comments)));
        Event { kind, start, comments }
    }

    fn empty_scalar(&self, mark: Mark) -> Event<'a> {
        let (properties, value) = (Properties::default(), Cow::Borrowed(""));
        self.event(EventKind::Scalar { properties, value, style: ScalarStyle::Plain, implicit: true }, mark)
    }

    /// A node with its anchor and tag.
    fn node(&mut self, block: bool, indentless: bool) -> Next<'a> {
        let mut head = self.peek()?;
        if head.is == TokenType::Alias {
            self.pop_state();
            let name = match self.take() {
                Some(Token { kind: TokenKind::Alias(name), .. }) => name,
                _ => "",
            };
            return Ok(self.event_with_comments(EventKind::Alias(name), head.start));
        }
        let start = head.start;
        let mut anchor = None;
        let mut tag = None;
        while head.is == TokenType::Anchor && anchor.is_none() || head.is == TokenType::Tag && tag.is_none() {
            match self.take().map(|token| token.kind) {
                Some(TokenKind::Anchor(name)) => anchor = Some(name),
                Some(TokenKind::Tag { handle, suffix }) => tag = Some((handle, suffix, head.start)),
                _ => {}
            }
            head = self.peek()?;
        }
        let tag = match tag {
            Some((handle, suffix, mark)) => self.expand_tag(handle, suffix, start, mark)?,
            None => Cow::Borrowed(""),
        };
        let properties = Properties { anchor, tag };
        match head.is {
            TokenType::BlockEntry if indentless => {
                self.state = State::IndentlessSequenceEntry;
                Ok(self.event(EventKind::SequenceStart { properties, flow: false }, start))
            }
            TokenType::Scalar => self.scalar(properties, start),
            TokenType::FlowSequenceStart => {
                self.state = State::FlowSequenceFirstEntry;
                Ok(self.event_with_comments(EventKind::SequenceStart { properties, flow: true }, start))
            }
            TokenType::FlowMappingStart => {
                self.state = State::FlowMappingFirstKey;
                Ok(self.event_with_comments(EventKind::MappingStart { properties, flow: true }, start))
            }
            TokenType::BlockSequenceStart if block => {
                self.state = State::BlockSequenceFirstEntry;
                Ok(self.event_with_stem(EventKind::SequenceStart { properties, flow: false }, start))
            }
            TokenType::BlockMappingStart if block => {
                self.state = State::BlockMappingFirstKey;
                Ok(self.event_with_stem(EventKind::MappingStart { properties, flow: false }, start))
            }
            _ if properties.anchor.is_some() || !properties.tag.is_empty() => {
                self.pop_state();
                let (value, style) = (Cow::Borrowed(""), ScalarStyle::Plain);
                let implicit = properties.tag.is_empty();
                Ok(self.event(EventKind::Scalar { properties, value, style, implicit }, start))
            }
            _ => Err(self.error(Some(start), head.start, "did not find expected node content")),
        }
    }

    fn scalar(&mut self, properties: Properties<'a>, start: Mark) -> Next<'a> {
        self.pop_state();
        let (value, style) = match self.take() {
            Some(Token { kind: TokenKind::Scalar { value, style }, .. }) => (value, style),
            _ => (Cow::Borrowed(""), ScalarStyle::Plain),
        };
        let implicit = properties.tag.is_empty() && style == ScalarStyle::Plain || properties.tag == "!";
        let kind = EventKind::Scalar { properties, value, style, implicit };
        Ok(self.event_with_comments(kind, start))
    }

    /// The start of a block collection; its head comment was set aside by the entry that holds it.
    fn event_with_stem(&mut self, kind: EventKind<'a>, start: Mark) -> Event<'a> {
        let head = std::mem::take(&mut self.stem_comment);
        let comments = (!head.is_empty()).then(|| Box::new(Comments { head, ..Comments::default() }));
        Event { kind, start, comments }
    }

    fn expand_tag(
        &self,
        handle: &'a str,
        suffix: Cow<'a, str>,
        start: Mark,
        mark: Mark,
    ) -> Result<Cow<'a, str>, Failure> {
        if handle.is_empty() {
            return Ok(suffix);
        }
        let directive = self.tag_directives.iter().find(|(name, _)| name == handle);
        match directive.map(|(_, prefix)| format!("{prefix}{suffix}")) {
            Some(tag) if !tag.is_empty() => Ok(Cow::Owned(tag)),
            _ => Err(self.error(Some(start), mark, "found undefined tag handle")),
        }
    }

    fn error(&self, context: Option<Mark>, place: Mark, problem: &'static str) -> Failure {
        Box::new(SyntaxError { problem: problem.into(), context, place: Some(place), stage: Stage::Parser })
    }
}

/// Appends a comment on a line of its own.
fn append(to: &mut String, text: String) {
    if text.is_empty() {
    } else if to.is_empty() {
        *to = text;
    } else {
        to.push('\n');
        to.push_str(&text);
    }
}

fn token_type(kind: &TokenKind<'_>) -> TokenType {
    match kind {
        TokenKind::StreamStart => TokenType::StreamStart,
        TokenKind::StreamEnd => TokenType::StreamEnd,
        TokenKind::VersionDirective { .. } | TokenKind::TagDirective { .. } => TokenType::Directive,
        TokenKind::DocumentStart => TokenType::DocumentStart,
        TokenKind::DocumentEnd => TokenType::DocumentEnd,
        TokenKind::BlockSequenceStart => TokenType::BlockSequenceStart,
        TokenKind::BlockMappingStart => TokenType::BlockMappingStart,
        TokenKind::BlockEnd => TokenType::BlockEnd,
        TokenKind::FlowSequenceStart => TokenType::FlowSequenceStart,
        TokenKind::FlowSequenceEnd => TokenType::FlowSequenceEnd,
        TokenKind::FlowMappingStart => TokenType::FlowMappingStart,
        TokenKind::FlowMappingEnd => TokenType::FlowMappingEnd,
        TokenKind::BlockEntry => TokenType::BlockEntry,
        TokenKind::FlowEntry => TokenType::FlowEntry,
        TokenKind::Key => TokenType::Key,
        TokenKind::Value => TokenType::Value,
        TokenKind::Alias(_) => TokenType::Alias,
        TokenKind::Anchor(_) => TokenType::Anchor,
        TokenKind::Tag { .. } => TokenType::Tag,
        TokenKind::Scalar { .. } => TokenType::Scalar,
    }
}
