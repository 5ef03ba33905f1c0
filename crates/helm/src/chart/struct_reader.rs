//! Reading YAML into a known set of fields as Go's `encoding/json` does behind `sigs.k8s.io/yaml`: names match
//! without regard to case, scalars become strings where a string is wanted, the first mismatch is the error.

use serde_json::Value;

/// The place of a field, for messages: the Go struct and the path of names below it.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) root: &'static str,
    pub(crate) parent: Option<&'a At<'a>>,
    pub(crate) field: &'static str,
}

impl<'a> At<'a> {
    /// A field of the struct `root`.
    pub(crate) fn field(root: &'static str, field: &'static str) -> Self {
        At { root, parent: None, field }
    }

    /// A field of the struct `root` that stands here. Messages name the innermost struct and the whole path.
    pub(crate) fn child(&'a self, root: &'static str, field: &'static str) -> At<'a> {
        At { root, parent: Some(self), field }
    }

    fn path(&self) -> String {
        match self.parent {
            Some(parent) => format!("{}.{}", parent.path(), self.field),
            None => self.field.to_owned(),
        }
    }

    /// Go's error for a value of another type than `wanted`.
    pub(crate) fn mismatch(&self, value: &Value, wanted: &str) -> String {
        let path = self.path();
        unmarshal_error(&format!(
            "json: cannot unmarshal {} into Go struct field {}.{path} of type {wanted}",
            json_kind(value),
            self.root
        ))
    }
}

/// The prefix that `sigs.k8s.io/yaml` gives to errors of `encoding/json`.
pub(crate) fn unmarshal_error(message: &str) -> String {
    format!("error unmarshaling JSON: while decoding JSON: {message}")
}

/// How Go names the kind of a JSON value in an `UnmarshalTypeError`.
pub(crate) fn json_kind(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(_) => "bool".into(),
        Value::Number(_) => "number".into(),
        Value::String(_) => "string".into(),
        Value::Array(_) => "array".into(),
        Value::Object(_) => "object".into(),
    }
}

/// A `string` field: null leaves it empty, other scalars are written as text.
pub(crate) fn string(value: &Value, at: &At<'_>) -> Result<String, String> {
    match value {
        Value::Null => Ok(String::new()),
        Value::String(s) => Ok(s.clone()),
        scalar => goyaml::scalar_text(scalar).ok_or_else(|| at.mismatch(value, "string")),
    }
}

/// A `bool` field.
pub(crate) fn bool(value: &Value, at: &At<'_>) -> Result<bool, String> {
    match value {
        Value::Null => Ok(false),
        Value::Bool(b) => Ok(*b),
        other => Err(at.mismatch(other, "bool")),
    }
}

/// A slice field; `item` reads one element.
pub(crate) fn list<T>(
    value: &Value,
    at: &At<'_>,
    wanted: &str,
    item: impl Fn(&Value, &At<'_>) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => items.iter().map(|v| item(v, at)).collect(),
        other => Err(at.mismatch(other, wanted)),
    }
}
