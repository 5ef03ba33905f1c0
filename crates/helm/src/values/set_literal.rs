//! The language of `--set-literal`: a name as in `--set` without escapes, then the rest of the text as it stands.

use serde_json::{Map, Value};

use super::set::{MAX_NESTING, Stop, index_number, set, set_index, too_deep, unexpected, wrong_type};

/// Parses `text` into `data`.
pub(super) fn parse(text: &str, data: &mut Map<String, Value>) -> Result<(), String> {
    let mut rest = text;
    loop {
        match key(&mut rest, data, 0) {
            Ok(()) => {}
            Err(Stop::End) => return Ok(()),
            Err(Stop::Error(message)) => return Err(message),
        }
    }
}

/// Text up to one of `stops`, and which one.
fn until<'t>(rest: &mut &'t str, stops: &[char]) -> (&'t str, Option<char>) {
    match rest.find(stops) {
        Some(at) => {
            let (text, after) = rest.split_at(at);
            let stop = after.chars().next();
            *rest = &after[1..];
            (text, stop)
        }
        None => (std::mem::take(rest), None),
    }
}

fn key(rest: &mut &str, data: &mut Map<String, Value>, nesting: usize) -> Result<(), Stop> {
    let (name, stop) = until(rest, &['=', '[', '.']);
    match stop {
        None if name.is_empty() => Err(Stop::End),
        None => Err(format!("key {name:?} has no value").into()),
        Some('=') => {
            set(data, name, Value::String(std::mem::take(rest).to_owned()));
            Ok(())
        }
        Some('[') => {
            let index = index(rest)?;
            let mut list = match data.get(name) {
                None => Vec::new(),
                Some(Value::Array(list)) => list.clone(),
                Some(other) => return Err(wrong_type(other, "[]interface {}").into()),
            };
            let result = item(rest, &mut list, index, nesting);
            set(data, name, Value::Array(list));
            result
        }
        _ => nested(rest, data, name, nesting + 1),
    }
}

fn nested(rest: &mut &str, data: &mut Map<String, Value>, name: &str, nesting: usize) -> Result<(), Stop> {
    if nesting > MAX_NESTING {
        return Err(too_deep());
    }
    let mut inner = match data.get(name) {
        None => Map::new(),
        Some(Value::Object(inner)) => inner.clone(),
        Some(other) => return Err(wrong_type(other, "map[string]interface {}").into()),
    };
    let result = key(rest, &mut inner, nesting);
    if result.is_ok() && inner.is_empty() {
        return Err(format!("key map {name:?} has no value").into());
    }
    if !inner.is_empty() {
        set(data, name, Value::Object(inner));
    }
    result
}

fn index(rest: &mut &str) -> Result<i64, Stop> {
    match until(rest, &[']']) {
        (digits, Some(_)) => index_number(digits).map_err(Stop::Error),
        (_, None) => Err(Stop::End),
    }
}

fn item(rest: &mut &str, list: &mut Vec<Value>, index: i64, nesting: usize) -> Result<(), Stop> {
    if index < 0 {
        return Err(format!("negative {index} index not allowed").into());
    }
    let (text, stop) = until(rest, &['[', '.', '=']);
    if !text.is_empty() {
        return Err(unexpected(text));
    }
    let old = usize::try_from(index).ok().and_then(|i| list.get(i));
    match stop {
        None => Err(Stop::End),
        Some('=') => set_index(list, index, Value::String(std::mem::take(rest).to_owned())),
        Some('[') => {
            let next = self::index(rest)?;
            let mut inner = match old {
                None | Some(Value::Null) => Vec::new(),
                Some(Value::Array(inner)) => inner.clone(),
                Some(other) => return Err(wrong_type(other, "[]interface {}").into()),
            };
            item(rest, &mut inner, next, nesting)?;
            set_index(list, index, Value::Array(inner))
        }
        _ => {
            let mut inner = match old {
                Some(Value::Object(inner)) => inner.clone(),
                _ => Map::new(),
            };
            let result = key(rest, &mut inner, nesting);
            if old.is_some() || result.is_ok() {
                set_index(list, index, Value::Object(inner))?;
            }
            result
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_the_value() {
        for (text, want) in [
            ("a.b=x,y={1}\\", serde_json::json!({"a": {"b": "x,y={1}\\"}})),
            ("a[1]=x", serde_json::json!({"a": [null, "x"]})),
            ("a=", serde_json::json!({"a": ""})),
        ] {
            let mut data = Map::new();
            parse(text, &mut data).unwrap();
            assert_eq!(Value::Object(data), want);
        }
        assert_eq!(parse("a", &mut Map::new()).unwrap_err(), "key \"a\" has no value");
    }
}
