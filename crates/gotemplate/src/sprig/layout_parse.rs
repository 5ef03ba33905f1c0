//! Reading a time by a Go layout. Gives numbers and zone texts; which moment they mean is for `times`.

use super::duration::quote;
use super::layout::{Element, LONG_DAYS, LONG_MONTHS, next_element};

/// What a text said, before any zone is applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parsed {
    pub year: i64,
    pub month: i64,
    pub day: i64,
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
    pub nanosecond: i64,
    /// `Z` or `UTC` was written.
    pub utc: bool,
    /// Seconds east of UTC, where an offset was written.
    pub offset: Option<i64>,
    /// An abbreviation, where one was written.
    pub zone: String,
}

/// Why one element could not be read.
enum Trouble {
    /// It is not there.
    Bad,
    /// It is out of range; what.
    Range(&'static str),
}

type Step<T> = Result<T, Trouble>;

struct Reader<'a> {
    rest: &'a str,
    parsed: Parsed,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    afternoon: Option<bool>,
}

/// Reads `text` by `layout`; the error has Go's wording.
pub(super) fn parse(layout: &str, text: &str) -> Result<Parsed, String> {
    let mut r = Reader {
        rest: text,
        parsed: Parsed::default(),
        month: None,
        day: None,
        year_day: None,
        afternoon: None,
    };
    let cannot = |value: &str, element: &str| {
        format!(
            "parsing time {} as {}: cannot parse {} as {}",
            quote(text),
            quote(layout),
            quote(value),
            quote(element)
        )
    };
    let mut layout_rest = layout;
    loop {
        let next = next_element(layout_rest);
        let prefix = next.map_or(layout_rest, |(prefix, ..)| prefix);
        if r.skip(prefix).is_err() {
            return Err(cannot(r.rest, prefix));
        }
        let Some((_, element, element_text, suffix)) = next else { break };
        layout_rest = suffix;
        let hold = r.rest;
        match r.element(element, layout_rest) {
            Ok(()) => {}
            Err(Trouble::Bad) => return Err(cannot(hold, element_text)),
            Err(Trouble::Range(what)) => {
                return Err(format!("parsing time {}: {what} out of range", quote(text)));
            }
        }
    }
    if !r.rest.is_empty() {
        return Err(format!("parsing time {}: extra text: {}", quote(text), quote(r.rest)));
    }
    r.finish().map_err(|what| format!("parsing time {}: {what}", quote(text)))
}

impl<'a> Reader<'a> {
    fn byte(&self, index: usize) -> Option<u8> {
        self.rest.as_bytes().get(index).copied()
    }

    fn is_digit(&self, index: usize) -> bool {
        self.byte(index).is_some_and(|b| b.is_ascii_digit())
    }

    /// Takes `n` bytes.
    fn take(&mut self, n: usize) -> Step<&'a str> {
        let (head, tail) = self.rest.split_at_checked(n).ok_or(Trouble::Bad)?;
        self.rest = tail;
        Ok(head)
    }

    /// Literal text of the layout; a run of spaces matches any run of spaces.
    fn skip(&mut self, prefix: &str) -> Step<()> {
        let mut prefix = prefix;
        while let Some(c) = prefix.chars().next() {
            if c == ' ' {
                if self.byte(0).is_some_and(|b| b != b' ') {
                    return Err(Trouble::Bad);
                }
                prefix = prefix.trim_start_matches(' ');
                self.rest = self.rest.trim_start_matches(' ');
                continue;
            }
            self.rest = self.rest.strip_prefix(c).ok_or(Trouble::Bad)?;
            prefix = prefix.get(c.len_utf8()..).unwrap_or("");
        }
        Ok(())
    }

    /// One or two digits; exactly two when `fixed`.
    fn number(&mut self, fixed: bool) -> Step<i64> {
        if !self.is_digit(0) || fixed && !self.is_digit(1) {
            return Err(Trouble::Bad);
        }
        let width = if self.is_digit(1) { 2 } else { 1 };
        self.take(width)?.parse().map_err(|_| Trouble::Bad)
    }

    /// One of `names`, or its first three letters, in any case.
    fn name(&mut self, names: &[&'static str], short: bool) -> Step<usize> {
        for (index, name) in names.iter().enumerate() {
            let name = if short { name.get(..3).unwrap_or(name) } else { name };
            if self.rest.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name)) {
                self.take(name.len())?;
                return Ok(index);
            }
        }
        Err(Trouble::Bad)
    }

    fn clock(&mut self, fixed: bool, limit: i64, what: &'static str) -> Step<i64> {
        let n = self.number(fixed)?;
        if n < limit { Ok(n) } else { Err(Trouble::Range(what)) }
    }

    fn element(&mut self, element: Element, layout_rest: &str) -> Step<()> {
        use Element as E;
        match element {
            E::Year => {
                let year: i64 = signed(self.take(2)?)?;
                self.parsed.year = if year >= 69 { year + 1900 } else { year + 2000 };
            }
            E::LongYear => {
                if !self.is_digit(0) {
                    return Err(Trouble::Bad);
                }
                self.parsed.year = signed(self.take(4)?)?;
            }
            E::Month => self.month = Some(self.name(&LONG_MONTHS, true)? as i64 + 1),
            E::LongMonth => self.month = Some(self.name(&LONG_MONTHS, false)? as i64 + 1),
            E::NumMonth | E::ZeroMonth => {
                let month = self.number(element == E::ZeroMonth)?;
                if !(1..=12).contains(&month) {
                    return Err(Trouble::Range("month"));
                }
                self.month = Some(month);
            }
            E::WeekDay => drop(self.name(&LONG_DAYS, true)?),
            E::LongWeekDay => drop(self.name(&LONG_DAYS, false)?),
            E::Day | E::UnderDay | E::ZeroDay => {
                if element == E::UnderDay {
                    self.rest = self.rest.strip_prefix(' ').unwrap_or(self.rest);
                }
                self.day = Some(self.number(element == E::ZeroDay)?);
            }
            E::UnderYearDay | E::ZeroYearDay => self.year_day(element == E::ZeroYearDay)?,
            E::Hour => self.parsed.hour = self.clock(false, 24, "hour")?,
            E::Hour12 | E::ZeroHour12 => {
                self.parsed.hour = self.clock(element == E::ZeroHour12, 13, "hour")?;
            }
            E::Minute | E::ZeroMinute => {
                self.parsed.minute = self.clock(element == E::ZeroMinute, 60, "minute")?;
            }
            E::Second | E::ZeroSecond => self.second(element == E::ZeroSecond, layout_rest)?,
            E::UpperPm => self.afternoon = Some(half_day(self.take(2)?, "AM", "PM")?),
            E::LowerPm => self.afternoon = Some(half_day(self.take(2)?, "am", "pm")?),
            E::Offset { z_for_utc: true, .. } if self.byte(0) == Some(b'Z') => {
                self.take(1)?;
                self.parsed.utc = true;
            }
            E::Offset { colon, fields, .. } => self.offset(colon, fields)?,
            E::ZoneName => self.zone_name()?,
            E::Fraction { digits, trim: false, .. } => self.fraction(digits)?,
            E::Fraction { .. } => {
                if matches!(self.byte(0), Some(b'.' | b',')) && self.is_digit(1) {
                    self.fraction(self.digit_run(1))?;
                }
            }
        }
        Ok(())
    }

    fn digit_run(&self, from: usize) -> usize {
        self.rest.bytes().skip(from).take_while(u8::is_ascii_digit).count()
    }

    fn year_day(&mut self, fixed: bool) -> Step<()> {
        if !fixed {
            for _ in 0..2 {
                self.rest = self.rest.strip_prefix(' ').unwrap_or(self.rest);
            }
        }
        let width = self.digit_run(0).min(3);
        if width == 0 || fixed && width != 3 {
            return Err(Trouble::Bad);
        }
        self.year_day = self.take(width)?.parse().ok();
        Ok(())
    }

    fn second(&mut self, fixed: bool, layout_rest: &str) -> Step<()> {
        self.parsed.second = self.clock(fixed, 60, "second")?;
        // A fraction may follow even if the layout has none there.
        let in_layout = matches!(next_element(layout_rest), Some((_, Element::Fraction { .. }, ..)));
        if matches!(self.byte(0), Some(b'.' | b',')) && self.is_digit(1) && !in_layout {
            self.fraction(self.digit_run(1))?;
        }
        Ok(())
    }

    /// A separator and `digits` digits, of which nine count.
    fn fraction(&mut self, digits: usize) -> Step<()> {
        let text = self.take(digits + 1)?;
        let kept = text.get(1..text.len().min(10)).unwrap_or("");
        if !text.starts_with(['.', ',']) || !kept.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Trouble::Bad);
        }
        self.parsed.nanosecond = format!("{kept:0<9}").parse().map_err(|_| Trouble::Bad)?;
        Ok(())
    }

    fn offset(&mut self, colon: bool, fields: u8) -> Step<()> {
        let sign = self.take(1)?;
        let mut seconds = 0;
        let limits =
            [(24, "time zone offset hour"), (60, "time zone offset minute"), (60, "time zone offset second")];
        let mut out_of_range = None;
        for field in 0..3 {
            let mut value = 0;
            if field < fields {
                if field > 0 && colon && self.take(1)? != ":" {
                    return Err(Trouble::Bad);
                }
                let text = self.take(2)?;
                if !text.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(Trouble::Bad);
                }
                value = text.parse::<i64>().map_err(|_| Trouble::Bad)?;
            }
            if let Some((limit, what)) = limits.get(usize::from(field))
                && value > *limit
            {
                out_of_range = Some(*what);
            }
            seconds = seconds * 60 + value;
        }
        if let Some(what) = out_of_range {
            return Err(Trouble::Range(what));
        }
        self.parsed.offset = Some(match sign {
            "+" => seconds,
            "-" => -seconds,
            _ => return Err(Trouble::Bad),
        });
        Ok(())
    }

    fn zone_name(&mut self) -> Step<()> {
        if let Some(rest) = self.rest.strip_prefix("UTC") {
            self.rest = rest;
            self.parsed.utc = true;
            return Ok(());
        }
        let length = zone_name_length(self.rest.as_bytes()).ok_or(Trouble::Bad)?;
        self.take(length)?.clone_into(&mut self.parsed.zone);
        Ok(())
    }

    /// Joins what was read into a date that exists.
    fn finish(mut self) -> Result<Parsed, &'static str> {
        match (self.afternoon, self.parsed.hour) {
            (Some(true), hour) if hour < 12 => self.parsed.hour += 12,
            (Some(false), 12) => self.parsed.hour = 0,
            _ => {}
        }
        let year = self.parsed.year;
        if let Some(year_day) = self.year_day {
            let (month, day) = from_year_day(year, year_day).ok_or("day-of-year out of range")?;
            if self.month.is_some_and(|m| m != month) {
                return Err("day-of-year does not match month");
            }
            if self.day.is_some_and(|d| d != day) {
                return Err("day-of-year does not match day");
            }
            (self.month, self.day) = (Some(month), Some(day));
        }
        self.parsed.month = self.month.unwrap_or(1);
        self.parsed.day = self.day.unwrap_or(1);
        if self.parsed.day < 1 || self.parsed.day > days_in(self.parsed.month, year) {
            return Err("day out of range");
        }
        Ok(self.parsed)
    }
}

fn signed(text: &str) -> Step<i64> {
    text.parse().map_err(|_| Trouble::Bad)
}

fn half_day(text: &str, morning: &str, afternoon: &str) -> Step<bool> {
    if text == afternoon {
        Ok(true)
    } else if text == morning {
        Ok(false)
    } else {
        Err(Trouble::Bad)
    }
}

/// Whether `year` has 366 days.
pub(super) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(month: i64, year: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn from_year_day(year: i64, year_day: i64) -> Option<(i64, i64)> {
    let mut left = year_day;
    if left < 1 {
        return None;
    }
    for month in 1..=12 {
        let days = days_in(month, year);
        if left <= days {
            return Some((month, left));
        }
        left -= days;
    }
    None
}

/// Length of what looks like a zone abbreviation: three letters, four or five ending in `T`, `GMT+3`, `+03`.
fn zone_name_length(text: &[u8]) -> Option<usize> {
    if text.len() < 3 {
        return None;
    }
    if text.starts_with(b"ChST") || text.starts_with(b"MeST") {
        return Some(4);
    }
    if text.starts_with(b"GMT") {
        return Some(3 + signed_hours(text.get(3..).unwrap_or(b"")));
    }
    if matches!(text.first(), Some(b'+' | b'-')) {
        return Some(signed_hours(text)).filter(|n| *n > 0);
    }
    let letters = text.iter().take(6).take_while(|b| b.is_ascii_uppercase()).count();
    match letters {
        3 => Some(3),
        4 if text.get(3) == Some(&b'T') || text.starts_with(b"WITA") => Some(4),
        5 if text.get(4) == Some(&b'T') => Some(5),
        _ => None,
    }
}

/// Length of a sign with hours up to 23, or 0.
fn signed_hours(text: &[u8]) -> usize {
    if !matches!(text.first(), Some(b'+' | b'-')) {
        return 0;
    }
    let digits = text.iter().skip(1).take_while(|b| b.is_ascii_digit()).count();
    let hours =
        text.get(1..=digits).and_then(|d| std::str::from_utf8(d).ok()).and_then(|d| d.parse::<u64>().ok());
    match hours {
        Some(hours) if hours <= 23 => digits + 1,
        _ => 0,
    }
}
