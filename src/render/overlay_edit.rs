//! `spec.source.kustomize`: what is changed in a kustomization before it is built, as `kustomize edit` would.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::api::{KustomizeSource, ReplicaCount};
use crate::flow::{Problem, Tree, TreePath};

use super::env::Env;
use super::overlay::kustomization_of;
use super::{documents, render_problem, tree_problem};

/// The kustomization with the application's options in it; nothing where there are none.
pub(super) fn edited(
    tree: &Tree,
    root: &TreePath,
    options: &KustomizeSource,
    env: &Env<'_>,
) -> Result<Option<(TreePath, Vec<u8>)>, Problem> {
    let ignored = KustomizeSource {
        version: options.version.clone(),
        kube_version: options.kube_version.clone(),
        api_versions: options.api_versions.clone(),
        ..KustomizeSource::default()
    };
    if *options == ignored {
        return Ok(None);
    }
    let Some(path) = kustomization_of(tree, root)? else {
        return Err(render_problem(format!("{}: there is no kustomization here", root.as_str())));
    };
    let text = tree.read(&path).map_err(|error| tree_problem(&error))?;
    let mut documents = documents::read_json_or_yaml(path.as_str(), &text)?;
    let mut kustomization = match documents.pop() {
        Some(Value::Object(fields)) if documents.is_empty() => fields,
        None => Map::new(),
        Some(_) => return Err(render_problem(format!("{}: a kustomization is one mapping", path.as_str()))),
    };
    set_texts(&mut kustomization, options);
    set_images(&mut kustomization, options, env)?;
    set_replicas(&mut kustomization, options)?;
    set_labels(&mut kustomization, options, env)?;
    set_annotations(&mut kustomization, options, env)?;
    for patch in &options.patches {
        let patch = serde_json::to_value(patch).unwrap_or_default();
        push(&mut kustomization, "patches", patch);
    }
    add_components(tree, root, &mut kustomization, options)?;
    Ok(Some((path, Value::Object(kustomization).to_string().into_bytes())))
}

/// Adds to a list; what is there but no list is replaced, since kustomize would refuse it anyway.
fn push(fields: &mut Map<String, Value>, name: &str, item: Value) {
    match fields.get_mut(name).and_then(Value::as_array_mut) {
        Some(items) => items.push(item),
        None => drop(fields.insert(name.to_owned(), Value::Array(vec![item]))),
    }
}

/// Takes the entry with a name out of a list.
fn take(fields: &mut Map<String, Value>, list: &str, name: &str) -> Option<Value> {
    let items = fields.get_mut(list)?.as_array_mut()?;
    let index = items.iter().position(|entry| entry.get("name").and_then(Value::as_str) == Some(name))?;
    Some(items.remove(index))
}

fn set_texts(fields: &mut Map<String, Value>, options: &KustomizeSource) {
    let texts = [
        ("namePrefix", &options.name_prefix),
        ("nameSuffix", &options.name_suffix),
        ("namespace", &options.namespace),
    ];
    for (name, text) in texts {
        if !text.is_empty() {
            fields.insert(name.into(), json!(text));
        }
    }
}

/// `[old=]name[:tag][@digest]`, as `kustomize edit set image` reads it.
struct ImageChange {
    name: String,
    new_name: String,
    tag: String,
    digest: String,
}

impl ImageChange {
    fn parse(text: &str) -> Option<Self> {
        let (old, new) = text.split_once('=').unwrap_or(("", text));
        // A colon before the first slash is that of a port.
        let (host, rest) = new.split_at(new.find('/').unwrap_or(0));
        let (rest, digest) = rest.split_once('@').unwrap_or((rest, ""));
        let (rest, tag) = rest.split_once(':').unwrap_or((rest, ""));
        let name = format!("{host}{rest}");
        if name == text {
            return None;
        }
        let (name, new_name) = if old.is_empty() { (name, String::new()) } else { (old.to_owned(), name) };
        Some(Self { name, new_name, tag: tag.to_owned(), digest: digest.to_owned() })
    }

    /// The entry of the kustomization: an asterisk keeps what the old one has.
    fn entry(&self, old: Option<&Value>) -> Value {
        let mut entry = Map::from_iter([("name".to_owned(), json!(self.name))]);
        for (field, wanted) in [("newName", &self.new_name), ("newTag", &self.tag), ("digest", &self.digest)]
        {
            let value = match wanted.as_str() {
                "*" => old.and_then(|old| old.get(field)).cloned(),
                "" => None,
                text => Some(json!(text)),
            };
            entry.extend(value.map(|value| (field.to_owned(), value)));
        }
        Value::Object(entry)
    }
}

/// Sets images, each in the place of what the kustomization says about this name.
fn set_images(
    fields: &mut Map<String, Value>,
    options: &KustomizeSource,
    env: &Env<'_>,
) -> Result<(), Problem> {
    if options.images.is_empty() {
        return Ok(());
    }
    let mut changes = BTreeMap::new();
    for image in &options.images {
        let image = env.substitute(image);
        let Some(change) = ImageChange::parse(&image) else {
            return Err(render_problem(format!(
                "spec.source.kustomize.images: \"{image}\" changes nothing: write [name=]image[:tag][@digest]"
            )));
        };
        changes.insert(change.name.clone(), change);
    }
    let name = |image: &Value| image.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut images: BTreeMap<String, Value> = BTreeMap::new();
    // imageTags is what the field was called once.
    let known = ["images", "imageTags"].map(|list| fields.remove(list));
    for old in known.iter().flatten().filter_map(Value::as_array).flatten() {
        let entry = changes.get(&name(old)).map_or_else(|| old.clone(), |change| change.entry(Some(old)));
        images.insert(name(old), entry);
    }
    for (name, change) in &changes {
        images.entry(name.clone()).or_insert_with(|| change.entry(None));
    }
    fields.insert("images".into(), images.into_values().collect());
    Ok(())
}

fn set_replicas(fields: &mut Map<String, Value>, options: &KustomizeSource) -> Result<(), Problem> {
    for replica in &options.replicas {
        let count = match &replica.count {
            ReplicaCount::Number(count) => *count,
            ReplicaCount::Text(text) => text.parse().map_err(|_| {
                render_problem(format!(
                    "spec.source.kustomize.replicas: count \"{text}\" of {} is no number",
                    replica.name
                ))
            })?,
        };
        take(fields, "replicas", &replica.name);
        push(fields, "replicas", json!({"name": replica.name, "count": count}));
    }
    Ok(())
}

fn mapping<'a>(fields: &'a mut Map<String, Value>, name: &str) -> Option<&'a mut Map<String, Value>> {
    fields.entry(name).or_insert_with(|| json!({})).as_object_mut()
}

fn set_labels(
    fields: &mut Map<String, Value>,
    options: &KustomizeSource,
    env: &Env<'_>,
) -> Result<(), Problem> {
    if options.common_labels.is_empty() {
        return Ok(());
    }
    let wanted: BTreeMap<&String, String> =
        options.common_labels.iter().map(|(name, value)| (name, env.substitute(value))).collect();
    if options.label_without_selector {
        return add_labels(fields, wanted, options);
    }
    if options.label_include_templates {
        return Err(render_problem(
            "spec.source.kustomize.labelIncludeTemplates needs labelWithoutSelector: set both",
        ));
    }
    let labels =
        mapping(fields, "commonLabels").ok_or_else(|| render_problem("commonLabels is no mapping"))?;
    for (name, value) in wanted {
        if labels.contains_key(name) && !options.force_common_labels {
            return Err(label_exists(name));
        }
        labels.insert(name.clone(), json!(value));
    }
    Ok(())
}

fn label_exists(name: &str) -> Problem {
    render_problem(format!(
        "label {name} already in kustomization file; set spec.source.kustomize.forceCommonLabels to overwrite it"
    ))
}

/// Adds to the first entry of `labels` that treats selectors and templates the same, or to a new one.
fn add_labels(
    fields: &mut Map<String, Value>,
    wanted: BTreeMap<&String, String>,
    options: &KustomizeSource,
) -> Result<(), Problem> {
    let flag = |entry: &Value, name: &str| entry.get(name).and_then(Value::as_bool).unwrap_or_default();
    let same = |entry: &Value| {
        !flag(entry, "includeSelectors") && flag(entry, "includeTemplates") == options.label_include_templates
    };
    let known = fields.get("labels").and_then(Value::as_array);
    if !known.is_some_and(|entries| entries.iter().any(same)) {
        push(fields, "labels", json!({"includeTemplates": options.label_include_templates}));
    }
    let entries = fields.get_mut("labels").and_then(Value::as_array_mut);
    let entry = entries.and_then(|entries| entries.iter_mut().find(|entry| same(entry)));
    let pairs = entry.and_then(Value::as_object_mut).and_then(|entry| mapping(entry, "pairs"));
    let pairs = pairs.ok_or_else(|| render_problem("labels: pairs is no mapping"))?;
    for (name, value) in wanted {
        if pairs.contains_key(name) && !options.force_common_labels {
            return Err(label_exists(name));
        }
        pairs.insert(name.clone(), json!(value));
    }
    Ok(())
}

fn set_annotations(
    fields: &mut Map<String, Value>,
    options: &KustomizeSource,
    env: &Env<'_>,
) -> Result<(), Problem> {
    if options.common_annotations.is_empty() {
        return Ok(());
    }
    let annotations = mapping(fields, "commonAnnotations")
        .ok_or_else(|| render_problem("commonAnnotations is no mapping"))?;
    for (name, value) in &options.common_annotations {
        if annotations.contains_key(name) && !options.force_common_annotations {
            return Err(render_problem(format!(
                "annotation {name} already in kustomization file; set spec.source.kustomize.forceCommonAnnotations to \
                 overwrite it"
            )));
        }
        let value = if options.common_annotations_envsubst { env.substitute(value) } else { value.clone() };
        annotations.insert(name.clone(), json!(value));
    }
    Ok(())
}

fn add_components(
    tree: &Tree,
    root: &TreePath,
    fields: &mut Map<String, Value>,
    options: &KustomizeSource,
) -> Result<(), Problem> {
    for component in &options.components {
        let exists =
            root.join(component).ok().is_some_and(|path| tree.find(&path).is_ok_and(|found| found.is_some()));
        let is_known = fields
            .get("components")
            .and_then(Value::as_array)
            .is_some_and(|known| known.iter().any(|known| known == component));
        if !is_known && (exists || !options.ignore_missing_components) {
            push(fields, "components", json!(component));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_read_as_kustomize_edit_reads_them() {
        let read = |text: &str| ImageChange::parse(text).map(|change| change.entry(None));
        assert_eq!(
            read("app=host:5000/app:v2"),
            Some(json!({"name": "app", "newName": "host:5000/app", "newTag": "v2"}))
        );
        assert_eq!(
            read("host:5000/app:v1@sha256:ab"),
            Some(json!({"name": "host:5000/app", "newTag": "v1", "digest": "sha256:ab"}))
        );
        for nothing in ["", "app", "host:5000/app"] {
            assert_eq!(read(nothing), None, "{nothing}");
        }
        let old = json!({"name": "app", "newName": "mine", "newTag": "v1", "digest": "sha256:ab"});
        let kept = ImageChange::parse("app=*:v2").map(|change| change.entry(Some(&old)));
        assert_eq!(kept, Some(json!({"name": "app", "newName": "mine", "newTag": "v2"})));
    }
}
