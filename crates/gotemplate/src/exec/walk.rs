//! Statements: text, actions and control structures.

use super::eval::Final;
use super::{Exec, Slot, Var};
use crate::error::Error;
use crate::fmt::Printer;
use crate::parse::Tree;
use crate::parse::ast::{Branch, Invocation, List, Node, Pipe};
use crate::strconv::quote;
use crate::value::{Kind, Value};

/// How a list of nodes ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    Break,
    Continue,
}

type Walked = Result<Flow, Error>;

impl Exec<'_> {
    pub(super) fn walk_list(&mut self, tree: &Tree, dot: &Slot, list: &List) -> Walked {
        self.at = list.at;
        for node in &list.nodes {
            let flow = self.walk(tree, dot, node)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn walk(&mut self, tree: &Tree, dot: &Slot, node: &Node) -> Walked {
        self.charge_steps(1)?;
        match node {
            Node::Text { at, start, end } => {
                self.at = *at;
                self.write(tree.source.slice(*start, *end))?;
            }
            Node::Action { at, pipe } => {
                self.at = *at;
                let slot = self.pipeline(dot, pipe)?;
                if pipe.decl.is_empty() {
                    self.at = *at;
                    self.print(tree, &slot.value)?;
                }
            }
            Node::If(branch) => return self.walk_if_or_with(tree, dot, branch, false),
            Node::With(branch) => return self.walk_if_or_with(tree, dot, branch, true),
            Node::Range(branch) => return self.walk_range(tree, dot, branch),
            Node::Template(invocation) => self.walk_template(dot, invocation)?,
            Node::Break(at) => {
                self.at = *at;
                return Ok(Flow::Break);
            }
            Node::Continue(at) => {
                self.at = *at;
                return Ok(Flow::Continue);
            }
        }
        Ok(Flow::Next)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.charge_bytes(bytes.len() as u64)?;
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    /// The text of an action's value goes to the output.
    fn print(&mut self, tree: &Tree, value: &Value) -> Result<(), Error> {
        match value {
            Value::Nil => self.write(b"<no value>"),
            Value::String(s) => self.write(s.as_bytes()),
            Value::Func(f) => {
                let text = tree.node_text(self.at);
                Err(self.error(format_args!("can't print {text} of type {}", f.type_name())))
            }
            other => {
                if let Value::Object(object) = other
                    && let Some(text) = object.pointer_string()
                {
                    return self.write(text.as_bytes());
                }
                let (before, max) = (self.out.len(), self.bytes_max());
                let mut printer = Printer::new(&mut self.out, max);
                let printed = match other {
                    // An action prints what a pointer points to, unless the pointer knows how it prints.
                    Value::Object(o) if o.kind() == Kind::Ptr && o.string().is_none() => {
                        printer.fields(&**o, 'v', 0)
                    }
                    _ => printer.print(std::slice::from_ref(other)),
                };
                printed.map_err(|stop| self.limit_error(stop.into_error().message()))?;
                self.charge_bytes((self.out.len() - before) as u64)
            }
        }
    }

    fn walk_if_or_with(&mut self, tree: &Tree, dot: &Slot, branch: &Branch, with: bool) -> Walked {
        self.check_stack()?;
        self.at = branch.at;
        let mark = self.vars.len();
        let value = self.pipeline(dot, &branch.pipe)?;
        let flow = if value.value.truth() {
            self.walk_list(tree, if with { &value } else { dot }, &branch.list)
        } else if let Some(list) = &branch.otherwise {
            self.walk_list(tree, dot, list)
        } else {
            Ok(Flow::Next)
        };
        self.vars.truncate(mark);
        flow
    }

    fn walk_range(&mut self, tree: &Tree, dot: &Slot, branch: &Branch) -> Walked {
        self.check_stack()?;
        self.at = branch.at;
        let mark = self.vars.len();
        let value = self.pipeline(dot, &branch.pipe)?.value;
        let flow = match self.range_over(tree, branch, &value)? {
            Some(flow) => Ok(flow),
            None => match &branch.otherwise {
                // A break here ends this range and not, as its place would suggest, the one around it.
                Some(list) => self.walk_list(tree, dot, list).map(|flow| match flow {
                    Flow::Break => Flow::Next,
                    other => other,
                }),
                None => Ok(Flow::Next),
            },
        };
        self.vars.truncate(mark);
        flow
    }

    /// Walks the body for each element; `None` when there are none.
    fn range_over(&mut self, tree: &Tree, branch: &Branch, value: &Value) -> Result<Option<Flow>, Error> {
        match value {
            Value::Nil => Ok(None),
            Value::List(list) => {
                let (count, ty) = (list.len(), list.list_type().elem);
                let item = |i: usize| list.get(i).map(|v| (index(i), Slot::element(v, ty)));
                self.range_items(tree, branch, (0..count).map_while(item))
            }
            Value::Map(map) => {
                let ty = map.map_type().elem;
                let entries = map.entries().into_iter();
                let entries = entries.map(|(k, v)| (Slot::of(Value::String(k)), Slot::element(v, ty)));
                self.range_items(tree, branch, entries)
            }
            Value::Bytes(bytes) => {
                let items = bytes.iter().enumerate().map(|(i, b)| (index(i), Slot::of(Value::Uint8(*b))));
                self.range_items(tree, branch, items)
            }
            Value::Int(n) => self.range_integers(tree, branch, value, (0..*n).map(Value::Int)),
            Value::Int64(n) => self.range_integers(tree, branch, value, (0..*n).map(Value::Int64)),
            Value::Uint8(n) => self.range_integers(tree, branch, value, (0..*n).map(Value::Uint8)),
            Value::Uint64(n) => self.range_integers(tree, branch, value, (0..*n).map(Value::Uint64)),
            other => {
                let text = self.sprint(std::slice::from_ref(other))?;
                Err(self.error(format_args!("range can't iterate over {text}")))
            }
        }
    }

    fn range_integers(
        &mut self,
        tree: &Tree,
        branch: &Branch,
        value: &Value,
        items: impl Iterator<Item = Value>,
    ) -> Result<Option<Flow>, Error> {
        if branch.pipe.decl.len() > 1 {
            let text = self.sprint(std::slice::from_ref(value))?;
            return Err(self.error(format_args!("can't use {text} to iterate over more than one variable")));
        }
        self.range_items(tree, branch, items.map(|v| (Slot::invalid(), Slot::of(v))))
    }

    fn range_items(
        &mut self,
        tree: &Tree,
        branch: &Branch,
        items: impl Iterator<Item = (Slot, Slot)>,
    ) -> Result<Option<Flow>, Error> {
        let mark = self.vars.len();
        let mut flow = None;
        for (key, item) in items {
            self.charge_steps(1)?;
            self.set_range_variables(&branch.pipe, &key, &item)?;
            let ended = self.walk_list(tree, &item, &branch.list)?;
            self.vars.truncate(mark);
            flow = Some(Flow::Next);
            if ended == Flow::Break {
                break;
            }
        }
        Ok(flow)
    }

    /// With one variable it is the element, with two the first is the index or key.
    fn set_range_variables(&mut self, pipe: &Pipe, key: &Slot, item: &Slot) -> Result<(), Error> {
        let slots: &[&Slot] = if pipe.decl.len() > 1 { &[key, item] } else { &[item] };
        for (i, (variable, slot)) in pipe.decl.iter().zip(slots).enumerate() {
            if pipe.assign {
                self.set_variable(variable, (*slot).clone())?;
                continue;
            }
            let from_top = pipe.decl.len() - i;
            let index = self.vars.len().checked_sub(from_top);
            if let Some(var) = index.and_then(|i| self.vars.get_mut(i)) {
                var.slot = (*slot).clone();
            }
        }
        Ok(())
    }

    fn walk_template(&mut self, dot: &Slot, invocation: &Invocation) -> Result<(), Error> {
        self.at = invocation.at;
        let Some(tree) = self.set.lookup(&invocation.name).cloned() else {
            let name = quote(invocation.name.as_bytes());
            return Err(self.error(format_args!("template {name} not defined")));
        };
        self.depth += 1;
        self.check_depth()?;
        let dot = match &invocation.pipe {
            Some(pipe) => self.pipeline(dot, pipe)?,
            None => Slot::invalid(),
        };
        let (frame, mark, at, outer) = (self.frame, self.vars.len(), self.at, self.tree.take());
        self.run(tree, dot)?;
        self.depth -= 1;
        self.vars.truncate(mark);
        self.frame = frame;
        self.at = at;
        self.tree = outer;
        Ok(())
    }

    /// The value of a pipeline. Variables that it declares stay until the caller drops them.
    pub(super) fn pipeline(&mut self, dot: &Slot, pipe: &Pipe) -> Result<Slot, Error> {
        self.check_stack()?;
        self.at = pipe.at;
        let mut value: Final = None;
        for command in &pipe.commands {
            value = Some(self.command(dot, command, value)?.unboxed());
        }
        let value = value.unwrap_or_default();
        for variable in &pipe.decl {
            if pipe.assign {
                self.set_variable(variable, value.clone())?;
            } else {
                self.vars.push(Var { name: variable.id, slot: value.clone() });
            }
        }
        Ok(value)
    }
}

fn index(i: usize) -> Slot {
    Slot::of(Value::Int(i64::try_from(i).unwrap_or(i64::MAX)))
}
