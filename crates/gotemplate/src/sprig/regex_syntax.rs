//! Go's regular expression syntax (RE2), rewritten for the `regex` crate.
//!
//! Both engines search leftmost-first over code points, so only the syntax differs: Perl classes are
//! ASCII in Go, `[` inside a class is a literal, `{` that starts no repeat is a literal, `\Q…\E`
//! quotes, octal escapes exist, repeats may not be stacked. One pass over the expression, without
//! recursion, gives the rewritten text or Go's error message. Knows nothing of values or templates.

use super::regex_classes::push_literal;

/// Counts above this are refused, alone or multiplied by the repeats around them.
const MAX_REPEAT: u32 = 1000;

/// An expression rewritten for the `regex` crate.
#[derive(Debug)]
pub(super) struct Translated {
    /// The pattern to compile; groups are numbered as in the source and have no names.
    pub pattern: String,
    /// Group names by number; group 0 and unnamed groups have none.
    pub names: Vec<Option<String>>,
}

/// Rewrites `expr`, or says why Go refuses it (`error parsing regexp: …`).
pub(super) fn translate(expr: &str) -> Result<Translated, String> {
    let mut t = Translator {
        expr,
        pos: 0,
        out: String::with_capacity(expr.len() + 16),
        names: vec![None],
        groups: vec![Group::default()],
        before_flags: None,
    };
    t.run()?;
    if t.groups.len() > 1 {
        return Err(error("missing closing )", expr));
    }
    Ok(Translated { pattern: t.out, names: t.names })
}

/// Go's wording of a syntax error.
pub(super) fn error(what: &str, at: &str) -> String {
    format!("error parsing regexp: {what}: `{at}`")
}

/// What is known of the group that is being read.
#[derive(Default)]
struct Group {
    /// Weight of the last atom (the largest product of nested repeat counts), if there is one to repeat.
    atom: Option<u32>,
    /// The largest weight seen in this group.
    weight: u32,
}

/// One reading of an expression; what stands behind a backslash or in brackets is read in `regex_escapes`.
pub(super) struct Translator<'a> {
    pub(super) expr: &'a str,
    pub(super) pos: usize,
    pub(super) out: String,
    names: Vec<Option<String>>,
    groups: Vec<Group>,
    /// Where a flag group such as `(?i)` was written right after an atom: a repeat behind it is the atom's.
    before_flags: Option<usize>,
}

impl Translator<'_> {
    pub(super) fn rest(&self) -> &str {
        self.expr.get(self.pos..).unwrap_or("")
    }

    pub(super) fn byte(&self, ahead: usize) -> Option<u8> {
        self.expr.as_bytes().get(self.pos + ahead).copied()
    }

    pub(super) fn span(&self, from: usize) -> &str {
        self.expr.get(from..self.pos).unwrap_or("")
    }

    pub(super) fn next_char(&mut self) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.pos += c.len_utf8();
        Some(c)
    }

    pub(super) fn set_atom(&mut self, weight: u32) {
        self.before_flags = None;
        if let Some(g) = self.groups.last_mut() {
            g.atom = Some(weight);
            g.weight = g.weight.max(weight);
        }
    }

    pub(super) fn literal(&mut self, c: char) {
        push_literal(&mut self.out, c);
        self.set_atom(1);
    }

    pub(super) fn verbatim(&mut self, text: &str, consumed: usize) {
        self.out.push_str(text);
        self.pos += consumed;
        self.set_atom(1);
    }

    fn run(&mut self) -> Result<(), String> {
        let mut last_repeat: Option<usize> = None;
        while let Some(b) = self.byte(0) {
            let start = self.pos;
            let mut repeat = None;
            match b {
                b'(' if self.byte(1) == Some(b'?') => self.perl_group()?,
                b'(' => {
                    self.pos += 1;
                    self.names.push(None);
                    self.open("(");
                }
                b')' => self.close()?,
                b'|' => {
                    self.out.push('|');
                    self.pos += 1;
                    self.before_flags = None;
                    if let Some(g) = self.groups.last_mut() {
                        g.atom = None;
                    }
                }
                b'^' => self.verbatim("^", 1),
                b'$' => self.verbatim("$", 1),
                b'.' => self.verbatim(".", 1),
                b'[' => self.class()?,
                b'*' | b'+' | b'?' => {
                    self.pos += 1;
                    self.repeat(char::from(b).to_string(), 1, start, last_repeat)?;
                    repeat = Some(start);
                }
                b'{' => match self.counted()? {
                    Some((text, max)) => {
                        self.repeat(text, max, start, last_repeat)?;
                        repeat = Some(start);
                    }
                    None => {
                        self.pos += 1;
                        self.literal('{');
                    }
                },
                b'\\' => self.escape()?,
                _ => {
                    if let Some(c) = self.next_char() {
                        self.literal(c);
                    }
                }
            }
            last_repeat = repeat;
        }
        Ok(())
    }

    fn open(&mut self, text: &str) {
        self.out.push_str(text);
        self.before_flags = None;
        self.groups.push(Group::default());
    }

    fn close(&mut self) -> Result<(), String> {
        if self.groups.len() < 2 {
            return Err(error("unexpected )", self.expr));
        }
        let weight = self.groups.pop().map_or(1, |g| g.weight.max(1));
        self.out.push(')');
        self.pos += 1;
        self.set_atom(weight);
        Ok(())
    }

    /// Reads `{m}`, `{m,}` or `{m,n}`; `None` (and nothing read) when the brace is a literal.
    fn counted(&mut self) -> Result<Option<(String, u32)>, String> {
        let start = self.pos;
        let Some(end) = self.rest().find('}') else { return Ok(None) };
        let body = self.rest().get(1..end).unwrap_or("").to_owned();
        let (low, high) = match body.split_once(',') {
            None => (body.as_str(), Some(body.as_str())),
            Some((low, "")) => (low, None),
            Some((low, high)) => (low, Some(high)),
        };
        let well_formed = |s: &str| {
            !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit()) && (s.len() == 1 || !s.starts_with('0'))
        };
        if !well_formed(low) || !high.is_none_or(well_formed) {
            return Ok(None);
        }
        self.pos += end + 1;
        let min = low.parse::<u32>().unwrap_or(u32::MAX);
        let max = high.map(|h| h.parse::<u32>().unwrap_or(u32::MAX));
        if min > MAX_REPEAT || max.is_some_and(|m| m > MAX_REPEAT || min > m) {
            return Err(error("invalid repeat count", self.span(start)));
        }
        let text = match max {
            Some(max) if max == min => format!("{{{min}}}"),
            Some(max) => format!("{{{min},{max}}}"),
            None => format!("{{{min},}}"),
        };
        Ok(Some((text, max.unwrap_or(min))))
    }

    fn repeat(&mut self, text: String, count: u32, start: usize, last: Option<usize>) -> Result<(), String> {
        let mut text = text;
        if self.byte(0) == Some(b'?') {
            self.pos += 1;
            text.push('?');
        }
        if let Some(last) = last {
            return Err(error("invalid nested repetition operator", self.span(last)));
        }
        let Some(weight) = self.groups.last().and_then(|g| g.atom) else {
            return Err(error("missing argument to repetition operator", self.span(start)));
        };
        let weight = weight.saturating_mul(count.max(1));
        if weight > MAX_REPEAT && count >= 2 {
            return Err(error("invalid repeat count", self.span(start)));
        }
        match self.before_flags {
            Some(at) => {
                self.out.insert_str(at, &text);
                if let Some(g) = self.groups.last_mut() {
                    g.atom = Some(weight);
                    g.weight = g.weight.max(weight);
                }
                self.before_flags = Some(at + text.len());
            }
            None => {
                self.out.push_str(&text);
                self.set_atom(weight);
            }
        }
        Ok(())
    }

    /// Reads `(?P<name>`, `(?<name>`, `(?flags:` or `(?flags)`.
    fn perl_group(&mut self) -> Result<(), String> {
        let start = self.pos;
        let named = if self.rest().starts_with("(?P<") && self.rest().len() > 4 {
            Some(4)
        } else if self.rest().starts_with("(?<") && self.rest().len() > 3 {
            Some(3)
        } else {
            None
        };
        if let Some(skip) = named {
            let Some(end) = self.rest().find('>') else {
                return Err(error("invalid named capture", self.rest()));
            };
            let name = self.rest().get(skip..end).unwrap_or("").to_owned();
            self.pos += end + 1;
            if name.is_empty() || !name.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric()) {
                return Err(error("invalid named capture", self.span(start)));
            }
            self.names.push(Some(name));
            self.open("(");
            return Ok(());
        }
        self.pos += 2;
        let mut saw_flag = false;
        let mut negated = false;
        while let Some(c) = self.next_char() {
            match c {
                'i' | 'm' | 's' | 'U' => saw_flag = true,
                '-' if !negated => {
                    negated = true;
                    saw_flag = false;
                }
                ':' | ')' if !negated || saw_flag => {
                    let flags = self.span(start).to_owned();
                    if c == ':' {
                        self.open(&flags);
                    } else if flags != "(?)" {
                        self.before_flags.get_or_insert(self.out.len());
                        self.out.push_str(&flags);
                    }
                    return Ok(());
                }
                _ => break,
            }
        }
        Err(error("invalid or unsupported Perl syntax", self.span(start)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rewrites_what_differs() {
        for (from, to) in [
            (r"\d+", "[[0-9]]+"),
            (r"[^\W_]", r"[^[^0-9A-Za-z_]\x5F]"),
            ("a{,5}", r"a\x7B\x2C5\x7D"),
            ("[[]", r"[\x5B]"),
            (r"\Q.*\E+", r"\x2E\x2A+"),
            (r"\101", "A"),
            ("(?P<n>a)(?i:b)", "(a)(?i:b)"),
            ("x{2}?", "x{2}?"),
        ] {
            assert_eq!(translate(from).unwrap().pattern, to, "{from}");
        }
    }

    #[test]
    fn words_errors_as_go() {
        for (from, message) in [
            ("a(", "missing closing ): `a(`"),
            ("a)", "unexpected ): `a)`"),
            ("[a", "missing closing ]: `[a`"),
            ("a**", "invalid nested repetition operator: `**`"),
            ("*a", "missing argument to repetition operator: `*`"),
            ("a{1001}", "invalid repeat count: `{1001}`"),
            ("(a{100}){100}", "invalid repeat count: `{100}`"),
            (r"\8", r"invalid escape sequence: `\8`"),
            ("(?z)", "invalid or unsupported Perl syntax: `(?z`"),
            ("[b-a]", "invalid character class range: `b-a`"),
            (r"\p{Nope}", r"invalid character class range: `\p{Nope}`"),
        ] {
            assert_eq!(translate(from).unwrap_err(), format!("error parsing regexp: {message}"));
        }
    }
}
