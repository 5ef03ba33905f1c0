//! Types, emptiness and equality of values, as Go's `reflect` and sprig's `empty` define them.

use crate::error::Error;
use crate::exec::Exec;
use crate::func::{Func, args};
use crate::value::{Type, Value};

/// The functions of this family.
pub(super) const FUNCS: &[Func] = &[
    Func::new("typeOf", &[Type::Any], |_, a| Ok(Value::from(args::any(a, 0).type_name().into_owned()))),
    Func::new("typeIs", &[Type::String, Type::Any], |_, a| {
        Ok(Value::Bool(args::string(a, 0)? == args::any(a, 1).type_name().as_ref()))
    }),
    Func::new("typeIsLike", &[Type::String, Type::Any], |_, a| {
        let (target, value) = (args::string(a, 0)?, args::any(a, 1));
        let name = value.type_name();
        Ok(Value::Bool(target == name.as_ref() || name.strip_prefix('*').is_some_and(|n| target == n)))
    }),
    Func::new("kindOf", &[Type::Any], |_, a| Ok(Value::from(args::any(a, 0).kind().name()))),
    Func::new("kindIs", &[Type::String, Type::Any], |_, a| {
        Ok(Value::Bool(args::string(a, 0)? == args::any(a, 1).kind().name()))
    }),
    Func::new("deepEqual", &[Type::Any, Type::Any], |exec, a| {
        Ok(Value::Bool(deep_equal(exec, &args::any(a, 0), &args::any(a, 1))?))
    }),
    Func::variadic("default", &[Type::Any], Type::Any, |_, a| {
        Ok(match a.get(1) {
            Some(given) if !is_empty(given) => given.clone(),
            _ => args::any(a, 0),
        })
    }),
    Func::new("empty", &[Type::Any], |_, a| Ok(Value::Bool(is_empty(&args::any(a, 0))))),
    Func::variadic("coalesce", &[], Type::Any, |_, a| {
        Ok(a.iter().find(|v| !is_empty(v)).cloned().unwrap_or_default())
    }),
    Func::variadic("all", &[], Type::Any, |_, a| Ok(Value::Bool(!a.iter().any(is_empty)))),
    Func::variadic("any", &[], Type::Any, |_, a| Ok(Value::Bool(!a.iter().all(is_empty)))),
    Func::new("ternary", &[Type::Any, Type::Any, Type::Bool], |_, a| {
        Ok(args::any(a, usize::from(!args::bool(a, 2)?)))
    }),
    Func::new("fail", &[Type::String], |_, a| Err(Error::new(args::string(a, 0)?.to_text()))),
    Func::new("hello", &[], |_, _| Ok(Value::from("Hello!"))),
];

/// Whether the value is the zero value of its type, or has no elements; structs never are.
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(o) => o.underlying().is_some_and(|v| is_empty(&v)),
        Value::Func(_) => false,
        other => !other.truth(),
    }
}

/// `reflect.DeepEqual`: the same types all the way down, and equal contents.
///
/// # Errors
/// The steps of the execution are used up.
pub fn deep_equal(exec: &mut Exec<'_>, a: &Value, b: &Value) -> Result<bool, Error> {
    let mut pairs = vec![(a.clone(), b.clone())];
    while let Some((a, b)) = pairs.pop() {
        exec.charge_steps(1)?;
        let same = match (&a, &b) {
            (Value::List(x), Value::List(y)) => {
                let comparable = x.list_type().name == y.list_type().name && x.is_nil() == y.is_nil();
                if !comparable || x.len() != y.len() {
                    return Ok(false);
                }
                if !x.ptr_eq(y) {
                    pairs.extend(x.to_vec().into_iter().zip(y.to_vec()));
                }
                true
            }
            (Value::Map(x), Value::Map(y)) => {
                let comparable = x.map_type().name == y.map_type().name && x.is_nil() == y.is_nil();
                if !comparable || x.len() != y.len() {
                    return Ok(false);
                }
                if !x.ptr_eq(y) {
                    for ((k, v), (l, w)) in x.entries().into_iter().zip(y.entries()) {
                        if k != l {
                            return Ok(false);
                        }
                        pairs.push((v, w));
                    }
                }
                true
            }
            (x, y) => scalar_equal(x, y),
        };
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

fn scalar_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(x), Value::Bool(y)) => x == y,
        (Value::Int(x), Value::Int(y)) | (Value::Int64(x), Value::Int64(y)) => x == y,
        (Value::Uint8(x), Value::Uint8(y)) => x == y,
        (Value::Uint64(x), Value::Uint64(y)) => x == y,
        (Value::Float64(x), Value::Float64(y)) => x == y,
        (Value::Complex(x, i), Value::Complex(y, j)) => x == y && i == j,
        (Value::String(x), Value::String(y)) => x == y,
        (Value::Bytes(x), Value::Bytes(y)) => x == y,
        (Value::Object(x), Value::Object(y)) => {
            std::rc::Rc::ptr_eq(x, y)
                || x.type_name() == y.type_name() && x.equal(y.as_ref()).unwrap_or(false)
        }
        _ => false,
    }
}
