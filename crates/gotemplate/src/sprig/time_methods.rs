//! The methods that templates can call on a time or a duration.

use super::duration;
use super::times::{CalendarName, Duration, Time, Zone};
use crate::error::Error;
use crate::func::{Method, args};
use crate::value::{Type, Value};

const S: Type = Type::String;
const I: Type = Type::Int;
const TIME_ARG: &[Type] = &[Type::Object("time.Time")];
const DURATION_ARG: &[Type] = &[Type::Object("time.Duration")];

/// Methods of `time.Time`.
pub(super) const TIME: &[Method] = &[
    Method::new("Format", &[S], |_, t, a| Ok(Value::from(time(t)?.format(&args::string(a, 0)?.to_text())))),
    Method::new("String", &[], |_, t, _| {
        Ok(Value::from(time(t)?.format("2006-01-02 15:04:05.999999999 -0700 MST")))
    }),
    Method::new("Unix", &[], |_, t, _| Ok(Value::Int64(time(t)?.unix))),
    Method::new("UnixMilli", &[], |_, t, _| scaled(t, 1_000)),
    Method::new("UnixMicro", &[], |_, t, _| scaled(t, 1_000_000)),
    Method::new("UnixNano", &[], |_, t, _| scaled(t, duration::SECOND)),
    Method::new("Year", &[], |_, t, _| Ok(Value::Int(time(t)?.civil().year))),
    Method::new("Month", &[], |_, t, _| Ok(Value::object(CalendarName::Month(time(t)?.civil().month)))),
    Method::new("Day", &[], |_, t, _| Ok(Value::Int(time(t)?.civil().day))),
    Method::new("Hour", &[], |_, t, _| Ok(Value::Int(time(t)?.civil().hour))),
    Method::new("Minute", &[], |_, t, _| Ok(Value::Int(time(t)?.civil().minute))),
    Method::new("Second", &[], |_, t, _| Ok(Value::Int(time(t)?.civil().second))),
    Method::new("Nanosecond", &[], |_, t, _| Ok(Value::Int(time(t)?.nanosecond))),
    Method::new("YearDay", &[], |_, t, _| Ok(Value::Int(time(t)?.civil().year_day))),
    Method::new("Weekday", &[], |_, t, _| {
        Ok(Value::object(CalendarName::Weekday(time(t)?.civil().week_day)))
    }),
    Method::new("UTC", &[], |_, t, _| Ok(Value::object(time(t)?.in_zone(Zone::Utc)))),
    Method::new("Local", &[], |_, t, _| Ok(Value::object(time(t)?.in_zone(Zone::Utc)))),
    Method::new("IsZero", &[], |_, t, _| Ok(Value::Bool(time(t)?.since(&Time::zero()) == 0))),
    Method::new("Add", DURATION_ARG, |_, t, a| Ok(Value::object(time(t)?.add(nanoseconds(a.first())?)))),
    Method::new("AddDate", &[I, I, I], |_, t, a| {
        Ok(Value::object(time(t)?.add_date(args::int(a, 0)?, args::int(a, 1)?, args::int(a, 2)?)))
    }),
    Method::new("Sub", TIME_ARG, |_, t, a| Ok(Value::object(Duration(compared(t, a)?)))),
    Method::new("Before", TIME_ARG, |_, t, a| Ok(Value::Bool(compared(t, a)? < 0))),
    Method::new("After", TIME_ARG, |_, t, a| Ok(Value::Bool(compared(t, a)? > 0))),
    Method::new("Equal", TIME_ARG, |_, t, a| Ok(Value::Bool(compared(t, a)? == 0))),
    Method::new("Compare", TIME_ARG, |_, t, a| Ok(Value::Int(compared(t, a)?.signum()))),
];

/// Methods of `time.Duration`.
pub(super) const DURATION: &[Method] = &[
    Method::new("String", &[], |_, d, _| Ok(Value::from(duration::format(nanoseconds(Some(d))?)))),
    Method::new("Nanoseconds", &[], |_, d, _| Ok(Value::Int64(nanoseconds(Some(d))?))),
    Method::new("Microseconds", &[], |_, d, _| Ok(Value::Int64(nanoseconds(Some(d))? / 1_000))),
    Method::new("Milliseconds", &[], |_, d, _| Ok(Value::Int64(nanoseconds(Some(d))? / 1_000_000))),
    Method::new("Seconds", &[], |_, d, _| fraction(d, duration::SECOND)),
    Method::new("Minutes", &[], |_, d, _| fraction(d, 60 * duration::SECOND)),
    Method::new("Hours", &[], |_, d, _| fraction(d, 3_600 * duration::SECOND)),
    Method::new("Abs", &[], |_, d, _| Ok(Value::object(Duration(nanoseconds(Some(d))?.saturating_abs())))),
    Method::new("Round", DURATION_ARG, |_, d, a| {
        Ok(Value::object(Duration(duration::round(nanoseconds(Some(d))?, nanoseconds(a.first())?))))
    }),
    Method::new("Truncate", DURATION_ARG, |_, d, a| {
        let (d, unit) = (nanoseconds(Some(d))?, nanoseconds(a.first())?);
        Ok(Value::object(Duration(if unit <= 0 { d } else { d - d % unit })))
    }),
];

/// The time in a value.
pub(super) fn time(value: &Value) -> Result<&Time, Error> {
    value.downcast::<Time>().ok_or_else(|| Error::new(super::lists::NIL_POINTER))
}

fn nanoseconds(value: Option<&Value>) -> Result<i64, Error> {
    let duration = value.and_then(|v| v.downcast::<Duration>());
    duration.map(|d| d.0).ok_or_else(|| Error::new(super::lists::NIL_POINTER))
}

fn compared(value: &Value, a: &[Value]) -> Result<i64, Error> {
    let other = a.first().ok_or_else(|| Error::new(super::lists::NIL_POINTER))?;
    Ok(time(value)?.since(time(other)?))
}

fn scaled(value: &Value, per_second: i64) -> Result<Value, Error> {
    let t = time(value)?;
    let rest = t.nanosecond / (duration::SECOND / per_second);
    Ok(Value::Int64(t.unix.wrapping_mul(per_second).wrapping_add(rest)))
}

/// Whole units and the rest apart, as Go adds them.
fn fraction(value: &Value, unit: i64) -> Result<Value, Error> {
    let d = nanoseconds(Some(value))?;
    Ok(Value::Float64((d / unit) as f64 + (d % unit) as f64 / unit as f64))
}
