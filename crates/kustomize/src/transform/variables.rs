//! `$(VAR)` in the fields where vars are allowed.

use std::collections::{BTreeMap, BTreeSet};

use goyaml::{Kind, Node, Style, tags};

use crate::error::{Error, Result};
use crate::resmap::ResMap;
use crate::tree::field_spec::{self, FieldSpec};
use crate::tree::{is_null, is_string, lookup, share, value};

/// The value of a var.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum VarValue {
    String(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
    /// A map or list; it is not put anywhere.
    Other,
}

/// The value of the field of an object at a path of the form `spec.ports[0].port`.
pub(crate) fn field_value(node: &Node, path: &str) -> Result<VarValue> {
    let parts: Vec<String> = lookup::split_smart(path).iter().flat_map(|part| split_index(part)).collect();
    let Some(found) = lookup::lookup(node, &parts)? else {
        return Err(Error::new(format!("no field named '{path}'")));
    };
    if found.kind != Kind::Scalar {
        value::to_map(found)?;
        return Ok(VarValue::Other);
    }
    let text = found.value.clone();
    let bad = |name: &str| Error::new(format!("strconv.{name}: parsing {text:?}: invalid syntax"));
    Ok(match found.tag.as_ref() {
        tags::INT => VarValue::Integer(lookup::atoi(&text).ok_or_else(|| bad("Atoi"))?),
        tags::FLOAT => VarValue::Float(text.parse().map_err(|_| bad("ParseFloat"))?),
        tags::BOOL => match text.as_str() {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => VarValue::Bool(true),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => VarValue::Bool(false),
            _ => return Err(bad("ParseBool")),
        },
        _ => VarValue::String(text),
    })
}

/// `ports[0]` as `ports` and `0`.
fn split_index(part: &str) -> Vec<String> {
    let index = part.strip_suffix(']').and_then(|rest| rest.rsplit_once('['));
    match index {
        Some((name, index)) if !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit()) => {
            [name, index].into_iter().filter(|part| !part.is_empty()).map(str::to_owned).collect()
        }
        _ => vec![part.to_owned()],
    }
}

fn display(value: &VarValue) -> String {
    match value {
        VarValue::String(text) => text.clone(),
        VarValue::Integer(number) => number.to_string(),
        VarValue::Float(float) => go_float(*float),
        VarValue::Bool(flag) => flag.to_string(),
        VarValue::Other => String::new(),
    }
}

/// A float as Go's `%v` prints it.
fn go_float(float: f64) -> String {
    let scientific = format!("{float:e}");
    match scientific.split_once('e') {
        Some((mantissa, exponent)) => match exponent.parse::<i32>() {
            Ok(exponent) if !(-4..21).contains(&exponent) => {
                let sign = if exponent < 0 { '-' } else { '+' };
                format!("{mantissa}e{sign}{:02}", exponent.abs())
            }
            _ => format!("{float}"),
        },
        None => scientific,
    }
}

/// Puts the values of vars where they are asked for. Gives the names of vars that nobody asked for.
pub(crate) fn apply(
    map: &mut ResMap,
    values: &BTreeMap<String, VarValue>,
    specs: &[FieldSpec],
) -> Result<Vec<String>> {
    let mut used = BTreeSet::new();
    for resource in &mut map.list {
        resource.edit(|node| {
            let mut replace = Replace { values, used: &mut used };
            specs
                .iter()
                .try_for_each(|spec| field_spec::apply(node, spec, None, &mut |target| replace.set(target)))
        })?;
    }
    Ok(values.keys().filter(|name| !used.contains(*name)).cloned().collect())
}

struct Replace<'v> {
    values: &'v BTreeMap<String, VarValue>,
    used: &'v mut BTreeSet<String>,
}

impl Replace<'_> {
    fn set(&mut self, target: &mut Node) -> Result<()> {
        if is_null(target) {
            return Ok(());
        }
        match target.kind {
            Kind::Scalar => {
                if is_string(target) {
                    self.replace(target);
                }
                Ok(())
            }
            Kind::Mapping => {
                for (key, value) in target.pairs_mut() {
                    if !is_string(key) {
                        return Err(Error::new(format!(
                            "invalid map key: value='{}', tag='{}'",
                            key.value, key.tag
                        )));
                    }
                    if is_string(value) {
                        self.replace(value);
                    }
                }
                Ok(())
            }
            Kind::Sequence => {
                for item in &mut target.content {
                    if !is_string(item) {
                        return Err(Error::new("invalid value type expect a string"));
                    }
                    self.replace(item);
                }
                Ok(())
            }
            Kind::Document | Kind::Alias => Err(Error::new("invalid type encountered")),
        }
    }

    fn replace(&mut self, node: &mut Node) {
        let new = self.expand(&node.value);
        node.value = match &new {
            VarValue::Float(float) => format!("{float}"),
            other => display(other),
        };
        node.tag = match new {
            VarValue::Integer(_) => tags::INT,
            VarValue::Float(_) => tags::FLOAT,
            VarValue::Bool(_) => tags::BOOL,
            VarValue::String(_) | VarValue::Other => tags::STR,
        }
        .into();
        node.style = Style::DEFAULT;
        share::note(node);
    }

    /// The text with all vars in it replaced; `$$` is a dollar sign. A text that is nothing but one var
    /// gets the type of its value.
    fn expand(&mut self, text: &str) -> VarValue {
        let mut result = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            let (before, from) = rest.split_at(at);
            result.push_str(before);
            let Some(next) = from.chars().nth(1) else {
                rest = from;
                break;
            };
            let after = from.get(1 + next.len_utf8()..).unwrap_or_default();
            match (next, after.find(')')) {
                ('$', _) => {
                    result.push('$');
                    rest = after;
                }
                ('(', Some(end)) => {
                    let name = after.get(..end).unwrap_or_default();
                    rest = after.get(end + 1..).unwrap_or_default();
                    let whole = format!("$({name})");
                    let value = self.value(name, &whole);
                    if text == whole {
                        return value;
                    }
                    result.push_str(&display(&value));
                }
                ('(', None) => {
                    result.push_str("$(");
                    rest = after;
                }
                (other, _) => {
                    result.push('$');
                    result.push(other);
                    rest = after;
                }
            }
        }
        result.push_str(rest);
        VarValue::String(result)
    }

    fn value(&mut self, name: &str, whole: &str) -> VarValue {
        match self.values.get(name) {
            Some(VarValue::Other) | None => VarValue::String(whole.to_owned()),
            Some(value) => {
                self.used.insert(name.to_owned());
                value.clone()
            }
        }
    }
}
