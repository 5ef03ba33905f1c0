//! Pipelines, commands and operands.

use super::ast::{At, Chain, Command, Expr, Fields, Literal, Number, Pipe, Variable};
use super::token::{Kind, Token};
use super::{Parsed, Parser, taken};
use crate::strconv::{quote, unquote};
use crate::value::Str;

/// The inside of a string that stands for itself, as most do: without escapes, or raw and without carriage returns.
fn without_quotes(text: &[u8]) -> Option<&str> {
    let (quote, tail) = text.split_first()?;
    let (last, inside) = tail.split_last()?;
    let plain = match (quote, last) {
        (b'"', b'"') => memchr::memchr3(b'\\', b'"', b'\n', inside).is_none(),
        (b'`', b'`') => memchr::memchr2(b'`', b'\r', inside).is_none(),
        _ => false,
    };
    std::str::from_utf8(inside).ok().filter(|_| plain)
}

impl Parser<'_, '_> {
    /// Declarations and commands up to `end`, which is consumed. `context` is the word for errors.
    pub(super) fn pipeline(&mut self, context: &str, end: Kind) -> Parsed<Pipe> {
        let pos = self.peek_non_space().start;
        let mut pipe = Pipe { at: self.at(pos), assign: false, decl: Vec::new(), commands: Vec::new() };
        self.declarations(&mut pipe, context)?;
        let mark = self.shared.commands.len();
        loop {
            let token = self.next_non_space();
            match token.kind {
                kind if kind == end => break,
                Kind::Bool
                | Kind::CharConstant
                | Kind::Complex
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Nil
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::LeftParen => {
                    self.backup();
                    let command = self.command()?;
                    self.shared.commands.push(command);
                }
                _ => return Err(self.unexpected(token, context)),
            }
        }
        pipe.commands = taken(&mut self.shared.commands, mark);
        self.check_pipeline(&pipe, context)?;
        Ok(pipe)
    }

    fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Parsed<()> {
        loop {
            let name = self.peek_non_space();
            if name.kind != Kind::Variable {
                return Ok(());
            }
            self.next();
            // A space is a token, so "$x foo" needs two more of them to know that $x is an operand.
            let after = self.peek();
            let next = self.peek_non_space();
            match next.kind {
                Kind::Assign | Kind::Declare => {
                    pipe.assign = next.kind == Kind::Assign;
                    self.next_non_space();
                    self.declare(pipe, name);
                    return Ok(());
                }
                Kind::Char if self.text(next) == b"," => {
                    self.next_non_space();
                    self.declare(pipe, name);
                    if context != "range" || pipe.decl.len() >= 2 {
                        return Err(self.error(format_args!("too many declarations in {context}")));
                    }
                    if !matches!(
                        self.peek_non_space().kind,
                        Kind::Variable | Kind::RightDelim | Kind::RightParen
                    ) {
                        return Err(self.error("range can only initialize variables"));
                    }
                }
                _ if after.kind == Kind::Space => {
                    self.backup3(name, after);
                    return Ok(());
                }
                _ => {
                    self.backup2(name);
                    return Ok(());
                }
            }
        }
    }

    fn declare(&mut self, pipe: &mut Pipe, token: Token) {
        let variable = self.variable(token);
        self.vars.push(variable.id);
        pipe.decl.push(variable);
    }

    fn check_pipeline(&self, pipe: &Pipe, context: &str) -> Parsed<()> {
        if pipe.commands.is_empty() {
            return Err(self.error(format_args!("missing value for {context}")));
        }
        for (i, command) in pipe.commands.iter().enumerate().skip(1) {
            if let Some(Expr::Bool(..) | Expr::Dot(_) | Expr::Nil(_) | Expr::Number(_) | Expr::String(_)) =
                command.args.first()
            {
                return Err(self.error(format_args!("non executable command in pipeline stage {}", i + 1)));
            }
        }
        Ok(())
    }

    /// Operands up to a `|`, which is consumed, or a closing token, which is not.
    fn command(&mut self) -> Parsed<Command> {
        let pos = self.peek_non_space().start;
        let at = self.at(pos);
        let mark = self.shared.operands.len();
        loop {
            self.peek_non_space();
            if let Some(operand) = self.operand()? {
                self.shared.operands.push(operand);
            }
            let token = self.next();
            match token.kind {
                Kind::Space => continue,
                Kind::RightDelim | Kind::RightParen => self.backup(),
                Kind::Pipe => {}
                _ => return Err(self.unexpected(token, "operand")),
            }
            break;
        }
        let args = taken(&mut self.shared.operands, mark);
        if args.is_empty() {
            return Err(self.error("empty command"));
        }
        Ok(Command { at, args })
    }

    /// A term and the fields that follow it; `None` when the next token starts no term.
    fn operand(&mut self) -> Parsed<Option<Expr>> {
        let Some(term) = self.term()? else { return Ok(None) };
        let next = self.peek();
        if next.kind != Kind::Field {
            return Ok(Some(term));
        }
        let at = self.at(next.start);
        let mut chain = next;
        while self.peek().kind == Kind::Field {
            chain.end = self.next().end;
        }
        Ok(Some(match term {
            Expr::Field(_, first) => {
                // The fields stand next to each other.
                chain.start = chain.start.saturating_sub(u32::try_from(first.0.len() + 1).unwrap_or(0));
                Expr::Field(at, self.fields(chain))
            }
            Expr::Variable(v) => {
                let fields = Some(self.fields(chain));
                Expr::Variable(Variable { at, id: v.id, name: v.name, fields })
            }
            Expr::Bool(..) | Expr::String(_) | Expr::Number(_) | Expr::Nil(_) | Expr::Dot(_) => {
                let text = quote(self.shared.source.expr_text(&term).as_bytes());
                return Err(self.error(format_args!("unexpected . after term {text}")));
            }
            base => Expr::Chain(Box::new(Chain { at, base, fields: self.fields(chain) })),
        }))
    }

    /// The names of fields, from the first dot to the end of the last name.
    fn fields(&mut self, chain: Token) -> Fields {
        let names = self.text(chain).get(1..).unwrap_or_default();
        Fields(self.shared.names.word(names))
    }

    fn variable(&mut self, token: Token) -> Variable {
        let (id, name) = self.shared.names.variable(self.text(token));
        Variable { at: self.at(token.start), id, name, fields: None }
    }

    fn term(&mut self) -> Parsed<Option<Expr>> {
        let token = self.next_non_space();
        let text = self.text(token);
        let place = |p: &mut Self| -> At { p.at(token.start) };
        Ok(Some(match token.kind {
            Kind::Identifier => {
                let Some(function) = self.shared.names.function(text, self.shared.funcs) else {
                    return Err(self.error(format_args!("function {} not defined", quote(text))));
                };
                Expr::Function(place(self), function)
            }
            Kind::Dot => Expr::Dot(place(self)),
            Kind::Nil => Expr::Nil(place(self)),
            Kind::Bool => Expr::Bool(place(self), text == b"true"),
            Kind::Field => {
                let fields = self.fields(token);
                Expr::Field(place(self), fields)
            }
            Kind::Variable => {
                let variable = self.variable(token);
                if !self.vars.contains(&variable.id) {
                    return Err(self.error(format_args!("undefined variable {}", quote(text))));
                }
                Expr::Variable(variable)
            }
            Kind::CharConstant | Kind::Complex | Kind::Number => {
                let at = place(self);
                let number = Number::read(at, text, token.kind).map_err(|e| self.error(e))?;
                Expr::Number(Box::new(number))
            }
            Kind::LeftParen => {
                self.check_depth()?;
                Expr::Pipe(Box::new(self.pipeline("parenthesized pipeline", Kind::RightParen)?))
            }
            Kind::String | Kind::RawString => {
                let value = match without_quotes(text) {
                    Some(inside) => Str::from(inside),
                    None => unquote(text).ok_or_else(|| self.error("invalid syntax"))?.into(),
                };
                let at = place(self);
                let (start, end) = (token.start, token.end);
                Expr::String(Box::new(Literal { at, start, end, value }))
            }
            _ => {
                self.backup();
                return Ok(None);
            }
        }))
    }
}
