//! Regular expressions with Go's syntax and replacement templates.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::regex_syntax::translate;
use crate::error::Error;
use crate::exec::Exec;
use crate::func::{Func, args};
use crate::strconv::{can_backquote, is_digit, is_letter, quote};
use crate::value::{List, Type, Value, types};

const S: Type = Type::String;
const TWO: &[Type] = &[S, S];
const THREE: &[Type] = &[S, S, S];
const COUNTED: &[Type] = &[S, S, Type::Int];

/// The functions of this family. The plain ones panic in Go on a bad expression, the `must` ones return the
/// error; the wordings differ.
pub(super) const FUNCS: &[Func] = &[
    Func::new("regexMatch", TWO, |exec, a| Ok(matches(exec, a).unwrap_or(Value::Bool(false)))),
    Func::new("mustRegexMatch", TWO, matches),
    Func::new("regexFind", TWO, |exec, a| find(exec, a, true)),
    Func::new("mustRegexFind", TWO, |exec, a| find(exec, a, false)),
    Func::new("regexFindAll", COUNTED, |exec, a| find_all(exec, a, true)),
    Func::new("mustRegexFindAll", COUNTED, |exec, a| find_all(exec, a, false)),
    Func::new("regexSplit", COUNTED, |exec, a| split(exec, a, true)),
    Func::new("mustRegexSplit", COUNTED, |exec, a| split(exec, a, false)),
    Func::new("regexReplaceAll", THREE, |exec, a| replace(exec, a, true, expand)),
    Func::new("mustRegexReplaceAll", THREE, |exec, a| replace(exec, a, false, expand)),
    Func::new("regexReplaceAllLiteral", THREE, |exec, a| replace(exec, a, true, literal)),
    Func::new("mustRegexReplaceAllLiteral", THREE, |exec, a| replace(exec, a, false, literal)),
    Func::new("regexQuoteMeta", &[S], |_, a| {
        let text = args::string(a, 0)?.to_text();
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            if is_meta(c) {
                out.push('\\');
            }
            out.push(c);
        }
        Ok(Value::from(out))
    }),
];

fn is_meta(c: char) -> bool {
    r"\.+*?()|[]{}^$".contains(c)
}

/// A compiled expression.
struct Program {
    regex: regex::Regex,
    names: Vec<Option<String>>,
    source_is_empty: bool,
}

/// Expressions kept compiled, by all threads together: every render has a thread of its own.
const CACHED: usize = 256;

/// Longer expressions are compiled each time, which bounds the memory of those that are kept.
const LONGEST_CACHED: usize = 4 << 10;

static CACHE: Mutex<Option<HashMap<String, Arc<Program>>>> = Mutex::new(None);

fn compile(expr: &str, panics: bool) -> Result<Arc<Program>, Error> {
    let known =
        CACHE.lock().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(|c| c.get(expr).cloned());
    if let Some(known) = known {
        return Ok(known);
    }
    let program = build(expr).map_err(|message| {
        let shown = if can_backquote(expr.as_bytes()) { format!("`{expr}`") } else { quote(expr.as_bytes()) };
        Error::new(if panics { format!("regexp: Compile({shown}): {message}") } else { message })
    })?;
    let program = Arc::new(program);
    if expr.len() <= LONGEST_CACHED {
        let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
        let cache = cache.get_or_insert_default();
        if cache.len() >= CACHED {
            cache.clear();
        }
        cache.insert(expr.to_owned(), Arc::clone(&program));
    }
    Ok(program)
}

fn build(expr: &str) -> Result<Program, String> {
    let translated = translate(expr)?;
    let regex = regex::RegexBuilder::new(&translated.pattern)
        .nest_limit(500)
        .build()
        .map_err(|_| format!("error parsing regexp: expression too large: `{expr}`"))?;
    Ok(Program { regex, names: translated.names, source_is_empty: expr.is_empty() })
}

/// Compiles an expression in Go's syntax.
///
/// # Errors
/// Go's message: `error parsing regexp: …`.
pub fn go_regex(expr: &str) -> Result<regex::Regex, String> {
    build(expr).map(|program| program.regex)
}

/// The expression and the text of the first two arguments, charged for.
fn prepare<'a>(
    exec: &mut Exec<'_>,
    a: &'a [Value],
    panics: bool,
) -> Result<(Arc<Program>, std::borrow::Cow<'a, str>), Error> {
    let program = compile(&args::string(a, 0)?.to_text(), panics)?;
    let text = args::string(a, 1)?;
    exec.charge_steps(text.len() as u64 / 64 + 1)?;
    Ok((program, text.to_text()))
}

fn matches(exec: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    let (program, text) = prepare(exec, a, false)?;
    Ok(Value::Bool(program.regex.is_match(&text)))
}

fn find(exec: &mut Exec<'_>, a: &[Value], panics: bool) -> Result<Value, Error> {
    let (program, text) = prepare(exec, a, panics)?;
    Ok(Value::from(program.regex.find(&text).map_or("", |m| m.as_str())))
}

/// How many matches a count asks for: all when negative.
fn limit(count: i64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn find_all(exec: &mut Exec<'_>, a: &[Value], panics: bool) -> Result<Value, Error> {
    let (program, text) = prepare(exec, a, panics)?;
    let found: Vec<&str> =
        program.regex.find_iter(&text).take(limit(args::int(a, 2)?)).map(|m| m.as_str()).collect();
    exec.charge_steps(found.len() as u64)?;
    Ok(Value::List(if found.is_empty() { List::nil(&types::STRING_LIST) } else { List::strings(found) }))
}

fn split(exec: &mut Exec<'_>, a: &[Value], panics: bool) -> Result<Value, Error> {
    let (program, text) = prepare(exec, a, panics)?;
    let count = args::int(a, 2)?;
    if count == 0 {
        return Ok(Value::List(List::nil(&types::STRING_LIST)));
    }
    if text.is_empty() && !program.source_is_empty {
        return Ok(Value::List(List::strings([""])));
    }
    let (mut parts, mut start, mut end) = (Vec::new(), 0, 0);
    for found in program.regex.find_iter(&text).take(limit(count)) {
        if count > 0 && parts.len() as i64 >= count - 1 {
            break;
        }
        end = found.start();
        if found.end() != 0 {
            parts.push(text.get(start..end).unwrap_or(""));
        }
        start = found.end();
    }
    if end != text.len() {
        parts.push(text.get(start..).unwrap_or(""));
    }
    exec.charge_steps(parts.len() as u64)?;
    Ok(Value::List(List::strings(parts)))
}

/// Appends what takes the place of one match.
type Replacement = fn(&mut String, &str, &regex::Captures<'_>, &[Option<String>]);

fn replace(exec: &mut Exec<'_>, a: &[Value], panics: bool, by: Replacement) -> Result<Value, Error> {
    let (program, text) = prepare(exec, a, panics)?;
    let template = args::string(a, 2)?.to_text();
    let mut out = String::new();
    let (mut end, mut charged) = (0, 0);
    for captures in program.regex.captures_iter(&text) {
        let Some(whole) = captures.get(0) else { continue };
        out.push_str(text.get(end..whole.start()).unwrap_or(""));
        by(&mut out, &template, &captures, &program.names);
        end = whole.end();
        exec.charge_bytes((out.len() - charged) as u64)?;
        exec.charge_steps(1)?;
        charged = out.len();
    }
    out.push_str(text.get(end..).unwrap_or(""));
    Ok(Value::from(out))
}

fn literal(out: &mut String, template: &str, _: &regex::Captures<'_>, _: &[Option<String>]) {
    out.push_str(template);
}

/// Writes the template with `$1`, `${1}`, `$name` and `${name}` filled in and `$$` as `$`.
fn expand(out: &mut String, template: &str, captures: &regex::Captures<'_>, names: &[Option<String>]) {
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(tail) = after.strip_prefix('$') {
            out.push('$');
            rest = tail;
            continue;
        }
        let Some((name, tail)) = reference(after) else {
            out.push('$');
            rest = after;
            continue;
        };
        rest = tail;
        let group = match group_number(name) {
            Some(number) => captures.get(number),
            None => names
                .iter()
                .enumerate()
                .filter(|(_, n)| n.as_deref() == Some(name))
                .find_map(|(number, _)| captures.get(number)),
        };
        out.push_str(group.map_or("", |m| m.as_str()));
    }
    out.push_str(rest);
}

/// The number that a reference names; names may begin with a digit too.
fn group_number(name: &str) -> Option<usize> {
    let digits = name.bytes().all(|b| b.is_ascii_digit());
    let leading_zero = name.len() > 1 && name.starts_with('0');
    if digits && !leading_zero && name.len() <= 9 { name.parse().ok() } else { None }
}

/// Splits `name…` or `{name}…` into the name and what follows.
fn reference(text: &str) -> Option<(&str, &str)> {
    let braced = text.strip_prefix('{');
    let body = braced.unwrap_or(text);
    let end = body.find(|c| !(is_letter(c) || is_digit(c) || c == '_')).unwrap_or(body.len());
    let (name, rest) = body.split_at_checked(end).filter(|(name, _)| !name.is_empty())?;
    Some((name, if braced.is_some() { rest.strip_prefix('}')? } else { rest }))
}
