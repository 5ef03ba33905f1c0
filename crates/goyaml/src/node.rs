//! The tree of a document as yaml.v3 has it: styles, comments, anchors and order are kept.
//!
//! Knows nothing of reading or writing text.

mod mapping;

use std::borrow::Cow;
use std::ops::{BitOr, BitOrAssign};

/// What a [`Node`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Kind {
    /// A document; `content` holds its one root node (or none).
    Document,
    /// A mapping; `content` holds key, value, key, value, …
    Mapping,
    /// A sequence; `content` holds its items.
    Sequence,
    /// A scalar; `value` holds its text, unescaped and unquoted.
    #[default]
    Scalar,
    /// An alias; `value` holds the name of the anchor.
    Alias,
}

/// How a node is written: a set of flags, as `yaml.Style` in yaml.v3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Style(u8);

impl Style {
    /// No wish: block collections, plain scalars where possible.
    pub const DEFAULT: Self = Self(0);
    /// The tag is written out.
    pub const TAGGED: Self = Self(1);
    /// `"…"`
    pub const DOUBLE_QUOTED: Self = Self(2);
    /// `'…'`
    pub const SINGLE_QUOTED: Self = Self(4);
    /// `|`
    pub const LITERAL: Self = Self(8);
    /// `>`
    pub const FOLDED: Self = Self(16);
    /// `[…]` or `{…}`
    pub const FLOW: Self = Self(32);
    /// Any of the four styles that make a scalar a string whatever it looks like.
    pub const ANY_QUOTED: Self = Self(2 | 4 | 8 | 16);

    /// The flags as the number that Go's `yaml.Style` has.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// Whether any flag of `other` is set.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The set without the flags of `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl BitOr for Style {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Style {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// The comments of one node, each with its `#` and without a final line break.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Comments {
    /// On the lines before the node.
    pub head: String,
    /// At the end of the node's line.
    pub line: String,
    /// On the lines after the node, before an empty line.
    pub foot: String,
}

/// A tag in short form (`!!str`, `!custom`); borrowed for the tags of YAML itself.
pub type Tag = Cow<'static, str>;

/// One node of a document.
///
/// `Default` is an empty plain scalar without a tag, which is written as nothing (a null).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Node {
    /// What the node is.
    pub kind: Kind,
    /// How it is written.
    pub style: Style,
    /// The tag in short form. The parser always sets it (resolved when the text has none), as yaml.v3
    /// does; empty means: to be implied from the value. It is written only with [`Style::TAGGED`] or
    /// where leaving it out would change the type of the value.
    pub tag: Tag,
    /// The text of a scalar, or the name of the anchor of an alias.
    pub value: String,
    /// The anchor by which aliases call this node.
    pub anchor: Option<Box<str>>,
    /// The children; see [`Kind`].
    pub content: Vec<Node>,
    /// The comments; `None` when there are none. See [`Node::head_comment`] and its sisters.
    pub comments: Option<Box<Comments>>,
    /// Line in the text that was parsed, from 1; 0 for a node made by hand.
    pub line: u32,
    /// Column in characters, from 1; 0 for a node made by hand.
    pub column: u32,
}

/// The tags of YAML's own types, in short form.
pub mod tags {
    /// `!!null`
    pub const NULL: &str = "!!null";
    /// `!!bool`
    pub const BOOL: &str = "!!bool";
    /// `!!str`
    pub const STR: &str = "!!str";
    /// `!!int`
    pub const INT: &str = "!!int";
    /// `!!float`
    pub const FLOAT: &str = "!!float";
    /// `!!timestamp`
    pub const TIMESTAMP: &str = "!!timestamp";
    /// `!!seq`
    pub const SEQ: &str = "!!seq";
    /// `!!map`
    pub const MAP: &str = "!!map";
    /// `!!binary`
    pub const BINARY: &str = "!!binary";
    /// `!!merge`, the tag of a plain `<<` key
    pub const MERGE: &str = "!!merge";
}

impl Node {
    /// A plain scalar whose type is implied by its text (`NewScalarRNode` of kyaml).
    pub fn scalar(value: impl Into<String>) -> Self {
        Self { value: value.into(), ..Self::default() }
    }

    /// A string: tagged `!!str`, so that it is quoted where its text would mean another type.
    pub fn string(value: impl Into<String>) -> Self {
        Self { value: value.into(), tag: Cow::Borrowed(tags::STR), ..Self::default() }
    }

    /// A null, written `null`.
    pub fn null() -> Self {
        Self { value: "null".to_owned(), tag: Cow::Borrowed(tags::NULL), ..Self::default() }
    }

    /// A mapping of the given pairs, tagged `!!map`.
    pub fn mapping(pairs: impl IntoIterator<Item = (Node, Node)>) -> Self {
        let content = pairs.into_iter().flat_map(|(key, value)| [key, value]).collect();
        Self { kind: Kind::Mapping, tag: Cow::Borrowed(tags::MAP), content, ..Self::default() }
    }

    /// A sequence of the given items, tagged `!!seq`.
    pub fn sequence(items: impl IntoIterator<Item = Node>) -> Self {
        let content = items.into_iter().collect();
        Self { kind: Kind::Sequence, tag: Cow::Borrowed(tags::SEQ), content, ..Self::default() }
    }

    /// A document around `root`.
    pub fn document(root: Node) -> Self {
        Self { kind: Kind::Document, content: vec![root], ..Self::default() }
    }

    /// The root of a document, or the node itself.
    pub fn root(&self) -> &Node {
        match self.kind {
            Kind::Document => self.content.first().unwrap_or(self),
            _ => self,
        }
    }

    /// The root of a document by value, or the node itself.
    #[must_use]
    pub fn into_root(mut self) -> Node {
        match self.kind {
            Kind::Document => self.content.pop().unwrap_or_default(),
            _ => self,
        }
    }

    /// The resolved tag in short form, as `Node.ShortTag` of yaml.v3: the explicit tag, or the one that
    /// kind, style and value imply. Empty for a document, and for an alias (whose target is not at hand).
    pub fn short_tag(&self) -> Cow<'_, str> {
        if self.is_indicated_string() {
            return Cow::Borrowed(tags::STR);
        }
        if !self.tag.is_empty() && self.tag != "!" {
            return crate::tag::short(&self.tag);
        }
        Cow::Borrowed(match self.kind {
            Kind::Mapping => tags::MAP,
            Kind::Sequence => tags::SEQ,
            Kind::Scalar => crate::resolve::v3_tag(&self.value),
            Kind::Document | Kind::Alias => "",
        })
    }

    /// Whether tag or quotes say that this scalar is a string.
    pub fn is_indicated_string(&self) -> bool {
        self.kind == Kind::Scalar
            && (crate::tag::short(&self.tag) == tags::STR
                || (self.tag.is_empty() || self.tag == "!") && self.style.has(Style::ANY_QUOTED))
    }

    /// Whether the node is a null scalar.
    pub fn is_null(&self) -> bool {
        self.kind == Kind::Scalar && self.short_tag() == tags::NULL
    }

    /// Whether the node is a string scalar.
    pub fn is_string(&self) -> bool {
        self.kind == Kind::Scalar && self.short_tag() == tags::STR
    }

    /// The comment before the node, or `""`.
    pub fn head_comment(&self) -> &str {
        self.comments.as_ref().map_or("", |comments| &comments.head)
    }

    /// The comment at the end of the node's line, or `""`.
    pub fn line_comment(&self) -> &str {
        self.comments.as_ref().map_or("", |comments| &comments.line)
    }

    /// The comment after the node, or `""`.
    pub fn foot_comment(&self) -> &str {
        self.comments.as_ref().map_or("", |comments| &comments.foot)
    }

    /// Sets or (with an empty text) removes the comment before the node.
    pub fn set_head_comment(&mut self, text: impl Into<String>) {
        self.set_comment(text.into(), |comments| &mut comments.head);
    }

    /// Sets or (with an empty text) removes the comment at the end of the node's line.
    pub fn set_line_comment(&mut self, text: impl Into<String>) {
        self.set_comment(text.into(), |comments| &mut comments.line);
    }

    /// Sets or (with an empty text) removes the comment after the node.
    pub fn set_foot_comment(&mut self, text: impl Into<String>) {
        self.set_comment(text.into(), |comments| &mut comments.foot);
    }

    fn set_comment(&mut self, text: String, field: impl Fn(&mut Comments) -> &mut String) {
        if text.is_empty() && self.comments.is_none() {
            return;
        }
        let comments = self.comments.get_or_insert_default();
        *field(comments) = text;
        if **comments == Comments::default() {
            self.comments = None;
        }
    }
}
