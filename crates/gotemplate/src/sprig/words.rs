//! Words and lines: abbreviating, wrapping, initials and the letter-case conversions of the libraries
//! that sprig calls (goutils 1.1, xstrings 1.5). Plain functions on text.
//!
//! goutils counts bytes, not characters; so do these.

use super::unicode::{
    is_digit, is_letter, is_lower, is_number, is_punct, is_space, is_title, is_upper, to_lower, to_title,
    to_upper,
};

/// The byte as the code point of the same number (goutils reads strings so).
fn latin1(bytes: &[u8]) -> impl Iterator<Item = char> {
    bytes.iter().map(|b| char::from(*b))
}

/// Cuts `text` to `width` bytes, an ellipsis included, so that what is at `offset` stays visible.
/// `width` is at least 4, and at least 7 where an offset matters.
pub(super) fn abbreviate(text: &[u8], offset: i64, width: i64) -> Vec<u8> {
    let Ok(width) = usize::try_from(width) else { return Vec::new() };
    let length = text.len();
    if width < 4 || length == 0 {
        return Vec::new();
    }
    if length <= width {
        return text.to_vec();
    }
    let keep = width - 3;
    let mut offset = usize::try_from(offset).unwrap_or(0).min(length);
    if length - offset < keep {
        offset = length - keep;
    }
    if offset <= 4 {
        return [text.get(..keep).unwrap_or(text), b"..."].concat();
    }
    if width < 7 {
        return Vec::new();
    }
    if offset + keep < length {
        let tail = abbreviate(text.get(offset..).unwrap_or(b""), 0, (width - 3) as i64);
        return [b"...", tail.as_slice()].concat();
    }
    [b"...", text.get(length - keep..).unwrap_or(text)].concat()
}

/// Removes white space.
pub(super) fn delete_white_space(text: &[u8]) -> Option<String> {
    latin1(text).any(is_space).then(|| latin1(text).filter(|c| !is_space(*c)).collect())
}

/// The first character of each word.
pub(super) fn initials(text: &[u8]) -> String {
    let mut gap = true;
    latin1(text)
        .filter(|c| {
            let space = is_space(*c);
            let first = gap && !space;
            gap = space;
            first
        })
        .collect()
}

/// Swaps case; a lower-case letter at the start of a word becomes title case.
pub(super) fn swap_case(text: &str) -> String {
    let mut white = true;
    text.chars()
        .map(|c| {
            if is_upper(c) || is_title(c) {
                white = false;
                to_lower(c)
            } else if is_lower(c) {
                let start = std::mem::take(&mut white);
                if start { to_title(c) } else { to_upper(c) }
            } else {
                white = is_space(c);
                c
            }
        })
        .collect()
}

/// Lower case for the first letter of each word.
pub(super) fn uncapitalize(text: &str) -> String {
    each_word_start(text, to_lower)
}

fn each_word_start(text: &str, map: fn(char) -> char) -> String {
    let mut start = true;
    text.chars()
        .map(|c| {
            if is_space(c) {
                start = true;
                c
            } else if std::mem::take(&mut start) {
                map(c)
            } else {
                c
            }
        })
        .collect()
}

/// Title case for each letter that follows no letter, digit or underscore (Go's `strings.Title`).
pub(super) fn title(text: &str) -> String {
    let mut previous = ' ';
    text.chars()
        .map(|c| {
            let separator = if previous.is_ascii() {
                !(previous.is_ascii_alphanumeric() || previous == '_')
            } else {
                !is_letter(previous) && !is_digit(previous) && is_space(previous)
            };
            previous = c;
            if separator { to_title(c) } else { c }
        })
        .collect()
}

/// Breaks lines at spaces so that they have at most `width` bytes; longer words are cut when `cut`.
pub(super) fn wrap(text: &[u8], width: i64, newline: &[u8], cut: bool) -> Vec<u8> {
    let newline = if newline.is_empty() { b"\n" } else { newline };
    let width = usize::try_from(width).unwrap_or(1).max(1);
    let mut out = Vec::with_capacity(text.len() + text.len() / 16);
    let mut rest = text;
    while rest.len() > width {
        if let [b' ', tail @ ..] = rest {
            rest = tail;
            continue;
        }
        let window = rest.get(..=width).unwrap_or(rest);
        let space = window.iter().rposition(|b| *b == b' ');
        let (line, skip) = match space {
            Some(at) => (at, 1),
            None if cut => (width, 0),
            None => match rest.get(width..).and_then(|tail| tail.iter().position(|b| *b == b' ')) {
                Some(at) => (width + at, 1),
                None => break,
            },
        };
        out.extend_from_slice(rest.get(..line).unwrap_or(rest));
        out.extend_from_slice(newline);
        rest = rest.get(line + skip..).unwrap_or(b"");
    }
    out.extend_from_slice(rest);
    out
}

fn is_connector(c: char) -> bool {
    c == '-' || c == '_' || is_space(c)
}

/// `some_words-here` → `SomeWordsHere`; leading and doubled connectors stay.
pub(super) fn pascal_case(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    let mut upper_run = false;
    let mut current = None;
    for c in chars.by_ref() {
        current = Some(c);
        if !is_connector(c) {
            upper_run = is_upper(c);
            current = Some(to_upper(c));
            break;
        }
        out.push(c);
    }
    let Some(mut current) = current else { return out };
    if chars.as_str().is_empty() {
        // The last character is written once more when it is a connector, as the library does.
        out.push(current);
        return out;
    }
    for next in chars {
        let previous = current;
        current = next;
        if is_connector(current) && is_connector(previous) {
            out.push(previous);
            continue;
        }
        if is_connector(previous) {
            upper_run = is_upper(current);
            current = to_upper(current);
        } else {
            if upper_run {
                if is_upper(current) {
                    current = to_lower(current);
                } else {
                    upper_run = false;
                }
            }
            out.push(previous);
        }
    }
    out.push(current);
    out
}

/// What a run of characters is, for [`lower_with_connector`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    End,
    Number,
    Upper,
    Alphabet,
    Connector,
    Punct,
    Other,
}

/// `HTTPServer2xx` → `http_server_2xx` with `_`, or kebab case with `-`.
pub(super) fn lower_with_connector(text: &str, connector: char) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let (mut kind, mut word, mut rest) = next_word(text);
    while !rest.is_empty() {
        if kind != Word::Connector {
            push_word(&mut out, kind, word, connector);
        }
        let (previous, last) = (kind, word);
        (kind, word, rest) = next_word(rest);
        match previous {
            Word::Number => {
                while matches!(kind, Word::Alphabet | Word::Number) {
                    push_word(&mut out, kind, word, connector);
                    (kind, word, rest) = next_word(rest);
                }
                if !matches!(kind, Word::End | Word::Punct | Word::Connector) {
                    out.push(connector);
                }
            }
            Word::Connector => push_word(&mut out, previous, last, connector),
            Word::Punct => {}
            _ if kind != Word::Number => {
                if !matches!(kind, Word::Connector | Word::Punct) {
                    out.push(connector);
                }
            }
            _ if rest.is_empty() => {}
            _ => {
                let number = word;
                (kind, word, rest) = next_word(rest);
                if kind != Word::Alphabet {
                    // The number belongs to the word before it: `Bld4Floor` → `bld4_floor`.
                    push_word(&mut out, Word::Number, number, connector);
                    if !matches!(kind, Word::Connector | Word::Punct) {
                        out.push(connector);
                    }
                    continue;
                }
                // Lower-case letters after the number join it: `HTTP2xx` → `http_2xx`.
                out.push(connector);
                push_word(&mut out, Word::Number, number, connector);
                while matches!(kind, Word::Alphabet | Word::Number) {
                    push_word(&mut out, kind, word, connector);
                    (kind, word, rest) = next_word(rest);
                }
                if !matches!(kind, Word::End | Word::Connector | Word::Punct) {
                    out.push(connector);
                }
            }
        }
    }
    push_word(&mut out, kind, word, connector);
    out
}

fn push_word(out: &mut String, kind: Word, word: &str, connector: char) {
    if !matches!(kind, Word::Upper | Word::Connector) {
        out.push_str(word);
        return;
    }
    out.extend(word.chars().map(|c| {
        if is_connector(c) {
            connector
        } else if is_upper(c) {
            to_lower(c)
        } else {
            c
        }
    }));
}

/// Letters, Chinese characters excepted.
fn is_alphabet(c: char) -> bool {
    if !is_letter(c) {
        return false;
    }
    !matches!(c, '\u{4E00}'..='\u{9FCC}' | '\u{3400}'..='\u{4D85}' | '\u{20000}'..='\u{2B81D}')
}

/// Splits off the first word.
fn next_word(text: &str) -> (Word, &str, &str) {
    let Some(first) = text.chars().next() else { return (Word::End, "", "") };
    let rest = text.get(first.len_utf8()..).unwrap_or("");
    let run = |keep: &dyn Fn(char) -> bool| first.len_utf8() + rest.find(|c| !keep(c)).unwrap_or(rest.len());
    let lower_run = |c: char| is_alphabet(c) && !is_upper(c);
    let (kind, length) = if is_connector(first) {
        (Word::Connector, run(&is_connector))
    } else if is_punct(first) {
        (Word::Punct, run(&is_punct))
    } else if is_upper(first) {
        (Word::Upper, upper_word(text, first, rest))
    } else if is_alphabet(first) {
        (Word::Alphabet, run(&lower_run))
    } else if is_number(first) {
        (Word::Number, run(&is_number))
    } else {
        (Word::Other, run(&|c| !(is_connector(c) || is_alphabet(c) || is_number(c) || is_punct(c))))
    };
    let (word, rest) = text.split_at_checked(length).unwrap_or((text, ""));
    (kind, word, rest)
}

/// Length of a word that starts with an upper-case letter: `HTTP` of `HTTPStatus`, `Status` of `StatusCode`.
fn upper_word(text: &str, first: char, rest: &str) -> usize {
    let Some(second) = rest.chars().next() else { return text.len() };
    let start = first.len_utf8();
    if is_upper(second) {
        let end = start + rest.find(|c| !is_upper(c)).unwrap_or(rest.len());
        let after = text.get(end..).and_then(|t| t.chars().next());
        let last = text.get(..end).and_then(|t| t.chars().next_back());
        return match (after, last) {
            (Some(next), Some(last)) if is_alphabet(next) => end - last.len_utf8(),
            _ => end,
        };
    }
    if is_alphabet(second) {
        return start + rest.find(|c| !is_alphabet(c) || is_upper(c)).unwrap_or(rest.len());
    }
    start
}
