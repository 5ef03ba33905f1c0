//! Field specs: which fields of which kinds a transformer changes.

use goyaml::{Kind, Node};

use super::{is_null, lookup, meta};
use crate::error::{Context, Error, Result};
use crate::id::{Gvk, ResId};

/// A path in the objects of some kinds. `spec/containers[]/image` and `spec/containers/image` both go
/// through lists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FieldSpec {
    pub(crate) gvk: Gvk,
    pub(crate) path: String,
    pub(crate) create: bool,
}

impl FieldSpec {
    /// A path in objects of every kind.
    pub(crate) fn any(path: &str, create: bool) -> Self {
        Self { path: path.to_owned(), create, ..Self::default() }
    }

    /// Whether adding `other` to a list that has this one would add nothing.
    fn covers(&self, other: &Self) -> bool {
        self.gvk.is_selected(&other.gvk) && self.path == other.path
    }
}

/// Adds one spec to a list unless the list has it; the same path with another `create` is an error.
pub(crate) fn merge_one(list: &mut Vec<FieldSpec>, spec: FieldSpec) -> Result<()> {
    match list.iter().find(|known| known.covers(&spec)) {
        Some(known) if known.create != spec.create => Err(Error::new("conflicting fieldspecs")),
        Some(_) => Ok(()),
        None => {
            list.push(spec);
            Ok(())
        }
    }
}

/// Adds all specs of another list.
pub(crate) fn merge_all(list: &mut Vec<FieldSpec>, specs: &[FieldSpec]) -> Result<()> {
    specs.iter().try_for_each(|spec| merge_one(list, spec.clone()))
}

/// What a missing field is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Creation {
    pub(crate) kind: Kind,
    pub(crate) tag: &'static str,
}

/// Calls `set` for every node of `object` that `spec` means, if the object is of its kind.
pub(crate) fn apply(
    object: &mut Node,
    spec: &FieldSpec,
    creation: Option<Creation>,
    set: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<()> {
    if !is_of_kind(object, &spec.gvk) {
        return Ok(());
    }
    apply_path(object, &spec.path, Walk { create: spec.create, creation }, set)
}

/// As [`apply`] without creating anything, for objects of one kind whatever that of the spec is.
pub(crate) fn apply_to(
    object: &mut Node,
    gvk: &Gvk,
    path: &str,
    set: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<()> {
    if !is_of_kind(object, gvk) {
        return Ok(());
    }
    apply_path(object, path, Walk { create: false, creation: None }, set)
}

fn apply_path(
    object: &mut Node,
    path: &str,
    walk: Walk,
    set: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<()> {
    if walk.creation.is_none() && lacks_first(object, path) {
        return Ok(());
    }
    let parts = lookup::split_path(path, '/');
    walk.visit(object, &parts, set).map_err(|error| {
        let prefix = format!("considering field '{path}' of object {}", ResId::of_node(object));
        error.context(prefix)
    })
}

/// Whether the object plainly has not the field that the path begins with: true of most specs and objects.
fn lacks_first(object: &Node, path: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    let is_plain = !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_plain && object.kind == Kind::Mapping && object.get(first).is_none()
}

fn is_of_kind(object: &Node, gvk: &Gvk) -> bool {
    if !gvk.kind.is_empty() && gvk.kind != meta::top(object, "kind") {
        return false;
    }
    if gvk.group.is_empty() && gvk.version.is_empty() {
        return true;
    }
    let (group, version) = Gvk::split_api_version(meta::top(object, "apiVersion"));
    (gvk.group.is_empty() || gvk.group == group) && (gvk.version.is_empty() || gvk.version == version)
}

#[derive(Clone, Copy)]
struct Walk {
    create: bool,
    creation: Option<Creation>,
}

impl Walk {
    fn visit(
        self,
        node: &mut Node,
        path: &[String],
        set: &mut dyn FnMut(&mut Node) -> Result<()>,
    ) -> Result<()> {
        let Some((part, rest)) = path.split_first() else { return set(node) };
        if is_null(node) {
            return Ok(());
        }
        match node.kind {
            Kind::Sequence => {
                for item in &mut node.content {
                    self.visit(item, path, set)
                        .context_with(|| format!("visit traversal on path: [{}]", path.join(" ")))?;
                }
                Ok(())
            }
            Kind::Mapping => match self.field(node, part, rest.is_empty())? {
                Some(value) => self.visit(value, rest, set),
                None => Ok(()),
            },
            _ => Err(Error::new("expected sequence or mapping node")),
        }
    }

    fn field<'n>(self, node: &'n mut Node, part: &str, last: bool) -> Result<Option<&'n mut Node>> {
        let (name, through_list) = match part.strip_suffix("[]") {
            Some(name) => (name, true),
            None => (part, false),
        };
        if name.is_empty() {
            return Err(Error::new("cannot set or create an empty field name"));
        }
        let making = match self.creation {
            Some(creation) if self.create && !through_list => {
                Some(if last { creation } else { Creation { kind: Kind::Mapping, tag: goyaml::tags::MAP } })
            }
            _ => None,
        };
        let found = lookup::lookup_mut(node, &[name], making.map(|creation| creation.kind))
            .context_with(|| format!("fieldName: {name}"))?;
        let Some(value) = found else { return Ok(None) };
        let kind = making.or(through_list.then_some(Creation { kind: Kind::Sequence, tag: "" }));
        if let (true, Some(kind)) = (is_null(value), kind) {
            value.kind = kind.kind;
            value.tag = kind.tag.into();
            value.value.clear();
        }
        Ok(Some(value))
    }
}
