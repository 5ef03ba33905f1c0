//! `time.Time`, `time.Duration`, `time.Month` and `time.Weekday` as values with methods.
//!
//! Zones come from a database that is part of the program. The local zone is UTC: a render must not depend
//! on the machine that it runs on.

use std::any::Any;
use std::borrow::Cow;
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::layout::{Civil, LONG_DAYS, LONG_MONTHS, format};
use super::layout_parse::{Parsed, is_leap, parse};
use super::{duration, time_methods};
use crate::func::Method;
use crate::value::{Object, Str, Value};

/// Seconds of a day.
const DAY: i64 = 86_400;

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// Where a clock hangs.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Zone {
    /// UTC, and the local zone.
    Utc,
    /// A zone of the database.
    Named(TimeZone),
    /// An offset in seconds east of UTC, and an abbreviation, which may be empty.
    Fixed(i64, String),
}

impl Zone {
    /// The zone of an IANA name; `UTC`, `Local` and the empty name are UTC.
    pub(super) fn load(name: &str) -> Option<Zone> {
        if matches!(name, "" | "UTC" | "Local") {
            return Some(Zone::Utc);
        }
        // The database ignores case, a directory of zone files does not.
        ZONES.get(name).ok().filter(|z| z.iana_name() == Some(name)).map(Zone::Named)
    }

    /// Offset and abbreviation at a moment.
    fn at(&self, unix: i64) -> (i64, String) {
        match self {
            Zone::Utc => (0, "UTC".to_owned()),
            Zone::Fixed(offset, name) => (*offset, name.clone()),
            Zone::Named(zone) => {
                let limits = (jiff::Timestamp::MIN.as_second(), jiff::Timestamp::MAX.as_second());
                let moment = jiff::Timestamp::from_second(unix.clamp(limits.0, limits.1)).unwrap_or_default();
                let info = zone.to_offset_info(moment);
                (i64::from(info.offset().seconds()), info.abbreviation().to_owned())
            }
        }
    }
}

/// Go's `time.Time`, without the monotonic clock.
#[derive(Clone, Debug)]
pub(super) struct Time {
    /// Seconds since 1970.
    pub unix: i64,
    /// 0–999,999,999.
    pub nanosecond: i64,
    pub zone: Zone,
}

impl Time {
    /// The clock of the machine.
    pub(super) fn now() -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Time {
            unix: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            nanosecond: i64::from(since.subsec_nanos()),
            zone: Zone::Utc,
        }
    }

    /// Seconds since 1970.
    pub(super) fn from_unix(unix: i64) -> Time {
        Time { unix, nanosecond: 0, zone: Zone::Utc }
    }

    /// Go's zero time: January 1 of year 1.
    pub(super) fn zero() -> Time {
        Time::from_unix(days_from_civil(1, 1, 1) * DAY)
    }

    /// Reads a text by a layout.
    pub(super) fn parse(layout: &str, text: &str) -> Result<Time, String> {
        let p: Parsed = parse(layout, text)?;
        let days = days_from_civil(p.year, p.month, p.day);
        let seconds = days * DAY + p.hour * 3_600 + p.minute * 60 + p.second;
        let (offset, zone) = match (p.utc, p.offset) {
            (true, _) => (0, Zone::Utc),
            (false, Some(0)) if matches!(p.zone.as_str(), "" | "UTC") => (0, Zone::Utc),
            (false, Some(offset)) => (offset, Zone::Fixed(offset, p.zone)),
            (false, None) if p.zone.is_empty() => (0, Zone::Utc),
            // An abbreviation alone says nothing of the offset, except GMT+3.
            (false, None) => match p.zone.strip_prefix("GMT").and_then(|hours| hours.parse::<i64>().ok()) {
                Some(hours) => (0, Zone::Fixed(hours * 3_600, p.zone)),
                None => (0, Zone::Fixed(0, p.zone)),
            },
        };
        Ok(Time { unix: seconds - offset, nanosecond: p.nanosecond, zone })
    }

    /// The same moment on another clock.
    pub(super) fn in_zone(&self, zone: Zone) -> Time {
        Time { zone, ..self.clone() }
    }

    /// The moment a number of nanoseconds later.
    pub(super) fn add(&self, nanoseconds: i64) -> Time {
        let total = self.nanosecond + nanoseconds % duration::SECOND;
        let unix = self
            .unix
            .saturating_add(nanoseconds / duration::SECOND)
            .saturating_add(total.div_euclid(duration::SECOND));
        Time { unix, nanosecond: total.rem_euclid(duration::SECOND), zone: self.zone.clone() }
    }

    /// Nanoseconds from `other` to this, as far as they fit.
    pub(super) fn since(&self, other: &Time) -> i64 {
        let seconds = i128::from(self.unix) - i128::from(other.unix);
        let total = seconds * i128::from(duration::SECOND) + i128::from(self.nanosecond - other.nanosecond);
        i64::try_from(total).unwrap_or(if total < 0 { i64::MIN } else { i64::MAX })
    }

    /// The date moved by years, months and days; days beyond a month's end run on into the next.
    pub(super) fn add_date(&self, years: i64, months: i64, days: i64) -> Time {
        let civil = self.civil();
        let month0 = (civil.month as i64 - 1).saturating_add(months);
        let year =
            civil.year.saturating_add(years).saturating_add(month0.div_euclid(12)).clamp(-(1 << 40), 1 << 40);
        let first = days_from_civil(year, month0.rem_euclid(12) + 1, 1);
        let day = first.saturating_add(civil.day - 1).saturating_add(days);
        let clock = civil.hour * 3_600 + civil.minute * 60 + civil.second;
        let unix = day.saturating_mul(DAY).saturating_add(clock).saturating_sub(civil.offset);
        Time { unix, ..self.clone() }
    }

    /// What calendar and clock show.
    pub(super) fn civil(&self) -> Civil {
        let (offset, zone) = self.zone.at(self.unix);
        let local = self.unix.saturating_add(offset);
        let (days, clock) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let (year, month, day) = civil_from_days(days);
        Civil {
            year,
            month: usize::try_from(month).unwrap_or(1),
            day,
            year_day: days - days_from_civil(year, 1, 1) + 1,
            week_day: usize::try_from((days + 4).rem_euclid(7)).unwrap_or(0),
            hour: clock / 3_600,
            minute: clock / 60 % 60,
            second: clock % 60,
            nanosecond: self.nanosecond,
            offset,
            zone,
        }
    }

    /// Written by a layout.
    pub(super) fn format(&self, layout: &str) -> String {
        format(&self.civil(), layout)
    }
}

/// Days since 1970 of a date of the Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let before = year - 1;
    let leap = i64::from(month > 2 && is_leap(year));
    let to_month = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let to_month = usize::try_from(month - 1).ok().and_then(|m| to_month.get(m)).copied().unwrap_or(0);
    let years = before * 365 + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400);
    years - 719_162 + to_month + leap + day - 1
}

/// Year, month and day of a number of days since 1970.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    // Years that begin in March: the leap day is the last one.
    let shifted = days.saturating_add(719_468);
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month0 = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month0 + 2) / 5 + 1;
    let month = if month0 < 10 { month0 + 3 } else { month0 - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

impl Object for Time {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed("time.Time")
    }

    fn methods(&self) -> &'static [Method] {
        time_methods::TIME
    }

    fn string(&self) -> Option<Str> {
        Some(Str::from(self.format("2006-01-02 15:04:05.999999999 -0700 MST")))
    }

    fn equal(&self, other: &dyn Object) -> Option<bool> {
        let other = other.as_any().downcast_ref::<Time>();
        Some(
            other
                .is_some_and(|o| (self.unix, self.nanosecond, &self.zone) == (o.unix, o.nanosecond, &o.zone)),
        )
    }

    fn to_json(&self) -> Option<Result<serde_json::Value, String>> {
        let year = self.civil().year;
        if !(0..10_000).contains(&year) {
            let why = "Time.MarshalJSON: year outside of range [0,9999]";
            return Some(Err(format!("json: error calling MarshalJSON for type time.Time: {why}")));
        }
        Some(Ok(self.format("2006-01-02T15:04:05.999999999Z07:00").into()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Go's `time.Duration`: nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duration(pub i64);

impl Object for Duration {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed("time.Duration")
    }

    fn underlying(&self) -> Option<Value> {
        Some(Value::Int64(self.0))
    }

    fn methods(&self) -> &'static [Method] {
        time_methods::DURATION
    }

    fn string(&self) -> Option<Str> {
        Some(Str::from(duration::format(self.0)))
    }

    fn equal(&self, other: &dyn Object) -> Option<bool> {
        Some(other.as_any().downcast_ref::<Duration>() == Some(self))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Go's `time.Month` (1–12) or `time.Weekday` (0 is Sunday).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CalendarName {
    Month(usize),
    Weekday(usize),
}

impl Object for CalendarName {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            CalendarName::Month(_) => "time.Month",
            CalendarName::Weekday(_) => "time.Weekday",
        })
    }

    fn underlying(&self) -> Option<Value> {
        let (CalendarName::Month(n) | CalendarName::Weekday(n)) = self;
        Some(Value::Int(*n as i64))
    }

    fn string(&self) -> Option<Str> {
        let name = match self {
            CalendarName::Month(n) => LONG_MONTHS.get(n.wrapping_sub(1)),
            CalendarName::Weekday(n) => LONG_DAYS.get(*n),
        };
        name.map(|n| Str::from(*n))
    }

    fn equal(&self, other: &dyn Object) -> Option<bool> {
        Some(other.as_any().downcast_ref::<CalendarName>() == Some(self))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendar_is_its_own_inverse() {
        for days in (-800_000..800_000).step_by(37) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
        assert_eq!(civil_from_days(0), (1970, 1, 1));
        assert_eq!(civil_from_days(11_016), (2000, 2, 29));
    }

    #[test]
    fn zones_have_offsets_and_names() {
        let zone = Zone::load("Europe/Berlin").unwrap();
        let summer = Time::from_unix(1_720_000_000).in_zone(zone.clone());
        assert_eq!(summer.format("15:04 MST -07:00"), "11:46 CEST +02:00");
        let winter = Time::from_unix(1_700_000_000).in_zone(zone);
        assert_eq!(winter.format("15:04 MST Z0700"), "23:13 CET +0100");
        assert!(Zone::load("europe/berlin").is_none());
    }
}
