//! Nodes to values: aliases, merge keys, duplicate keys, and the way from Go values to JSON values.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Number, Value};

use super::key::{GENERAL_MAP, Key, go_value};
use super::tree::{Id, Shape, Tree, TreeNode};
use super::{DecodeOptions, number_value};
use crate::node::tags;
use crate::resolve::{Resolved, resolve, resolve_tagged};
use crate::scanner::token::Flavour;
use crate::{Error, ErrorKind, Limits};

/// Base64 as Go's `StdEncoding` reads it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// Decodes one [`Tree`].
pub(super) struct Decoder<'t, 'a> {
    tree: &'t Tree<'a>,
    options: &'t DecodeOptions,
    /// Type errors, reported together at the end.
    errors: Vec<(String, u32, u32)>,
    /// What yaml.v2 passes but JSON cannot hold; reported after `errors`.
    unsupported: Option<String>,
    decode_count: u64,
    alias_count: u64,
    alias_depth: u32,
    /// The aliases that are being expanded.
    aliases: BTreeSet<Id>,
    depth: usize,
}

/// A mapping while it is filled: what merge keys bring goes into the same one.
#[derive(Default)]
struct Filling {
    map: Map<String, Value>,
    /// In strict mode, the keys with their Go types.
    seen: HashMap<Key, ()>,
}

impl<'t, 'a> Decoder<'t, 'a> {
    pub(super) fn new(tree: &'t Tree<'a>, options: &'t DecodeOptions) -> Self {
        Self {
            tree,
            options,
            errors: Vec::new(),
            unsupported: None,
            decode_count: 1,
            alias_count: 0,
            alias_depth: 0,
            aliases: BTreeSet::new(),
            depth: 0,
        }
    }

    pub(super) fn document(mut self) -> Result<Value, Error> {
        let value = self.value(0)?;
        if let Some((_, line, column)) = self.errors.first() {
            let list: Vec<&str> = self.errors.iter().map(|(error, ..)| error.as_str()).collect();
            let message = format!("yaml: unmarshal errors:\n  {}", list.join("\n  "));
            return Err(Error::new(ErrorKind::Type, message).at(*line, *column));
        }
        match self.unsupported {
            Some(message) => Err(Error::new(ErrorKind::Type, message)),
            None => Ok(value),
        }
    }

    fn node(&self, id: Id) -> Result<&'t TreeNode<'a>, Error> {
        self.tree.get(id).ok_or_else(|| Error::new(ErrorKind::Syntax, "yaml: node without content"))
    }

    /// Go's rule about aliases, and our own limit.
    fn count(&mut self) -> Result<(), Error> {
        self.decode_count += 1;
        if self.alias_depth > 0 {
            self.alias_count += 1;
        }
        if crate::alias::is_excessive(self.alias_count, self.decode_count) {
            return Err(crate::alias::excessive());
        }
        if self.decode_count > self.options.limits.values as u64 {
            return Err(Limits::too_many_values(self.options.limits.values));
        }
        Ok(())
    }

    fn value(&mut self, id: Id) -> Result<Value, Error> {
        self.count()?;
        let node = self.node(id)?;
        match &node.shape {
            Shape::Scalar { .. } => self.scalar(node),
            Shape::Alias { name, target } => {
                self.enter_alias(id, name)?;
                let value = self.value(*target);
                self.leave_alias(id);
                value
            }
            Shape::Sequence(children) => {
                self.enter()?;
                let mut items = Vec::with_capacity(children.len());
                for child in children {
                    items.push(self.value(*child)?);
                }
                self.depth -= 1;
                Ok(Value::Array(items))
            }
            Shape::Mapping(children) => {
                self.enter()?;
                let mut filling = Filling::default();
                self.fill(children, &mut filling)?;
                self.depth -= 1;
                Ok(Value::Object(filling.map))
            }
        }
    }

    fn scalar(&mut self, node: &TreeNode<'_>) -> Result<Value, Error> {
        let scalar = scalar(node)?;
        Ok(self.scalar_value(scalar))
    }

    fn enter(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > self.options.limits.depth {
            return Err(Limits::too_deep(self.options.limits.depth));
        }
        Ok(())
    }

    fn enter_alias(&mut self, id: Id, name: &str) -> Result<(), Error> {
        if !self.aliases.insert(id) {
            return Err(crate::alias::contains_itself(name));
        }
        self.alias_depth += 1;
        Ok(())
    }

    fn leave_alias(&mut self, id: Id) {
        self.aliases.remove(&id);
        self.alias_depth -= 1;
    }

    fn fill(&mut self, children: &[Id], into: &mut Filling) -> Result<(), Error> {
        for [key, value] in children.as_chunks::<2>().0 {
            if is_merge(self.node(*key)?) {
                self.merge(*value, into)?;
                continue;
            }
            let key = self.key(*key)?;
            let decoded = self.value(*value)?;
            self.insert(key, *value, decoded, into)?;
        }
        Ok(())
    }

    /// Gives a pair to the mapping. A key that JSON cannot have is noted.
    fn insert(&mut self, key: Key, id: Id, value: Value, into: &mut Filling) -> Result<(), Error> {
        if self.options.strict && into.seen.insert(key.clone(), ()).is_some() {
            let TreeNode { line, column, .. } = *self.node(id)?;
            let error = format!("line {line}: key {} already set in map", key.go_syntax());
            self.errors.push((error, line, column));
            return Ok(());
        }
        match key.into_text() {
            Ok(key) => {
                into.map.insert(key, value);
            }
            Err(kind) => {
                let value = match value {
                    Value::Null => "<nil>".to_owned(),
                    value => go_value(&value, GENERAL_MAP),
                };
                let error = format!("unsupported map key of type: {kind}, value: {value}");
                self.unsupported.get_or_insert(error);
            }
        }
        Ok(())
    }

    /// The key of a pair. A collection as a key is an error at once.
    fn key(&mut self, id: Id) -> Result<Key, Error> {
        self.count()?;
        let node = self.node(id)?;
        match &node.shape {
            Shape::Scalar { .. } => Ok(match scalar(node)? {
                Scalar::Text(text) => Key::Text(text.into_owned()),
                Scalar::Bytes(bytes) => Key::Text(go_lossy(&bytes)),
                Scalar::Plain(resolved) => Key::from(resolved),
            }),
            Shape::Alias { name, target } => {
                self.enter_alias(id, name)?;
                let key = self.key(*target);
                self.leave_alias(id);
                key
            }
            Shape::Sequence(_) | Shape::Mapping(_) => {
                self.decode_count -= 1;
                let value = self.value(id)?;
                let message = format!("yaml: invalid map key: {}", go_value(&value, GENERAL_MAP));
                Err(Error::new(ErrorKind::Type, message).at(node.line, node.column))
            }
        }
    }

    /// Fills the pairs of a merge key's value in. A later source yields to an earlier one, and pairs that
    /// stand before the merge key yield to it.
    fn merge(&mut self, id: Id, into: &mut Filling) -> Result<(), Error> {
        match &self.node(id)?.shape {
            Shape::Sequence(children) => {
                for child in children.iter().rev() {
                    self.merge_mapping(*child, into)?;
                }
                Ok(())
            }
            _ => self.merge_mapping(id, into),
        }
    }

    fn merge_mapping(&mut self, id: Id, into: &mut Filling) -> Result<(), Error> {
        let wanted =
            || Error::new(ErrorKind::Type, "yaml: map merge requires map or sequence of maps as the value");
        match &self.node(id)?.shape {
            Shape::Mapping(children) => {
                self.count()?;
                self.enter()?;
                let filled = self.fill(children, into);
                self.depth -= 1;
                filled
            }
            Shape::Alias { name, target } => {
                if !matches!(self.node(*target)?.shape, Shape::Mapping(_)) {
                    return Err(wanted());
                }
                self.count()?;
                self.enter_alias(id, name)?;
                let merged = self.merge_mapping(*target, into);
                self.leave_alias(id);
                merged
            }
            _ => Err(wanted()),
        }
    }

    fn scalar_value(&mut self, scalar: Scalar<'_>) -> Value {
        match scalar {
            Scalar::Text(text) => Value::String(text.into_owned()),
            Scalar::Bytes(bytes) => Value::String(go_lossy(&bytes)),
            Scalar::Plain(Resolved::Null) => Value::Null,
            Scalar::Plain(Resolved::Bool(yes)) => Value::Bool(yes),
            Scalar::Plain(Resolved::Int(number)) => {
                number_value(self.options.numbers, number as f64, Number::from(number))
            }
            Scalar::Plain(Resolved::Uint(number)) => {
                number_value(self.options.numbers, number as f64, Number::from(number))
            }
            Scalar::Plain(Resolved::Float(number)) => self.float(number),
            Scalar::Plain(Resolved::Timestamp | Resolved::Str) => Value::Null,
        }
    }

    fn float(&mut self, number: f64) -> Value {
        super::float_value(self.options.numbers, number).unwrap_or_else(|message| {
            self.unsupported.get_or_insert(message);
            Value::Null
        })
    }
}

/// A scalar's meaning with its text.
pub(super) enum Scalar<'n> {
    Text(Cow<'n, str>),
    Bytes(Vec<u8>),
    Plain(Resolved),
}

fn scalar<'n>(node: &'n TreeNode<'_>) -> Result<Scalar<'n>, Error> {
    let Shape::Scalar { value, tag, implicit } = &node.shape else {
        return Ok(Scalar::Plain(Resolved::Null));
    };
    let text = || Scalar::Text(Cow::Borrowed(value.as_ref()));
    let at = |message: String| Error::new(ErrorKind::Type, message).at(node.line, node.column);
    let resolved = match tag.as_ref() {
        "" if !implicit => return Ok(text()),
        "" => resolve(Flavour::V2, value),
        tags::BINARY => return read_base64(value).map(Scalar::Bytes).map_err(at),
        tag => resolve_tagged(Flavour::V2, tag, value).map_err(at)?,
    };
    Ok(match resolved {
        Resolved::Str | Resolved::Timestamp => text(),
        resolved => Scalar::Plain(resolved),
    })
}

fn is_merge(node: &TreeNode<'_>) -> bool {
    match &node.shape {
        Shape::Scalar { value, tag, implicit } => value == "<<" && (*implicit || tag == tags::MERGE),
        _ => false,
    }
}

/// The bytes of a `!!binary` scalar.
pub(super) fn read_base64(text: &str) -> Result<Vec<u8>, String> {
    let text: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    BASE64.decode(text).map_err(|_| "yaml: !!binary value contains invalid base64 data".to_owned())
}

/// Bytes as text with U+FFFD for every byte that is no UTF-8, as `encoding/json` writes them.
pub(super) fn go_lossy(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}
