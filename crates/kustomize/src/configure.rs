//! From the fields of a kustomization to generators and transformers, in kustomize's order.

mod text;

use crate::accumulate::Target;
use crate::build::Context;
use crate::config::TransformerConfig;
use crate::error::{Context as _, Result};
use crate::generate::Generated;
use crate::generate::helm::Chart;
use crate::kustomization::{GeneratorArgs, GeneratorOptions, HelmSpec, Label, Metadata};
use crate::origin::Origin;
use crate::plugin::{self, Generator, Helpers};
use crate::transform::Transformer;
use crate::transform::name_affix::Affix;
use crate::transform::namespace::Namespace;
use crate::transform::patches::{AnyPatch, JsonPatch, JsonPatchSpec, StrategicMerge, StrategicMergeSpec};
use crate::tree::field_spec::{FieldSpec, merge_all, merge_one};

type WithOrigin<T> = Vec<(T, Option<Origin>)>;

fn trouble<T>(result: Result<T>, kind: &str, config: impl FnOnce() -> String) -> Result<T> {
    result.context_with(|| format!("trouble configuring builtin {kind} with config: `\n{}`", config()))
}

impl Target {
    fn origin_of(&self, kind: &str) -> Option<Origin> {
        self.origin.as_ref().map(|origin| origin.of_built_in(self.file_name, kind))
    }

    fn with_options(&self, args: &GeneratorArgs) -> GeneratorArgs {
        let global = self.kustomization.generator_options.as_ref();
        let options = GeneratorOptions::merged(args.options.as_ref(), global);
        GeneratorArgs { options, ..args.clone() }
    }
}

/// The generators of a kustomization's own fields.
pub(crate) fn generators(target: &Target, context: &Context<'_>) -> Result<WithOrigin<Generator>> {
    let kustomization = &target.kustomization;
    let mut all = Vec::new();
    for (what, kind, list) in [
        (Generated::ConfigMap, "ConfigMapGenerator", &kustomization.config_map_generator),
        (Generated::Secret, "SecretGenerator", &kustomization.secret_generator),
    ] {
        for args in list {
            let args = Box::new(target.with_options(args));
            all.push((Generator::Data(what, args), target.origin_of(kind)));
        }
    }
    const CHART: &str = "HelmChartInflationGenerator";
    let helpers = context.helpers(&target.loader);
    for chart in &kustomization.helm_charts {
        let mut chart = chart.clone();
        if chart.namespace.is_empty() {
            chart.namespace = if kustomization.namespace.is_empty() {
                target.outer_namespace.clone()
            } else {
                kustomization.namespace.clone()
            };
        }
        let globals = kustomization.helm_globals.clone().unwrap_or_default();
        let config = text::chart(&chart, &globals);
        let built = trouble(Chart::new(HelmSpec { chart, globals }, &helpers), CHART, || config)?;
        all.push((Generator::Chart(Box::new(built)), target.origin_of(CHART)));
    }
    Ok(all)
}

/// The transformers of a kustomization's own fields.
pub(crate) fn transformers(
    target: &Target,
    context: &Context<'_>,
    config: &TransformerConfig,
) -> Result<WithOrigin<Transformer>> {
    let helpers = context.helpers(&target.loader);
    let mut all = Vec::new();
    let mut add = |kind: &str, made: Vec<Transformer>| {
        all.extend(made.into_iter().map(|transformer| (transformer, target.origin_of(kind))));
    };
    add("PatchStrategicMergeTransformer", strategic_merges(target, &helpers)?);
    add("PatchTransformer", patches(target, &helpers)?);
    add("NamespaceTransformer", namespaces(target, config));
    add(
        "PrefixTransformer",
        affix(&target.kustomization.name_prefix, &config.name_prefix, Transformer::Prefix),
    );
    add(
        "SuffixTransformer",
        affix(&target.kustomization.name_suffix, &config.name_suffix, Transformer::Suffix),
    );
    add("LabelTransformer", labels(target, config)?);
    add("AnnotationsTransformer", annotations(target, config));
    add("PatchJson6902Transformer", json_patches(target, &helpers)?);
    add("ReplicaCountTransformer", replicas(target, config));
    add("ImageTagTransformer", images(target, config));
    add("ReplacementTransformer", replacements(target, &helpers)?);
    Ok(all)
}

fn strategic_merges(target: &Target, helpers: &Helpers<'_>) -> Result<Vec<Transformer>> {
    let paths = target.kustomization.patches_strategic_merge.clone().unwrap_or_default();
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    let spec = StrategicMergeSpec { paths, patches: String::new() };
    let built = trouble(StrategicMerge::new(&spec, helpers), "PatchStrategicMergeTransformer", || {
        text::paths(&spec.paths)
    })?;
    Ok(vec![Transformer::StrategicMerge(built)])
}

fn patches(target: &Target, helpers: &Helpers<'_>) -> Result<Vec<Transformer>> {
    let build = |patch| {
        let config = text::patch(patch);
        let built = AnyPatch::new(patch, &config, helpers);
        trouble(built, "PatchTransformer", || config).map(Transformer::Patch)
    };
    target.kustomization.patches.iter().map(build).collect()
}

fn namespaces(target: &Target, config: &TransformerConfig) -> Vec<Transformer> {
    let namespace = &target.kustomization.namespace;
    if namespace.is_empty() {
        return Vec::new();
    }
    let metadata = Metadata { namespace: namespace.clone(), ..Metadata::default() };
    let specs = config.namespace.clone();
    vec![Transformer::Namespace(Namespace { metadata, specs, ..Namespace::default() })]
}

fn affix(text: &str, specs: &[FieldSpec], make: fn(Affix) -> Transformer) -> Vec<Transformer> {
    if text.is_empty() {
        return Vec::new();
    }
    vec![make(Affix { text: text.to_owned(), specs: specs.to_vec() })]
}

fn labels(target: &Target, config: &TransformerConfig) -> Result<Vec<Transformer>> {
    let kustomization = &target.kustomization;
    let common = kustomization.common_labels.clone().unwrap_or_default();
    if kustomization.labels.is_empty() && common.is_empty() {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    for label in &kustomization.labels {
        all.push(Transformer::Labels { labels: label.pairs.clone(), specs: label_specs(label, config)? });
    }
    all.push(Transformer::Labels { labels: common, specs: config.common_labels.clone() });
    Ok(all)
}

fn label_specs(label: &Label, config: &TransformerConfig) -> Result<Vec<FieldSpec>> {
    const FAILED: &str = "failed to merge labels";
    let mut specs = label.fields.clone();
    merge_all(&mut specs, &config.labels).context_with(|| FAILED)?;
    if label.include_selectors {
        merge_all(&mut specs, &config.common_labels).context_with(|| FAILED)?;
        return Ok(specs);
    }
    if label.include_templates {
        merge_all(&mut specs, &config.template_labels)
            .context_with(|| "failed to merge template fieldSpec")?;
    }
    if label.include_volume_claim_templates {
        merge_all(&mut specs, &config.volume_claim_template_labels)
            .context_with(|| "failed to merge volumeClaimTemplate fieldSpec")?;
    }
    merge_one(&mut specs, FieldSpec::any("metadata/labels", true)).context_with(|| FAILED)?;
    Ok(specs)
}

fn annotations(target: &Target, config: &TransformerConfig) -> Vec<Transformer> {
    let annotations = target.kustomization.common_annotations.clone().unwrap_or_default();
    if annotations.is_empty() {
        return Vec::new();
    }
    vec![Transformer::Annotations { annotations, specs: config.common_annotations.clone() }]
}

fn json_patches(target: &Target, helpers: &Helpers<'_>) -> Result<Vec<Transformer>> {
    let list = target.kustomization.patches_json6902.clone().unwrap_or_default();
    let build = |patch: crate::kustomization::Patch| {
        let config = text::json_patch(&patch);
        let spec = JsonPatchSpec { target: patch.target, path: patch.path, json_op: patch.patch };
        trouble(JsonPatch::new(spec, helpers), "PatchJson6902Transformer", || config)
            .map(Transformer::JsonPatch)
    };
    list.into_iter().map(build).collect()
}

fn replicas(target: &Target, config: &TransformerConfig) -> Vec<Transformer> {
    let list = target.kustomization.replicas.iter().cloned();
    list.map(|replica| Transformer::Replicas { replica, specs: config.replicas.clone() }).collect()
}

fn images(target: &Target, config: &TransformerConfig) -> Vec<Transformer> {
    let list = target.kustomization.images.iter().cloned();
    list.map(|image| Transformer::Image { image, specs: config.images.clone() }).collect()
}

fn replacements(target: &Target, helpers: &Helpers<'_>) -> Result<Vec<Transformer>> {
    let list = &target.kustomization.replacements;
    if list.is_empty() {
        return Ok(Vec::new());
    }
    let built = plugin::replacements(list, helpers.loader);
    let built = trouble(built, "ReplacementTransformer", || text::replacements(list))?;
    Ok(vec![Transformer::Replacements(built)])
}
