//! JSON as Go's `encoding/json` writes it: sorted keys, `<`, `>` and `&` escaped unless asked otherwise,
//! floats in the shortest form. Reading is in `json_read`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::json_read::read;
use crate::error::Error;
use crate::exec::Exec;
use crate::func::{Func, args};
use crate::value::{Str, Type, Value};

const ANY: &[Type] = &[Type::Any];

/// The functions of this family. Helm replaces `toJson`, `mustToJson` and `fromJson` by its own.
pub(super) const FUNCS: &[Func] = &[
    Func::new("toJson", ANY, |exec, a| swallow(to_json(exec, &args::any(a, 0), Style::COMPACT))),
    Func::new("mustToJson", ANY, |exec, a| to_json(exec, &args::any(a, 0), Style::COMPACT)),
    Func::new("toPrettyJson", ANY, |exec, a| swallow(to_json(exec, &args::any(a, 0), Style::PRETTY))),
    Func::new("mustToPrettyJson", ANY, |exec, a| to_json(exec, &args::any(a, 0), Style::PRETTY)),
    Func::new("toRawJson", ANY, |exec, a| to_json(exec, &args::any(a, 0), Style::RAW)),
    Func::new("mustToRawJson", ANY, |exec, a| to_json(exec, &args::any(a, 0), Style::RAW)),
    Func::new("fromJson", &[Type::String], |exec, a| swallow_nil(from_json(exec, args::string(a, 0)?))),
    Func::new("mustFromJson", &[Type::String], |exec, a| from_json(exec, args::string(a, 0)?)),
];

/// Deepest nesting that is written; Go refuses only values that contain themselves.
const MAX_DEPTH: usize = 1_000;

/// How JSON is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Escape `<`, `>` and `&`.
    pub escape_html: bool,
    /// Two spaces for each level, one element a line.
    pub pretty: bool,
}

impl Style {
    /// `json.Marshal`.
    pub const COMPACT: Style = Style { escape_html: true, pretty: false };
    /// `json.MarshalIndent` with two spaces.
    pub const PRETTY: Style = Style { escape_html: true, pretty: true };
    /// An encoder with `SetEscapeHTML(false)`.
    pub const RAW: Style = Style { escape_html: false, pretty: false };
}

fn to_json(exec: &mut Exec<'_>, value: &Value, style: Style) -> Result<Value, Error> {
    Ok(Value::String(encode(exec, value, style)?))
}

fn from_json(exec: &mut Exec<'_>, text: &Str) -> Result<Value, Error> {
    exec.charge_steps(text.len() as u64 / 8)?;
    read(text.as_bytes()).map_err(Error::new)
}

/// The plain functions give an empty text where the `must` ones fail; limits always count.
fn swallow(result: Result<Value, Error>) -> Result<Value, Error> {
    match result {
        Err(e) if !e.is(crate::error::ErrorKind::Limit) => Ok(Value::from("")),
        other => other,
    }
}

fn swallow_nil(result: Result<Value, Error>) -> Result<Value, Error> {
    match result {
        Err(e) if !e.is(crate::error::ErrorKind::Limit) => Ok(Value::Nil),
        other => other,
    }
}

/// Writes a value as JSON, charging the execution for the text.
///
/// # Errors
/// What has no JSON form (NaN, functions, cycles), in Go's wording, or a used-up limit.
pub fn encode(exec: &mut Exec<'_>, value: &Value, style: Style) -> Result<Str, Error> {
    let mut writer = Writer { out: Vec::new(), style, charged: 0 };
    writer.value(exec, value, 0)?;
    writer.charge(exec)?;
    Ok(writer.out.into())
}

struct Writer {
    out: Vec<u8>,
    style: Style,
    charged: usize,
}

impl Writer {
    fn charge(&mut self, exec: &mut Exec<'_>) -> Result<(), Error> {
        let grown = self.out.len() - self.charged;
        self.charged = self.out.len();
        exec.charge_bytes(grown as u64)
    }

    fn value(&mut self, exec: &mut Exec<'_>, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(Error::new(
                "json: unsupported value: encountered a cycle via map[string]interface {}",
            ));
        }
        match value {
            Value::Nil => self.raw("null"),
            Value::Bool(b) => self.raw(if *b { "true" } else { "false" }),
            Value::Int(i) | Value::Int64(i) => self.raw(&i.to_string()),
            Value::Uint8(u) => self.raw(&u.to_string()),
            Value::Uint64(u) => self.raw(&u.to_string()),
            Value::Float64(f) => {
                let text = float(*f)?;
                self.raw(&text);
            }
            Value::String(s) => self.string(s.as_bytes()),
            Value::Bytes(b) => self.string(STANDARD.encode(b).as_bytes()),
            Value::List(l) if l.is_nil() => self.raw("null"),
            Value::List(l) => {
                let items = l.to_vec();
                self.sequence(exec, b"[]", items.len(), depth, |w, exec, i| {
                    w.value(exec, items.get(i).unwrap_or(&Value::Nil), depth + 1)
                })?;
            }
            Value::Map(m) if m.is_nil() => self.raw("null"),
            Value::Map(m) => self.object(exec, &m.entries(), depth)?,
            Value::Object(o) => match o.to_json() {
                Some(json) => {
                    let json = json.map_err(Error::new)?;
                    let value = read(json.to_string().as_bytes()).map_err(Error::new)?;
                    self.value(exec, &value, depth)?;
                }
                None => match o.underlying() {
                    Some(basic) => self.value(exec, &basic, depth)?,
                    None => {
                        let fields: Vec<_> =
                            o.json_fields().into_iter().map(|(k, v)| (Str::from(k), v)).collect();
                        self.object(exec, &fields, depth)?;
                    }
                },
            },
            Value::Complex(..) | Value::Func(_) => {
                return Err(Error::new(format!("json: unsupported type: {}", value.type_name())));
            }
        }
        Ok(())
    }

    fn object(&mut self, exec: &mut Exec<'_>, entries: &[(Str, Value)], depth: usize) -> Result<(), Error> {
        let colon = if self.style.pretty { ": " } else { ":" };
        self.sequence(exec, b"{}", entries.len(), depth, |w, exec, i| {
            let Some((key, value)) = entries.get(i) else { return Ok(()) };
            w.string(key.as_bytes());
            w.raw(colon);
            w.value(exec, value, depth + 1)
        })
    }

    /// Brackets around `count` elements.
    fn sequence(
        &mut self,
        exec: &mut Exec<'_>,
        brackets: &[u8; 2],
        count: usize,
        depth: usize,
        mut element: impl FnMut(&mut Self, &mut Exec<'_>, usize) -> Result<(), Error>,
    ) -> Result<(), Error> {
        exec.charge_steps(count as u64)?;
        self.out.push(brackets[0]);
        for i in 0..count {
            if i > 0 {
                self.out.push(b',');
            }
            self.line(depth + 1);
            element(self, exec, i)?;
            self.charge(exec)?;
        }
        if count > 0 {
            self.line(depth);
        }
        self.out.push(brackets[1]);
        Ok(())
    }

    fn line(&mut self, depth: usize) {
        if self.style.pretty {
            self.out.push(b'\n');
            self.out.resize(self.out.len() + 2 * depth, b' ');
        }
    }

    fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn string(&mut self, bytes: &[u8]) {
        self.out.push(b'"');
        for chunk in bytes.utf8_chunks() {
            self.text(chunk.valid());
            chunk.invalid().iter().for_each(|_| self.raw("\\ufffd"));
        }
        self.out.push(b'"');
    }

    fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '"' => self.raw("\\\""),
                '\\' => self.raw("\\\\"),
                '\n' => self.raw("\\n"),
                '\r' => self.raw("\\r"),
                '\t' => self.raw("\\t"),
                '\u{8}' => self.raw("\\b"),
                '\u{c}' => self.raw("\\f"),
                '\u{2028}' | '\u{2029}' | '\0'..=' ' | '<' | '>' | '&' if self.is_escaped(c) => {
                    let escaped = format!("\\u{:04x}", u32::from(c));
                    self.raw(&escaped);
                }
                _ => self.out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
    }

    fn is_escaped(&self, c: char) -> bool {
        match c {
            ' ' => false,
            '<' | '>' | '&' => self.style.escape_html,
            _ => true,
        }
    }
}

/// The shortest form; an exponent below 1e-6 and from 1e21 on.
fn float(f: f64) -> Result<String, Error> {
    if !f.is_finite() {
        let name = if f.is_nan() {
            "NaN"
        } else if f > 0.0 {
            "+Inf"
        } else {
            "-Inf"
        };
        return Err(Error::new(format!("json: unsupported value: {name}")));
    }
    let size = f.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return Ok(format!("{f}"));
    }
    let text = format!("{f:e}");
    Ok(match text.split_once('e') {
        Some((mantissa, exponent)) if !exponent.starts_with('-') => format!("{mantissa}e+{exponent}"),
        _ => text,
    })
}
