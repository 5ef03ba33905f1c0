//! Nodes as the yaml.v3 encoder writes them: styles, tags, anchors and comments are kept.
//!
//! Go's emitter works on events and keeps comments in fields until some later event writes them. The order
//! of those steps is visible in the output, so the same steps are taken here: [`NodeEmitter::begin`] is what
//! Go does at the first event of a node, [`NodeEmitter::finish`] what it does at the rest.

use super::analysis::{Analysis, analyze};
use super::scalar::select_style;
use super::values::SIMPLE_KEY;
use super::writer::{Place, Writer};
use crate::node::{Kind, Node, Style, tags};
use crate::scanner::token::{Flavour, ScalarStyle};
use crate::{Error, ErrorKind, Limits};

/// Comments that wait to be written.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Pending<'n> {
    pub(super) head: &'n str,
    pub(super) line: &'n str,
    pub(super) foot: &'n str,
    /// The foot of the pair before.
    pub(super) tail: &'n str,
    /// The line comment of a key.
    pub(super) key_line: &'n str,
}

impl Pending<'_> {
    pub(super) fn behind(&self) -> bool {
        !(self.line.is_empty() && self.foot.is_empty() && self.tail.is_empty())
    }
}

pub(super) struct NodeEmitter<'n> {
    pub(super) writer: Writer,
    pub(super) pending: Pending<'n>,
    /// A key that is being written; its foot comment comes after the whole pair.
    pub(super) key: Option<&'n Node>,
    depth: usize,
    documents: usize,
}

/// How the tag of a node is written.
struct Look<'n> {
    tag: Option<std::borrow::Cow<'n, str>>,
    force_quotes: bool,
}

impl<'n> NodeEmitter<'n> {
    pub(super) fn new(writer: Writer) -> Self {
        Self { writer, pending: Pending::default(), key: None, depth: 0, documents: 0 }
    }

    pub(super) fn document(&mut self, node: &'n Node) -> Result<(), Error> {
        if self.documents > 0 {
            self.writer.write_indent();
            self.writer.indicator("---");
            self.writer.write_indent();
        }
        self.documents += 1;
        let (root, foot) = match node.kind {
            Kind::Document => {
                set(&mut self.pending.head, node.head_comment());
                (node.content.first(), node.foot_comment())
            }
            _ => (Some(node), ""),
        };
        if !self.pending.head.is_empty() {
            self.head_comment();
            self.writer.put_break();
        }
        let Some(root) = root else {
            return Err(emit_error(
                "expected SCALAR, SEQUENCE-START, MAPPING-START, or ALIAS, but got document end",
            ));
        };
        self.set_comments(root, "");
        self.head_comment();
        self.node_with_comments(root, Place::default())?;
        set(&mut self.pending.foot, foot);
        self.writer.foot_indent = 0;
        self.foot_comment();
        self.writer.foot_indent = -1;
        self.writer.write_indent();
        Ok(())
    }

    /// A whole node, with its line and foot comment where Go writes them.
    pub(super) fn node_with_comments(&mut self, node: &'n Node, place: Place) -> Result<(), Error> {
        self.begin(node, place)?;
        self.line_comment();
        self.foot_comment();
        self.finish(node, place)
    }

    /// What Go does at the first event of a node: all of a scalar, anchor and tag of a collection.
    pub(super) fn begin(&mut self, node: &'n Node, place: Place) -> Result<(), Error> {
        match node.kind {
            Kind::Alias => {
                self.writer.indicator(&format!("*{}", checked_anchor(&node.value, "alias")?));
                Ok(())
            }
            Kind::Scalar => self.scalar(node, place),
            Kind::Sequence | Kind::Mapping => {
                self.anchor(node)?;
                self.tag(look(node).tag.as_deref());
                Ok(())
            }
            Kind::Document => Err(emit_error(
                "expected SCALAR, SEQUENCE-START, MAPPING-START, or ALIAS, but got document start",
            )),
        }
    }

    /// What Go does at the rest of the events of a node.
    pub(super) fn finish(&mut self, node: &'n Node, place: Place) -> Result<(), Error> {
        if !matches!(node.kind, Kind::Sequence | Kind::Mapping) {
            return Ok(());
        }
        self.depth += 1;
        if self.depth > Limits::DEPTH {
            return Err(Limits::too_deep(Limits::DEPTH));
        }
        let flow = self.writer.flow_level > 0 || node.style.has(Style::FLOW) || is_empty(node);
        match (node.kind, flow) {
            (Kind::Sequence, true) => self.flow_sequence(node, place)?,
            (Kind::Sequence, false) => self.block_sequence(node, place)?,
            (_, true) => self.flow_mapping(node, place)?,
            (_, false) => self.block_mapping(node, place)?,
        }
        self.depth -= 1;
        Ok(())
    }

    /// Takes the comments that Go gives to the first event of a node.
    pub(super) fn set_comments(&mut self, node: &'n Node, tail: &'n str) {
        if node.kind != Kind::Sequence && node.kind != Kind::Alias {
            set(&mut self.pending.tail, tail);
        }
        let Some(comments) = node.comments.as_deref() else { return };
        set(&mut self.pending.head, &comments.head);
        if !matches!(node.kind, Kind::Sequence | Kind::Mapping) {
            set(&mut self.pending.line, &comments.line);
            set(&mut self.pending.foot, &comments.foot);
        }
    }

    /// Takes the comments that Go gives to the last event of a collection.
    pub(super) fn set_end_comments(&mut self, node: &'n Node, tail: &'n str) {
        set(&mut self.pending.tail, tail);
        set(&mut self.pending.line, node.line_comment());
        if !self.key.is_some_and(|key| std::ptr::eq(key, node)) {
            set(&mut self.pending.foot, node.foot_comment());
        }
    }

    fn scalar(&mut self, node: &'n Node, place: Place) -> Result<(), Error> {
        let look = look(node);
        let analysis = analyze(Flavour::V3, &node.value);
        let wanted = match node.style {
            style if style.has(Style::DOUBLE_QUOTED) => ScalarStyle::DoubleQuoted,
            style if style.has(Style::SINGLE_QUOTED) => ScalarStyle::SingleQuoted,
            style if style.has(Style::LITERAL) => ScalarStyle::Literal,
            style if style.has(Style::FOLDED) => ScalarStyle::Folded,
            _ if node.value.contains('\n') => ScalarStyle::Literal,
            _ if look.force_quotes => ScalarStyle::DoubleQuoted,
            _ => ScalarStyle::Plain,
        };
        let in_flow = self.writer.flow_level > 0;
        let style = select_style(wanted, &analysis, node.value.is_empty(), in_flow, place.simple_key);
        self.anchor(node)?;
        self.tag(look.tag.as_deref());
        let old = self.writer.increase_indent(true, place);
        match style {
            ScalarStyle::Literal | ScalarStyle::Folded => {
                self.writer.block_header(&node.value, style);
                if self.pending.line.is_empty() {
                    self.writer.put_break();
                } else {
                    self.line_comment();
                }
                if style == ScalarStyle::Literal {
                    self.writer.literal_lines(&node.value);
                } else {
                    self.writer.folded_lines(&node.value);
                }
            }
            _ => self.writer.flow_scalar(&node.value, style, !place.simple_key),
        }
        self.writer.indent = old;
        Ok(())
    }

    fn anchor(&mut self, node: &Node) -> Result<(), Error> {
        if let Some(name) = node.anchor.as_deref().filter(|name| !name.is_empty()) {
            self.writer.indicator(&format!("&{}", checked_anchor(name, "anchor")?));
        }
        Ok(())
    }

    fn tag(&mut self, tag: Option<&str>) {
        let Some(tag) = tag else { return };
        let long = crate::tag::long(tag);
        let (handle, suffix) = if let Some(suffix) = long.strip_prefix('!') {
            ("!", suffix)
        } else if let Some(suffix) = long.strip_prefix("tag:yaml.org,2002:") {
            ("!!", suffix)
        } else {
            ("", long.as_ref())
        };
        let escaped = escape_tag(suffix);
        if handle.is_empty() {
            self.writer.indicator(&format!("!<{escaped}>"));
        } else {
            self.writer.indicator(&format!("{handle}{escaped}"));
        }
    }

    /// Whether the node can be a key without `?`.
    pub(super) fn is_simple_key(node: &Node) -> bool {
        let analysis: Option<Analysis> = (node.kind == Kind::Scalar && node.value.len() <= SIMPLE_KEY)
            .then(|| analyze(Flavour::V3, &node.value));
        let own = match node.kind {
            Kind::Alias => return node.value.len() <= SIMPLE_KEY,
            Kind::Scalar if analysis.is_none_or(|analysis| analysis.multiline) => return false,
            Kind::Scalar => node.value.len(),
            Kind::Sequence | Kind::Mapping if is_empty(node) => 0,
            _ => return false,
        };
        let anchor = node.anchor.as_deref().map_or(0, str::len);
        let tag = look(node).tag.map_or(0, |tag| match crate::tag::long(&tag) {
            long if long.starts_with("tag:yaml.org,2002:") => long.len() - "tag:yaml.org,2002:".len() + 2,
            long => long.len(),
        });
        own + anchor + tag <= SIMPLE_KEY
    }

    pub(super) fn head_comment(&mut self) {
        let tail = std::mem::take(&mut self.pending.tail);
        if !tail.is_empty() {
            self.own_lines(tail);
            self.writer.foot_indent = self.writer.indent.max(0);
        }
        let head = std::mem::take(&mut self.pending.head);
        if !head.is_empty() {
            self.own_lines(head);
        }
    }

    pub(super) fn line_comment(&mut self) {
        let line = std::mem::take(&mut self.pending.line);
        if !line.is_empty() {
            self.writer.space();
            self.comment(line);
        }
    }

    pub(super) fn foot_comment(&mut self) {
        let foot = std::mem::take(&mut self.pending.foot);
        if !foot.is_empty() {
            self.own_lines(foot);
            self.writer.foot_indent = self.writer.indent.max(0);
        }
    }

    fn own_lines(&mut self, text: &str) {
        self.writer.write_indent();
        self.comment(text);
    }

    fn comment(&mut self, text: &str) {
        let (mut breaks, mut pound) = (false, false);
        for character in text.chars() {
            if super::analysis::is_break(character) {
                self.writer.copy_break(character);
                (breaks, pound) = (true, false);
                continue;
            }
            if breaks {
                self.writer.write_indent();
            }
            if !pound && character != '#' {
                self.writer.put_str("# ");
            }
            pound = true;
            self.writer.put(character);
            self.writer.indention = false;
            breaks = false;
        }
        if !breaks {
            self.writer.put_break();
        }
        self.writer.whitespace = true;
    }
}

/// Replaces a waiting comment when there is a new one.
fn set<'n>(pending: &mut &'n str, text: &'n str) {
    if !text.is_empty() {
        *pending = text;
    }
}

/// Whether a collection is written as `[]` or `{}`.
fn is_empty(node: &Node) -> bool {
    node.content.is_empty() || node.kind == Kind::Mapping && node.content.len() == 1
}

/// The tag is left out when it was not asked for and leaving it out changes nothing.
fn look(node: &Node) -> Look<'_> {
    let tag = node.tag.as_ref();
    let shown = |force_quotes| Look { tag: None, force_quotes };
    if tag.is_empty() {
        return shown(false);
    }
    let short = crate::tag::short(tag);
    if !node.style.has(Style::TAGGED) {
        match node.kind {
            Kind::Scalar if short == tags::STR && node.style.has(Style::ANY_QUOTED) => return shown(false),
            Kind::Scalar => {
                let implied = crate::resolve::v3_tag(&node.value);
                if implied == short {
                    return shown(false);
                }
                if short == tags::STR {
                    return shown(true);
                }
            }
            Kind::Mapping if short == tags::MAP => return shown(false),
            Kind::Sequence if short == tags::SEQ => return shown(false),
            _ => {}
        }
    }
    Look { tag: Some(short), force_quotes: false }
}

fn escape_tag(suffix: &str) -> String {
    let mut out = String::with_capacity(suffix.len());
    for byte in suffix.bytes() {
        if byte.is_ascii_alphanumeric() || b"-;/?:@&=+$,_.~*'()[]".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The name of an anchor, if YAML allows it.
fn checked_anchor<'s>(name: &'s str, what: &str) -> Result<&'s str, Error> {
    if name.is_empty() {
        return Err(emit_error(&format!("{what} value must not be empty")));
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
        return Err(emit_error(&format!("{what} value must contain alphanumerical characters only")));
    }
    Ok(name)
}

fn emit_error(problem: &str) -> Error {
    Error::new(ErrorKind::Emit, format!("yaml: {problem}"))
}
