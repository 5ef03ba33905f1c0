//! Short ways into a JSON value. All of them answer "nothing there" for a value of the wrong type: objects come
//! from clusters where any field may hold anything.

use serde_json::Value;

/// The value under a path of field names.
pub fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |inner, field| inner.get(*field))
}

/// The value under a path of field names, to change.
pub fn at_mut<'a>(value: &'a mut Value, path: &[&str]) -> Option<&'a mut Value> {
    path.iter().try_fold(value, |inner, field| inner.get_mut(*field))
}

/// The string under a path.
pub fn str_at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    at(value, path).and_then(Value::as_str)
}

/// The integer under a path. A whole float counts, as it does for Go's unstructured helpers after JSON decoding.
pub fn i64_at(value: &Value, path: &[&str]) -> Option<i64> {
    let number = at(value, path)?;
    number.as_i64().or_else(|| {
        let float = number.as_f64()?;
        // Integral floats up to 2^53 convert without loss; larger ones are no counts.
        (float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0).then_some(float as i64)
    })
}

/// The boolean under a path.
pub fn bool_at(value: &Value, path: &[&str]) -> Option<bool> {
    at(value, path).and_then(Value::as_bool)
}

/// The list under a path; empty where there is none.
pub fn list_at<'a>(value: &'a Value, path: &[&str]) -> &'a [Value] {
    at(value, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
