//! Values as Go's `%#v` prints them: kustomize puts them into some of its messages.

use std::fmt::Write as _;

use goyaml::{Kind, Node, Value, tags};

use crate::tree::value;

/// An object as yaml.v3 decodes it into a map.
pub(crate) fn object(node: &Node) -> String {
    let mut text = String::new();
    write_map(&mut text, node, true);
    text
}

fn write(text: &mut String, node: &Node) {
    match node.kind {
        Kind::Mapping => write_map(text, node, false),
        Kind::Sequence => {
            text.push_str("[]interface {}{");
            for (i, item) in node.content.iter().enumerate() {
                text.push_str(if i > 0 { ", " } else { "" });
                write(text, item);
            }
            text.push('}');
        }
        Kind::Document | Kind::Scalar | Kind::Alias => write_scalar(text, node),
    }
}

fn write_scalar(text: &mut String, node: &Node) {
    let value = match value::to_map(node) {
        Ok(value) => value,
        Err(_) => {
            let lower = node.value.to_ascii_lowercase();
            text.push_str(match lower.as_str() {
                ".nan" => "NaN",
                "-.inf" => "-Inf",
                _ => "+Inf",
            });
            return;
        }
    };
    let _ = match value {
        Value::Null => write!(text, "interface {{}}(nil)"),
        Value::String(string) => write!(text, "{}", quote(&string)),
        other => write!(text, "{other}"),
    };
}

/// Maps below the top whose keys are not all strings are of another type.
fn write_map(text: &mut String, node: &Node, top: bool) {
    let strings = top || node.pairs().all(|(key, _)| key.short_tag() == tags::STR);
    text.push_str(if strings { "map[string]interface {}{" } else { "map[interface {}]interface {}{" });
    let mut pairs: Vec<(&Node, &Node)> = node.pairs().collect();
    pairs.sort_by_key(|(key, _)| (!strings && key.short_tag() != tags::STR, &key.value));
    for (i, (key, item)) in pairs.into_iter().enumerate() {
        text.push_str(if i > 0 { ", " } else { "" });
        if strings {
            text.push_str(&quote(&key.value));
        } else {
            write_scalar(text, key);
        }
        text.push(':');
        write(text, item);
    }
    text.push('}');
}

/// A string as Go's `%q` prints it.
pub(crate) fn quote(string: &str) -> String {
    let mut text = String::with_capacity(string.len() + 2);
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' => text.push_str("\\r"),
            '\u{7}' => text.push_str("\\a"),
            '\u{8}' => text.push_str("\\b"),
            '\u{b}' => text.push_str("\\v"),
            '\u{c}' => text.push_str("\\f"),
            control if (control as u32) < 0x20 || control as u32 == 0x7f => {
                let _ = write!(text, "\\x{:02x}", control as u32);
            }
            other => text.push(other),
        }
    }
    text.push('"');
    text
}
