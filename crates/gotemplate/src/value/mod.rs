//! Values as Go templates see them after YAML or JSON decoding, and as functions return them.
//!
//! Containers are shared by reference, so that `set`, `unset` and `merge` change what others see, as in Go.
//! Values belong to one render and one thread; parsed templates are what is shared between threads.

mod convert;
mod list;
mod map;
mod object;
pub mod types;

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use crate::func::{Func, Method};
pub use crate::gostr::Str;
pub use list::List;
pub use map::{CycleGuard, Entries, Map};
pub use object::Object;
pub use types::{Kind, ListType, MapType, Type};

/// A Go value. Cloning is cheap and shares lists and maps.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// `nil` without a type: an absent value, JSON's null.
    #[default]
    Nil,
    /// `bool`
    Bool(bool),
    /// `int`: integer literals, `len`, `int`, `until`.
    Int(i64),
    /// `int64`: what `int64`, `add` and `--set` give.
    Int64(i64),
    /// `uint8`: a byte taken from a string or `[]uint8`.
    Uint8(u8),
    /// `uint64`: for example the numbers of a semantic version.
    Uint64(u64),
    /// `float64`: every number in decoded YAML and JSON.
    Float64(f64),
    /// `complex128`: only literals such as `1+2i`.
    Complex(f64, f64),
    /// `string`
    String(Str),
    /// `[]uint8`
    Bytes(Arc<[u8]>),
    /// A slice.
    List(List),
    /// A map with string keys.
    Map(Map),
    /// A value of a host type.
    Object(Rc<dyn Object>),
    /// A function as a value, for the builtin `call`.
    Func(&'static Func),
}

impl Value {
    /// An object of the host.
    pub fn object(object: impl Object) -> Self {
        Value::Object(Rc::new(object))
    }

    /// The reflect kind.
    pub fn kind(&self) -> Kind {
        match self {
            Value::Nil => Kind::Invalid,
            Value::Bool(_) => Kind::Bool,
            Value::Int(_) => Kind::Int,
            Value::Int64(_) => Kind::Int64,
            Value::Uint8(_) => Kind::Uint8,
            Value::Uint64(_) => Kind::Uint64,
            Value::Float64(_) => Kind::Float64,
            Value::Complex(..) => Kind::Complex128,
            Value::String(_) => Kind::String,
            Value::Bytes(_) | Value::List(_) => Kind::Slice,
            Value::Map(_) => Kind::Map,
            Value::Object(o) => o.kind(),
            Value::Func(_) => Kind::Func,
        }
    }

    /// The dynamic type as `%T` and `typeOf` print it; `<nil>` for nil.
    pub fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Value::Nil => "<nil>",
            Value::Bytes(_) => "[]uint8",
            Value::List(l) => l.list_type().name,
            Value::Map(m) => m.map_type().name,
            Value::Object(o) => return o.type_name(),
            Value::Func(f) => return Cow::Owned(f.type_name()),
            basic => basic.kind().name(),
        })
    }

    /// Truth as `if`, `and` and `not` see it: not the zero value of its type, not empty.
    pub fn truth(&self) -> bool {
        match self {
            Value::Nil => false,
            Value::Bool(b) => *b,
            Value::Int(i) | Value::Int64(i) => *i != 0,
            Value::Uint8(u) => *u != 0,
            Value::Uint64(u) => *u != 0,
            Value::Float64(f) => *f != 0.0,
            Value::Complex(re, im) => *re != 0.0 || *im != 0.0,
            Value::String(s) => !s.is_empty(),
            Value::Bytes(b) => !b.is_empty(),
            Value::List(l) => !l.is_empty(),
            Value::Map(m) => !m.is_empty(),
            Value::Object(o) => o.underlying().is_none_or(|v| v.truth()),
            Value::Func(_) => true,
        }
    }

    /// Whether this is nil: untyped, or a nil slice or map.
    pub fn is_nil(&self) -> bool {
        match self {
            Value::Nil => true,
            Value::List(l) => l.is_nil(),
            Value::Map(m) => m.is_nil(),
            _ => false,
        }
    }

    /// The value of a defined basic type as the basic type; any other value as it is.
    #[must_use]
    pub fn underlying(&self) -> Value {
        match self {
            Value::Object(o) => o.underlying().unwrap_or_else(|| self.clone()),
            other => other.clone(),
        }
    }

    /// The string, when this is one.
    pub fn as_str(&self) -> Option<&Str> {
        match self {
            Value::String(s) => Some(s),
            _ => None,
        }
    }

    /// The map, when this is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Value::Map(m) => Some(m),
            _ => None,
        }
    }

    /// The list, when this is one.
    pub fn as_list(&self) -> Option<&List> {
        match self {
            Value::List(l) => Some(l),
            _ => None,
        }
    }

    /// The host's own type, when this is an object of it.
    pub fn downcast<T: 'static>(&self) -> Option<&T> {
        match self {
            Value::Object(o) => o.as_any().downcast_ref(),
            _ => None,
        }
    }

    /// The methods of the type.
    pub fn methods(&self) -> &'static [Method] {
        match self {
            Value::List(l) => l.list_type().methods,
            Value::Map(m) => m.map_type().methods,
            Value::Object(o) => o.methods(),
            _ => &[],
        }
    }
}

/// Drops values one after the other: a list nested a million times deep must not recurse a million times.
fn reclaim(items: Vec<Value>) {
    if !items.iter().any(|v| matches!(v, Value::List(_) | Value::Map(_))) {
        return;
    }
    let mut pending = items;
    while let Some(value) = pending.pop() {
        let inner = match value {
            Value::List(l) => l.take_if_last(),
            Value::Map(m) => m.take_if_last(),
            _ => None,
        };
        pending.extend(inner.into_iter().flatten());
    }
}
