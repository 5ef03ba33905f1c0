//! The language of `--set`, `--set-string`, `--set-file` and `--set-json`.
//!
//! `a.b=1,c[0].d=x,e={1,2}`: a comma ends a value, `\` takes the meaning from the next character. Values go into a
//! tree that is already there, so one string can change what an earlier one set.

use serde_json::{Map, Value};

use super::json_value;

/// Deepest nesting of a name.
pub(super) const MAX_NESTING: usize = 30;
/// Highest index of a list.
const MAX_INDEX: i64 = 65_536;

/// How the text of a value becomes a value.
pub(super) enum Reader<'a> {
    /// `true`, `false`, `null` and integers are recognised.
    Typed,
    /// Everything is a string.
    Text,
    /// Each value is JSON.
    Json,
    /// Asks the caller.
    Custom(&'a mut dyn FnMut(&str) -> Result<Value, String>),
}

impl Reader<'_> {
    fn read(&mut self, text: &str) -> Result<Value, String> {
        match self {
            Reader::Typed => Ok(typed(text)),
            Reader::Text | Reader::Json => Ok(Value::String(text.to_owned())),
            Reader::Custom(read) => read(text),
        }
    }
}

/// How parsing one name and value ended.
pub(super) enum Stop {
    /// The text is used up.
    End,
    /// It cannot be understood.
    Error(String),
}

impl From<String> for Stop {
    fn from(message: String) -> Self {
        Stop::Error(message)
    }
}

impl From<&str> for Stop {
    fn from(message: &str) -> Self {
        Stop::Error(message.to_owned())
    }
}

/// Parses `text` into `data`.
pub(super) fn parse(
    text: &str,
    data: &mut Map<String, Value>,
    reader: &mut Reader<'_>,
) -> Result<(), String> {
    let mut parser = Parser { rest: text, reader };
    loop {
        match parser.key(data, 0) {
            Ok(()) => {}
            Err(Stop::End) => return Ok(()),
            Err(Stop::Error(message)) => return Err(message),
        }
    }
}

struct Parser<'t, 'r, 'c> {
    rest: &'t str,
    reader: &'r mut Reader<'c>,
}

impl Parser<'_, '_, '_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    /// Text up to one of `stops`, and which one; `None` at the end of the text.
    fn until(&mut self, stops: &[char]) -> (String, Option<char>) {
        let mut text = String::new();
        while let Some(c) = self.next() {
            if stops.contains(&c) {
                return (text, Some(c));
            }
            match c {
                '\\' => match self.next() {
                    Some(next) => text.push(next),
                    None => break,
                },
                c => text.push(c),
            }
        }
        (text, None)
    }

    fn key(&mut self, data: &mut Map<String, Value>, nesting: usize) -> Result<(), Stop> {
        let (name, stop) = self.until(&['=', '[', ',', '.']);
        match stop {
            None if name.is_empty() => Err(Stop::End),
            None => Err(format!("key {name:?} has no value").into()),
            Some('[') => {
                let index = self.index()?;
                let mut list = match data.get(&name) {
                    None => Vec::new(),
                    Some(Value::Array(list)) => list.clone(),
                    Some(other) => return Err(wrong_type(other, "[]interface {}").into()),
                };
                let result = self.item(&mut list, index, nesting);
                set(data, &name, Value::Array(list));
                result
            }
            Some('=') => self.value(data, &name),
            Some(',') => {
                set(data, &name, Value::String(String::new()));
                Err(format!("key {name:?} has no value (cannot end with ,)").into())
            }
            _ => self.nested(data, &name, nesting + 1),
        }
    }

    fn nested(&mut self, data: &mut Map<String, Value>, name: &str, nesting: usize) -> Result<(), Stop> {
        if nesting > MAX_NESTING {
            return Err(too_deep());
        }
        let mut fresh = Map::new();
        let inner = match data.get_mut(name) {
            None => &mut fresh,
            Some(Value::Object(inner)) => inner,
            Some(other) => return Err(wrong_type(other, "map[string]interface {}").into()),
        };
        let result = self.key(inner, nesting);
        let is_empty = inner.is_empty();
        if result.is_ok() && is_empty {
            return Err(format!("key map {name:?} has no value").into());
        }
        if !fresh.is_empty() {
            set(data, name, Value::Object(fresh));
        }
        result
    }

    /// The value after `name=`.
    fn value(&mut self, data: &mut Map<String, Value>, name: &str) -> Result<(), Stop> {
        if matches!(self.reader, Reader::Json) {
            let value = self.json()?;
            set(data, name, value);
            return Ok(());
        }
        if self.rest.is_empty() {
            set(data, name, Value::String(String::new()));
            return Err(Stop::End);
        }
        let value = self.list_or_text();
        // A file that cannot be read leaves null behind, as in Go.
        set(data, name, value.as_ref().cloned().unwrap_or_default());
        value.map(drop).map_err(Stop::Error)
    }

    fn list_or_text(&mut self) -> Result<Value, String> {
        match self.rest.strip_prefix('{') {
            Some(rest) => {
                self.rest = rest;
                self.list()
            }
            None => {
                let (text, _) = self.until(&[',']);
                self.reader.read(&text)
            }
        }
    }

    /// The elements of `{…}`.
    fn list(&mut self) -> Result<Value, String> {
        let mut list = Vec::new();
        loop {
            let (text, stop) = self.until(&[',', '}']);
            match stop {
                None => return Err("list must terminate with '}'".into()),
                Some(stop) => {
                    list.push(self.reader.read(&text)?);
                    if stop == '}' {
                        self.rest = self.rest.strip_prefix(',').unwrap_or(self.rest);
                        return Ok(Value::Array(list));
                    }
                }
            }
        }
    }

    /// A JSON value, with the blanks and the comma after it; nothing is null.
    fn json(&mut self) -> Result<Value, Stop> {
        if self.skip_blank() {
            return Ok(Value::Null);
        }
        let (value, used) = json_value::leading(self.rest)?;
        self.rest = self.rest.get(used..).unwrap_or_default();
        self.skip_blank();
        Ok(value)
    }

    /// Skips white space; whether a comma or the end of the text follows, which is skipped too.
    fn skip_blank(&mut self) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(',') {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => self.rest.is_empty(),
        }
    }

    /// The number before `]`.
    fn index(&mut self) -> Result<i64, Stop> {
        let (digits, stop) = self.until(&[']']);
        match stop {
            Some(_) => index_number(&digits).map_err(Stop::Error),
            None => Err(Stop::End),
        }
    }

    /// What follows `[index]`.
    fn item(&mut self, list: &mut Vec<Value>, index: i64, nesting: usize) -> Result<(), Stop> {
        if index < 0 {
            return Err(format!("negative {index} index not allowed").into());
        }
        let (text, stop) = self.until(&['[', '.', '=']);
        if !text.is_empty() {
            return Err(unexpected(&text));
        }
        let old = usize::try_from(index).ok().and_then(|i| list.get(i));
        match stop {
            None => Err(Stop::End),
            Some('=') if matches!(self.reader, Reader::Json) => {
                let value = self.json()?;
                set_index(list, index, value)
            }
            Some('=') if self.rest.is_empty() => set_index(list, index, Value::String(String::new())),
            Some('=') => {
                let value = self.list_or_text()?;
                set_index(list, index, value)
            }
            Some('[') => {
                let next = self.index()?;
                let mut inner = match old {
                    None | Some(Value::Null) => Vec::new(),
                    Some(Value::Array(inner)) => inner.clone(),
                    Some(other) => return Err(wrong_type(other, "[]interface {}").into()),
                };
                self.item(&mut inner, next, nesting)?;
                set_index(list, index, Value::Array(inner))
            }
            _ => {
                let mut inner = match old {
                    Some(Value::Object(inner)) => inner.clone(),
                    _ => Map::new(),
                };
                let result = self.key(&mut inner, nesting);
                if old.is_some() || result.is_ok() {
                    // An element that is there is changed in place, even by what fails later.
                    set_index(list, index, Value::Object(inner))?;
                }
                result
            }
        }
    }
}

/// Go shows the characters one by one.
pub(super) fn unexpected(text: &str) -> Stop {
    let quoted: Vec<String> = text
        .chars()
        .map(|c| match c {
            '"' => "'\"'".to_owned(),
            '\'' => "'\\''".to_owned(),
            c => gotemplate::strconv::quote(c.to_string().as_bytes()).replace('"', "'"),
        })
        .collect();
    format!("unexpected data at end of array index: [{}]", quoted.join(" ")).into()
}

pub(super) fn too_deep() -> Stop {
    format!("value name nested level is greater than maximum supported nested level of {MAX_NESTING}").into()
}

/// Go's `strconv.Atoi`, with Helm's prefix.
pub(super) fn index_number(digits: &str) -> Result<i64, String> {
    let plain = digits.strip_prefix(['+', '-']).unwrap_or(digits);
    let valid = !plain.is_empty() && plain.bytes().all(|b| b.is_ascii_digit());
    let why = if valid { "value out of range" } else { "invalid syntax" };
    let parsed = if valid { digits.parse().ok() } else { None };
    parsed.ok_or_else(|| format!("error parsing index: strconv.Atoi: parsing {digits:?}: {why}"))
}

pub(super) fn set(data: &mut Map<String, Value>, name: &str, value: Value) {
    if !name.is_empty() {
        data.insert(name.to_owned(), value);
    }
}

pub(super) fn set_index(list: &mut Vec<Value>, index: i64, value: Value) -> Result<(), Stop> {
    if index < 0 {
        return Err(format!("negative {index} index not allowed").into());
    }
    let at = usize::try_from(index).ok().filter(|_| index <= MAX_INDEX);
    let Some(at) = at else {
        return Err(format!("index of {index} is greater than maximum supported index of {MAX_INDEX}").into());
    };
    if list.len() <= at {
        list.resize(at + 1, Value::Null);
    }
    if let Some(slot) = list.get_mut(at) {
        *slot = value;
    }
    Ok(())
}

/// The text of Go's failed type assertion, which Helm reports.
pub(super) fn wrong_type(value: &Value, wanted: &str) -> String {
    let have = match value {
        Value::Null => "nil",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    };
    format!("unable to parse key: interface conversion: interface {{}} is {have}, not {wanted}")
}

fn typed(text: &str) -> Value {
    if text.eq_ignore_ascii_case("true") {
        return Value::Bool(true);
    }
    if text.eq_ignore_ascii_case("false") {
        return Value::Bool(false);
    }
    if text.eq_ignore_ascii_case("null") {
        return Value::Null;
    }
    if text == "0" {
        return Value::from(0);
    }
    // A leading zero keeps its string: it may be a file mode or a telephone number.
    match text.parse::<i64>() {
        Ok(number) if !text.starts_with('0') => Value::from(number),
        _ => Value::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn into(text: &str, data: Value) -> Result<Value, String> {
        let Value::Object(mut data) = data else { panic!("an object") };
        parse(text, &mut data, &mut Reader::Typed)?;
        Ok(Value::Object(data))
    }

    fn plain(text: &str) -> Result<Value, String> {
        into(text, json!({}))
    }

    #[test]
    fn values_and_nesting() {
        for (text, want) in [
            ("a=1,b=true,c=null,d=x", json!({"a": 1, "b": true, "c": null, "d": "x"})),
            ("a=0,b=00,c=-5,d=+5,e=1.5", json!({"a": 0, "b": "00", "c": -5, "d": 5, "e": "1.5"})),
            ("a.b.c=1,a.b.d=2", json!({"a": {"b": {"c": 1, "d": 2}}})),
            ("a={1,x,},b=2", json!({"a": [1, "x", ""], "b": 2})),
            ("a[1].b=1,a[0]=2", json!({"a": [2, {"b": 1}]})),
            ("a[0][1]=x", json!({"a": [[null, "x"]]})),
            ("a\\.b=1\\,2", json!({"a.b": "1,2"})),
            ("a=", json!({"a": ""})),
            ("a=,b=1", json!({"a": "", "b": 1})),
        ] {
            assert_eq!(plain(text).unwrap(), want, "{text}");
        }
    }

    #[test]
    fn errors_in_helms_words() {
        for (text, want) in [
            ("a", "key \"a\" has no value"),
            ("a,b=1", "key \"a\" has no value (cannot end with ,)"),
            ("a={1", "list must terminate with '}'"),
            ("a[x]=1", "error parsing index: strconv.Atoi: parsing \"x\": invalid syntax"),
            ("a[-1]=1", "negative -1 index not allowed"),
            ("a[0]x\"=1", "unexpected data at end of array index: ['x' '\"']"),
            ("a[70000]=1", "index of 70000 is greater than maximum supported index of 65536"),
        ] {
            assert_eq!(plain(text).unwrap_err(), want, "{text}");
        }
        assert!(plain(&("a.".repeat(40) + "b=1")).unwrap_err().contains("nested level"));
        assert_eq!(
            into("a.b=1", json!({"a": "x"})).unwrap_err(),
            "unable to parse key: interface conversion: interface {} is string, not map[string]interface {}"
        );
    }

    #[test]
    fn json_values() {
        let mut data = Map::new();
        parse("a={\"x\":[1]} ,b.c= ,d[1]=\"y\"", &mut data, &mut Reader::Json).unwrap();
        assert_eq!(Value::Object(data), json!({"a": {"x": [1.0]}, "b": {"c": null}, "d": [null, "y"]}));
    }
}
