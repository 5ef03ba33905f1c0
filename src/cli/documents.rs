//! Files of objects that a command is given: YAML or JSON, several documents, Lists.

use std::io::Read;
use std::path::Path;

use goyaml::{DecodeOptions, Numbers};
use serde_json::Value;

use super::error::CliError;

/// Reads every object of a file (`-` is standard input). Empty documents are left out, Lists are expanded.
pub(super) fn read_objects(file: &Path) -> Result<Vec<Value>, CliError> {
    let failed = |error| CliError::Read { file: file.display().to_string(), error };
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map_err(failed)?;
    } else {
        text = std::fs::read_to_string(file).map_err(failed)?;
    }
    let documents = parse(file, &text)?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).flat_map(expand).collect())
}

/// The documents of a text, as they are: JSON, or YAML as Kubernetes' own tools read it.
pub(super) fn parse(file: &Path, text: &str) -> Result<Vec<Value>, CliError> {
    match serde_json::from_str(text) {
        Ok(Value::Array(items)) => return Ok(items),
        Ok(document) => return Ok(vec![document]),
        Err(_) => {}
    }
    let options = DecodeOptions { numbers: Numbers::Json, ..DecodeOptions::default() };
    goyaml::split_documents(text.as_bytes())
        .map(|document| goyaml::decode(document, &options))
        .collect::<Result<Vec<Value>, _>>()
        .map_err(|error| CliError::Parse { file: file.display().to_string(), message: error.to_string() })
}

/// The items of a List, or the object itself.
fn expand(document: Value) -> Vec<Value> {
    let is_list = document.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
    match document {
        Value::Object(mut fields) if is_list && fields.get("items").is_some_and(Value::is_array) => {
            match fields.remove("items") {
                Some(Value::Array(items)) => items,
                _ => Vec::new(),
            }
        }
        document => vec![document],
    }
}
