//! Reading JSON as Go's `encoding/json` does into an `interface {}`, with its wording of errors.

use crate::value::{Entries, List, Map, Str, Value, types};

/// Deepest nesting that is read. Go allows 10,000; values that deep cannot be used by anything else here.
const MAX_DEPTH: usize = 1_000;

/// Decodes one JSON text; every number becomes a `float64`.
///
/// # Errors
/// Go's message, such as `invalid character '}' looking for beginning of value`.
pub fn read(text: &[u8]) -> Result<Value, String> {
    let mut reader = Reader { text, pos: 0, depth: 0, out_of_range: None };
    reader.space();
    let value = reader.value()?;
    reader.space();
    if reader.pos < text.len() {
        return Err(reader.unexpected("after top-level value"));
    }
    match reader.out_of_range {
        Some(number) => Err(format!("json: cannot unmarshal number {number} into Go value of type float64")),
        None => Ok(value),
    }
}

struct Reader<'a> {
    text: &'a [u8],
    pos: usize,
    depth: usize,
    /// The first number that no float holds; reported only when the syntax is right to the end.
    out_of_range: Option<String>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.pos).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.pos += 1;
        }
    }

    /// The error for the byte at the current place, or for the end of the text.
    fn unexpected(&self, context: &str) -> String {
        match self.peek() {
            None => "unexpected end of JSON input".to_owned(),
            Some(c) => format!("invalid character {} {context}", quote_char(c)),
        }
    }

    /// Like [`unexpected`](Self::unexpected), where even a space would be wrong: Go then names the space that it
    /// puts behind the text.
    fn unexpected_inside(&self, context: &str) -> String {
        let c = self.peek().unwrap_or(b' ');
        format!("invalid character {} {context}", quote_char(c))
    }

    fn value(&mut self) -> Result<Value, String> {
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => Ok(Value::String(self.string()?)),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Nil),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.unexpected("looking for beginning of value")),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, String>) -> Result<Value, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("exceeded max depth".to_owned());
        }
        self.pos += 1;
        self.space();
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, String> {
        let mut entries = Entries::new();
        if self.peek() == Some(b'}') {
            self.pos += 1;
            return Ok(Value::Map(Map::of(&types::DICT, entries)));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("looking for beginning of object key string"));
            }
            let key = self.string()?;
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.unexpected("after object key"));
            }
            self.pos += 1;
            self.space();
            let value = self.value()?;
            entries.insert(key, value);
            self.space();
            match self.peek() {
                Some(b',') => {
                    self.pos += 1;
                    self.space();
                }
                Some(b'}') => {
                    self.pos += 1;
                    return Ok(Value::Map(Map::of(&types::DICT, entries)));
                }
                _ => return Err(self.unexpected("after object key:value pair")),
            }
        }
    }

    fn array(&mut self) -> Result<Value, String> {
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.pos += 1;
            return Ok(Value::List(List::new(items)));
        }
        loop {
            items.push(self.value()?);
            self.space();
            match self.peek() {
                Some(b',') => {
                    self.pos += 1;
                    self.space();
                }
                Some(b']') => {
                    self.pos += 1;
                    return Ok(Value::List(List::new(items)));
                }
                _ => return Err(self.unexpected("after array element")),
            }
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, String> {
        self.pos += 1;
        for expected in word.bytes().skip(1) {
            if self.peek() != Some(expected) {
                let context = format!("in literal {word} (expecting {})", quote_char(expected));
                return Err(self.unexpected_inside(&context));
            }
            self.pos += 1;
        }
        Ok(value)
    }

    fn digits(&mut self) -> bool {
        let start = self.pos;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.pos += 1;
        }
        self.pos > start
    }

    fn number(&mut self) -> Result<Value, String> {
        let start = self.pos;
        if self.peek() == Some(b'-') {
            self.pos += 1;
        }
        if self.peek() == Some(b'0') {
            self.pos += 1;
        } else if !self.digits() {
            return Err(self.unexpected_inside("in numeric literal"));
        }
        if self.peek() == Some(b'.') {
            self.pos += 1;
            if !self.digits() {
                return Err(self.unexpected_inside("after decimal point in numeric literal"));
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.pos += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.pos += 1;
            }
            if !self.digits() {
                return Err(self.unexpected_inside("in exponent of numeric literal"));
            }
        }
        let text = self.text.get(start..self.pos).and_then(|t| std::str::from_utf8(t).ok()).unwrap_or("");
        match text.parse::<f64>() {
            Ok(f) if f.is_finite() => Ok(Value::Float64(f)),
            _ => {
                self.out_of_range.get_or_insert_with(|| text.to_owned());
                Ok(Value::Nil)
            }
        }
    }

    fn string(&mut self) -> Result<Str, String> {
        self.pos += 1;
        let mut out = Vec::new();
        loop {
            let start = self.pos;
            while matches!(self.peek(), Some(b) if b >= b' ' && b != b'"' && b != b'\\') {
                self.pos += 1;
            }
            out.extend_from_slice(self.text.get(start..self.pos).unwrap_or(b""));
            match self.peek() {
                Some(b'"') => {
                    self.pos += 1;
                    // Bytes that are no text become the replacement character.
                    let text = Str::from(out);
                    return Ok(if text.as_str().is_some() { text } else { Str::from(text.to_text()) });
                }
                Some(b'\\') => {
                    self.pos += 1;
                    self.escape(&mut out)?;
                }
                _ => return Err(self.unexpected("in string literal")),
            }
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        let byte = match self.peek() {
            Some(c @ (b'"' | b'\\' | b'/')) => c,
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => {
                self.pos += 1;
                let c = self.unicode()?;
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => return Err(self.unexpected_inside("in string escape code")),
        };
        self.pos += 1;
        out.push(byte);
        Ok(())
    }

    fn four_digits(&mut self) -> Result<u32, String> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|b| char::from(b).to_digit(16));
            code = code * 16
                + digit.ok_or_else(|| self.unexpected_inside("in \\u hexadecimal character escape"))?;
            self.pos += 1;
        }
        Ok(code)
    }

    /// What follows `\u`; a pair of surrogates is one character, a lone one the replacement character.
    fn unicode(&mut self) -> Result<char, String> {
        let first = self.four_digits()?;
        if let 0xD800..0xDC00 = first
            && self.text.get(self.pos..).is_some_and(|t| t.starts_with(b"\\u"))
        {
            let back = self.pos;
            self.pos += 2;
            let second = self.four_digits()?;
            if let 0xDC00..0xE000 = second {
                let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.pos = back;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }
}

/// A byte as Go quotes it in these messages.
fn quote_char(c: u8) -> String {
    match c {
        b'\'' => r"'\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        c => {
            let quoted = crate::strconv::quote(char::from(c).encode_utf8(&mut [0; 4]).as_bytes());
            format!("'{}'", quoted.trim_matches('"'))
        }
    }
}
