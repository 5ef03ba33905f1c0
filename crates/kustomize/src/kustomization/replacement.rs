//! `replacements`: a value of one object copied into fields of others.

use std::fmt;

use serde_json::Value;

use super::patch::{Selector, id_field};
use crate::decode::{Decode, Decoder};
use crate::id::ResId;

/// The field that is meant when none is named.
pub(crate) const DEFAULT_FIELD: &str = "metadata.name";

/// One entry of `replacements`: a file with replacements, or one written here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ReplacementField {
    pub(crate) replacement: Replacement,
    pub(crate) path: String,
}

impl Decode for ReplacementField {
    const NAME: &'static str = "ReplacementField";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        if name == "path" {
            self.path = d.string(value);
            return true;
        }
        self.replacement.field(d, name, value)
    }
}

/// One source and its targets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Replacement {
    pub(crate) source: Option<SourceSelector>,
    pub(crate) targets: Option<Vec<TargetSelector>>,
    pub(crate) source_value: Option<String>,
}

impl Decode for Replacement {
    const NAME: &'static str = "Replacement";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "source" => self.source = d.optional(value, "types.SourceSelector"),
            "targets" => self.targets = (!value.is_null()).then(|| d.objects(value)),
            "sourcevalue" => self.source_value = (!value.is_null()).then(|| d.string(value)),
            _ => return false,
        }
        true
    }
}

/// Where the value comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SourceSelector {
    pub(crate) id: ResId,
    pub(crate) field_path: String,
    pub(crate) options: Option<FieldOptions>,
}

impl Decode for SourceSelector {
    const NAME: &'static str = "SourceSelector";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "fieldpath" => self.field_path = d.string(value),
            "options" => self.options = d.optional(value, "types.FieldOptions"),
            _ => return id_field(&mut self.id, d, name, value),
        }
        true
    }
}

impl fmt::Display for SourceSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)?;
        if !self.field_path.is_empty() {
            write!(f, ":{}", self.field_path)?;
        }
        match &self.options {
            Some(options) if !options.delimiter.is_empty() || options.create => {
                write!(f, ":{}({}), create={}", options.delimiter, options.index, options.create)
            }
            _ => Ok(()),
        }
    }
}

/// Where the value goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TargetSelector {
    pub(crate) select: Option<Selector>,
    pub(crate) reject: Vec<Selector>,
    pub(crate) field_paths: Vec<String>,
    pub(crate) options: Option<FieldOptions>,
}

impl Decode for TargetSelector {
    const NAME: &'static str = "TargetSelector";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "select" => self.select = d.optional(value, "types.Selector"),
            "reject" => self.reject = d.objects(value),
            "fieldpaths" => self.field_paths = d.strings(value),
            "options" => self.options = d.optional(value, "types.FieldOptions"),
            _ => return false,
        }
        true
    }
}

/// Which part of a text, and whether missing fields are made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FieldOptions {
    pub(crate) delimiter: String,
    pub(crate) index: i64,
    pub(crate) encoding: String,
    pub(crate) create: bool,
}

impl Decode for FieldOptions {
    const NAME: &'static str = "FieldOptions";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "delimiter" => self.delimiter = d.string(value),
            "index" => self.index = d.integer(value, "int"),
            "encoding" => self.encoding = d.string(value),
            "create" => self.create = d.bool(value),
            _ => return false,
        }
        true
    }
}
