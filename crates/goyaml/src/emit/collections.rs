//! The collections of nodes, in block and flow style.

use super::nodes::NodeEmitter;
use super::writer::Place;
use crate::Error;
use crate::node::{Kind, Node, Style};

const IN_MAPPING: Place = Place { mapping: true, simple_key: false, block_item: false };
const SIMPLE_KEY: Place = Place { mapping: true, simple_key: true, block_item: false };
const IN_FLOW_SEQUENCE: Place = Place { mapping: false, simple_key: false, block_item: false };
const BLOCK_ITEM: Place = Place { mapping: false, simple_key: false, block_item: true };

impl<'n> NodeEmitter<'n> {
    pub(super) fn block_sequence(&mut self, node: &'n Node, place: Place) -> Result<(), Error> {
        let old = self.writer.increase_sequence_indent(place);
        for item in &node.content {
            self.set_comments(item, "");
            self.head_comment();
            self.writer.write_indent();
            self.writer.block_indicator("-");
            self.node_with_comments(item, BLOCK_ITEM)?;
        }
        self.set_end_comments(node, "");
        self.writer.indent = old;
        Ok(())
    }

    pub(super) fn block_mapping(&mut self, node: &'n Node, place: Place) -> Result<(), Error> {
        let old = self.writer.increase_indent(false, place);
        let mut tail = "";
        for [key, value] in node.content.as_chunks::<2>().0 {
            self.set_key_comments(key, tail);
            tail = key.foot_comment();
            self.head_comment();
            self.writer.write_indent();
            let line = std::mem::take(&mut self.pending.line);
            if !line.is_empty() {
                self.pending.key_line = line;
            }
            if Self::is_simple_key(key) {
                self.key_node(key, SIMPLE_KEY)?;
                self.set_comments(value, "");
                self.writer.glued(":");
            } else {
                self.writer.block_indicator("?");
                self.key_node(key, IN_MAPPING)?;
                self.set_comments(value, "");
                self.writer.write_indent();
                self.writer.block_indicator(":");
            }
            self.key_line_comment(value);
            self.node_with_comments(value, IN_MAPPING)?;
        }
        self.set_end_comments(node, tail);
        self.head_comment();
        self.writer.indent = old;
        Ok(())
    }

    /// The foot comment of a key is written after the whole pair, as the tail of the next key.
    fn set_key_comments(&mut self, key: &'n Node, tail: &'n str) {
        let foot = std::mem::take(&mut self.pending.foot);
        self.set_comments(key, tail);
        self.pending.foot = foot;
    }

    fn key_node(&mut self, key: &'n Node, place: Place) -> Result<(), Error> {
        let outer = self.key.replace(key);
        self.begin(key, place)?;
        self.finish(key, place)?;
        self.key = outer;
        Ok(())
    }

    /// A line comment of a key goes behind a scalar value, or behind the `:` when a block follows.
    fn key_line_comment(&mut self, value: &Node) {
        if self.pending.key_line.is_empty() {
            return;
        }
        match value.kind {
            Kind::Scalar if self.pending.line.is_empty() => {
                self.pending.line = std::mem::take(&mut self.pending.key_line);
            }
            Kind::Mapping | Kind::Sequence if !value.style.has(Style::FLOW) => {
                std::mem::swap(&mut self.pending.line, &mut self.pending.key_line);
                self.line_comment();
                std::mem::swap(&mut self.pending.line, &mut self.pending.key_line);
            }
            _ => {}
        }
    }

    pub(super) fn flow_sequence(&mut self, node: &'n Node, place: Place) -> Result<(), Error> {
        let old = self.open_flow("[", place);
        let mut comma = false;
        for item in &node.content {
            self.set_comments(item, "");
            self.flow_item(comma);
            comma = !self.pending.behind();
            self.begin(item, IN_FLOW_SEQUENCE)?;
            self.behind_flow_item();
            self.finish(item, IN_FLOW_SEQUENCE)?;
        }
        self.set_end_comments(node, "");
        self.writer.flow_level -= 1;
        self.writer.indent = old;
        if self.writer.column == 0 {
            self.writer.write_indent();
        }
        self.close_flow("]");
        Ok(())
    }

    pub(super) fn flow_mapping(&mut self, node: &'n Node, place: Place) -> Result<(), Error> {
        let old = self.open_flow("{", place);
        let mut comma = false;
        let mut tail = "";
        for [key, value] in node.content.as_chunks::<2>().0 {
            self.set_key_comments(key, tail);
            tail = key.foot_comment();
            self.flow_item(comma);
            if Self::is_simple_key(key) {
                self.key_node(key, SIMPLE_KEY)?;
                self.set_comments(value, "");
                self.writer.glued(":");
            } else {
                self.writer.indicator("?");
                self.key_node(key, IN_MAPPING)?;
                self.set_comments(value, "");
                self.writer.indicator(":");
            }
            comma = !self.pending.behind();
            self.begin(value, IN_MAPPING)?;
            self.behind_flow_item();
            self.finish(value, IN_MAPPING)?;
        }
        self.set_end_comments(node, tail);
        let pending = &self.pending;
        if comma && !(pending.head.is_empty() && pending.foot.is_empty() && pending.tail.is_empty()) {
            self.writer.glued(",");
        }
        self.head_comment();
        self.writer.flow_level -= 1;
        self.writer.indent = old;
        self.close_flow("}");
        Ok(())
    }

    fn open_flow(&mut self, bracket: &str, place: Place) -> i32 {
        self.writer.opening(bracket);
        self.writer.flow_level += 1;
        self.writer.increase_indent(true, place)
    }

    /// The comma behind the item before, and the head comment of this one.
    fn flow_item(&mut self, comma: bool) {
        if comma {
            self.writer.glued(",");
        }
        self.head_comment();
        if self.writer.column == 0 {
            self.writer.write_indent();
        }
    }

    /// An item with a comment behind it has its comma in front of the comment.
    fn behind_flow_item(&mut self) {
        if self.pending.behind() {
            self.writer.glued(",");
        }
        self.line_comment();
        self.foot_comment();
    }

    fn close_flow(&mut self, bracket: &str) {
        self.writer.glued(bracket);
        self.line_comment();
        self.foot_comment();
    }
}
