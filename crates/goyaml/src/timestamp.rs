//! Which scalars go-yaml takes for timestamps.

/// Hour, minute and second.
type Clock = (u32, u32, u32);

/// Date, clock and zone of a timestamp.
struct Timestamp<'t> {
    year: u32,
    month: u32,
    day: u32,
    clock: Clock,
    fraction: &'t [u8],
    /// Minutes east of Greenwich.
    offset: i32,
}

/// Whether Go's `time.Parse` takes the text in one of the four layouts that go-yaml tries:
/// `2006-1-2T15:4:5.999999999Z07:00` (also with `t`), `2006-1-2 15:4:5.999999999` and `2006-1-2`.
pub(crate) fn is_timestamp(text: &str) -> bool {
    parse(text).is_some()
}

/// The timestamp as Go's `time.Time` is written in JSON.
///
/// # Errors
/// Go's message when the zone is a day or more from Greenwich.
pub(crate) fn rfc_3339(text: &str) -> Result<String, String> {
    let Some(Timestamp { year, month, day, clock: (hour, minute, second), fraction, offset }) = parse(text)
    else {
        return Ok(String::new());
    };
    if offset.unsigned_abs() >= 24 * 60 {
        let call = "json: error calling MarshalJSON for type time.Time";
        return Err(format!("{call}: Time.MarshalJSON: timezone hour outside of range [0,23]"));
    }
    let mut out = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    let digits = fraction.get(..9).unwrap_or(fraction);
    let digits = String::from_utf8_lossy(digits);
    let digits = digits.trim_end_matches('0');
    if !digits.is_empty() {
        out.push('.');
        out.push_str(digits);
    }
    let sign = if offset < 0 { '-' } else { '+' };
    match offset.unsigned_abs() {
        0 => out.push('Z'),
        minutes => out.push_str(&format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)),
    }
    Ok(out)
}

fn parse(text: &str) -> Option<Timestamp<'_>> {
    let bytes = text.as_bytes();
    let year = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if year != 4 || bytes.get(4) != Some(&b'-') {
        return None;
    }
    let year = bytes[..4].iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    let mut rest = &bytes[5..];
    let month = number(&mut rest)?;
    expect(&mut rest, b'-')?;
    let day = number(&mut rest)?;
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    let mut found = Timestamp { year, month, day, clock: (0, 0, 0), fraction: &[], offset: 0 };
    match rest {
        [] => return Some(found),
        [b'T' | b't', time @ ..] => {
            rest = time;
            (found.clock, found.fraction) = clock(&mut rest)?;
            found.offset = zone(&mut rest)?;
        }
        [b' ', ..] => {
            while let [b' ', time @ ..] = rest {
                rest = time;
            }
            (found.clock, found.fraction) = clock(&mut rest)?;
        }
        _ => return None,
    }
    rest.is_empty().then_some(found)
}

/// One or two digits.
fn number(rest: &mut &[u8]) -> Option<u32> {
    let length = rest.iter().take(2).take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, after) = rest.split_at_checked(length).filter(|_| length > 0)?;
    *rest = after;
    Some(digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
}

fn expect(rest: &mut &[u8], byte: u8) -> Option<()> {
    *rest = rest.strip_prefix(&[byte])?;
    Some(())
}

/// `15:4:5` with a fraction of any length.
fn clock<'t>(rest: &mut &'t [u8]) -> Option<(Clock, &'t [u8])> {
    let hour = number(rest)?;
    expect(rest, b':')?;
    let minute = number(rest)?;
    expect(rest, b':')?;
    let second = number(rest)?;
    let mut fraction: &[u8] = &[];
    if let [b'.' | b',', b'0'..=b'9', ..] = rest {
        let after = &rest[1..];
        let length = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (fraction, *rest) = after.split_at(length);
    }
    (hour < 24 && minute < 60 && second < 60).then_some(((hour, minute, second), fraction))
}

/// `Z` or `+07:00`, in minutes.
fn zone(rest: &mut &[u8]) -> Option<i32> {
    if let [b'Z', after @ ..] = rest {
        *rest = after;
        return Some(0);
    }
    let [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2, after @ ..] = rest else { return None };
    if ![h1, h2, m1, m2].iter().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let two = |high: &u8, low: &u8| i32::from(high - b'0') * 10 + i32::from(low - b'0');
    let (hours, minutes) = (two(h1, h2), two(m1, m2));
    let east = if *sign == b'-' { -1 } else { 1 };
    *rest = after;
    (hours <= 24 && minutes <= 60).then_some(east * (hours * 60 + minutes))
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
