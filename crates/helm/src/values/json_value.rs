//! JSON from the command line, numbers as floats, as Go decodes it into an `interface{}`.

use serde_json::{Deserializer, Value};

/// A text that is one JSON value.
pub(super) fn whole(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map(floats).map_err(|e| e.to_string())
}

/// The JSON value at the start of a text, and how many bytes it takes.
pub(super) fn leading(text: &str) -> Result<(Value, usize), String> {
    let mut stream = Deserializer::from_str(text).into_iter::<Value>();
    match stream.next() {
        Some(Ok(value)) => {
            let used = stream.byte_offset();
            Ok((floats(value), used))
        }
        Some(Err(e)) => Err(e.to_string()),
        None => Err("EOF".into()),
    }
}

fn floats(value: Value) -> Value {
    match value {
        Value::Number(n) => {
            n.as_f64().and_then(serde_json::Number::from_f64).map_or(Value::Number(n), Value::Number)
        }
        Value::Array(items) => Value::Array(items.into_iter().map(floats).collect()),
        Value::Object(entries) => Value::Object(entries.into_iter().map(|(k, v)| (k, floats(v))).collect()),
        other => other,
    }
}
