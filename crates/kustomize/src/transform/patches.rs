//! Patches: strategic merge and JSON 6902, inline and from files.

use goyaml::Value;
use serde_json::Map;

use super::json_patch::{self, Operations};
use crate::decode::{Decode, Decoder};
use crate::error::{Error, Result};
use crate::go_syntax::quote;
use crate::kustomization::{Patch, Selector};
use crate::plugin::Helpers;
use crate::resmap::ResMap;
use crate::resource::{Resource, annotation};
use crate::tree::meta::{self, StringMap};
use crate::tree::value;

/// `patchesStrategicMerge`, or a `PatchStrategicMergeTransformer`.
#[derive(Debug)]
pub(crate) struct StrategicMerge {
    patches: Vec<Resource>,
}

/// The configuration of a `PatchStrategicMergeTransformer`.
#[derive(Debug, Default)]
pub(crate) struct StrategicMergeSpec {
    pub(crate) paths: Vec<String>,
    pub(crate) patches: String,
}

impl Decode for StrategicMergeSpec {
    const NAME: &'static str = "PatchStrategicMergeTransformerPlugin";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "paths" => self.paths = d.strings_of_type(value, "types.PatchStrategicMerge"),
            "patches" => self.patches = d.string(value),
            _ => return false,
        }
        true
    }
}

impl StrategicMerge {
    /// Reads the patches. A path may also be the text of a patch.
    pub(crate) fn new(spec: &StrategicMergeSpec, helpers: &Helpers<'_>) -> Result<Self> {
        if spec.paths.is_empty() && spec.patches.is_empty() {
            return Err(Error::new("empty file path and empty patch content"));
        }
        let mut patches = Vec::new();
        for path in &spec.paths {
            match helpers.parse(path.as_bytes()) {
                Ok(inline) => patches.extend(inline),
                Err(_) => {
                    let content = helpers.loader.load(path)?;
                    patches.extend(
                        helpers.parse(&content).map_err(|error| crate::parse::name_file(error, path))?,
                    );
                }
            }
        }
        if !spec.patches.is_empty() {
            patches.extend(helpers.parse(spec.patches.as_bytes())?);
        }
        if patches.is_empty() {
            return Err(Error::new(format!(
                "patch appears to be empty; files=[{}], Patch={}",
                spec.paths.join(" "),
                spec.patches
            )));
        }
        Ok(Self { patches })
    }

    pub(super) fn apply(&self, map: &mut ResMap) -> Result<()> {
        for patch in &self.patches {
            let target = map.by_id(patch.original_id())?;
            map.apply_strategic_merge(&[target], patch)?;
        }
        Ok(())
    }
}

/// What a patch turned out to be.
#[derive(Debug)]
enum Content {
    StrategicMerge(Vec<Resource>),
    Json(Operations),
    Nothing,
}

/// One entry of `patches`, or a `PatchTransformer`.
#[derive(Debug)]
pub(crate) struct AnyPatch {
    content: Content,
    source: String,
    target: Option<Selector>,
}

impl AnyPatch {
    /// Reads a patch. `config` is its configuration, for messages.
    pub(crate) fn new(patch: &Patch, config: &str, helpers: &Helpers<'_>) -> Result<Self> {
        let inline = patch.patch.trim();
        let (text, source) = match (inline.is_empty(), patch.path.is_empty()) {
            (true, true) => {
                return Err(Error::new(format!("must specify one of patch and path in\n{config}")));
            }
            (false, false) => {
                return Err(Error::new(format!("patch and path can't be set at the same time\n{config}")));
            }
            (false, true) => (inline.to_owned(), format!("[patch: {}]", quote(inline))),
            (true, false) => {
                let content = helpers.loader.load(&patch.path).map_err(|error| {
                    error.context(format!("failed to get the patch file from path({})", patch.path))
                })?;
                let text = String::from_utf8_lossy(&content).into_owned();
                (text, format!("[path: {}]", quote(&patch.path)))
            }
        };
        let content = read_content(&text, &source, helpers)?;
        let content = match content {
            Content::StrategicMerge(mut patches) => {
                for resource in &mut patches {
                    allow(resource, patch)?;
                }
                Content::StrategicMerge(patches)
            }
            other => other,
        };
        Ok(Self { content, source, target: patch.target.clone() })
    }

    pub(super) fn apply(&self, map: &mut ResMap) -> Result<()> {
        match &self.content {
            Content::Nothing => Ok(()),
            Content::StrategicMerge(patches) => self.apply_strategic_merge(map, patches),
            Content::Json(operations) => {
                let Some(target) = &self.target else {
                    return Err(Error::new(format!("must specify a target for JSON patch {}", self.source)));
                };
                for i in map.select(target)? {
                    let Some(resource) = map.list.get_mut(i) else { continue };
                    resource.store_previous_id()?;
                    apply_json(resource, operations)?;
                }
                Ok(())
            }
        }
    }

    fn apply_strategic_merge(&self, map: &mut ResMap, patches: &[Resource]) -> Result<()> {
        if let Some(target) = &self.target {
            let [patch] = patches else {
                return Err(Error::new(format!(
                    "Multiple Strategic-Merge Patches in one `patches` entry is not allowed to set `patches.target` \
                     field: {}",
                    self.source
                )));
            };
            let selected = map.select(target).map_err(|error| {
                let shown = quote(&target.to_string());
                error.context(format!("unable to find patch target {shown} in `resources`"))
            })?;
            return map.apply_strategic_merge(&selected, patch);
        }
        for patch in patches {
            let id = patch.original_id();
            let target = map.by_id(id).map_err(|error| {
                error.context(format!("no resource matches strategic merge patch {}", quote(&id.to_string())))
            })?;
            if let Some(resource) = map.list.get_mut(target) {
                resource.apply_strategic_merge(patch)?;
            }
        }
        Ok(())
    }
}

fn allow(resource: &mut Resource, patch: &Patch) -> Result<()> {
    let options = patch.options.unwrap_or_default();
    if options.allow_name_change {
        resource.enable(annotation::ALLOW_NAME_CHANGE)?;
    }
    if options.allow_kind_change {
        resource.enable(annotation::ALLOW_KIND_CHANGE)?;
    }
    Ok(())
}

fn read_content(text: &str, source: &str, helpers: &Helpers<'_>) -> Result<Content> {
    let merge = helpers.parse(text.as_bytes());
    let json = json_patch::decode(text);
    match (merge, json) {
        (Ok(patches), Ok(Some(operations))) if !patches.is_empty() && !operations.is_empty() => {
            Err(Error::new(format!("illegally qualifies as both an SM and JSON patch: {source}")))
        }
        (Err(_), Err(_)) => Err(Error::new(format!("unable to parse SM or JSON patch from {source}"))),
        (Ok(patches), _) if patches.is_empty() => Ok(Content::Nothing),
        (Ok(patches), _) => Ok(Content::StrategicMerge(patches)),
        (Err(_), Ok(Some(operations))) => Ok(Content::Json(operations)),
        (Err(_), Ok(None)) => Ok(Content::Nothing),
    }
}

/// Applies operations to an object; what the build noted in its annotations stays.
fn apply_json(resource: &mut Resource, operations: &Operations) -> Result<()> {
    let kept: StringMap = meta::annotations(resource.node())
        .into_iter()
        .filter(|(key, _)| {
            key.starts_with("internal.config.kubernetes.io/")
                || matches!(key.as_str(), "config.kubernetes.io/index" | "config.kubernetes.io/path")
        })
        .collect();
    resource.edit(|node| {
        let mut document = value::to_value(node)?;
        json_patch::apply(&mut document, operations)?;
        if !document.is_object() {
            return Err(Error::new(
                "json: cannot unmarshal array into Go value of type map[string]interface {}",
            ));
        }
        *node = value::from_json(&document);
        Ok(())
    })?;
    let mut all = meta::annotations(resource.node());
    all.extend(kept);
    resource.set_annotations(&all)
}

/// One entry of `patchesJson6902`, or a `PatchJson6902Transformer`.
#[derive(Debug)]
pub(crate) struct JsonPatch {
    target: Selector,
    operations: Operations,
}

/// The configuration of a `PatchJson6902Transformer`.
#[derive(Debug, Default)]
pub(crate) struct JsonPatchSpec {
    pub(crate) target: Option<Selector>,
    pub(crate) path: String,
    pub(crate) json_op: String,
}

impl Decode for JsonPatchSpec {
    const NAME: &'static str = "PatchJson6902TransformerPlugin";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "target" => self.target = d.optional(value, "types.Selector"),
            "path" => self.path = d.string(value),
            "jsonop" => self.json_op = d.string(value),
            _ => return false,
        }
        true
    }
}

impl JsonPatch {
    /// Reads a patch.
    pub(crate) fn new(spec: JsonPatchSpec, helpers: &Helpers<'_>) -> Result<Self> {
        let Some(target) = spec.target.filter(|target| !target.id.name.is_empty()) else {
            return Err(Error::new("must specify the target name"));
        };
        let text = match (spec.path.is_empty(), spec.json_op.is_empty()) {
            (true, true) => return Err(Error::new("empty file path and empty jsonOp")),
            (false, false) => return Err(Error::new("must specify a file path or jsonOp, not both")),
            (true, false) => spec.json_op,
            (false, true) => {
                let content = helpers.loader.load(&spec.path)?;
                if content.is_empty() {
                    return Err(Error::new(format!("patch file '{}' empty seems to be empty", spec.path)));
                }
                String::from_utf8_lossy(&content).into_owned()
            }
        };
        let shown = if text.starts_with('[') {
            text.clone()
        } else {
            goyaml::json::to_string(&crate::kustomization::yaml_to_json(text.as_bytes())?, true)
        };
        let decoded =
            json_patch::decode(&text).map_err(|error| error.context(format!("decoding {shown}")))?;
        let operations = decoded.unwrap_or_default();
        if operations.is_empty() {
            return Err(Error::new(format!("patch appears to be empty; file={}, JsonOp={shown}", spec.path)));
        }
        Ok(Self { target, operations })
    }

    pub(super) fn apply(&self, map: &mut ResMap) -> Result<()> {
        for i in map.select(&self.target)? {
            if let Some(resource) = map.list.get_mut(i) {
                apply_json(resource, &self.operations)?;
            }
        }
        Ok(())
    }
}

/// A selector as it is written in a configuration.
pub(crate) fn selector_value(selector: &Selector) -> Value {
    let mut map = Map::new();
    let id = &selector.id;
    for (name, text) in [
        ("group", &id.gvk.group),
        ("version", &id.gvk.version),
        ("kind", &id.gvk.kind),
        ("name", &id.name),
        ("namespace", &id.namespace),
        ("annotationSelector", &selector.annotations),
        ("labelSelector", &selector.labels),
    ] {
        if !text.is_empty() {
            map.insert(name.to_owned(), Value::String(text.clone()));
        }
    }
    Value::Object(map)
}
