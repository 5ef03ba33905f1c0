//! Writing TOML: plain keys before tables, sorted, two spaces of indentation for each level of tables.

use gotemplate::sprig::Duration;
use gotemplate::strconv::{FloatFormat, append_float};
use gotemplate::{List, Map, Value};

/// Deepest nesting that is written.
const MAX_DEPTH: usize = 1000;

/// The document of a map.
///
/// # Errors
/// In the library's words: nil in a list, a list at the top.
pub(in crate::render) fn write(value: &Value) -> Result<String, String> {
    let mut writer = Writer { out: String::new() };
    match value {
        Value::Map(map) => writer.table(&[], map)?,
        Value::List(list) if is_table_list(list)? => {
            return Err("toml: top-level values must be Go maps or structs".into());
        }
        other => writer.element(other, 0)?,
    }
    Ok(writer.out)
}

struct Writer {
    out: String,
}

impl Writer {
    fn newline(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    fn indent(&mut self, levels: usize) {
        self.out.extend(std::iter::repeat_n("  ", levels));
    }

    /// The keys of a table below its header.
    fn table(&mut self, path: &[String], map: &Map) -> Result<(), String> {
        if path.len() > MAX_DEPTH {
            return Err("toml: value is nested too deep".into());
        }
        let (tables, plain) = split(map)?;
        for (key, value) in plain {
            self.indent(path.len());
            self.out.push_str(&quoted_key(&key));
            self.out.push_str(" = ");
            self.element(&value, 0)?;
            self.newline();
        }
        for (key, value) in tables {
            let mut path = path.to_vec();
            path.push(key);
            self.sub_table(&path, &value)?;
        }
        Ok(())
    }

    fn sub_table(&mut self, path: &[String], value: &Value) -> Result<(), String> {
        let header: Vec<String> = path.iter().map(|k| quoted_key(k)).collect();
        let header = header.join(".");
        match value {
            Value::Map(map) if map.is_nil() => Ok(()),
            Value::Map(map) => {
                if path.len() == 1 {
                    self.newline();
                }
                self.indent(path.len() - 1);
                self.out.push_str(&format!("[{header}]"));
                self.newline();
                self.table(path, map)
            }
            Value::List(list) => {
                for item in list.to_vec() {
                    let Value::Map(map) = item else { continue };
                    self.newline();
                    self.indent(path.len() - 1);
                    self.out.push_str(&format!("[[{header}]]"));
                    self.newline();
                    self.table(path, &map)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A value on the right of `=` or in a list.
    fn element(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err("toml: value is nested too deep".into());
        }
        match value {
            Value::Bool(b) => self.out.push_str(if *b { "true" } else { "false" }),
            Value::Int(i) | Value::Int64(i) => self.out.push_str(&i.to_string()),
            Value::Uint8(u) => self.out.push_str(&u.to_string()),
            Value::Uint64(u) => self.out.push_str(&u.to_string()),
            Value::Float64(f) => self.out.push_str(&float(*f)),
            Value::String(s) => self.out.push_str(&quoted(&s.to_text())),
            Value::Bytes(bytes) => {
                let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
                self.out.push_str(&format!("[{}]", numbers.join(", ")));
            }
            Value::List(list) => {
                if list.borrow().iter().any(Value::is_nil) {
                    return Err("toml: cannot encode array with nil element".into());
                }
                self.out.push('[');
                for (i, item) in list.to_vec().iter().enumerate() {
                    if i > 0 {
                        self.out.push_str(", ");
                    }
                    self.element(item, depth + 1)?;
                }
                self.out.push(']');
            }
            Value::Map(map) => self.inline_table(map, depth)?,
            // A time of day is written bare, in the form that it has in JSON.
            Value::Object(object) if object.type_name() == "time.Time" => {
                let text = object.to_json().and_then(Result::ok);
                self.out.push_str(text.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default());
            }
            Value::Object(object) => match (value.downcast::<Duration>(), object.string()) {
                (_, Some(text)) => self.out.push_str(&quoted(&text.to_text())),
                _ => return Err(format!("unexpected type: {}", value.type_name())),
            },
            Value::Nil | Value::Complex(..) | Value::Func(_) => {
                return Err(format!("unexpected type: {}", value.type_name()));
            }
        }
        Ok(())
    }

    fn inline_table(&mut self, map: &Map, depth: usize) -> Result<(), String> {
        let (tables, plain) = split(map)?;
        let last = tables.len() + plain.len();
        self.out.push('{');
        for (i, (key, value)) in plain.iter().chain(&tables).enumerate() {
            self.out.push_str(&quoted_key(key));
            self.out.push_str(" = ");
            self.element(value, depth + 1)?;
            if i + 1 != last {
                self.out.push_str(", ");
            }
        }
        self.out.push('}');
        Ok(())
    }
}

type Pairs = Vec<(String, Value)>;

/// Tables (and lists of tables), and all other entries; without nulls.
fn split(map: &Map) -> Result<(Pairs, Pairs), String> {
    let (mut tables, mut plain) = (Vec::new(), Vec::new());
    for (key, value) in map.entries() {
        let key = key.to_text().into_owned();
        match &value {
            nil if nil.is_nil() => {}
            Value::Map(_) => tables.push((key, value)),
            Value::List(list) if is_table_list(list)? => tables.push((key, value)),
            _ => plain.push((key, value)),
        }
    }
    Ok((tables, plain))
}

fn is_table_list(list: &List) -> Result<bool, String> {
    let items = list.borrow();
    if items.iter().any(Value::is_nil) {
        return Err("toml: cannot encode array with nil element".into());
    }
    Ok(!items.is_empty() && items.iter().all(|v| matches!(v, Value::Map(_))))
}

fn float(value: f64) -> String {
    if value.is_nan() {
        return "nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.into();
    }
    let mut out = Vec::new();
    append_float(&mut out, value, FloatFormat::General, None, false);
    let text = String::from_utf8_lossy(&out).into_owned();
    if text.contains(['e', '.']) { text } else { text + ".0" }
}

fn quoted_key(key: &str) -> String {
    let is_bare = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if !key.is_empty() && key.bytes().all(is_bare) { key.to_owned() } else { quoted(key) }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if c < ' ' || c == '\u{7f}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::tree::value_from_json;

    fn toml(json: serde_json::Value) -> String {
        write(&value_from_json(&json)).unwrap_or_else(|e| e)
    }

    #[test]
    fn plain_keys_come_first() {
        let text =
            toml(serde_json::json!({"b": {"c": {"d": 1}}, "z": "x", "a": [1.0, 2.5], "l": [{"k": true}]}));
        let want = "a = [1.0, 2.5]\nz = \"x\"\n\n[b]\n  [b.c]\n    d = 1\n\n[[l]]\n  k = true\n";
        assert_eq!(text, want);
    }

    #[test]
    fn mixed_lists_and_nulls() {
        assert_eq!(toml(serde_json::json!({"a": [1, {"b": null, "c": "d"}]})), "a = [1, {c = \"d\"}]\n");
        assert_eq!(toml(serde_json::json!({"a": [null]})), "toml: cannot encode array with nil element");
        assert_eq!(toml(serde_json::json!({"a b": "\"\u{1}"})), "\"a b\" = \"\\\"\\u0001\"\n");
    }
}
