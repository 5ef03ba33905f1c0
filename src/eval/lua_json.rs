//! JSON to Lua values and back.

use mlua::{Lua, Table, Value as LuaValue};
use serde_json::{Map, Number, Value};

/// How deep a table may be nested that a script returns.
const MAX_DEPTH: usize = 64;
/// How many values a script may return: a small table that stands in many places is as many values.
const MAX_VALUES: usize = 500_000;
/// How many bytes of text a script may return.
const MAX_TEXT: usize = 16 << 20;

/// A JSON value as Lua sees it: null is nil, every number is a float, lists count from 1.
pub(super) fn to_lua(lua: &Lua, value: &Value) -> mlua::Result<LuaValue> {
    Ok(match value {
        Value::Null => LuaValue::Nil,
        Value::Bool(is) => LuaValue::Boolean(*is),
        Value::Number(number) => LuaValue::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => LuaValue::String(lua.create_string(text)?),
        Value::Array(items) => {
            let table = lua.create_table_with_capacity(items.len(), 0)?;
            for (index, item) in items.iter().enumerate().filter(|(_, item)| !item.is_null()) {
                table.raw_set(index + 1, to_lua(lua, item)?)?;
            }
            LuaValue::Table(table)
        }
        Value::Object(fields) => {
            let table = lua.create_table_with_capacity(0, fields.len())?;
            for (name, item) in fields.iter().filter(|(_, item)| !item.is_null()) {
                table.raw_set(name.as_str(), to_lua(lua, item)?)?;
            }
            LuaValue::Table(table)
        }
    })
}

/// A Lua value as JSON. An empty table is an empty list, as for Argo CD; a table whose first key is 1 is a list.
///
/// # Errors
/// In words, for functions, cycles, holes in lists and keys of two kinds.
pub(super) fn from_lua(value: &LuaValue) -> Result<Value, String> {
    Budget { values: MAX_VALUES, text: MAX_TEXT }.convert(value, 0)
}

/// What may still be returned.
struct Budget {
    values: usize,
    text: usize,
}

impl Budget {
    fn convert(&mut self, value: &LuaValue, depth: usize) -> Result<Value, String> {
        if depth > MAX_DEPTH {
            return Err("the script returned a table that is nested too deep or holds itself".to_owned());
        }
        let spent = || "the script returned more than it may".to_owned();
        self.values = self.values.checked_sub(1).ok_or_else(spent)?;
        match value {
            LuaValue::Nil => Ok(Value::Null),
            LuaValue::Boolean(is) => Ok(Value::Bool(*is)),
            LuaValue::Integer(number) => Ok(Value::from(*number)),
            LuaValue::Number(number) => float(*number),
            LuaValue::String(text) => {
                self.text = self.text.checked_sub(text.as_bytes().len()).ok_or_else(spent)?;
                Ok(Value::String(text.to_string_lossy()))
            }
            LuaValue::Table(table) => self.convert_table(table, depth),
            other => Err(format!("the script returned a {} where JSON is needed", other.type_name())),
        }
    }

    fn convert_table(&mut self, table: &Table, depth: usize) -> Result<Value, String> {
        let failed = |error: mlua::Error| error.to_string();
        let length = table.raw_len();
        if length > 0 {
            let mut items = Vec::new();
            for index in 1..=length {
                let item: LuaValue = table.raw_get(index).map_err(failed)?;
                items.push(self.convert(&item, depth + 1)?);
            }
            return Ok(Value::Array(items));
        }
        let mut fields = Map::new();
        for pair in table.pairs::<LuaValue, LuaValue>() {
            let (key, item) = pair.map_err(failed)?;
            let LuaValue::String(key) = key else {
                return Err("the script returned a table with keys that are not all text".to_owned());
            };
            fields.insert(key.to_string_lossy(), self.convert(&item, depth + 1)?);
        }
        Ok(if fields.is_empty() { Value::Array(Vec::new()) } else { Value::Object(fields) })
    }
}

/// Whole numbers are written without a point.
fn float(number: f64) -> Result<Value, String> {
    if number.fract() == 0.0 && number.abs() < 9.007_199_254_740_992e15 {
        return Ok(Value::from(number as i64));
    }
    Number::from_f64(number)
        .map(Value::Number)
        .ok_or_else(|| "the script returned a number that is not finite".into())
}
