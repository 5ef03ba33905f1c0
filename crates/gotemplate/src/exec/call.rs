//! Calls of functions, methods and builtins.

use super::builtin::Builtin;
use super::eval::Given;
use super::{Exec, Slot};
use crate::error::{Error, ErrorKind};
use crate::func::{Func, Method};
use crate::parse::ast::{At, FunctionName};
use crate::value::{Type, Value};

/// What is called.
#[derive(Clone, Copy)]
pub(super) enum Callee<'v> {
    Func(Func),
    Method(&'static Method, &'v Value),
    Builtin(Builtin),
}

impl Callee<'_> {
    fn params(&self) -> &'static [Type] {
        match self {
            Callee::Func(f) => f.params,
            Callee::Method(m, _) => m.params,
            Callee::Builtin(b) => b.params(),
        }
    }

    fn variadic(&self) -> Option<Type> {
        match self {
            Callee::Func(f) => f.variadic,
            Callee::Method(m, _) => m.variadic,
            Callee::Builtin(b) => b.variadic(),
        }
    }
}

impl Exec<'_> {
    /// A function by its name. `command` is the node that an error of the function itself names.
    pub(super) fn function(
        &mut self,
        function: &FunctionName,
        at: At,
        command: At,
        given: Given<'_>,
    ) -> Result<Slot, Error> {
        self.at = at;
        let name = &*function.name;
        let callee = match (self.funcs.get(name), function.builtin) {
            (Some(func), _) => Callee::Func(*func),
            (None, Some(builtin)) => Callee::Builtin(builtin),
            (None, None) => {
                let name = crate::strconv::quote(name.as_bytes());
                return Err(self.error(format_args!("{name} is not a defined function")));
            }
        };
        self.call(callee, name, command, given)
    }

    /// Checks and evaluates the arguments, then calls. `at` is the node that an error of the callee names.
    pub(super) fn call(
        &mut self,
        callee: Callee<'_>,
        name: &str,
        at: At,
        given: Given<'_>,
    ) -> Result<Slot, Error> {
        self.charge_steps(1)?;
        self.check_count(name, &callee, &given)?;
        let result = match callee {
            Callee::Builtin(stop @ (Builtin::And | Builtin::Or)) => {
                return self.short_circuit(stop == Builtin::Or, given);
            }
            Callee::Builtin(builtin) => {
                let slots = self.arguments(&callee, &given, |slot| slot)?;
                let name = self.callee_name(builtin, &given);
                self.builtin(builtin, slots, &name)
            }
            Callee::Func(f) => {
                let values = self.arguments(&callee, &given, |slot| slot.value)?;
                (f.call)(self, &values).map(Slot::of)
            }
            Callee::Method(m, receiver) => {
                let values = self.arguments(&callee, &given, |slot| slot.value)?;
                (m.call)(self, receiver, &values).map(Slot::of)
            }
        };
        result.map_err(|cause| {
            self.at = at;
            match cause.kind() {
                ErrorKind::Limit => cause,
                _ => self.wrap(format_args!("error calling {name}: "), cause),
            }
        })
    }

    /// The arguments, each checked against its parameter.
    fn arguments<T>(
        &mut self,
        callee: &Callee<'_>,
        given: &Given<'_>,
        keep: impl Fn(Slot) -> T,
    ) -> Result<Vec<T>, Error> {
        let (params, rest) = (callee.params(), callee.variadic());
        let type_of = |i: usize| params.get(i).copied().or(rest).unwrap_or(Type::Any);
        let mut values = Vec::with_capacity(given.count());
        for (i, arg) in given.args.iter().enumerate() {
            values.push(keep(self.argument(given.dot, type_of(i), arg)?));
        }
        if let Some(last) = &given.last {
            values.push(keep(self.validate(last.clone(), type_of(values.len()))?));
        }
        Ok(values)
    }

    /// What `call` calls the function that it is given.
    fn callee_name(&self, builtin: Builtin, given: &Given<'_>) -> String {
        if builtin != Builtin::Call {
            return String::new();
        }
        match (given.args.first(), &self.tree, &given.last) {
            (Some(arg), Some(tree), _) => tree.source.expr_text(arg),
            (_, _, Some(Slot { value: Value::String(s), .. })) => s.to_string(),
            (_, _, Some(Slot { value: Value::Nil, .. })) => "<invalid Value>".into(),
            (_, _, Some(slot)) => format!("<{} Value>", slot.value.type_name()),
            _ => String::new(),
        }
    }

    fn check_count(&self, name: &str, callee: &Callee<'_>, given: &Given<'_>) -> Result<(), Error> {
        let (count, params) = (given.count(), callee.params().len());
        let prefix = format_args!("wrong number of args for {name}: want");
        if callee.variadic().is_none() {
            if count == params {
                return Ok(());
            }
            return Err(self.error(format_args!("{prefix} {params} got {count}")));
        }
        if count >= params {
            return Ok(());
        }
        Err(self.error(format_args!("{prefix} at least {params} got {}", given.args.len())))
    }

    /// `and` and `or`: the first argument that decides, else the last one.
    fn short_circuit(&mut self, stop_at: bool, given: Given<'_>) -> Result<Slot, Error> {
        let mut value = Slot::invalid();
        for arg in given.args {
            value = self.argument(given.dot, Type::Reflect, arg)?;
            if value.value.truth() == stop_at {
                return Ok(value);
            }
        }
        Ok(given.last.unwrap_or(value))
    }
}
