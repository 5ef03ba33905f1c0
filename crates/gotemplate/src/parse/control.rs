//! Text, actions and control structures.

use std::sync::Arc;

use super::ast::{Branch, Invocation, List, Node};
use super::token::{Kind, Token};
use super::{Parsed, Parser, taken};
use crate::strconv::unquote;

/// One step of the grammar: a node, or what ends a list of nodes.
pub(super) enum Item {
    Node(Node),
    End,
    Else,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Control {
    If,
    With,
    Range,
}

impl Control {
    fn word(self) -> &'static str {
        match self {
            Control::If => "if",
            Control::With => "with",
            Control::Range => "range",
        }
    }
}

impl Parser<'_, '_> {
    /// Nodes up to `{{end}}` or `{{else}}`, which is consumed and returned.
    pub(super) fn item_list(&mut self) -> Parsed<(List, Item)> {
        let pos = self.peek_non_space().start;
        let at = self.at(pos);
        let mark = self.shared.nodes.len();
        while self.peek_non_space().kind != Kind::Eof {
            match self.text_or_action()? {
                Item::Node(node) => self.shared.nodes.push(node),
                end => return Ok((List { at, nodes: taken(&mut self.shared.nodes, mark) }, end)),
            }
        }
        Err(self.error("unexpected EOF"))
    }

    pub(super) fn text_or_action(&mut self) -> Parsed<Item> {
        let token = self.next_non_space();
        match token.kind {
            Kind::Text => {
                let at = self.at(token.start);
                Ok(Item::Node(Node::Text { at, start: token.start, end: token.end }))
            }
            Kind::LeftDelim => {
                self.action_line = token.line;
                let item = self.action()?;
                self.action_line = 0;
                Ok(item)
            }
            _ => Err(self.unexpected(token, "input")),
        }
    }

    /// After `{{`.
    fn action(&mut self) -> Parsed<Item> {
        self.check_depth()?;
        let token = self.next_non_space();
        let node = match token.kind {
            Kind::Block => self.block()?,
            Kind::Break => {
                self.loop_word("break")?;
                Node::Break(self.at(token.start))
            }
            Kind::Continue => {
                self.loop_word("continue")?;
                Node::Continue(self.at(token.start))
            }
            Kind::Else => return self.else_clause(),
            Kind::End => {
                self.expect(Kind::RightDelim, "end")?;
                return Ok(Item::End);
            }
            Kind::If => Node::If(self.branch(Control::If)?),
            Kind::Range => Node::Range(self.branch(Control::Range)?),
            Kind::With => Node::With(self.branch(Control::With)?),
            Kind::Template => self.template()?,
            _ => {
                self.backup();
                let pos = self.peek().start;
                let at = self.at(pos);
                Node::Action { at, pipe: self.pipeline("command", Kind::RightDelim)? }
            }
        };
        Ok(Item::Node(node))
    }

    fn loop_word(&mut self, word: &str) -> Parsed<()> {
        let action = format!("{{{{{word}}}}}");
        let token = self.next_non_space();
        if token.kind != Kind::RightDelim {
            return Err(self.unexpected(token, &action));
        }
        if self.range_depth == 0 {
            return Err(self.error(format_args!("{action} outside {{{{range}}}}")));
        }
        Ok(())
    }

    /// `{{else}}`, or the `else` of `{{else if …}}` and `{{else with …}}`, which leaves the next word pending.
    fn else_clause(&mut self) -> Parsed<Item> {
        if !matches!(self.peek_non_space().kind, Kind::If | Kind::With) {
            self.expect(Kind::RightDelim, "else")?;
        }
        Ok(Item::Else)
    }

    fn branch(&mut self, control: Control) -> Parsed<Box<Branch>> {
        self.check_depth()?;
        let visible = self.vars.len();
        let pipe = self.pipeline(control.word(), Kind::RightDelim)?;
        let in_range = u32::from(control == Control::Range);
        self.range_depth += in_range;
        let (list, next) = self.item_list()?;
        self.range_depth -= in_range;
        let otherwise = match next {
            Item::Else => Some(self.else_list(control)?),
            _ => None,
        };
        self.vars.truncate(visible);
        let at = self.at(pipe.at.pos);
        Ok(Box::new(Branch { at, pipe, list, otherwise }))
    }

    /// What follows `else`. `{{else if x}}` is an `if` of its own that shares the `{{end}}`.
    fn else_list(&mut self, control: Control) -> Parsed<List> {
        let next = self.peek();
        let chained = match (control, next.kind) {
            (Control::If, Kind::If) => Some(Control::If),
            (Control::With, Kind::With) => Some(Control::With),
            _ => None,
        };
        let Some(control) = chained else {
            let (list, end) = self.item_list()?;
            return match end {
                Item::Else => Err(self.error("expected end; found {{else}}")),
                _ => Ok(list),
            };
        };
        self.next();
        let at = self.at(next.start);
        let branch = self.branch(control)?;
        let node = if control == Control::If { Node::If(branch) } else { Node::With(branch) };
        Ok(List { at, nodes: vec![node] })
    }

    pub(super) fn require_end(&self, end: Item, context: &str) -> Parsed<()> {
        match end {
            Item::Else => Err(self.error(format_args!("unexpected {{{{else}}}} in {context}"))),
            _ => Ok(()),
        }
    }

    /// After `{{define`.
    pub(super) fn define(&mut self) -> Parsed<()> {
        const CONTEXT: &str = "define clause";
        self.check_depth()?;
        // A definition has a look-ahead of its own, so it reads its name itself: errors name its line.
        let mut inner = Parser::new(self.shared);
        let token = inner.next_non_space();
        let name = inner.template_name(token, CONTEXT)?;
        inner.expect(Kind::RightDelim, CONTEXT)?;
        inner.definition_body(name, CONTEXT)
    }

    /// After `{{block`: a definition and its invocation.
    fn block(&mut self) -> Parsed<Node> {
        const CONTEXT: &str = "block clause";
        let token = self.next_non_space();
        let name = self.template_name(token, CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, Kind::RightDelim)?;
        self.block_body(Arc::clone(&name), CONTEXT)?;
        let at = self.at(token.start);
        Ok(Node::Template(Box::new(Invocation { at, name, pipe: Some(pipe) })))
    }

    fn template(&mut self) -> Parsed<Node> {
        const CONTEXT: &str = "template clause";
        let token = self.next_non_space();
        let name = self.template_name(token, CONTEXT)?;
        let mut pipe = None;
        if self.next_non_space().kind != Kind::RightDelim {
            self.backup();
            pipe = Some(self.pipeline(CONTEXT, Kind::RightDelim)?);
        }
        let at = self.at(token.start);
        Ok(Node::Template(Box::new(Invocation { at, name, pipe })))
    }

    fn template_name(&self, token: Token, context: &str) -> Parsed<Arc<str>> {
        if !matches!(token.kind, Kind::String | Kind::RawString) {
            return Err(self.unexpected(token, context));
        }
        let name = unquote(self.text(token)).ok_or_else(|| self.error("invalid syntax"))?;
        Ok(String::from_utf8_lossy(&name).into())
    }
}
