//! Go's quoted strings.

use super::{decode_rune, is_print, push_char};

/// Go's `strconv.Quote`.
pub fn quote(s: &[u8]) -> String {
    let mut out = Vec::with_capacity(s.len() + 2);
    append_quoted(&mut out, s, false);
    String::from_utf8_lossy(&out).into_owned()
}

/// Go's `strconv.QuoteToASCII`.
pub fn quote_to_ascii(s: &[u8]) -> String {
    let mut out = Vec::with_capacity(s.len() + 2);
    append_quoted(&mut out, s, true);
    String::from_utf8_lossy(&out).into_owned()
}

/// Appends the bytes as a double-quoted Go string.
pub fn append_quoted(out: &mut Vec<u8>, s: &[u8], ascii_only: bool) {
    out.push(b'"');
    let mut rest = s;
    while let Some((c, width)) = decode_rune(rest) {
        if width == 1 && c == char::REPLACEMENT_CHARACTER {
            let byte = rest.first().copied().unwrap_or_default();
            out.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
        } else {
            append_escaped(out, c, '"', ascii_only);
        }
        rest = rest.get(width..).unwrap_or_default();
    }
    out.push(b'"');
}

/// Appends a character as a single-quoted Go character constant.
pub fn append_quoted_rune(out: &mut Vec<u8>, c: char, ascii_only: bool) {
    out.push(b'\'');
    append_escaped(out, c, '\'', ascii_only);
    out.push(b'\'');
}

fn append_escaped(out: &mut Vec<u8>, c: char, quote: char, ascii_only: bool) {
    if c == quote || c == '\\' {
        out.push(b'\\');
        return push_char(out, c);
    }
    if is_print(c) && (c.is_ascii() || !ascii_only) {
        return push_char(out, c);
    }
    let escape = match c {
        '\u{7}' => "\\a".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '\u{b}' => "\\v".to_owned(),
        c if c < ' ' || c == '\u{7f}' => format!("\\x{:02x}", c as u32),
        c if c < '\u{10000}' => format!("\\u{:04x}", c as u32),
        c => format!("\\U{:08x}", c as u32),
    };
    out.extend_from_slice(escape.as_bytes());
}

/// Go's `strconv.CanBackquote`: whether the string may stand unchanged between backquotes.
pub fn can_backquote(s: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(s) else { return false };
    text.chars().all(|c| c != '\u{feff}' && c != '`' && c != '\u{7f}' && (c >= ' ' || c == '\t'))
}

/// One character of a Go literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unquoted {
    /// A character, to be written as UTF-8.
    Char(char),
    /// A byte, from `\x` or an octal escape.
    Byte(u8),
}

/// Go's `strconv.UnquoteChar`: the first character of a literal's inside, and what follows it. `None`: invalid syntax.
pub fn unquote_char(s: &[u8], quote: u8) -> Option<(Unquoted, &[u8])> {
    let (&first, tail) = s.split_first()?;
    if first == quote {
        return None;
    }
    if first != b'\\' {
        let (c, width) = decode_rune(s)?;
        return Some((Unquoted::Char(c), s.get(width..)?));
    }
    let (&kind, tail) = tail.split_first()?;
    let simple = |b: u8| Some((Unquoted::Byte(b), tail));
    match kind {
        b'a' => simple(7),
        b'b' => simple(8),
        b'f' => simple(12),
        b'n' => simple(b'\n'),
        b'r' => simple(b'\r'),
        b't' => simple(b'\t'),
        b'v' => simple(11),
        b'\\' => simple(b'\\'),
        b'x' => {
            let (v, tail) = digits(tail, 2, 16)?;
            Some((Unquoted::Byte(u8::try_from(v).ok()?), tail))
        }
        b'u' | b'U' => {
            let (v, tail) = digits(tail, if kind == b'u' { 4 } else { 8 }, 16)?;
            Some((Unquoted::Char(char::from_u32(v)?), tail))
        }
        b'0'..=b'7' => {
            let (v, tail) = digits(s.get(1..)?, 3, 8)?;
            Some((Unquoted::Byte(u8::try_from(v).ok()?), tail))
        }
        b'\'' | b'"' if kind == quote => simple(kind),
        _ => None,
    }
}

fn digits(s: &[u8], count: usize, radix: u32) -> Option<(u32, &[u8])> {
    let (head, tail) = s.split_at_checked(count)?;
    let mut value = 0u32;
    for &c in head {
        value = value.checked_mul(radix)?.checked_add(char::from(c).to_digit(radix)?)?;
    }
    Some((value, tail))
}

/// Go's `strconv.Unquote` for double-quoted and backquoted literals. `None`: invalid syntax.
pub fn unquote(s: &[u8]) -> Option<Vec<u8>> {
    match s {
        [b'`', inner @ .., b'`'] if !inner.contains(&b'`') => {
            Some(inner.iter().copied().filter(|c| *c != b'\r').collect())
        }
        [b'"', inner @ .., b'"'] => {
            let mut out = Vec::with_capacity(inner.len());
            let mut rest = inner;
            while !rest.is_empty() {
                if rest.first() == Some(&b'\n') {
                    return None;
                }
                let (c, tail) = unquote_char(rest, b'"')?;
                match c {
                    Unquoted::Char(c) => push_char(&mut out, c),
                    Unquoted::Byte(b) => out.push(b),
                }
                rest = tail;
            }
            Some(out)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_unquotes() {
        assert_eq!(quote("a\"\\\n\u{1}é\u{200b}".as_bytes()), r#""a\"\\\n\x01é\u200b""#);
        assert_eq!(quote_to_ascii("é😀".as_bytes()), r#""\u00e9\U0001f600""#);
        assert_eq!(quote(&[0xff, b'a']), r#""\xffa""#);
        assert_eq!(unquote(br#""\x41\102\u00e9\t""#), Some("AB\u{e9}\t".into()));
        assert_eq!(unquote(br#""\'""#), None);
        assert_eq!(unquote(b"`a\r\nb`"), Some(b"a\nb".to_vec()));
        assert_eq!(unquote(b"\"a\"b\""), None);
    }
}
