//! Values from outside the chart: files and `--set` strings, merged in Helm's order of precedence.

pub(crate) mod coalesce;
mod json_value;
mod set;
mod set_literal;
pub(crate) mod tree;

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{Error, Result};

/// One source of values, in the order of the command line. Whatever the order between kinds, Helm applies
/// files and maps first, then `--set-json`, `--set`, `--set-string`, `--set-file` and `--set-literal`.
#[derive(Debug, Clone, PartialEq)]
pub enum ValuesLayer {
    /// A value file; several documents are merged.
    File {
        /// As the user names it, for messages.
        name: String,
        /// YAML.
        data: Arc<[u8]>,
    },
    /// Values that are already decoded; merged like a file.
    Map(Map<String, Value>),
    /// `--set-json`: a JSON object, or `a.b=JSON,c=JSON`.
    SetJson(String),
    /// `--set`: `a.b=1,c[0]=x,d={1,2}`.
    Set(String),
    /// `--set-string`: as `--set`, every value a string.
    SetString(String),
    /// `--set-file`: as `--set`, every value the contents of a file, see [`ValuesLayer::set_file`].
    SetFile {
        /// `a.b=path,c=path`.
        text: String,
        /// The contents of the files, by the path in the text.
        files: Vec<(String, String)>,
    },
    /// `--set-literal`: `a.b=` and any text.
    SetLiteral(String),
}

impl ValuesLayer {
    /// A `--set-file` layer: `read` is asked for each path that the text names.
    ///
    /// # Errors
    /// What `read` says, or an error in the text.
    pub fn set_file(text: &str, mut read: impl FnMut(&str) -> Result<String, String>) -> Result<Self> {
        let mut files: Vec<(String, String)> = Vec::new();
        let mut scratch = Map::new();
        let mut reader = |path: &str| {
            let contents = read(path)?;
            files.push((path.to_owned(), contents.clone()));
            Ok(Value::String(contents))
        };
        set::parse(text, &mut scratch, &mut set::Reader::Custom(&mut reader))
            .map_err(failed("--set-file data: "))?;
        Ok(ValuesLayer::SetFile { text: text.to_owned(), files })
    }

    fn rank(&self) -> u8 {
        match self {
            ValuesLayer::File { .. } | ValuesLayer::Map(_) => 0,
            ValuesLayer::SetJson(_) => 1,
            ValuesLayer::Set(_) => 2,
            ValuesLayer::SetString(_) => 3,
            ValuesLayer::SetFile { .. } => 4,
            ValuesLayer::SetLiteral(_) => 5,
        }
    }

    fn apply(&self, base: Map<String, Value>) -> Result<Map<String, Value>> {
        let mut base = base;
        match self {
            ValuesLayer::File { name, data } => {
                let values = crate::chart::read_values(data)
                    .map_err(|e| Error::values(format!("failed to parse {name}: {e}")))?;
                base = merge_maps(base, values);
            }
            ValuesLayer::Map(values) => base = merge_maps(base, values.clone()),
            ValuesLayer::SetJson(text) => base = set_json(text, base)?,
            ValuesLayer::Set(text) => {
                set::parse(text, &mut base, &mut set::Reader::Typed).map_err(failed("--set data: "))?;
            }
            ValuesLayer::SetString(text) => {
                set::parse(text, &mut base, &mut set::Reader::Text).map_err(failed("--set-string data: "))?;
            }
            ValuesLayer::SetFile { text, files } => {
                let mut reader = |path: &str| {
                    let file = files.iter().find(|(p, _)| p == path);
                    let missing = || format!("open {path}: no such file or directory");
                    file.map(|(_, contents)| Value::String(contents.clone())).ok_or_else(missing)
                };
                set::parse(text, &mut base, &mut set::Reader::Custom(&mut reader))
                    .map_err(failed("--set-file data: "))?;
            }
            ValuesLayer::SetLiteral(text) => {
                set_literal::parse(text, &mut base).map_err(failed("--set-literal data: "))?;
            }
        }
        Ok(base)
    }
}

fn failed(what: &'static str) -> impl Fn(String) -> Error {
    move |e| Error::values(format!("failed parsing {what}{e}"))
}

fn set_json(text: &str, base: Map<String, Value>) -> Result<Map<String, Value>> {
    let trimmed = text.trim();
    if !trimmed.starts_with('{') {
        let mut base = base;
        set::parse(text, &mut base, &mut set::Reader::Json)
            .map_err(|_| Error::values(format!("failed parsing --set-json data {text}")))?;
        return Ok(base);
    }
    match json_value::whole(trimmed) {
        Ok(Value::Object(map)) => Ok(merge_maps(base, map)),
        _ => Err(Error::values(format!("failed parsing --set-json data JSON: {text}"))),
    }
}

/// Merges all layers into the values that a user gives to a chart. Numbers from files are floats, integers from
/// `--set` stay integers.
///
/// # Errors
/// [`Error::Values`] in Helm's words.
pub fn merge_layers(layers: &[ValuesLayer]) -> Result<Map<String, Value>> {
    let mut sorted: Vec<&ValuesLayer> = layers.iter().collect();
    sorted.sort_by_key(|l| l.rank());
    sorted.into_iter().try_fold(Map::new(), |base, layer| layer.apply(base))
}

/// `over` merged into `base`: maps key by key, everything else replaced, null included.
pub(crate) fn merge_maps(mut base: Map<String, Value>, over: Map<String, Value>) -> Map<String, Value> {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => {
                let merged = merge_maps(std::mem::take(old), new);
                *old = merged;
            }
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
    base
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_an_order() {
        let layers = [
            ValuesLayer::SetString("a=3".into()),
            ValuesLayer::Set("a=2,b=2".into()),
            ValuesLayer::SetJson("{\"a\": 1, \"b\": 1, \"c\": 1}".into()),
        ];
        let values = merge_layers(&layers).unwrap();
        assert_eq!(Value::Object(values), serde_json::json!({"a": "3", "b": 2, "c": 1.0}));
    }

    #[test]
    fn set_file_asks_for_each_file() {
        let layer = ValuesLayer::set_file("a=x.txt,b.c=y.txt", |p| Ok(format!("<{p}>"))).unwrap();
        let values = merge_layers(&[layer]).unwrap();
        assert_eq!(Value::Object(values), serde_json::json!({"a": "<x.txt>", "b": {"c": "<y.txt>"}}));
        let error = ValuesLayer::set_file("a=x", |_| Err("open x: no such file or directory".into()));
        assert_eq!(
            error.unwrap_err().to_string(),
            "failed parsing --set-file data: open x: no such file or directory"
        );
    }
}
