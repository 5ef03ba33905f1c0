//! Go's `time.Duration`: text forms and rounding, in nanoseconds as `i64`.

/// Nanoseconds of a second.
pub const SECOND: i64 = 1_000_000_000;
/// Nanoseconds of a minute.
const MINUTE: i64 = 60 * SECOND;
/// Nanoseconds of an hour.
const HOUR: i64 = 60 * MINUTE;

/// Largest magnitude while reading: 2^63.
const LIMIT: u64 = 1 << 63;

/// Reads text such as `1h15m30.918s`.
///
/// # Errors
/// Go's message for what is no duration or does not fit.
pub fn parse(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", quote(text));
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let whole_len = digits(rest);
        let (whole, after) = rest.split_at(whole_len);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(tail) => tail.split_at(digits(tail)),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let value = if whole.is_empty() { 0 } else { whole.parse::<u64>().map_err(|_| invalid())? };
        let name_len = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (name, after) = after.split_at(name_len);
        if name.is_empty() {
            return Err(format!("time: missing unit in duration {}", quote(text)));
        }
        let unit = unit(name)
            .ok_or_else(|| format!("time: unknown unit {} in duration {}", quote(name), quote(text)))?;
        if value > LIMIT / unit {
            return Err(invalid());
        }
        let part = value * unit + fraction_of(fraction, unit);
        total = total.checked_add(part).filter(|t| part <= LIMIT && *t <= LIMIT).ok_or_else(invalid)?;
        rest = after;
    }
    if negative {
        return Ok((total as i64).wrapping_neg());
    }
    i64::try_from(total).map_err(|_| invalid())
}

fn digits(s: &str) -> usize {
    s.bytes().take_while(u8::is_ascii_digit).count()
}

fn unit(name: &str) -> Option<u64> {
    match name {
        "ns" => Some(1),
        "us" | "µs" | "μs" => Some(1_000),
        "ms" => Some(1_000_000),
        "s" => Some(SECOND as u64),
        "m" => Some(MINUTE as u64),
        "h" => Some(HOUR as u64),
        _ => None,
    }
}

/// The nanoseconds of `0.<digits>` units, with the precision that Go keeps.
fn fraction_of(digits: &str, unit: u64) -> u64 {
    let (mut value, mut scale) = (0_u64, 1_f64);
    for b in digits.bytes() {
        if value > (LIMIT - 1) / 10 {
            break;
        }
        let next = value * 10 + u64::from(b - b'0');
        if next > LIMIT {
            break;
        }
        value = next;
        scale *= 10.0;
    }
    (value as f64 * (unit as f64 / scale)) as u64
}

/// Writes the shortest form, as `Duration.String`: `0s`, `1.5µs`, `72h3m0.5s`.
pub fn format(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let n = nanoseconds.unsigned_abs();
    let second = SECOND as u64;
    if n == 0 {
        return "0s".to_owned();
    }
    if n < second {
        let (scale, unit) = match n {
            0..1_000 => (1, "ns"),
            1_000..1_000_000 => (1_000, "µs"),
            _ => (1_000_000, "ms"),
        };
        return format!("{sign}{}{unit}", decimal(n, scale));
    }
    let (minutes, seconds) = (n / second / 60, n % (second * 60));
    let seconds = decimal(seconds, second);
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

/// `n / scale` without trailing zeros; `scale` is a power of ten.
fn decimal(n: u64, scale: u64) -> String {
    let (whole, rest) = (n / scale, n % scale);
    if rest == 0 {
        return whole.to_string();
    }
    let width = scale.ilog10() as usize;
    let fraction = format!("{rest:0width$}");
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}

/// Rounds to a multiple of `unit`, halves away from zero; unchanged when `unit` is not positive.
pub fn round(nanoseconds: i64, unit: i64) -> i64 {
    if unit <= 0 {
        return nanoseconds;
    }
    let rest = nanoseconds % unit;
    let down = nanoseconds - rest;
    if rest.unsigned_abs() * 2 < unit.unsigned_abs() {
        down
    } else {
        down.saturating_add(unit * nanoseconds.signum())
    }
}

/// The largest unit that the duration exceeds, cut to a whole number: `3mo`, `2d`, `0s`.
pub(super) fn largest_unit(nanoseconds: i64) -> String {
    const DAY: u64 = 24 * HOUR as u64;
    let units = [
        (365 * DAY, "y"),
        (30 * DAY, "mo"),
        (DAY, "d"),
        (HOUR as u64, "h"),
        (MINUTE as u64, "m"),
        (SECOND as u64, "s"),
    ];
    let n = nanoseconds.unsigned_abs();
    units
        .iter()
        .find(|(size, _)| n > *size)
        .map_or_else(|| "0s".to_owned(), |(size, name)| format!("{}{name}", n / size))
}

/// Package time's own quoting: bytes outside printable ASCII as `\x..`.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for b in text.bytes() {
        match b {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(b));
            }
            0x20..0x80 => out.push(char::from(b)),
            _ => out.push_str(&format!("\\x{b:02x}")),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes() {
        for (text, written) in [
            ("1h15m30.918273645s", "1h15m30.918273645s"),
            ("-1.5h", "-1h30m0s"),
            ("1000ms", "1s"),
            ("+.5ms", "500µs"),
            ("0", "0s"),
            ("1ns", "1ns"),
            ("-2562047h47m16.854775808s", "-2562047h47m16.854775808s"),
        ] {
            assert_eq!(format(parse(text).unwrap()), written, "{text}");
        }
        assert_eq!(parse("1").unwrap_err(), "time: missing unit in duration \"1\"");
        assert_eq!(parse("1x").unwrap_err(), "time: unknown unit \"x\" in duration \"1x\"");
        assert_eq!(parse("2562047h47m16.854775808s").unwrap_err().split(' ').nth(1), Some("invalid"));
    }
}
