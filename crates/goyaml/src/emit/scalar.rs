//! Scalars in their five styles.

use super::analysis::{Analysis, is_break, is_printable};
use super::writer::Writer;
use crate::scanner::token::{Flavour, ScalarStyle};

/// The style that a scalar gets where it stands.
pub(super) fn select_style(
    wanted: ScalarStyle,
    analysis: &Analysis,
    empty: bool,
    in_flow: bool,
    simple_key: bool,
) -> ScalarStyle {
    let mut style = wanted;
    if simple_key && analysis.multiline {
        style = ScalarStyle::DoubleQuoted;
    }
    if style == ScalarStyle::Plain {
        let allowed = if in_flow { analysis.flow_plain } else { analysis.block_plain };
        if !allowed || empty && (in_flow || simple_key) {
            style = ScalarStyle::SingleQuoted;
        }
    }
    match style {
        ScalarStyle::SingleQuoted if !analysis.single_quoted => ScalarStyle::DoubleQuoted,
        ScalarStyle::Literal | ScalarStyle::Folded if !analysis.block || in_flow || simple_key => {
            ScalarStyle::DoubleQuoted
        }
        style => style,
    }
}

impl Writer {
    /// Writes a plain or quoted scalar; long ones are folded when `fold` is set.
    pub(super) fn flow_scalar(&mut self, text: &str, style: ScalarStyle, fold: bool) {
        match style {
            ScalarStyle::SingleQuoted => {
                self.indicator("'");
                self.plain_text(text, fold, true);
                self.glued("'");
            }
            ScalarStyle::DoubleQuoted => self.double_quoted(text, fold),
            _ => {
                if !text.is_empty() || self.flavour == Flavour::V2 {
                    self.space();
                }
                self.plain_text(text, fold, false);
                if !text.is_empty() || self.flavour == Flavour::V2 {
                    self.whitespace = false;
                }
                self.indention = false;
            }
        }
    }

    /// Text in plain style, or in single quotes.
    fn plain_text(&mut self, text: &str, fold: bool, quoted: bool) {
        let bytes = text.as_bytes();
        let one_line = !bytes.iter().any(|byte| matches!(byte, b'\n' | b'\r' | b'\'' | 0xC2 | 0xE2));
        if one_line && (!fold || self.column + bytes.len() <= self.best_width) {
            self.put_str(text);
            if !text.is_empty() {
                self.indention = false;
            }
            return;
        }
        let (mut spaces, mut breaks) = (false, false);
        for (at, character) in text.char_indices() {
            if character == ' ' {
                let inside = !quoted || at > 0 && at + 1 < bytes.len();
                let last = bytes.get(at + 1) != Some(&b' ');
                if fold && !spaces && self.column > self.best_width && inside && last {
                    self.write_indent();
                } else {
                    self.put(' ');
                }
                spaces = true;
            } else if is_break(character) {
                if !breaks && character == '\n' {
                    self.put_break();
                }
                self.copy_break(character);
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                if quoted && character == '\'' {
                    self.put('\'');
                }
                self.put(character);
                self.indention = false;
                (spaces, breaks) = (false, false);
            }
        }
    }

    fn double_quoted(&mut self, text: &str, fold: bool) {
        self.indicator("\"");
        let bytes = text.as_bytes();
        // Go looks for a byte order mark at the start of the text at every character.
        let starts_with_bom = text.starts_with('\u{FEFF}');
        let mut spaces = false;
        for (at, character) in text.char_indices() {
            if starts_with_bom
                || !is_printable(character)
                || is_break(character)
                || matches!(character, '"' | '\\')
            {
                self.escaped(character);
                spaces = false;
            } else if character == ' ' {
                let inside = at > 0 && at + 1 < bytes.len();
                if fold && !spaces && self.column > self.best_width && inside {
                    self.write_indent();
                    if bytes.get(at + 1) == Some(&b' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(' ');
                }
                spaces = true;
            } else {
                self.put(character);
                spaces = false;
            }
        }
        self.glued("\"");
    }

    fn escaped(&mut self, character: char) {
        let short = match character {
            '\0' => '0',
            '\x07' => 'a',
            '\x08' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\x0B' => 'v',
            '\x0C' => 'f',
            '\r' => 'r',
            '\x1B' => 'e',
            '"' => '"',
            '\\' => '\\',
            '\u{85}' => 'N',
            '\u{A0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ => {
                let code = u32::from(character);
                self.put_str(&match code {
                    ..=0xFF => format!("\\x{code:02X}"),
                    0x100..=0xFFFF => format!("\\u{code:04X}"),
                    _ => format!("\\U{code:08X}"),
                });
                return;
            }
        };
        self.put('\\');
        self.put(short);
    }

    /// `|` or `>` with its hints, without the line break.
    pub(super) fn block_header(&mut self, text: &str, style: ScalarStyle) {
        self.indicator(if style == ScalarStyle::Literal { "|" } else { ">" });
        if text.starts_with(|first| first == ' ' || is_break(first)) {
            let hint = self.best_indent.to_string();
            self.glued(&hint);
        }
        let mut last = text.chars().rev();
        match last.next() {
            Some(character) if is_break(character) => {
                if last.next().is_none_or(is_break) {
                    self.glued("+");
                }
            }
            _ => self.glued("-"),
        }
    }

    /// The lines of a literal scalar, after its header and line break.
    pub(super) fn literal_lines(&mut self, text: &str) {
        self.whitespace = true;
        let mut rest = text;
        let mut breaks = true;
        while !rest.is_empty() {
            let end = rest.find(is_break).unwrap_or(rest.len());
            let (line, after) = rest.split_at(end);
            if !line.is_empty() {
                if breaks {
                    self.write_indent();
                }
                self.put_str(line);
                self.indention = false;
            }
            let mut characters = after.chars();
            if let Some(line_break) = characters.next() {
                self.copy_break(line_break);
                breaks = true;
            }
            rest = characters.as_str();
        }
    }

    /// The lines of a folded scalar, after its header and line break.
    pub(super) fn folded_lines(&mut self, text: &str) {
        self.whitespace = true;
        let bytes = text.as_bytes();
        // Go looks at the start of the whole text here, not at the line.
        let content = text.trim_start_matches(is_break);
        let content_is_blank = content.is_empty() || content.starts_with([' ', '\t', '\0']);
        let (mut breaks, mut leading_spaces) = (true, true);
        for (at, character) in text.char_indices() {
            if is_break(character) {
                if !breaks && !leading_spaces && character == '\n' && !content_is_blank {
                    self.put_break();
                }
                self.copy_break(character);
                breaks = true;
                continue;
            }
            if breaks {
                self.write_indent();
                leading_spaces = matches!(character, ' ' | '\t');
            }
            let single = character == ' ' && bytes.get(at + 1) != Some(&b' ');
            if !breaks && single && self.column > self.best_width {
                self.write_indent();
            } else {
                self.put(character);
            }
            self.indention = false;
            breaks = false;
        }
    }
}
