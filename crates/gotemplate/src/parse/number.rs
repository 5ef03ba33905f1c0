//! Numeric constants.

use super::ast::{At, Number};
use super::token::Kind;
use crate::strconv::quote::Unquoted;
use crate::strconv::{NumberError, parse_float, parse_int, parse_uint, quote, unquote_char};

const TWO_63: f64 = 9_223_372_036_854_775_808.0;

impl Number {
    /// Reads a constant as Go's ideal constants: in every type that can represent it.
    ///
    /// # Errors
    /// Go's message.
    pub(super) fn read(at: At, text: &[u8], kind: Kind) -> Result<Number, String> {
        let mut number = Number { at, text: String::from_utf8_lossy(text).into_owned(), ..Number::default() };
        match kind {
            Kind::CharConstant => number.read_char(text)?,
            Kind::Complex => number.set_complex(read_complex(text)?),
            _ => number.read_plain(text)?,
        }
        Ok(number)
    }

    fn read_char(&mut self, text: &[u8]) -> Result<(), String> {
        let inner = text.get(1..).unwrap_or_default();
        let (c, tail) = unquote_char(inner, b'\'').ok_or("invalid syntax")?;
        if tail != b"'" {
            return Err(format!("malformed character constant: {}", self.text));
        }
        let code = match c {
            Unquoted::Char(c) => u32::from(c),
            Unquoted::Byte(b) => u32::from(b),
        };
        self.int = Some(i64::from(code));
        self.uint = Some(u64::from(code));
        self.float = Some(f64::from(code));
        Ok(())
    }

    fn set_complex(&mut self, (re, im): (f64, f64)) {
        self.complex = Some((re, im));
        if im == 0.0 {
            self.float = Some(re);
            self.promote_float(re);
        }
    }

    fn promote_float(&mut self, f: f64) {
        if f.fract() != 0.0 || f.is_nan() {
            return;
        }
        if (-TWO_63..TWO_63).contains(&f) {
            self.int = self.int.or(Some(f as i64));
        }
        if (0.0..2.0 * TWO_63).contains(&f) {
            self.uint = self.uint.or(Some(f as u64));
        }
    }

    fn read_plain(&mut self, text: &[u8]) -> Result<(), String> {
        if let Some(imaginary) = text.strip_suffix(b"i")
            && let Ok(im) = parse_float(imaginary)
        {
            self.set_complex((0.0, im));
            return Ok(());
        }
        self.uint = parse_uint(text, 0).ok();
        self.int = parse_int(text, 0).ok();
        if self.int == Some(0) {
            self.uint = Some(0);
        }
        if let Some(i) = self.int {
            self.float = Some(i as f64);
        } else if let Some(u) = self.uint {
            self.float = Some(u as f64);
        } else if let Ok(f) = parse_float(text) {
            if !text.iter().any(|b| b".eEpP".contains(b)) {
                return Err(format!("integer overflow: {}", quote(text)));
            }
            self.float = Some(f);
            self.promote_float(f);
        }
        if self.float.is_none() {
            return Err(format!("illegal number syntax: {}", quote(text)));
        }
        Ok(())
    }
}

/// Two floats, the second with a sign and an `i`.
fn read_complex(text: &[u8]) -> Result<(f64, f64), String> {
    let split = float_len(text);
    let (re, im) = text.split_at_checked(split).unwrap_or((text, b""));
    if im.len() != float_len(im) + 1 || !im.ends_with(b"i") || !im.starts_with(b"+") && !im.starts_with(b"-")
    {
        return Err("syntax error scanning complex number".into());
    }
    let float = |s: &[u8]| {
        parse_float(s).map_err(|e: NumberError| format!("strconv.ParseFloat: parsing {}: {e}", quote(s)))
    };
    Ok((float(re)?, float(im.strip_suffix(b"i").unwrap_or(im))?))
}

/// Length of the float at the start, as Go's `fmt.Sscan` cuts it.
fn float_len(s: &[u8]) -> usize {
    let mut i = 0;
    let run = |i: &mut usize, set: &[u8]| {
        while s.get(*i).is_some_and(|b| set.contains(b)) {
            *i += 1;
        }
    };
    let one = |i: &mut usize, set: &[u8]| {
        let found = s.get(*i).is_some_and(|b| set.contains(b));
        *i += usize::from(found);
        found
    };
    one(&mut i, b"+-");
    let hex = one(&mut i, b"0") && one(&mut i, b"xX");
    let digits: &[u8] = if hex { b"0123456789abcdefABCDEF_" } else { b"0123456789_" };
    run(&mut i, digits);
    if one(&mut i, b".") {
        run(&mut i, digits);
    }
    if one(&mut i, if hex { b"pP" } else { b"eEpP" }) {
        one(&mut i, b"+-");
        run(&mut i, b"0123456789_");
    }
    i
}
