//! The ordered set of objects of a build.

use std::collections::HashSet;
use std::sync::Arc;

use goyaml::Node;

use crate::error::{Error, Result};
use crate::id::ResId;
use crate::kustomization::{IdPattern, Selector};
use crate::label_selector::LabelSelector;
use crate::origin::Origin;
use crate::resource::{Behavior, Resource, annotation};
use crate::tree::{field, is_null, meta};

/// Objects in the order in which they came. No two have the same current id.
#[derive(Debug, Default, Clone)]
pub(crate) struct ResMap {
    pub(crate) list: Vec<Resource>,
}

fn already_there(id: &ResId) -> Error {
    Error::new(format!("may not add resource with an already registered id: {id}"))
}

impl ResMap {
    /// A set of these objects.
    pub(crate) fn from_list(list: Vec<Resource>) -> Result<Self> {
        let mut map = Self::default();
        map.append_all(list)?;
        Ok(map)
    }

    /// Adds one object.
    pub(crate) fn append(&mut self, resource: Resource) -> Result<()> {
        let id = resource.current_id();
        if self.list.iter().any(|known| known.current_id().same(id)) {
            return Err(already_there(id));
        }
        self.list.push(resource);
        Ok(())
    }

    /// Adds objects.
    pub(crate) fn append_all(&mut self, resources: Vec<Resource>) -> Result<()> {
        if resources.len() < 4 {
            return resources.into_iter().try_for_each(|resource| self.append(resource));
        }
        let mut known: HashSet<_> = self.list.iter().map(|resource| resource.current_id().key()).collect();
        if let Some(double) = resources.iter().find(|one| !known.insert(one.current_id().key())) {
            return Err(already_there(double.current_id()));
        }
        drop(known);
        self.list.extend(resources);
        Ok(())
    }

    /// Removes what patches deleted.
    pub(crate) fn drop_empty(&mut self) {
        self.list.retain(|resource| !resource.is_empty());
    }

    /// The positions of objects for which a condition holds for one of their names, old or current.
    pub(crate) fn matching_any_id(&self, matches: impl Fn(&ResId) -> bool) -> Vec<usize> {
        let fits = |resource: &Resource| {
            !resource.is_empty()
                && (resource.previous_ids().iter().any(&matches) || matches(resource.current_id()))
        };
        self.list.iter().enumerate().filter(|(_, resource)| fits(resource)).map(|(i, _)| i).collect()
    }

    /// The one object that is or was called so.
    pub(crate) fn by_id(&self, id: &ResId) -> Result<usize> {
        let found = self.matching_any_id(|candidate| candidate.same(id));
        let problem = match found[..] {
            [position] => return Ok(position),
            [] => "no matches",
            _ => "multiple matches",
        };
        Err(Error::new(format!("{problem} for Id {id}; failed to find unique target for patch {id}")))
    }

    /// The positions of the objects that a selector takes.
    pub(crate) fn select(&self, selector: &Selector) -> Result<Vec<usize>> {
        let pattern = IdPattern::new(&selector.id)?;
        let mut labels = None;
        let mut annotations = None;
        let mut selected = Vec::new();
        for (i, resource) in self.list.iter().enumerate() {
            let (original, current) = (resource.original_id(), resource.current_id());
            let takes = (pattern.takes_namespace(original.effective_namespace())
                || pattern.takes_namespace(current.effective_namespace()))
                && (pattern.takes_name(&original.name) || pattern.takes_name(&current.name))
                && pattern.takes_gvk(resource.gvk());
            if takes
                && LabelSelector::cached(&mut labels, &selector.labels)?.takes(&meta::labels(resource.node()))
                && LabelSelector::cached(&mut annotations, &selector.annotations)?
                    .takes(&meta::annotations(resource.node()))
            {
                selected.push(i);
            }
        }
        Ok(selected)
    }

    /// Applies a patch to the objects at these positions, and checks that ids are still unique.
    pub(crate) fn apply_strategic_merge(&mut self, selected: &[usize], patch: &Resource) -> Result<()> {
        for &i in selected {
            let Some(resource) = self.list.get_mut(i) else { continue };
            let mut copy = patch.clone();
            copy.copy_merge_metadata(patch)?;
            let api_version = resource.gvk().api_version();
            copy.edit(|node| meta::set_top(node, "apiVersion", &api_version))?;
            resource.apply_strategic_merge(&copy)?;
        }
        let list = std::mem::take(&mut self.list);
        self.append_all(list.into_iter().filter(|resource| !resource.is_empty()).collect())
    }

    /// Adds the results of a generator: new objects, or data for those that are there.
    pub(crate) fn absorb_all(&mut self, other: Self) -> Result<()> {
        other.list.into_iter().try_for_each(|resource| self.absorb(resource))
    }

    fn absorb(&mut self, mut resource: Resource) -> Result<()> {
        let id = resource.current_id().clone();
        let matches = self.matching_any_id(|candidate| candidate.same(&id));
        let position = match matches[..] {
            [] => {
                return match resource.behavior() {
                    Behavior::Merge | Behavior::Replace => Err(Error::new(format!(
                        "id {} does not exist; cannot merge or replace",
                        id.go_syntax()
                    ))),
                    Behavior::Unspecified | Behavior::Create => self.append(resource),
                };
            }
            [position] => position,
            _ => {
                let found: Vec<String> =
                    matches.iter().filter_map(|i| self.list.get(*i)).map(json_text).collect();
                return Err(Error::new(format!(
                    "found multiple objects [{}] that could accept merge of {id}",
                    found.join(" ")
                )));
            }
        };
        let Some(old) = self.list.get_mut(position) else { return Ok(()) };
        match resource.behavior() {
            Behavior::Replace => resource.copy_merge_metadata(old)?,
            Behavior::Merge => merge_generated(&mut resource, old, &id)?,
            behavior @ (Behavior::Unspecified | Behavior::Create) => {
                return Err(Error::new(format!(
                    "id {} exists; can not use behavior: '{}', behavior must be merge or replace",
                    id.go_syntax(),
                    behavior.text()
                )));
            }
        }
        let same = resource.current_id().same(old.current_id());
        if !same {
            return Err(Error::new(format!(
                "cannot find resource with id {} to replace",
                resource.current_id()
            )));
        }
        *old = resource;
        Ok(())
    }

    /// Sets an annotation on all objects.
    pub(crate) fn annotate_all(&mut self, key: &str, value: &str) -> Result<()> {
        let map = std::iter::once((key.to_owned(), value.to_owned())).collect();
        let specs = [crate::tree::field_spec::FieldSpec::any("metadata/annotations", true)];
        crate::transform::labels::set_all(self, &map, &specs)
    }

    /// Notes the origin of objects that have no such note.
    pub(crate) fn add_origin(&mut self, origin: Option<&Origin>) -> Result<()> {
        let Some(origin) = origin else { return Ok(()) };
        let without = |resource: &&mut Resource| resource.annotation(annotation::ORIGIN).is_none();
        self.list.iter_mut().filter(without).try_for_each(|resource| resource.set_origin(Some(origin)))
    }

    /// Notes that a transformer had its hand on all objects.
    pub(crate) fn add_transformation(&mut self, origin: &Origin) -> Result<()> {
        for resource in &mut self.list {
            match resource.annotation(annotation::ORIGIN) {
                Some(_) => resource.add_transformation(origin)?,
                None => resource.set_origin(Some(origin))?,
            }
        }
        Ok(())
    }

    /// All objects as they are printed.
    pub(crate) fn to_yaml(&self, limit: usize) -> Result<String> {
        let mut text = String::new();
        for (i, resource) in self.list.iter().enumerate() {
            if i > 0 {
                text.push_str("---\n");
            }
            text.push_str(&resource.to_yaml().map_err(|error| go_context(resource, error))?);
            if text.len() > limit {
                return Err(Error::with_kind(
                    crate::error::ErrorKind::Limit,
                    format!("the output is longer than {limit} bytes"),
                ));
            }
        }
        Ok(text)
    }
}

/// kustomize puts the whole object in front of the error, in Go's syntax.
fn go_context(resource: &Resource, error: Error) -> Error {
    let has_duplicate = error.message().starts_with("yaml: ");
    let text = if has_duplicate {
        "map[string]interface {}(nil)".to_owned()
    } else {
        crate::go_syntax::object(resource.node())
    };
    error.context(text)
}

/// An object as one line of JSON.
pub(crate) fn json_text(resource: &Resource) -> String {
    match crate::tree::value::to_value(resource.node()) {
        Ok(value) => goyaml::json::to_string(&value, true),
        Err(error) => format!("<{error}>"),
    }
}

fn merge_generated(resource: &mut Resource, old: &Resource, id: &ResId) -> Result<()> {
    let origin = old.origin();
    let is_secret = resource.gvk().api_version() == "v1" && resource.kind() == "Secret";
    let data_source = if is_secret {
        normalize_secret(old).map_err(|error| {
            error.map_message(|text| format!("failed to normalize stringData for {id}: {text}"))
        })?
    } else {
        old.clone()
    };
    resource.copy_merge_metadata(old)?;
    resource.merge_data_from(&data_source, "data")?;
    resource.merge_data_from(old, "binaryData")?;
    match origin {
        Some(origin) => resource.set_origin(Some(&origin)),
        None => Ok(()),
    }
}

/// A copy of a Secret whose `stringData` stands in `data`, as the API server does it.
fn normalize_secret(secret: &Resource) -> Result<Resource> {
    let mut copy = secret.clone();
    copy.edit(|node| {
        if let Some(strings) = node.get("stringData").filter(|strings| !is_null(strings)).cloned() {
            crate::tree::expect_kind(&strings, goyaml::Kind::Mapping)
                .map_err(|error| error.context("read stringData"))?;
            let mut values = meta::StringMap::new();
            for (key, value) in strings.pairs() {
                if value.kind != goyaml::Kind::Scalar {
                    return Err(Error::new(format!(
                        "read stringData: stringData value for key {:?} must be a scalar",
                        key.value
                    )));
                }
                let text = if is_null(value) { String::new() } else { value.value.clone() };
                values.insert(key.value.clone(), text);
            }
            let bytes = values.into_iter().map(|(key, text)| (key, text.into_bytes())).collect();
            crate::generate::data::load_secret(node, &bytes)
                .map_err(|error| error.context("encode stringData"))?;
        }
        field::clear(node, "stringData").map_err(|error| error.context("clear stringData"))
    })?;
    Ok(copy)
}

/// Makes a set with the nodes of these objects.
pub(crate) fn resources(nodes: Vec<Node>, schema: &Arc<crate::schema::Schema>) -> Vec<Resource> {
    nodes.into_iter().map(|node| Resource::new(node, schema)).collect()
}
