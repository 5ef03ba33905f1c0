//! JSON text as Go's `encoding/json` writes it.

use serde_json::{Map, Number, Value};

use crate::gofmt::json_float;

/// The value in one line, keys sorted, as `json.Marshal` (with `escape_html`: `<`, `>`, `&` as `\u003c` …)
/// or an encoder with `SetEscapeHTML(false)` writes it; no final line break.
pub fn to_string(value: &Value, escape_html: bool) -> String {
    let mut printer = Printer { out: String::new(), escape_html, layout: None };
    printer.value(value, 0);
    printer.out
}

/// The value as `json.MarshalIndent` with this prefix and indentation writes it: the prefix starts every
/// line but the first; empty lists and maps stay `[]` and `{}`.
pub fn to_string_indent(value: &Value, prefix: &str, indent: &str, escape_html: bool) -> String {
    let mut printer = Printer { out: String::new(), escape_html, layout: Some((prefix, indent)) };
    printer.value(value, 0);
    printer.out
}

/// A string as JSON text with its quotes, as Go writes it.
pub fn quote(text: &str, escape_html: bool) -> String {
    let mut printer = Printer { out: String::new(), escape_html, layout: None };
    printer.string(text);
    printer.out
}

/// A finite float as Go writes it in JSON: `1`, `0.1`, `1e+21`, `1e-7`. A float that is not finite has no
/// JSON; it gives `null`.
pub fn float(number: f64) -> String {
    if number.is_finite() { json_float(number) } else { "null".to_owned() }
}

struct Printer<'l> {
    out: String,
    escape_html: bool,
    /// Prefix and indentation.
    layout: Option<(&'l str, &'l str)>,
}

impl Printer<'_> {
    fn value(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Null => self.out.push_str("null"),
            Value::Bool(yes) => self.out.push_str(if *yes { "true" } else { "false" }),
            Value::Number(number) => self.number(number),
            Value::String(text) => self.string(text),
            Value::Array(items) => self.array(items, depth),
            Value::Object(map) => self.object(map, depth),
        }
    }

    fn number(&mut self, number: &Number) {
        match number.as_f64() {
            Some(float) if number.is_f64() => self.out.push_str(&json_float(float)),
            _ => self.out.push_str(&number.to_string()),
        }
    }

    fn array(&mut self, items: &[Value], depth: usize) {
        self.out.push('[');
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            self.new_line(depth + 1);
            self.value(item, depth + 1);
        }
        if !items.is_empty() {
            self.new_line(depth);
        }
        self.out.push(']');
    }

    fn object(&mut self, map: &Map<String, Value>, depth: usize) {
        // The map is sorted already unless some crate of the build turned that off in serde_json.
        let mut pairs: Vec<(&String, &Value)> = map.iter().collect();
        if !pairs.is_sorted_by_key(|pair| pair.0) {
            pairs.sort_by_key(|pair| pair.0);
        }
        self.out.push('{');
        for (at, (key, value)) in pairs.iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            self.new_line(depth + 1);
            self.string(key);
            self.out.push_str(if self.layout.is_some() { ": " } else { ":" });
            self.value(value, depth + 1);
        }
        if !pairs.is_empty() {
            self.new_line(depth);
        }
        self.out.push('}');
    }

    fn new_line(&mut self, depth: usize) {
        let Some((prefix, indent)) = self.layout else { return };
        self.out.push('\n');
        self.out.push_str(prefix);
        for _ in 0..depth {
            self.out.push_str(indent);
        }
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        let mut plain = 0;
        for (at, character) in text.char_indices() {
            let Some(escaped) = escape(character, self.escape_html) else { continue };
            self.out.push_str(text.get(plain..at).unwrap_or_default());
            self.out.push_str(&escaped);
            plain = at + character.len_utf8();
        }
        self.out.push_str(text.get(plain..).unwrap_or_default());
        self.out.push('"');
    }
}

fn escape(character: char, html: bool) -> Option<std::borrow::Cow<'static, str>> {
    let short = match character {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\x08' => "\\b",
        '\x0C' => "\\f",
        '<' if html => "\\u003c",
        '>' if html => "\\u003e",
        '&' if html => "\\u0026",
        '\u{2028}' => "\\u2028",
        '\u{2029}' => "\\u2029",
        '\0'..='\x1F' => return Some(format!("\\u{:04x}", u32::from(character)).into()),
        _ => return None,
    };
    Some(short.into())
}
