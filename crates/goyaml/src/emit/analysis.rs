//! What styles a scalar may be written in.

use crate::scanner::token::Flavour;

/// The styles in which a text can be written so that it reads back the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Analysis {
    pub(super) multiline: bool,
    pub(super) flow_plain: bool,
    pub(super) block_plain: bool,
    pub(super) single_quoted: bool,
    pub(super) block: bool,
}

/// Whether the character is a line break of YAML 1.1.
pub(super) fn is_break(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether the character may stand in the output as it is.
pub(super) fn is_printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{A0}'..='\u{FEFE}' | '\u{FF00}'..='\u{FFFD}')
}

fn is_blank_byte(byte: Option<&u8>) -> bool {
    matches!(byte, None | Some(b' ' | b'\t'))
}

/// What was seen of the text.
#[derive(Default)]
struct Seen {
    block_indicators: bool,
    flow_indicators: bool,
    line_breaks: bool,
    special: bool,
    tabs: bool,
    leading_space: bool,
    leading_break: bool,
    trailing_space: bool,
    trailing_break: bool,
    /// A space behind a break.
    break_space: bool,
    /// A break behind a space.
    space_break: bool,
}

pub(super) fn analyze(flavour: Flavour, text: &str) -> Analysis {
    if text.is_empty() {
        return Analysis {
            multiline: false,
            flow_plain: false,
            block_plain: true,
            single_quoted: true,
            block: false,
        };
    }
    let seen = look(flavour, text);
    let edges = seen.leading_space || seen.leading_break || seen.trailing_space || seen.trailing_break;
    let unquotable = seen.space_break || seen.tabs || seen.special || seen.break_space;
    let plain = !edges && !unquotable && !seen.line_breaks;
    Analysis {
        multiline: seen.line_breaks,
        flow_plain: plain && !seen.flow_indicators,
        block_plain: plain && !seen.block_indicators,
        single_quoted: !unquotable,
        block: !(seen.trailing_space || seen.space_break || seen.special),
    }
}

fn look(flavour: Flavour, text: &str) -> Seen {
    let bytes = text.as_bytes();
    let mut seen = Seen::default();
    if text.starts_with("---") || text.starts_with("...") {
        seen.block_indicators = true;
        seen.flow_indicators = true;
    }
    let (mut after_blank, mut previous_space, mut previous_break) = (true, false, false);
    for (at, character) in text.char_indices() {
        if character.is_ascii_alphanumeric() {
            (after_blank, previous_space, previous_break) = (false, false, false);
            continue;
        }
        let next = at + character.len_utf8();
        look_for_indicator(&mut seen, character, at == 0, after_blank, is_blank_byte(bytes.get(next)));
        if character == '\t' && flavour == Flavour::V3 {
            seen.tabs = true;
        } else if !is_printable(character) {
            seen.special = true;
        }
        let space = character == ' ';
        let line_break = is_break(character);
        if space {
            seen.leading_space |= at == 0;
            seen.trailing_space |= next == bytes.len();
            seen.break_space |= previous_break;
        } else if line_break {
            seen.line_breaks = true;
            seen.leading_break |= at == 0;
            seen.trailing_break |= next == bytes.len();
            seen.space_break |= previous_space;
        }
        previous_space = space;
        previous_break = line_break;
        after_blank = space || line_break || character == '\t' || character == '\0';
    }
    seen
}

fn look_for_indicator(seen: &mut Seen, character: char, first: bool, after_blank: bool, before_blank: bool) {
    let (flow, block) = match character {
        '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`'
            if first =>
        {
            (true, true)
        }
        '?' if first => (true, before_blank),
        '-' if first => (before_blank, before_blank),
        ',' | '?' | '[' | ']' | '{' | '}' => (true, false),
        ':' => (true, before_blank),
        '#' if after_blank => (true, true),
        _ => return,
    };
    seen.flow_indicators |= flow;
    seen.block_indicators |= block;
}
