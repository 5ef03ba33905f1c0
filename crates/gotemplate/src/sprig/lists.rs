//! Lists: building, cutting, searching and joining them.
//!
//! sprig has each of these twice, `first` and `mustFirst`: one panics and one returns its error, and in a
//! template both read the same.

use std::sync::Arc;

use super::conversions::{is_strings, strings, strval, to_int64, truncate};
use super::reflect::{deep_equal, is_empty};
use crate::error::Error;
use crate::exec::Exec;
use crate::func::{Call, Func, args};
use crate::value::{List, Type, Value, types};

const ONE: &[Type] = &[Type::Any];
const TWO: &[Type] = &[Type::Any, Type::Any];

/// The functions of this family.
pub(super) const FUNCS: &[Func] = &[
    Func::variadic("list", &[], Type::Any, |_, a| Ok(a.to_vec().into())),
    Func::variadic("tuple", &[], Type::Any, |_, a| Ok(a.to_vec().into())),
    Func::new("append", TWO, PUSH),
    Func::new("push", TWO, PUSH),
    Func::new("mustAppend", TWO, PUSH),
    Func::new("mustPush", TWO, PUSH),
    Func::new("prepend", TWO, PREPEND),
    Func::new("mustPrepend", TWO, PREPEND),
    Func::new("first", ONE, FIRST),
    Func::new("mustFirst", ONE, FIRST),
    Func::new("last", ONE, LAST),
    Func::new("mustLast", ONE, LAST),
    Func::new("rest", ONE, REST),
    Func::new("mustRest", ONE, REST),
    Func::new("initial", ONE, INITIAL),
    Func::new("mustInitial", ONE, INITIAL),
    Func::new("reverse", ONE, REVERSE),
    Func::new("mustReverse", ONE, REVERSE),
    Func::new("compact", ONE, COMPACT),
    Func::new("mustCompact", ONE, COMPACT),
    Func::new("uniq", ONE, uniq),
    Func::new("mustUniq", ONE, uniq),
    Func::variadic("without", ONE, Type::Any, without),
    Func::variadic("mustWithout", ONE, Type::Any, without),
    Func::new("has", TWO, has),
    Func::new("mustHas", TWO, has),
    Func::variadic("slice", ONE, Type::Any, slice),
    Func::variadic("mustSlice", ONE, Type::Any, slice),
    Func::new("chunk", &[Type::Int, Type::Any], chunk),
    Func::new("mustChunk", &[Type::Int, Type::Any], chunk),
    Func::variadic("concat", &[], Type::Any, concat),
    Func::new("sortAlpha", ONE, sort_alpha),
    Func::new("join", &[Type::String, Type::Any], join),
];

const PUSH: Call = |exec, a| {
    let mut items = elements(exec, a, 0, "Cannot push on type")?;
    items.push(args::any(a, 1));
    Ok(items.into())
};

const PREPEND: Call = |exec, a| {
    let mut items = elements(exec, a, 0, "Cannot prepend on type")?;
    items.insert(0, args::any(a, 1));
    Ok(items.into())
};

const FIRST: Call = |exec, a| match a.first() {
    Some(Value::List(l)) => Ok(l.get(0).unwrap_or_default()),
    _ => Ok(elements(exec, a, 0, "Cannot find first on type")?.first().cloned().unwrap_or_default()),
};

const LAST: Call = |exec, a| match a.first() {
    Some(Value::List(l)) => Ok(l.borrow().last().cloned().unwrap_or_default()),
    _ => Ok(elements(exec, a, 0, "Cannot find last on type")?.last().cloned().unwrap_or_default()),
};

const REST: Call = |exec, a| {
    let mut items = elements(exec, a, 0, "Cannot find rest on type")?;
    if items.is_empty() {
        return Ok(Value::List(List::nil(&types::ANY_LIST)));
    }
    items.remove(0);
    Ok(items.into())
};

const INITIAL: Call = |exec, a| {
    let mut items = elements(exec, a, 0, "Cannot find initial on type")?;
    if items.pop().is_none() {
        return Ok(Value::List(List::nil(&types::ANY_LIST)));
    }
    Ok(items.into())
};

const REVERSE: Call = |exec, a| {
    let mut items = elements(exec, a, 0, "Cannot find reverse on type")?;
    items.reverse();
    Ok(items.into())
};

const COMPACT: Call = |exec, a| {
    let mut items = elements(exec, a, 0, "Cannot compact on type")?;
    items.retain(|v| !is_empty(v));
    Ok(items.into())
};

/// What Go says of a nil where it asks for the type.
pub(super) const NIL_POINTER: &str = "runtime error: invalid memory address or nil pointer dereference";

/// The elements of the list that is argument `index`.
fn elements(exec: &mut Exec<'_>, a: &[Value], index: usize, refusal: &str) -> Result<Vec<Value>, Error> {
    let items = match a.get(index) {
        Some(Value::List(l)) => l.to_vec(),
        Some(Value::Bytes(b)) => b.iter().map(|b| Value::Uint8(*b)).collect(),
        None | Some(Value::Nil) => return Err(Error::new(NIL_POINTER)),
        Some(other) => return Err(Error::new(format!("{refusal} {}", other.kind().name()))),
    };
    exec.charge_steps(items.len() as u64)?;
    charge_large(exec, items.len())?;
    Ok(items)
}

/// Elements from which on a list counts as text would: doubling a list again and again ends at the limit of bytes,
/// while the many small lists of an ordinary template, which do not live long, cost steps only.
const LARGE: usize = 1 << 20;

fn charge_large(exec: &mut Exec<'_>, length: usize) -> Result<(), Error> {
    if length < LARGE {
        return Ok(());
    }
    exec.charge_bytes(length as u64 * size_of::<Value>() as u64)
}

fn contains(exec: &mut Exec<'_>, items: &[Value], wanted: &Value) -> Result<bool, Error> {
    for item in items {
        if deep_equal(exec, wanted, item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn uniq(exec: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    let items = elements(exec, a, 0, "Cannot find uniq on type")?;
    let mut kept = Vec::new();
    for item in items {
        if !contains(exec, &kept, &item)? {
            kept.push(item);
        }
    }
    Ok(kept.into())
}

fn without(exec: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    let items = elements(exec, a, 0, "Cannot find without on type")?;
    let omitted = a.get(1..).unwrap_or(&[]);
    let mut kept = Vec::new();
    for item in items {
        if !contains(exec, omitted, &item)? {
            kept.push(item);
        }
    }
    Ok(kept.into())
}

fn has(exec: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    if matches!(a.get(1), None | Some(Value::Nil)) {
        return Ok(Value::Bool(false));
    }
    let items = elements(exec, a, 1, "Cannot find has on type")?;
    Ok(Value::Bool(contains(exec, &items, &args::any(a, 0))?))
}

fn slice(exec: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    let items = elements(exec, a, 0, "list should be type of slice or array but")?;
    if items.is_empty() {
        return Ok(Value::Nil);
    }
    let start = a.get(1).map_or(0, to_int64);
    let end = a.get(2).map_or(items.len() as i64, to_int64);
    let bounds = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let part = bounds
        .and_then(|(start, end)| items.get(start..end))
        .ok_or_else(|| Error::new("reflect.Value.Slice: slice index out of bounds"))?;
    Ok(match a.first() {
        Some(Value::Bytes(b)) => {
            let range = start as usize..end as usize;
            Value::Bytes(Arc::from(b.get(range).unwrap_or(&[])))
        }
        Some(Value::List(l)) => Value::List(List::of(l.list_type(), part.to_vec())),
        _ => Value::Nil,
    })
}

/// Go computes the number of chunks in floating point; odd sizes (zero, negative) follow from that.
fn chunk(exec: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    const OUT_OF_RANGE: &str = "runtime error: makeslice: len out of range";
    let size = args::int(a, 0)?;
    let items = elements(exec, a, 1, "Cannot chunk type")?;
    let length = items.len() as f64;
    let count = truncate(((length - 1.0) / size as f64).floor() + 1.0);
    let count = usize::try_from(count).map_err(|_| Error::new(OUT_OF_RANGE))?;
    let mut chunks = Vec::new();
    for i in 0..count {
        let mut wanted = size;
        if i + 1 == count {
            wanted = truncate((length % size as f64).floor());
            if wanted == 0 {
                wanted = size;
            }
        }
        let wanted = usize::try_from(wanted).map_err(|_| Error::new(OUT_OF_RANGE))?;
        let from = i.saturating_mul(usize::try_from(size).unwrap_or(0));
        let part = items.get(from..from.saturating_add(wanted)).ok_or_else(|| Error::new(OUT_OF_RANGE))?;
        chunks.push(Value::from(part.to_vec()));
    }
    Ok(Value::List(List::of(&types::ANY_LIST_LIST, chunks)))
}

fn concat(exec: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    let mut all = Vec::new();
    for index in 0..a.len() {
        let items = elements(exec, a, index, "Cannot concat type").map_err(|e| match e.message() {
            m if m.starts_with("Cannot") => Error::new(format!("{m} as list")),
            _ => e,
        })?;
        charge_large(exec, all.len() + items.len())?;
        all.extend(items);
    }
    if all.is_empty() {
        return Ok(Value::List(List::nil(&types::ANY_LIST)));
    }
    Ok(all.into())
}

/// A `[]string` is sorted in place, as Go does; any other list into a new one.
fn sort_alpha(exec: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    match a.first() {
        Some(Value::List(l)) if is_strings(l) => {
            exec.charge_steps(l.len() as u64)?;
            l.borrow_mut().sort_by(|a, b| a.as_str().cmp(&b.as_str()));
            Ok(Value::List(l.clone()))
        }
        Some(list @ (Value::List(_) | Value::Bytes(_))) => {
            let mut texts = strings(exec, list)?;
            texts.sort();
            Ok(Value::List(List::strings(texts)))
        }
        other => {
            let text = strval(exec, other.unwrap_or(&Value::Nil))?;
            Ok(Value::List(List::strings([text])))
        }
    }
}

fn join(exec: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    let separator = args::string(a, 0)?;
    let texts = strings(exec, &args::any(a, 1))?;
    let size = texts.iter().map(|t| t.len() as u64).sum::<u64>()
        + (separator.len() as u64).saturating_mul(texts.len().saturating_sub(1) as u64);
    exec.charge_bytes(size)?;
    Ok(Value::from(crate::value::Str::from(texts.join(separator.as_bytes()))))
}
