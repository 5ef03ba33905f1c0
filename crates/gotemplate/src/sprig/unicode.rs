//! Go's `unicode` predicates and simple case mappings, where Rust's differ: Go asks for the general
//! category (`Lu`, `Ll`, `L`, …) and maps one code point to one.

use std::sync::LazyLock;

use regex::Regex;

pub(super) use crate::strconv::{is_digit, is_letter};

type Class = LazyLock<Option<Regex>>;

static UPPER: Class = LazyLock::new(|| Regex::new(r"^\p{Lu}").ok());
static LOWER: Class = LazyLock::new(|| Regex::new(r"^\p{Ll}").ok());
static NUMBER: Class = LazyLock::new(|| Regex::new(r"^\p{N}").ok());
static PUNCT: Class = LazyLock::new(|| Regex::new(r"^\p{P}").ok());

fn in_class(class: &Class, c: char) -> bool {
    class.as_ref().is_some_and(|r| r.is_match(c.encode_utf8(&mut [0; 4])))
}

/// Category `Lu`.
pub(super) fn is_upper(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_uppercase() } else { in_class(&UPPER, c) }
}

/// Category `Ll`.
pub(super) fn is_lower(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_lowercase() } else { in_class(&LOWER, c) }
}

/// Category `N`.
pub(super) fn is_number(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_digit() } else { in_class(&NUMBER, c) }
}

/// Category `P`; of ASCII, not the symbols `$+<=>^|~` and the backquote.
pub(super) fn is_punct(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_punctuation() && !matches!(c, '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~')
    } else {
        in_class(&PUNCT, c)
    }
}

/// Category `Lt`: the digraphs and the Greek capitals with iota.
pub(super) fn is_title(c: char) -> bool {
    matches!(c, 'ǅ' | 'ǈ' | 'ǋ' | 'ǲ' | '\u{1F88}'..='\u{1F8F}' | '\u{1F98}'..='\u{1F9F}'
        | '\u{1FA8}'..='\u{1FAF}' | '\u{1FBC}' | '\u{1FCC}' | '\u{1FFC}')
}

/// White space.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace()
}

/// Simple upper case.
pub(super) fn to_upper(c: char) -> char {
    match c {
        '\u{1F80}'..='\u{1F87}' | '\u{1F90}'..='\u{1F97}' | '\u{1FA0}'..='\u{1FA7}' => shifted(c, 8),
        '\u{1FB3}' | '\u{1FC3}' | '\u{1FF3}' => shifted(c, 9),
        _ => single(c, c.to_uppercase()),
    }
}

/// Simple lower case.
pub(super) fn to_lower(c: char) -> char {
    if c == 'İ' { 'i' } else { single(c, c.to_lowercase()) }
}

/// Simple title case.
pub(super) fn to_title(c: char) -> char {
    match c {
        'Ǆ' | 'ǅ' | 'ǆ' => 'ǅ',
        'Ǉ' | 'ǈ' | 'ǉ' => 'ǈ',
        'Ǌ' | 'ǋ' | 'ǌ' => 'ǋ',
        'Ǳ' | 'ǲ' | 'ǳ' => 'ǲ',
        '\u{10D0}'..='\u{10FF}' => c,
        _ => to_upper(c),
    }
}

fn shifted(c: char, by: u32) -> char {
    char::from_u32(u32::from(c) + by).unwrap_or(c)
}

/// The mapping when it is to one code point, else `c` itself.
fn single(c: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(m), None) => m,
        _ => c,
    }
}
