//! `vars`: names for values of objects.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::fields::gvk_field;
use super::replacement::DEFAULT_FIELD;
use crate::decode::{Decode, Decoder};
use crate::error::{Error, Result};
use crate::id::Gvk;

/// A name and the field of an object whose value it has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Var {
    pub(crate) name: String,
    pub(crate) object: VarObject,
    pub(crate) field: VarField,
}

/// The object of a var.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct VarObject {
    pub(crate) api_version: String,
    pub(crate) gvk: Gvk,
    pub(crate) name: String,
    pub(crate) namespace: String,
}

/// The field of a var.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct VarField {
    pub(crate) path: String,
}

impl Decode for Var {
    const NAME: &'static str = "Var";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "name" => self.name = d.string(value),
            "objref" => self.object = d.object(value, "types.Target"),
            "fieldref" => self.field = d.object(value, "types.FieldSelector"),
            _ => return false,
        }
        true
    }
}

impl Decode for VarObject {
    const NAME: &'static str = "Target";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "apiversion" => self.api_version = d.string(value),
            "name" => self.name = d.string(value),
            "namespace" => self.namespace = d.string(value),
            _ => return gvk_field(&mut self.gvk, d, name, value),
        }
        true
    }
}

impl Decode for VarField {
    const NAME: &'static str = "FieldSelector";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        if name == "fieldpath" {
            self.path = d.string(value);
            return true;
        }
        false
    }
}

/// As Go's `%v` prints it.
impl fmt::Display for Var {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{} {} {{{}}}}}", self.name, self.object.gvk, self.field.path)
    }
}

impl Var {
    /// Takes group and version out of the apiVersion.
    pub(crate) fn resolve_gvk(&mut self) {
        let parts: Vec<&str> = self.object.api_version.split('/').collect();
        match parts[..] {
            [version] if !version.is_empty() => self.object.gvk.version = version.to_owned(),
            [group, version] => {
                self.object.gvk.group = group.to_owned();
                self.object.gvk.version = version.to_owned();
            }
            _ => {}
        }
    }

    fn with_defaults(mut self) -> Self {
        if self.field.path.is_empty() {
            self.field.path = DEFAULT_FIELD.to_owned();
        }
        self.resolve_gvk();
        self
    }
}

/// Vars by name; a name can be taken once.
#[derive(Debug, Clone, Default)]
pub(crate) struct VarSet(BTreeMap<String, Var>);

impl VarSet {
    /// Adds a var, with its defaults filled in.
    pub(crate) fn add(&mut self, var: Var) -> Result<()> {
        if self.0.contains_key(&var.name) {
            return Err(Error::new(format!("var '{}' already encountered", var.name)));
        }
        let var = var.with_defaults();
        self.0.insert(var.name.clone(), var);
        Ok(())
    }

    /// Adds all vars of another set.
    pub(crate) fn add_all(&mut self, other: Self) -> Result<()> {
        other.0.into_values().try_for_each(|var| self.add(var))
    }

    /// All vars, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Var> {
        self.0.values()
    }
}
