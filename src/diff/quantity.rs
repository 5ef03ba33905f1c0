//! Quantities and durations in the form in which Kubernetes writes them, so that `1000m` and `1` are the same.

const NANO: i128 = 1_000_000_000;
const BINARY: &[&str] = &["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
/// Decimal suffixes by a third of their exponent, from 10⁻⁹ on.
const DECIMAL: &[&str] = &["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];

enum Form {
    Decimal,
    Exponent,
    Binary,
}

/// The canonical form of a quantity; nothing for text that is none, or that is beyond what fits.
pub(super) fn canonical_quantity(text: &str) -> Option<String> {
    let text = text.trim();
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let digits: i128 = format!("0{whole}{fraction}").parse().ok()?;
    let places = u32::try_from(fraction.len()).ok()?;
    let (form, nano) = if let Some(power) = BINARY.iter().skip(1).position(|known| *known == suffix) {
        let factor = 1024_i128.checked_pow(u32::try_from(power).ok()? + 1)?;
        (Form::Binary, scaled(digits.checked_mul(factor)?, 9 - i64::from(places))?)
    } else if let Some(third) = DECIMAL.iter().position(|known| *known == suffix) {
        (Form::Decimal, scaled(digits, i64::try_from(third).ok()? * 3 - i64::from(places))?)
    } else {
        let exponent: i64 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
        (Form::Exponent, scaled(digits, exponent + 9 - i64::from(places))?)
    };
    let sign = if negative && nano != 0 { "-" } else { "" };
    Some(format!("{sign}{}", written(nano, &form)))
}

/// `digits × 10^exponent`, rounded up.
fn scaled(digits: i128, exponent: i64) -> Option<i128> {
    if digits == 0 {
        return Some(0);
    }
    let factor = 10_i128.checked_pow(u32::try_from(exponent.unsigned_abs()).ok()?);
    if exponent >= 0 {
        digits.checked_mul(factor?)
    } else {
        Some(factor.map_or(1, |factor| digits / factor + i128::from(digits % factor != 0)))
    }
}

fn written(nano: i128, form: &Form) -> String {
    if nano == 0 {
        return "0".to_owned();
    }
    if matches!(form, Form::Binary) && nano >= 1024 * NANO {
        let mut value = nano / NANO + i128::from(nano % NANO != 0);
        let mut power = 0;
        while value % 1024 == 0 && power + 1 < BINARY.len() {
            value /= 1024;
            power += 1;
        }
        return format!("{value}{}", BINARY.get(power).copied().unwrap_or_default());
    }
    let (mut value, mut third) = (nano, 0);
    while value % 1000 == 0 && third + 1 < DECIMAL.len() {
        value /= 1000;
        third += 1;
    }
    match form {
        Form::Exponent if third == 3 => value.to_string(),
        Form::Exponent => format!("{value}e{}", (i64::try_from(third).unwrap_or_default() - 3) * 3),
        _ => format!("{value}{}", DECIMAL.get(third).copied().unwrap_or_default()),
    }
}

/// A duration as Go prints it: `90s` is `1m30s`.
pub(super) fn canonical_duration(text: &str) -> Option<String> {
    let nanos = crate::api::parse_go_duration(text).ok()?.as_nanos();
    let second = 1_000_000_000;
    let fraction = |value: u128, unit: u128| {
        let text = format!("{}.{:0width$}", value / unit, value % unit, width = unit.ilog10() as usize);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    Some(match nanos {
        0 => "0s".to_owned(),
        1..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => format!("{}µs", fraction(nanos, 1_000)),
        1_000_000..1_000_000_000 => format!("{}ms", fraction(nanos, 1_000_000)),
        _ => {
            let (minutes, rest) = (nanos / (60 * second), nanos % (60 * second));
            let seconds = fraction(rest, second);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{seconds}s"),
                (0, minutes) => format!("{minutes}m{seconds}s"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_quantities_have_one_form() {
        let cases = [
            ("1000m", "1"),
            ("0.1", "100m"),
            ("1.5Gi", "1536Mi"),
            ("0.5Ki", "512"),
            ("1024Mi", "1Gi"),
            ("1000", "1k"),
            ("1e3", "1e3"),
            ("100e1", "1e3"),
            ("0", "0"),
            ("-2000m", "-2"),
            ("1E", "1E"),
            ("0.0000000001", "1n"),
            ("1500m", "1500m"),
        ];
        for (text, wanted) in cases {
            assert_eq!(canonical_quantity(text).as_deref(), Some(wanted), "{text}");
        }
        for text in ["", "x", "1x", "1.2.3", "9999999999999999999999999999999999999999", "1e999999999"] {
            assert_eq!(canonical_quantity(text), None, "{text}");
        }
    }

    #[test]
    fn durations_are_printed_as_go_does() {
        for (text, wanted) in
            [("90s", "1m30s"), ("1h", "1h0m0s"), ("1500ms", "1.5s"), ("0.5ms", "500µs"), ("0s", "0s")]
        {
            assert_eq!(canonical_duration(text).as_deref(), Some(wanted), "{text}");
        }
    }
}
