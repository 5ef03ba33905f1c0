//! Nodes to values as yaml.v3 decodes them into an `interface{}`.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Number, Value};

use super::key::{GENERAL_MAP, STRING_MAP, go_value};
use super::value::{Scalar, go_lossy, read_base64};
use super::{Numbers, number_value};
use crate::gofmt::quote;
use crate::node::{Kind, Node, tags};
use crate::resolve::{Resolved, resolve, resolve_tagged};
use crate::scanner::token::Flavour;
use crate::{Error, ErrorKind, Limits};

impl Node {
    /// The node as yaml.v3's `Decode` into an `interface{}`, and then `json.Marshal`, have it: duplicate keys
    /// are an error, pairs of merge keys yield to the mapping's own, a timestamp becomes its RFC 3339 text.
    ///
    /// Aliases are looked up among the anchors of this node's own tree.
    ///
    /// # Errors
    /// In Go's words: `yaml: unmarshal errors:\n  line 3: mapping key "a" already defined at line 2`,
    /// `json: unsupported type: map[interface {}]interface {}` for a key that is no string, and others.
    pub fn decode(&self, numbers: Numbers) -> Result<Value, Error> {
        let limits = Limits::default();
        let mut decoder = Decoder {
            targets: HashMap::new(),
            numbers,
            errors: Vec::new(),
            unsupported: None,
            decode_count: 0,
            alias_count: 0,
            alias_depth: 0,
            aliases: BTreeSet::new(),
            depth: 0,
            limits: &limits,
        };
        decoder.find_targets(self);
        let value = decoder.value(self.root())?.unwrap_or(Value::Null);
        if !decoder.errors.is_empty() {
            let message = format!("yaml: unmarshal errors:\n  {}", decoder.errors.join("\n  "));
            return Err(Error::new(ErrorKind::Type, message));
        }
        match decoder.unsupported {
            Some(message) => Err(Error::new(ErrorKind::Type, message)),
            None => Ok(value),
        }
    }
}

/// More duplicate keys are not listed.
const MOST_DUPLICATES: usize = 1000;

struct Decoder<'n, 'l> {
    /// The nodes that the aliases mean, by the address of the alias.
    targets: HashMap<usize, &'n Node>,
    numbers: Numbers,
    errors: Vec<String>,
    unsupported: Option<String>,
    decode_count: u64,
    alias_count: u64,
    alias_depth: u32,
    aliases: BTreeSet<usize>,
    depth: usize,
    limits: &'l Limits,
}

fn address(node: &Node) -> usize {
    std::ptr::from_ref(node) as usize
}

impl<'n> Decoder<'n, '_> {
    fn find_targets(&mut self, root: &'n Node) {
        let mut anchors: HashMap<&str, &'n Node> = HashMap::new();
        let mut waiting = vec![root];
        while let Some(node) = waiting.pop() {
            if let Some(name) = node.anchor.as_deref() {
                anchors.insert(name, node);
            }
            if node.kind == Kind::Alias
                && let Some(target) = anchors.get(node.value.as_str())
            {
                self.targets.insert(address(node), target);
            }
            waiting.extend(node.content.iter().rev());
        }
    }

    /// `None` when the node has errors and gives no value.
    fn value(&mut self, node: &'n Node) -> Result<Option<Value>, Error> {
        self.count()?;
        match node.kind {
            Kind::Document => node.content.first().map_or(Ok(None), |root| self.value(root)),
            Kind::Alias => {
                let target = self.enter_alias(node)?;
                let value = self.value(target);
                self.leave_alias(node);
                value
            }
            Kind::Scalar => self.scalar_value(node).map(Some),
            Kind::Sequence => {
                self.enter()?;
                let mut items = Vec::with_capacity(node.content.len());
                for item in &node.content {
                    items.extend(self.value(item)?);
                }
                self.depth -= 1;
                Ok(Some(Value::Array(items)))
            }
            Kind::Mapping => {
                self.enter()?;
                let mut map = Map::new();
                let good = self.fill(node, &mut map, false)?;
                self.depth -= 1;
                Ok(good.then_some(Value::Object(map)))
            }
        }
    }

    fn count(&mut self) -> Result<(), Error> {
        self.decode_count += 1;
        self.alias_count += u64::from(self.alias_depth > 0);
        if crate::alias::is_excessive(self.alias_count, self.decode_count) {
            return Err(crate::alias::excessive());
        }
        if self.decode_count > self.limits.values as u64 {
            return Err(Error::new(
                ErrorKind::Limit,
                format!("yaml: more than {} values", self.limits.values),
            ));
        }
        Ok(())
    }

    fn enter(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > self.limits.depth {
            return Err(Limits::too_deep(self.limits.depth));
        }
        Ok(())
    }

    fn enter_alias(&mut self, alias: &Node) -> Result<&'n Node, Error> {
        let Some(target) = self.targets.get(&address(alias)) else {
            return Err(Error::new(
                ErrorKind::Type,
                format!("yaml: unknown anchor '{}' referenced", alias.value),
            ));
        };
        if !self.aliases.insert(address(alias)) {
            return Err(crate::alias::contains_itself(&alias.value));
        }
        self.alias_depth += 1;
        Ok(target)
    }

    fn leave_alias(&mut self, alias: &Node) {
        self.aliases.remove(&address(alias));
        self.alias_depth -= 1;
    }

    /// Fills in the pairs of a mapping; when it is merged, only those that are not there yet. False when the
    /// mapping has duplicate keys.
    fn fill(&mut self, node: &'n Node, map: &mut Map<String, Value>, merged: bool) -> Result<bool, Error> {
        if !self.check_unique(node) {
            return Ok(false);
        }
        let strings = node.pairs().all(|(key, _)| self.is_string_key(key));
        let mut merge = None;
        for (key, value) in node.pairs() {
            if is_merge(key) {
                merge = Some(value);
                continue;
            }
            let Some(key) = self.key(key, strings)? else { continue };
            if merged && map.contains_key(&key) {
                continue;
            }
            if let Some(value) = self.value(value)? {
                map.insert(key, value);
            }
        }
        if !strings {
            self.unsupported.get_or_insert_with(|| format!("json: unsupported type: {GENERAL_MAP}"));
        }
        match merge {
            Some(merge) => self.merge(merge, map).map(|()| true),
            None => Ok(true),
        }
    }

    fn is_string_key(&self, key: &Node) -> bool {
        let key = if key.kind == Kind::Alias { self.targets.get(&address(key)).copied() } else { Some(key) };
        key.is_some_and(|key| matches!(key.short_tag().as_ref(), tags::STR | tags::MERGE))
    }

    /// Notes the keys that stand twice, each pair of them in Go's order, up to a thousand.
    fn check_unique(&mut self, node: &Node) -> bool {
        let mut seen: HashMap<(Kind, &str), Vec<&Node>> = HashMap::new();
        for (key, _) in node.pairs() {
            seen.entry((key.kind, &key.value)).or_default().push(key);
        }
        if seen.len() == node.pairs().len() {
            return true;
        }
        for (first, _) in node.pairs() {
            let same = seen.get(&(first.kind, first.value.as_str())).map(Vec::as_slice).unwrap_or_default();
            let later = same.iter().skip_while(|other| !std::ptr::eq(**other, first)).skip(1);
            for other in later.take(MOST_DUPLICATES.saturating_sub(self.errors.len())) {
                let (key, line) = (quote(&other.value), first.line);
                self.errors
                    .push(format!("line {}: mapping key {key} already defined at line {line}", other.line));
            }
            if self.errors.len() >= MOST_DUPLICATES {
                break;
            }
        }
        false
    }

    /// The text of a key; `None` when it has errors and the pair is left out.
    fn key(&mut self, node: &'n Node, strings: bool) -> Result<Option<String>, Error> {
        match node.kind {
            Kind::Scalar => {
                self.count()?;
                Ok(Some(match scalar(node)? {
                    Scalar::Text(text) => text.into_owned(),
                    Scalar::Bytes(bytes) => go_lossy(&bytes),
                    Scalar::Plain(_) => node.value.clone(),
                }))
            }
            Kind::Alias => {
                self.count()?;
                let target = self.enter_alias(node)?;
                let key = self.key(target, strings);
                self.leave_alias(node);
                key
            }
            // A collection with the tag of a string.
            _ if strings => {
                self.count()?;
                let tag = crate::tag::short(&node.tag);
                self.errors.push(format!("line {}: cannot unmarshal {tag} `` into string", node.line));
                Ok(None)
            }
            Kind::Sequence | Kind::Mapping | Kind::Document => match self.value(node)? {
                None => Ok(None),
                Some(value) => {
                    let message = format!("yaml: invalid map key: {}", go_value(&value, STRING_MAP));
                    Err(Error::new(ErrorKind::Type, message))
                }
            },
        }
    }

    fn merge(&mut self, node: &'n Node, map: &mut Map<String, Value>) -> Result<(), Error> {
        match node.kind {
            Kind::Sequence => node.content.iter().try_for_each(|item| self.merge_mapping(item, map)),
            _ => self.merge_mapping(node, map),
        }
    }

    fn merge_mapping(&mut self, node: &'n Node, map: &mut Map<String, Value>) -> Result<(), Error> {
        let wanted =
            || Error::new(ErrorKind::Type, "yaml: map merge requires map or sequence of maps as the value");
        match node.kind {
            Kind::Mapping => {
                self.count()?;
                self.enter()?;
                self.fill(node, map, true)?;
                self.depth -= 1;
                Ok(())
            }
            Kind::Alias => {
                self.count()?;
                let target = self.enter_alias(node)?;
                if target.kind != Kind::Mapping {
                    return Err(wanted());
                }
                let merged = self.merge_mapping(target, map);
                self.leave_alias(node);
                merged
            }
            _ => Err(wanted()),
        }
    }

    fn scalar_value(&mut self, node: &Node) -> Result<Value, Error> {
        let plain = match scalar(node)? {
            Scalar::Text(text) => return Ok(Value::String(text.into_owned())),
            Scalar::Bytes(bytes) => return Ok(Value::String(go_lossy(&bytes))),
            Scalar::Plain(plain) => plain,
        };
        Ok(match plain {
            Resolved::Null | Resolved::Str => Value::Null,
            Resolved::Bool(yes) => Value::Bool(yes),
            Resolved::Int(number) => number_value(self.numbers, number as f64, Number::from(number)),
            Resolved::Uint(number) => number_value(self.numbers, number as f64, Number::from(number)),
            Resolved::Float(number) => self.supported(super::float_value(self.numbers, number)),
            Resolved::Timestamp => self.supported(crate::timestamp::rfc_3339(&node.value).map(Value::String)),
        })
    }

    /// The value, or null and a note that JSON cannot have it.
    fn supported(&mut self, value: Result<Value, String>) -> Value {
        value.unwrap_or_else(|message| {
            self.unsupported.get_or_insert(message);
            Value::Null
        })
    }
}

fn scalar(node: &Node) -> Result<Scalar<'_>, Error> {
    let at = |message: String| Error::new(ErrorKind::Type, message).at(node.line, node.column);
    let text = || Scalar::Text(node.value.as_str().into());
    if node.is_indicated_string() {
        return Ok(text());
    }
    let tag = crate::tag::short(&node.tag);
    let resolved = match tag.as_ref() {
        "" => resolve(Flavour::V3, &node.value),
        tags::BINARY => return read_base64(&node.value).map(Scalar::Bytes).map_err(at),
        tag => resolve_tagged(Flavour::V3, tag, &node.value).map_err(at)?,
    };
    Ok(if resolved == Resolved::Str { text() } else { Scalar::Plain(resolved) })
}

fn is_merge(node: &Node) -> bool {
    let tag = crate::tag::short(&node.tag);
    node.kind == Kind::Scalar && node.value == "<<" && matches!(tag.as_ref(), "" | "!" | tags::MERGE)
}
