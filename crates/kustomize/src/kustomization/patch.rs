//! Patches and the selectors of their targets.

use std::fmt;

use regex::Regex;
use serde_json::Value;

use super::fields::gvk_field;
use crate::decode::{Decode, Decoder};
use crate::error::Result;
use crate::id::{Gvk, ResId};
use crate::tree::path_match::go_regex;

/// One entry of `patches` or `patchesJson6902`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Patch {
    pub(crate) path: String,
    pub(crate) patch: String,
    pub(crate) target: Option<Selector>,
    pub(crate) options: Option<PatchOptions>,
}

impl Decode for Patch {
    const NAME: &'static str = "Patch";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "path" => self.path = d.string(value),
            "patch" => self.patch = d.string(value),
            "target" => self.target = d.optional(value, "types.Selector"),
            "options" => self.options = d.optional(value, "types.PatchArgs"),
            _ => return false,
        }
        true
    }
}

/// What a patch may change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PatchOptions {
    pub(crate) allow_name_change: bool,
    pub(crate) allow_kind_change: bool,
}

impl Decode for PatchOptions {
    const NAME: &'static str = "PatchArgs";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "allownamechange" => self.allow_name_change = d.bool(value),
            "allowkindchange" => self.allow_kind_change = d.bool(value),
            _ => return false,
        }
        true
    }
}

/// Which objects: parts of the id are regular expressions; label and annotation selectors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    pub(crate) id: ResId,
    pub(crate) annotations: String,
    pub(crate) labels: String,
}

/// Reads the fields of an id.
pub(super) fn id_field(id: &mut ResId, d: &mut Decoder, name: &str, value: &Value) -> bool {
    match name {
        "name" => id.name = d.string(value),
        "namespace" => id.namespace = d.string(value),
        _ => return gvk_field(&mut id.gvk, d, name, value),
    }
    true
}

impl Decode for Selector {
    const NAME: &'static str = "Selector";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "annotationselector" => self.annotations = d.string(value),
            "labelselector" => self.labels = d.string(value),
            _ => return id_field(&mut self.id, d, name, value),
        }
        true
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:a={}:l={}", self.id, self.annotations, self.labels)
    }
}

/// The regular expressions of a selector. An empty part takes everything.
#[derive(Debug)]
pub(crate) struct IdPattern {
    group: Option<Pattern>,
    version: Option<Pattern>,
    kind: Option<Pattern>,
    name: Option<Pattern>,
    namespace: Option<Pattern>,
    pub(crate) is_empty: bool,
}

/// An expression that the whole of a text has to match.
#[derive(Debug)]
enum Pattern {
    /// Nothing special but dots, as in most selectors: no expression needs to be compiled.
    Plain(String),
    Regex(Regex),
}

fn whole(pattern: &str) -> Result<Option<Pattern>> {
    if pattern.is_empty() {
        return Ok(None);
    }
    if !pattern.contains(|c| r"\+*?()|[]{}^$".contains(c)) {
        return Ok(Some(Pattern::Plain(pattern.to_owned())));
    }
    go_regex(&format!("^(?:{pattern})$")).map(|regex| Some(Pattern::Regex(regex)))
}

impl Pattern {
    fn matches(&self, text: &str) -> bool {
        let plain = match self {
            Self::Plain(plain) => plain,
            Self::Regex(regex) => return regex.is_match(text),
        };
        let mut rest = text.chars();
        let fits = |wanted: char| rest.next().is_some_and(|c| c == wanted || (wanted == '.' && c != '\n'));
        plain.chars().all(fits) && rest.next().is_none()
    }
}

fn takes(pattern: Option<&Pattern>, text: &str) -> bool {
    pattern.is_none_or(|pattern| pattern.matches(text))
}

impl IdPattern {
    pub(crate) fn new(id: &ResId) -> Result<Self> {
        Ok(Self {
            group: whole(&id.gvk.group)?,
            version: whole(&id.gvk.version)?,
            kind: whole(&id.gvk.kind)?,
            name: whole(&id.name)?,
            namespace: whole(&id.namespace)?,
            is_empty: id.is_empty(),
        })
    }

    pub(crate) fn takes_gvk(&self, gvk: &Gvk) -> bool {
        takes(self.group.as_ref(), &gvk.group)
            && takes(self.version.as_ref(), &gvk.version)
            && takes(self.kind.as_ref(), &gvk.kind)
    }

    pub(crate) fn takes_name(&self, name: &str) -> bool {
        takes(self.name.as_ref(), name)
    }

    pub(crate) fn takes_namespace(&self, namespace: &str) -> bool {
        takes(self.namespace.as_ref(), namespace)
    }

    /// Whether all parts of an id are taken, the namespace as it is written.
    pub(crate) fn takes(&self, id: &ResId) -> bool {
        self.takes_gvk(&id.gvk) && self.takes_name(&id.name) && self.takes_namespace(&id.namespace)
    }
}
