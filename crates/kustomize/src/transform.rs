//! The built-in transformers, on the set of objects.

pub(crate) mod images;
pub(crate) mod json_patch;
pub(crate) mod labels;
pub(crate) mod name_affix;
pub(crate) mod name_reference;
pub(crate) mod namespace;
pub(crate) mod patches;
pub(crate) mod replacements;
pub(crate) mod replicas;
pub(crate) mod sort;
pub(crate) mod value_add;
pub(crate) mod variables;

use crate::error::Result;
use crate::generate::hash;
use crate::kustomization::{Image, Replacement, Replica};
use crate::resmap::ResMap;
use crate::tree::field_spec::FieldSpec;
use crate::tree::meta::StringMap;

/// A transformer with its configuration read.
#[derive(Debug)]
pub(crate) enum Transformer {
    StrategicMerge(patches::StrategicMerge),
    Patch(patches::AnyPatch),
    JsonPatch(patches::JsonPatch),
    Namespace(namespace::Namespace),
    Prefix(name_affix::Affix),
    Suffix(name_affix::Affix),
    Labels { labels: StringMap, specs: Vec<FieldSpec> },
    Annotations { annotations: StringMap, specs: Vec<FieldSpec> },
    Replicas { replica: Replica, specs: Vec<FieldSpec> },
    Image { image: Image, specs: Vec<FieldSpec> },
    Replacements(Vec<Replacement>),
    ValueAdd(value_add::ValueAdd),
    Hash,
    Several(Vec<Transformer>),
}

impl Transformer {
    /// Changes the objects.
    pub(crate) fn apply(&self, map: &mut ResMap) -> Result<()> {
        match self {
            Self::StrategicMerge(patches) => patches.apply(map),
            Self::Patch(patch) => patch.apply(map),
            Self::JsonPatch(patch) => patch.apply(map),
            Self::Namespace(namespace) => namespace.apply(map),
            Self::Prefix(affix) => affix.apply(map, name_affix::Side::Front),
            Self::Suffix(affix) => affix.apply(map, name_affix::Side::Back),
            Self::Labels { labels, specs } => labels::set_all(map, labels, specs),
            Self::Annotations { annotations, specs } => labels::set_all(map, annotations, specs),
            Self::Replicas { replica, specs } => replicas::apply(map, replica, specs),
            Self::Image { image, specs } => images::apply(map, image, specs),
            Self::Replacements(replacements) => replacements::apply(map, replacements),
            Self::ValueAdd(value_add) => value_add.apply(map),
            Self::Hash => add_hashes(map),
            Self::Several(all) => all.iter().try_for_each(|transformer| transformer.apply(map)),
        }
    }
}

/// Gives every object that asks for it the hash of its content as a suffix of its name.
pub(crate) fn add_hashes(map: &mut ResMap) -> Result<()> {
    for resource in &mut map.list {
        if resource.needs_hash() {
            let hash = hash::of(resource.node())?;
            resource.store_previous_id()?;
            let name = format!("{}-{hash}", resource.name());
            resource.set_name(&name)?;
        }
    }
    Ok(())
}
