//! The tokens that the scanner makes, and where they stand.

use std::borrow::Cow;

/// A place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Mark {
    /// Offset in bytes.
    pub(crate) index: usize,
    /// Line, from 0.
    pub(crate) line: u32,
    /// Column in characters, from 0.
    pub(crate) column: u32,
}

/// How a scalar is written in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScalarStyle {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
    Folded,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TokenKind<'a> {
    StreamStart,
    StreamEnd,
    VersionDirective { major: u8, minor: u8 },
    TagDirective { handle: &'a str, prefix: Cow<'a, str> },
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(&'a str),
    Anchor(&'a str),
    Tag { handle: &'a str, suffix: Cow<'a, str> },
    Scalar { value: Cow<'a, str>, style: ScalarStyle },
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: TokenKind<'a>,
    pub(crate) start: Mark,
    pub(crate) end: Mark,
}

/// The two libraries differ in look-ahead, comments and wording of positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    V2,
    V3,
}

/// An error of scanner or parser with the marks from which the two flavours make their message.
#[derive(Debug)]
pub(crate) struct SyntaxError {
    pub(crate) problem: Cow<'static, str>,
    pub(crate) context: Option<Mark>,
    pub(crate) place: Option<Mark>,
    pub(crate) stage: Stage,
}

/// Which stage found the error; Go counts lines differently for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Reader,
    Scanner,
    Parser,
    /// An alias without its anchor; Go gives no line.
    Reference,
    Limit,
}

/// Boxed, so that results stay small on the way that has no error.
pub(crate) type Failure = Box<SyntaxError>;

impl SyntaxError {
    /// The public error with the message that the flavour prints.
    pub(crate) fn into_error(self, flavour: Flavour) -> crate::Error {
        let line = |mark: Option<Mark>| mark.map_or(0, |mark| mark.line);
        let scanner = u32::from(self.stage == Stage::Scanner || self.stage == Stage::Limit);
        let (context, place) = (line(self.context), line(self.place));
        let number = match flavour {
            _ if self.stage == Stage::Reference => 0,
            Flavour::V3 if context != 0 => context + scanner,
            _ if place != 0 => place + scanner,
            Flavour::V2 => context,
            Flavour::V3 => 0,
        };
        let message = match number {
            0 => format!("yaml: {}", self.problem),
            _ => format!("yaml: line {number}: {}", self.problem),
        };
        let kind = match self.stage {
            Stage::Limit => crate::ErrorKind::Limit,
            _ => crate::ErrorKind::Syntax,
        };
        let error = crate::Error::new(kind, message);
        match self.place {
            Some(place) => error.at(place.line + 1, place.column + 1),
            None => error,
        }
    }
}
