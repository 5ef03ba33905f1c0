//! Events to the node tree of yaml.v3, comments included.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::input::Input;
use crate::node::{Comments, Kind, Node, Style, Tag, tags};
use crate::parser::Parser;
use crate::parser::event::{Event, EventKind, Properties};
use crate::scanner::token::{Failure, Flavour, Mark, ScalarStyle, Stage, SyntaxError};
use crate::{Error, ErrorKind, Limits};

/// Parses up to `documents` documents.
pub(crate) fn compose(bytes: &[u8], limits: &Limits, documents: usize) -> Result<Vec<Node>, Error> {
    check_bytes(bytes, limits)?;
    let input = Input::new(bytes);
    let parser = Parser::new(&input.text, input.problem, Flavour::V3, limits.depth);
    let mut composer = Composer {
        parser,
        limits,
        nodes: 0,
        anchors: HashSet::new(),
        open: Vec::new(),
        children: Vec::new(),
    };
    composer.documents(documents).map_err(|failure| failure.into_error(Flavour::V3))
}

/// Refuses a text that is too long.
pub(crate) fn check_bytes(bytes: &[u8], limits: &Limits) -> Result<(), Error> {
    if bytes.len() > limits.bytes {
        let message =
            format!("yaml: text of {} bytes is longer than the limit of {}", bytes.len(), limits.bytes);
        return Err(Error::new(ErrorKind::Limit, message));
    }
    Ok(())
}

/// The error of a passed limit at a place.
pub(crate) fn limit_error(problem: String, mark: Mark) -> Failure {
    Box::new(SyntaxError {
        problem: Cow::Owned(problem),
        context: None,
        place: Some(mark),
        stage: Stage::Limit,
    })
}

/// The error of an alias without an anchor; Go gives no line.
pub(crate) fn unknown_anchor(name: &str, mark: Mark) -> Failure {
    let problem = Cow::Owned(format!("unknown anchor '{name}' referenced"));
    Box::new(SyntaxError { problem, context: None, place: Some(mark), stage: Stage::Reference })
}

struct Composer<'a> {
    parser: Parser<'a>,
    limits: &'a Limits,
    nodes: usize,
    /// The anchors so far, of all documents: yaml.v3 keeps them for the whole stream.
    anchors: HashSet<&'a str>,
    /// The collections (and the document) that are open, outermost first, with where their children start in
    /// `children`.
    open: Vec<(Node, usize)>,
    /// The children of all open collections; a collection takes its own, in one piece, when it closes.
    children: Vec<Node>,
}

impl<'a> Composer<'a> {
    fn documents(&mut self, most: usize) -> Result<Vec<Node>, Failure> {
        let mut documents = Vec::new();
        while documents.len() < most {
            let event = self.parser.next()?;
            match event.kind {
                EventKind::StreamStart => {}
                EventKind::StreamEnd => break,
                _ => {
                    if documents.len() >= self.limits.documents {
                        let problem = format!("more than {} documents", self.limits.documents);
                        return Err(limit_error(problem, event.start));
                    }
                    documents.push(self.document(event)?);
                }
            }
        }
        Ok(documents)
    }

    /// The rest of a document, from its start event on.
    fn document(&mut self, start: Event<'a>) -> Result<Node, Failure> {
        let mut event = start;
        loop {
            let Event { kind, start, comments } = event;
            let mut node =
                Node { line: start.line + 1, column: start.column + 1, comments, ..Node::default() };
            self.count(start)?;
            match kind {
                EventKind::DocumentStart => {
                    node.kind = Kind::Document;
                    self.open(node, start)?;
                }
                EventKind::SequenceStart { properties, flow } => {
                    node.kind = Kind::Sequence;
                    self.open_collection(node, properties, flow, start)?;
                }
                EventKind::MappingStart { properties, flow } => {
                    node.kind = Kind::Mapping;
                    self.open_collection(node, properties, flow, start)?;
                }
                EventKind::Scalar { properties, value, style, .. } => {
                    self.fill_scalar(&mut node, properties, value, style);
                    self.attach(node);
                }
                EventKind::Alias(name) => {
                    if !self.anchors.contains(name) {
                        return Err(unknown_anchor(name, start));
                    }
                    node.kind = Kind::Alias;
                    node.value = name.to_owned();
                    self.attach(node);
                }
                EventKind::SequenceEnd | EventKind::MappingEnd => {
                    let mut collection = self.close();
                    set_end_comments(&mut collection, node.comments);
                    self.attach(collection);
                }
                EventKind::DocumentEnd => {
                    let mut document = self.close();
                    let foot = node.comments.map(|comments| comments.foot).unwrap_or_default();
                    document.set_foot_comment(foot);
                    return Ok(document);
                }
                EventKind::StreamStart | EventKind::StreamEnd => {}
            }
            event = self.parser.next()?;
        }
    }

    fn count(&mut self, mark: Mark) -> Result<(), Failure> {
        self.nodes += 1;
        // Each collection is counted at both ends.
        if self.nodes > self.limits.nodes.saturating_mul(2) {
            return Err(limit_error(format!("more than {} nodes", self.limits.nodes), mark));
        }
        Ok(())
    }

    fn open(&mut self, node: Node, mark: Mark) -> Result<(), Failure> {
        if self.open.len() > self.limits.depth {
            return Err(limit_error(format!("exceeded max depth of {}", self.limits.depth), mark));
        }
        self.open.push((node, self.children.len()));
        Ok(())
    }

    /// The innermost open node with its children.
    fn close(&mut self) -> Node {
        let Some((mut node, start)) = self.open.pop() else { return Node::default() };
        node.content = self.children.split_off(start.min(self.children.len()));
        node
    }

    fn open_collection(
        &mut self,
        mut node: Node,
        properties: Properties<'a>,
        flow: bool,
        mark: Mark,
    ) -> Result<(), Failure> {
        if flow {
            node.style |= Style::FLOW;
        }
        match explicit_tag(&properties.tag) {
            Some(tag) => {
                node.tag = tag;
                node.style |= Style::TAGGED;
            }
            None => node.tag = Cow::Borrowed(if node.kind == Kind::Mapping { tags::MAP } else { tags::SEQ }),
        }
        self.set_anchor(&mut node, properties.anchor);
        self.open(node, mark)
    }

    fn fill_scalar(
        &mut self,
        node: &mut Node,
        properties: Properties<'a>,
        value: Cow<'a, str>,
        style: ScalarStyle,
    ) {
        node.style = match style {
            ScalarStyle::Plain => Style::DEFAULT,
            ScalarStyle::DoubleQuoted => Style::DOUBLE_QUOTED,
            ScalarStyle::SingleQuoted => Style::SINGLE_QUOTED,
            ScalarStyle::Literal => Style::LITERAL,
            ScalarStyle::Folded => Style::FOLDED,
        };
        match explicit_tag(&properties.tag) {
            Some(tag) => {
                node.tag = tag;
                node.style |= Style::TAGGED;
            }
            None => {
                node.tag = Cow::Borrowed(match style {
                    ScalarStyle::Plain if value == "<<" => tags::MERGE,
                    ScalarStyle::Plain => crate::resolve::v3_tag(&value),
                    _ => tags::STR,
                });
            }
        }
        node.value = value.into_owned();
        self.set_anchor(node, properties.anchor);
    }

    fn set_anchor(&mut self, node: &mut Node, anchor: Option<&'a str>) {
        if let Some(name) = anchor {
            node.anchor = Some(name.into());
            self.anchors.insert(name);
        }
    }

    /// Gives a complete node to the collection around it, and moves foot comments to where they belong: to
    /// the key of the pair that they follow.
    fn attach(&mut self, mut node: Node) {
        if let Some((parent, start)) = self.open.last()
            && parent.kind == Kind::Mapping
            && !node.foot_comment().is_empty()
        {
            let siblings = self.children.get_mut(*start..).unwrap_or_default();
            let length = siblings.len();
            let is_key = length.is_multiple_of(2);
            let target = match is_key {
                true if parent.style.has(Style::FLOW) => None,
                true => length.checked_sub(2),
                false => length.checked_sub(1),
            };
            if let Some(key) = target.and_then(|at| siblings.get_mut(at))
                && (is_key || key.foot_comment().is_empty())
            {
                key.set_foot_comment(node.foot_comment());
                node.set_foot_comment("");
            }
        }
        self.children.push(node);
    }
}

/// At the end of a collection: line and foot comment come from the end, not the start.
fn set_end_comments(collection: &mut Node, end: Option<Box<Comments>>) {
    let end = end.map(|comments| *comments).unwrap_or_default();
    collection.set_line_comment(end.line);
    collection.set_foot_comment("");
    let length = collection.content.len();
    if collection.kind == Kind::Mapping
        && !collection.style.has(Style::FLOW)
        && length > 1
        && !end.foot.is_empty()
    {
        if let Some(key) = collection.content.get_mut(length - 2) {
            key.set_foot_comment(end.foot);
        }
    } else {
        collection.set_foot_comment(end.foot);
    }
}

fn explicit_tag(tag: &str) -> Option<Tag> {
    (!tag.is_empty() && tag != "!").then(|| crate::tag::short_owned(tag))
}
