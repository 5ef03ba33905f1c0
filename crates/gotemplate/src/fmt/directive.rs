//! `Printf`: directives with flags, width, precision and argument indexes.

use super::{Flags, Printed, Printer};
use crate::strconv::{decode_rune, push_char};
use crate::value::Value;

/// Widths and precisions above a million are refused.
const TOO_LARGE: i64 = 1_000_000;

/// Where the directive being read takes its next argument from.
struct Cursor<'f, 'v> {
    format: &'f [u8],
    pos: usize,
    args: &'v [Value],
    next: usize,
    /// Some directive had an index such as `[3]`.
    reordered: bool,
    /// The index of this directive is in range.
    good_index: bool,
    /// An index has just been read.
    after_index: bool,
}

impl Cursor<'_, '_> {
    fn byte(&self) -> Option<u8> {
        self.format.get(self.pos).copied()
    }

    /// A decimal number. `Some(None)`: digits, but too large.
    fn number(&mut self) -> Option<i64> {
        let mut value = None;
        while let Some(d) = self.byte().filter(u8::is_ascii_digit) {
            if value.unwrap_or(0) > TOO_LARGE {
                self.pos = self.format.len();
                return None;
            }
            value = Some(value.unwrap_or(0) * 10 + i64::from(d - b'0'));
            self.pos += 1;
        }
        value
    }

    /// An argument index in brackets, if one is next.
    fn index(&mut self) {
        self.after_index = false;
        if self.byte() != Some(b'[') {
            return;
        }
        self.reordered = true;
        let rest = self.format.get(self.pos..).unwrap_or_default();
        let close = rest.iter().position(|b| *b == b']').filter(|_| rest.len() >= 3);
        let Some(close) = close else {
            self.good_index = false;
            self.pos += 1;
            return;
        };
        let digits = rest.get(1..close).unwrap_or_default();
        let parsed = std::str::from_utf8(digits)
            .ok()
            .filter(|s| {
                !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit()) && s.trim_start_matches('0').len() <= 7
            })
            .and_then(|s| s.parse::<i64>().ok())
            .filter(|n| *n <= TOO_LARGE * 10 + 9);
        self.pos += close + 1;
        self.after_index = parsed.is_some();
        match parsed.and_then(|n| usize::try_from(n - 1).ok()).filter(|n| *n < self.args.len()) {
            Some(n) => self.next = n,
            None => self.good_index = false,
        }
    }

    /// The next argument as a number for `*`.
    fn star(&mut self) -> Option<i64> {
        let arg = self.args.get(self.next)?;
        self.next += 1;
        let n = match arg.underlying() {
            Value::Int(i) | Value::Int64(i) => i,
            Value::Uint8(u) => i64::from(u),
            Value::Uint64(u) => i64::try_from(u).ok()?,
            _ => return None,
        };
        (-TOO_LARGE..=TOO_LARGE).contains(&n).then_some(n)
    }
}

fn size(n: i64) -> Option<usize> {
    usize::try_from(n).ok()
}

impl Printer<'_> {
    /// `fmt.Fprintf`
    pub(crate) fn printf(&mut self, format: &[u8], args: &[Value]) -> Printed {
        let mut cursor =
            Cursor { format, pos: 0, args, next: 0, reordered: false, good_index: true, after_index: false };
        loop {
            let rest = format.get(cursor.pos..).unwrap_or_default();
            let literal = rest.iter().position(|b| *b == b'%').unwrap_or(rest.len());
            self.write(rest.get(..literal).unwrap_or_default())?;
            cursor.pos += literal + 1;
            if cursor.pos > format.len() {
                break;
            }
            cursor.good_index = true;
            self.flags = Flags::default();
            self.directive(&mut cursor)?;
        }
        self.flags = Flags::default();
        let rest = args.get(cursor.next..).unwrap_or_default();
        if !cursor.reordered && !rest.is_empty() {
            self.extra(rest)?;
        }
        Ok(())
    }

    fn extra(&mut self, rest: &[Value]) -> Printed {
        self.put("%!(EXTRA ")?;
        for (i, value) in rest.iter().enumerate() {
            if i > 0 {
                self.put(", ")?;
            }
            self.put(&value.type_name())?;
            if !matches!(value, Value::Nil) {
                self.put("=")?;
                self.argument(value, 'v')?;
            }
        }
        self.put(")")
    }

    fn directive(&mut self, cursor: &mut Cursor<'_, '_>) -> Printed {
        while let Some(b) = cursor.byte() {
            match b {
                b'#' => self.flags.sharp = true,
                b'0' => self.flags.zero = true,
                b'+' => self.flags.plus = true,
                b'-' => self.flags.minus = true,
                b' ' => self.flags.space = true,
                b'a'..=b'z' if cursor.next < cursor.args.len() => return self.verb(cursor),
                _ => break,
            }
            cursor.pos += 1;
        }
        cursor.index();
        self.width(cursor)?;
        self.precision(cursor)?;
        if !cursor.after_index {
            cursor.index();
        }
        self.verb(cursor)
    }

    fn width(&mut self, cursor: &mut Cursor<'_, '_>) -> Printed {
        if cursor.byte() != Some(b'*') {
            self.flags.width = cursor.number().and_then(size);
            if cursor.after_index && self.flags.width.is_some() {
                cursor.good_index = false;
            }
            return Ok(());
        }
        cursor.pos += 1;
        cursor.after_index = false;
        let Some(width) = cursor.star() else { return self.put("%!(BADWIDTH)") };
        if width < 0 {
            self.flags.minus = true;
            self.flags.zero = false;
        }
        self.flags.width = size(width.abs());
        Ok(())
    }

    fn precision(&mut self, cursor: &mut Cursor<'_, '_>) -> Printed {
        if cursor.byte() != Some(b'.') || cursor.pos + 1 >= cursor.format.len() {
            return Ok(());
        }
        cursor.pos += 1;
        if cursor.after_index {
            cursor.good_index = false;
        }
        cursor.index();
        if cursor.byte() != Some(b'*') {
            self.flags.precision = Some(cursor.number().and_then(size).unwrap_or(0));
            return Ok(());
        }
        cursor.pos += 1;
        cursor.after_index = false;
        self.flags.precision = cursor.star().and_then(size);
        if self.flags.precision.is_none() { self.put("%!(BADPREC)") } else { Ok(()) }
    }

    fn verb(&mut self, cursor: &mut Cursor<'_, '_>) -> Printed {
        let rest = cursor.format.get(cursor.pos..).unwrap_or_default();
        let Some((verb, width)) = decode_rune(rest) else {
            return self.put("%!(NOVERB)");
        };
        cursor.pos += width;
        if verb == '%' {
            return self.put("%");
        }
        let problem = if !cursor.good_index { Some("(BADINDEX)") } else { None };
        let arg = cursor.args.get(cursor.next);
        let (None, Some(arg)) = (problem, arg) else {
            self.bang(verb)?;
            return self.put(problem.unwrap_or("(MISSING)"));
        };
        cursor.next += 1;
        if verb == 'v' || verb == 'w' {
            self.flags.sharp_v = std::mem::take(&mut self.flags.sharp);
            self.flags.plus_v = std::mem::take(&mut self.flags.plus);
        }
        self.argument(arg, verb)
    }

    /// `%!` and the verb: how each error form begins.
    pub(super) fn bang(&mut self, verb: char) -> Printed {
        let mut bytes = b"%!".to_vec();
        push_char(&mut bytes, verb);
        self.write(&bytes)
    }
}
