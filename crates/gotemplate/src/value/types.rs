//! Static types: what `%T`, `typeOf` and error messages call a value, and which value may go where.

use std::fmt;

use super::{List, Map, Value};
use crate::func::Method;

/// Go's reflect kinds, as far as templates meet them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No value at all.
    Invalid,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `int64`
    Int64,
    /// `uint8`
    Uint8,
    /// `uint64`
    Uint64,
    /// `float64`
    Float64,
    /// `complex128`
    Complex128,
    /// `string`
    String,
    /// `slice`
    Slice,
    /// `map`
    Map,
    /// `struct`
    Struct,
    /// `ptr`
    Ptr,
    /// `func`
    Func,
    /// `interface`
    Interface,
}

impl Kind {
    /// Go's `reflect.Kind.String()`, as `kindOf` prints it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Invalid => "invalid",
            Kind::Bool => "bool",
            Kind::Int => "int",
            Kind::Int64 => "int64",
            Kind::Uint8 => "uint8",
            Kind::Uint64 => "uint64",
            Kind::Float64 => "float64",
            Kind::Complex128 => "complex128",
            Kind::String => "string",
            Kind::Slice => "slice",
            Kind::Map => "map",
            Kind::Struct => "struct",
            Kind::Ptr => "ptr",
            Kind::Func => "func",
            Kind::Interface => "interface",
        }
    }
}

/// The static type of a parameter, or of the elements of a list or map.
#[derive(Clone, Copy, Debug)]
pub enum Type {
    /// `interface {}`: anything, nil included.
    Any,
    /// `reflect.Value`: anything; what the builtins take.
    Reflect,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `int64`
    Int64,
    /// `uint8`
    Uint8,
    /// `uint32`: only literals are; a value for it is a [`Value::Uint64`].
    Uint32,
    /// `uint64`
    Uint64,
    /// `float64`
    Float64,
    /// `string`
    String,
    /// `[]uint8`
    Bytes,
    /// A slice type.
    List(&'static ListType),
    /// A map type with string keys.
    Map(&'static MapType),
    /// Any other type, by the name that [`Object::type_name`](super::Object::type_name) gives, e.g. `time.Time`.
    /// Not nilable unless the name starts with `*`.
    Object(&'static str),
}

/// A slice type.
#[derive(Debug)]
pub struct ListType {
    /// As Go prints it, e.g. `[]string`.
    pub name: &'static str,
    /// Type of the elements.
    pub elem: Type,
    /// Whether this is a defined type (`common.VersionSet`) and no literal one (`[]string`).
    pub defined: bool,
    /// Methods of the type.
    pub methods: &'static [Method],
}

/// A map type. Keys are strings.
#[derive(Debug)]
pub struct MapType {
    /// As Go prints it, e.g. `map[string]interface {}`.
    pub name: &'static str,
    /// Type of the values.
    pub elem: Type,
    /// Whether this is a defined type (`common.Values`) and no literal one.
    pub defined: bool,
    /// Methods of the type.
    pub methods: &'static [Method],
}

const fn slice(name: &'static str, elem: Type) -> ListType {
    ListType { name, elem, defined: false, methods: &[] }
}

const fn map(name: &'static str, elem: Type) -> MapType {
    MapType { name, elem, defined: false, methods: &[] }
}

/// `[]interface {}`
pub static ANY_LIST: ListType = slice("[]interface {}", Type::Any);
/// `[]string`
pub static STRING_LIST: ListType = slice("[]string", Type::String);
/// `[]int`
pub static INT_LIST: ListType = slice("[]int", Type::Int);
/// `[][]interface {}` (what `chunk` returns)
pub static ANY_LIST_LIST: ListType = slice("[][]interface {}", Type::List(&ANY_LIST));
/// `[]map[string]interface {}`
pub static DICT_LIST: ListType = slice("[]map[string]interface {}", Type::Map(&DICT));
/// `map[string]interface {}`
pub static DICT: MapType = map("map[string]interface {}", Type::Any);
/// `map[string]string`
pub static STRING_MAP: MapType = map("map[string]string", Type::String);

impl ListType {
    fn accepts(&self, other: &ListType) -> bool {
        std::ptr::eq(self, other)
            || self.name == other.name
            || (!(self.defined && other.defined) && self.elem.same(other.elem))
    }
}

impl MapType {
    fn accepts(&self, other: &MapType) -> bool {
        std::ptr::eq(self, other)
            || self.name == other.name
            || (!(self.defined && other.defined) && self.elem.same(other.elem))
    }
}

impl Type {
    /// As Go prints the type, e.g. `interface {}`, `map[string]interface {}`, `[]uint8`.
    pub fn name(self) -> &'static str {
        match self {
            Type::Any => "interface {}",
            Type::Reflect => "reflect.Value",
            Type::Bool => "bool",
            Type::Int => "int",
            Type::Int64 => "int64",
            Type::Uint8 => "uint8",
            Type::Uint32 => "uint32",
            Type::Uint64 => "uint64",
            Type::Float64 => "float64",
            Type::String => "string",
            Type::Bytes => "[]uint8",
            Type::List(t) => t.name,
            Type::Map(t) => t.name,
            Type::Object(name) => name,
        }
    }

    fn same(self, other: Type) -> bool {
        self.name() == other.name()
    }

    /// Whether `nil` is a value of the type.
    pub fn can_be_nil(self) -> bool {
        match self {
            Type::Any | Type::Reflect | Type::Bytes | Type::List(_) | Type::Map(_) => true,
            Type::Object(name) => name.starts_with('*') || name == "error",
            _ => false,
        }
    }

    /// The zero value: Go's `reflect.Zero`. `Nil` for interfaces and host types.
    pub fn zero(self) -> Value {
        match self {
            Type::Any | Type::Reflect | Type::Object(_) => Value::Nil,
            Type::Bool => Value::Bool(false),
            Type::Int => Value::Int(0),
            Type::Int64 => Value::Int64(0),
            Type::Uint8 => Value::Uint8(0),
            Type::Uint32 | Type::Uint64 => Value::Uint64(0),
            Type::Float64 => Value::Float64(0.0),
            Type::String => Value::from(""),
            Type::Bytes => Value::Bytes(std::sync::Arc::from(&[][..])),
            Type::List(t) => Value::List(List::nil(t)),
            Type::Map(t) => Value::Map(Map::nil(t)),
        }
    }

    /// Go's `AssignableTo`: whether `value` may be passed for this type as it is. `Nil` only where it is a value of the type.
    pub fn accepts(self, value: &Value) -> bool {
        match (self, value) {
            (Type::Any | Type::Reflect, _)
            | (Type::Bool, Value::Bool(_))
            | (Type::Int, Value::Int(_))
            | (Type::Int64, Value::Int64(_))
            | (Type::Uint8, Value::Uint8(_))
            | (Type::Uint64, Value::Uint64(_))
            | (Type::Float64, Value::Float64(_))
            | (Type::String, Value::String(_))
            | (Type::Bytes, Value::Bytes(_)) => true,
            (Type::List(t), Value::List(l)) => t.accepts(l.list_type()),
            (Type::Map(t), Value::Map(m)) => t.accepts(m.map_type()),
            (Type::Object(name), Value::Object(o)) => {
                let have = o.type_name();
                have == name || have.strip_prefix('*') == Some(name) || (name == "error" && o.is_error())
            }
            _ => false,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
