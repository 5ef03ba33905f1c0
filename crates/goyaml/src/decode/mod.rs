//! Reading text into values as `sigs.k8s.io/yaml` does: the v2 flavour.

mod key;
mod node;
mod tree;
mod value;

use serde_json::{Map, Number, Value};

use crate::compose::check_bytes;
use crate::input::Input;
use crate::parser::Parser;
use crate::scanner::token::Flavour;
use crate::{Error, ErrorKind, Limits, gofmt};

/// Which kind of number a decoded scalar becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Numbers {
    /// Every number is a float, as `encoding/json` makes them for an `interface{}`: chart values, `fromYaml`.
    #[default]
    Float64,
    /// As a JSON reader that keeps integers: `1` and `1e3` are integers, `1.5` and `1e21` floats. What
    /// Kubernetes' unstructured objects have.
    Json,
    /// As yaml.v2 itself resolves them: `1e3` and `1.0` are floats. For fields typed as strings; see
    /// [`scalar_text`].
    Yaml,
}

/// The Go type that is decoded into; only the message about a document of another shape depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Target {
    /// `interface{}`: anything.
    #[default]
    Any,
    /// `map[string]interface{}`; a null document gives an empty map.
    Map,
    /// `[]interface{}`; a null document gives an empty list.
    List,
}

/// How [`decode`] reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DecodeOptions {
    /// Whether duplicate keys are an error (`UnmarshalStrict`) or the last wins (`Unmarshal`).
    pub strict: bool,
    /// Which kind of number a scalar becomes.
    pub numbers: Numbers,
    /// What is decoded into.
    pub target: Target,
    /// Bounds.
    pub limits: Limits,
}

/// Decodes the first document of `text` as `yaml.Unmarshal` of `sigs.k8s.io/yaml` does.
///
/// # Errors
/// In Go's words: `error converting YAML to JSON: yaml: line 2: …`,
/// `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal …`.
pub fn decode(text: &[u8], options: &DecodeOptions) -> Result<Value, Error> {
    let value =
        yaml_to_json(text, options).map_err(|error| error.prefixed("error converting YAML to JSON: "))?;
    let (target, empty) = match options.target {
        Target::Any => return Ok(value),
        Target::Map if value.is_object() => return Ok(value),
        Target::List if value.is_array() => return Ok(value),
        Target::Map => ("map[string]interface {}", Value::Object(Map::new())),
        Target::List => ("[]interface {}", Value::Array(Vec::new())),
    };
    let found = match value {
        Value::Null => return Ok(empty),
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let message = format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go value of type {target}"
    );
    Err(Error::new(ErrorKind::Type, message))
}

/// Decodes the first document of `text` as `yaml.YAMLToJSON` of `sigs.k8s.io/yaml` does; the errors are
/// those of yaml.v2 itself, with no words in front. The target of the options is not looked at.
///
/// # Errors
/// In Go's words: `yaml: line 2: …`.
pub fn yaml_to_json(text: &[u8], options: &DecodeOptions) -> Result<Value, Error> {
    check_bytes(text, &options.limits)?;
    let input = Input::new(text);
    let mut parser = Parser::new(&input.text, input.problem, Flavour::V2, options.limits.depth);
    match tree::Tree::read(&mut parser, &options.limits) {
        Ok(Some(tree)) => value::Decoder::new(&tree, options).document(),
        Ok(None) => Ok(Value::Null),
        Err(failure) => Err(failure.into_error(Flavour::V2)),
    }
}

/// [`decode`] with the defaults: into an `interface{}`, all numbers floats, the last duplicate wins.
///
/// # Errors
/// As [`decode`].
pub fn from_yaml(text: &[u8]) -> Result<Value, Error> {
    decode(text, &DecodeOptions::default())
}

/// [`from_yaml`] with duplicate keys as an error.
///
/// # Errors
/// As [`decode`].
pub fn from_yaml_strict(text: &[u8]) -> Result<Value, Error> {
    decode(text, &DecodeOptions { strict: true, ..DecodeOptions::default() })
}

/// The text that `sigs.k8s.io/yaml` gives to a string field for a scalar that is no string
/// (`appVersion: 1.10` becomes `1.1`), from a value decoded with [`Numbers::Yaml`]. `None` for null, lists
/// and maps, which a string field refuses or ignores.
pub fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Number(number) => Some(match number.as_f64() {
            Some(float) if number.is_f64() => gofmt::float_32(float),
            _ => number.to_string(),
        }),
        Value::String(text) => Some(text.clone()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A whole number as the reader asked for it.
fn number_value(numbers: Numbers, float: f64, whole: Number) -> Value {
    match numbers {
        Numbers::Float64 => Number::from_f64(float).map_or(Value::Null, Value::Number),
        Numbers::Json | Numbers::Yaml => Value::Number(whole),
    }
}

/// A float as the reader asked for it; the message of `encoding/json` when JSON has no such number.
fn float_value(numbers: Numbers, number: f64) -> Result<Value, String> {
    let Some(float) = Number::from_f64(number) else {
        let text = if number.is_nan() { "NaN" } else { ["-Inf", "+Inf"][usize::from(number > 0.0)] };
        return Err(format!("json: unsupported value: {text}"));
    };
    let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number);
    if numbers == Numbers::Json && number.fract() == 0.0 && fits {
        return Ok(Value::Number(Number::from(number as i64)));
    }
    Ok(Value::Number(float))
}
