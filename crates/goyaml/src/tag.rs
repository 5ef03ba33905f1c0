//! Tags: the short form (`!!str`) and the long form (`tag:yaml.org,2002:str`).

use std::borrow::Cow;

use crate::node::{Tag, tags};

const PREFIX: &str = "tag:yaml.org,2002:";

/// The tags that are kept without an allocation.
const KNOWN: [&str; 10] = [
    tags::STR,
    tags::MAP,
    tags::SEQ,
    tags::INT,
    tags::BOOL,
    tags::NULL,
    tags::FLOAT,
    tags::TIMESTAMP,
    tags::BINARY,
    tags::MERGE,
];

/// `tag:yaml.org,2002:x` as `!!x`; every other tag as it is.
pub(crate) fn short(tag: &str) -> Cow<'_, str> {
    match tag.strip_prefix(PREFIX) {
        Some(rest) => match KNOWN.iter().find(|known| &known[2..] == rest) {
            Some(known) => Cow::Borrowed(known),
            None => Cow::Owned(format!("!!{rest}")),
        },
        None => Cow::Borrowed(tag),
    }
}

/// The short form, to keep in a node.
pub(crate) fn short_owned(tag: &str) -> Tag {
    match KNOWN.iter().find(|known| **known == short(tag)) {
        Some(known) => Cow::Borrowed(known),
        None => Cow::Owned(short(tag).into_owned()),
    }
}

/// `!!x` as `tag:yaml.org,2002:x`; every other tag as it is.
pub(crate) fn long(tag: &str) -> Cow<'_, str> {
    match tag.strip_prefix("!!") {
        Some(rest) => Cow::Owned(format!("{PREFIX}{rest}")),
        None => Cow::Borrowed(tag),
    }
}
