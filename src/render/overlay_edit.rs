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
    for image in &options.images {
        set_image(&mut kustomization, &env.substitute(image))?;
    }
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

/// `[old=]name[:tag|@digest]`, as `kustomize edit set image` reads it.
fn set_image(fields: &mut Map<String, Value>, image: &str) -> Result<(), Problem> {
    let (old, new) = image.split_once('=').unwrap_or(("", image));
    let (name, digest) = match new.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (new, None),
    };
    let slash = name.rfind('/').map_or(0, |at| at + 1);
    let (name, tag) = match name.get(slash..).and_then(|last| last.find(':')).map(|colon| slash + colon) {
        Some(colon) if digest.is_none() => (name.get(..colon).unwrap_or(name), name.get(colon + 1..)),
        _ => (name, None),
    };
    let target = if old.is_empty() { name } else { old };
    if target.is_empty() {
        return Err(render_problem(format!(
            "spec.source.kustomize.images: \"{image}\" is not an image: write [name=]image[:tag|@digest]"
        )));
    }
    let mut entry = take(fields, "images", target).unwrap_or_else(|| json!({"name": target}));
    if let Some(entry) = entry.as_object_mut() {
        if !old.is_empty() && name != "*" {
            entry.insert("newName".into(), json!(name));
        }
        if let Some(tag) = tag {
            entry.remove("digest");
            entry.insert("newTag".into(), json!(tag));
        }
        if let Some(digest) = digest {
            entry.remove("newTag");
            entry.insert("digest".into(), json!(digest));
        }
    }
    push(fields, "images", entry);
    if let Some(images) = fields.get_mut("images").and_then(Value::as_array_mut) {
        let name = |image: &Value| image.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        images.sort_by_key(name);
    }
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
        let pairs = json!({
            "pairs": wanted,
            "includeSelectors": false,
            "includeTemplates": options.label_include_templates,
        });
        push(fields, "labels", pairs);
        return Ok(());
    }
    let labels =
        mapping(fields, "commonLabels").ok_or_else(|| render_problem("commonLabels is no mapping"))?;
    for (name, value) in wanted {
        if labels.contains_key(name) && !options.force_common_labels {
            return Err(render_problem(format!(
                "label {name} already in kustomization file; set spec.source.kustomize.forceCommonLabels to overwrite it"
            )));
        }
        labels.insert(name.clone(), json!(value));
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
        if exists || !options.ignore_missing_components {
            push(fields, "components", json!(component));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(specs: &[&str]) -> Value {
        let mut fields = Map::new();
        for spec in specs {
            set_image(&mut fields, spec).unwrap();
        }
        fields.remove("images").unwrap()
    }

    #[test]
    fn images_are_read_as_kustomize_edit_reads_them() {
        assert_eq!(
            images(&["app=host:5000/app:v2"]),
            json!([{"name": "app", "newName": "host:5000/app", "newTag": "v2"}])
        );
        assert_eq!(images(&["app:v1", "app@sha256:ab"]), json!([{"name": "app", "digest": "sha256:ab"}]));
        assert!(set_image(&mut Map::new(), "").is_err());
    }
}
