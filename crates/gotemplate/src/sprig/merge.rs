//! Merging maps with the rules of mergo 1.0.1, seen and unseen ones alike.
//!
//! Without `overwrite` the target wins unless its value is empty (zero, `""`, `false`, nil, no elements).
//! With it the source wins, empty values and nil included. Maps on both sides merge in place; a list is
//! taken or left whole. A nil in the source counts only with `overwrite`. What is taken from the source
//! is shared with it, not copied.

use super::dicts::{MAX_DEPTH, too_deep};
use crate::error::Error;
use crate::exec::Exec;
use crate::value::{Kind, Map, Type, Value};

/// mergo's error for a map or struct that meets a pointer.
pub(super) const DIFFERENT_TYPES: &str = "src and dst must be of same type";

/// Merges `source` into `target`, which changes.
///
/// # Errors
/// Nesting deeper than [`MAX_DEPTH`], or a value that the target's type cannot hold.
pub(super) fn merge_into(
    exec: &mut Exec<'_>,
    target: &Map,
    source: &Map,
    overwrite: bool,
    depth: u32,
) -> Result<(), Error> {
    if depth > MAX_DEPTH {
        return Err(too_deep());
    }
    let entries = source.entries();
    exec.charge_steps(entries.len() as u64)?;
    for (key, new) in entries {
        if matches!(new, Value::Nil) {
            if overwrite {
                put(target, source, &key, new)?;
            }
            continue;
        }
        let old = target.get(&key);
        let is_pointer = |v: &Value| v.kind() == Kind::Ptr;
        if !overwrite
            && matches!(new.kind(), Kind::Map | Kind::Struct)
            && old.as_ref().is_some_and(is_pointer)
        {
            return Err(Error::new(DIFFERENT_TYPES));
        }
        if let (Value::Map(new), Some(Value::Map(old))) = (&new, &old)
            && !old.is_nil()
        {
            merge_into(exec, old, new, overwrite, depth + 1)?;
        }
        // Asked only now: an empty map that has just been filled stays what it is.
        let old_is_empty = old.as_ref().is_none_or(is_empty);
        if !old_is_empty && matches!((&new, &old), (Value::Map(_), Some(Value::Map(_)))) {
            continue;
        }
        if overwrite || old_is_empty {
            put(target, source, &key, new)?;
        }
    }
    Ok(())
}

/// Sets an entry. Go goes by the static type of the source's elements: what a plain map holds fits no other map.
fn put(target: &Map, source: &Map, key: &crate::value::Str, value: Value) -> Result<(), Error> {
    let (to, from) = (target.map_type().elem, source.map_type().elem);
    let fits = matches!(to, Type::Any) || !matches!(from, Type::Any) && to.accepts(&value);
    if !fits {
        // A list is set by its own type, anything else as what the source's elements are declared.
        let from = match &value {
            Value::List(l) => l.list_type().name,
            _ => from.name(),
        };
        return Err(Error::new(format!(
            "reflect.Value.SetMapIndex: value of type {from} is not assignable to type {to}"
        )));
    }
    target.insert(key.clone(), value);
    Ok(())
}

/// mergo's notion: like sprig's `empty`, but functions and structs never are.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(_) | Value::Func(_) | Value::Complex(..) => false,
        other => !other.truth(),
    }
}
