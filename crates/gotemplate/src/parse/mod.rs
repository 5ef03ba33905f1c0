//! From text to syntax tree.
//!
//! Knows the names of functions (Go refuses an unknown one when it parses), nothing else of execution.

pub(crate) mod ast;
mod control;
mod display;
mod lex;
mod names;
mod number;
mod pipeline;
mod token;

use std::sync::Arc;

use crate::error::{Error, ErrorKind};
use crate::func::Funcs;
use crate::stack::StackGuard;
use crate::strconv::{quote, rune_count};
pub(crate) use ast::Tree;
use ast::{At, List, Source};
use lex::Lexer;
use names::Names;
use token::{Kind, Token};

/// Machine stack that parsing may use.
pub(crate) const PARSE_STACK: usize = 512 << 10;

/// Parses a text as the template `name`: that template and all that it defines, the earliest end first.
///
/// # Errors
/// Go's message, `template: NAME:LINE: …`.
pub(crate) fn parse(
    name: &str,
    text: &Arc<[u8]>,
    funcs: &Funcs,
    guard: StackGuard,
) -> Result<Vec<Arc<Tree>>, Error> {
    if u32::try_from(text.len()).is_err() {
        let message = format!("template: {name}:1: text is larger than 4 GiB");
        return Err(Error::of(ErrorKind::Parse, message));
    }
    let source = Arc::new(Source { name: Arc::from(name), text: Arc::clone(text) });
    let loop_words = funcs.get("break").is_none() && funcs.get("continue").is_none();
    let mut shared = Shared {
        source: Arc::clone(&source),
        lexer: Lexer::new(text, loop_words),
        funcs,
        trees: Vec::new(),
        guard,
        next_id: 0,
        names: Names::default(),
        operands: Vec::new(),
        commands: Vec::new(),
        nodes: Vec::new(),
    };
    shared.names.variable(b"$");
    let mut parser = Parser::new(&mut shared);
    let root = parser.top_level()?;
    let tree = Tree { name: Arc::from(name), source, root };
    parser.add(tree)?;
    Ok(shared.trees)
}

/// What the parsers of nested definitions share.
struct Shared<'a> {
    source: Arc<Source>,
    lexer: Lexer<'a>,
    funcs: &'a Funcs,
    trees: Vec<Arc<Tree>>,
    guard: StackGuard,
    next_id: u32,
    names: Names<'a>,
    /// Stacks on which lists of unknown length grow, so that each list is allocated once, in its final size.
    operands: Vec<ast::Expr>,
    commands: Vec<ast::Command>,
    nodes: Vec<ast::Node>,
}

/// Takes what was pushed since `mark` off a stack.
fn taken<T>(stack: &mut Vec<T>, mark: usize) -> Vec<T> {
    stack.drain(mark.min(stack.len())..).collect()
}

/// The parser of one definition. Go's has three tokens of look-ahead, and which one stands in the first place decides
/// about the line number of an error; so it is done in the same way here.
struct Parser<'p, 'a> {
    shared: &'p mut Shared<'a>,
    tokens: [Token; 3],
    peeked: usize,
    /// Variables that are visible now.
    vars: Vec<u32>,
    /// Line of the `{{` of the action being parsed; 0 outside.
    action_line: u32,
    range_depth: u32,
}

type Parsed<T> = Result<T, Error>;

impl<'p, 'a> Parser<'p, 'a> {
    fn new(shared: &'p mut Shared<'a>) -> Self {
        let none = Token { kind: Kind::Error, start: 0, end: 0, line: 0 };
        Parser { shared, tokens: [none; 3], peeked: 0, vars: vec![0], action_line: 0, range_depth: 0 }
    }

    fn at(&mut self, pos: u32) -> At {
        self.shared.next_id += 1;
        At { id: self.shared.next_id, pos }
    }

    fn text(&self, token: Token) -> &'a [u8] {
        self.shared.lexer.text(token)
    }

    fn next(&mut self) -> Token {
        if self.peeked > 0 {
            self.peeked -= 1;
        } else {
            self.tokens[0] = self.shared.lexer.next_token();
        }
        self.tokens.get(self.peeked).copied().unwrap_or(self.tokens[0])
    }

    fn backup(&mut self) {
        self.peeked += 1;
    }

    /// Puts a token back before the one that was last read.
    fn backup2(&mut self, earlier: Token) {
        self.tokens[1] = earlier;
        self.peeked = 2;
    }

    fn backup3(&mut self, earliest: Token, earlier: Token) {
        self.tokens[1] = earlier;
        self.tokens[2] = earliest;
        self.peeked = 3;
    }

    fn peek(&mut self) -> Token {
        let token = self.next();
        self.peeked += 1;
        token
    }

    fn next_non_space(&mut self) -> Token {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    fn peek_non_space(&mut self) -> Token {
        let token = self.next_non_space();
        self.backup();
        token
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Parsed<Token> {
        let token = self.next_non_space();
        if token.kind == kind { Ok(token) } else { Err(self.unexpected(token, context)) }
    }

    fn error(&self, message: impl std::fmt::Display) -> Error {
        let line = self.tokens[0].line;
        Error::of(ErrorKind::Parse, format!("template: {}:{line}: {message}", self.shared.source.name))
    }

    fn unexpected(&self, token: Token, context: &str) -> Error {
        if token.kind != Kind::Error {
            return self.error(format_args!("unexpected {} in {context}", self.show(token)));
        }
        let message = &self.shared.lexer.error;
        if self.action_line == 0 || self.action_line == token.line {
            return self.error(message);
        }
        let word = if message.ends_with(" action") { "" } else { " in action" };
        let (name, line) = (&self.shared.source.name, self.action_line);
        self.error(format_args!("{message}{word} started at {name}:{line}"))
    }

    /// A token in an error message.
    fn show(&self, token: Token) -> String {
        let text = self.text(token);
        match token.kind {
            Kind::Eof => "EOF".into(),
            Kind::Error => self.shared.lexer.error.clone(),
            kind if kind.is_keyword() => format!("<{}>", String::from_utf8_lossy(text)),
            _ if text.len() > 10 && rune_count(text) > 10 => {
                let head = String::from_utf8_lossy(text).chars().take(10).collect::<String>();
                format!("{}...", quote(head.as_bytes()))
            }
            _ if text.len() > 10 => format!("{}...", quote(text)),
            _ => quote(text),
        }
    }

    /// Refuses to go deeper when the stack is used up.
    fn check_depth(&self) -> Parsed<()> {
        if self.shared.guard.exhausted(0) {
            return Err(self.error("max expression depth exceeded"));
        }
        Ok(())
    }

    /// Installs a definition: a second one in the same text is an error, unless one of them is empty.
    fn add(&mut self, tree: Tree) -> Parsed<()> {
        match self.shared.trees.iter_mut().find(|t| t.name == tree.name) {
            None => self.shared.trees.push(Arc::new(tree)),
            Some(old) if old.is_empty() => *old = Arc::new(tree),
            Some(_) if tree.is_empty() => {}
            Some(_) => {
                let name = quote(tree.name.as_bytes());
                return Err(self.error(format_args!("template: multiple definition of template {name}")));
            }
        }
        Ok(())
    }

    /// The inside of a `block`, up to and with its `end`, as a template of its own.
    fn block_body(&mut self, name: Arc<str>, context: &str) -> Parsed<()> {
        self.check_depth()?;
        let mut inner = Parser::new(self.shared);
        let (root, end) = inner.item_list()?;
        if let control::Item::Else = end {
            // The line is that of the outer look-ahead.
            return self.require_end(end, context);
        }
        let tree = Tree { name, source: Arc::clone(&inner.shared.source), root };
        inner.add(tree)
    }

    /// The inside of a `define`.
    fn definition_body(&mut self, name: Arc<str>, context: &str) -> Parsed<()> {
        let (root, end) = self.item_list()?;
        self.require_end(end, context)?;
        let tree = Tree { name, source: Arc::clone(&self.shared.source), root };
        self.add(tree)
    }

    /// The whole text; `define` is allowed here alone.
    fn top_level(&mut self) -> Parsed<List> {
        let pos = self.peek().start;
        let at = self.at(pos);
        let mark = self.shared.nodes.len();
        while self.peek().kind != Kind::Eof {
            if self.peek().kind == Kind::LeftDelim {
                let delim = self.next();
                if self.next_non_space().kind == Kind::Define {
                    self.define()?;
                    continue;
                }
                self.backup2(delim);
            }
            match self.text_or_action()? {
                control::Item::Node(node) => self.shared.nodes.push(node),
                control::Item::End => return Err(self.error("unexpected {{end}}")),
                control::Item::Else => return Err(self.error("unexpected {{else}}")),
            }
        }
        Ok(List { at, nodes: taken(&mut self.shared.nodes, mark) })
    }
}
