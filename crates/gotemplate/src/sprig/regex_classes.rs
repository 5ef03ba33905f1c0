//! The character classes of Go's regular expressions, written for the `regex` crate.

use std::fmt::Write as _;

/// Writes `c` so that it stands for itself inside and outside a class.
pub(super) fn push_literal(out: &mut String, c: char) {
    if c.is_ascii_alphanumeric() || !c.is_ascii() {
        out.push(c);
    } else {
        let _ = write!(out, "\\x{:02X}", u32::from(c));
    }
}

/// The members of `\d`, `\s` and `\w`, which are ASCII in Go.
pub(super) fn perl_class(letter: u8) -> Option<&'static str> {
    match letter {
        b'd' => Some("0-9"),
        b's' => Some(r"\t\n\f\r\x20"),
        b'w' => Some("0-9A-Za-z_"),
        _ => None,
    }
}

/// The class item for `[:name:]` or `[:^name:]`.
pub(super) fn posix_class(name: &str) -> Option<String> {
    const NAMES: &str =
        " alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit ";
    let inner = name.strip_prefix("[:")?.strip_suffix(":]")?;
    let plain = inner.strip_prefix('^').unwrap_or(inner);
    let known = plain.bytes().all(|b| b.is_ascii_lowercase()) && NAMES.contains(&format!(" {plain} "));
    known.then(|| name.to_owned())
}

/// The class for a Unicode category or script that Go knows by `name`.
pub(super) fn unicode_class(name: &str) -> Option<String> {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' '));
    if name.is_empty() || !plain {
        return None;
    }
    match name.to_ascii_lowercase().as_str() {
        "any" => return Some(r"\p{Any}".to_owned()),
        "assigned" => return Some(r"\p{Assigned}".to_owned()),
        "ascii" => return Some(r"\x00-\x7F".to_owned()),
        _ => {}
    }
    let known = |class: &String| regex::Regex::new(class).is_ok();
    [format!(r"\p{{gc={name}}}"), format!(r"\p{{sc={name}}}")].into_iter().find(known)
}
