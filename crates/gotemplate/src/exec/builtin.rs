//! The functions of `text/template` itself, comparisons excepted.

use super::{Exec, Slot};
use crate::error::Error;
use crate::value::{List, Str, Type, Value};

/// A predefined function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Builtin {
    And,
    Call,
    Eq,
    Ge,
    Gt,
    Html,
    Index,
    Js,
    Le,
    Len,
    Lt,
    Ne,
    Not,
    Or,
    Print,
    Printf,
    Println,
    Slice,
    Urlquery,
}

type Called = Result<Slot, Error>;

impl Builtin {
    /// The builtin of this name.
    pub(crate) fn named(name: &str) -> Option<Builtin> {
        Some(match name {
            "and" => Builtin::And,
            "call" => Builtin::Call,
            "eq" => Builtin::Eq,
            "ge" => Builtin::Ge,
            "gt" => Builtin::Gt,
            "html" => Builtin::Html,
            "index" => Builtin::Index,
            "js" => Builtin::Js,
            "le" => Builtin::Le,
            "len" => Builtin::Len,
            "lt" => Builtin::Lt,
            "ne" => Builtin::Ne,
            "not" => Builtin::Not,
            "or" => Builtin::Or,
            "print" => Builtin::Print,
            "printf" => Builtin::Printf,
            "println" => Builtin::Println,
            "slice" => Builtin::Slice,
            "urlquery" => Builtin::Urlquery,
            _ => return None,
        })
    }

    pub(super) fn params(self) -> &'static [Type] {
        match self {
            Builtin::And
            | Builtin::Call
            | Builtin::Eq
            | Builtin::Index
            | Builtin::Len
            | Builtin::Not
            | Builtin::Or
            | Builtin::Slice => &[Type::Reflect],
            Builtin::Ge | Builtin::Gt | Builtin::Le | Builtin::Lt | Builtin::Ne => {
                &[Type::Reflect, Type::Reflect]
            }
            Builtin::Printf => &[Type::String],
            Builtin::Html | Builtin::Js | Builtin::Print | Builtin::Println | Builtin::Urlquery => &[],
        }
    }

    pub(super) fn variadic(self) -> Option<Type> {
        match self {
            Builtin::And | Builtin::Call | Builtin::Eq | Builtin::Index | Builtin::Or | Builtin::Slice => {
                Some(Type::Reflect)
            }
            Builtin::Html
            | Builtin::Js
            | Builtin::Print
            | Builtin::Printf
            | Builtin::Println
            | Builtin::Urlquery => Some(Type::Any),
            _ => None,
        }
    }
}

impl Exec<'_> {
    /// Calls a builtin with arguments that have been checked. `callee` is the text of the first argument of `call`.
    pub(super) fn builtin(&mut self, builtin: Builtin, args: Vec<Slot>, callee: &str) -> Called {
        let (first, rest) = match args.split_first() {
            Some((first, rest)) => (first.clone(), rest),
            None => (Slot::invalid(), &[][..]),
        };
        let truth = |b: Result<bool, Error>| b.map(|b| Slot::of(Value::Bool(b)));
        let second = || rest.first().map(|s| s.value.clone()).unwrap_or_default();
        match builtin {
            Builtin::And | Builtin::Or => Ok(first),
            Builtin::Not => truth(Ok(!first.value.truth())),
            Builtin::Eq => truth(self.eq(&first.value, rest)),
            Builtin::Ne => truth(self.eq(&first.value, rest).map(|b| !b)),
            Builtin::Lt => truth(self.lt(&first.value, &second())),
            Builtin::Le => truth(self.le(&first.value, &second())),
            Builtin::Gt => truth(self.le(&first.value, &second()).map(|b| !b)),
            Builtin::Ge => truth(self.lt(&first.value, &second()).map(|b| !b)),
            Builtin::Len => length(&first),
            Builtin::Index => index(&first, rest),
            Builtin::Slice => slice(&first, rest),
            Builtin::Call => self.call_value(&first.value, rest, callee),
            Builtin::Printf => match &first.value {
                Value::String(format) => {
                    let values = values_of(rest);
                    self.sprintf(&format.clone(), &values).map(text)
                }
                _ => Ok(Slot::invalid()),
            },
            Builtin::Print => self.sprint(&values_of(&args)).map(text),
            Builtin::Println => {
                let line = crate::fmt::sprintln(&values_of(&args), self.bytes_max());
                self.charged(line).map(text)
            }
            Builtin::Html | Builtin::Js | Builtin::Urlquery => {
                let plain = self.escaper_text(&args)?;
                self.charge_bytes(plain.len() as u64 * 6)?;
                let escape = match builtin {
                    Builtin::Html => super::escape::html,
                    Builtin::Js => super::escape::js,
                    _ => super::escape::url_query,
                };
                Ok(text(escape(plain.as_bytes()).into()))
            }
        }
    }

    /// The text that an escaper works on: as `print`, but nil is `<no value>`.
    fn escaper_text(&mut self, args: &[Slot]) -> Result<Str, Error> {
        let values: Vec<Value> = args
            .iter()
            .map(|s| match &s.value {
                Value::Nil => Value::from("<no value>"),
                other => other.clone(),
            })
            .collect();
        self.sprint(&values)
    }

    /// The builtin `call`: a function that is a value.
    fn call_value(&mut self, function: &Value, args: &[Slot], name: &str) -> Called {
        let function = match function {
            Value::Nil => return Err(Error::new("call of nil")),
            Value::Func(f) => *f,
            other => {
                let message = format!("non-function {name} of type {}", other.type_name());
                return Err(Error::new(message));
            }
        };
        let (got, want) = (args.len(), function.params.len());
        let prefix = format!("wrong number of args for {name}: got {got} want");
        match function.variadic {
            Some(_) if got < want => return Err(Error::new(format!("{prefix} at least {want}"))),
            None if got != want => return Err(Error::new(format!("{prefix} {want}"))),
            _ => {}
        }
        let types = function.params.iter().copied().map(Some).chain(std::iter::repeat(function.variadic));
        let mut values = Vec::with_capacity(got);
        for (i, (arg, ty)) in args.iter().zip(types).enumerate() {
            let ty = ty.unwrap_or(Type::Any);
            let value = prepare(&arg.value, ty).map_err(|e| Error::wrap(&format!("arg {i}: "), e))?;
            values.push(value);
        }
        (function.call)(self, &values).map(Slot::of)
    }
}

fn values_of(slots: &[Slot]) -> Vec<Value> {
    slots.iter().map(|s| s.value.clone()).collect()
}

fn text(s: Str) -> Slot {
    Slot::of(Value::String(s))
}

/// Go's `prepareArg`: integers are converted to another integer type, nothing else is.
fn prepare(value: &Value, ty: Type) -> Result<Value, Error> {
    match value {
        Value::Nil if ty.can_be_nil() => return Ok(ty.zero()),
        Value::Nil => return Err(Error::new(format!("value is nil; should be of type {ty}"))),
        _ if ty.accepts(value) => return Ok(value.clone()),
        _ => {}
    }
    let wide = match value.underlying() {
        Value::Int(i) | Value::Int64(i) => Some(i),
        Value::Uint8(u) => Some(i64::from(u)),
        Value::Uint64(u) => Some(u as i64),
        _ => None,
    };
    match (wide, ty) {
        (Some(i), Type::Int) => Ok(Value::Int(i)),
        (Some(i), Type::Int64) => Ok(Value::Int64(i)),
        (Some(i), Type::Uint8) => Ok(Value::Uint8(i as u8)),
        (Some(i), Type::Uint64) => Ok(Value::Uint64(i as u64)),
        _ => Err(Error::new(format!("value has type {}; should be {ty}", value.type_name()))),
    }
}

/// An index into something of `cap` elements; `cap` itself is allowed.
fn index_of(index: &Value, cap: usize) -> Result<usize, Error> {
    let x = match index.underlying() {
        Value::Nil => return Err(Error::new("cannot index slice/array with nil")),
        Value::Int(i) | Value::Int64(i) => i,
        Value::Uint8(u) => i64::from(u),
        Value::Uint64(u) => u as i64,
        _ => {
            let message = format!("cannot index slice/array with type {}", index.type_name());
            return Err(Error::new(message));
        }
    };
    match usize::try_from(x) {
        Ok(i) if i <= cap => Ok(i),
        _ => Err(Error::new(format!("index out of range: {x}"))),
    }
}

fn length(item: &Slot) -> Called {
    if item.is_nil_interface() {
        return Err(Error::new("len of nil pointer"));
    }
    let count = match item.value.underlying() {
        Value::Nil => return Err(Error::new("reflect: call of reflect.Value.Type on zero Value")),
        Value::String(s) => s.len(),
        Value::Bytes(b) => b.len(),
        Value::List(l) => l.len(),
        Value::Map(m) => m.len(),
        _ => return Err(Error::new(format!("len of type {}", item.value.type_name()))),
    };
    Ok(Slot::of(Value::Int(i64::try_from(count).unwrap_or(i64::MAX))))
}

/// Go lets an index equal to the length pass its own check; then reflection panics.
fn beyond(what: &str) -> Error {
    Error::new(format!("reflect: {what} index out of range"))
}

fn index(item: &Slot, indexes: &[Slot]) -> Called {
    if matches!(item.value, Value::Nil) {
        return Err(Error::new("index of untyped nil"));
    }
    let mut item = item.clone().unboxed();
    for at in indexes {
        if matches!(item.value, Value::Nil) {
            return Err(Error::new("index of nil pointer"));
        }
        item = index_once(&item, &at.value)?;
    }
    Ok(item)
}

fn index_once(item: &Slot, at: &Value) -> Called {
    match item.value.underlying() {
        Value::String(s) => {
            let i = index_of(at, s.len())?;
            let byte = s.as_bytes().get(i).ok_or_else(|| beyond("string"))?;
            Ok(Slot::of(Value::Uint8(*byte)))
        }
        Value::Bytes(b) => {
            let i = index_of(at, b.len())?;
            let byte = b.get(i).ok_or_else(|| beyond("slice"))?;
            Ok(Slot::of(Value::Uint8(*byte)))
        }
        Value::List(list) => {
            let i = index_of(at, list.len())?;
            let value = list.get(i).ok_or_else(|| beyond("slice"))?;
            Ok(Slot::element(value, list.list_type().elem))
        }
        Value::Map(map) => {
            let elem = map.map_type().elem;
            match prepare(at, Type::String)? {
                Value::String(key) => Ok(Slot::element(map.get(&key).unwrap_or_else(|| elem.zero()), elem)),
                _ => Ok(Slot::invalid()),
            }
        }
        _ => Err(Error::new(format!("can't index item of type {}", item.value.type_name()))),
    }
}

fn slice(item: &Slot, indexes: &[Slot]) -> Called {
    if matches!(item.value, Value::Nil) {
        return Err(Error::new("slice of untyped nil"));
    }
    if indexes.len() > 3 {
        return Err(Error::new(format!("too many slice indexes: {}", indexes.len())));
    }
    let value = item.value.underlying();
    let len = match &value {
        Value::String(_) if indexes.len() == 3 => {
            return Err(Error::new("cannot 3-index slice a string"));
        }
        Value::String(s) => s.len(),
        Value::Bytes(b) => b.len(),
        Value::List(l) => l.len(),
        _ => {
            let message = format!("can't slice item of type {}", item.value.type_name());
            return Err(Error::new(message));
        }
    };
    let mut bounds = [0, len, len];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        if index.boxed {
            return Err(Error::new("cannot index slice/array with type interface {}"));
        }
        *bound = index_of(&index.value, len)?;
    }
    let [from, to, cap] = bounds;
    for (low, high) in [(from, to), (to, cap)] {
        if low > high {
            return Err(Error::new(format!("invalid slice index: {low} > {high}")));
        }
    }
    Ok(Slot::of(match value {
        Value::String(s) => Value::String(Str::from_bytes(s.as_bytes().get(from..to).unwrap_or_default())),
        Value::Bytes(b) => Value::Bytes(b.get(from..to).unwrap_or_default().into()),
        Value::List(l) => {
            let items = l.borrow().get(from..to).unwrap_or_default().to_vec();
            Value::List(List::of(l.list_type(), items))
        }
        other => other,
    }))
}
