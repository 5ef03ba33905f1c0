//! Values, in both flavours: block style, sorted keys, no comments.

use serde_json::{Number, Value};

use super::analysis::{Analysis, analyze};
use super::scalar::select_style;
use super::sort::sorted_pairs;
use super::writer::{Place, Writer};
use crate::gofmt::float_64;
use crate::resolve::{Resolved, old_bool, resolve};
use crate::scanner::token::{Flavour, ScalarStyle};
use crate::{Error, Limits};

/// The longest text that is a key without `?`, in bytes.
pub(super) const SIMPLE_KEY: usize = 128;

pub(super) fn write_document(mut writer: Writer, value: &Value) -> Result<String, Error> {
    write_value(&mut writer, value, Place::default(), 0)?;
    writer.write_indent();
    Ok(writer.out)
}

fn write_value(writer: &mut Writer, value: &Value, place: Place, depth: usize) -> Result<(), Error> {
    match value {
        Value::Null => plain(writer, "null"),
        Value::Bool(yes) => plain(writer, if *yes { "true" } else { "false" }),
        Value::Number(number) => plain(writer, &number_text(writer.flavour, number)),
        Value::String(text) => write_string(writer, text, place),
        Value::Array(items) if items.is_empty() => plain(writer, "[]"),
        Value::Object(map) if map.is_empty() => plain(writer, "{}"),
        _ if depth >= Limits::DEPTH => return Err(Limits::too_deep(Limits::DEPTH)),
        Value::Array(items) => return write_sequence(writer, items, place, depth),
        Value::Object(map) => {
            let pairs = sorted_pairs(writer.flavour, map);
            return write_mapping(writer, &pairs, place, depth);
        }
    }
    Ok(())
}

fn write_sequence(writer: &mut Writer, items: &[Value], place: Place, depth: usize) -> Result<(), Error> {
    let old = writer.increase_sequence_indent(place);
    for item in items {
        writer.write_indent();
        writer.block_indicator("-");
        write_value(writer, item, Place { block_item: true, ..Place::default() }, depth + 1)?;
    }
    writer.indent = old;
    Ok(())
}

fn write_mapping(
    writer: &mut Writer,
    pairs: &[(&str, &Value)],
    place: Place,
    depth: usize,
) -> Result<(), Error> {
    let old = writer.increase_indent(false, place);
    for (key, value) in pairs {
        writer.write_indent();
        let analysis = analyze(writer.flavour, key);
        if key.len() <= SIMPLE_KEY && !analysis.multiline {
            let place = Place { mapping: true, simple_key: true, block_item: false };
            write_analyzed(writer, key, analysis, place);
            writer.glued(":");
        } else {
            writer.block_indicator("?");
            write_analyzed(writer, key, analysis, Place { mapping: true, ..Place::default() });
            writer.write_indent();
            writer.block_indicator(":");
        }
        write_value(writer, value, Place { mapping: true, ..Place::default() }, depth + 1)?;
    }
    writer.indent = old;
    Ok(())
}

/// A scalar (or an empty collection) that needs no quotes anywhere.
fn plain(writer: &mut Writer, text: &str) {
    writer.space();
    writer.put_str(text);
    writer.whitespace = false;
    writer.indention = false;
}

fn write_string(writer: &mut Writer, text: &str, place: Place) {
    let analysis = analyze(writer.flavour, text);
    write_analyzed(writer, text, analysis, place);
}

fn write_analyzed(writer: &mut Writer, text: &str, analysis: Analysis, place: Place) {
    let wanted = if text.contains('\n') {
        ScalarStyle::Literal
    } else if is_plain_string(writer.flavour, text) {
        ScalarStyle::Plain
    } else {
        ScalarStyle::DoubleQuoted
    };
    let style = select_style(wanted, &analysis, text.is_empty(), false, place.simple_key);
    let old = writer.increase_indent(true, place);
    if style == ScalarStyle::Literal {
        writer.block_header(text, style);
        writer.put_break();
        writer.literal_lines(text);
    } else {
        writer.flow_scalar(text, style, !place.simple_key);
    }
    writer.indent = old;
}

/// Whether the text is still a string when it is written without quotes.
pub(super) fn is_plain_string(flavour: Flavour, text: &str) -> bool {
    resolve(flavour, text) == Resolved::Str
        && !is_base_60(text)
        && (flavour == Flavour::V2 || old_bool(text).is_none())
}

/// Whether YAML 1.1 takes the text for a number in base 60, like `12:30:45`; such text is quoted.
fn is_base_60(text: &str) -> bool {
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !body.starts_with(|first: char| first.is_ascii_digit()) {
        return false;
    }
    let mut parts = body.split(':').peekable();
    let whole = parts.next().unwrap_or_default();
    if !whole.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_') || parts.peek().is_none() {
        return false;
    }
    while let Some(part) = parts.next() {
        let digits = match (parts.peek(), part.split_once('.')) {
            (None, Some((digits, fraction)))
                if fraction.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_') =>
            {
                digits
            }
            _ => part,
        };
        let sixty = match digits.as_bytes() {
            [digit] => digit.is_ascii_digit(),
            [b'0'..=b'5', digit] => digit.is_ascii_digit(),
            _ => false,
        };
        if !sixty {
            return false;
        }
    }
    true
}

/// A number as the flavour prints it. In v2 a value has gone through JSON text, where a whole float below
/// 10²¹ is an integer.
fn number_text(flavour: Flavour, number: &Number) -> String {
    let Some(float) = number.as_f64().filter(|_| number.is_f64()) else { return number.to_string() };
    if flavour == Flavour::V2 {
        match resolve(flavour, &crate::gofmt::json_float(float)) {
            Resolved::Int(whole) => return whole.to_string(),
            Resolved::Uint(whole) => return whole.to_string(),
            _ => {}
        }
    }
    float_64(float)
}
