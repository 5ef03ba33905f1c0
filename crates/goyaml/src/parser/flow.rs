//! Flow collections.

use super::event::{EventKind, Properties};
use super::{Next, Parser, State, TokenType};

impl<'a> Parser<'a> {
    pub(super) fn flow_sequence_entry(&mut self, first: bool) -> Next<'a> {
        let mut head = self.enter(first)?;
        if head.is != TokenType::FlowSequenceEnd {
            if !first {
                if head.is != TokenType::FlowEntry {
                    let context = self.marks.pop();
                    return Err(self.error(context, head.start, "did not find expected ',' or ']'"));
                }
                head = self.advance()?;
            }
            if head.is == TokenType::Key {
                self.state = State::FlowPairKey;
                self.take();
                let properties = Properties::default();
                return Ok(self.event(EventKind::MappingStart { properties, flow: true }, head.start));
            }
            if head.is != TokenType::FlowSequenceEnd {
                self.states.push(State::FlowSequenceEntry);
                return self.node(false, false);
            }
        }
        self.pop_state();
        self.marks.pop();
        let event = self.event_with_comments(EventKind::SequenceEnd, head.start);
        self.take();
        Ok(event)
    }

    pub(super) fn flow_pair_key(&mut self) -> Next<'a> {
        let head = self.peek()?;
        match head.is {
            TokenType::Value | TokenType::FlowEntry | TokenType::FlowSequenceEnd => {
                self.take();
                self.state = State::FlowPairValue;
                Ok(self.empty_scalar(head.end))
            }
            _ => {
                self.states.push(State::FlowPairValue);
                self.node(false, false)
            }
        }
    }

    pub(super) fn flow_pair_value(&mut self) -> Next<'a> {
        let head = self.peek()?;
        if head.is == TokenType::Value {
            let next = self.advance()?;
            if !matches!(next.is, TokenType::FlowEntry | TokenType::FlowSequenceEnd) {
                self.states.push(State::FlowPairEnd);
                return self.node(false, false);
            }
        }
        self.state = State::FlowPairEnd;
        Ok(self.empty_scalar(head.start))
    }

    pub(super) fn flow_pair_end(&mut self) -> Next<'a> {
        let head = self.peek()?;
        self.state = State::FlowSequenceEntry;
        Ok(self.event(EventKind::MappingEnd, head.start))
    }

    pub(super) fn flow_mapping_key(&mut self, first: bool) -> Next<'a> {
        let mut head = self.enter(first)?;
        if head.is != TokenType::FlowMappingEnd {
            if !first {
                if head.is != TokenType::FlowEntry {
                    let context = self.marks.pop();
                    return Err(self.error(context, head.start, "did not find expected ',' or '}'"));
                }
                head = self.advance()?;
            }
            if head.is == TokenType::Key {
                let next = self.advance()?;
                if matches!(next.is, TokenType::Value | TokenType::FlowEntry | TokenType::FlowMappingEnd) {
                    self.state = State::FlowMappingValue;
                    return Ok(self.empty_scalar(next.start));
                }
                self.states.push(State::FlowMappingValue);
                return self.node(false, false);
            }
            if head.is != TokenType::FlowMappingEnd {
                self.states.push(State::FlowMappingEmptyValue);
                return self.node(false, false);
            }
        }
        self.pop_state();
        self.marks.pop();
        let event = self.event_with_comments(EventKind::MappingEnd, head.start);
        self.take();
        Ok(event)
    }

    pub(super) fn flow_mapping_value(&mut self, empty: bool) -> Next<'a> {
        let mut head = self.peek()?;
        if !empty && head.is == TokenType::Value {
            head = self.advance()?;
            if !matches!(head.is, TokenType::FlowEntry | TokenType::FlowMappingEnd) {
                self.states.push(State::FlowMappingKey);
                return self.node(false, false);
            }
        }
        self.state = State::FlowMappingKey;
        Ok(self.empty_scalar(head.start))
    }
}
