//! Generators and transformers that a kustomization configures in files of their own.

use std::sync::Arc;

use serde_json::Value;

use crate::charts::Charts;
use crate::decode::{Decode, Decoder};
use crate::error::{Context, Error, ErrorKind, Result};
use crate::files::{Entry, Files};
use crate::generate::helm::Chart;
use crate::generate::iam_policy::IamPolicyArgs;
use crate::generate::{self, Generated};
use crate::kustomization::{
    GeneratorArgs, GeneratorSpec, Image, Patch, Replacement, ReplacementField, Replica, yaml_to_json,
};
use crate::loader::Loader;
use crate::options::Options;
use crate::parse::{ParseCache, parse_resources};
use crate::resmap::ResMap;
use crate::resource::Resource;
use crate::schema::Schema;
use crate::transform::Transformer;
use crate::transform::name_affix::Affix;
use crate::transform::namespace::Namespace;
use crate::transform::patches::{AnyPatch, JsonPatch, JsonPatchSpec, StrategicMerge, StrategicMergeSpec};
use crate::transform::value_add::ValueAdd;
use crate::tree::field_spec::FieldSpec;
use crate::tree::meta::StringMap;

/// What generators and transformers may use.
#[derive(Clone, Copy)]
pub(crate) struct Helpers<'b> {
    pub(crate) loader: &'b Loader,
    pub(crate) files: &'b dyn Files,
    pub(crate) charts: &'b dyn Charts,
    pub(crate) options: &'b Options,
    pub(crate) schema: &'b Arc<Schema>,
    pub(crate) cache: &'b ParseCache,
}

impl Helpers<'_> {
    /// The objects in a text.
    pub(crate) fn parse(&self, text: &[u8]) -> Result<Vec<Resource>> {
        parse_resources(text, self.schema, self.cache)
    }

    /// Whether a directory is there.
    pub(crate) fn is_directory(&self, path: &str) -> bool {
        matches!(self.files.resolve(path), Ok(Entry::Directory(_)))
    }
}

/// A generator with its configuration read.
#[derive(Debug)]
pub(crate) enum Generator {
    Data(Generated, Box<GeneratorArgs>),
    Chart(Box<Chart>),
    IamPolicy(IamPolicyArgs),
}

impl Generator {
    /// Makes the objects.
    pub(crate) fn generate(&self, helpers: &Helpers<'_>) -> Result<ResMap> {
        match self {
            Self::Data(what, args) => {
                let resource = generate::make(*what, args, helpers.loader, helpers.schema)?;
                ResMap::from_list(vec![resource])
            }
            Self::Chart(chart) => chart.generate(helpers),
            Self::IamPolicy(args) => ResMap::from_list(vec![Resource::new(args.generate()?, helpers.schema)]),
        }
    }
}

/// What a plugin's configuration asks for.
pub(crate) enum Plugin {
    Generator(Generator),
    Transformer(Transformer),
}

/// Reads the configuration of a plugin. Only built-in ones exist here.
pub(crate) fn load(config: &Resource, helpers: &Helpers<'_>) -> Result<Plugin> {
    let gvk = config.gvk();
    let is_built_in = gvk.group.is_empty() && gvk.version == "builtin";
    if !is_built_in {
        return Err(Error::with_kind(
            ErrorKind::Refused,
            format!(
                "external plugins disabled; unable to load external plugin '{}'",
                config.original_id().gvk.kind
            ),
        ));
    }
    let id = config.original_id().to_string();
    let text = config.to_yaml().context_with(|| format!("marshalling yaml from res {id}"))?;
    configure(&gvk.kind, &text, &gvk.to_string(), helpers, &id)
}

fn read<T: Decode>(text: &str) -> Result<T> {
    // Strings are wanted in many places: numbers keep the text that YAML gives them.
    let options =
        goyaml::DecodeOptions { numbers: goyaml::Numbers::Yaml, ..goyaml::DecodeOptions::default() };
    let value = goyaml::decode(text.as_bytes(), &options)?;
    Decoder::lenient().read(&value).map_err(|error| {
        error.map_message(|text| format!("error unmarshaling JSON: while decoding JSON: {text}"))
    })
}

fn configure(kind: &str, text: &str, gvk: &str, helpers: &Helpers<'_>, id: &str) -> Result<Plugin> {
    let built = match kind {
        "ConfigMapGenerator" | "SecretGenerator" | "IAMPolicyGenerator" | "HelmChartInflationGenerator" => {
            generator(kind, text, helpers).map(Plugin::Generator)
        }
        _ => match transformer(kind, text, helpers) {
            None => return Err(Error::new(format!("unable to load builtin {gvk}"))),
            Some(built) => built.map(Plugin::Transformer),
        },
    };
    built.context_with(|| format!("plugin {id} fails configuration"))
}

fn generator(kind: &str, text: &str, helpers: &Helpers<'_>) -> Result<Generator> {
    let data = |what| Ok(Generator::Data(what, Box::new(read::<GeneratorSpec>(text)?.into_args())));
    match kind {
        "ConfigMapGenerator" => data(Generated::ConfigMap),
        "SecretGenerator" => data(Generated::Secret),
        "IAMPolicyGenerator" => Ok(Generator::IamPolicy(read(text)?)),
        _ => {
            if !helpers.options.enable_helm {
                return Err(Error::new("must specify --enable-helm"));
            }
            Ok(Generator::Chart(Box::new(Chart::new(read(text)?, helpers)?)))
        }
    }
}

fn transformer(kind: &str, text: &str, helpers: &Helpers<'_>) -> Option<Result<Transformer>> {
    Some(match kind {
        "AnnotationsTransformer" => read::<AnnotationsTransformerPlugin>(text)
            .map(|spec| Transformer::Annotations { annotations: spec.annotations, specs: spec.specs }),
        "LabelTransformer" => read::<LabelTransformerPlugin>(text)
            .map(|spec| Transformer::Labels { labels: spec.labels, specs: spec.specs }),
        "HashTransformer" => Ok(Transformer::Hash),
        "ImageTagTransformer" => read::<ImageTagTransformerPlugin>(text)
            .map(|spec| Transformer::Image { image: spec.image, specs: spec.specs }),
        "NamespaceTransformer" => read::<Namespace>(text)
            .context_with(|| "unmarshalling NamespaceTransformer config")
            .and_then(|spec| spec.check().map(|()| Transformer::Namespace(spec))),
        "PatchJson6902Transformer" => read::<JsonPatchSpec>(text)
            .and_then(|spec| JsonPatch::new(spec, helpers))
            .map(Transformer::JsonPatch),
        "PatchStrategicMergeTransformer" => read::<StrategicMergeSpec>(text)
            .and_then(|spec| StrategicMerge::new(&spec, helpers))
            .map(Transformer::StrategicMerge),
        "PatchTransformer" => {
            read::<Patch>(text).and_then(|spec| AnyPatch::new(&spec, text, helpers)).map(Transformer::Patch)
        }
        "PrefixTransformer" => affix(text).map(|(prefix, _)| Transformer::Prefix(prefix)),
        "SuffixTransformer" => affix(text).map(|(_, suffix)| Transformer::Suffix(suffix)),
        "PrefixSuffixTransformer" => affix(text).map(|(prefix, suffix)| {
            Transformer::Several(vec![Transformer::Prefix(prefix), Transformer::Suffix(suffix)])
        }),
        "ReplicaCountTransformer" => read::<ReplicaCountTransformerPlugin>(text)
            .map(|spec| Transformer::Replicas { replica: spec.replica, specs: spec.specs }),
        "ReplacementTransformer" => read::<ReplacementTransformerPlugin>(text)
            .and_then(|spec| replacements(&spec.replacements, helpers.loader))
            .map(Transformer::Replacements),
        "ValueAddTransformer" => {
            read::<ValueAdd>(text).and_then(|spec| spec.complete(helpers.loader)).map(Transformer::ValueAdd)
        }
        _ => return None,
    })
}

fn affix(text: &str) -> Result<(Affix, Affix)> {
    let spec: PrefixTransformerPlugin = read(text)?;
    let Some(specs) = spec.specs else { return Err(Error::new("fieldSpecs is not expected to be nil")) };
    Ok((Affix { text: spec.prefix, specs: specs.clone() }, Affix { text: spec.suffix, specs }))
}

/// The replacements of a list, those in files included.
pub(crate) fn replacements(fields: &[ReplacementField], loader: &Loader) -> Result<Vec<Replacement>> {
    let mut all = Vec::new();
    for field in fields {
        let inline = &field.replacement;
        if field.path.is_empty() {
            all.push(inline.clone());
            continue;
        }
        if inline.source.is_some() || inline.targets.as_ref().is_some_and(|targets| !targets.is_empty()) {
            return Err(Error::new("cannot specify both path and inline replacement"));
        }
        let content = loader.load(&field.path)?;
        let value = yaml_to_json(&content)?;
        let wrap = |error: Error| {
            error.map_message(|text| format!("error unmarshaling JSON: while decoding JSON: {text}"))
        };
        match &value {
            Value::Array(_) => all.extend(Decoder::lenient().read_list::<Replacement>(&value).map_err(wrap)?),
            Value::Object(_) => all.push(Decoder::lenient().read(&value).map_err(wrap)?),
            other => {
                let kind = match other {
                    Value::String(_) => "string",
                    Value::Number(_) => "float64",
                    Value::Bool(_) => "bool",
                    _ => "invalid",
                };
                return Err(Error::new(format!(
                    "unsupported replacement type encountered within replacement path: {kind}"
                )));
            }
        }
    }
    Ok(all)
}

/// Defines a configuration struct and how it is read. The names are Go's: they stand in messages.
macro_rules! spec {
    ($(#[$doc:meta])* $name:ident { $($key:literal => $field:ident: $type:ty = $read:expr;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        struct $name { $($field: $type,)* }

        impl Decode for $name {
            const NAME: &'static str = stringify!($name);

            fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
                match name {
                    $($key => self.$field = ($read)(d, value),)*
                    _ => return false,
                }
                true
            }
        }
    };
}

spec! {
    /// Labels.
    LabelTransformerPlugin {
        "labels" => labels: StringMap = Decoder::string_map;
        "fieldspecs" => specs: Vec<FieldSpec> = Decoder::objects;
    }
}

spec! {
    /// Annotations.
    AnnotationsTransformerPlugin {
        "annotations" => annotations: StringMap = Decoder::string_map;
        "fieldspecs" => specs: Vec<FieldSpec> = Decoder::objects;
    }
}

spec! {
    /// An image.
    ImageTagTransformerPlugin {
        "imagetag" => image: Image = |d: &mut Decoder, value| d.object(value, "types.Image");
        "fieldspecs" => specs: Vec<FieldSpec> = Decoder::objects;
    }
}

spec! {
    /// A prefix, a suffix or both.
    PrefixTransformerPlugin {
        "prefix" => prefix: String = Decoder::string;
        "suffix" => suffix: String = Decoder::string;
        "fieldspecs" => specs: Option<Vec<FieldSpec>> =
            |d: &mut Decoder, value: &Value| (!value.is_null()).then(|| d.objects(value));
    }
}

spec! {
    /// A number of replicas.
    ReplicaCountTransformerPlugin {
        "replica" => replica: Replica = |d: &mut Decoder, value| d.object(value, "types.Replica");
        "fieldspecs" => specs: Vec<FieldSpec> = Decoder::objects;
    }
}

spec! {
    /// Replacements.
    ReplacementTransformerPlugin {
        "replacements" => replacements: Vec<ReplacementField> = Decoder::objects;
    }
}

/// Whether both sets hold the same objects; validators may not change any.
pub(crate) fn check_unchanged(before: &ResMap, after: &ResMap) -> Result<()> {
    let wrap = |text: String| Error::new(format!("validator shouldn't modify the resource map: {text}"));
    if before.list.len() != after.list.len() {
        return Err(wrap("lists have different number of entries".to_owned()));
    }
    for resource in &before.list {
        let id = resource.current_id();
        let Some(other) = after.list.iter().find(|other| other.current_id().same(id)) else {
            return Err(wrap(format!("id in self missing from other; id: {id}")));
        };
        let shown = crate::resmap::json_text;
        if resource.node() != other.node() {
            return Err(wrap(format!("nodes unequal: \n -- {},\n -- {}\n\n", shown(resource), shown(other))));
        }
    }
    Ok(())
}
