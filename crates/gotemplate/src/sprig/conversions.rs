//! Turning any value into a number or a text with the rules of spf13/cast 1.7 and Go's `strconv`,
//! and the functions that are little more than that.

use crate::error::Error;
use crate::exec::Exec;
use crate::func::{Func, args};
use crate::strconv::{self, NumberError};
use crate::value::{List, Str, Type, Value, types};

/// The functions of this family.
pub(super) const FUNCS: &[Func] = &[
    Func::new("atoi", &[Type::String], |_, a| Ok(Value::Int(atoi(args::string(a, 0)?)))),
    Func::new("int", &[Type::Any], |_, a| Ok(Value::Int(to_int64(&args::any(a, 0))))),
    Func::new("int64", &[Type::Any], |_, a| Ok(Value::Int64(to_int64(&args::any(a, 0))))),
    Func::new("float64", &[Type::Any], |_, a| Ok(Value::Float64(to_float64(&args::any(a, 0))))),
    Func::new("toDecimal", &[Type::Any], |exec, a| {
        let text = exec.sprint(&[args::any(a, 0)])?;
        Ok(Value::Int64(strconv::parse_int(text.as_bytes(), 8).unwrap_or(0)))
    }),
    Func::new("toString", &[Type::Any], |exec, a| match a.first() {
        Some(Value::String(s)) => Ok(Value::String(s.clone())),
        other => Ok(Value::String(strval(exec, other.unwrap_or(&Value::Nil))?)),
    }),
    Func::new("toStrings", &[Type::Any], |exec, a| match a.first() {
        Some(Value::List(l)) if is_strings(l) => Ok(Value::List(l.clone())),
        other => {
            let items = strings(exec, other.unwrap_or(&Value::Nil))?;
            Ok(Value::List(List::strings(items)))
        }
    }),
];

/// Whether the list is a `[]string`.
pub(super) fn is_strings(list: &List) -> bool {
    list.list_type().name == types::STRING_LIST.name
}

/// Go's conversion of a float to an integer on a 64-bit machine: out of range gives the least number.
pub(super) fn truncate(f: f64) -> i64 {
    if f.is_nan() || !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&f) {
        i64::MIN
    } else {
        f as i64
    }
}

/// `cast.ToInt64`: 0 for what is no number.
pub fn to_int64(value: &Value) -> i64 {
    match value {
        Value::Int(i) | Value::Int64(i) => *i,
        Value::Uint8(u) => i64::from(*u),
        Value::Uint64(u) => *u as i64,
        Value::Float64(f) => truncate(*f),
        Value::Bool(b) => i64::from(*b),
        Value::String(s) => strconv::parse_int(trim_zero_decimal(s.as_bytes()), 0).unwrap_or(0),
        Value::Object(o) if matches!(o.type_name().as_ref(), "time.Month" | "time.Weekday") => {
            o.underlying().map_or(0, |v| to_int64(&v))
        }
        _ => 0,
    }
}

/// `cast.ToFloat64`: 0 for what is no number.
pub fn to_float64(value: &Value) -> f64 {
    match value {
        Value::Float64(f) => *f,
        Value::Uint64(u) => *u as f64,
        Value::String(s) => strconv::parse_float(s.as_bytes()).unwrap_or(0.0),
        other => to_int64(other) as f64,
    }
}

/// Drops a fraction of zeros: `1.00` → `1`, `1.` stays.
fn trim_zero_decimal(text: &[u8]) -> &[u8] {
    let Some(dot) = text.iter().rposition(|b| *b != b'0') else { return text };
    if text.get(dot) == Some(&b'.') && dot + 1 < text.len() { text.get(..dot).unwrap_or(text) } else { text }
}

/// `strconv.Atoi` with the error dropped: 0 for what is no number, the nearest one for what is too large.
fn atoi(text: &Str) -> i64 {
    match strconv::parse_int(text.as_bytes(), 10) {
        Ok(n) => n,
        Err(NumberError::Syntax) => 0,
        Err(NumberError::Range) if text.as_bytes().starts_with(b"-") => i64::MIN,
        Err(NumberError::Range) => i64::MAX,
    }
}

/// The text of a value: strings and bytes as they are, anything else as `%v` prints it.
pub(super) fn strval(exec: &mut Exec<'_>, value: &Value) -> Result<Str, Error> {
    match value {
        Value::String(s) => Ok(s.clone()),
        Value::Bytes(b) => Ok(Str::from_bytes(b)),
        other => exec.sprint(std::slice::from_ref(other)),
    }
}

/// The texts of the elements of a list, nil elements left out; a single text for any other value.
pub(super) fn strings(exec: &mut Exec<'_>, value: &Value) -> Result<Vec<Str>, Error> {
    let items = match value {
        Value::Nil => return Ok(Vec::new()),
        Value::List(l) => l.to_vec(),
        Value::Bytes(b) => b.iter().map(|b| Value::Uint8(*b)).collect(),
        other => return Ok(vec![strval(exec, other)?]),
    };
    exec.charge_steps(items.len() as u64)?;
    items.iter().filter(|v| !matches!(v, Value::Nil)).map(|v| strval(exec, v)).collect()
}
