//! One entry of `dependencies`.

use serde_json::Value;

use super::metadata::sanitize;
use super::struct_reader::{At, bool, list, string};

/// A subchart that a chart asks for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dependency {
    /// Name of the subchart; its alias once dependencies are processed.
    pub name: String,
    /// Version or constraint.
    pub version: String,
    /// Where `helm dependency build` finds it.
    pub repository: String,
    /// Comma-separated paths into the values; the first that is a boolean decides.
    pub condition: String,
    /// Names below `tags` in the values that switch the subchart on or off.
    pub tags: Vec<String>,
    /// Whether the subchart takes part.
    pub enabled: bool,
    /// Strings, or maps with `child` and `parent`.
    pub import_values: Vec<Value>,
    /// Another name for the subchart.
    pub alias: String,
}

impl Dependency {
    pub(super) fn read(value: &Value, at: &At<'_>) -> Result<Option<Self>, String> {
        let fields = match value {
            Value::Null => return Ok(None),
            Value::Object(fields) => fields,
            other => return Err(at.mismatch(other, "v2.Dependency")),
        };
        let mut d = Dependency::default();
        for (name, value) in fields {
            match name.to_ascii_lowercase().as_str() {
                "name" => d.name = string(value, &at.child("Dependency", "name"))?,
                "version" => d.version = string(value, &at.child("Dependency", "version"))?,
                "repository" => d.repository = string(value, &at.child("Dependency", "repository"))?,
                "condition" => d.condition = string(value, &at.child("Dependency", "condition"))?,
                "tags" => d.tags = list(value, &at.child("Dependency", "tags"), "[]string", string)?,
                "enabled" => d.enabled = bool(value, &at.child("Dependency", "enabled"))?,
                "import-values" => {
                    let keep = |v: &Value, _: &At<'_>| Ok(v.clone());
                    d.import_values =
                        list(value, &at.child("Dependency", "import-values"), "[]interface {}", keep)?;
                }
                "alias" => d.alias = string(value, &at.child("Dependency", "alias"))?,
                _ => {}
            }
        }
        Ok(Some(d))
    }

    pub(super) fn validate(&mut self) -> Result<(), String> {
        let texts = [&mut self.name, &mut self.version, &mut self.repository, &mut self.condition];
        texts.into_iter().chain(&mut self.tags).for_each(sanitize);
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if self.alias.chars().all(allowed) {
            Ok(())
        } else {
            Err(format!("dependency {:?} has disallowed characters in the alias", self.name))
        }
    }

    pub(super) fn alias_or_name(&self) -> &str {
        if self.alias.is_empty() { &self.name } else { &self.alias }
    }
}
