//! All fields of a kustomization.

use serde_json::Value;

use super::helm::{HelmChart, HelmChartArgs, HelmGlobals};
use super::vars::Var;
use super::{GeneratorArgs, GeneratorOptions, Patch, ReplacementField};
use crate::decode::{Decode, Decoder};
use crate::id::Gvk;
use crate::tree::field_spec::FieldSpec;
use crate::tree::meta::StringMap;

/// A kustomization file. Fields are as in the file; see kustomize's reference.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Kustomization {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) metadata: Option<Metadata>,
    pub(crate) openapi: Option<StringMap>,
    pub(crate) name_prefix: String,
    pub(crate) name_suffix: String,
    pub(crate) namespace: String,
    pub(crate) common_labels: Option<StringMap>,
    pub(crate) labels: Vec<Label>,
    pub(crate) common_annotations: Option<StringMap>,
    pub(crate) patches_strategic_merge: Option<Vec<String>>,
    pub(crate) patches_json6902: Option<Vec<Patch>>,
    pub(crate) patches: Vec<Patch>,
    pub(crate) images: Vec<Image>,
    pub(crate) image_tags: Option<Vec<Image>>,
    pub(crate) replacements: Vec<ReplacementField>,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) vars: Option<Vec<Var>>,
    pub(crate) sort_options: Option<SortOptions>,
    pub(crate) resources: Vec<String>,
    pub(crate) components: Vec<String>,
    pub(crate) crds: Vec<String>,
    pub(crate) bases: Option<Vec<String>>,
    pub(crate) config_map_generator: Vec<GeneratorArgs>,
    pub(crate) secret_generator: Vec<GeneratorArgs>,
    pub(crate) helm_globals: Option<HelmGlobals>,
    pub(crate) helm_charts: Vec<HelmChart>,
    pub(crate) helm_chart_inflation_generator: Vec<HelmChartArgs>,
    pub(crate) generator_options: Option<GeneratorOptions>,
    pub(crate) configurations: Vec<String>,
    pub(crate) generators: Vec<String>,
    pub(crate) transformers: Vec<String>,
    pub(crate) validators: Vec<String>,
    pub(crate) build_metadata: Vec<String>,
}

impl Decode for Kustomization {
    const NAME: &'static str = "Kustomization";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        self.scalar_field(d, name, value) || self.list_field(d, name, value)
    }
}

fn some<T>(value: &Value, read: impl FnOnce() -> T) -> Option<T> {
    (!value.is_null()).then(read)
}

impl Kustomization {
    fn scalar_field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "apiversion" => self.api_version = d.string(value),
            "kind" => self.kind = d.string(value),
            "metadata" => self.metadata = d.optional(value, "types.ObjectMeta"),
            "openapi" => self.openapi = some(value, || d.string_map(value)),
            "nameprefix" => self.name_prefix = d.string(value),
            "namesuffix" => self.name_suffix = d.string(value),
            "namespace" => self.namespace = d.string(value),
            "commonlabels" => self.common_labels = some(value, || d.string_map(value)),
            "commonannotations" => self.common_annotations = some(value, || d.string_map(value)),
            "sortoptions" => self.sort_options = d.optional(value, "types.SortOptions"),
            "helmglobals" => self.helm_globals = d.optional(value, "types.HelmGlobals"),
            "generatoroptions" => self.generator_options = d.optional(value, "types.GeneratorOptions"),
            _ => return false,
        }
        true
    }

    fn list_field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "labels" => self.labels = d.objects(value),
            "patchesstrategicmerge" => {
                self.patches_strategic_merge =
                    some(value, || d.strings_of_type(value, "types.PatchStrategicMerge"));
            }
            "patchesjson6902" => self.patches_json6902 = some(value, || d.objects(value)),
            "patches" => self.patches = d.objects(value),
            "images" => self.images = d.objects(value),
            "imagetags" => self.image_tags = some(value, || d.objects(value)),
            "replacements" => self.replacements = d.objects(value),
            "replicas" => self.replicas = d.objects(value),
            "vars" => self.vars = some(value, || d.objects(value)),
            "resources" => self.resources = d.strings(value),
            "components" => self.components = d.strings(value),
            "crds" => self.crds = d.strings(value),
            "bases" => self.bases = some(value, || d.strings(value)),
            "configmapgenerator" => self.config_map_generator = GeneratorArgs::config_maps(d, value),
            "secretgenerator" => self.secret_generator = GeneratorArgs::secrets(d, value),
            "helmcharts" => self.helm_charts = d.objects(value),
            "helmchartinflationgenerator" => self.helm_chart_inflation_generator = d.objects(value),
            "configurations" => self.configurations = d.strings(value),
            "generators" => self.generators = d.strings(value),
            "transformers" => self.transformers = d.strings(value),
            "validators" => self.validators = d.strings(value),
            "buildmetadata" => self.build_metadata = d.strings(value),
            _ => return false,
        }
        true
    }
}

/// Metadata of a kustomization or of a plugin's configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) labels: StringMap,
    pub(crate) annotations: StringMap,
}

impl Decode for Metadata {
    const NAME: &'static str = "ObjectMeta";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "name" => self.name = d.string(value),
            "namespace" => self.namespace = d.string(value),
            "labels" => self.labels = d.string_map(value),
            "annotations" => self.annotations = d.string_map(value),
            _ => return false,
        }
        true
    }
}

/// `labels`: pairs, and into which fields they go.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Label {
    pub(crate) pairs: StringMap,
    pub(crate) include_selectors: bool,
    pub(crate) include_templates: bool,
    pub(crate) include_volume_claim_templates: bool,
    pub(crate) fields: Vec<FieldSpec>,
}

impl Decode for Label {
    const NAME: &'static str = "Label";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "pairs" => self.pairs = d.string_map(value),
            "includeselectors" => self.include_selectors = d.bool(value),
            "includetemplates" => self.include_templates = d.bool(value),
            "includevolumeclaimtemplates" => self.include_volume_claim_templates = d.bool(value),
            "fields" => self.fields = d.objects(value),
            _ => return false,
        }
        true
    }
}

/// Reads `group`, `version` and `kind`.
pub(crate) fn gvk_field(gvk: &mut Gvk, d: &mut Decoder, name: &str, value: &Value) -> bool {
    match name {
        "group" => gvk.group = d.string(value),
        "version" => gvk.version = d.string(value),
        "kind" => gvk.kind = d.string(value),
        _ => return false,
    }
    true
}

impl Decode for FieldSpec {
    const NAME: &'static str = "FieldSpec";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "path" => self.path = d.string(value),
            "create" => self.create = d.bool(value),
            _ => return gvk_field(&mut self.gvk, d, name, value),
        }
        true
    }
}

/// `images`: which images get which name, tag and digest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) name: String,
    pub(crate) new_name: String,
    pub(crate) tag_suffix: String,
    pub(crate) new_tag: String,
    pub(crate) digest: String,
}

impl Decode for Image {
    const NAME: &'static str = "Image";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "name" => self.name = d.string(value),
            "newname" => self.new_name = d.string(value),
            "tagsuffix" => self.tag_suffix = d.string(value),
            "newtag" => self.new_tag = d.string(value),
            "digest" => self.digest = d.string(value),
            _ => return false,
        }
        true
    }
}

/// `replicas`: how many of which workload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Replica {
    pub(crate) name: String,
    pub(crate) count: i64,
}

impl Decode for Replica {
    const NAME: &'static str = "Replica";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "name" => self.name = d.string(value),
            "count" => self.count = d.integer(value, "int64"),
            _ => return false,
        }
        true
    }
}

/// `sortOptions`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SortOptions {
    pub(crate) order: String,
    pub(crate) legacy: Option<LegacySortOptions>,
}

/// `sortOptions.legacySortOptions`: kinds that come first and last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LegacySortOptions {
    pub(crate) first: Vec<String>,
    pub(crate) last: Vec<String>,
}

impl Decode for SortOptions {
    const NAME: &'static str = "SortOptions";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "order" => self.order = d.string_of_type(value, "types.SortOrder"),
            "legacysortoptions" => self.legacy = d.optional(value, "types.LegacySortOptions"),
            _ => return false,
        }
        true
    }
}

impl Decode for LegacySortOptions {
    const NAME: &'static str = "LegacySortOptions";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "orderfirst" => self.first = d.strings(value),
            "orderlast" => self.last = d.strings(value),
            _ => return false,
        }
        true
    }
}
