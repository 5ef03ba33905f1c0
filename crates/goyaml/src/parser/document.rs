//! Streams, documents and directives.

use std::borrow::Cow;

use super::event::EventKind;
use super::{Next, Parser, State, TokenType};
use crate::node::Comments;
use crate::scanner::token::{Failure, Mark, TokenKind};

impl<'a> Parser<'a> {
    pub(super) fn stream_start(&mut self) -> Next<'a> {
        let head = self.peek()?;
        if head.is != TokenType::StreamStart {
            return Err(self.error(None, head.start, "did not find expected <stream-start>"));
        }
        self.state = State::ImplicitDocumentStart;
        self.take();
        Ok(self.event(EventKind::StreamStart, head.start))
    }

    pub(super) fn document_start(&mut self, implicit: bool) -> Next<'a> {
        let mut head = self.peek()?;
        while !implicit && head.is == TokenType::DocumentEnd {
            head = self.advance()?;
        }
        match head.is {
            TokenType::StreamEnd => {
                self.state = State::End;
                self.take();
                Ok(self.event(EventKind::StreamEnd, head.start))
            }
            is if implicit && is != TokenType::Directive && is != TokenType::DocumentStart => {
                self.process_directives()?;
                self.states.push(State::DocumentEnd);
                self.state = State::BlockNode;
                let mut event = self.event(EventKind::DocumentStart, head.start);
                event.comments = self
                    .split_document_comment()
                    .map(|head| Box::new(Comments { head, ..Comments::default() }));
                Ok(event)
            }
            _ => {
                self.process_directives()?;
                let indicator = self.peek()?;
                if indicator.is != TokenType::DocumentStart {
                    return Err(self.error(None, indicator.start, "did not find expected <document start>"));
                }
                self.states.push(State::DocumentEnd);
                self.state = State::DocumentContent;
                self.take();
                Ok(self.event(EventKind::DocumentStart, head.start))
            }
        }
    }

    /// The part of the head comment before its last empty line is about the document.
    fn split_document_comment(&mut self) -> Option<String> {
        let head = &mut self.comments.head;
        let bytes = head.as_bytes();
        let last = bytes.len().checked_sub(1)?;
        let (end, rest) = (1..bytes.len()).rev().find_map(|at| match bytes[at] {
            b'\n' if at == last => Some((at, at + 1)),
            b'\n' if bytes[at - 1] == b'\n' => Some((at - 1, at + 1)),
            _ => None,
        })?;
        let below = head.split_off(rest);
        head.truncate(end);
        Some(std::mem::replace(head, below))
    }

    pub(super) fn document_content(&mut self) -> Next<'a> {
        let head = self.peek()?;
        match head.is {
            TokenType::Directive
            | TokenType::DocumentStart
            | TokenType::DocumentEnd
            | TokenType::StreamEnd => {
                self.pop_state();
                Ok(self.empty_scalar(head.start))
            }
            _ => self.node(true, false),
        }
    }

    pub(super) fn document_end(&mut self) -> Next<'a> {
        let head = self.peek()?;
        if head.is == TokenType::DocumentEnd {
            self.take();
        }
        self.tag_directives.clear();
        self.state = State::DocumentStart;
        let mut event = self.event_with_comments(EventKind::DocumentEnd, head.start);
        if let Some(comments) = &mut event.comments
            && comments.foot.is_empty()
        {
            comments.foot = std::mem::take(&mut comments.head);
        }
        Ok(event)
    }

    fn process_directives(&mut self) -> Result<(), Failure> {
        let mut version = false;
        let mut head = self.peek()?;
        while head.is == TokenType::Directive {
            match self.take().map(|token| token.kind) {
                Some(TokenKind::VersionDirective { major, minor }) => {
                    if version {
                        return Err(self.error(None, head.start, "found duplicate %YAML directive"));
                    }
                    if (major, minor) != (1, 1) {
                        return Err(self.error(None, head.start, "found incompatible YAML document"));
                    }
                    version = true;
                }
                Some(TokenKind::TagDirective { handle, prefix }) => {
                    self.add_tag_directive(Cow::Borrowed(handle), prefix, head.start)?;
                }
                _ => {}
            }
            head = self.peek()?;
        }
        for (handle, prefix) in [("!", "!"), ("!!", "tag:yaml.org,2002:")] {
            if !self.has_tag_directive(handle) {
                self.tag_directives.push((Cow::Borrowed(handle), Cow::Borrowed(prefix)));
            }
        }
        Ok(())
    }

    fn has_tag_directive(&self, handle: &str) -> bool {
        self.tag_directives.iter().any(|(name, _)| name == handle)
    }

    fn add_tag_directive(
        &mut self,
        handle: Cow<'a, str>,
        prefix: Cow<'a, str>,
        mark: Mark,
    ) -> Result<(), Failure> {
        if self.has_tag_directive(&handle) {
            return Err(self.error(None, mark, "found duplicate %TAG directive"));
        }
        self.tag_directives.push((handle, prefix));
        Ok(())
    }
}
