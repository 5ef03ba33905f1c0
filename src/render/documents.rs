//! YAML and JSON text → objects.

use goyaml::{DecodeOptions, Numbers};
use serde_json::Value;

use crate::flow::Problem;
use crate::object::Manifest;

use super::render_problem;

/// How many documents one file may hold.
const MOST_DOCUMENTS: usize = 20_000;

/// Reads all documents of a file. Empty documents are left out, lists are taken apart.
///
/// # Errors
/// With the file's name and the line.
pub fn read_documents(name: &str, text: &[u8]) -> Result<Vec<Manifest>, Problem> {
    let mut objects = Vec::new();
    for value in read_json_or_yaml(name, text)? {
        add(name, value, &mut objects)?;
    }
    Ok(objects)
}

/// Reads all documents of a file as JSON values.
///
/// # Errors
/// With the file's name and the line.
pub fn read_json_or_yaml(name: &str, text: &[u8]) -> Result<Vec<Value>, Problem> {
    let options = DecodeOptions { numbers: Numbers::Json, ..DecodeOptions::default() };
    let mut values = Vec::new();
    let mut at = 0;
    for document in goyaml::split_documents(text) {
        // Documents are parts of the text: the line of an error is counted from the start of the file.
        let start = offset_of(text, document, at);
        let line_offset = text.get(..start).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count();
        at = start + document.len();
        let value = goyaml::yaml_to_json(document, &options).map_err(|error| {
            render_problem(format!("{name}: {}", shifted(&error.to_string(), line_offset)))
        })?;
        if !value.is_null() {
            values.push(value);
        }
        if values.len() > MOST_DOCUMENTS {
            return Err(render_problem(format!(
                "{name} holds more than {MOST_DOCUMENTS} documents; split it"
            )));
        }
    }
    Ok(values)
}

/// Where a part begins in the text that it is a part of.
fn offset_of(text: &[u8], part: &[u8], from: usize) -> usize {
    let distance = (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize);
    distance.filter(|distance| *distance + part.len() <= text.len()).unwrap_or(from)
}

/// Moves `line N` of a parser's message by the lines before the document.
fn shifted(message: &str, lines: usize) -> String {
    let Some((before, rest)) = message.split_once("line ") else { return message.to_owned() };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (number, after) = rest.split_at(digits);
    match number.parse::<usize>() {
        Ok(number) => format!("{before}line {}{after}", number + lines),
        Err(_) => message.to_owned(),
    }
}

fn add(name: &str, value: Value, objects: &mut Vec<Manifest>) -> Result<(), Problem> {
    let is_list = value.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
    match value {
        Value::Object(mut fields) if is_list && fields.get("items").is_some_and(Value::is_array) => {
            if let Some(Value::Array(items)) = fields.remove("items") {
                for item in items {
                    add_one(name, item, objects)?;
                }
            }
            Ok(())
        }
        value => add_one(name, value, objects),
    }
}

fn add_one(name: &str, value: Value, objects: &mut Vec<Manifest>) -> Result<(), Problem> {
    let object = Manifest::new(value).map_err(|error| render_problem(format!("{name}: {error}")))?;
    objects.push(object);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_file_and_line_of_a_mistake() {
        let text = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n---\nkind: [\n";
        let problem = read_documents("apps/a.yaml", text).unwrap_err();
        assert!(problem.message.starts_with("apps/a.yaml: yaml: line "), "{problem}");
        let line: usize =
            problem.message.split("line ").nth(1).unwrap().split(':').next().unwrap().parse().unwrap();
        assert!(line >= 6, "{problem}");
    }

    #[test]
    fn takes_lists_apart_and_skips_empty_documents() {
        let text = b"---\n# nothing\n---\nkind: List\napiVersion: v1\nitems:\n- {kind: A, apiVersion: v1, metadata: {name: x}}\n";
        assert_eq!(read_documents("f", text).unwrap().len(), 1);
    }
}
