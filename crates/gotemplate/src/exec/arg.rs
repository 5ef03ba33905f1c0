//! Arguments: evaluation against the type of a parameter.

use super::eval::Given;
use super::{Exec, Slot};
use crate::error::Error;
use crate::parse::ast::{Expr, Number};
use crate::value::{Type, Value};

impl Exec<'_> {
    /// Evaluates an argument for a parameter of type `ty`.
    pub(super) fn argument(&mut self, dot: &Slot, ty: Type, expr: &Expr) -> Result<Slot, Error> {
        self.at = expr.at();
        let slot = match expr {
            Expr::Dot(_) => dot.clone(),
            Expr::Nil(_) if ty.can_be_nil() => return Ok(nil_of(ty)),
            Expr::Nil(_) => return Err(self.error(format_args!("cannot assign nil to {ty}"))),
            Expr::Field(at, fields) => self.field_chain(dot.clone(), *at, fields, Given::alone(dot))?,
            Expr::Variable(variable) => self.variable(variable, expr, Given::alone(dot))?,
            Expr::Pipe(pipe) => self.pipeline(dot, pipe)?,
            Expr::Function(at, name) => self.function(name, *at, *at, Given::alone(dot))?,
            Expr::Chain(chain) => self.chain(chain, Given::alone(dot))?,
            Expr::Bool(..) | Expr::Number(_) | Expr::String(_) => return self.literal(ty, expr),
        };
        self.validate(slot, ty)
    }

    /// A literal takes the type of the parameter.
    fn literal(&mut self, ty: Type, expr: &Expr) -> Result<Slot, Error> {
        let number = match expr {
            Expr::Number(n) => (**n).clone(),
            _ => Number::default(),
        };
        let (value, wanted) = match ty {
            Type::Any | Type::Reflect => return self.constant(expr),
            Type::Bool => (if let Expr::Bool(_, b) = expr { Some(Value::Bool(*b)) } else { None }, "bool"),
            Type::String => {
                let text = if let Expr::String(s) = expr { Some(s.value.clone()) } else { None };
                (text.map(Value::String), "string")
            }
            Type::Int => (number.int.map(Value::Int), "integer"),
            Type::Int64 => (number.int.map(Value::Int64), "integer"),
            Type::Uint8 => (number.uint.map(|u| Value::Uint8(u as u8)), "unsigned integer"),
            Type::Uint32 => (number.uint.map(|u| Value::Uint64(u64::from(u as u32))), "unsigned integer"),
            Type::Uint64 => (number.uint.map(Value::Uint64), "unsigned integer"),
            Type::Float64 => (number.float.map(Value::Float64), "float"),
            Type::Bytes | Type::List(_) | Type::Map(_) | Type::Object(_) => (None, ""),
        };
        if let Some(value) = value {
            return Ok(Slot::of(value));
        }
        let text = self.tree.as_ref().map(|t| t.source.expr_text(expr)).unwrap_or_default();
        if wanted.is_empty() {
            return Err(self.error(format_args!("can't handle {text} for arg of type {ty}")));
        }
        Err(self.error(format_args!("expected {wanted}; found {text}")))
    }

    /// Whether a value may be passed for a parameter of type `ty`, and as what.
    pub(super) fn validate(&mut self, slot: Slot, ty: Type) -> Result<Slot, Error> {
        match ty {
            Type::Reflect => return Ok(slot),
            Type::Any => return Ok(Slot { boxed: true, ..slot }),
            _ => {}
        }
        if slot.is_invalid() {
            if ty.can_be_nil() {
                return Ok(nil_of(ty));
            }
            return Err(self.error(format_args!("invalid value; expected {ty}")));
        }
        if ty.accepts(&slot.value) {
            return Ok(Slot::of(converted(slot.value, ty)));
        }
        let have = if slot.is_nil_interface() { slot.type_name() } else { slot.value.type_name() };
        Err(self.error(format_args!("wrong type for value; expected {ty}; got {have}")))
    }
}

/// A map of a defined type becomes one of the type of the parameter.
fn converted(value: Value, ty: Type) -> Value {
    match (&value, ty) {
        (Value::Map(map), Type::Map(wanted)) if !std::ptr::eq(map.map_type(), wanted) => {
            Value::Map(map.with_type(wanted))
        }
        _ => value,
    }
}

/// A nil passed for a parameter of type `ty`. A `reflect.Value` is then the zero one.
fn nil_of(ty: Type) -> Slot {
    match ty {
        Type::Reflect => Slot::invalid(),
        _ => Slot::element(ty.zero(), ty),
    }
}
