//! Between nodes and values: what `yaml.Unmarshal` and `json.Marshal` make of a node, and back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use goyaml::{Kind, Node, Style, Value, tags};
use serde_json::{Map, Number};

use crate::error::{Error, Result};

/// The node as yaml.v3 prints it.
pub(crate) fn print(node: &Node) -> Result<String> {
    Ok(goyaml::emit(node, &goyaml::EmitOptions::default())?)
}

/// What decoding a node can stumble over.
enum Trouble {
    /// `yaml: unmarshal errors`, with the line of the duplicate.
    Yaml(String),
    /// `encoding/json` has no word for the value, or the tag does not fit the text.
    Json(String),
}

/// The JSON value of a node, as kyaml's `MarshalJSON` makes it.
///
/// # Errors
/// `yaml: unmarshal errors: …` with the lines of the object as it is printed, or what `encoding/json` says.
pub(crate) fn to_value(node: &Node) -> Result<Value> {
    // kyaml prints the node and reads the text again. That changes folded scalars with indented lines
    // (yaml.v3 folds what it may not), and nothing else.
    let decoded =
        if has_folded(node) { Err(Trouble::Yaml(String::new())) } else { decode(node.root(), Source::Text) };
    match decoded {
        Ok(value) => Ok(value),
        Err(Trouble::Json(message)) => Err(Error::new(message)),
        // The lines in Go's message are those of the printed object.
        Err(Trouble::Yaml(_)) => {
            let text = print(node)?;
            let again = goyaml::parse_first(text.as_bytes(), &goyaml::Limits::default())?.unwrap_or_default();
            match decode(again.root(), Source::Node) {
                Ok(value) => Ok(value),
                Err(Trouble::Json(message)) => Err(Error::new(message)),
                Err(Trouble::Yaml(message)) => {
                    Err(Error::new(format!("yaml: unmarshal errors:\n  {message}")))
                }
            }
        }
    }
}

fn has_folded(node: &Node) -> bool {
    node.style.has(Style::FOLDED) && node.value.contains('\n') || node.content.iter().any(has_folded)
}

/// The JSON value of an object, as kyaml's `Map` (which reads the node itself) decodes it.
pub(crate) fn to_map(node: &Node) -> Result<Value> {
    match decode(node.root(), Source::Node) {
        Ok(value) => Ok(value),
        Err(Trouble::Json(message)) => Err(Error::new(message)),
        Err(Trouble::Yaml(message)) => Err(Error::new(format!("yaml: unmarshal errors:\n  {message}"))),
    }
}

/// Whether a value comes from the node itself, or from its text, and from where in it: an empty null in a
/// flow collection is printed as `''`, and read again as a string.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Node,
    Text,
    FlowText,
}

impl Source {
    fn inside(self, collection: &Node) -> Self {
        if self == Self::Text && collection.style.has(Style::FLOW) { Self::FlowText } else { self }
    }
}

fn decode(node: &Node, source: Source) -> Result<Value, Trouble> {
    match node.kind {
        Kind::Mapping => decode_mapping(node, true, source),
        _ => decode_any(node, source),
    }
}

fn decode_any(node: &Node, source: Source) -> Result<Value, Trouble> {
    match node.kind {
        Kind::Document => node.content.first().map_or(Ok(Value::Null), |root| decode_any(root, source)),
        Kind::Mapping => decode_mapping(node, false, source),
        Kind::Sequence => {
            let inside = source.inside(node);
            let items = node.content.iter().map(|item| decode_any(item, inside));
            items.collect::<Result<_, _>>().map(Value::Array)
        }
        Kind::Scalar if source == Source::FlowText && node.value.is_empty() => {
            Ok(Value::String(String::new()))
        }
        Kind::Scalar => decode_scalar(node),
        Kind::Alias => Ok(Value::Null),
    }
}

fn decode_mapping(node: &Node, top: bool, source: Source) -> Result<Value, Trouble> {
    let inside = source.inside(node);
    let mut map = Map::new();
    for (i, (key, value)) in node.pairs().enumerate() {
        if map.contains_key(&key.value) {
            return Err(Trouble::Yaml(duplicate(node, i, key)));
        }
        // An empty key is printed as a string, whatever it was.
        let is_string = key.short_tag() == tags::STR || source != Source::Node && key.value.is_empty();
        if !top && !is_string {
            return Err(Trouble::Json("json: unsupported type: map[interface {}]interface {}".to_owned()));
        }
        map.insert(key.value.clone(), decode_any(value, inside)?);
    }
    Ok(Value::Object(map))
}

fn duplicate(node: &Node, position: usize, key: &Node) -> String {
    let first = node.pairs().take(position).find(|(earlier, _)| earlier.value == key.value);
    let line = first.map_or(0, |(earlier, _)| earlier.line);
    format!("line {}: mapping key {:?} already defined at line {line}", key.line, key.value)
}

fn decode_scalar(node: &Node) -> Result<Value, Trouble> {
    let text = node.value.as_str();
    let tag = node.short_tag();
    let value = match tag.as_ref() {
        tags::NULL => Some(Value::Null),
        tags::BOOL => parse_bool(text).map(Value::Bool),
        tags::INT => parse_int(text).map(Value::Number),
        tags::FLOAT => match parse_float(text) {
            Some(float) if float.is_finite() => return Ok(float_value(float)),
            Some(float) => {
                let word = if float.is_nan() {
                    "NaN"
                } else if float > 0.0 {
                    "+Inf"
                } else {
                    "-Inf"
                };
                return Err(Trouble::Json(format!("json: unsupported value: {word}")));
            }
            None => None,
        },
        tags::TIMESTAMP => timestamp(text).map(Value::String),
        tags::BINARY => return binary(text),
        _ => Some(Value::String(text.to_owned())),
    };
    value.ok_or_else(|| {
        let plain = Node::scalar(text);
        Trouble::Json(format!("yaml: cannot decode {} `{text}` as a {tag}", plain.short_tag()))
    })
}

fn binary(text: &str) -> Result<Value, Trouble> {
    let plain: String = text.chars().filter(|character| !matches!(character, '\n' | '\r')).collect();
    match STANDARD.decode(plain) {
        Ok(bytes) => Ok(Value::String(String::from_utf8_lossy(&bytes).into_owned())),
        Err(_) => Err(Trouble::Json("yaml: !!binary value contains invalid base64 data".to_owned())),
    }
}

fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// An integer as yaml.v3 reads it: `0x`, `0o`, `0b` and leading zeros choose the base.
fn parse_int(text: &str) -> Option<Number> {
    let plain = text.replace('_', "");
    let (negative, digits) = match plain.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let lower = digits.to_ascii_lowercase();
    let (base, digits) = if let Some(rest) = lower.strip_prefix("0x") {
        (16, rest)
    } else if let Some(rest) = lower.strip_prefix("0o") {
        (8, rest)
    } else if let Some(rest) = lower.strip_prefix("0b") {
        (2, rest)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..])
    } else {
        (10, lower.as_str())
    };
    match u64::from_str_radix(digits, base) {
        Ok(number) if negative => {
            let signed = i64::try_from(-i128::from(number)).ok();
            signed.map(Number::from).or_else(|| Number::from_f64(parse_float(&plain)?))
        }
        Ok(number) => Some(Number::from(number)),
        Err(_) => Number::from_f64(parse_float(&plain)?),
    }
}

fn parse_float(text: &str) -> Option<f64> {
    match text {
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Some(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Some(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Some(f64::NAN),
        _ => {}
    }
    let plain = text.replace('_', "");
    plain.strip_prefix('+').unwrap_or(&plain).parse().ok().filter(|float: &f64| float.is_finite())
}

/// A float as JSON has it after a round trip: whole numbers below 1e21 are integers.
fn float_value(float: f64) -> Value {
    if float == float.trunc() && float.abs() < 1e21 {
        // The digits are the shortest that mean the float, then zeros.
        let digits = format!("{float}");
        if let Ok(signed) = digits.parse::<i64>() {
            return Value::Number(Number::from(signed));
        }
        if let Ok(unsigned) = digits.parse::<u64>() {
            return Value::Number(Number::from(unsigned));
        }
    }
    Number::from_f64(float).map_or(Value::Null, Value::Number)
}

/// A timestamp as Go's `time.Time` writes it to JSON (RFC 3339 with the shortest fraction).
fn timestamp(text: &str) -> Option<String> {
    let (date, rest) = match text.find(['T', 't', ' ', '\t']) {
        Some(at) => (&text[..at], text[at + 1..].trim_start()),
        None => (text, ""),
    };
    let mut parts = date.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let day: u32 = day.parse().ok()?;
    let month: u32 = month.parse().ok()?;
    let mut result = format!("{year}-{month:02}-{day:02}T");
    if rest.is_empty() {
        result.push_str("00:00:00Z");
        return Some(result);
    }
    let zone_at = rest.find(['Z', 'z', '+', '-', ' ']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(zone_at);
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut fields = whole.split(':');
    for (i, separator) in ["", ":", ":"].iter().enumerate() {
        let number: u32 = fields.next().unwrap_or("0").parse().ok()?;
        if i == 0 && number > 23 || number > 60 {
            return None;
        }
        result.push_str(separator);
        result.push_str(&format!("{number:02}"));
    }
    let fraction = fraction.trim_end_matches('0');
    if !fraction.is_empty() {
        result.push('.');
        result.push_str(fraction);
    }
    result.push_str(&zone_text(zone.trim())?);
    Some(result)
}

fn zone_text(zone: &str) -> Option<String> {
    if zone.is_empty() || zone.eq_ignore_ascii_case("z") {
        return Some("Z".to_owned());
    }
    let (sign, rest) = zone.split_at_checked(1)?;
    let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "0"));
    let hours: u32 = hours.parse().ok()?;
    let minutes: u32 = minutes.parse().ok()?;
    if hours == 0 && minutes == 0 {
        return Some("Z".to_owned());
    }
    Some(format!("{sign}{hours:02}:{minutes:02}"))
}

/// The node that kyaml makes of a JSON value whose numbers went through `encoding/json` (all floats).
pub(crate) fn from_json(value: &Value) -> Node {
    match value {
        Value::Null => Node::null(),
        Value::Bool(flag) => Node { value: flag.to_string(), tag: tags::BOOL.into(), ..Node::default() },
        Value::Number(number) => number_node(number),
        Value::String(text) => string_node(text),
        Value::Array(items) => Node::sequence(items.iter().map(from_json)),
        Value::Object(map) => {
            let mut pairs: Vec<(&String, &Value)> = map.iter().collect();
            pairs.sort_by_key(|(key, _)| *key);
            Node::mapping(pairs.into_iter().map(|(key, value)| (string_node(key), from_json(value))))
        }
    }
}

fn string_node(text: &str) -> Node {
    let style = if text.contains('\n') { Style::LITERAL } else { Style::DEFAULT };
    Node { value: text.to_owned(), tag: tags::STR.into(), style, ..Node::default() }
}

fn number_node(number: &Number) -> Node {
    let float = number.as_f64().unwrap_or_default();
    let text = go_float(float);
    let tag = if text.contains(['e', '.']) { tags::FLOAT } else { tags::INT };
    Node { value: text, tag: tag.into(), ..Node::default() }
}

/// A float as Go's `strconv.FormatFloat(f, 'g', -1, 64)` prints it: exponents from 1e+21 on for whole
/// numbers is the rule of `encoding/json`; this one has them from 1e+06 on.
pub(crate) fn go_float(float: f64) -> String {
    let scientific = format!("{float:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let Ok(exponent) = exponent.parse::<i32>() else { return scientific };
    // yaml.v3 prints with the shortest precision; `%e` is chosen as strconv does for it.
    let threshold = 6;
    if (-4..threshold).contains(&exponent) {
        return format!("{float}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}
