//! Strings: case, trimming, cutting, quoting, indenting. Positions and lengths count bytes, as in Go.

use std::borrow::Cow;

use super::conversions::strval;
use super::{unicode, words};
use crate::error::Error;
use crate::exec::Exec;
use crate::func::{Call, Func, args};
use crate::value::{Str, Type, Value};

const S: Type = Type::String;
const I: Type = Type::Int;

/// The functions of this family.
pub(super) const FUNCS: &[Func] = &[
    Func::new("trim", &[S], |_, a| Ok(kept(args::string(a, 0)?, |s| s.trim()))),
    Func::new("trimall", &[S, S], TRIM_ALL),
    Func::new("trimAll", &[S, S], TRIM_ALL),
    Func::new("trimSuffix", &[S, S], |_, a| {
        let (suffix, text) = (args::string(a, 0)?, args::string(a, 1)?);
        Ok(bytes_or(text, text.as_bytes().strip_suffix(suffix.as_bytes())))
    }),
    Func::new("trimPrefix", &[S, S], |_, a| {
        let (prefix, text) = (args::string(a, 0)?, args::string(a, 1)?);
        Ok(bytes_or(text, text.as_bytes().strip_prefix(prefix.as_bytes())))
    }),
    Func::new("upper", &[S], |_, a| Ok(mapped(args::string(a, 0)?, unicode::to_upper))),
    Func::new("lower", &[S], |_, a| Ok(mapped(args::string(a, 0)?, unicode::to_lower))),
    Func::new("title", &[S], |_, a| Ok(Value::from(words::title(&args::string(a, 0)?.to_text())))),
    Func::new("untitle", &[S], |_, a| Ok(Value::from(words::uncapitalize(&args::string(a, 0)?.to_text())))),
    Func::new("swapcase", &[S], |_, a| Ok(Value::from(words::swap_case(&args::string(a, 0)?.to_text())))),
    Func::new("camelcase", &[S], |_, a| Ok(Value::from(words::pascal_case(&args::string(a, 0)?.to_text())))),
    Func::new("snakecase", &[S], |_, a| {
        Ok(Value::from(words::lower_with_connector(&args::string(a, 0)?.to_text(), '_')))
    }),
    Func::new("kebabcase", &[S], |_, a| {
        Ok(Value::from(words::lower_with_connector(&args::string(a, 0)?.to_text(), '-')))
    }),
    Func::new("nospace", &[S], |_, a| {
        let text = args::string(a, 0)?;
        Ok(words::delete_white_space(text.as_bytes())
            .map_or_else(|| Value::String(text.clone()), Value::from))
    }),
    Func::new("initials", &[S], |_, a| Ok(Value::from(words::initials(args::string(a, 0)?.as_bytes())))),
    Func::new("abbrev", &[I, S], |_, a| abbreviate(0, args::int(a, 0)?, args::string(a, 1)?)),
    Func::new("abbrevboth", &[I, I, S], |_, a| {
        abbreviate(args::int(a, 0)?, args::int(a, 1)?, args::string(a, 2)?)
    }),
    Func::new("trunc", &[I, S], |_, a| Ok(truncate(args::int(a, 0)?, args::string(a, 1)?))),
    Func::new("substr", &[I, I, S], |_, a| {
        substring(args::int(a, 0)?, args::int(a, 1)?, args::string(a, 2)?)
    }),
    Func::new("wrap", &[I, S], |exec, a| wrap(exec, args::int(a, 0)?, b"", args::string(a, 1)?, false)),
    Func::new("wrapWith", &[I, S, S], |exec, a| {
        wrap(exec, args::int(a, 0)?, args::string(a, 1)?.as_bytes(), args::string(a, 2)?, true)
    }),
    Func::new("repeat", &[I, S], repeat),
    Func::new("contains", &[S, S], |_, a| {
        Ok(Value::Bool(contains(args::string(a, 1)?, args::string(a, 0)?)))
    }),
    Func::new("hasPrefix", &[S, S], |_, a| {
        Ok(Value::Bool(args::string(a, 1)?.as_bytes().starts_with(args::string(a, 0)?.as_bytes())))
    }),
    Func::new("hasSuffix", &[S, S], |_, a| {
        Ok(Value::Bool(args::string(a, 1)?.as_bytes().ends_with(args::string(a, 0)?.as_bytes())))
    }),
    Func::new("replace", &[S, S, S], replace),
    Func::variadic("quote", &[], Type::Any, quote),
    Func::variadic("squote", &[], Type::Any, squote),
    Func::variadic("cat", &[], Type::Any, cat),
    Func::new("indent", &[I, S], |exec, a| indent(exec, b"", args::int(a, 0)?, args::string(a, 1)?)),
    Func::new("nindent", &[I, S], |exec, a| indent(exec, b"\n", args::int(a, 0)?, args::string(a, 1)?)),
    Func::new("plural", &[S, S, I], |_, a| Ok(args::any(a, usize::from(args::int(a, 2)? != 1)))),
];

const TRIM_ALL: Call = |_, a| {
    let cutset = args::string(a, 0)?.to_text();
    Ok(kept(args::string(a, 1)?, |s| s.trim_matches(|c| cutset.contains(c))))
};

/// Text cut by `cut`; shares the string when nothing is cut off.
fn kept(text: &Str, cut: impl for<'t> Fn(&'t str) -> &'t str) -> Value {
    let whole = text.to_text();
    let part = cut(&whole);
    if part.len() == whole.len() { Value::String(text.clone()) } else { Value::from(part) }
}

fn bytes_or(text: &Str, part: Option<&[u8]>) -> Value {
    Value::String(part.map_or_else(|| text.clone(), Str::from_bytes))
}

/// Text with each character mapped; shares the string when nothing changes.
fn mapped(text: &Str, map: fn(char) -> char) -> Value {
    match text.to_text() {
        Cow::Borrowed(s) if s.is_ascii() => {
            let changed = |b: u8| map(char::from(b)) as u8;
            if s.bytes().all(|b| changed(b) == b) {
                return Value::String(text.clone());
            }
            Value::from(s.bytes().map(|b| char::from(changed(b))).collect::<String>())
        }
        Cow::Borrowed(s) if s.chars().all(|c| map(c) == c) => Value::String(text.clone()),
        s => Value::from(s.chars().map(map).collect::<String>()),
    }
}

fn abbreviate(left: i64, width: i64, text: &Str) -> Result<Value, Error> {
    if width < 4 || left > 0 && width < 7 {
        return Ok(Value::String(text.clone()));
    }
    Ok(Value::String(words::abbreviate(text.as_bytes(), left, width).into()))
}

/// The first `count` bytes, or the last `-count`.
fn truncate(count: i64, text: &Str) -> Value {
    let length = text.len() as i64;
    let bytes = text.as_bytes();
    let part = if count < 0 && length + count > 0 {
        bytes.get((length + count) as usize..)
    } else if count >= 0 && length > count {
        bytes.get(..count as usize)
    } else {
        None
    };
    bytes_or(text, part)
}

fn substring(start: i64, end: i64, text: &Str) -> Result<Value, Error> {
    let length = text.len() as i64;
    let (from, to) = if start < 0 {
        (0, end)
    } else if end < 0 || end > length {
        (start, length)
    } else {
        (start, end)
    };
    let part = usize::try_from(from)
        .ok()
        .zip(usize::try_from(to).ok())
        .and_then(|(from, to)| text.as_bytes().get(from..to));
    match part {
        Some(part) => Ok(Value::String(Str::from_bytes(part))),
        None => {
            // Go's three wordings: [:end], [start:] and [start:end].
            let range = if start < 0 || to > length || to < 0 {
                let what = if to < 0 { String::new() } else { format!(" with length {length}") };
                format!("[:{to}]{what}")
            } else if end < 0 || end > length {
                format!("[{from}:{length}]")
            } else {
                format!("[{from}:{to}]")
            };
            Err(Error::new(format!("runtime error: slice bounds out of range {range}")))
        }
    }
}

fn wrap(exec: &mut Exec<'_>, width: i64, newline: &[u8], text: &Str, cut: bool) -> Result<Value, Error> {
    let lines = text.len() as u64 / width.max(1).unsigned_abs() + 1;
    exec.charge_bytes((text.len() as u64).saturating_add(lines.saturating_mul(newline.len() as u64)))?;
    Ok(Value::String(words::wrap(text.as_bytes(), width, newline, cut).into()))
}

fn repeat(exec: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    let (count, text) = (args::int(a, 0)?, args::string(a, 1)?);
    let times = usize::try_from(count).map_err(|_| Error::new("strings: negative Repeat count"))?;
    if text.is_empty() {
        return Ok(Value::String(text.clone()));
    }
    let size = (text.len() as u64).checked_mul(times as u64).filter(|n| i64::try_from(*n).is_ok());
    exec.charge_bytes(size.ok_or_else(|| Error::new("strings: Repeat output length overflow"))?)?;
    Ok(Value::String(text.as_bytes().repeat(times).into()))
}

/// Position of `needle`, by bytes.
fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    if needle.is_empty() {
        return Some(0);
    }
    text.windows(needle.len()).position(|w| w == needle)
}

fn contains(text: &Str, needle: &Str) -> bool {
    match (text.as_str(), needle.as_str()) {
        (Some(text), Some(needle)) => text.contains(needle),
        _ => find(text.as_bytes(), needle.as_bytes()).is_some(),
    }
}

/// Parts of `text` between occurrences of `separator`; at most `limit` of them. An empty separator splits
/// characters.
pub(super) fn split(text: &Str, separator: &Str, limit: usize) -> Vec<Str> {
    match (text.as_str(), separator.as_str()) {
        (Some(text), Some(separator)) if !separator.is_empty() => {
            text.splitn(limit, separator).map(Str::from).collect()
        }
        _ => split_bytes(text.as_bytes(), separator.as_bytes(), limit),
    }
}

fn split_bytes(text: &[u8], separator: &[u8], limit: usize) -> Vec<Str> {
    let mut parts = Vec::new();
    let mut rest = text;
    if limit == 0 {
        return parts;
    }
    while parts.len() + 1 < limit {
        let cut = if separator.is_empty() {
            let width = crate::strconv::decode_rune(rest).map_or(0, |(_, width)| width);
            Some((width, width)).filter(|_| width < rest.len())
        } else {
            find(rest, separator).map(|at| (at, at + separator.len()))
        };
        let Some((end, next)) = cut else { break };
        parts.push(Str::from_bytes(rest.get(..end).unwrap_or(b"")));
        rest = rest.get(next..).unwrap_or(b"");
    }
    if !(separator.is_empty() && rest.is_empty()) {
        parts.push(Str::from_bytes(rest));
    }
    parts
}

fn replace(exec: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    let (old, new, text) = (args::string(a, 0)?, args::string(a, 1)?, args::string(a, 2)?);
    if let (Some(old), Some(text_str)) = (old.as_str(), text.as_str()) {
        let count = text_str.matches(old).count() as u64;
        if count == 0 {
            return Ok(Value::String(text.clone()));
        }
        exec.charge_bytes((text.len() as u64).saturating_add(count.saturating_mul(new.len() as u64)))?;
        if let Some(new) = new.as_str() {
            return Ok(Value::from(text_str.replace(old, new)));
        }
    }
    if old.is_empty() {
        let parts = split(text, old, usize::MAX);
        exec.charge_bytes((parts.len() as u64 + 1).saturating_mul(new.len() as u64 + 4))?;
        let joined = parts.join(new.as_bytes());
        return Ok(Value::String([new.as_bytes(), &joined, new.as_bytes()].concat().into()));
    }
    let parts = split(text, old, usize::MAX);
    exec.charge_bytes(
        (parts.len() as u64).saturating_mul(new.len() as u64).saturating_add(text.len() as u64),
    )?;
    Ok(Value::String(parts.join(new.as_bytes()).into()))
}

/// Whether `%q` prints the text as it is between double quotes.
fn is_plain(text: &Str) -> bool {
    text.as_bytes().iter().all(|b| matches!(b, b' '..=b'~') && !matches!(b, b'"' | b'\\'))
}

fn quote(exec: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    let mut out: Vec<u8> = Vec::new();
    for value in a.iter().filter(|v| !matches!(v, Value::Nil)) {
        let text = strval(exec, value)?;
        exec.charge_bytes(text.len() as u64)?;
        if !out.is_empty() {
            out.push(b' ');
        }
        if is_plain(&text) {
            out.reserve(text.len() + 2);
            out.push(b'"');
            out.extend_from_slice(text.as_bytes());
            out.push(b'"');
        } else {
            let quoted = exec.sprintf(&Str::from("%q"), &[Value::String(text)])?;
            out.extend_from_slice(quoted.as_bytes());
        }
    }
    Ok(Value::String(out.into()))
}

fn squote(exec: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    let mut out: Vec<u8> = Vec::new();
    for value in a.iter().filter(|v| !matches!(v, Value::Nil)) {
        let text = exec.sprint(std::slice::from_ref(value))?;
        exec.charge_bytes(text.len() as u64)?;
        out.extend_from_slice(if out.is_empty() { b"'" } else { b" '" });
        out.extend_from_slice(text.as_bytes());
        out.push(b'\'');
    }
    Ok(Value::String(out.into()))
}

fn cat(exec: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    let mut texts = Vec::new();
    for value in a.iter().filter(|v| !matches!(v, Value::Nil)) {
        texts.push(exec.sprint(std::slice::from_ref(value))?);
    }
    exec.charge_bytes(texts.iter().map(|t| t.len() as u64 + 1).sum())?;
    Ok(Value::String(texts.join(&b" "[..]).into()))
}

/// Puts spaces before every line, the first and empty ones included.
fn indent(exec: &mut Exec<'_>, before: &[u8], spaces: i64, text: &Str) -> Result<Value, Error> {
    let spaces = usize::try_from(spaces).map_err(|_| Error::new("strings: negative Repeat count"))?;
    let bytes = text.as_bytes();
    let lines = bytes.iter().filter(|b| **b == b'\n').count() + 1;
    let size = spaces.saturating_mul(lines).saturating_add(bytes.len() + before.len());
    exec.charge_bytes(size as u64)?;
    let mut out = Vec::with_capacity(size);
    out.extend_from_slice(before);
    for (index, line) in bytes.split(|b| *b == b'\n').enumerate() {
        if index > 0 {
            out.push(b'\n');
        }
        out.resize(out.len() + spaces, b' ');
        out.extend_from_slice(line);
    }
    Ok(Value::String(out.into()))
}
