//! Helm's own template functions, beside those of sprig.

use std::sync::LazyLock;

use gotemplate::func::{Func, Funcs, args};
use gotemplate::value::Type;
use gotemplate::value::types::{ANY_LIST, DICT};
use gotemplate::{Error, ErrorKind, Exec, List, Map, Value};
use serde_json::Value as Json;

use super::durations;
use super::host::Host;
use super::toml;
use crate::values::tree::value_from_json;

/// Around a message of `fail` and `required`, which is then all that the user sees.
pub(super) const MESSAGE_START: &str = "HELM_ERR_START";
/// End of such a message.
pub(super) const MESSAGE_END: &str = "HELM_ERR_END";

/// All functions of a chart's templates.
pub(crate) static FUNCTIONS: LazyLock<Funcs> = LazyLock::new(|| {
    Funcs::new()
        .with(gotemplate::sprig::FUNCS)
        .without(&["env", "expandenv"])
        .with(HELM)
        .with(durations::FUNCS)
});

const HELM: &[Func] = &[
    Func::new("include", &[Type::String, Type::Any], include),
    Func::new("tpl", &[Type::String, Type::Any], tpl),
    Func::new("required", &[Type::String, Type::Any], required),
    Func::new("fail", &[Type::String], |_, a| Err(message(&args::string(a, 0)?.to_text()))),
    Func::new("lookup", &[Type::String, Type::String, Type::String, Type::String], lookup),
    Func::new("getHostByName", &[Type::String], |_, _| Ok(Value::from(""))),
    Func::new("toYaml", &[Type::Any], |exec, a| Ok(yaml(exec, a)?.unwrap_or_else(|_| "".into()))),
    Func::new("mustToYaml", &[Type::Any], |exec, a| yaml(exec, a)?),
    Func::new("toYamlPretty", &[Type::Any], to_yaml_pretty),
    Func::new("fromYaml", &[Type::String], from_yaml),
    Func::new("fromYamlArray", &[Type::String], from_yaml_array),
    Func::new("toJson", &[Type::Any], |exec, a| Ok(json(exec, a)?.unwrap_or_else(|_| "".into()))),
    Func::new("mustToJson", &[Type::Any], |exec, a| json(exec, a)?),
    Func::new("fromJson", &[Type::String], from_json),
    Func::new("fromJsonArray", &[Type::String], from_json_array),
    Func::new("toToml", &[Type::Any], |exec, a| {
        let text = to_toml(a)?.unwrap_or_else(|e| e);
        exec.charge_bytes(text.len() as u64)?;
        Ok(Value::from(text))
    }),
    Func::new("mustToToml", &[Type::Any], |exec, a| {
        let text = to_toml(a)?.map_err(Error::new)?;
        exec.charge_bytes(text.len() as u64)?;
        Ok(Value::from(text))
    }),
    Func::new("fromToml", &[Type::String], |_, a| {
        let text = args::string(a, 0)?.to_text();
        Ok(Value::Map(toml::read(&text).unwrap_or_else(|e| error_map(&e))))
    }),
];

/// TOML; the inner error is what Helm may print in its place, the outer one what it does not survive.
fn to_toml(a: &[Value]) -> Result<Result<String, String>, Error> {
    match args::any(a, 0) {
        Value::Nil => Err(Error::new("reflect: call of reflect.Value.Type on zero Value")),
        value => Ok(toml::write(&value)),
    }
}

fn include(exec: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    let name = args::string(a, 0)?.to_text().into_owned();
    let host = exec.host::<Host>();
    if let Some(host) = host {
        let too_many = || {
            Error::new(format!(
                "rendering template has a nested reference name: {name}: unable to execute template"
            ))
        };
        host.enter(&name).ok_or_else(too_many)?;
    }
    let result = exec.execute_template(&name, args::any(a, 1));
    if let Some(host) = host {
        host.leave(&name);
    }
    result.map(Value::String)
}

fn tpl(exec: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    let text = args::string(a, 0)?;
    let rendered = exec.execute_text(text, args::any(a, 1)).map_err(|e| {
        if e.is(ErrorKind::Limit) {
            return e;
        }
        let quoted = gotemplate::strconv::quote(text.as_bytes());
        if e.kind() == ErrorKind::Parse {
            Error::wrap(&format!("cannot parse template {quoted}: "), e)
        } else {
            Error::wrap(&format!("error during tpl function execution for {quoted}: "), e)
        }
    })?;
    Ok(Value::String(without_no_value(rendered)))
}

/// Go prints `<no value>` for what is missing even where Helm asks it not to; Helm takes that away.
pub(super) fn without_no_value(text: gotemplate::Str) -> gotemplate::Str {
    const NO_VALUE: &[u8] = b"<no value>";
    if memchr::memmem::find(text.as_bytes(), NO_VALUE).is_none() {
        return text;
    }
    let mut kept = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some(c) = rest.first() {
        rest = match rest.strip_prefix(NO_VALUE) {
            Some(after) => after,
            None => {
                kept.push(*c);
                &rest[1..]
            }
        };
    }
    gotemplate::Str::from_bytes(&kept)
}

fn message(text: &str) -> Error {
    Error::new(format!("{MESSAGE_START}{text}{MESSAGE_END}"))
}

fn required(_: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    let value = args::any(a, 1);
    let missing = match &value {
        Value::Nil => true,
        Value::String(s) => s.is_empty(),
        _ => false,
    };
    if missing { Err(message(&args::string(a, 0)?.to_text())) } else { Ok(value) }
}

fn lookup(exec: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    let text = |i| args::string(a, i).map(gotemplate::Str::to_text);
    let (api_version, kind, namespace, name) = (text(0)?, text(1)?, text(2)?, text(3)?);
    let Some(host) = exec.host::<Host>() else { return Ok(Value::Map(Map::new())) };
    let found = host.lookup([&api_version, &kind, &namespace, &name]).map_err(Error::new)?;
    Ok(value_from_json(&found))
}

/// YAML without the last line break; the inner error is what Helm may swallow.
fn yaml(exec: &mut Exec<'_>, a: &[Value]) -> Result<Result<Value, Error>, Error> {
    let written = args::any(a, 0).to_json().and_then(|json| to_yaml_text(&json).map_err(Error::new));
    charged(exec, written)
}

pub(super) fn to_yaml_text(json: &Json) -> Result<String, String> {
    let mut text = goyaml::to_yaml(json).map_err(|e| e.to_string())?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

fn to_yaml_pretty(exec: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    let written = args::any(a, 0).to_json().and_then(|json| {
        let mut text = goyaml::to_yaml_pretty(&json).map_err(|e| Error::new(e.to_string()))?;
        if text.ends_with('\n') {
            text.pop();
        }
        Ok(text)
    });
    Ok(charged(exec, written)?.unwrap_or_else(|_| "".into()))
}

fn json(exec: &mut Exec<'_>, a: &[Value]) -> Result<Result<Value, Error>, Error> {
    match gotemplate::sprig::json::encode(exec, &args::any(a, 0), gotemplate::sprig::json::Style::COMPACT) {
        Err(e) if e.is(ErrorKind::Limit) => Err(e),
        other => Ok(other.map(Value::String)),
    }
}

fn charged(exec: &mut Exec<'_>, text: Result<String, Error>) -> Result<Result<Value, Error>, Error> {
    if let Ok(text) = &text {
        exec.charge_bytes(text.len() as u64)?;
    }
    Ok(text.map(Value::from))
}

fn error_map(message: &str) -> Map {
    [("Error", Value::from(message))].into_iter().collect()
}

fn decode(a: &[Value], target: goyaml::Target) -> Result<Result<Json, String>, Error> {
    let text = args::string(a, 0)?;
    let options = goyaml::DecodeOptions { target, ..Default::default() };
    Ok(goyaml::decode(text.as_bytes(), &options).map_err(|e| e.to_string()))
}

fn from_yaml(exec: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    exec.charge_steps(args::string(a, 0)?.len() as u64 / 16)?;
    Ok(match decode(a, goyaml::Target::Map)? {
        Ok(json @ Json::Object(_)) => value_from_json(&json),
        Ok(_) => Value::Map(Map::new()),
        Err(e) => Value::Map(error_map(&e)),
    })
}

fn from_yaml_array(exec: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    exec.charge_steps(args::string(a, 0)?.len() as u64 / 16)?;
    Ok(match decode(a, goyaml::Target::List)? {
        Ok(json @ Json::Array(_)) => value_from_json(&json),
        Ok(_) => Value::from(Vec::new()),
        Err(e) => Value::from(vec![Value::from(e)]),
    })
}

fn from_json(exec: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    let text = args::string(a, 0)?;
    exec.charge_steps(text.len() as u64 / 16)?;
    Ok(match gotemplate::sprig::read_json(text.as_bytes()) {
        Ok(Value::Nil) => Value::Map(Map::nil(&DICT)),
        Ok(map @ Value::Map(_)) => map,
        Ok(other) => Value::Map(error_map(&cannot_unmarshal(&other, "map[string]interface {}"))),
        Err(e) => Value::Map(error_map(&mismatch(text, b'{', "map[string]interface {}", e))),
    })
}

fn from_json_array(exec: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    let text = args::string(a, 0)?;
    exec.charge_steps(text.len() as u64 / 16)?;
    Ok(match gotemplate::sprig::read_json(text.as_bytes()) {
        Ok(Value::Nil) => Value::List(List::nil(&ANY_LIST)),
        Ok(list @ Value::List(_)) => list,
        Ok(other) => Value::from(vec![Value::from(cannot_unmarshal(&other, "[]interface {}"))]),
        Err(e) => Value::from(vec![Value::from(mismatch(text, b'[', "[]interface {}", e))]),
    })
}

/// The error of a text with a number out of range: the text's own kind is looked at before.
fn mismatch(text: &gotemplate::Str, wanted: u8, target: &str, error: String) -> String {
    let first = text.as_bytes().iter().find(|b| !b.is_ascii_whitespace());
    match first {
        Some(b) if *b != wanted && error.starts_with("json: cannot unmarshal number") => {
            let kind = match b {
                b'{' => Value::Map(Map::new()),
                b'[' => Value::from(Vec::new()),
                _ => Value::Int(0),
            };
            cannot_unmarshal(&kind, target)
        }
        _ => error,
    }
}

fn cannot_unmarshal(value: &Value, target: &str) -> String {
    let kind = match value {
        Value::Nil => "null",
        Value::Bool(_) => "bool",
        Value::String(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) => "object",
        _ => "number",
    };
    format!("json: cannot unmarshal {kind} into Go value of type {target}")
}
