//! Reading values into structs the way `encoding/json` and `sigs.k8s.io/yaml` do, with their messages.

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::tree::meta::StringMap;

/// Reads values; keeps the first error and goes on, as Go does.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// Unknown fields are errors.
    strict: bool,
    /// Numbers and booleans are taken for strings where strings are wanted.
    coerce: bool,
    error: Option<String>,
    structs: Vec<&'static str>,
    path: Vec<String>,
}

/// A struct that can be read.
pub(crate) trait Decode: Default {
    /// The name of the Go type, without package.
    const NAME: &'static str;

    /// Reads one field, whose name is given in lower case. False when there is no such field.
    fn field(&mut self, decoder: &mut Decoder, name: &str, value: &Value) -> bool;
}

impl Decoder {
    /// As `json.Decoder` with `DisallowUnknownFields`.
    pub(crate) fn strict() -> Self {
        Self { strict: true, ..Self::default() }
    }

    /// As `yaml.Unmarshal` of `sigs.k8s.io/yaml`.
    pub(crate) fn lenient() -> Self {
        Self { coerce: true, ..Self::default() }
    }

    /// As `yaml.UnmarshalStrict` of `sigs.k8s.io/yaml`.
    pub(crate) fn strict_yaml() -> Self {
        Self { strict: true, coerce: true, ..Self::default() }
    }

    /// Reads a struct and gives it, or the first error.
    pub(crate) fn read<T: Decode>(mut self, value: &Value) -> Result<T> {
        let result = self.object(value, &format!("types.{}", T::NAME));
        match self.error {
            Some(message) => Err(Error::new(message)),
            None => Ok(result),
        }
    }

    /// Reads a list of structs.
    pub(crate) fn read_list<T: Decode>(mut self, value: &Value) -> Result<Vec<T>> {
        let result = self.objects(value);
        match self.error {
            Some(message) => Err(Error::new(message)),
            None => Ok(result),
        }
    }

    fn save(&mut self, message: String) {
        self.error.get_or_insert(message);
    }

    fn mismatch(&mut self, found: &Value, wanted: &str) {
        let found = match found {
            Value::Null => return,
            Value::Bool(_) => "bool".to_owned(),
            Value::Number(_) => "number".to_owned(),
            Value::String(_) => "string".to_owned(),
            Value::Array(_) => "array".to_owned(),
            Value::Object(_) => "object".to_owned(),
        };
        self.mismatch_text(&found, wanted);
    }

    fn mismatch_text(&mut self, found: &str, wanted: &str) {
        let message = match self.structs.last() {
            Some(name) => format!(
                "json: cannot unmarshal {found} into Go struct field {name}.{} of type {wanted}",
                self.path.join(".")
            ),
            None => format!("json: cannot unmarshal {found} into Go value of type {wanted}"),
        };
        self.save(message);
    }

    /// A nested struct.
    pub(crate) fn object<T: Decode>(&mut self, value: &Value, type_name: &str) -> T {
        let mut result = T::default();
        match value {
            Value::Object(map) => self.fields(&mut result, map),
            other => self.mismatch(other, type_name),
        }
        result
    }

    fn fields<T: Decode>(&mut self, result: &mut T, map: &Map<String, Value>) {
        self.structs.push(T::NAME);
        let mut names: Vec<&String> = map.keys().collect();
        names.sort();
        for name in names {
            let Some(value) = map.get(name) else { continue };
            self.path.push(name.clone());
            let known = result.field(self, &name.to_lowercase(), value);
            self.path.pop();
            if !known && self.strict {
                self.save(format!("json: unknown field {name:?}"));
            }
        }
        self.structs.pop();
    }

    /// A pointer to a struct: `None` for null.
    pub(crate) fn optional<T: Decode>(&mut self, value: &Value, type_name: &str) -> Option<T> {
        (!value.is_null()).then(|| self.object(value, type_name))
    }

    /// A list of structs.
    pub(crate) fn objects<T: Decode>(&mut self, value: &Value) -> Vec<T> {
        let name = format!("types.{}", T::NAME);
        match value {
            Value::Array(items) => items.iter().map(|item| self.object(item, &name)).collect(),
            other => {
                self.mismatch(other, &format!("[]{name}"));
                Vec::new()
            }
        }
    }

    /// A string.
    pub(crate) fn string(&mut self, value: &Value) -> String {
        self.string_of_type(value, "string")
    }

    /// A string of a named type.
    pub(crate) fn string_of_type(&mut self, value: &Value, type_name: &str) -> String {
        match value {
            Value::String(text) => text.clone(),
            Value::Bool(flag) if self.coerce => flag.to_string(),
            Value::Number(_) if self.coerce => {
                goyaml::scalar_text(value).unwrap_or_else(|| value.to_string())
            }
            other => {
                self.mismatch(other, type_name);
                String::new()
            }
        }
    }

    /// A list of strings.
    pub(crate) fn strings(&mut self, value: &Value) -> Vec<String> {
        self.strings_of_type(value, "string")
    }

    /// A list of strings of a named type.
    pub(crate) fn strings_of_type(&mut self, value: &Value, type_name: &str) -> Vec<String> {
        match value {
            Value::Array(items) => items.iter().map(|item| self.string_of_type(item, type_name)).collect(),
            other => {
                self.mismatch(other, &format!("[]{type_name}"));
                Vec::new()
            }
        }
    }

    /// A map of strings.
    pub(crate) fn string_map(&mut self, value: &Value) -> StringMap {
        match value {
            Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), self.string(value))).collect(),
            other => {
                self.mismatch(other, "map[string]string");
                StringMap::new()
            }
        }
    }

    /// A map of anything.
    pub(crate) fn any_map(&mut self, value: &Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map.clone(),
            other => {
                self.mismatch(other, "map[string]interface {}");
                Map::new()
            }
        }
    }

    /// A boolean.
    pub(crate) fn bool(&mut self, value: &Value) -> bool {
        match value {
            Value::Bool(flag) => *flag,
            other => {
                self.mismatch(other, "bool");
                false
            }
        }
    }

    /// An integer.
    pub(crate) fn integer(&mut self, value: &Value, type_name: &str) -> i64 {
        match value {
            Value::Number(number) => number.as_i64().unwrap_or_else(|| {
                self.mismatch_text(&format!("number {number}"), type_name);
                0
            }),
            other => {
                self.mismatch(other, type_name);
                0
            }
        }
    }
}
