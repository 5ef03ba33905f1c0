//! Integers and floats.

use super::{Printed, Printer};
use crate::strconv::{FloatFormat, append_float};

impl Printer<'_> {
    /// An integer in a base. `O` puts `0o` before it.
    pub(super) fn integer(&mut self, magnitude: u64, negative: bool, base: u32, verb: char) -> Printed {
        let flags = self.flags;
        if flags.precision == Some(0) && magnitude == 0 {
            self.flags.zero = false;
            let done = self.padding(flags.width.unwrap_or(0));
            self.flags.zero = flags.zero;
            return done;
        }
        let mut digits = match (base, verb) {
            (2, _) => format!("{magnitude:b}"),
            (8, _) => format!("{magnitude:o}"),
            (16, 'X') => format!("{magnitude:X}"),
            (16, _) => format!("{magnitude:x}"),
            _ => format!("{magnitude}"),
        };
        let signed = negative || flags.plus || flags.space;
        let wanted = match (flags.precision, flags.width) {
            (Some(p), _) => p,
            (None, Some(w)) if flags.zero && !flags.minus => w.saturating_sub(usize::from(signed)),
            _ => 0,
        };
        if digits.len() < wanted {
            digits.insert_str(0, &"0".repeat(wanted - digits.len()));
        }
        let sharp = match (flags.sharp, base, verb) {
            (true, 2, _) => "0b",
            (true, 8, _) if !digits.starts_with('0') => "0",
            (true, 16, 'X') => "0X",
            (true, 16, _) => "0x",
            _ => "",
        };
        let octal = if verb == 'O' { "0o" } else { "" };
        let sign = match (negative, flags.plus, flags.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (.., true) => " ",
            _ => "",
        };
        self.pad_spaces(format!("{sign}{octal}{sharp}{digits}").as_bytes())
    }

    /// A float. `default` is the precision when the directive has none.
    pub(super) fn float(&mut self, value: f64, verb: char, default: Option<usize>) -> Printed {
        let precision = self.flags.precision.or(default);
        let mut text = Vec::new();
        append_float(&mut text, value, float_format(verb), precision, verb.is_ascii_uppercase());
        if !matches!(text.first(), Some(b'-' | b'+')) {
            text.insert(0, b'+');
        }
        if self.flags.space && text.first() == Some(&b'+') && !self.flags.plus {
            text.splice(..1, *b" ");
        }
        if matches!(text.get(1), Some(b'I' | b'N')) {
            // Neither is padded with zeros. Infinities always show their sign, NaN only when asked.
            let unsigned = text.get(1) == Some(&b'N') && !self.flags.space && !self.flags.plus;
            return self.pad_spaces(text.get(usize::from(unsigned)..).unwrap_or_default());
        }
        if self.flags.sharp && verb != 'b' {
            self.restore_zeros(&mut text, verb, precision);
        }
        self.signed_number(&text)
    }

    /// A number whose first byte is its sign.
    fn signed_number(&mut self, text: &[u8]) -> Printed {
        let (sign, digits) = text.split_at_checked(1).unwrap_or((b"+", text));
        if !self.flags.plus && sign == b"+" {
            return self.pad(digits);
        }
        match self.flags.width {
            Some(width) if self.flags.zero && !self.flags.minus && width > text.len() => {
                self.write(sign)?;
                self.padding(width - text.len())?;
                self.write(digits)
            }
            _ => self.pad(text),
        }
    }

    /// `#`: a decimal point always, and the trailing zeros that `%g` drops. The first byte of the text is the sign.
    fn restore_zeros(&self, text: &mut Vec<u8>, verb: char, precision: Option<usize>) {
        let mut digits = match verb {
            'g' | 'G' | 'v' | 'x' => i64::try_from(precision.unwrap_or(6)).unwrap_or(6),
            _ => 0,
        };
        let exponent = |b: &u8| match verb {
            'x' | 'X' => matches!(b, b'p' | b'P'),
            _ => matches!(b, b'e' | b'E'),
        };
        let tail_at = text.iter().position(exponent).unwrap_or(text.len());
        let tail = text.split_off(tail_at);
        let (mut point, mut nonzero) = (false, false);
        for &b in text.get(1..).unwrap_or_default() {
            if b == b'.' {
                point = true;
                continue;
            }
            nonzero |= b != b'0';
            digits -= i64::from(nonzero);
        }
        if !point {
            if text.get(1..) == Some(b"0") {
                digits -= 1;
            }
            text.push(b'.');
        }
        text.extend(std::iter::repeat_n(b'0', usize::try_from(digits).unwrap_or(0)));
        text.extend(tail);
    }
}

fn float_format(verb: char) -> FloatFormat {
    match verb {
        'b' => FloatFormat::Binary,
        'x' | 'X' => FloatFormat::Hex,
        'e' | 'E' => FloatFormat::Exponent,
        'f' | 'F' => FloatFormat::Fixed,
        _ => FloatFormat::General,
    }
}
