//! Commands, operands, fields and variables.

use super::call::Callee;
use super::{Exec, Slot};
use crate::error::Error;
use crate::parse::ast::{At, Chain, Command, Expr, Fields, Number, Variable};
use crate::template::MissingKey;
use crate::value::Value;

/// The value that a pipeline hands to its next command, which takes it as its last argument.
pub(super) type Final = Option<Slot>;

type Evaluated = Result<Slot, Error>;

/// What surrounds an operand that may be a call.
pub(super) struct Given<'e> {
    pub(super) dot: &'e Slot,
    /// The operands after it in its command.
    pub(super) args: &'e [Expr],
    /// The value of the pipeline so far.
    pub(super) last: Final,
}

impl<'e> Given<'e> {
    /// An operand that is an argument itself, and so gets none.
    pub(super) fn alone(dot: &'e Slot) -> Self {
        Given { dot, args: &[], last: None }
    }

    /// Number of arguments.
    pub(super) fn count(&self) -> usize {
        self.args.len() + usize::from(self.last.is_some())
    }
}

impl Exec<'_> {
    pub(super) fn command(&mut self, dot: &Slot, command: &Command, last: Final) -> Evaluated {
        let Some((first, args)) = command.args.split_first() else { return Ok(Slot::invalid()) };
        let given = Given { dot, args, last };
        match first {
            Expr::Field(at, fields) => {
                self.at = *at;
                self.field_chain(dot.clone(), *at, fields, given)
            }
            Expr::Chain(chain) => self.chain(chain, given),
            Expr::Function(at, name) => self.function(name, *at, command.at, given),
            Expr::Pipe(pipe) => {
                self.not_a_function(first, &given)?;
                self.pipeline(dot, pipe)
            }
            Expr::Variable(variable) => self.variable(variable, first, given),
            constant => {
                self.at = constant.at();
                self.not_a_function(first, &given)?;
                match constant {
                    Expr::Dot(_) => Ok(dot.clone()),
                    Expr::Nil(_) => Err(self.error("nil is not a command")),
                    other => self.constant(other),
                }
            }
        }
    }

    /// A literal where its type is not known beforehand.
    pub(super) fn constant(&mut self, expr: &Expr) -> Evaluated {
        Ok(Slot::of(match expr {
            Expr::Bool(_, b) => Value::Bool(*b),
            Expr::String(literal) => Value::String(literal.value.clone()),
            Expr::Number(number) => return self.ideal_constant(number),
            _ => Value::Nil,
        }))
    }

    /// The syntax of a number decides about its type.
    fn ideal_constant(&mut self, number: &Number) -> Evaluated {
        self.at = number.at;
        let text = number.text.as_bytes();
        let has = |set: &[u8]| text.iter().any(|b| set.contains(b));
        let hex_int = text.len() > 2 && matches!(text, [b'0', b'x' | b'X', ..]) && !has(b"pP");
        let value = match number {
            Number { complex: Some((re, im)), .. } => Value::Complex(*re, *im),
            Number { float: Some(f), .. } if !hex_int && !text.starts_with(b"'") && has(b".eEpP") => {
                Value::Float64(*f)
            }
            Number { int: Some(i), .. } => Value::Int(*i),
            Number { uint: Some(_), .. } => {
                return Err(self.error(format_args!("{} overflows int", number.text)));
            }
            _ => Value::Nil,
        };
        Ok(Slot::of(value))
    }

    fn not_a_function(&self, first: &Expr, given: &Given<'_>) -> Result<(), Error> {
        if given.count() == 0 {
            return Ok(());
        }
        let text = self.tree.as_ref().map(|t| t.source.expr_text(first)).unwrap_or_default();
        Err(self.error(format_args!("can't give argument to non-function {text}")))
    }

    pub(super) fn chain(&mut self, chain: &Chain, given: Given<'_>) -> Evaluated {
        self.at = chain.at;
        let base = self.chain_base(given.dot, &chain.base)?;
        self.field_chain(base, chain.at, &chain.fields, given)
    }

    fn chain_base(&mut self, dot: &Slot, base: &Expr) -> Evaluated {
        self.at = base.at();
        match base {
            Expr::Pipe(pipe) => self.pipeline(dot, pipe),
            Expr::Function(at, name) => self.function(name, *at, *at, Given::alone(dot)),
            Expr::Nil(_) => Err(self.error("indirection through explicit nil")),
            other => self.constant(other),
        }
    }

    pub(super) fn variable(&mut self, variable: &Variable, expr: &Expr, given: Given<'_>) -> Evaluated {
        self.at = variable.at;
        let value = self.variable_value(variable)?;
        let Some(fields) = &variable.fields else {
            self.not_a_function(expr, &given)?;
            return Ok(value);
        };
        self.field_chain(value, variable.at, fields, given)
    }

    pub(super) fn variable_value(&self, variable: &Variable) -> Evaluated {
        let frame = self.vars.get(self.frame..).unwrap_or_default();
        match frame.iter().rev().find(|v| v.name == variable.id) {
            Some(var) => Ok(var.slot.clone()),
            None => Err(self.error(format_args!("undefined variable: {}", variable.name))),
        }
    }

    pub(super) fn set_variable(&mut self, variable: &Variable, slot: Slot) -> Result<(), Error> {
        let frame = self.vars.get_mut(self.frame..).unwrap_or_default();
        match frame.iter_mut().rev().find(|v| v.name == variable.id) {
            Some(var) => {
                var.slot = slot;
                Ok(())
            }
            None => Err(self.error(format_args!("undefined variable: {}", variable.name))),
        }
    }

    /// `.a.b.c` from a receiver; the last one may be a method, which gets the arguments.
    pub(super) fn field_chain(
        &mut self,
        receiver: Slot,
        at: At,
        fields: &Fields,
        given: Given<'_>,
    ) -> Evaluated {
        let (inner, name) = fields.split_last();
        let mut receiver = receiver;
        for field in inner {
            receiver = self.field(receiver, field, at, Given::alone(given.dot))?;
        }
        self.field(receiver, name, at, given)
    }

    fn field(&mut self, receiver: Slot, name: &str, at: At, given: Given<'_>) -> Evaluated {
        if receiver.is_invalid() {
            if self.set.missing_key() == MissingKey::Error {
                return Err(self.error(format_args!("nil data; no entry for key {}", quoted(name))));
            }
            return Ok(Slot::invalid());
        }
        if receiver.is_nil_interface() {
            return Err(self.error(format_args!("nil pointer evaluating interface {{}}.{name}")));
        }
        if let Some(method) = receiver.value.methods().iter().find(|m| m.name == name) {
            let callee = Callee::Method(method, &receiver.value);
            return self.call(callee, name, at, given);
        }
        let has_args = given.count() > 0;
        match &receiver.value {
            Value::Map(map) => {
                if has_args {
                    return Err(self.error(format_args!("{name} is not a method but has arguments")));
                }
                let elem = map.map_type().elem;
                match (map.get(name), self.set.missing_key()) {
                    (Some(value), _) => return Ok(Slot::element(value, elem)),
                    (None, MissingKey::Default) => return Ok(Slot::invalid()),
                    (None, MissingKey::Zero) => return Ok(Slot::element(elem.zero(), elem)),
                    (None, MissingKey::Error) => {}
                }
                Err(self.error(format_args!("map has no entry for key {}", quoted(name))))
            }
            Value::Object(object) => match object.field(name) {
                Some(_) if has_args => {
                    Err(self.error(format_args!("{name} has arguments but cannot be invoked as function")))
                }
                Some(value) => {
                    let boxed = matches!(value, Value::Nil);
                    Ok(Slot { value, boxed })
                }
                None => Err(self.no_field(name, &receiver)),
            },
            _ => Err(self.no_field(name, &receiver)),
        }
    }

    fn no_field(&self, name: &str, receiver: &Slot) -> Error {
        self.error(format_args!("can't evaluate field {name} in type {}", receiver.type_name()))
    }
}

fn quoted(name: &str) -> String {
    crate::strconv::quote(name.as_bytes())
}
