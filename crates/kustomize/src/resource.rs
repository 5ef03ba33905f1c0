//! One object of a build, and what it was called before.

use std::cell::OnceCell;
use std::sync::Arc;

use goyaml::Node;

use crate::error::Result;
use crate::id::{Gvk, ResId};
use crate::merge::{self, ListOrder};
use crate::origin::Origin;
use crate::schema::Schema;
use crate::tree::meta::{self, StringMap};
use crate::tree::{field, is_empty, share, value};

/// Annotations that hold the state of a build; they are removed at its end.
pub(crate) mod annotation {
    pub(crate) const PREVIOUS_KINDS: &str = "internal.config.kubernetes.io/previousKinds";
    pub(crate) const PREVIOUS_NAMES: &str = "internal.config.kubernetes.io/previousNames";
    pub(crate) const PREVIOUS_NAMESPACES: &str = "internal.config.kubernetes.io/previousNamespaces";
    pub(crate) const PREFIXES: &str = "internal.config.kubernetes.io/prefixes";
    pub(crate) const SUFFIXES: &str = "internal.config.kubernetes.io/suffixes";
    pub(crate) const REFERRED_BY: &str = "internal.config.kubernetes.io/refBy";
    pub(crate) const BEHAVIOR: &str = "internal.config.kubernetes.io/generatorBehavior";
    pub(crate) const NEEDS_HASH: &str = "internal.config.kubernetes.io/needsHashSuffix";
    pub(crate) const ALLOW_NAME_CHANGE: &str = "internal.config.kubernetes.io/allowNameChange";
    pub(crate) const ALLOW_KIND_CHANGE: &str = "internal.config.kubernetes.io/allowKindChange";
    pub(crate) const FROM_HELM: &str = "internal.config.kubernetes.io/helm-generated";
    pub(crate) const ORIGIN: &str = "config.kubernetes.io/origin";
    pub(crate) const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";
    pub(crate) const LOCAL: &str = "config.kubernetes.io/local-config";
    /// The value of those that are flags.
    pub(crate) const ENABLED: &str = "enabled";

    /// All that are removed at the end of a build.
    pub(crate) const BUILD: [&str; 19] = [
        PREVIOUS_KINDS,
        PREVIOUS_NAMES,
        PREFIXES,
        SUFFIXES,
        PREVIOUS_NAMESPACES,
        ALLOW_NAME_CHANGE,
        ALLOW_KIND_CHANGE,
        REFERRED_BY,
        BEHAVIOR,
        NEEDS_HASH,
        "internal.config.kubernetes.io/path",
        "internal.config.kubernetes.io/index",
        "internal.config.kubernetes.io/seqindent",
        "internal.config.kubernetes.io/id",
        "internal.config.kubernetes.io/annotations-migration-resource-id",
        "config.kubernetes.io/path",
        "config.kubernetes.io/index",
        "config.k8s.io/id",
        FROM_HELM,
    ];
}

/// What a generator does with an object of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behavior {
    Unspecified,
    Create,
    Replace,
    Merge,
}

impl Behavior {
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "replace" => Self::Replace,
            "merge" => Self::Merge,
            "create" => Self::Create,
            _ => Self::Unspecified,
        }
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Merge => "merge",
        }
    }
}

#[derive(Debug, Clone)]
struct Ids {
    current: ResId,
    previous: Vec<ResId>,
}

/// An object. Its node is `None` after a patch deleted it.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    node: Option<Node>,
    schema: Arc<Schema>,
    ids: OnceCell<Ids>,
    /// The names of the vars that take a value from here.
    pub(crate) var_names: Vec<String>,
    /// Who refers to this object (shown when references are ambiguous).
    pub(crate) referred_by: Vec<ResId>,
}

impl Resource {
    pub(crate) fn new(node: Node, schema: &Arc<Schema>) -> Self {
        Self {
            node: Some(node),
            schema: Arc::clone(schema),
            ids: OnceCell::new(),
            var_names: Vec::new(),
            referred_by: Vec::new(),
        }
    }

    /// The node; an empty one when the object was deleted.
    pub(crate) fn node(&self) -> &Node {
        static EMPTY: std::sync::LazyLock<Node> = std::sync::LazyLock::new(Node::null);
        self.node.as_ref().unwrap_or(&EMPTY)
    }

    /// The node alone.
    pub(crate) fn into_node(self) -> Node {
        self.node.unwrap_or_else(Node::null)
    }

    /// Changes the node.
    pub(crate) fn edit<T>(&mut self, change: impl FnOnce(&mut Node) -> Result<T>) -> Result<Option<T>> {
        self.ids.take();
        let Some(node) = self.node.as_mut() else { return Ok(None) };
        let result = change(node);
        share::settle(node);
        result.map(Some)
    }

    /// Whether the object was deleted or has nothing left.
    pub(crate) fn is_empty(&self) -> bool {
        self.node.as_ref().is_none_or(is_empty)
    }

    fn ids(&self) -> &Ids {
        self.ids.get_or_init(|| {
            let node = self.node();
            let gvk = Gvk::of_node(node, &self.schema);
            let previous = previous_ids(node, &gvk);
            let name = meta::name(node).to_owned();
            let namespace = meta::namespace(node).to_owned();
            Ids { current: ResId { gvk, name, namespace }, previous }
        })
    }

    /// What the object is called now.
    pub(crate) fn current_id(&self) -> &ResId {
        &self.ids().current
    }

    /// What it was called before, the oldest first.
    pub(crate) fn previous_ids(&self) -> &[ResId] {
        &self.ids().previous
    }

    /// What it was called first.
    pub(crate) fn original_id(&self) -> &ResId {
        self.ids().previous.first().unwrap_or(&self.ids().current)
    }

    pub(crate) fn gvk(&self) -> &Gvk {
        &self.ids().current.gvk
    }

    pub(crate) fn kind(&self) -> &str {
        meta::top(self.node(), "kind")
    }

    pub(crate) fn name(&self) -> &str {
        meta::name(self.node())
    }

    pub(crate) fn namespace(&self) -> &str {
        meta::namespace(self.node())
    }

    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        meta::annotation(self.node(), key)
    }

    pub(crate) fn set_annotations(&mut self, map: &StringMap) -> Result<()> {
        self.edit(|node| meta::set_annotations(node, map)).map(drop)
    }

    pub(crate) fn set_name(&mut self, name: &str) -> Result<()> {
        self.edit(|node| meta::set_name(node, name)).map(drop)
    }

    /// Sets an annotation, and writes all annotations anew as strings.
    fn rewrite_annotation(&mut self, key: &str, value: &str) -> Result<()> {
        let mut all = meta::annotations(self.node());
        all.insert(key.to_owned(), value.to_owned());
        self.set_annotations(&all)
    }

    fn append(&mut self, key: &str, value: &str) -> Result<()> {
        if value.is_empty() {
            return Ok(());
        }
        let joined = match self.annotation(key) {
            Some(old) => format!("{old},{value}"),
            None => value.to_owned(),
        };
        self.edit(|node| meta::set_annotation(node, key, &joined)).map(drop)
    }

    /// Notes what the object is called now, before it is called otherwise.
    pub(crate) fn store_previous_id(&mut self) -> Result<()> {
        let id = self.current_id().clone();
        self.append(annotation::PREVIOUS_NAMES, &id.name)?;
        self.append(annotation::PREVIOUS_NAMESPACES, id.effective_namespace())?;
        self.append(annotation::PREVIOUS_KINDS, &id.gvk.kind)
    }

    pub(crate) fn add_name_prefix(&mut self, prefix: &str) -> Result<()> {
        self.append(annotation::PREFIXES, prefix)
    }

    pub(crate) fn add_name_suffix(&mut self, suffix: &str) -> Result<()> {
        self.append(annotation::SUFFIXES, suffix)
    }

    fn is_enabled(&self, key: &str) -> bool {
        self.annotation(key) == Some(annotation::ENABLED)
    }

    /// Sets a flag of the build.
    pub(crate) fn enable(&mut self, key: &str) -> Result<()> {
        self.rewrite_annotation(key, annotation::ENABLED)
    }

    pub(crate) fn needs_hash(&self) -> bool {
        self.is_enabled(annotation::NEEDS_HASH)
    }

    pub(crate) fn behavior(&self) -> Behavior {
        self.annotation(annotation::BEHAVIOR).map_or(Behavior::Unspecified, Behavior::parse)
    }

    pub(crate) fn set_behavior(&mut self, behavior: Behavior) -> Result<()> {
        self.rewrite_annotation(annotation::BEHAVIOR, behavior.text())
    }

    /// Sets or removes the note about where the object comes from.
    pub(crate) fn set_origin(&mut self, origin: Option<&Origin>) -> Result<()> {
        let mut all = meta::annotations(self.node());
        match origin {
            Some(origin) => all.insert(annotation::ORIGIN.to_owned(), origin.print()?),
            None => all.remove(annotation::ORIGIN),
        };
        self.set_annotations(&all)
    }

    /// The text of the note about where the object comes from.
    pub(crate) fn origin(&self) -> Option<Origin> {
        self.annotation(annotation::ORIGIN).map(Origin::read)
    }

    /// Adds to the note about what changed the object.
    pub(crate) fn add_transformation(&mut self, origin: &Origin) -> Result<()> {
        let text = Origin::append_to_list(self.annotation(annotation::TRANSFORMATIONS), origin)?;
        self.rewrite_annotation(annotation::TRANSFORMATIONS, &text)
    }

    /// Removes the note about what changed the object.
    pub(crate) fn clear_transformations(&mut self) -> Result<()> {
        let mut all = meta::annotations(self.node());
        all.remove(annotation::TRANSFORMATIONS);
        self.set_annotations(&all)
    }

    /// Removes everything that only the build needed.
    pub(crate) fn remove_build_annotations(&mut self) -> Result<()> {
        let mut all = meta::annotations(self.node());
        if all.is_empty() {
            return Ok(());
        }
        all.retain(|key, _| !annotation::BUILD.contains(&key.as_str()));
        self.set_annotations(&all)
    }

    /// Takes labels, annotations, name and namespace from `other`, where it has them.
    pub(crate) fn copy_merge_metadata(&mut self, other: &Self) -> Result<()> {
        let mut labels = meta::labels(other.node());
        labels.extend(meta::labels(self.node()));
        let theirs = meta::annotations(other.node());
        let mine = meta::annotations(self.node());
        let needs_hash = mine.contains_key(annotation::NEEDS_HASH);
        let mut merged = theirs.clone();
        merged.extend(mine);
        for key in annotation::BUILD {
            match theirs.get(key) {
                Some(value) => merged.insert(key.to_owned(), value.clone()),
                None => merged.remove(key),
            };
        }
        if !needs_hash {
            merged.remove(annotation::NEEDS_HASH);
        }
        let (name, namespace) = (other.name().to_owned(), other.namespace().to_owned());
        self.edit(|node| {
            meta::set_labels(node, &labels)?;
            meta::set_annotations(node, &merged)?;
            meta::set_name(node, &name)?;
            meta::set_namespace(node, &namespace)
        })?;
        self.var_names.clone_from(&other.var_names);
        Ok(())
    }

    /// Adds the entries of a map of strings that `other` has and this object has not.
    pub(crate) fn merge_data_from(&mut self, other: &Self, name: &str) -> Result<()> {
        let read = |node: &Node| -> StringMap {
            let pairs = field::field(node, name).into_iter().flat_map(Node::pairs);
            pairs.map(|(key, value)| (key.value.clone(), text_of(value))).collect()
        };
        let mut data = read(other.node());
        data.extend(read(self.node()));
        self.edit(|node| {
            field::clear(node, name)?;
            crate::generate::data::load_strings(node, &data, name == "binaryData")
        })?;
        Ok(())
    }

    /// Applies a strategic merge patch. Kind, name and namespace stay unless the patch may change them.
    pub(crate) fn apply_strategic_merge(&mut self, patch: &Self) -> Result<()> {
        let (name, namespace, kind) =
            (self.name().to_owned(), self.namespace().to_owned(), self.kind().to_owned());
        let allow_name = patch.is_enabled(annotation::ALLOW_NAME_CHANGE);
        let allow_kind = patch.is_enabled(annotation::ALLOW_KIND_CHANGE);
        if allow_name || allow_kind {
            self.store_previous_id()?;
        }
        let mut patch_node = patch.node().clone();
        let schema = Arc::clone(&self.schema);
        let kept = self.edit(|node| merge::merge(node, &mut patch_node, &schema, ListOrder::PatchFirst))?;
        if kept == Some(false) {
            self.node = None;
        }
        if self.is_empty() {
            return Ok(());
        }
        self.edit(|node| {
            if !allow_kind {
                meta::set_top(node, "kind", &kind)?;
            }
            if !allow_name {
                meta::set_name(node, &name)?;
            }
            meta::set_namespace(node, &namespace)
        })?;
        Ok(())
    }

    /// The object as it is printed.
    pub(crate) fn to_yaml(&self) -> Result<String> {
        let value = value::to_value(self.node())?;
        Ok(goyaml::to_yaml(&value)?)
    }
}

fn text_of(node: &Node) -> String {
    if crate::tree::is_null(node) { String::new() } else { node.value.clone() }
}

fn previous_ids(node: &Node, gvk: &Gvk) -> Vec<ResId> {
    let list = |key: &str| meta::annotation(node, key).map(|text| text.split(',').collect::<Vec<_>>());
    let Some(names) = list(annotation::PREVIOUS_NAMES) else { return Vec::new() };
    let namespaces = list(annotation::PREVIOUS_NAMESPACES).unwrap_or_default();
    let kinds = list(annotation::PREVIOUS_KINDS).unwrap_or_default();
    let parts = names.iter().zip(namespaces).zip(kinds);
    parts
        .map(|((name, namespace), kind)| ResId {
            gvk: Gvk {
                group: gvk.group.clone(),
                version: gvk.version.clone(),
                kind: kind.to_owned(),
                cluster_scoped: false,
            },
            name: (*name).to_owned(),
            namespace: namespace.to_owned(),
        })
        .collect()
}

/// All that an object was and is called, as replacements match it: without knowing scopes.
pub(crate) fn all_ids(node: &Node) -> Vec<ResId> {
    let current = ResId::of_node(node);
    let previous = previous_ids(node, &current.gvk);
    std::iter::once(current).chain(previous).collect()
}
