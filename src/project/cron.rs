//! Schedules of sync windows: cron's five fields, read as robfig/cron reads them for Argo CD.
//!
//! Local times are whole seconds on a calendar without leap seconds and without jumps of the clock; the zone's offset
//! has been added by the caller, as Argo CD does. General cron crates were not taken: they accept what Argo CD
//! refuses (`7` for Sunday, `L`, `#`) and join day of month and day of week by other rules.

use jiff::civil::{Date, date};

/// When a window opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether a day has to be in both `days` and `weekdays`: one of the fields is a star.
    both_days: bool,
}

/// A schedule that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot parse schedule '{text}': {advice}")]
pub struct InvalidSchedule {
    /// What was written.
    pub text: String,
    /// What is wrong with it.
    pub advice: String,
}

struct Field {
    name: &'static str,
    first: u32,
    last: u32,
    words: &'static [&'static str],
}

const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const FIELDS: [Field; 5] = [
    Field { name: "minute", first: 0, last: 59, words: &[] },
    Field { name: "hour", first: 0, last: 23, words: &[] },
    Field { name: "day of month", first: 1, last: 31, words: &[] },
    Field { name: "month", first: 1, last: 12, words: MONTHS },
    Field { name: "day of week", first: 0, last: 6, words: WEEKDAYS },
];

const DAY: i64 = 86_400;
/// Days that a schedule is searched for: five years, as robfig/cron does. Longer than any pause between two dates but
/// a 29 February on a given day of the week.
const HORIZON: i64 = 5 * 366;

impl Schedule {
    /// Reads five fields: minute, hour, day of month, month, day of week.
    ///
    /// # Errors
    /// Where there are not five fields, or one of them cannot be read.
    pub fn parse(text: &str) -> Result<Self, InvalidSchedule> {
        let invalid = |advice: String| InvalidSchedule { text: text.chars().take(100).collect(), advice };
        let words: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = words.as_slice() else {
            let count = words.len();
            return Err(invalid(format!(
                "write five fields, minute hour day-of-month month day-of-week, not {count}; the time zone goes into timeZone"
            )));
        };
        let mut read = [(0, false); 5];
        for ((place, word), field) in read.iter_mut().zip([minute, hour, day, month, weekday]).zip(&FIELDS) {
            *place = list(word, field).map_err(|advice| invalid(format!("{}: {advice}", field.name)))?;
        }
        let [(minutes, _), (hours, _), (days, any_day), (months, _), (weekdays, any_weekday)] = read;
        Ok(Self { minutes, hours, days, months, weekdays, both_days: any_day || any_weekday })
    }

    /// The last time at or before `local` at which the schedule fires, and after `after`; nothing where there is none.
    pub fn last_in(&self, after: i64, local: i64) -> Option<i64> {
        let today = local.div_euclid(DAY);
        let earliest = after.div_euclid(DAY).max(today - HORIZON);
        let mut day = today;
        while day >= earliest {
            if self.fires_on(day) {
                let until = if day == today { local.rem_euclid(DAY) } else { DAY - 1 };
                if let Some(seconds) = self.last_of_day(until) {
                    let at = day * DAY + seconds;
                    return (at > after).then_some(at);
                }
            }
            day -= 1;
        }
        None
    }

    /// The first time after `local` at which the schedule fires; nothing where it never does.
    pub fn next_after(&self, local: i64) -> Option<i64> {
        let today = local.div_euclid(DAY);
        (today..=today + HORIZON).find_map(|day| {
            let from = if day == today { local.rem_euclid(DAY) + 1 } else { 0 };
            self.fires_on(day).then(|| self.first_of_day(from)).flatten().map(|seconds| day * DAY + seconds)
        })
    }

    fn fires_on(&self, day: i64) -> bool {
        let Some(date) = civil(day) else { return false };
        let has = |bits: u64, at: i8| u32::try_from(at).is_ok_and(|at| bits & (1 << at) != 0);
        let (in_days, in_weekdays) =
            (has(self.days, date.day()), has(self.weekdays, date.weekday().to_sunday_zero_offset()));
        let day_fits = if self.both_days { in_days && in_weekdays } else { in_days || in_weekdays };
        day_fits && has(self.months, date.month())
    }

    fn times_of_day(&self) -> impl DoubleEndedIterator<Item = i64> {
        let has = |bits: u64, at: i64| bits & (1 << at) != 0;
        let (hours, minutes) = (self.hours, self.minutes);
        (0..24).filter(move |hour| has(hours, *hour)).flat_map(move |hour| {
            (0..60).filter(move |minute| has(minutes, *minute)).map(move |minute| hour * 3600 + minute * 60)
        })
    }

    fn last_of_day(&self, until: i64) -> Option<i64> {
        self.times_of_day().rev().find(|seconds| *seconds <= until)
    }

    fn first_of_day(&self, from: i64) -> Option<i64> {
        self.times_of_day().find(|seconds| *seconds >= from)
    }
}

fn civil(day: i64) -> Option<Date> {
    date(1970, 1, 1).checked_add(jiff::Span::new().try_days(day).ok()?).ok()
}

/// One field: a list of ranges. Gives its bits, and whether one of the ranges is a plain star.
fn list(text: &str, field: &Field) -> Result<(u64, bool), String> {
    let mut bits = 0;
    let mut any = false;
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (more, star) = range(part, field)?;
        bits |= more;
        any |= star;
    }
    Ok((bits, any))
}

/// `*`, `n`, `a-b`, each with `/step`; `n/step` goes on to the end.
fn range(text: &str, field: &Field) -> Result<(u64, bool), String> {
    let (span, step) = match text.split_once('/') {
        Some((span, step)) => (span, Some(number(step)?)),
        None => (text, None),
    };
    let (low, high) = span.split_once('-').map_or((span, None), |(low, high)| (low, Some(high)));
    let star = low == "*" || low == "?";
    let (first, last) = if star {
        (field.first, field.last)
    } else {
        let first = named(low, field)?;
        let last = match high {
            Some(high) => named(high, field)?,
            None if step.is_some() => field.last,
            None => first,
        };
        (first, last)
    };
    if first < field.first || last > field.last || first > last {
        return Err(format!("\"{text}\" is not between {} and {}", field.first, field.last));
    }
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(format!("\"{text}\": a step is at least 1"));
    }
    let steps = usize::try_from(step).unwrap_or(usize::MAX);
    let bits = (first..=last).step_by(steps).fold(0, |bits, at| bits | (1 << at));
    Ok((bits, star && step == 1))
}

fn named(text: &str, field: &Field) -> Result<u32, String> {
    let lower = text.to_lowercase();
    match field.words.iter().zip(field.first..).find(|(word, _)| **word == lower) {
        Some((_, number)) => Ok(number),
        None => number(text),
    }
}

fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("\"{}\" is not a number", text.chars().take(30).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(text: &str) -> i64 {
        format!("{text}:00Z").parse::<jiff::Timestamp>().unwrap().as_second()
    }

    fn next(schedule: &str, after: &str) -> Option<i64> {
        Schedule::parse(schedule).unwrap().next_after(local(after))
    }

    #[test]
    fn fires_as_robfig_cron_does() {
        // 2026-11-21 is a Saturday.
        for (schedule, after, expected) in [
            ("0 22 * * *", "2026-11-21T22:00", "2026-11-22T22:00"),
            ("*/15 8-9,17 * * mon-fri", "2026-11-21T12:00", "2026-11-23T08:00"),
            ("30/20 * * * *", "2026-11-21T12:51", "2026-11-21T13:30"),
            ("0 0 1 jan ?", "2026-11-21T12:00", "2027-01-01T00:00"),
            // Both days are named: either will do.
            ("0 0 13 * 5", "2026-11-21T12:00", "2026-11-27T00:00"),
            // A star with a step is no star any more.
            ("0 0 */10 * 3", "2026-11-21T12:00", "2026-11-25T00:00"),
            ("0 0 29 2 *", "2026-11-21T12:00", "2028-02-29T00:00"),
        ] {
            assert_eq!(next(schedule, after), Some(local(expected)), "{schedule}");
        }
        assert_eq!(next("0 0 30 2 *", "2026-11-21T12:00"), None);
    }

    #[test]
    fn the_last_time_is_found_within_its_bounds() {
        let schedule = Schedule::parse("0 9 * * 1").unwrap();
        let now = local("2026-11-25T09:00");
        assert_eq!(schedule.last_in(now - 3 * DAY, now), Some(local("2026-11-23T09:00")));
        assert_eq!(schedule.last_in(now - 2 * DAY, now), None, "the start itself is out");
    }

    #[test]
    fn what_argo_cd_refuses_is_refused() {
        for bad in [
            "",
            "* * * *",
            "* * * * * *",
            "@daily",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 7",
            "*/0 * * * *",
            "5-1 * * * *",
            "a * * * *",
            "1-2-3 * * * *",
            "1/2/3 * * * *",
            "-1 * * * *",
            "TZ=UTC * * * * *",
            "* * L * *",
            "99999999999 * * * *",
        ] {
            assert!(Schedule::parse(bad).is_err(), "{bad}");
        }
    }
}
