//! The events that the parser makes of tokens.

use std::borrow::Cow;

use crate::node::Comments;
use crate::scanner::token::{Mark, ScalarStyle};

/// Anchor and tag in front of a node. The tag is as in the text with its handle expanded.
#[derive(Debug, Default)]
pub(crate) struct Properties<'a> {
    pub(crate) anchor: Option<&'a str>,
    pub(crate) tag: Cow<'a, str>,
}

#[derive(Debug)]
pub(crate) enum EventKind<'a> {
    StreamStart,
    StreamEnd,
    DocumentStart,
    DocumentEnd,
    Alias(&'a str),
    Scalar {
        properties: Properties<'a>,
        value: Cow<'a, str>,
        style: ScalarStyle,
        /// Whether the type follows from the text of the scalar.
        implicit: bool,
    },
    SequenceStart {
        properties: Properties<'a>,
        flow: bool,
    },
    SequenceEnd,
    MappingStart {
        properties: Properties<'a>,
        flow: bool,
    },
    MappingEnd,
}

#[derive(Debug)]
pub(crate) struct Event<'a> {
    pub(crate) kind: EventKind<'a>,
    pub(crate) start: Mark,
    pub(crate) comments: Option<Box<Comments>>,
}
