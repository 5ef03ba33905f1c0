//! Go's reference-time layouts (`2006-01-02 15:04:05`): splitting a layout and writing a time with it.
//!
//! Knows no time zones: what it writes comes as numbers in [`Civil`]. Reading is in `layout_parse`.

use std::fmt::Write as _;

pub(super) const LONG_DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
pub(super) const LONG_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// One element of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekDay,
    WeekDay,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    ZoneName,
    /// A numeric offset.
    Offset {
        z_for_utc: bool,
        colon: bool,
        fields: u8,
    },
    /// A fraction of a second with `digits` places; trailing zeros dropped when `trim`.
    Fraction {
        digits: usize,
        trim: bool,
        comma: bool,
    },
}

/// Splits `layout` at its first element: text before, the element, text after.
pub(super) fn next_element(layout: &str) -> Option<(&str, Element, &str, &str)> {
    let bytes = layout.as_bytes();
    for start in 0..bytes.len() {
        let Some(rest) = bytes.get(start..) else { break };
        if let Some((skip, length, element)) = element_at(rest) {
            let from = start + skip;
            let prefix = layout.get(..from)?;
            let text = layout.get(from..from + length)?;
            return Some((prefix, element, text, layout.get(from + length..)?));
        }
    }
    None
}

/// The element at the start of `s`, with how many bytes come before it and how long it is.
fn element_at(s: &[u8]) -> Option<(usize, usize, Element)> {
    use Element as E;
    let lower_follows = |n: usize| s.get(n).is_some_and(u8::is_ascii_lowercase);
    let at = |length: usize, element: Element| Some((0, length, element));
    match s.first()? {
        b'J' if s.starts_with(b"January") => at(7, E::LongMonth),
        b'J' if s.starts_with(b"Jan") && !lower_follows(3) => at(3, E::Month),
        b'M' if s.starts_with(b"Monday") => at(6, E::LongWeekDay),
        b'M' if s.starts_with(b"Mon") && !lower_follows(3) => at(3, E::WeekDay),
        b'M' if s.starts_with(b"MST") => at(3, E::ZoneName),
        b'0' => match s.get(1)? {
            b'1' => at(2, E::ZeroMonth),
            b'2' => at(2, E::ZeroDay),
            b'3' => at(2, E::ZeroHour12),
            b'4' => at(2, E::ZeroMinute),
            b'5' => at(2, E::ZeroSecond),
            b'6' => at(2, E::Year),
            b'0' if s.get(2) == Some(&b'2') => at(3, E::ZeroYearDay),
            _ => None,
        },
        b'1' if s.get(1) == Some(&b'5') => at(2, E::Hour),
        b'1' => at(1, E::NumMonth),
        b'2' if s.starts_with(b"2006") => at(4, E::LongYear),
        b'2' => at(1, E::Day),
        b'_' if s.starts_with(b"_2006") => Some((1, 4, E::LongYear)),
        b'_' if s.starts_with(b"_2") => at(2, E::UnderDay),
        b'_' if s.starts_with(b"__2") => at(3, E::UnderYearDay),
        b'3' => at(1, E::Hour12),
        b'4' => at(1, E::Minute),
        b'5' => at(1, E::Second),
        b'P' if s.starts_with(b"PM") => at(2, E::UpperPm),
        b'p' if s.starts_with(b"pm") => at(2, E::LowerPm),
        sign @ (b'-' | b'Z') => offset_at(s, *sign == b'Z'),
        sep @ (b'.' | b',') => fraction_at(s, *sep == b','),
        _ => None,
    }
}

fn offset_at(s: &[u8], z_for_utc: bool) -> Option<(usize, usize, Element)> {
    let rest = s.get(1..)?;
    let forms: [(&[u8], bool, u8); 5] = [
        (b"070000", false, 3),
        (b"07:00:00", true, 3),
        (b"0700", false, 2),
        (b"07:00", true, 2),
        (b"07", false, 1),
    ];
    let (text, colon, fields) = forms.into_iter().find(|(text, _, _)| rest.starts_with(text))?;
    Some((0, text.len() + 1, Element::Offset { z_for_utc, colon, fields }))
}

fn fraction_at(s: &[u8], comma: bool) -> Option<(usize, usize, Element)> {
    let digit = *s.get(1).filter(|b| matches!(b, b'0' | b'9'))?;
    let digits = s.iter().skip(1).take_while(|b| **b == digit).count();
    if s.get(digits + 1).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    Some((0, digits + 1, Element::Fraction { digits: digits & 0xFFF, trim: digit == b'9', comma }))
}

/// A moment as a clock and calendar in one zone show it.
#[derive(Clone, Debug, Default)]
pub(super) struct Civil {
    pub year: i64,
    /// 1–12.
    pub month: usize,
    /// 1–31.
    pub day: i64,
    /// 1–366.
    pub year_day: i64,
    /// 0 is Sunday.
    pub week_day: usize,
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
    pub nanosecond: i64,
    /// Seconds east of UTC.
    pub offset: i64,
    /// Abbreviation; empty when the zone has none.
    pub zone: String,
}

/// Writes `time` in the form of `layout`.
pub(super) fn format(time: &Civil, layout: &str) -> String {
    let mut out = String::with_capacity(layout.len() + 10);
    let mut rest = layout;
    while let Some((prefix, element, _, suffix)) = next_element(rest) {
        out.push_str(prefix);
        write_element(&mut out, time, element);
        rest = suffix;
    }
    out.push_str(rest);
    out
}

fn write_element(out: &mut String, t: &Civil, element: Element) {
    use Element as E;
    let month = LONG_MONTHS.get(t.month.wrapping_sub(1)).copied().unwrap_or("");
    let day = LONG_DAYS.get(t.week_day).copied().unwrap_or("");
    let short = |name: &'static str| name.get(..3).unwrap_or(name);
    let hour12 = if t.hour % 12 == 0 { 12 } else { t.hour % 12 };
    let pm = t.hour >= 12;
    match element {
        E::Year => number(out, t.year.abs() % 100, 2),
        E::LongYear => number(out, t.year, 4),
        E::Month => out.push_str(short(month)),
        E::LongMonth => out.push_str(month),
        E::NumMonth => number(out, t.month as i64, 0),
        E::ZeroMonth => number(out, t.month as i64, 2),
        E::WeekDay => out.push_str(short(day)),
        E::LongWeekDay => out.push_str(day),
        E::Day => number(out, t.day, 0),
        E::UnderDay => {
            let _ = write!(out, "{:>2}", t.day);
        }
        E::ZeroDay => number(out, t.day, 2),
        E::UnderYearDay => {
            let _ = write!(out, "{:>3}", t.year_day);
        }
        E::ZeroYearDay => number(out, t.year_day, 3),
        E::Hour => number(out, t.hour, 2),
        E::Hour12 => number(out, hour12, 0),
        E::ZeroHour12 => number(out, hour12, 2),
        E::Minute => number(out, t.minute, 0),
        E::ZeroMinute => number(out, t.minute, 2),
        E::Second => number(out, t.second, 0),
        E::ZeroSecond => number(out, t.second, 2),
        E::UpperPm => out.push_str(if pm { "PM" } else { "AM" }),
        E::LowerPm => out.push_str(if pm { "pm" } else { "am" }),
        E::Offset { z_for_utc: true, .. } if t.offset == 0 => out.push('Z'),
        E::Offset { colon, fields, .. } => offset(out, t.offset, colon, fields),
        E::ZoneName if t.zone.is_empty() => offset(out, t.offset, false, 2),
        E::ZoneName => out.push_str(&t.zone),
        E::Fraction { digits, trim, comma } => fraction(out, t.nanosecond, digits, trim, comma),
    }
}

/// Zero-padded to `width`, the sign not counted.
fn number(out: &mut String, n: i64, width: usize) {
    if n < 0 {
        out.push('-');
    }
    let _ = write!(out, "{:0width$}", n.unsigned_abs());
}

fn offset(out: &mut String, seconds: i64, colon: bool, fields: u8) {
    // The sign is that of the whole minutes: a zone of -30 s shows as +0000.
    let minutes = seconds / 60;
    out.push(if minutes < 0 { '-' } else { '+' });
    let separator = if colon { ":" } else { "" };
    let minutes = minutes.abs();
    number(out, minutes / 60, 2);
    if fields > 1 {
        out.push_str(separator);
        number(out, minutes % 60, 2);
    }
    if fields > 2 {
        out.push_str(separator);
        let rest = if seconds / 60 < 0 { -seconds } else { seconds } % 60;
        number(out, rest, 2);
    }
}

fn fraction(out: &mut String, nanosecond: i64, digits: usize, trim: bool, comma: bool) {
    if trim && (digits == 0 || nanosecond == 0) {
        return;
    }
    let all = format!("{nanosecond:09}");
    let mut shown = all.get(..digits.min(9)).unwrap_or(&all);
    if trim {
        shown = shown.trim_end_matches('0');
    }
    if !(trim && shown.is_empty()) {
        out.push(if comma { ',' } else { '.' });
        out.push_str(shown);
    }
}
