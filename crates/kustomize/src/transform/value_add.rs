//! `ValueAddTransformer`: one value into fields of selected objects.

use goyaml::{Kind, Node};
use serde_json::Value;

use super::namespace::Namespace;
use crate::decode::{Decode, Decoder};
use crate::error::{Error, Result};
use crate::kustomization::{Metadata, Selector, yaml_to_json};
use crate::loader::Loader;
use crate::resmap::ResMap;
use crate::tree::{expect_kind, field, lookup};

/// The transformer's configuration.
#[derive(Debug, Default)]
pub(crate) struct ValueAdd {
    value: String,
    targets: Vec<Target>,
    target_file: String,
}

#[derive(Debug, Default)]
struct Target {
    selector: Option<Selector>,
    field_path: String,
    position: i64,
}

impl Decode for Target {
    const NAME: &'static str = "Target";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "selector" => self.selector = d.optional(value, "types.Selector"),
            "fieldpath" => self.field_path = d.string(value),
            "filepathposition" => self.position = d.integer(value, "int"),
            _ => return false,
        }
        true
    }
}

impl Decode for ValueAdd {
    const NAME: &'static str = "ValueAddTransformerPlugin";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "value" => self.value = d.string(value),
            "targets" => self.targets = d.objects(value),
            "targetfilepath" => self.target_file = d.string(value),
            _ => return false,
        }
        true
    }
}

impl ValueAdd {
    /// Fills in what is not written: the value from the name of the directory, targets from a file.
    pub(crate) fn complete(mut self, loader: &Loader) -> Result<Self> {
        self.value = self.value.trim().to_owned();
        if self.value.is_empty() {
            self.value = loader.root().rsplit('/').next().unwrap_or_default().to_owned();
        }
        if !self.target_file.is_empty() {
            let file = yaml_to_json(&loader.load(&self.target_file)?)?;
            let more: Self = Decoder::lenient().read(&file)?;
            self.targets.extend(more.targets);
        }
        if self.targets.is_empty() {
            return Err(Error::new("must specify at least one target"));
        }
        for target in &self.targets {
            if target.field_path.is_empty() {
                return Err(Error::new("fieldPath cannot be empty"));
            }
            if target.position < 0 {
                return Err(Error::new(format!(
                    "value of FilePathPosition ({}) cannot be negative",
                    target.position
                )));
            }
        }
        Ok(self)
    }

    pub(crate) fn apply(&self, map: &mut ResMap) -> Result<()> {
        for target in &self.targets {
            let selected = match &target.selector {
                Some(selector) => map.select(selector)?,
                None => (0..map.list.len()).collect(),
            };
            for i in selected {
                let Some(resource) = map.list.get_mut(i) else { continue };
                let gvk = resource.gvk().clone();
                resource.edit(|node| {
                    if target.field_path == "metadata/namespace" {
                        let metadata = Metadata { namespace: self.value.clone(), ..Metadata::default() };
                        return Namespace { metadata, ..Namespace::default() }.filter(node, &gvk);
                    }
                    self.set(node, target)
                })?;
            }
        }
        Ok(())
    }

    fn set(&self, node: &mut Node, target: &Target) -> Result<()> {
        let path = lookup::split_path(&target.field_path, '/');
        let Some(found) = lookup::lookup_mut(node, &path, Some(Kind::Scalar))? else { return Ok(()) };
        expect_kind(found, Kind::Scalar)?;
        let text = match usize::try_from(target.position) {
            Ok(position @ 1..) => insert_part(&found.value, position - 1, &self.value),
            _ => self.value.clone(),
        };
        field::set_scalar(found, Node::scalar(text))
    }
}

/// Inserts a part into a path; the leading slash does not count.
fn insert_part(path: &str, position: usize, part: &str) -> String {
    let (lead, rest) = match path.strip_prefix('/') {
        Some(rest) => ("/", rest),
        None => ("", path),
    };
    let mut parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    parts.insert(position.min(parts.len()), part);
    format!("{lead}{}", parts.join("/"))
}
