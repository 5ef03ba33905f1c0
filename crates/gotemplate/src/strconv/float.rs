//! Floating-point numbers as Go writes and reads them.

use super::NumberError;
use super::integer::underscores_ok;

/// Go's format letters of `FormatFloat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatFormat {
    /// `e`, `E`: -d.dddde±dd
    Exponent,
    /// `f`: -ddd.dddd
    Fixed,
    /// `g`, `G`: exponent for large and small numbers, else fixed
    General,
    /// `b`: -ddddp±ddd
    Binary,
    /// `x`, `X`: -0x1.yyyyp±dd
    Hex,
}

/// The significant digits of a number: 0.d1d2d3… × 10^point.
struct Digits {
    digits: Vec<u8>,
    point: i32,
}

/// More digits than this are all zero: the longest exact expansion of a float64 has 767 significant ones, and 1,074
/// stand after the point.
const MAX_EXACT: usize = 1_100;

impl Digits {
    /// Shortest digits that read back as the same number.
    fn shortest(value: f64) -> Self {
        Digits::split(&format!("{value:e}"))
    }

    /// `count` significant digits, correctly rounded, halves to even.
    fn significant(value: f64, count: usize) -> Self {
        let count = count.clamp(1, MAX_EXACT);
        Digits::split(&format!("{value:.*e}", count - 1))
    }

    /// Rounded to `count` digits after the decimal point.
    fn fraction(value: f64, count: usize) -> Self {
        let text = format!("{value:.*}", count.min(MAX_EXACT));
        let (int, frac) = text.split_once('.').unwrap_or((&text, ""));
        let all: Vec<u8> = int.bytes().chain(frac.bytes()).collect();
        let zeros = all.iter().take_while(|d| **d == b'0').count();
        let digits = all.get(zeros..).unwrap_or_default().to_vec();
        let point = i32::try_from(int.len()).unwrap_or(0) - i32::try_from(zeros).unwrap_or(0);
        Digits { digits, point }.trimmed()
    }

    /// From Rust's `1.2345e10`.
    fn split(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let digits = mantissa.bytes().filter(u8::is_ascii_digit).collect();
        Digits { digits, point: exponent.parse::<i32>().unwrap_or(0) + 1 }.trimmed()
    }

    /// Without trailing zeros; zero has no digits at all.
    fn trimmed(mut self) -> Self {
        while self.digits.last() == Some(&b'0') {
            self.digits.pop();
        }
        if self.digits.is_empty() {
            self.point = 0;
        }
        self
    }

    fn len(&self) -> i32 {
        i32::try_from(self.digits.len()).unwrap_or(i32::MAX)
    }

    fn digit(&self, index: i32) -> u8 {
        usize::try_from(index).ok().and_then(|i| self.digits.get(i)).copied().unwrap_or(b'0')
    }
}

/// Go's `AppendFloat(out, value, format, precision, 64)`; `None` is precision -1, the shortest that reads back.
/// `upper` gives `E`, `G`, `X`.
pub fn append_float(
    out: &mut Vec<u8>,
    value: f64,
    format: FloatFormat,
    precision: Option<usize>,
    upper: bool,
) {
    if value.is_nan() {
        return out.extend_from_slice(b"NaN");
    }
    if value.is_infinite() {
        return out.extend_from_slice(if value > 0.0 { b"+Inf" } else { b"-Inf" });
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    let value = value.abs();
    match format {
        FloatFormat::Binary => binary(out, value),
        FloatFormat::Hex => hex(out, value, precision, upper),
        FloatFormat::Exponent => {
            let digits = match precision {
                None => Digits::shortest(value),
                Some(p) => Digits::significant(value, p + 1),
            };
            let precision = precision.unwrap_or(digits.digits.len().saturating_sub(1));
            exponent(out, &digits, precision, upper);
        }
        FloatFormat::Fixed => {
            let digits = match precision {
                None => Digits::shortest(value),
                Some(p) => Digits::fraction(value, p),
            };
            let shortest = usize::try_from(digits.len() - digits.point).unwrap_or(0);
            fixed(out, &digits, precision.unwrap_or(shortest));
        }
        FloatFormat::General => general(out, value, precision, upper),
    }
}

fn general(out: &mut Vec<u8>, value: f64, precision: Option<usize>, upper: bool) {
    let digits = match precision {
        None => Digits::shortest(value),
        Some(p) => Digits::significant(value, p),
    };
    let wanted = precision.map_or(digits.len(), |p| i32::try_from(p.max(1)).unwrap_or(i32::MAX));
    let threshold = match precision {
        None => 6,
        Some(_) if wanted > digits.len() && digits.len() >= digits.point => digits.len(),
        Some(_) => wanted,
    };
    let scale = digits.point - 1;
    if scale < -4 || scale >= threshold {
        let places = wanted.min(digits.len()) - 1;
        return exponent(out, &digits, usize::try_from(places).unwrap_or(0), upper);
    }
    let places = if wanted > digits.point { digits.len() } else { wanted } - digits.point;
    fixed(out, &digits, usize::try_from(places).unwrap_or(0));
}

fn exponent(out: &mut Vec<u8>, digits: &Digits, precision: usize, upper: bool) {
    out.push(digits.digit(0));
    if precision > 0 {
        out.push(b'.');
        let tail = digits.digits.get(1..).unwrap_or_default();
        let shown = tail.get(..precision).unwrap_or(tail);
        out.extend_from_slice(shown);
        out.resize(out.len() + precision - shown.len(), b'0');
    }
    out.push(if upper { b'E' } else { b'e' });
    let exp = if digits.digits.is_empty() { 0 } else { digits.point - 1 };
    out.extend_from_slice(format!("{}{:02}", if exp < 0 { '-' } else { '+' }, exp.abs()).as_bytes());
}

fn fixed(out: &mut Vec<u8>, digits: &Digits, precision: usize) {
    if digits.point > 0 {
        out.extend((0..digits.point).map(|i| digits.digit(i)));
    } else {
        out.push(b'0');
    }
    if precision > 0 {
        out.push(b'.');
        let places = i32::try_from(precision).unwrap_or(i32::MAX);
        out.extend((0..places).map(|i| digits.digit(digits.point + i)));
    }
}

/// Mantissa (with the implicit bit) and exponent of its lowest bit.
fn parts(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let exponent = i32::try_from((bits >> 52) & 0x7ff).unwrap_or(0);
    let fraction = bits & ((1 << 52) - 1);
    if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) }
}

fn binary(out: &mut Vec<u8>, value: f64) {
    let (mantissa, exponent) = parts(value);
    out.extend_from_slice(format!("{mantissa}p{exponent:+}").as_bytes());
}

fn hex(out: &mut Vec<u8>, value: f64, precision: Option<usize>, upper: bool) {
    const ONE: u64 = 1 << 60;
    let (mut mantissa, exponent) = parts(value);
    let mut exp = if mantissa == 0 { 0 } else { exponent + 52 };
    mantissa <<= 8;
    while mantissa != 0 && mantissa & ONE == 0 {
        mantissa <<= 1;
        exp -= 1;
    }
    if let Some(p) = precision.filter(|p| *p < 15) {
        let shift = p * 4;
        let extra = (mantissa << shift) & (ONE - 1);
        mantissa >>= 60 - shift;
        if extra | (mantissa & 1) > ONE >> 1 {
            mantissa += 1;
        }
        mantissa <<= 60 - shift;
        if mantissa & (1 << 61) != 0 {
            mantissa >>= 1;
            exp += 1;
        }
    }
    let mut text = format!("0x{}", (mantissa >> 60) & 1);
    let fraction = format!("{:015x}", mantissa & (ONE - 1));
    match precision {
        None if mantissa & (ONE - 1) != 0 => {
            text.push('.');
            text.push_str(fraction.trim_end_matches('0'));
        }
        None | Some(0) => {}
        Some(p) => {
            text.push('.');
            text.push_str(fraction.get(..p).unwrap_or(&fraction));
            text.extend(std::iter::repeat_n('0', p.saturating_sub(15)));
        }
    }
    text.push_str(&format!("p{}{:02}", if exp < 0 { '-' } else { '+' }, exp.abs()));
    if upper {
        text.make_ascii_uppercase();
    }
    out.extend_from_slice(text.as_bytes());
}

/// Go's `ParseFloat(s, 64)`: decimal and hexadecimal numbers, underscores as in Go source, `inf`, `infinity`, `nan`.
///
/// # Errors
/// Not a number, or too large.
pub fn parse_float(s: &[u8]) -> Result<f64, NumberError> {
    let (negative, rest) = match s {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, s),
    };
    let signed = |v: f64| if negative { -v } else { v };
    let lower = rest.to_ascii_lowercase();
    match lower.as_slice() {
        b"inf" | b"infinity" => return Ok(signed(f64::INFINITY)),
        b"nan" if rest.len() == s.len() => return Ok(f64::NAN),
        _ => {}
    }
    let text: String = lower.iter().filter(|c| **c != b'_').map(|c| char::from(*c)).collect();
    if text.len() < lower.len() && !underscores_ok(s) {
        return Err(NumberError::Syntax);
    }
    let value = match text.strip_prefix("0x") {
        Some(hex) => parse_hex(hex)?,
        None => parse_decimal(&text)?,
    };
    if value.is_infinite() { Err(NumberError::Range) } else { Ok(signed(value)) }
}

fn parse_decimal(text: &str) -> Result<f64, NumberError> {
    let plain = text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'.' | b'e' | b'+' | b'-'));
    let unsigned = !text.starts_with(['+', '-']);
    if plain && unsigned { text.parse().map_err(|_| NumberError::Syntax) } else { Err(NumberError::Syntax) }
}

/// After `0x`: digits, optional fraction, and an exponent of two that must be there.
fn parse_hex(text: &str) -> Result<f64, NumberError> {
    let (digits, exponent) = text.split_once('p').ok_or(NumberError::Syntax)?;
    let (int, frac) = digits.split_once('.').unwrap_or((digits, ""));
    let exponent_digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if int.len() + frac.len() == 0
        || exponent_digits.is_empty()
        || !exponent_digits.bytes().all(|c| c.is_ascii_digit())
    {
        return Err(NumberError::Syntax);
    }
    let magnitude = exponent_digits.parse::<i64>().unwrap_or(100_000).min(100_000);
    let mut exp = if exponent.starts_with('-') { -magnitude } else { magnitude };
    let mut mantissa = 0u64;
    let mut sticky = false;
    for (i, c) in int.bytes().chain(frac.bytes()).enumerate() {
        let d = char::from(c).to_digit(16).ok_or(NumberError::Syntax)?;
        if i >= int.len() {
            exp -= 4;
        }
        if mantissa >> 58 == 0 {
            mantissa = mantissa << 4 | u64::from(d);
        } else {
            exp += 4;
            sticky |= d != 0;
        }
    }
    Ok(scale(mantissa | u64::from(sticky), exp))
}

/// `mantissa` × 2^`exp`, rounded to nearest even once.
fn scale(mantissa: u64, exp: i64) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    let bits = 64 - i64::from(mantissa.leading_zeros());
    let lowest = (exp + bits - 53).max(-1074);
    let drop = lowest - exp;
    let kept = match u32::try_from(drop) {
        Err(_) => mantissa,
        Ok(0) => mantissa,
        Ok(d) if d > 64 => 0,
        Ok(d) => {
            let wide = u128::from(mantissa);
            let (quotient, rest, half) = (wide >> d, wide & ((1 << d) - 1), 1u128 << (d - 1));
            let up = rest > half || rest == half && quotient & 1 == 1;
            u64::try_from(quotient).unwrap_or(0) + u64::from(up)
        }
    };
    let exp = if drop > 0 { lowest } else { exp };
    let mut value = kept as f64;
    let mut left = exp;
    while left != 0 && value != 0.0 && value.is_finite() {
        let step = left.clamp(-1000, 1000);
        value *= 2f64.powi(i32::try_from(step).unwrap_or(0));
        left -= step;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(v: f64, f: FloatFormat, p: Option<usize>) -> String {
        let mut out = Vec::new();
        append_float(&mut out, v, f, p, false);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn general_switches_to_exponents_as_go_does() {
        for (v, want) in [
            (0.0, "0"),
            (1e6, "1e+06"),
            (123456.0, "123456"),
            (1234567.0, "1.234567e+06"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-2.5, "-2.5"),
            (1e300, "1e+300"),
        ] {
            assert_eq!(text(v, FloatFormat::General, None), want);
        }
        assert_eq!(text(100000.0, FloatFormat::General, Some(3)), "1e+05");
        assert_eq!(text(0.1, FloatFormat::Fixed, Some(20)), "0.10000000000000000555");
        assert_eq!(text(2.5, FloatFormat::Fixed, Some(0)), "2");
        assert_eq!(text(1.0, FloatFormat::Hex, None), "0x1p+00");
        assert_eq!(text(1.0, FloatFormat::Binary, None), "4503599627370496p-52");
    }

    #[test]
    fn reads_hexadecimal_floats() {
        assert_eq!(parse_float(b"0x1.8p1"), Ok(3.0));
        assert_eq!(parse_float(b"0x1p-1074"), Ok(5e-324));
        assert_eq!(parse_float(b"0x1p-1075"), Ok(0.0));
        assert_eq!(parse_float(b"0x1p2000"), Err(NumberError::Range));
        assert_eq!(parse_float(b"0x1"), Err(NumberError::Syntax));
        assert_eq!(parse_float(b"1_0.5"), Ok(10.5));
    }
}
