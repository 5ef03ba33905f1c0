//! What a scalar means, in both flavours.

use crate::node::tags;
use crate::scanner::token::Flavour;
use crate::timestamp::is_timestamp;

/// The meaning of a scalar. A number carries its value; a string and a timestamp are their text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Resolved {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Timestamp,
    Str,
}

impl Resolved {
    /// The short tag of this meaning.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::Null => tags::NULL,
            Self::Bool(_) => tags::BOOL,
            Self::Int(_) | Self::Uint(_) => tags::INT,
            Self::Float(_) => tags::FLOAT,
            Self::Timestamp => tags::TIMESTAMP,
            Self::Str => tags::STR,
        }
    }
}

/// The short tag that yaml.v3 resolves a plain scalar to.
pub(crate) fn v3_tag(text: &str) -> &'static str {
    resolve(Flavour::V3, text).tag()
}

/// The meaning of a plain scalar without a tag.
pub(crate) fn resolve(flavour: Flavour, text: &str) -> Resolved {
    resolve_as(flavour, text, true)
}

/// The meaning of a scalar with an explicit tag in short form.
///
/// # Errors
/// Go's message when the text does not fit the tag.
pub(crate) fn resolve_tagged(flavour: Flavour, tag: &str, text: &str) -> Result<Resolved, String> {
    let found = match tag {
        tags::BOOL | tags::INT | tags::FLOAT | tags::NULL => resolve_as(flavour, text, false),
        tags::TIMESTAMP => resolve_as(flavour, text, true),
        _ => return Ok(Resolved::Str),
    };
    match found {
        Resolved::Int(number) if tag == tags::FLOAT => Ok(Resolved::Float(number as f64)),
        _ if found.tag() == tag => Ok(found),
        _ => Err(format!("yaml: cannot decode {} `{text}` as a {tag}", found.tag())),
    }
}

fn resolve_as(flavour: Flavour, text: &str, timestamps: bool) -> Resolved {
    let Some(first) = text.as_bytes().first() else { return Resolved::Null };
    match first {
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => {
            resolve_word(flavour, text)
        }
        b'.' => match text {
            ".nan" | ".NaN" | ".NAN" => Resolved::Float(f64::NAN),
            ".inf" | ".Inf" | ".INF" => Resolved::Float(f64::INFINITY),
            _ => dotted_float(text).map_or(Resolved::Str, Resolved::Float),
        },
        b'+' | b'-' | b'0'..=b'9' => match text {
            "+.inf" | "+.Inf" | "+.INF" => Resolved::Float(f64::INFINITY),
            "-.inf" | "-.Inf" | "-.INF" => Resolved::Float(f64::NEG_INFINITY),
            _ if timestamps && is_timestamp(text) => Resolved::Timestamp,
            _ => resolve_number(flavour, text),
        },
        _ => Resolved::Str,
    }
}

fn resolve_word(flavour: Flavour, text: &str) -> Resolved {
    match text {
        "true" | "True" | "TRUE" => Resolved::Bool(true),
        "false" | "False" | "FALSE" => Resolved::Bool(false),
        "~" | "null" | "Null" | "NULL" => Resolved::Null,
        _ if flavour == Flavour::V2 => old_bool(text).map_or(Resolved::Str, Resolved::Bool),
        _ => Resolved::Str,
    }
}

/// The booleans that YAML 1.1 has besides true and false.
pub(crate) fn old_bool(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn resolve_number(flavour: Flavour, text: &str) -> Resolved {
    // Most words that start like a number are none: versions, hashes, quantities, dates.
    if text.bytes().any(|byte| !byte.is_ascii_hexdigit() && !b"+-._xXoObBpPeE".contains(&byte)) {
        return Resolved::Str;
    }
    let stripped;
    let plain = if text.contains('_') {
        stripped = text.replace('_', "");
        &stripped
    } else {
        text
    };
    if let Some(number) = parse_int(plain) {
        return number;
    }
    if let Some(number) = yaml_float(plain) {
        return Resolved::Float(number);
    }
    // What is left after the parsers above: `0b-1`, which Go takes as well.
    let odd = match flavour {
        Flavour::V2 => odd_radix(plain, "0b", 2),
        Flavour::V3 => odd_radix(plain, "0b", 2).or_else(|| odd_radix(plain, "0o", 8)),
    };
    odd.unwrap_or(Resolved::Str)
}

/// A number as Go's `strconv.ParseInt` and `ParseUint` with base 0 read it.
fn parse_int(text: &str) -> Option<Resolved> {
    let (sign, digits) = match text.as_bytes() {
        [b'+' | b'-', ..] => text.split_at(1),
        _ => ("", text),
    };
    let (digits, radix) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (digits.get(2..)?, 16),
        [b'0', b'o' | b'O', ..] => (digits.get(2..)?, 8),
        [b'0', b'b' | b'B', ..] => (digits.get(2..)?, 2),
        [b'0', _, ..] => (digits.get(1..)?, 8),
        _ => (digits, 10),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    match sign {
        "-" => 0i64.checked_sub_unsigned(magnitude).map(Resolved::Int),
        _ => match i64::try_from(magnitude) {
            Ok(number) => Some(Resolved::Int(number)),
            Err(_) if sign.is_empty() => Some(Resolved::Uint(magnitude)),
            Err(_) => None,
        },
    }
}

fn odd_radix(plain: &str, prefix: &str, radix: u32) -> Option<Resolved> {
    let number = match plain.strip_prefix(prefix) {
        Some(digits) => digits.to_owned(),
        None => format!("-{}", plain.strip_prefix('-')?.strip_prefix(prefix)?),
    };
    i64::from_str_radix(&number, radix).ok().map(Resolved::Int)
}

/// A float as the pattern `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?` has it.
fn yaml_float(text: &str) -> Option<f64> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let whole = digits(body);
    let mut rest = &body[whole..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let length = digits(fraction);
        if whole + length == 0 {
            return None;
        }
        rest = &fraction[length..];
    } else if whole == 0 {
        return None;
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        let length = digits(exponent);
        if length == 0 || length != exponent.len() {
            return None;
        }
    } else if !rest.is_empty() {
        return None;
    }
    finite(text)
}

/// A float that starts with a dot, as Go's `strconv.ParseFloat` reads it: `_` may stand between digits.
fn dotted_float(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let between_digits = |at: usize| {
        let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
        digit(at.checked_sub(1)) && digit(at.checked_add(1))
    };
    let allowed = (0..bytes.len()).filter(|at| bytes[*at] == b'_').all(between_digits);
    if allowed { yaml_float(&text.replace('_', "")) } else { None }
}

/// Go refuses a float that is too large.
fn finite(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}
