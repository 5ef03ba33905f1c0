//! The bytes of a stream as text: encoding, byte order mark, characters that YAML refuses.
//!
//! Go's reader checks characters block by block while it scans, so an error of syntax in front of a bad
//! character is reported first when the two are far apart. [`Input::problem`] keeps that order: the text
//! ends where the block with the first bad character starts, and reaching that end is the problem.

use std::borrow::Cow;

/// The size of the blocks in which Go's reader takes its input.
const BLOCK: usize = 512;

const INCOMPLETE: &str = "incomplete UTF-8 octet sequence";

/// Text that is safe to scan.
pub(crate) struct Input<'a> {
    /// Characters that YAML allows, without the byte order mark.
    pub(crate) text: Cow<'a, str>,
    /// What is wrong with the character after the end of `text`, in Go's words.
    pub(crate) problem: Option<&'static str>,
}

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        match bytes {
            [0xFF, 0xFE, rest @ ..] => Self::from_utf16(rest, u16::from_le_bytes),
            [0xFE, 0xFF, rest @ ..] => Self::from_utf16(rest, u16::from_be_bytes),
            [0xEF, 0xBB, 0xBF, rest @ ..] => Self::from_utf8(rest, BLOCK - 3),
            _ => Self::from_utf8(bytes, BLOCK),
        }
    }

    fn from_utf8(bytes: &'a [u8], first_block: usize) -> Self {
        let (text, utf8_problem) = match std::str::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(error) => {
                let (valid, rest) = bytes.split_at(error.valid_up_to());
                (std::str::from_utf8(valid).unwrap_or_default(), Some(utf8_problem(rest)))
            }
        };
        let (at, problem) = match (first_control(text), utf8_problem) {
            (Some(at), _) => (at, "control characters are not allowed"),
            // Go notices only when it wants more than there is.
            (None, Some(problem @ INCOMPLETE)) => {
                return Self { text: Cow::Borrowed(text), problem: Some(problem) };
            }
            (None, Some(problem)) => (text.len(), problem),
            (None, None) => return Self { text: Cow::Borrowed(text), problem: None },
        };
        let end = block_start(bytes, at, first_block);
        Self { text: Cow::Borrowed(text.get(..end).unwrap_or_default()), problem: Some(problem) }
    }

    fn from_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Self {
        let (pairs, odd) = bytes.as_chunks::<2>();
        let mut text = String::with_capacity(bytes.len());
        let mut problem = (!odd.is_empty()).then_some("incomplete UTF-16 character");
        // The byte order mark counts as well. A surrogate pair that a block cuts is not looked at.
        let mut read = 2;
        let mut block = 0;
        for decoded in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
            if read / BLOCK != (read - 2) / BLOCK {
                block = text.len();
            }
            let found = match decoded {
                Ok(character) if is_allowed(character) => {
                    text.push(character);
                    read += 2 * character.len_utf16();
                    continue;
                }
                Ok(_) => "control characters are not allowed",
                Err(error) if (0xDC00..=0xDFFF).contains(&error.unpaired_surrogate()) => {
                    "unexpected low surrogate area"
                }
                Err(_) if read + 4 > bytes.len() + 2 => {
                    problem = Some("incomplete UTF-16 surrogate pair");
                    break;
                }
                Err(_) => "expected low surrogate area",
            };
            problem = Some(found);
            text.truncate(block);
            break;
        }
        Self { text: Cow::Owned(text), problem }
    }
}

/// Where the block that holds the bad character at `bad` starts.
fn block_start(bytes: &[u8], bad: usize, first_block: usize) -> usize {
    let mut start = 0;
    let mut end = first_block;
    loop {
        if end >= bytes.len() {
            return start;
        }
        // A character that the block cuts is decoded with the next block.
        let mut whole = end;
        while whole > start + 1 && bytes.get(whole).is_some_and(|byte| byte & 0xC0 == 0x80) {
            whole -= 1;
        }
        if bad < whole {
            return start;
        }
        start = whole;
        end = start + BLOCK;
    }
}

fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{A0}'..='\u{FFFD}' | '\u{10000}'..)
}

/// The offset of the first character that YAML does not allow.
fn first_control(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(found) = bytes[from..].iter().position(|byte| SUSPECT[*byte as usize]) {
        let at = from + found;
        if text.get(at..).and_then(|rest| rest.chars().next()).is_some_and(|character| !is_allowed(character))
        {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// Bytes with which a forbidden character may start.
const SUSPECT: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 32 {
        table[byte] = byte != 9 && byte != 10 && byte != 13;
        byte += 1;
    }
    table[0x7F] = true;
    table[0xC2] = true;
    table[0xEF] = true;
    table
};

/// Go's words about the bytes at the start of `rest`, which are not UTF-8.
fn utf8_problem(rest: &[u8]) -> &'static str {
    let lead = rest.first().copied().unwrap_or_default();
    let (width, bits) = match lead {
        0x00..=0x7F => (1, lead),
        0xC0..=0xDF => (2, lead & 0x1F),
        0xE0..=0xEF => (3, lead & 0x0F),
        0xF0..=0xF7 => (4, lead & 0x07),
        _ => return "invalid leading UTF-8 octet",
    };
    if rest.len() < width {
        return INCOMPLETE;
    }
    let mut value = u32::from(bits);
    for octet in &rest[1..width] {
        if octet & 0xC0 != 0x80 {
            return "invalid trailing UTF-8 octet";
        }
        value = value << 6 | u32::from(octet & 0x3F);
    }
    match (width, value) {
        (2, ..0x80) | (3, ..0x800) | (4, ..0x10000) => "invalid length of a UTF-8 sequence",
        _ => "invalid Unicode character",
    }
}
