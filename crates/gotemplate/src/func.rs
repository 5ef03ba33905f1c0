//! Functions and methods: static tables with Go's signatures, so that the executor checks arguments as Go does.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::error::Error;
use crate::exec::Exec;
use crate::value::{List, Map, Str, Type, Value};

/// What a function does. Arguments have been checked against its signature; a variadic function sees all of them in
/// one slice. State (`include`, `.Files`, a cluster) is reached through the executor: [`Exec::host`].
///
/// An error stops the execution: `error calling NAME: <error>`.
pub type Call = fn(&mut Exec<'_>, &[Value]) -> Result<Value, Error>;

/// A template function and its Go signature.
///
/// ```ignore
/// const TABLE: &[Func] = &[
///     Func::new("trunc", &[Type::Int, Type::String], |_, args| …),
///     Func::variadic("list", &[], Type::Any, |_, args| Ok(args.to_vec().into())),
/// ];
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Func {
    /// Name in templates.
    pub name: &'static str,
    /// Types of the fixed parameters.
    pub params: &'static [Type],
    /// Type of each further argument, for a variadic function.
    pub variadic: Option<Type>,
    /// The body.
    pub call: Call,
}

impl Func {
    /// A function with exactly these parameters.
    pub const fn new(name: &'static str, params: &'static [Type], call: Call) -> Self {
        Func { name, params, variadic: None, call }
    }

    /// A function with these parameters and any number of arguments of type `rest`.
    pub const fn variadic(name: &'static str, params: &'static [Type], rest: Type, call: Call) -> Self {
        Func { name, params, variadic: Some(rest), call }
    }

    /// The type as `%T` prints it, without results.
    pub fn type_name(&self) -> String {
        let mut params: Vec<String> = self.params.iter().map(|t| t.name().to_owned()).collect();
        params.extend(self.variadic.map(|t| format!("...{t}")));
        format!("func({})", params.join(", "))
    }
}

/// What a method does: executor, receiver, arguments.
pub type MethodCall = fn(&mut Exec<'_>, &Value, &[Value]) -> Result<Value, Error>;

/// A method of a map type, a list type or a host object.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    /// Name in templates.
    pub name: &'static str,
    /// Types of the fixed parameters, without the receiver.
    pub params: &'static [Type],
    /// Type of each further argument, for a variadic method.
    pub variadic: Option<Type>,
    /// The body.
    pub call: MethodCall,
}

impl Method {
    /// A method with exactly these parameters.
    pub const fn new(name: &'static str, params: &'static [Type], call: MethodCall) -> Self {
        Method { name, params, variadic: None, call }
    }

    /// A method with these parameters and any number of arguments of type `rest`.
    pub const fn variadic(name: &'static str, params: &'static [Type], rest: Type, call: MethodCall) -> Self {
        Method { name, params, variadic: Some(rest), call }
    }
}

/// The functions that a template may call, by name. The builtins of `text/template` are always there.
///
/// A later entry of the same name replaces an earlier one.
#[derive(Clone, Debug, Default)]
pub struct Funcs {
    by_name: HashMap<&'static str, Func, BuildHasherDefault<NameHasher>>,
}

/// FNV-1a: names of functions are short and come from our own tables, so nobody can choose them to collide.
#[derive(Clone, Copy, Debug)]
struct NameHasher(u64);

impl Default for NameHasher {
    fn default() -> Self {
        NameHasher(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        for b in bytes {
            self.0 = (self.0 ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Funcs {
    /// No functions but the builtins.
    pub fn new() -> Self {
        Funcs::default()
    }

    /// Adds all functions of a table.
    #[must_use]
    pub fn with(mut self, table: &[Func]) -> Self {
        self.by_name.extend(table.iter().map(|f| (f.name, *f)));
        self
    }

    /// Takes functions away (Helm has no `env`).
    #[must_use]
    pub fn without(mut self, names: &[&str]) -> Self {
        self.by_name.retain(|name, _| !names.contains(name));
        self
    }

    /// The function of this name; no builtins.
    pub fn get(&self, name: &str) -> Option<&Func> {
        self.by_name.get(name)
    }

    /// All names, sorted; no builtins.
    pub fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.by_name.keys().copied().collect();
        names.sort_unstable();
        names
    }
}

/// Typed access to arguments that the executor has checked. On an argument of another type or a missing one
/// (impossible once the signature says so) they give the error that Go's reflection would.
pub mod args {
    use super::{Error, List, Map, Str, Type, Value};

    fn wrong(want: Type, args: &[Value], index: usize) -> Error {
        let have = args.get(index).map_or("nothing".into(), Value::type_name);
        Error::new(format!("wrong type for value; expected {want}; got {have}"))
    }

    /// Argument `index`, of any type; nil when absent.
    pub fn any(args: &[Value], index: usize) -> Value {
        args.get(index).cloned().unwrap_or_default()
    }

    /// Argument `index` as a `string`.
    ///
    /// # Errors
    /// It is no string.
    pub fn string(args: &[Value], index: usize) -> Result<&Str, Error> {
        match args.get(index) {
            Some(Value::String(s)) => Ok(s),
            _ => Err(wrong(Type::String, args, index)),
        }
    }

    /// Argument `index` as an `int` or `int64`.
    ///
    /// # Errors
    /// It is neither.
    pub fn int(args: &[Value], index: usize) -> Result<i64, Error> {
        match args.get(index) {
            Some(Value::Int(i) | Value::Int64(i)) => Ok(*i),
            _ => Err(wrong(Type::Int, args, index)),
        }
    }

    /// Argument `index` as a `float64`.
    ///
    /// # Errors
    /// It is none.
    pub fn float(args: &[Value], index: usize) -> Result<f64, Error> {
        match args.get(index) {
            Some(Value::Float64(f)) => Ok(*f),
            _ => Err(wrong(Type::Float64, args, index)),
        }
    }

    /// Argument `index` as a `bool`.
    ///
    /// # Errors
    /// It is none.
    pub fn bool(args: &[Value], index: usize) -> Result<bool, Error> {
        match args.get(index) {
            Some(Value::Bool(b)) => Ok(*b),
            _ => Err(wrong(Type::Bool, args, index)),
        }
    }

    /// Argument `index` as a map.
    ///
    /// # Errors
    /// It is none.
    pub fn map(args: &[Value], index: usize) -> Result<&Map, Error> {
        match args.get(index) {
            Some(Value::Map(m)) => Ok(m),
            _ => Err(wrong(Type::Map(&crate::value::types::DICT), args, index)),
        }
    }

    /// Argument `index` as a list.
    ///
    /// # Errors
    /// It is none.
    pub fn list(args: &[Value], index: usize) -> Result<&List, Error> {
        match args.get(index) {
            Some(Value::List(l)) => Ok(l),
            _ => Err(wrong(Type::List(&crate::value::types::ANY_LIST), args, index)),
        }
    }
}
