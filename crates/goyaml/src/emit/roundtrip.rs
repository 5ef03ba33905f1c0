//! `sigs.k8s.io/yaml` writes a value as JSON and reads that as YAML before it writes YAML. Mostly this
//! changes nothing; the exceptions are found here and really go that way.

use serde_json::Value;

use crate::decode::{DecodeOptions, Numbers, yaml_to_json};
use crate::{Error, json};

/// A key whose JSON text is this long may be no simple key any more; a character takes at most six bytes.
const LONG_KEY: usize = 1024 / 6 - 2;

/// Whether the way through JSON text certainly changes nothing in the strings of the value.
pub(super) fn is_faithful(value: &Value) -> bool {
    let mut waiting = vec![value];
    while let Some(value) = waiting.pop() {
        match value {
            Value::String(text) if !is_harmless(text) => return false,
            Value::Array(items) => waiting.extend(items),
            Value::Object(map) => {
                for (key, value) in map {
                    if key.len() > LONG_KEY || !is_harmless(key) {
                        return false;
                    }
                    waiting.push(value);
                }
            }
            _ => {}
        }
    }
    true
}

/// No DEL, no C1 control or NEL, nothing at the end of the basic plane.
fn is_harmless(text: &str) -> bool {
    !text.bytes().any(|byte| matches!(byte, 0x7F | 0xC2 | 0xEF))
}

pub(super) fn through_json(value: &Value) -> Result<Value, Error> {
    let text = json::to_string(value, true);
    yaml_to_json(text.as_bytes(), &DecodeOptions { numbers: Numbers::Yaml, ..DecodeOptions::default() })
}
