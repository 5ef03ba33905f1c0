//! What stands behind a backslash or in brackets in Go's regular expressions.

use std::fmt::Write as _;

use super::regex_classes::{perl_class, posix_class, push_literal, unicode_class};
use super::regex_syntax::{Translator, error};

impl Translator<'_> {
    /// Reads a backslash sequence outside a class.
    pub(super) fn escape(&mut self) -> Result<(), String> {
        match self.byte(1) {
            Some(b'A') => self.verbatim(r"\A", 2),
            Some(b'z') => self.verbatim(r"\z", 2),
            Some(b'b') => self.verbatim(r"(?-u:\b)", 2),
            Some(b'B') => self.verbatim(r"(?-u:\B)", 2),
            Some(b'C') => return Err(error("invalid escape sequence", r"\C")),
            Some(b'Q') => {
                let text = self.rest().get(2..).unwrap_or("");
                let (quoted, consumed) = match text.split_once(r"\E") {
                    Some((quoted, _)) => (quoted.to_owned(), quoted.len() + 4),
                    None => (text.to_owned(), text.len() + 2),
                };
                self.pos += consumed;
                quoted.chars().for_each(|c| self.literal(c));
            }
            _ => {
                if let Some(class) = self.class_escape()? {
                    let _ = write!(self.out, "[{class}]");
                    self.set_atom(1);
                } else {
                    let c = self.char_escape()?;
                    self.literal(c);
                }
            }
        }
        Ok(())
    }

    /// Reads `\d`, `\pN`, `\p{Greek}` and their like; gives the text of a class item.
    fn class_escape(&mut self) -> Result<Option<String>, String> {
        let Some(second) = self.byte(1) else { return Ok(None) };
        if let Some(items) = perl_class(second.to_ascii_lowercase()) {
            self.pos += 2;
            let negated = if second.is_ascii_uppercase() { "^" } else { "" };
            return Ok(Some(format!("[{negated}{items}]")));
        }
        if second != b'p' && second != b'P' {
            return Ok(None);
        }
        let start = self.pos;
        self.pos += 2;
        let name = match self.next_char() {
            // A lone \p at the end reads as the replacement character in Go, which no table has.
            None => String::new(),
            Some('{') => {
                let Some(end) = self.rest().find('}') else {
                    return Err(error("invalid character class range", self.expr.get(start..).unwrap_or("")));
                };
                let name = self.rest().get(..end).unwrap_or("").to_owned();
                self.pos += end + 1;
                name
            }
            Some(c) => c.to_string(),
        };
        let (flip, name) = match name.strip_prefix('^') {
            Some(rest) => (true, rest),
            None => (false, name.as_str()),
        };
        match unicode_class(name) {
            Some(class) if (second == b'P') != flip => Ok(Some(format!("[^{class}]"))),
            Some(class) => Ok(Some(class)),
            None => Err(error("invalid character class range", self.span(start))),
        }
    }

    /// Reads an escape that stands for one character.
    fn char_escape(&mut self) -> Result<char, String> {
        let start = self.pos;
        self.pos += 1;
        let Some(c) = self.next_char() else {
            return Err(error("trailing backslash at end of expression", ""));
        };
        let octal = |b: Option<u8>| b.filter(|b| (b'0'..=b'7').contains(b)).map(|b| u32::from(b - b'0'));
        let code = match c {
            '1'..='7' if octal(self.byte(0)).is_none() => None,
            '0'..='7' => {
                let mut code = c.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    let Some(d) = octal(self.byte(0)) else { break };
                    code = code * 8 + d;
                    self.pos += 1;
                }
                Some(code)
            }
            'x' => self.hex_escape(),
            'a' => Some(7),
            'f' => Some(12),
            'n' => Some(10),
            'r' => Some(13),
            't' => Some(9),
            'v' => Some(11),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Some(u32::from(c)),
            _ => None,
        };
        code.map(|code| char::from_u32(code).unwrap_or('\u{FFFD}'))
            .ok_or_else(|| error("invalid escape sequence", self.span(start)))
    }

    /// Reads what follows `\x`: two hexadecimal digits, or any number of them in braces.
    fn hex_escape(&mut self) -> Option<u32> {
        let first = self.next_char()?;
        if first != '{' {
            let second = self.next_char()?;
            return Some(first.to_digit(16)? * 16 + second.to_digit(16)?);
        }
        let mut code = 0;
        let mut digits = 0;
        loop {
            match self.next_char()? {
                '}' => return (digits > 0).then_some(code),
                c => {
                    code = code * 16 + c.to_digit(16)?;
                    digits += 1;
                    if code > 0x10_FFFF {
                        return None;
                    }
                }
            }
        }
    }

    /// Reads `[…]`.
    pub(super) fn class(&mut self) -> Result<(), String> {
        let start = self.pos;
        let missing = |t: &Self| error("missing closing ]", t.expr.get(start..).unwrap_or(""));
        self.pos += 1;
        let mut items = String::new();
        let negated = self.byte(0) == Some(b'^');
        if negated {
            self.pos += 1;
        }
        let mut first = true;
        while first || self.byte(0) != Some(b']') {
            first = false;
            if self.rest().starts_with("[:")
                && let Some(end) = self.rest().get(2..).and_then(|r| r.find(":]"))
            {
                let name = self.rest().get(..end + 4).unwrap_or("").to_owned();
                let Some(class) = posix_class(&name) else {
                    return Err(error("invalid character class range", &name));
                };
                items.push_str(&class);
                self.pos += end + 4;
                continue;
            }
            if self.byte(0) == Some(b'\\')
                && let Some(class) = self.class_escape()?
            {
                items.push_str(&class);
                continue;
            }
            let from = self.pos;
            let low = self.class_char()?.ok_or_else(|| missing(self))?;
            let mut high = low;
            if self.byte(0) == Some(b'-') && self.byte(1).is_some_and(|b| b != b']') {
                self.pos += 1;
                high = self.class_char()?.ok_or_else(|| missing(self))?;
                if high < low {
                    return Err(error("invalid character class range", self.span(from)));
                }
            }
            push_literal(&mut items, low);
            if high != low {
                items.push('-');
                push_literal(&mut items, high);
            }
        }
        self.pos += 1;
        let _ = write!(self.out, "[{}{items}]", if negated { "^" } else { "" });
        self.set_atom(1);
        Ok(())
    }

    fn class_char(&mut self) -> Result<Option<char>, String> {
        if self.byte(0) == Some(b'\\') {
            return self.char_escape().map(Some);
        }
        Ok(self.next_char())
    }
}
