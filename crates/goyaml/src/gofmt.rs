//! Numbers and strings as Go prints them.

/// The digits of a float and where its point stands: `0.digits × 10^point`.
struct Decimal {
    negative: bool,
    digits: String,
    point: i32,
}

impl Decimal {
    /// From Rust's `{:e}`, which has the shortest digits that read back as the same number.
    fn new(scientific: &str) -> Self {
        let (negative, body) = match scientific.strip_prefix('-') {
            Some(body) => (true, body),
            None => (false, scientific),
        };
        let (mantissa, exponent) = body.split_once('e').unwrap_or((body, "0"));
        let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        let exponent: i32 = exponent.parse().unwrap_or(0);
        let zero = digits == "0";
        Self { negative, digits, point: if zero { 1 } else { exponent + 1 } }
    }

    /// Format `%e`.
    fn scientific(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let (first, rest) = self.digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let exponent = self.point - 1;
        let exponent_sign = if exponent < 0 { '-' } else { '+' };
        format!("{sign}{first}{point}{rest}e{exponent_sign}{:02}", exponent.unsigned_abs())
    }

    /// Format `%f`.
    fn fixed(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let length = self.digits.len();
        match usize::try_from(self.point) {
            Ok(point) if point >= length => format!("{sign}{}{}", self.digits, "0".repeat(point - length)),
            Ok(point) if point > 0 => {
                let (whole, fraction) = self.digits.split_at(point);
                format!("{sign}{whole}.{fraction}")
            }
            _ => {
                let zeros = "0".repeat(usize::try_from(-self.point).unwrap_or(0));
                format!("{sign}0.{zeros}{}", self.digits)
            }
        }
    }

    /// Format `%g` with the shortest digits.
    fn general(&self) -> String {
        let exponent = self.point - 1;
        if (-4..6).contains(&exponent) { self.fixed() } else { self.scientific() }
    }
}

/// The shortest digits that read back as `number`. Of two that are equally close Go takes the even one, as
/// Rust does only when it is asked for a number of digits.
fn shortest_64(number: f64) -> Decimal {
    let text = format!("{number:e}");
    let digits = text.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit).count();
    if digits >= 15 {
        let rounded = format!("{number:.*e}", digits - 1);
        if rounded.parse() == Ok(number) {
            return Decimal::new(&rounded);
        }
    }
    Decimal::new(&text)
}

/// `strconv.FormatFloat(number, 'g', -1, 64)` for a finite number.
pub(crate) fn float_64(number: f64) -> String {
    shortest_64(number).general()
}

/// `strconv.FormatFloat(number, 'g', -1, 32)` for a finite number.
pub(crate) fn float_32(number: f64) -> String {
    let number = number as f32;
    if number.is_infinite() {
        return if number > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() };
    }
    Decimal::new(&format!("{number:e}")).general()
}

/// A finite float as `encoding/json` writes it.
pub(crate) fn json_float(number: f64) -> String {
    let decimal = shortest_64(number);
    let size = number.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        // `1e-09` is written as `1e-9`.
        let text = decimal.scientific();
        return text.replacen("e-0", "e-", 1);
    }
    decimal.fixed()
}

/// `strconv.Quote`, for the characters that messages commonly hold.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0C' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0B' => out.push_str("\\v"),
            ' ' => out.push(' '),
            _ if u32::from(character) < 0x20 || character == '\x7F' => {
                out.push_str(&format!("\\x{:02x}", u32::from(character)));
            }
            _ if character.is_control() || character.is_whitespace() || character == '\u{FEFF}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}
