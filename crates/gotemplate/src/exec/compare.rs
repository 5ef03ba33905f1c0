//! `eq`, `lt` and their relatives.

use super::{Exec, Slot};
use crate::error::Error;
use crate::value::{Kind, Value};

/// Go's basic kinds: values of different ones do not compare, integers of both signs excepted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Basic {
    Bool,
    Complex,
    Int,
    Float,
    String,
    Uint,
}

fn basic(kind: Kind) -> Option<Basic> {
    Some(match kind {
        Kind::Bool => Basic::Bool,
        Kind::Int | Kind::Int64 => Basic::Int,
        Kind::Uint8 | Kind::Uint64 => Basic::Uint,
        Kind::Float64 => Basic::Float,
        Kind::Complex128 => Basic::Complex,
        Kind::String => Basic::String,
        _ => return None,
    })
}

/// Any integer, wide enough for both signs.
fn integer(value: &Value) -> Option<i128> {
    Some(match value {
        Value::Int(i) | Value::Int64(i) => i128::from(*i),
        Value::Uint8(u) => i128::from(*u),
        Value::Uint64(u) => i128::from(*u),
        _ => return None,
    })
}

fn is_integer(basic: Option<Basic>) -> bool {
    matches!(basic, Some(Basic::Int | Basic::Uint))
}

fn type_of(value: &Value) -> Value {
    Value::from(value.type_name().into_owned())
}

fn incompatible(a: &Value, b: &Value) -> Error {
    let (a, b) = (a.type_name(), b.type_name());
    Error::new(format!("incompatible types for comparison: {a} and {b}"))
}

impl Exec<'_> {
    /// Whether `first` equals one of the others.
    pub(super) fn eq(&mut self, first: &Value, others: &[Slot]) -> Result<bool, Error> {
        if others.is_empty() {
            return Err(Error::new("missing argument for comparison"));
        }
        for other in others {
            if self.equal(first, &other.value)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn equal(&mut self, a: &Value, b: &Value) -> Result<bool, Error> {
        let (ka, kb) = (basic(a.kind()), basic(b.kind()));
        let (ua, ub) = (a.underlying(), b.underlying());
        if ka != kb {
            return match (integer(&ua), integer(&ub)) {
                (Some(x), Some(y)) => Ok(x == y),
                _ if matches!(a, Value::Nil) || matches!(b, Value::Nil) => Ok(false),
                _ => Err(incompatible(a, b)),
            };
        }
        Ok(match (&ua, &ub) {
            (Value::Bool(x), Value::Bool(y)) => x == y,
            (Value::Float64(x), Value::Float64(y)) => x == y,
            (Value::Complex(a, b), Value::Complex(c, d)) => a == c && b == d,
            (Value::String(x), Value::String(y)) => x == y,
            _ => match (integer(&ua), integer(&ub)) {
                (Some(x), Some(y)) => x == y,
                _ => return self.equal_composite(a, b),
            },
        })
    }

    /// Values without a basic kind: equal when both are nil; lists and maps do not compare otherwise.
    fn equal_composite(&mut self, a: &Value, b: &Value) -> Result<bool, Error> {
        let comparable = a.kind() == b.kind() || matches!(a, Value::Nil) || matches!(b, Value::Nil);
        if !comparable {
            let format = "non-comparable types %s: %v, %s: %v".into();
            let args = [a.clone(), type_of(a), type_of(b), b.clone()];
            return Err(Error::new(self.sprintf(&format, &args)?.to_string()));
        }
        if a.is_nil() || b.is_nil() {
            return Ok(a.is_nil() && b.is_nil());
        }
        if let (Value::Object(x), Value::Object(y)) = (a, b)
            && let Some(equal) = y.equal(&**x)
        {
            return Ok(equal);
        }
        let text = self.sprintf(&"non-comparable type %s: %v".into(), &[b.clone(), type_of(b)])?;
        Err(Error::new(text.to_string()))
    }

    pub(super) fn lt(&mut self, a: &Value, b: &Value) -> Result<bool, Error> {
        let invalid = || Error::new("invalid type for comparison");
        let (ka, kb) = (basic(a.kind()).ok_or_else(invalid)?, basic(b.kind()).ok_or_else(invalid)?);
        let (ua, ub) = (a.underlying(), b.underlying());
        if ka != kb && !(is_integer(Some(ka)) && is_integer(Some(kb))) {
            return Err(incompatible(a, b));
        }
        match (&ua, &ub) {
            (Value::Float64(x), Value::Float64(y)) => Ok(x < y),
            (Value::String(x), Value::String(y)) => Ok(x < y),
            _ => match (integer(&ua), integer(&ub)) {
                (Some(x), Some(y)) => Ok(x < y),
                _ => Err(invalid()),
            },
        }
    }

    pub(super) fn le(&mut self, a: &Value, b: &Value) -> Result<bool, Error> {
        Ok(self.lt(a, b)? || self.equal(a, b)?)
    }
}
