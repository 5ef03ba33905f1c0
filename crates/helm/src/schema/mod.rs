//! `values.schema.json`: JSON Schema, drafts 4 to 2020-12, with the messages of the library that Helm uses.
//!
//! References stay inside the file: remote schemas are refused, not fetched.

mod document;
mod failure;
mod format;
mod language;
mod number;
mod rules;
mod validate;

use gotemplate::Map;
use serde_json::Value;

use self::document::Document;
use self::validate::Validator;
use crate::render::instance::Instance;
use crate::{Error, Result};

/// Checks the values of a chart and of all its subcharts that have a schema.
///
/// # Errors
/// [`Error::Schema`]: all that is wrong, chart by chart.
pub(crate) fn check_tree(root: &Instance<'_>, values: &Map) -> Result<()> {
    if !has_schema(root) {
        return Ok(());
    }
    let values =
        gotemplate::Value::Map(values.clone()).to_json().map_err(|e| Error::Schema(e.to_string()))?;
    let mut report = String::new();
    check(root, &values, &mut report);
    if report.is_empty() {
        return Ok(());
    }
    Err(Error::Schema(format!(
        "values don't meet the specifications of the schema(s) in the following chart(s):\n{report}"
    )))
}

fn has_schema(chart: &Instance<'_>) -> bool {
    chart.chart.schema.is_some() || chart.children.iter().any(has_schema)
}

fn check(chart: &Instance<'_>, values: &Value, report: &mut String) {
    if let Some(schema) = &chart.chart.schema
        && let Err(message) = check_one(schema, values)
    {
        report.push_str(&format!("{}:\n{message}", chart.name));
    }
    for child in &chart.children {
        match values.get(&child.name) {
            None | Some(Value::Null) => {}
            Some(values) => check(child, values, report),
        }
    }
}

/// Checks values against one schema file.
///
/// # Errors
/// In the library's words; failures of the values end with a line break, trouble with the schema does not.
fn check_one(schema: &[u8], values: &Value) -> Result<(), String> {
    let root: Value = serde_json::from_slice(schema).map_err(|e| {
        let text = gotemplate::sprig::read_json(schema).err();
        text.unwrap_or_else(|| e.to_string())
    })?;
    language::check(&root)?;
    let document = Document::new(root)?;
    let mut validator = Validator::new(&document);
    let outcome = validator.run(values);
    if let Some(message) = validator.broken {
        return Err(message);
    }
    outcome.map_err(|failure| format!("{}\n", failure.lines()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(schema: Value, values: Value) -> String {
        check_one(schema.to_string().as_bytes(), &values).err().unwrap_or_default()
    }

    #[test]
    fn messages() {
        let schema = json!({
            "type": "object", "required": ["a"], "additionalProperties": false,
            "properties": {"a": {"type": "integer", "minimum": 1000}, "b": {"enum": ["x", "y"]}},
        });
        assert_eq!(check(schema.clone(), json!({"a": 1000.0, "b": "x"})), "");
        assert_eq!(check(schema.clone(), json!({"a": "s"})), "- at '/a': got string, want integer\n");
        assert_eq!(check(schema.clone(), json!({"b": "x"})), "- at '': missing property 'a'\n");
        assert_eq!(
            check(schema, json!({"a": 5, "b": "z", "c": 1})),
            "- at '/a': minimum: got 5, want 1,000\n- at '/b': value must be one of 'x', 'y'\n- at '': additional properties 'c' not allowed\n"
        );
    }

    #[test]
    fn references_and_combinations() {
        let schema = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "definitions": {"port": {"type": "integer"}},
            "properties": {
                "p": {"$ref": "#/definitions/port"},
                "q": {"oneOf": [{"type": "string"}, {"$ref": "#/definitions/port"}]},
            },
        });
        assert_eq!(check(schema.clone(), json!({"p": 1, "q": "x"})), "");
        assert_eq!(check(schema.clone(), json!({"p": "x"})), "- at '/p': got string, want integer\n");
        assert_eq!(
            check(schema, json!({"q": true})),
            "- at '/q': 'oneOf' failed, none matched\n  - at '/q': got boolean, want string\n  - at '/q': got boolean, want integer\n"
        );
        let remote = json!({"properties": {"a": {"$ref": "https://example.com/x.json"}}});
        assert!(check(remote, json!({"a": 1})).starts_with("failing loading \"https://example.com/x.json\""));
        let circle = json!({"$ref": "#"});
        assert!(check(circle, json!({})).contains("cycle"));
    }

    #[test]
    fn unevaluated_properties() {
        let schema = json!({
            "allOf": [{"properties": {"a": true}}], "properties": {"b": true}, "unevaluatedProperties": false,
        });
        assert_eq!(check(schema.clone(), json!({"a": 1, "b": 2})), "");
        assert_eq!(check(schema, json!({"c": 1})), "- at '/c': false schema\n");
    }
}
