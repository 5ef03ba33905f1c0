//! Go's `strconv` and the parts of `unicode` that it rests on: numbers and quoted strings as text.
//!
//! Knows nothing of templates or values.

pub mod float;
pub mod integer;
pub mod quote;
mod tables;

pub use float::{FloatFormat, append_float, parse_float};
pub use integer::{parse_int, parse_uint};
pub use quote::{can_backquote, quote, quote_to_ascii, unquote, unquote_char};

/// Why a number could not be read: Go's `ErrSyntax` and `ErrRange`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberError {
    /// `invalid syntax`
    Syntax,
    /// `value out of range`
    Range,
}

impl std::fmt::Display for NumberError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            NumberError::Syntax => "invalid syntax",
            NumberError::Range => "value out of range",
        })
    }
}

impl std::error::Error for NumberError {}

fn in_table(table: &[(u32, u32)], c: char) -> bool {
    let c = c as u32;
    table
        .binary_search_by(|&(first, last)| match () {
            () if last < c => std::cmp::Ordering::Less,
            () if first > c => std::cmp::Ordering::Greater,
            () => std::cmp::Ordering::Equal,
        })
        .is_ok()
}

/// Go's `strconv.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII space.
pub fn is_print(c: char) -> bool {
    if c.is_ascii() { (' '..='~').contains(&c) } else { in_table(tables::PRINT, c) }
}

/// Go's `unicode.IsLetter`.
pub fn is_letter(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphabetic() } else { in_table(tables::LETTER, c) }
}

/// Go's `unicode.IsDigit`: decimal digits of any script.
pub fn is_digit(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_digit() } else { in_table(tables::DIGIT, c) }
}

/// Go's `utf8.DecodeRune`: the first character and its length; U+FFFD of length 1 for an invalid byte, `None` at the end.
pub fn decode_rune(bytes: &[u8]) -> Option<(char, usize)> {
    let &first = bytes.first()?;
    if first < 0x80 {
        return Some((char::from(first), 1));
    }
    let window = bytes.get(..4).unwrap_or(bytes);
    let valid = match std::str::from_utf8(window) {
        Ok(s) => s,
        Err(e) => std::str::from_utf8(window.get(..e.valid_up_to()).unwrap_or_default()).unwrap_or_default(),
    };
    match valid.chars().next() {
        Some(c) => Some((c, c.len_utf8())),
        None => Some((char::REPLACEMENT_CHARACTER, 1)),
    }
}

/// Number of characters, an invalid byte counting as one: Go's `utf8.RuneCount`.
pub fn rune_count(bytes: &[u8]) -> usize {
    bytes.utf8_chunks().map(|c| c.valid().chars().count() + c.invalid().len()).sum()
}

/// Appends a character as UTF-8.
pub fn push_char(out: &mut Vec<u8>, c: char) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}
