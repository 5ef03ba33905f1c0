//! Strings, bytes, booleans, and padding.

use super::{Printed, Printer};
use crate::strconv::quote::{append_quoted, append_quoted_rune};
use crate::strconv::{can_backquote, decode_rune, is_print, push_char, rune_count};

impl Printer<'_> {
    /// Writes `n` bytes of padding.
    pub(super) fn padding(&mut self, n: usize) -> Printed {
        if self.out.len().saturating_add(n) > self.max {
            return Err(super::Stop::TooLong);
        }
        let byte = if self.flags.zero && !self.flags.minus { b'0' } else { b' ' };
        self.out.resize(self.out.len() + n, byte);
        Ok(())
    }

    /// Writes bytes, padded to the width in characters.
    pub(super) fn pad(&mut self, bytes: &[u8]) -> Printed {
        let missing = match self.flags.width {
            None | Some(0) => return self.write(bytes),
            Some(width) => width.saturating_sub(rune_count(bytes)),
        };
        if self.flags.minus {
            self.write(bytes)?;
            return self.padding(missing);
        }
        self.padding(missing)?;
        self.write(bytes)
    }

    /// [`Printer::pad`], never with zeros.
    pub(super) fn pad_spaces(&mut self, bytes: &[u8]) -> Printed {
        let zero = std::mem::take(&mut self.flags.zero);
        let done = self.pad(bytes);
        self.flags.zero = zero;
        done
    }

    /// Cut to the precision in characters.
    fn truncated<'s>(&self, s: &'s [u8]) -> &'s [u8] {
        let Some(precision) = self.flags.precision else { return s };
        let mut rest = s;
        for _ in 0..precision {
            match decode_rune(rest) {
                Some((_, width)) => rest = rest.get(width..).unwrap_or_default(),
                None => return s,
            }
        }
        s.get(..s.len() - rest.len()).unwrap_or(s)
    }

    pub(super) fn bool(&mut self, value: bool) -> Printed {
        self.pad(if value { b"true" } else { b"false" })
    }

    /// `%s`
    pub(super) fn plain(&mut self, s: &[u8]) -> Printed {
        let s = self.truncated(s);
        self.pad(s)
    }

    /// `%q`
    pub(super) fn quoted(&mut self, s: &[u8]) -> Printed {
        let s = self.truncated(s);
        if s.len() > self.max {
            return Err(super::Stop::TooLong);
        }
        let mut text = Vec::with_capacity(s.len() + 2);
        if self.flags.sharp && can_backquote(s) {
            text.push(b'`');
            text.extend_from_slice(s);
            text.push(b'`');
        } else {
            append_quoted(&mut text, s, self.flags.plus);
        }
        self.pad(&text)
    }

    /// `%x` and `%X` of a string.
    pub(super) fn hex_bytes(&mut self, s: &[u8], upper: bool) -> Printed {
        let s = s.get(..self.flags.precision.unwrap_or(s.len())).unwrap_or(s);
        if s.len() > self.max {
            return Err(super::Stop::TooLong);
        }
        let digits: &[u8; 16] = if upper { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
        let prefix: &[u8] = match (self.flags.sharp, upper) {
            (false, _) => b"",
            (true, false) => b"0x",
            (true, true) => b"0X",
        };
        let mut text = Vec::with_capacity(s.len() * 2 + 2);
        for (i, b) in s.iter().enumerate() {
            if i > 0 && self.flags.space {
                text.push(b' ');
            }
            if i == 0 || self.flags.space {
                text.extend_from_slice(prefix);
            }
            for nibble in [b >> 4, b & 15] {
                text.extend(digits.get(usize::from(nibble)));
            }
        }
        self.pad(&text)
    }

    /// `%c`
    pub(super) fn character(&mut self, code: u64) -> Printed {
        let mut text = Vec::new();
        push_char(&mut text, rune(code));
        self.pad(&text)
    }

    /// `%q` of an integer
    pub(super) fn quoted_character(&mut self, code: u64) -> Printed {
        let mut text = Vec::new();
        append_quoted_rune(&mut text, rune(code), self.flags.plus);
        self.pad(&text)
    }

    /// `%U`
    pub(super) fn unicode(&mut self, code: u64) -> Printed {
        let precision = self.flags.precision.filter(|p| *p > 4).unwrap_or(4);
        let mut text = format!("U+{code:0precision$X}", precision = precision.min(1000));
        if precision > 1000 {
            let zeros = precision - 1000;
            text.insert_str(2, &"0".repeat(zeros));
        }
        if self.flags.sharp
            && let Some(c) = u32::try_from(code).ok().and_then(char::from_u32).filter(|c| is_print(*c))
        {
            text.push_str(&format!(" '{c}'"));
        }
        self.pad_spaces(text.as_bytes())
    }
}

fn rune(code: u64) -> char {
    u32::try_from(code).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}
