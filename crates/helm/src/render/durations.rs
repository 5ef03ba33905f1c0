//! Helm's functions on durations: text such as `1h30m`, or a number of seconds.

use gotemplate::func::{Func, args};
use gotemplate::sprig::{Duration, duration};
use gotemplate::value::Type;
use gotemplate::{Error, Value};

pub(super) const FUNCS: &[Func] = &[
    Func::new("mustToDuration", &[Type::Any], |_, a| {
        read(&args::any(a, 0)).map(|d| Value::object(Duration(d))).map_err(Error::new)
    }),
    Func::new("durationSeconds", &[Type::Any], |_, a| Ok(Value::Float64(split(a, duration::SECOND)))),
    Func::new("durationMilliseconds", &[Type::Any], |_, a| Ok(Value::Int64(nanoseconds(a) / 1_000_000))),
    Func::new("durationMicroseconds", &[Type::Any], |_, a| Ok(Value::Int64(nanoseconds(a) / 1_000))),
    Func::new("durationNanoseconds", &[Type::Any], |_, a| Ok(Value::Int64(nanoseconds(a)))),
    Func::new("durationMinutes", &[Type::Any], |_, a| Ok(Value::Float64(split(a, 60 * duration::SECOND)))),
    Func::new("durationHours", &[Type::Any], |_, a| Ok(Value::Float64(hours(a)))),
    Func::new("durationDays", &[Type::Any], |_, a| Ok(Value::Float64(hours(a) / 24.0))),
    Func::new("durationWeeks", &[Type::Any], |_, a| Ok(Value::Float64(hours(a) / 24.0 / 7.0))),
    Func::new("durationRoundTo", &[Type::Any, Type::Any], |_, a| Ok(adjusted(a, duration::round))),
    Func::new("durationTruncateTo", &[Type::Any, Type::Any], |_, a| {
        Ok(adjusted(a, |d, unit| if unit <= 0 { d } else { d - d % unit }))
    }),
];

/// The duration of the first argument, 0 when it is none.
fn nanoseconds(a: &[Value]) -> i64 {
    read(&args::any(a, 0)).unwrap_or(0)
}

/// Whole units and the fraction apart, as Go adds them up.
fn split(a: &[Value], unit: i64) -> f64 {
    let d = nanoseconds(a);
    (d / unit) as f64 + (d % unit) as f64 / unit as f64
}

fn hours(a: &[Value]) -> f64 {
    split(a, 3600 * duration::SECOND)
}

fn adjusted(a: &[Value], by: impl Fn(i64, i64) -> i64) -> Value {
    let adjusted = match (read(&args::any(a, 0)), read(&args::any(a, 1))) {
        (Err(_), _) => 0,
        (Ok(d), Err(_)) => d,
        (Ok(d), Ok(unit)) => by(d, unit),
    };
    Value::object(Duration(adjusted))
}

fn read(value: &Value) -> Result<i64, String> {
    if let Some(Duration(d)) = value.downcast() {
        return Ok(*d);
    }
    let overflow = |seconds: String| format!("duration seconds overflow: {seconds}");
    match value.underlying() {
        Value::String(text) => {
            let text = text.to_text();
            let trimmed = text.trim();
            if trimmed.is_empty() {
                return Err("empty duration".into());
            }
            if let Ok(d) = duration::parse(trimmed) {
                return Ok(d);
            }
            match gotemplate::strconv::parse_float(trimmed.as_bytes()) {
                Ok(seconds) => from_float(seconds),
                Err(_) => Err(format!("could not parse duration {:?}", &*text)),
            }
        }
        Value::Nil => Err("invalid duration".into()),
        Value::Int(s) | Value::Int64(s) => {
            s.checked_mul(duration::SECOND).ok_or_else(|| overflow(s.to_string()))
        }
        Value::Uint8(s) => Ok(i64::from(s) * duration::SECOND),
        Value::Uint64(s) => i64::try_from(s)
            .ok()
            .and_then(|s| s.checked_mul(duration::SECOND))
            .ok_or_else(|| overflow(s.to_string())),
        Value::Float64(s) => from_float(s),
        other => Err(format!("unsupported duration type {}", other.type_name())),
    }
}

fn from_float(seconds: f64) -> Result<i64, String> {
    if !seconds.is_finite() {
        return Err(format!("invalid duration seconds: {seconds}"));
    }
    let nanoseconds = seconds * duration::SECOND as f64;
    if nanoseconds.abs() > i64::MAX as f64 {
        return Err(format!("duration seconds overflow: {seconds}"));
    }
    Ok(nanoseconds as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        assert_eq!(read(&Value::from(" 1h30m ")), Ok(5400 * duration::SECOND));
        assert_eq!(read(&Value::from("2.5")), Ok(2_500_000_000));
        assert_eq!(read(&Value::Int(3)), Ok(3 * duration::SECOND));
        assert_eq!(read(&Value::from("x")), Err("could not parse duration \"x\"".into()));
        assert_eq!(read(&Value::Nil), Err("invalid duration".into()));
    }
}
