//! Maps: building, reading and changing them. `set`, `unset` and the merges change the map that they get.
//!
//! Go walks a map in random order where sprig makes a list of it (`keys`, `values`); here the order is that
//! of the keys.

use super::conversions::strval;
use super::merge::{DIFFERENT_TYPES, merge_into};
use super::semver::Version;
use super::strings::split;
use crate::error::Error;
use crate::exec::Exec;
use crate::func::{Func, args};
use crate::value::{Entries, List, Map, Str, Type, Value, types};

const DICT: Type = Type::Map(&types::DICT);
const S: Type = Type::String;

/// The functions of this family.
pub(super) const FUNCS: &[Func] = &[
    Func::variadic("dict", &[], Type::Any, dict),
    Func::new("get", &[DICT, S], |_, a| {
        Ok(args::map(a, 0)?.get(args::string(a, 1)?).unwrap_or_else(|| Value::from("")))
    }),
    Func::new("set", &[DICT, S, Type::Any], set),
    Func::new("unset", &[DICT, S], |_, a| {
        let map = args::map(a, 0)?;
        map.remove(args::string(a, 1)?);
        Ok(Value::Map(map.clone()))
    }),
    Func::new("hasKey", &[DICT, S], |_, a| {
        Ok(Value::Bool(args::map(a, 0)?.contains_key(args::string(a, 1)?)))
    }),
    Func::variadic("pluck", &[S], DICT, |_, a| {
        let key = args::string(a, 0)?;
        let found = a.iter().skip(1).filter_map(|v| v.as_map()).filter_map(|m| m.get(key));
        Ok(Value::List(found.collect()))
    }),
    Func::variadic("keys", &[], DICT, |exec, a| {
        let mut keys = Vec::new();
        for map in a.iter().filter_map(Value::as_map) {
            exec.charge_steps(map.len() as u64)?;
            keys.extend(map.keys());
        }
        Ok(Value::List(List::strings(keys)))
    }),
    Func::new("values", &[DICT], |exec, a| {
        let map = args::map(a, 0)?;
        exec.charge_steps(map.len() as u64)?;
        Ok(map.borrow().values().cloned().collect::<Vec<_>>().into())
    }),
    Func::variadic("pick", &[DICT], S, |_, a| {
        let map = args::map(a, 0)?;
        let picked = a.iter().skip(1).filter_map(Value::as_str);
        let entries = picked.filter_map(|k| Some((k.clone(), map.get(k)?))).collect::<Map>();
        Ok(Value::Map(entries))
    }),
    Func::variadic("omit", &[DICT], S, |exec, a| {
        let map = args::map(a, 0)?;
        exec.charge_steps(map.len() as u64)?;
        let entries = Map::of(&types::DICT, map.borrow().clone());
        a.iter().skip(1).filter_map(Value::as_str).for_each(|k| {
            entries.remove(k);
        });
        Ok(Value::Map(entries))
    }),
    Func::variadic("merge", &[DICT], DICT, |exec, a| swallow(merge(exec, a, false))),
    Func::variadic("mustMerge", &[DICT], DICT, |exec, a| merge(exec, a, false)),
    Func::variadic("mergeOverwrite", &[DICT], DICT, |exec, a| swallow(merge(exec, a, true))),
    Func::variadic("mustMergeOverwrite", &[DICT], DICT, |exec, a| merge(exec, a, true)),
    Func::variadic("dig", &[], Type::Any, dig),
    Func::new("deepCopy", &[Type::Any], deep_copy),
    Func::new("mustDeepCopy", &[Type::Any], deep_copy),
    Func::new("split", &[S, S], |exec, a| {
        exec.charge_steps(args::string(a, 1)?.len() as u64 / 64)?;
        Ok(numbered(split(args::string(a, 1)?, args::string(a, 0)?, usize::MAX)))
    }),
    Func::new("splitn", &[S, Type::Int, S], |exec, a| {
        exec.charge_steps(args::string(a, 2)?.len() as u64 / 64)?;
        let limit = usize::try_from(args::int(a, 1)?).unwrap_or(usize::MAX);
        Ok(numbered(split(args::string(a, 2)?, args::string(a, 0)?, limit)))
    }),
    Func::new("splitList", &[S, S], |exec, a| {
        exec.charge_steps(args::string(a, 1)?.len() as u64 / 64)?;
        let parts = split(args::string(a, 1)?, args::string(a, 0)?, usize::MAX);
        Ok(Value::List(List::strings(parts)))
    }),
];

/// Deepest nesting that is copied or merged.
pub(super) const MAX_DEPTH: u32 = 1_000;

/// The error for a value that is nested too deep, which one that contains itself always is.
pub(super) fn too_deep() -> Error {
    Error::of(crate::error::ErrorKind::Limit, format!("value is nested more than {MAX_DEPTH} deep"))
}

fn dict(exec: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    let mut entries = Entries::new();
    for pair in a.chunks(2) {
        let key = match pair.first() {
            Some(Value::String(s)) => s.clone(),
            Some(other) => strval(exec, other)?,
            None => continue,
        };
        entries.insert(key, pair.get(1).cloned().unwrap_or_else(|| Value::from("")));
    }
    Ok(Value::Map(Map::of(&types::DICT, entries)))
}

fn set(_: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    let map = args::map(a, 0)?;
    if map.is_nil() {
        return Err(Error::new("assignment to entry in nil map"));
    }
    map.insert(args::string(a, 1)?.clone(), args::any(a, 2));
    Ok(Value::Map(map.clone()))
}

fn merge(exec: &mut Exec<'_>, a: &[Value], overwrite: bool) -> Result<Value, Error> {
    let mut target = args::map(a, 0)?.clone();
    for source in a.iter().skip(1).filter_map(Value::as_map) {
        if target.is_nil() && !source.is_nil() {
            target = Map::new();
        }
        merge_into(exec, &target, source, overwrite, 0)?;
    }
    Ok(Value::Map(target))
}

/// The plain merges give an empty text where the `must` ones fail; a panic and a used-up limit pass.
fn swallow(result: Result<Value, Error>) -> Result<Value, Error> {
    match result {
        Err(e) if e.message() == DIFFERENT_TYPES => Ok(Value::from("")),
        other => other,
    }
}

fn dig(_: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    let [keys @ .., default, dict] = a else {
        return Err(Error::new("dig needs at least three arguments"));
    };
    if keys.is_empty() {
        return Err(Error::new("dig needs at least three arguments"));
    }
    // Go converts the map first, then all keys, before it looks anything up.
    let mut here = as_dict(dict)?;
    for key in keys {
        if key.as_str().is_none() {
            return Err(not_convertible(key, "string"));
        }
    }
    let names: Vec<&Str> = keys.iter().filter_map(Value::as_str).collect();
    for (index, name) in names.iter().enumerate() {
        let Some(step) = here.get(name) else { return Ok(default.clone()) };
        if index + 1 == names.len() {
            return Ok(step);
        }
        here = as_dict(&step)?;
    }
    Ok(default.clone())
}

fn not_convertible(value: &Value, wanted: &str) -> Error {
    let have = match value {
        Value::Nil => "nil".into(),
        other => other.type_name(),
    };
    Error::new(format!("interface conversion: interface {{}} is {have}, not {wanted}"))
}

/// The map, when it is of the plain type: a defined one (`.Values`) is refused, as Go refuses it.
fn as_dict(value: &Value) -> Result<Map, Error> {
    match value {
        Value::Map(m) if m.map_type().name == types::DICT.name => Ok(m.clone()),
        other => Err(not_convertible(other, types::DICT.name)),
    }
}

fn deep_copy(exec: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    match a.first() {
        None | Some(Value::Nil) => Err(Error::new("reflect: call of reflect.Value.Type on zero Value")),
        Some(value) => copy(exec, value, 0, &mut 0),
    }
}

/// Values from which on a copy is charged for its memory: what shares its parts may unfold without end.
const LARGE: u64 = 1 << 20;

fn copy(exec: &mut Exec<'_>, value: &Value, depth: u32, count: &mut u64) -> Result<Value, Error> {
    exec.charge_steps(1)?;
    *count += 1;
    if *count > LARGE {
        exec.charge_bytes(64)?;
    }
    if depth > MAX_DEPTH {
        return Err(too_deep());
    }
    Ok(match value {
        Value::List(l) if !l.is_nil() => {
            let items =
                l.to_vec().iter().map(|v| copy(exec, v, depth + 1, count)).collect::<Result<_, _>>()?;
            Value::List(List::of(l.list_type(), items))
        }
        Value::Map(m) if !m.is_nil() => {
            let mut entries = Entries::new();
            for (key, value) in m.entries() {
                entries.insert(key, copy(exec, &value, depth + 1, count)?);
            }
            Value::Map(Map::of(m.map_type(), entries))
        }
        // Only exported fields are copied, and a version has none.
        other if other.downcast::<Version>().is_some() => Value::object(Version::default()),
        other => other.clone(),
    })
}

/// `_0`, `_1`, … : the parts as a map of strings.
fn numbered(parts: Vec<Str>) -> Value {
    let entries =
        parts.into_iter().enumerate().map(|(i, part)| (Str::from(format!("_{i}")), Value::String(part)));
    Value::Map(Map::of(&types::STRING_MAP, entries.collect()))
}
