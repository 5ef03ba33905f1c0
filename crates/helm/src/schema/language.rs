//! Whether a schema is one: keywords with values of the right kind, as the language's own schema demands.

use serde_json::{Map, Value};

/// Deepest nesting that is looked at.
const MAX_DEPTH: usize = 200;

/// Checks a schema file.
///
/// # Errors
/// `"file:///values.schema.json#" is not valid against metaschema: …` with the first problem.
pub(super) fn check(root: &Value) -> Result<(), String> {
    let declared = root.get("$schema").and_then(Value::as_str).unwrap_or_default();
    let language = Language { is_draft4: declared.contains("draft-04") };
    let mut path = String::new();
    language.schema(root, &mut path, 0).map_err(|problem| {
        let draft = declared.strip_suffix('#').filter(|d| !d.is_empty());
        let draft = draft.unwrap_or("https://json-schema.org/draft/2020-12/schema");
        format!(
            "{:?} is not valid against metaschema: jsonschema validation failed with '{draft}#'\n- at {problem}",
            "file:///values.schema.json#"
        )
    })
}

struct Language {
    is_draft4: bool,
}

type Checked = Result<(), String>;

fn wrong(path: &str, value: &Value, wanted: &str) -> Checked {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    Err(format!("'{path}': got {kind}, want {wanted}"))
}

const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

impl Language {
    fn schema(&self, value: &Value, path: &mut String, depth: usize) -> Checked {
        if depth > MAX_DEPTH {
            return Err(format!("'{path}': nested too deep"));
        }
        match value {
            Value::Bool(_) if !self.is_draft4 || path.ends_with("/additionalProperties") => Ok(()),
            Value::Bool(_) if path.ends_with("/additionalItems") => Ok(()),
            Value::Object(keywords) => keywords.iter().try_for_each(|(name, value)| {
                let length = path.len();
                path.push('/');
                path.push_str(name);
                let checked = self.keyword(name, value, path, depth);
                path.truncate(length);
                checked
            }),
            other if self.is_draft4 => wrong(path, other, "object"),
            other => wrong(path, other, "boolean or object"),
        }
    }

    fn keyword(&self, name: &str, value: &Value, path: &mut String, depth: usize) -> Checked {
        match name {
            "properties" | "patternProperties" | "definitions" | "$defs" | "dependentSchemas" => {
                self.map(value, path, depth)
            }
            "additionalProperties"
            | "additionalItems"
            | "not"
            | "if"
            | "then"
            | "else"
            | "contains"
            | "propertyNames"
            | "unevaluatedItems"
            | "unevaluatedProperties" => self.schema(value, path, depth + 1),
            "items" if value.is_array() => self.list(value, path, depth),
            "items" => self.schema(value, path, depth + 1),
            "allOf" | "anyOf" | "oneOf" | "prefixItems" => self.list(value, path, depth),
            "type" => types(value, path),
            "required" => self.texts(value, path),
            "enum" if !value.is_array() => wrong(path, value, "array"),
            "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" => {
                match value.as_f64() {
                    Some(n) if n.fract() != 0.0 => wrong(path, value, "integer"),
                    Some(n) if n < 0.0 => Err(format!("'{path}': minimum: got {n}, want 0")),
                    Some(_) => Ok(()),
                    None => wrong(path, value, "integer"),
                }
            }
            "minimum" | "maximum" | "multipleOf" if !value.is_number() => wrong(path, value, "number"),
            "exclusiveMinimum" | "exclusiveMaximum" if self.is_draft4 && !value.is_boolean() => {
                wrong(path, value, "boolean")
            }
            "exclusiveMinimum" | "exclusiveMaximum" if !self.is_draft4 && !value.is_number() => {
                wrong(path, value, "number")
            }
            "uniqueItems" if !value.is_boolean() => wrong(path, value, "boolean"),
            "title" | "description" | "$ref" | "$id" | "$schema" | "format" | "$comment" | "pattern"
                if !value.is_string() =>
            {
                wrong(path, value, "string")
            }
            "pattern" => match gotemplate::sprig::go_regex(value.as_str().unwrap_or_default()) {
                Ok(_) => Ok(()),
                Err(why) => {
                    let shown = super::failure::quote(value.as_str().unwrap_or_default());
                    Err(format!("'{path}': {shown} is not valid regex: {why}"))
                }
            },
            _ => Ok(()),
        }
    }

    fn map(&self, value: &Value, path: &mut String, depth: usize) -> Checked {
        let Value::Object(map) = value else { return wrong(path, value, "object") };
        let each = |(name, value): (&String, &Value)| {
            let length = path.len();
            path.push('/');
            path.push_str(&name.replace('~', "~0").replace('/', "~1"));
            let checked = self.schema(value, path, depth + 1);
            path.truncate(length);
            checked
        };
        Map::iter(map).try_for_each(each)
    }

    fn list(&self, value: &Value, path: &mut String, depth: usize) -> Checked {
        let Value::Array(items) = value else { return wrong(path, value, "array") };
        if items.is_empty() {
            return Err(format!("'{path}': minItems: got 0, want 1"));
        }
        items.iter().enumerate().try_for_each(|(i, value)| {
            let length = path.len();
            path.push_str(&format!("/{i}"));
            let checked = self.schema(value, path, depth + 1);
            path.truncate(length);
            checked
        })
    }

    fn texts(&self, value: &Value, path: &str) -> Checked {
        let Value::Array(items) = value else { return wrong(path, value, "array") };
        if items.is_empty() && self.is_draft4 {
            return Err(format!("'{path}': minItems: got 0, want 1"));
        }
        for (i, item) in items.iter().enumerate() {
            if !item.is_string() {
                return wrong(&format!("{path}/{i}"), item, "string");
            }
            if let Some(first) = items.iter().take(i).position(|other| other == item) {
                return Err(format!("'{path}': items at {first} and {i} are equal"));
            }
        }
        Ok(())
    }
}

fn types(value: &Value, path: &str) -> Checked {
    let one = |value: &Value| matches!(value, Value::String(name) if TYPES.contains(&name.as_str()));
    let fits = match value {
        Value::Array(items) => !items.is_empty() && items.iter().all(one),
        other => one(other),
    };
    if fits {
        return Ok(());
    }
    let names: Vec<String> = TYPES.iter().map(|t| format!("'{t}'")).collect();
    Err(format!(
        "'{path}': 'anyOf' failed\n  - at '{path}': value must be one of {}\n  - at '{path}': {}",
        names.join(", "),
        wrong("", value, "array").err().map(|e| e.trim_start_matches("'': ").to_owned()).unwrap_or_default()
    ))
}
