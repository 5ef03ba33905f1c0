//! A schema document: its draft, and where `$ref` leads.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Versions of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Draft {
    V4,
    V6,
    V7,
    V2019,
    V2020,
}

/// The address that Helm gives to the file.
pub(super) const ROOT: &str = "file:///values.schema.json";

/// Deepest nesting that is searched for `$id`.
const MAX_DEPTH: usize = 200;

/// A schema file, read.
pub(super) struct Document {
    pub(super) root: Value,
    pub(super) draft: Draft,
    /// JSON pointers of schemas with an address of their own, by that address.
    resources: BTreeMap<String, String>,
    /// JSON pointers of anchors, by address and name.
    anchors: BTreeMap<(String, String), String>,
}

impl Document {
    /// Finds draft, addresses and anchors.
    ///
    /// # Errors
    /// `$schema` names a language that the library does not know.
    pub(super) fn new(root: Value) -> Result<Self, String> {
        let draft = match root.get("$schema").and_then(Value::as_str) {
            None => Draft::V2020,
            Some(url) => draft_of(url).ok_or_else(|| not_loaded(url.split('#').next().unwrap_or(url)))?,
        };
        let mut document =
            Document { root: Value::Null, draft, resources: BTreeMap::new(), anchors: BTreeMap::new() };
        document.resources.insert(ROOT.to_owned(), String::new());
        document.collect(&root, ROOT, "", 0);
        document.root = root;
        Ok(document)
    }

    fn id_key(&self) -> &'static str {
        if self.draft == Draft::V4 { "id" } else { "$id" }
    }

    /// The address of a schema with an `$id`, below `base`.
    pub(super) fn own_base(&self, schema: &Map<String, Value>, base: &str) -> Option<String> {
        if self.draft < Draft::V2019 && schema.contains_key("$ref") {
            return None;
        }
        let id = schema.get(self.id_key())?.as_str()?;
        let address = id.split('#').next().unwrap_or_default();
        (!address.is_empty()).then(|| join(base, address))
    }

    fn collect(&mut self, value: &Value, base: &str, pointer: &str, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        match value {
            Value::Object(map) => {
                let own = self.own_base(map, base);
                let base = own.as_deref().unwrap_or(base);
                if own.is_some() {
                    self.resources.entry(base.to_owned()).or_insert_with(|| pointer.to_owned());
                }
                self.collect_anchors(map, base, pointer);
                for (key, inner) in map {
                    if !matches!(key.as_str(), "enum" | "const" | "default" | "examples") {
                        self.collect(inner, base, &format!("{pointer}/{}", escape(key)), depth + 1);
                    }
                }
            }
            Value::Array(items) => {
                for (i, inner) in items.iter().enumerate() {
                    self.collect(inner, base, &format!("{pointer}/{i}"), depth + 1);
                }
            }
            _ => {}
        }
    }

    fn collect_anchors(&mut self, map: &Map<String, Value>, base: &str, pointer: &str) {
        let text = |key: &str| map.get(key).and_then(Value::as_str);
        let names = if self.draft < Draft::V2019 {
            [text(self.id_key()).and_then(|id| id.split_once('#')).map(|(_, anchor)| anchor), None]
        } else {
            [text("$anchor"), text("$dynamicAnchor")]
        };
        for name in names.into_iter().flatten().filter(|n| !n.is_empty() && !n.starts_with('/')) {
            self.anchors.entry((base.to_owned(), name.to_owned())).or_insert_with(|| pointer.to_owned());
        }
    }

    /// The schema that a reference from below `base` means, and its own base. `None`: it lies elsewhere and
    /// everything is allowed.
    ///
    /// # Errors
    /// In the library's words.
    pub(super) fn resolve(&self, reference: &str, base: &str) -> Result<Option<(&Value, String)>, String> {
        let (address, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let address = if address.is_empty() { base.to_owned() } else { join(base, address) };
        let Some(start) = self.resources.get(&address) else {
            return elsewhere(&address).map(|()| None);
        };
        let fragment = percent_decode(fragment);
        let pointer = if fragment.is_empty() || fragment.starts_with('/') {
            format!("{start}{fragment}")
        } else {
            let anchor = self.anchors.get(&(address.clone(), fragment.clone()));
            anchor.cloned().ok_or_else(|| {
                format!("anchor in {:?} not found in schema {ROOT:?}", format!("{address}#{fragment}"))
            })?
        };
        let missing = || format!("json-pointer in {:?} not found", format!("{ROOT}#{pointer}"));
        let (found, base) = self.lookup(&pointer).ok_or_else(missing)?;
        Ok(Some((found, base)))
    }

    /// The value at a pointer and the address that holds there.
    fn lookup(&self, pointer: &str) -> Option<(&Value, String)> {
        let (mut at, mut base) = (&self.root, ROOT.to_owned());
        for token in pointer.split('/').skip(1) {
            if let Some(own) = at.as_object().and_then(|map| self.own_base(map, &base)) {
                base = own;
            }
            at = match at {
                Value::Object(map) => map.get(&token.replace("~1", "/").replace("~0", "~"))?,
                Value::Array(items) => items.get(token.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some((at, base))
    }
}

fn draft_of(url: &str) -> Option<Draft> {
    let url = url.strip_suffix('#').unwrap_or(url);
    let url = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))?;
    Some(match url {
        "json-schema.org/schema" | "json-schema.org/draft/2020-12/schema" => Draft::V2020,
        "json-schema.org/draft/2019-09/schema" => Draft::V2019,
        "json-schema.org/draft-07/schema" => Draft::V7,
        "json-schema.org/draft-06/schema" => Draft::V6,
        "json-schema.org/draft-04/schema" => Draft::V4,
        _ => return None,
    })
}

/// A reference out of the file: the language's own schemas and `urn:` allow everything, all else is refused.
fn elsewhere(address: &str) -> Result<(), String> {
    if draft_of(address).is_some() || address.starts_with("urn:") {
        return Ok(());
    }
    Err(not_loaded(address))
}

fn not_loaded(address: &str) -> String {
    let why = match address.strip_prefix("file://") {
        Some(path) => format!("open {path}: no such file or directory"),
        None if address.starts_with("http") => "schemas outside the chart are not fetched".to_owned(),
        None => format!("no URLLoader registered for {address:?}"),
    };
    format!("failing loading {address:?}: {why}")
}

/// An address relative to another one; the common forms.
fn join(base: &str, address: &str) -> String {
    let has_scheme = address.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    if has_scheme {
        return address.to_owned();
    }
    let Some((scheme, rest)) = base.split_once("://") else { return address.to_owned() };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let path = match address.strip_prefix('/') {
        Some(_) => address.to_owned(),
        None => format!("{}/{address}", path.rsplit_once('/').map_or("", |(directory, _)| directory)),
    };
    format!("{scheme}://{host}{}", crate::chart::clean(&path))
}

fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.get(..2).filter(|_| *first == b'%').and_then(|h| std::str::from_utf8(h).ok());
        match code.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
