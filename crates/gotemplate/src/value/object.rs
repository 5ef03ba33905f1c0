//! Values of host types: structs with fields and methods, and defined basic types.

use std::any::Any;
use std::borrow::Cow;
use std::fmt::Debug;

use super::{Kind, Str, Value};
use crate::func::Method;

/// A value that only the host understands: `time.Time`, `*semver.Version`, `*common.Capabilities`, an `error`.
///
/// Maps and lists with methods (`.Files`, `.Values`, `.Capabilities.APIVersions`) need no object: their
/// [`MapType`](super::MapType) or [`ListType`](super::ListType) carries the methods.
pub trait Object: Debug + 'static {
    /// As Go prints the type, e.g. `time.Time`, `*semver.Version`, `time.Duration`.
    fn type_name(&self) -> Cow<'static, str>;

    /// The kind: struct, pointer, or that of the [`underlying`](Object::underlying) value.
    fn kind(&self) -> Kind {
        match self.underlying() {
            Some(v) => v.kind(),
            None if self.type_name().starts_with('*') => Kind::Ptr,
            None => Kind::Struct,
        }
    }

    /// For a defined basic type (`time.Duration`, `json.Number`): the value as the basic type; used for truth and comparison.
    fn underlying(&self) -> Option<Value> {
        None
    }

    /// An exported field.
    fn field(&self, name: &str) -> Option<Value> {
        self.fields().into_iter().find(|(n, _)| *n == name).map(|(_, v)| v)
    }

    /// All fields in their order, for printing a struct that has no `String` method.
    fn fields(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    /// The fields as `encoding/json` names and orders them, without those that it leaves out.
    fn json_fields(&self) -> Vec<(&'static str, Value)> {
        self.fields()
    }

    /// The methods. The receiver is passed as `Value::Object`.
    fn methods(&self) -> &'static [Method] {
        &[]
    }

    /// What the `String()` or `Error()` method gives: how the value prints with `%v` and `%s`.
    fn string(&self) -> Option<Str> {
        None
    }

    /// What the `String()` method of a pointer to the value gives, when the value itself has none: how an action
    /// prints it, which can take its address. What functions get prints without it.
    fn pointer_string(&self) -> Option<Str> {
        None
    }

    /// Whether the type implements `error`.
    fn is_error(&self) -> bool {
        false
    }

    /// Whether the value is comparable with `eq` and equal to `other`; `None`: the type is not comparable in Go.
    fn equal(&self, other: &dyn Object) -> Option<bool> {
        let _ = other;
        None
    }

    /// Go's `encoding/json` form, for `toJson` and `toYaml`; `None`: an object of its fields.
    fn to_json(&self) -> Option<Result<serde_json::Value, String>> {
        None
    }

    /// For the host to get its own type back.
    fn as_any(&self) -> &dyn Any;
}
