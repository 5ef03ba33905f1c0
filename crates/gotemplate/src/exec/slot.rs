//! A value together with how it was come by.

use std::borrow::Cow;

use crate::value::{Type, Value};

/// What Go's executor holds as a `reflect.Value`.
///
/// A value read from a map or list of `interface {}` still has the static type `interface {}`, and its nil is a nil of
/// that type; both show in errors and in what a nil may be passed for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slot {
    pub(crate) value: Value,
    /// The static type is `interface {}`.
    pub(crate) boxed: bool,
}

impl Slot {
    /// A value of its own type.
    pub(crate) fn of(value: Value) -> Self {
        Slot { value, boxed: false }
    }

    /// A value read from where the static type is `ty`.
    pub(crate) fn element(value: Value, ty: Type) -> Self {
        Slot { value, boxed: matches!(ty, Type::Any) }
    }

    /// No value at all: the zero `reflect.Value`.
    pub(crate) fn invalid() -> Self {
        Slot::default()
    }

    pub(crate) fn is_invalid(&self) -> bool {
        !self.boxed && matches!(self.value, Value::Nil)
    }

    /// A nil of type `interface {}`.
    pub(crate) fn is_nil_interface(&self) -> bool {
        self.boxed && matches!(self.value, Value::Nil)
    }

    /// Forgets that the value came out of an `interface {}`.
    #[must_use]
    pub(crate) fn unboxed(mut self) -> Self {
        self.boxed = false;
        self
    }

    /// The static type.
    pub(crate) fn type_name(&self) -> Cow<'static, str> {
        if self.boxed { Cow::Borrowed("interface {}") } else { self.value.type_name() }
    }
}
