//! Nodes as text, for error messages: what Go's `Node.String` prints.

use super::ast::{At, Branch, Chain, Command, Expr, Fields, List, Node, Pipe, Source, Tree, Variable};
use crate::strconv::quote;

impl Tree {
    /// The text of the node with this identity; empty when there is none.
    pub(crate) fn node_text(&self, at: At) -> String {
        let mut printer = Printer { source: &self.source, out: String::new(), wanted: Some(at.id) };
        printer.list(&self.root);
        printer.out
    }
}

impl Source {
    /// The text of an expression.
    pub(crate) fn expr_text(&self, expr: &Expr) -> String {
        let mut printer = Printer { source: self, out: String::new(), wanted: None };
        printer.expr(expr);
        printer.out
    }
}

/// Writes nodes; while a node is `wanted`, only looks for it, and writes it alone.
struct Printer<'a> {
    source: &'a Source,
    out: String,
    wanted: Option<u32>,
}

impl Printer<'_> {
    /// Runs `write` on a node and stops all further writing when it was the wanted one.
    fn node(&mut self, at: At, write: impl FnOnce(&mut Self)) {
        match self.wanted {
            Some(id) if id == at.id => {
                self.wanted = None;
                write(self);
                self.wanted = Some(u32::MAX);
            }
            _ => write(self),
        }
    }

    fn put(&mut self, text: &str) {
        if self.wanted.is_none() {
            self.out.push_str(text);
        }
    }

    fn source(&mut self, start: u32, end: u32) {
        if self.wanted.is_none() {
            let bytes = self.source.slice(start, end);
            self.out.push_str(&String::from_utf8_lossy(bytes));
        }
    }

    fn list(&mut self, list: &List) {
        self.node(list.at, |p| {
            for node in &list.nodes {
                p.statement(node);
            }
        });
    }

    fn statement(&mut self, node: &Node) {
        match node {
            Node::Text { at, start, end } => self.node(*at, |p| p.source(*start, *end)),
            Node::Action { at, pipe } => self.node(*at, |p| {
                p.put("{{");
                p.pipe(pipe);
                p.put("}}");
            }),
            Node::If(b) => self.branch("if", b),
            Node::With(b) => self.branch("with", b),
            Node::Range(b) => self.branch("range", b),
            Node::Template(t) => self.node(t.at, |p| {
                p.put("{{template ");
                p.put(&quote(t.name.as_bytes()));
                if let Some(pipe) = &t.pipe {
                    p.put(" ");
                    p.pipe(pipe);
                }
                p.put("}}");
            }),
            Node::Break(at) => self.node(*at, |p| p.put("{{break}}")),
            Node::Continue(at) => self.node(*at, |p| p.put("{{continue}}")),
        }
    }

    fn branch(&mut self, word: &str, branch: &Branch) {
        self.node(branch.at, |p| {
            p.put("{{");
            p.put(word);
            p.put(" ");
            p.pipe(&branch.pipe);
            p.put("}}");
            p.list(&branch.list);
            if let Some(list) = &branch.otherwise {
                p.put("{{else}}");
                p.list(list);
            }
            p.put("{{end}}");
        });
    }

    fn pipe(&mut self, pipe: &Pipe) {
        self.node(pipe.at, |p| {
            for (i, variable) in pipe.decl.iter().enumerate() {
                p.put(if i > 0 { ", " } else { "" });
                p.variable(variable);
            }
            if !pipe.decl.is_empty() {
                p.put(if pipe.assign { " = " } else { " := " });
            }
            for (i, command) in pipe.commands.iter().enumerate() {
                p.put(if i > 0 { " | " } else { "" });
                p.command(command);
            }
        });
    }

    fn command(&mut self, command: &Command) {
        self.node(command.at, |p| {
            for (i, arg) in command.args.iter().enumerate() {
                p.put(if i > 0 { " " } else { "" });
                p.operand(arg);
            }
        });
    }

    /// An expression where a pipeline stands in parentheses.
    fn operand(&mut self, expr: &Expr) {
        match expr {
            Expr::Pipe(pipe) => {
                self.put("(");
                self.pipe(pipe);
                self.put(")");
            }
            other => self.expr(other),
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Pipe(pipe) => self.pipe(pipe),
            Expr::Variable(v) => self.variable(v),
            Expr::Chain(chain) => self.chain(chain),
            leaf => self.node(leaf.at(), |p| p.leaf(leaf)),
        }
    }

    fn leaf(&mut self, expr: &Expr) {
        match expr {
            Expr::Bool(_, true) => self.put("true"),
            Expr::Bool(_, false) => self.put("false"),
            Expr::Dot(_) => self.put("."),
            Expr::Nil(_) => self.put("nil"),
            Expr::Number(n) => self.put(&n.text),
            Expr::String(s) => self.source(s.start, s.end),
            Expr::Function(_, function) => self.put(&function.name),
            Expr::Field(_, fields) => self.fields(fields),
            Expr::Variable(_) | Expr::Chain(_) | Expr::Pipe(_) => {}
        }
    }

    fn variable(&mut self, variable: &Variable) {
        self.node(variable.at, |p| {
            p.put(&variable.name);
            if let Some(fields) = &variable.fields {
                p.fields(fields);
            }
        });
    }

    fn chain(&mut self, chain: &Chain) {
        self.node(chain.at, |p| {
            p.operand(&chain.base);
            p.fields(&chain.fields);
        });
    }

    fn fields(&mut self, fields: &Fields) {
        self.put(".");
        self.put(&fields.0);
    }
}
