//! A kustomization file as a value: its fields, how they are read, and the rules about them.

mod fields;
mod generator_args;
mod helm;
mod load;
mod patch;
mod replacement;

pub(crate) use fields::{
    Image, Kustomization, Label, LegacySortOptions, Metadata, Replica, SortOptions, gvk_field,
};
pub(crate) use generator_args::{GeneratorArgs, GeneratorOptions, GeneratorSpec};
pub(crate) use helm::{HelmChart, HelmGlobals, HelmSpec};
pub(crate) use load::{COMPONENT_KIND, load, yaml_to_json};
pub(crate) use patch::{IdPattern, Patch, Selector};
pub(crate) use replacement::{
    DEFAULT_FIELD, FieldOptions, Replacement, ReplacementField, SourceSelector, TargetSelector,
};

pub(crate) mod vars;
