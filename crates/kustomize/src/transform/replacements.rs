//! Replacements: the value of a field of one object copied into fields of others.

mod structured;

use goyaml::{Kind, Node};

use crate::error::{Error, Result};
use crate::id::ResId;
use crate::kustomization::{
    DEFAULT_FIELD, FieldOptions, IdPattern, Replacement, Selector, SourceSelector, TargetSelector,
};
use crate::label_selector::LabelSelector;
use crate::resmap::ResMap;
use crate::resource::{Resource, all_ids};
use crate::tree::path_match::{self, Place};
use crate::tree::{is_empty, is_null, lookup, meta, share};

/// Does all replacements in order.
pub(crate) fn apply(map: &mut ResMap, replacements: &[Replacement]) -> Result<()> {
    for replacement in replacements {
        let (true, Some(targets)) =
            (replacement.source_value.is_some() || replacement.source.is_some(), &replacement.targets)
        else {
            return Err(Error::new("replacements must specify a source and at least one target"));
        };
        let value = source_value(map, replacement)?;
        targets.iter().try_for_each(|target| apply_target(map, target, &value))?;
    }
    map.drop_empty();
    Ok(())
}

fn source_value(map: &ResMap, replacement: &Replacement) -> Result<Node> {
    match (&replacement.source_value, &replacement.source) {
        (Some(_), Some(_)) => Err(Error::new("value and resource selectors are mutually exclusive")),
        (Some(value), None) => Ok(Node::scalar(value.clone())),
        (None, None) => Err(Error::new("replacements must specify a source and at least one target")),
        (None, Some(source)) => {
            let object = select_source(map, source)?;
            let path = if source.field_path.is_empty() { DEFAULT_FIELD } else { &source.field_path };
            let found = lookup::lookup(object.node(), &lookup::split_smart(path))
                .map_err(|error| error.context("error looking up replacement source"))?;
            let Some(found) = found.filter(|found| !is_empty(found)) else {
                return Err(Error::new(format!(
                    "fieldPath `{path}` is missing for replacement source {}",
                    source.id
                )));
            };
            refine(found, source.options.as_ref())
        }
    }
}

fn select_source<'m>(map: &'m ResMap, source: &SourceSelector) -> Result<&'m Resource> {
    let mut found = None;
    for resource in &map.list {
        if all_ids(resource.node()).iter().any(|id| id.is_selected_by(&source.id))
            && found.replace(resource).is_some()
        {
            return Err(Error::new(format!("multiple matches for selector {source}")));
        }
    }
    found.ok_or_else(|| Error::new(format!("nothing selected by {source}")))
}

fn text(node: &Node) -> &str {
    if is_null(node) { "" } else { &node.value }
}

fn refine(found: &Node, options: Option<&FieldOptions>) -> Result<Node> {
    let mut copy = found.clone();
    let Some(options) = options.filter(|options| !options.delimiter.is_empty()) else { return Ok(copy) };
    if found.kind != Kind::Scalar {
        return Err(Error::new("delimiter option can only be used with scalar nodes"));
    }
    let part = usize::try_from(options.index).ok().and_then(|i| text(found).split(&options.delimiter).nth(i));
    let Some(part) = part else {
        return Err(Error::new(format!(
            "options.index {} is out of bounds for value {}",
            options.index,
            text(found)
        )));
    };
    copy.value = part.to_owned();
    Ok(copy)
}

/// The expressions of a target.
struct Target<'t> {
    spec: &'t TargetSelector,
    select: IdPattern,
    reject: Vec<IdPattern>,
    selector: &'t Selector,
}

impl<'t> Target<'t> {
    fn new(spec: &'t TargetSelector) -> Result<Self> {
        let Some(selector) = &spec.select else {
            return Err(Error::new("target must specify resources to select"));
        };
        let compile = |selector: &Selector| {
            IdPattern::new(&selector.id).map_err(|error| error.context("error creating target selector"))
        };
        let reject = spec.reject.iter().map(compile).collect::<Result<_>>()?;
        Ok(Self { spec, select: compile(selector)?, reject, selector })
    }

    fn takes(&self, node: &Node, ids: &[ResId]) -> Result<bool> {
        if !fits_selectors(node, self.selector)? {
            return Ok(false);
        }
        for reject in &self.spec.reject {
            let names_something = !reject.annotations.is_empty() || !reject.labels.is_empty();
            if names_something && fits_selectors(node, reject)? {
                return Ok(false);
            }
        }
        let rejects = |pattern: &IdPattern| !pattern.is_empty && ids.iter().any(|id| pattern.takes(id));
        Ok(!self.reject.iter().any(rejects) && ids.iter().any(|id| self.select.takes(id)))
    }
}

fn fits_selectors(node: &Node, selector: &Selector) -> Result<bool> {
    Ok(LabelSelector::parse(&selector.annotations)?.takes(&meta::annotations(node))
        && LabelSelector::parse(&selector.labels)?.takes(&meta::labels(node)))
}

fn apply_target(map: &mut ResMap, spec: &TargetSelector, value: &Node) -> Result<()> {
    let target = Target::new(spec)?;
    let default_path = [DEFAULT_FIELD.to_owned()];
    let paths = if spec.field_paths.is_empty() { &default_path[..] } else { &spec.field_paths };
    for resource in &mut map.list {
        let ids = all_ids(resource.node());
        if target.takes(resource.node(), &ids)? {
            resource.edit(|node| {
                paths.iter().try_for_each(|path| copy_value(node, value, path, spec.options.as_ref()))
            })?;
        }
    }
    Ok(())
}

fn copy_value(node: &mut Node, value: &Node, path: &str, options: Option<&FieldOptions>) -> Result<()> {
    let create = options.is_some_and(|options| options.create).then_some(value.kind);
    if structured::set(node, value, path, options).is_ok() {
        return Ok(());
    }
    let not_found = || {
        let or_create = if create.is_some() { " or create" } else { "" };
        format!("unable to find{or_create} field {path:?} in replacement target")
    };
    let places = path_match::find(node, &lookup::split_smart(path), create)
        .map_err(|error| error.context(not_found()))?;
    if places.is_empty() {
        return Err(Error::new(not_found()));
    }
    set_places(node, places, value, options)
}

fn set_places(
    node: &mut Node,
    places: Vec<Place>,
    value: &Node,
    options: Option<&FieldOptions>,
) -> Result<()> {
    for place in places {
        match place {
            Place::Inside(path) => {
                if let Some(target) = path_match::node_at(node, &path) {
                    set_field(target, value, options)?;
                }
            }
            Place::Detached(mut copy) => set_field(&mut copy, value, options)?,
        }
    }
    Ok(())
}

fn set_field(target: &mut Node, value: &Node, options: Option<&FieldOptions>) -> Result<()> {
    let mut value = value.clone();
    if let Some(options) = options.filter(|options| !options.delimiter.is_empty()) {
        if target.kind != Kind::Scalar {
            return Err(Error::new("delimiter option can only be used with scalar nodes"));
        }
        let mut parts: Vec<&str> = target.value.split(&options.delimiter).collect();
        let new = text(&value).to_owned();
        match usize::try_from(options.index) {
            Err(_) => parts.insert(0, &new),
            Ok(index) => match parts.get_mut(index) {
                Some(part) => *part = &new,
                None => parts.push(&new),
            },
        }
        let joined = parts.join(&options.delimiter);
        value.value = joined;
    }
    if target.kind == Kind::Scalar {
        target.value = value.value;
        share::note(target);
    } else {
        share::overwrite(target, value);
    }
    Ok(())
}
