//! The output with its column and indentation.

use crate::scanner::token::Flavour;

/// Lines of v2 are folded behind this column where a scalar has a space.
const V2_WIDTH: usize = 80;

/// Text that is being written, and what Go's emitter remembers of it.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) out: String,
    pub(super) flavour: Flavour,
    pub(super) best_indent: i32,
    pub(super) best_width: usize,
    pub(super) compact_sequences: bool,
    /// The current indentation; -1 before the first collection.
    pub(super) indent: i32,
    pub(super) column: usize,
    /// Whether the last character was white space (or nothing was written yet).
    pub(super) whitespace: bool,
    /// Whether the line has only indentation and indicators so far.
    pub(super) indention: bool,
    pub(super) flow_level: usize,
    /// The indentation at which a foot comment was just written; an empty line separates it from what
    /// follows at the same indentation.
    pub(super) foot_indent: i32,
}

/// Where a node stands.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    /// Key or value of a mapping.
    pub(super) mapping: bool,
    /// Key of a mapping, without `?`.
    pub(super) simple_key: bool,
    /// Item of a block sequence.
    pub(super) block_item: bool,
}

impl Writer {
    pub(super) fn new(flavour: Flavour, best_indent: usize, compact_sequences: bool) -> Self {
        Self {
            out: String::new(),
            flavour,
            best_indent: i32::try_from(best_indent)
                .ok()
                .filter(|indent| (2..=9).contains(indent))
                .unwrap_or(2),
            best_width: if flavour == Flavour::V2 { V2_WIDTH } else { usize::MAX },
            compact_sequences,
            indent: -1,
            column: 0,
            whitespace: true,
            indention: true,
            flow_level: 0,
            foot_indent: -1,
        }
    }

    /// One character that is no line break.
    pub(super) fn put(&mut self, character: char) {
        self.out.push(character);
        self.column += 1;
    }

    pub(super) fn put_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
        self.indention = true;
    }

    /// Text without line breaks.
    pub(super) fn put_str(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += if text.is_ascii() { text.len() } else { text.chars().count() };
    }

    /// A line break of a value as it is.
    pub(super) fn copy_break(&mut self, line_break: char) {
        self.out.push(line_break);
        self.column = 0;
        self.indention = true;
    }

    /// Goes to the current indentation, on a new line when this line has content.
    pub(super) fn write_indent(&mut self) {
        let indent = usize::try_from(self.indent).unwrap_or(0);
        if !self.indention || self.column > indent || self.column == indent && !self.whitespace {
            self.put_break();
        }
        if usize::try_from(self.foot_indent) == Ok(indent) {
            self.put_break();
        }
        while self.column < indent {
            self.put(' ');
        }
        self.whitespace = true;
        self.foot_indent = -1;
    }

    /// An indicator, separated from what stands before it.
    pub(super) fn indicator(&mut self, text: &str) {
        self.space();
        self.glued(text);
    }

    /// An indicator that follows without a space.
    pub(super) fn glued(&mut self, text: &str) {
        self.put_str(text);
        self.whitespace = false;
        self.indention = false;
    }

    /// `[` or `{`, after which no space is needed.
    pub(super) fn opening(&mut self, text: &str) {
        self.indicator(text);
        self.whitespace = true;
    }

    /// `-` or `?` or `:` at the start of a line, which counts as indentation.
    pub(super) fn block_indicator(&mut self, text: &str) {
        let indention = self.indention;
        self.indicator(text);
        self.indention = indention;
    }

    /// A space unless there is one.
    pub(super) fn space(&mut self) {
        if !self.whitespace {
            self.put(' ');
        }
    }

    /// Deepens the indentation for what stands at `place`, and gives the one to go back to.
    pub(super) fn increase_indent(&mut self, flow: bool, place: Place) -> i32 {
        let old = self.indent;
        self.indent = match (old, self.flavour) {
            (..0, _) if flow => self.best_indent,
            (..0, _) => 0,
            (_, Flavour::V2) => old + self.best_indent,
            // Only the "- " is skipped inside a sequence.
            _ if place.block_item => old + 2,
            _ => self.best_indent * ((old + self.best_indent) / self.best_indent),
        };
        old
    }

    /// As [`increase_indent`](Self::increase_indent), for a block sequence.
    pub(super) fn increase_sequence_indent(&mut self, place: Place) -> i32 {
        let old = self.indent;
        match self.flavour {
            Flavour::V2 if place.mapping && !self.indention => {}
            Flavour::V2 => {
                self.increase_indent(false, place);
            }
            Flavour::V3 => {
                let compact =
                    self.compact_sequences && place.mapping && (self.column == 0 || !self.indention);
                self.increase_indent(false, place);
                if compact && old >= 0 && !place.block_item {
                    self.indent -= 2;
                }
            }
        }
        old
    }
}
