//! Dates and durations.

use super::duration;
use super::time_methods::time;
use super::times::{Time, Zone};
use crate::error::Error;
use crate::exec::Exec;
use crate::func::{Call, Func, args};
use crate::strconv::{self, NumberError};
use crate::value::{Str, Type, Value};

const S: Type = Type::String;
const ANY: Type = Type::Any;
const TIME: Type = Type::Object("time.Time");

/// The functions of this family.
pub(super) const FUNCS: &[Func] = &[
    Func::new("now", &[], |_, _| Ok(Value::object(Time::now()))),
    Func::new("date", &[S, ANY], |_, a| format_in(args::string(a, 0)?, &args::any(a, 1), "Local")),
    Func::new("dateInZone", &[S, ANY, S], DATE_IN_ZONE),
    Func::new("date_in_zone", &[S, ANY, S], DATE_IN_ZONE),
    Func::new("htmlDate", &[ANY], |_, a| format_in(&Str::from(DAY), &args::any(a, 0), "Local")),
    Func::new("htmlDateInZone", &[ANY, S], |_, a| {
        format_in(&Str::from(DAY), &args::any(a, 0), &args::string(a, 1)?.to_text())
    }),
    Func::new("dateModify", &[S, TIME], DATE_MODIFY),
    Func::new("date_modify", &[S, TIME], DATE_MODIFY),
    Func::new("mustDateModify", &[S, TIME], must_date_modify),
    Func::new("must_date_modify", &[S, TIME], must_date_modify),
    Func::new("toDate", &[S, S], |_, a| Ok(Value::object(read(a)?.unwrap_or_else(|_| Time::zero())))),
    Func::new("mustToDate", &[S, S], |_, a| Ok(Value::object(read(a)?.map_err(Error::new)?))),
    Func::new("unixEpoch", &[TIME], |_, a| Ok(Value::from(time(&args::any(a, 0))?.unix.to_string()))),
    Func::new("ago", &[ANY], |_, a| {
        let since = Time::now().since(&moment(&args::any(a, 0)));
        Ok(Value::from(duration::format(duration::round(since, duration::SECOND))))
    }),
    Func::new("duration", &[ANY], |_, a| {
        let seconds = match a.first() {
            Some(Value::Int64(n)) => *n,
            Some(Value::String(s)) => match strconv::parse_int(s.as_bytes(), 10) {
                Ok(n) => n,
                Err(NumberError::Syntax) => 0,
                Err(NumberError::Range) if s.as_bytes().starts_with(b"-") => i64::MIN,
                Err(NumberError::Range) => i64::MAX,
            },
            _ => 0,
        };
        Ok(Value::from(duration::format(seconds.wrapping_mul(duration::SECOND))))
    }),
    Func::new("durationRound", &[ANY], |_, a| {
        let nanoseconds = match a.first() {
            Some(Value::Int64(n)) => *n,
            Some(Value::String(s)) => duration::parse(&s.to_text()).unwrap_or(0),
            Some(other) => other.downcast::<Time>().map_or(0, |t| Time::now().since(t)),
            None => 0,
        };
        Ok(Value::from(duration::largest_unit(nanoseconds)))
    }),
];

/// The layout of an HTML date field.
const DAY: &str = "2006-01-02";

const DATE_IN_ZONE: Call =
    |_, a| format_in(args::string(a, 0)?, &args::any(a, 1), &args::string(a, 2)?.to_text());

const DATE_MODIFY: Call = |exec, a| match must_date_modify(exec, a) {
    Err(_) => Ok(args::any(a, 1)),
    modified => modified,
};

fn must_date_modify(_: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    let by = duration::parse(&args::string(a, 0)?.to_text()).map_err(Error::new)?;
    Ok(Value::object(time(&args::any(a, 1))?.add(by)))
}

fn read(a: &[Value]) -> Result<Result<Time, String>, Error> {
    Ok(Time::parse(&args::string(a, 0)?.to_text(), &args::string(a, 1)?.to_text()))
}

/// A time, or integers as seconds since 1970; now for anything else.
fn moment(value: &Value) -> Time {
    match value {
        Value::Int(n) | Value::Int64(n) => Time::from_unix(*n),
        other => other.downcast::<Time>().cloned().unwrap_or_else(Time::now),
    }
}

fn format_in(layout: &Str, value: &Value, zone: &str) -> Result<Value, Error> {
    let zone = Zone::load(zone).unwrap_or(Zone::Utc);
    Ok(Value::from(moment(value).in_zone(zone).format(&layout.to_text())))
}
