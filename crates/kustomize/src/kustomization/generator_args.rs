//! What generators of ConfigMaps and Secrets are told.

use serde_json::Value;

use super::fields::Metadata;
use crate::decode::{Decode, Decoder};
use crate::tree::meta::StringMap;

/// One entry of `configMapGenerator` or `secretGenerator`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct GeneratorArgs {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) behavior: String,
    pub(crate) literals: Vec<String>,
    pub(crate) files: Vec<String>,
    pub(crate) envs: Vec<String>,
    pub(crate) env: String,
    pub(crate) options: Option<GeneratorOptions>,
    /// Of Secrets only.
    pub(crate) secret_type: String,
}

/// `generatorOptions`, or the `options` of one generator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct GeneratorOptions {
    pub(crate) labels: Option<StringMap>,
    pub(crate) annotations: Option<StringMap>,
    pub(crate) disable_name_suffix_hash: bool,
    pub(crate) immutable: bool,
}

impl Decode for GeneratorOptions {
    const NAME: &'static str = "GeneratorOptions";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "labels" => self.labels = (!value.is_null()).then(|| d.string_map(value)),
            "annotations" => self.annotations = (!value.is_null()).then(|| d.string_map(value)),
            "disablenamesuffixhash" => self.disable_name_suffix_hash = d.bool(value),
            "immutable" => self.immutable = d.bool(value),
            _ => return false,
        }
        true
    }
}

impl GeneratorOptions {
    /// The local options with the global ones added: local values win, flags are joined.
    pub(crate) fn merged(local: Option<&Self>, global: Option<&Self>) -> Option<Self> {
        let Some(global) = global else { return local.cloned() };
        let mut merged = local.cloned().unwrap_or_default();
        merge_map(&mut merged.labels, global.labels.as_ref());
        merge_map(&mut merged.annotations, global.annotations.as_ref());
        merged.disable_name_suffix_hash |= global.disable_name_suffix_hash;
        merged.immutable |= global.immutable;
        Some(merged)
    }
}

fn merge_map(local: &mut Option<StringMap>, global: Option<&StringMap>) {
    let Some(global) = global else { return };
    let local = local.get_or_insert_default();
    for (key, value) in global {
        local.entry(key.clone()).or_insert_with(|| value.clone());
    }
}

impl GeneratorArgs {
    fn read(&mut self, d: &mut Decoder, name: &str, value: &Value, secret: bool) -> bool {
        match name {
            "name" => self.name = d.string(value),
            "namespace" => self.namespace = d.string(value),
            "behavior" => self.behavior = d.string(value),
            "literals" => self.literals = d.strings(value),
            "files" => self.files = d.strings(value),
            "envs" => self.envs = d.strings(value),
            "env" => self.env = d.string(value),
            "options" => self.options = d.optional(value, "types.GeneratorOptions"),
            "type" if secret => self.secret_type = d.string(value),
            _ => return false,
        }
        true
    }

    /// The entries of `configMapGenerator`.
    pub(crate) fn config_maps(d: &mut Decoder, value: &Value) -> Vec<Self> {
        d.objects::<ConfigMapArgs>(value).into_iter().map(|args| args.0).collect()
    }

    /// The entries of `secretGenerator`.
    pub(crate) fn secrets(d: &mut Decoder, value: &Value) -> Vec<Self> {
        d.objects::<SecretArgs>(value).into_iter().map(|args| args.0).collect()
    }
}

#[derive(Default)]
struct ConfigMapArgs(GeneratorArgs);

impl Decode for ConfigMapArgs {
    const NAME: &'static str = "ConfigMapArgs";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        self.0.read(d, name, value, false)
    }
}

#[derive(Default)]
struct SecretArgs(GeneratorArgs);

impl Decode for SecretArgs {
    const NAME: &'static str = "SecretArgs";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        self.0.read(d, name, value, true)
    }
}

/// The configuration file of a generator plugin: the same fields, and metadata.
#[derive(Debug, Default)]
pub(crate) struct GeneratorSpec {
    args: GeneratorArgs,
    metadata: Metadata,
}

impl Decode for GeneratorSpec {
    const NAME: &'static str = "ConfigMapGeneratorPlugin";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        if name == "metadata" {
            self.metadata = d.object(value, "types.ObjectMeta");
            return true;
        }
        self.args.read(d, name, value, true)
    }
}

impl GeneratorSpec {
    /// The arguments; name and namespace come from the metadata when nothing else gives them.
    pub(crate) fn into_args(self) -> GeneratorArgs {
        let mut args = self.args;
        if args.name.is_empty() {
            args.name = self.metadata.name;
        }
        if args.namespace.is_empty() {
            args.namespace = self.metadata.namespace;
        }
        args
    }
}
