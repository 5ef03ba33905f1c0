//! Block collections.

use super::event::EventKind;
use super::{Head, Next, Parser, State, TokenType};
use crate::scanner::token::Failure;

impl<'a> Parser<'a> {
    /// At the start of a collection: notes where it starts and takes its first token.
    pub(super) fn enter(&mut self, first: bool) -> Result<Head, Failure> {
        let head = self.peek()?;
        if !first {
            return Ok(head);
        }
        self.marks.push(head.start);
        self.advance()
    }

    pub(super) fn block_sequence_entry(&mut self, first: bool) -> Next<'a> {
        let head = self.enter(first)?;
        match head.is {
            TokenType::BlockEntry => {
                let next = self.enter_entry()?;
                if matches!(next.is, TokenType::BlockEntry | TokenType::BlockEnd) {
                    self.state = State::BlockSequenceEntry;
                    return Ok(self.empty_scalar(head.end));
                }
                self.states.push(State::BlockSequenceEntry);
                self.node(true, false)
            }
            TokenType::BlockEnd => {
                self.pop_state();
                self.marks.pop();
                self.take();
                Ok(self.event(EventKind::SequenceEnd, head.start))
            }
            _ => {
                let context = self.marks.pop();
                Err(self.error(context, head.start, "did not find expected '-' indicator"))
            }
        }
    }

    pub(super) fn indentless_sequence_entry(&mut self) -> Next<'a> {
        let head = self.peek()?;
        if head.is != TokenType::BlockEntry {
            self.pop_state();
            return Ok(self.event(EventKind::SequenceEnd, head.start));
        }
        let next = self.enter_entry()?;
        match next.is {
            TokenType::BlockEntry | TokenType::Key | TokenType::Value | TokenType::BlockEnd => {
                self.state = State::IndentlessSequenceEntry;
                Ok(self.empty_scalar(head.end))
            }
            _ => {
                self.states.push(State::IndentlessSequenceEntry);
                self.node(true, false)
            }
        }
    }

    /// Takes a `-`. When a collection follows, the comment before the `-` is set aside for the collection
    /// as a whole, not its first item.
    fn enter_entry(&mut self) -> Result<Head, Failure> {
        let stem = self.comments.head.len();
        self.take();
        let next = match self.peek() {
            // Go looks at the next token twice here. The first error counts only if no other follows.
            Err(first) if stem > 0 => {
                self.waiting_error = Some(first);
                return self.peek();
            }
            next => next?,
        };
        if stem > 0 && matches!(next.is, TokenType::BlockSequenceStart | TokenType::BlockMappingStart) {
            let below = self.comments.head.get(stem + 1..).unwrap_or_default().to_owned();
            self.comments.head.truncate(stem);
            self.stem_comment = std::mem::replace(&mut self.comments.head, below);
        }
        Ok(next)
    }

    pub(super) fn block_mapping_key(&mut self, first: bool) -> Next<'a> {
        let head = self.enter(first)?;
        match head.is {
            TokenType::Key => {
                let next = self.advance()?;
                if matches!(next.is, TokenType::Key | TokenType::Value | TokenType::BlockEnd) {
                    self.state = State::BlockMappingValue;
                    return Ok(self.empty_scalar(head.end));
                }
                self.states.push(State::BlockMappingValue);
                self.node(true, true)
            }
            TokenType::BlockEnd => {
                self.pop_state();
                self.marks.pop();
                let event = self.event_with_comments(EventKind::MappingEnd, head.start);
                self.take();
                Ok(event)
            }
            _ => {
                let context = self.marks.pop();
                Err(self.error(context, head.start, "did not find expected key"))
            }
        }
    }

    pub(super) fn block_mapping_value(&mut self) -> Next<'a> {
        let head = self.peek()?;
        if head.is != TokenType::Value {
            self.state = State::BlockMappingKey;
            return Ok(self.empty_scalar(head.start));
        }
        let next = self.advance()?;
        if matches!(next.is, TokenType::Key | TokenType::Value | TokenType::BlockEnd) {
            self.state = State::BlockMappingKey;
            return Ok(self.empty_scalar(head.end));
        }
        self.states.push(State::BlockMappingKey);
        self.node(true, true)
    }
}
