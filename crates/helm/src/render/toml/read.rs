//! Reading TOML.

use gotemplate::{Map, Value};
use toml::Value as Toml;

/// Decodes a document.
///
/// # Errors
/// What is wrong with it; the words are not those of Go's library.
pub(in crate::render) fn read(text: &str) -> Result<Map, String> {
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| format!("toml: {}", e.message()))?;
    Ok(table.iter().map(|(k, v)| (k.as_str(), value(v))).collect())
}

fn value(toml: &Toml) -> Value {
    match toml {
        Toml::String(s) => Value::from(s.as_str()),
        Toml::Integer(i) => Value::Int64(*i),
        Toml::Float(f) => Value::Float64(*f),
        Toml::Boolean(b) => Value::Bool(*b),
        Toml::Datetime(d) => Value::from(d.to_string()),
        Toml::Array(items) => list(items),
        Toml::Table(table) => table.iter().map(|(k, v)| (k.as_str(), value(v))).collect::<Map>().into(),
    }
}

/// A list of tables has a type of its own in Go.
fn list(items: &[Toml]) -> Value {
    let values: Vec<Value> = items.iter().map(value).collect();
    if !items.is_empty() && items.iter().all(Toml::is_table) {
        return Value::List(gotemplate::List::of(&gotemplate::value::types::DICT_LIST, values));
    }
    Value::from(values)
}
