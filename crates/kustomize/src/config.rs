//! Where transformers look: the built-in field specs, those of `configurations`, and those of `crds`.

mod crds;

use std::sync::{Arc, LazyLock};

use serde_json::Value;

pub(crate) use crds::load as load_crds;

use crate::decode::{Decode, Decoder};
use crate::error::{Context, Result};
use crate::id::Gvk;
use crate::kustomization::gvk_field;
use crate::loader::Loader;
use crate::transform::sort::gvk_key;
use crate::tree::field_spec::{FieldSpec, merge_all};

/// A kind, and the fields in which its names stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NameReference {
    pub(crate) gvk: Gvk,
    pub(crate) referrers: Vec<FieldSpec>,
}

impl Decode for NameReference {
    const NAME: &'static str = "NameBackReferences";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        if name == "fieldspecs" {
            self.referrers = d.objects(value);
            return true;
        }
        gvk_field(&mut self.gvk, d, name, value)
    }
}

/// The field specs of all transformers.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct TransformerConfig {
    pub(crate) name_prefix: Vec<FieldSpec>,
    pub(crate) name_suffix: Vec<FieldSpec>,
    pub(crate) namespace: Vec<FieldSpec>,
    pub(crate) common_labels: Vec<FieldSpec>,
    pub(crate) labels: Vec<FieldSpec>,
    pub(crate) template_labels: Vec<FieldSpec>,
    pub(crate) volume_claim_template_labels: Vec<FieldSpec>,
    pub(crate) common_annotations: Vec<FieldSpec>,
    pub(crate) name_reference: Vec<NameReference>,
    pub(crate) var_reference: Vec<FieldSpec>,
    pub(crate) images: Vec<FieldSpec>,
    pub(crate) replicas: Vec<FieldSpec>,
}

impl Decode for TransformerConfig {
    const NAME: &'static str = "TransformerConfig";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        if name == "namereference" {
            self.name_reference = d.objects(value);
            return true;
        }
        match self.specs_mut(name) {
            Some(specs) => {
                *specs = d.objects(value);
                true
            }
            None => false,
        }
    }
}

static BUILT_IN: LazyLock<Arc<TransformerConfig>> =
    LazyLock::new(|| Arc::new(TransformerConfig::from_table(include_str!("../data/field_specs.txt"))));

/// The names of the lists of field specs, in lower case, with kustomize's names for them in messages.
const LISTS: [(&str, &str); 11] = [
    ("nameprefix", "NamePrefix"),
    ("namesuffix", "NameSuffix"),
    ("namespace", "NameSpace"),
    ("commonannotations", "CommonAnnotations"),
    ("commonlabels", "CommonLabels"),
    ("labels", "Labels"),
    ("templatelabels", "TemplateLabels"),
    ("volumeclaimtemplatelabels", "VolumeClaimTemplateLabels"),
    ("varreference", "VarReference"),
    ("images", "Images"),
    ("replicas", "Replicas"),
];

impl TransformerConfig {
    /// The built-in field specs.
    pub(crate) fn built_in() -> Arc<Self> {
        Arc::clone(&BUILT_IN)
    }

    /// Adds what another configuration has to a shared one. Most kustomizations have nothing but the
    /// built-in specs, which then stay shared.
    pub(crate) fn merge_shared(this: &mut Option<Arc<Self>>, other: &Arc<Self>) -> Result<()> {
        match this {
            None if Arc::ptr_eq(other, &BUILT_IN) => *this = Some(Arc::clone(other)),
            // Adding specs one by one to nothing drops those that an earlier one of a narrower kind covers.
            None => {
                let mut mine = Self::default();
                mine.merge(other)?;
                *this = Some(Arc::new(mine));
            }
            Some(mine) if Arc::ptr_eq(mine, other) => {}
            Some(mine) => Arc::make_mut(mine).merge(other)?,
        }
        Ok(())
    }

    /// The built-in field specs with those of `configurations` files.
    pub(crate) fn with_files(loader: &Loader, paths: &[String]) -> Result<Self> {
        let mut merged = Self::default();
        for path in paths {
            let content = loader.load(path)?;
            let options =
                goyaml::DecodeOptions { strict: true, numbers: goyaml::Numbers::Json, ..Default::default() };
            let value = goyaml::decode(&content, &options)?;
            let mut config: Self = Decoder::strict_yaml().read(&value).map_err(|error| {
                error.map_message(|text| format!("error unmarshaling JSON: while decoding JSON: {text}"))
            })?;
            config.sort();
            merged.merge(&config)?;
        }
        let mut config = (*Self::built_in()).clone();
        config.merge(&merged)?;
        Ok(config)
    }

    fn specs_mut(&mut self, name: &str) -> Option<&mut Vec<FieldSpec>> {
        Some(match name {
            "nameprefix" => &mut self.name_prefix,
            "namesuffix" => &mut self.name_suffix,
            "namespace" => &mut self.namespace,
            "commonlabels" => &mut self.common_labels,
            "labels" => &mut self.labels,
            "templatelabels" => &mut self.template_labels,
            "volumeclaimtemplatelabels" => &mut self.volume_claim_template_labels,
            "commonannotations" => &mut self.common_annotations,
            "varreference" => &mut self.var_reference,
            "images" => &mut self.images,
            "replicas" => &mut self.replicas,
            _ => return None,
        })
    }

    fn sort(&mut self) {
        for (name, _) in LISTS {
            if let Some(specs) = self.specs_mut(name) {
                specs.sort_by_cached_key(|spec| gvk_key(&spec.gvk));
            }
        }
        self.name_reference.sort_by_cached_key(|reference| gvk_key(&reference.gvk));
    }

    /// Adds what another configuration has.
    pub(crate) fn merge(&mut self, other: &Self) -> Result<()> {
        let mut other = other.clone();
        for (name, shown) in LISTS {
            if let (Some(mine), Some(theirs)) = (self.specs_mut(name), other.specs_mut(name)) {
                merge_all(mine, theirs).context_with(|| format!("failed to merge {shown} fieldSpec"))?;
            }
        }
        for reference in &other.name_reference {
            self.add_name_reference(reference).context_with(|| "failed to merge NameReference fieldSpec")?;
        }
        self.sort();
        Ok(())
    }

    fn add_name_reference(&mut self, reference: &NameReference) -> Result<()> {
        let mut found = false;
        for known in self.name_reference.iter_mut().filter(|known| known.gvk == reference.gvk) {
            merge_all(&mut known.referrers, &reference.referrers)?;
            found = true;
        }
        if !found {
            self.name_reference.push(reference.clone());
        }
        Ok(())
    }

    /// Reads the table of built-in field specs. Nearly every build does: it is in order, and read in one pass.
    fn from_table(text: &str) -> Self {
        let mut config = Self::default();
        for section in text.split("\n[").skip(1) {
            let mut lines = section.lines();
            let mut title = lines.next().unwrap_or_default().trim_end_matches(']').split_ascii_whitespace();
            let name = title.next().unwrap_or_default().to_ascii_lowercase();
            let specs = lines.filter(|line| !line.is_empty()).map(read_spec).collect();
            match config.specs_mut(&name) {
                Some(list) => *list = specs,
                None => {
                    let gvk = read_gvk(&mut title);
                    config.name_reference.push(NameReference { gvk, referrers: specs });
                }
            }
        }
        config
    }
}

fn read_spec(line: &str) -> FieldSpec {
    let mut words = line.split_ascii_whitespace();
    let path = words.next().unwrap_or_default().to_owned();
    FieldSpec { path, gvk: read_gvk(&mut words), create: words.next() == Some("create") }
}

fn read_gvk<'t>(words: &mut impl Iterator<Item = &'t str>) -> Gvk {
    let mut next = || words.next().filter(|word| *word != "-").unwrap_or_default().to_owned();
    let kind = next();
    let group = next();
    Gvk { version: next(), group, kind, cluster_scoped: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_table_is_read_whole_and_in_order() {
        let built_in = TransformerConfig::built_in();
        let mut sorted = (*built_in).clone();
        sorted.sort();
        assert_eq!(*built_in, sorted);
        let lines = include_str!("../data/field_specs.txt").lines();
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with(['#', '['])).count();
        let lists = LISTS.map(|(name, _)| sorted.specs_mut(name).map_or(0, |specs| specs.len()));
        let referrers: usize = sorted.name_reference.iter().map(|one| one.referrers.len()).sum();
        assert_eq!(lists.iter().sum::<usize>() + referrers, lines);
    }
}
