//! Slash-separated paths, as Go's packages `path` and (on Unix) `path/filepath` treat them.

use crate::func::{Call, Func, args};
use crate::value::{Str, Type, Value};

const S: &[Type] = &[Type::String];

/// The functions of this family.
pub(super) const FUNCS: &[Func] = &[
    Func::new("base", S, BASE),
    Func::new("osBase", S, BASE),
    Func::new("dir", S, DIR),
    Func::new("osDir", S, DIR),
    Func::new("clean", S, CLEAN),
    Func::new("osClean", S, CLEAN),
    Func::new("ext", S, EXT),
    Func::new("osExt", S, EXT),
    Func::new("isAbs", S, IS_ABS),
    Func::new("osIsAbs", S, IS_ABS),
];

const BASE: Call = |_, a| Ok(Value::String(Str::from_bytes(base(args::string(a, 0)?.as_bytes()))));
const DIR: Call = |_, a| {
    let path = args::string(a, 0)?.as_bytes();
    let end = path.iter().rposition(|b| *b == b'/').map_or(0, |at| at + 1);
    Ok(Value::String(clean(path.get(..end).unwrap_or(b"")).into()))
};
const CLEAN: Call = |_, a| Ok(Value::String(clean(args::string(a, 0)?.as_bytes()).into()));
const EXT: Call = |_, a| Ok(Value::String(Str::from_bytes(extension(args::string(a, 0)?.as_bytes()))));
const IS_ABS: Call = |_, a| Ok(Value::Bool(args::string(a, 0)?.as_bytes().starts_with(b"/")));

/// The last element; `.` for an empty path, `/` for one of slashes only.
fn base(path: &[u8]) -> &[u8] {
    if path.is_empty() {
        return b".";
    }
    let end = path.iter().rposition(|b| *b != b'/').map_or(0, |at| at + 1);
    let trimmed = path.get(..end).unwrap_or(path);
    match trimmed.rsplit(|b| *b == b'/').next() {
        Some(b"") | None => b"/",
        Some(last) => last,
    }
}

/// From the last dot of the last element on.
fn extension(path: &[u8]) -> &[u8] {
    let name = path.rsplit(|b| *b == b'/').next().unwrap_or(b"");
    name.iter().rposition(|b| *b == b'.').and_then(|at| name.get(at..)).unwrap_or(b"")
}

/// The shortest path with the same meaning.
fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.starts_with(b"/");
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|b| *b == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|last| *last != b"..") => {
                parts.pop();
            }
            b".." if rooted => {}
            other => parts.push(other),
        }
    }
    let joined = parts.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/", joined.as_slice()].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}
