//! Reading a kustomization file: decoding, warnings about old fields, fixing them, and the rules.

use serde_json::Value;

use super::fields::Kustomization;
use super::helm;
use crate::decode::Decoder;
use crate::error::{Error, Result};

const VERSION: &str = "kustomize.config.k8s.io/v1beta1";
const KIND: &str = "Kustomization";
const COMPONENT_VERSION: &str = "kustomize.config.k8s.io/v1alpha1";
/// The kind of a component.
pub(crate) const COMPONENT_KIND: &str = "Component";

/// Reads the text of a kustomization file that stands in directory `root`. Warnings are added to
/// `warnings`.
pub(crate) fn load(text: &[u8], root: &str, warnings: &mut Vec<String>) -> Result<Kustomization> {
    let value = yaml_to_json(text).map_err(|error| error.context("invalid Kustomization"))?;
    let mut read: Kustomization =
        Decoder::strict().read(&value).map_err(|error| error.context("invalid Kustomization"))?;
    warn(&read, warnings);
    fix(&mut read);
    if is_empty(&value) {
        return Err(Error::new("kustomization.yaml is empty"));
    }
    let errors = enforce(&read);
    if !errors.is_empty() {
        return Err(Error::new(format!(
            "Failed to read kustomization file under {root}:\n{}",
            errors.join("\n")
        )));
    }
    Ok(read)
}

/// What `YAMLToJSON` of `sigs.k8s.io/yaml` makes of a text.
pub(crate) fn yaml_to_json(text: &[u8]) -> Result<Value> {
    let options =
        goyaml::DecodeOptions { numbers: goyaml::Numbers::Json, ..goyaml::DecodeOptions::default() };
    goyaml::decode(text, &options).map_err(|error| {
        let error = Error::from(error);
        error.map_message(|text| text.trim_start_matches("error converting YAML to JSON: ").to_owned())
    })
}

fn warn(read: &Kustomization, warnings: &mut Vec<String>) {
    const FIX: &str = "Run 'kustomize edit fix' to update your Kustomization automatically.";
    let mut add = |is_set: bool, old: &str, new: &str, mark: &str| {
        if is_set {
            warnings
                .push(format!("# Warning: '{old}' is deprecated. Please use '{new}' instead. {mark}{FIX}"));
        }
    };
    add(read.bases.is_some(), "bases", "resources", "");
    add(read.common_labels.is_some(), "commonLabels", "labels", "");
    add(read.image_tags.is_some(), "imageTags", "images", "");
    add(read.patches_json6902.is_some(), "patchesJson6902", "patches", "");
    add(read.patches_strategic_merge.is_some(), "patchesStrategicMerge", "patches", "");
    add(read.vars.is_some(), "vars", "replacements", "[EXPERIMENTAL] ");
}

fn fix(read: &mut Kustomization) {
    if read.kind.is_empty() {
        read.kind = KIND.to_owned();
    }
    if read.api_version.is_empty() {
        let version = if read.kind == COMPONENT_KIND { COMPONENT_VERSION } else { VERSION };
        read.api_version = version.to_owned();
    }
    read.resources.extend(read.bases.take().unwrap_or_default());
    read.images.extend(read.image_tags.take().unwrap_or_default());
    for args in read.config_map_generator.iter_mut().chain(&mut read.secret_generator) {
        if !args.env.is_empty() {
            args.envs.push(std::mem::take(&mut args.env));
        }
    }
    let (charts, globals) = helm::split(std::mem::take(&mut read.helm_chart_inflation_generator));
    if read.helm_globals.is_none() && globals != helm::HelmGlobals::default() {
        read.helm_globals = Some(globals);
    }
    read.helm_charts.extend(charts);
}

/// Whether a file says nothing but its type.
fn is_empty(value: &Value) -> bool {
    let Value::Object(map) = value else { return true };
    map.iter().all(|(name, value)| match name.to_lowercase().as_str() {
        "apiversion" | "kind" => true,
        "bases" | "imagetags" | "helmchartinflationgenerator" => value.as_array().is_none_or(Vec::is_empty),
        _ => value.is_null() || value.as_str() == Some(""),
    })
}

fn enforce(read: &Kustomization) -> Vec<String> {
    let mut errors = Vec::new();
    if read.kind != KIND && read.kind != COMPONENT_KIND {
        errors.push(format!("kind should be {KIND} or {COMPONENT_KIND}"));
    }
    let version = if read.kind == COMPONENT_KIND { COMPONENT_VERSION } else { VERSION };
    if read.api_version != version {
        errors.push(format!("apiVersion for {} should be {version}", read.kind));
    }
    errors
}
