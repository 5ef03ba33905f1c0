//! Prefixes and suffixes of names.

use goyaml::{Kind, tags};

use crate::error::Result;
use crate::id::Gvk;
use crate::resmap::ResMap;
use crate::tree::field;
use crate::tree::field_spec::{self, Creation, FieldSpec};

/// Where the text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Front,
    Back,
}

/// A prefix or suffix, and which fields get it.
#[derive(Debug, Default)]
pub(crate) struct Affix {
    pub(crate) text: String,
    pub(crate) specs: Vec<FieldSpec>,
}

/// Kinds whose names mean something to others and stay.
fn is_skipped(gvk: &Gvk) -> bool {
    matches!(gvk.kind.as_str(), "CustomResourceDefinition" | "Namespace")
        || gvk.group == "apiregistration.k8s.io" && gvk.kind == "APIService"
}

impl Affix {
    pub(crate) fn apply(&self, map: &mut ResMap, side: Side) -> Result<()> {
        for resource in &mut map.list {
            let gvk = resource.original_id().gvk.clone();
            if is_skipped(&gvk) {
                continue;
            }
            for spec in self.specs.iter().filter(|spec| gvk.is_selected(&spec.gvk)) {
                if spec.path == "metadata/name" {
                    match side {
                        Side::Front => resource.add_name_prefix(&self.text)?,
                        Side::Back => resource.add_name_suffix(&self.text)?,
                    }
                    if !self.text.is_empty() {
                        resource.store_previous_id()?;
                    }
                }
                let creation = Some(Creation { kind: Kind::Scalar, tag: tags::STR });
                resource.edit(|node| {
                    field_spec::apply(node, spec, creation, &mut |target| {
                        let text = match side {
                            Side::Front => format!("{}{}", self.text, target.value),
                            Side::Back => format!("{}{}", target.value, self.text),
                        };
                        field::set_scalar(target, field::tagged(&text, ""))
                    })
                })?;
            }
        }
        Ok(())
    }
}
