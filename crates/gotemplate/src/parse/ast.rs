//! The syntax tree: compact, immutable, shareable between threads.

use std::sync::Arc;

use crate::exec::Builtin;
use crate::value::Str;

/// Identity and place of a node. The executor remembers the last one it came to, as Go does, and an error then looks
/// the node up to print it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct At {
    /// Unique within the source.
    pub(crate) id: u32,
    /// Offset in the source.
    pub(crate) pos: u32,
}

/// A text that was parsed, shared by all templates that it defines.
#[derive(Debug)]
pub(crate) struct Source {
    /// Name of the text in error messages.
    pub(crate) name: Arc<str>,
    pub(crate) text: Arc<[u8]>,
}

/// One parsed template.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) name: Arc<str>,
    pub(crate) source: Arc<Source>,
    pub(crate) root: List,
}

#[derive(Debug, Default)]
pub(crate) struct List {
    pub(crate) at: At,
    pub(crate) nodes: Vec<Node>,
}

#[derive(Debug)]
pub(crate) enum Node {
    /// Bytes `start..end` of the source.
    Text {
        at: At,
        start: u32,
        end: u32,
    },
    Action {
        at: At,
        pipe: Pipe,
    },
    If(Box<Branch>),
    With(Box<Branch>),
    Range(Box<Branch>),
    Template(Box<Invocation>),
    Break(At),
    Continue(At),
}

#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) at: At,
    pub(crate) pipe: Pipe,
    pub(crate) list: List,
    pub(crate) otherwise: Option<List>,
}

/// `{{template "name" pipeline}}`
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) at: At,
    pub(crate) name: Arc<str>,
    pub(crate) pipe: Option<Pipe>,
}

#[derive(Debug)]
pub(crate) struct Pipe {
    pub(crate) at: At,
    /// `=` and not `:=`.
    pub(crate) assign: bool,
    pub(crate) decl: Vec<Variable>,
    pub(crate) commands: Vec<Command>,
}

/// Operands separated by spaces; the first may be a function or method. Never empty.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) at: At,
    pub(crate) args: Vec<Expr>,
}

#[derive(Debug)]
pub(crate) enum Expr {
    Bool(At, bool),
    Dot(At),
    Nil(At),
    Number(Box<Number>),
    String(Box<Literal>),
    Function(At, Arc<FunctionName>),
    /// `.a.b`
    Field(At, Fields),
    Variable(Variable),
    Chain(Box<Chain>),
    /// A pipeline in parentheses.
    Pipe(Box<Pipe>),
}

/// The name of a function; and the builtin of that name, should the host have none.
#[derive(Debug)]
pub(crate) struct FunctionName {
    pub(crate) name: Box<str>,
    pub(crate) builtin: Option<Builtin>,
}

/// `$name.a.b`; `name` includes the dollar sign.
#[derive(Debug)]
pub(crate) struct Variable {
    pub(crate) at: At,
    /// Identity of the name within the source; 0 is the dollar sign alone.
    pub(crate) id: u32,
    pub(crate) name: Arc<str>,
    pub(crate) fields: Option<Fields>,
}

/// The names of a chain of fields as they stand in the source, `a.b.c`: a name has no dot inside.
#[derive(Clone, Debug)]
pub(crate) struct Fields(pub(crate) Arc<str>);

impl Fields {
    /// All but the last one, and the last one.
    pub(crate) fn split_last(&self) -> (impl Iterator<Item = &str>, &str) {
        let (inner, last) = match self.0.rsplit_once('.') {
            Some((inner, last)) => (Some(inner), last),
            None => (None, &*self.0),
        };
        (inner.into_iter().flat_map(|names| names.split('.')), last)
    }
}

/// A string constant: bytes `start..end` of the source, and what they stand for.
#[derive(Debug)]
pub(crate) struct Literal {
    pub(crate) at: At,
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) value: Str,
}

/// `(pipeline).a.b` or `function.a.b`
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) at: At,
    pub(crate) base: Expr,
    pub(crate) fields: Fields,
}

/// A numeric constant: its value in each type that can hold it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Number {
    pub(crate) at: At,
    pub(crate) text: String,
    pub(crate) int: Option<i64>,
    pub(crate) uint: Option<u64>,
    pub(crate) float: Option<f64>,
    pub(crate) complex: Option<(f64, f64)>,
}

impl Expr {
    pub(crate) fn at(&self) -> At {
        match self {
            Expr::Bool(at, _)
            | Expr::Dot(at)
            | Expr::Nil(at)
            | Expr::Function(at, _)
            | Expr::Field(at, _) => *at,
            Expr::Number(n) => n.at,
            Expr::String(s) => s.at,
            Expr::Variable(v) => v.at,
            Expr::Chain(c) => c.at,
            Expr::Pipe(p) => p.at,
        }
    }
}

impl Tree {
    /// Whether there is nothing but space and comments: such a definition replaces no other.
    pub(crate) fn is_empty(&self) -> bool {
        self.root.nodes.iter().all(|node| match node {
            Node::Text { start, end, .. } => {
                std::str::from_utf8(self.source.slice(*start, *end)).is_ok_and(|s| s.trim().is_empty())
            }
            _ => false,
        })
    }
}

impl Source {
    pub(crate) fn slice(&self, start: u32, end: u32) -> &[u8] {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    /// `NAME:LINE:COLUMN` of an offset: the line from 1, the column in bytes from 0.
    pub(crate) fn location(&self, pos: u32) -> String {
        let before = self.text.get(..pos as usize).unwrap_or(&self.text);
        let line = 1 + before.iter().filter(|b| **b == b'\n').count();
        let column = before.iter().rev().take_while(|b| **b != b'\n').count();
        format!("{}:{line}:{column}", self.name)
    }
}
