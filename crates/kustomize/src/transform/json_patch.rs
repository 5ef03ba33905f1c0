//! JSON patches (RFC 6902), with the leniencies and the wording of the library that kustomize uses.

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::kustomization::yaml_to_json;
use crate::tree::lookup::atoi;

/// The operations of a patch.
pub(crate) type Operations = Vec<Map<String, Value>>;

/// Reads the operations of a text that is JSON (when it starts with `[`) or YAML. `None` for a null.
pub(crate) fn decode(text: &str) -> Result<Option<Operations>> {
    if text.is_empty() {
        return Err(Error::new("empty json patch operations"));
    }
    let value = if text.starts_with('[') {
        serde_json::from_str(text).map_err(|error| Error::new(format!("invalid JSON: {error}")))?
    } else {
        yaml_to_json(text.as_bytes())?
    };
    let unexpected = |value: &Value, wanted: &str| {
        let found = match value {
            Value::Object(_) => "object",
            Value::Array(_) => "array",
            Value::String(_) => "string",
            Value::Number(_) => "number",
            Value::Bool(_) | Value::Null => "bool",
        };
        Error::new(format!("json: cannot unmarshal {found} into Go value of type {wanted}"))
    };
    let items = match value {
        Value::Null => return Ok(None),
        Value::Array(items) => items,
        other => return Err(unexpected(&other, "jsonpatch.Patch")),
    };
    let operation = |item| match item {
        Value::Object(map) => Ok(map),
        Value::Null => Ok(Map::new()),
        other => Err(unexpected(&other, "jsonpatch.Operation")),
    };
    items.into_iter().map(operation).collect::<Result<_>>().map(Some)
}

/// Why an operation failed, before Go's reason is added.
const MISSING: &str = "missing value";

fn missing(text: String) -> Error {
    Error::new(format!("{text}: {MISSING}"))
}

fn text_field(operation: &Map<String, Value>, name: &str, absent: &str) -> Result<String> {
    match operation.get(name) {
        None | Some(Value::Null) => Err(missing(absent.to_owned())),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(Error::new("json: cannot unmarshal value into Go value of type string")),
    }
}

fn path_of(operation: &Map<String, Value>) -> Result<String> {
    text_field(operation, "path", "operation missing path field")
}

fn from_of(operation: &Map<String, Value>) -> Result<String> {
    text_field(operation, "from", "operation, missing from field")
}

fn unescape(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

fn index_error(index: i64) -> Error {
    Error::new(format!("Unable to access invalid index: {index}: invalid index referenced"))
}

fn atoi_error(text: &str) -> Error {
    Error::new(format!("strconv.Atoi: parsing {text:?}: invalid syntax"))
}

/// The position for an index of a list of `length`, negative ones counted from the end.
fn position(key: &str, length: usize) -> Result<usize> {
    let index = atoi(key).ok_or_else(|| atoi_error(key))?;
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let actual = if index < 0 { index + length } else { index };
    if actual < 0 || actual >= length {
        return Err(index_error(index));
    }
    usize::try_from(actual).map_err(|_| index_error(index))
}

/// The container in which the last part of a path stands, and that part.
fn container<'d>(document: &'d mut Value, path: &str) -> Option<(&'d mut Value, String)> {
    let (_, rest) = path.split_once('/')?;
    let mut parts: Vec<&str> = rest.split('/').collect();
    let last = unescape(parts.pop()?);
    let mut at = document;
    for part in parts {
        let part = unescape(part);
        at = match at {
            Value::Object(map) => map.get_mut(&part)?,
            Value::Array(items) => {
                let index = position(&part, items.len()).ok()?;
                items.get_mut(index)?
            }
            _ => return None,
        };
    }
    matches!(at, Value::Object(_) | Value::Array(_)).then_some((at, last))
}

fn get(container: &Value, key: &str) -> Result<Option<Value>> {
    match container {
        Value::Array(items) => Ok(items.get(position(key, items.len())?).cloned()),
        other => Ok(other.get(key).cloned()),
    }
}

fn add(container: &mut Value, key: &str, value: Value) -> Result<()> {
    match container {
        Value::Array(items) if key == "-" => items.push(value),
        Value::Array(items) => {
            let index = atoi(key).ok_or_else(|| {
                Error::new(format!(
                    "value was not a proper array index: '{key}': strconv.Atoi: parsing {key:?}: invalid syntax"
                ))
            })?;
            // One more place than there are items: the end.
            let place = position(key, items.len() + 1).map_err(|_| index_error(index))?;
            items.insert(place, value);
        }
        Value::Object(map) => {
            map.insert(key.to_owned(), value);
        }
        _ => {}
    }
    Ok(())
}

fn set(container: &mut Value, key: &str, value: Value) -> Result<()> {
    if let Value::Array(items) = container {
        let index = position(key, items.len())?;
        if let Some(slot) = items.get_mut(index) {
            *slot = value;
        }
        return Ok(());
    }
    add(container, key, value)
}

fn remove(container: &mut Value, key: &str) -> Result<()> {
    match container {
        Value::Array(items) => {
            let index = position(key, items.len())?;
            items.remove(index);
            Ok(())
        }
        Value::Object(map) => match map.remove(key) {
            Some(_) => Ok(()),
            None => Err(missing(format!("Unable to remove nonexistent key: {key}"))),
        },
        _ => Ok(()),
    }
}

fn value_of(operation: &Map<String, Value>) -> Value {
    operation.get("value").cloned().unwrap_or(Value::Null)
}

/// Applies all operations.
pub(crate) fn apply(document: &mut Value, operations: &Operations) -> Result<()> {
    operations.iter().try_for_each(|operation| apply_one(document, operation))
}

fn apply_one(document: &mut Value, operation: &Map<String, Value>) -> Result<()> {
    match operation.get("op").and_then(Value::as_str).unwrap_or("unknown") {
        "add" => apply_add(document, operation),
        "remove" => apply_remove(document, operation),
        "replace" => apply_replace(document, operation),
        "move" => apply_move(document, operation),
        "test" => apply_test(document, operation),
        "copy" => apply_copy(document, operation),
        other => Err(Error::new(format!("Unexpected kind: {other}"))),
    }
}

fn apply_add(document: &mut Value, operation: &Map<String, Value>) -> Result<()> {
    let path = path_of(operation).map_err(|_| missing("add operation failed to decode path".to_owned()))?;
    let Some((found, key)) = container(document, &path) else {
        return Err(missing(format!("add operation does not apply: doc is missing path: \"{path}\"")));
    };
    add(found, &key, value_of(operation))
        .map_err(|error| error.context(format!("error in add for path: '{path}'")))
}

fn apply_remove(document: &mut Value, operation: &Map<String, Value>) -> Result<()> {
    let path =
        path_of(operation).map_err(|_| missing("remove operation failed to decode path".to_owned()))?;
    let Some((found, key)) = container(document, &path) else {
        return Err(missing(format!("remove operation does not apply: doc is missing path: \"{path}\"")));
    };
    remove(found, &key).map_err(|error| error.context(format!("error in remove for path: '{path}'")))
}

fn apply_replace(document: &mut Value, operation: &Map<String, Value>) -> Result<()> {
    let path =
        path_of(operation).map_err(|error| error.context("replace operation failed to decode path"))?;
    if path.is_empty() {
        return match value_of(operation) {
            value @ (Value::Object(_) | Value::Array(_)) => {
                *document = value;
                Ok(())
            }
            _ => Err(Error::new("replace operation value must be object or array: %!w(<nil>)")),
        };
    }
    let Some((found, key)) = container(document, &path) else {
        return Err(missing(format!("replace operation does not apply: doc is missing path: {path}")));
    };
    if get(found, &key).is_err() {
        return Err(missing(format!("replace operation does not apply: doc is missing key: {path}")));
    }
    set(found, &key, value_of(operation))
        .map_err(|error| error.context(format!("error in remove for path: '{path}'")))
}

fn apply_move(document: &mut Value, operation: &Map<String, Value>) -> Result<()> {
    let from = from_of(operation).map_err(|error| error.context("move operation failed to decode from"))?;
    let Some((found, key)) = container(document, &from) else {
        return Err(missing(format!("move operation does not apply: doc is missing from path: {from}")));
    };
    let wrap = |error: Error| error.context(format!("error in move for path: '{key}'"));
    let value = get(found, &key).map_err(wrap)?.unwrap_or(Value::Null);
    remove(found, &key).map_err(wrap)?;
    let path = path_of(operation).map_err(|error| error.context("move operation failed to decode path"))?;
    let Some((found, key)) = container(document, &path) else {
        return Err(missing(format!(
            "move operation does not apply: doc is missing destination path: {path}"
        )));
    };
    add(found, &key, value).map_err(|error| error.context(format!("error in move for path: '{path}'")))
}

fn apply_test(document: &mut Value, operation: &Map<String, Value>) -> Result<()> {
    let path = path_of(operation).map_err(|error| error.context("test operation failed to decode path"))?;
    let failed = || Error::new(format!("testing value {path} failed: test failed"));
    let wanted = value_of(operation);
    if path.is_empty() {
        return if *document == wanted { Ok(()) } else { Err(failed()) };
    }
    let Some((found, key)) = container(document, &path) else {
        return Err(missing(format!("test operation does not apply: is missing path: {path}")));
    };
    let value =
        get(found, &key).map_err(|error| error.context(format!("error in test for path: '{path}'")))?;
    if value.unwrap_or(Value::Null) == wanted { Ok(()) } else { Err(failed()) }
}

fn apply_copy(document: &mut Value, operation: &Map<String, Value>) -> Result<()> {
    let from = from_of(operation).map_err(|error| error.context("copy operation failed to decode from"))?;
    let Some((found, key)) = container(document, &from) else {
        return Err(missing(format!("copy operation does not apply: doc is missing from path: {from}")));
    };
    let value = get(found, &key)
        .map_err(|error| error.context(format!("error in copy for from: '{from}'")))?
        .unwrap_or(Value::Null);
    let path = path_of(operation).map_err(|_| missing("copy operation failed to decode path".to_owned()))?;
    let Some((found, key)) = container(document, &path) else {
        return Err(missing(format!(
            "copy operation does not apply: doc is missing destination path: {path}"
        )));
    };
    add(found, &key, value).map_err(|error| error.context("error while adding value during copy"))
}
