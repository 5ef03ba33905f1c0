//! Names for objects: group, version and kind; kind, name and namespace.

use std::fmt;
use std::hash::{Hash, Hasher};

use goyaml::Node;

use crate::schema::Schema;
use crate::tree::meta;

/// The namespace in messages and build annotations of objects that have none by their nature.
pub(crate) const NO_NAMESPACE: &str = "_non_namespaceable_";
const DEFAULT_NAMESPACE: &str = "default";

/// Group, version and kind. Empty parts mean: any, in a selector.
#[derive(Debug, Clone, Default)]
pub struct Gvk {
    /// API group; empty for the core group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Kind.
    pub kind: String,
    pub(crate) cluster_scoped: bool,
}

impl PartialEq for Gvk {
    fn eq(&self, other: &Self) -> bool {
        self.group == other.group && self.version == other.version && self.kind == other.kind
    }
}

impl Eq for Gvk {}

impl Hash for Gvk {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.group, &self.version, &self.kind).hash(state);
    }
}

impl Gvk {
    /// `group/version` or `version` taken apart.
    pub(crate) fn split_api_version(api_version: &str) -> (&str, &str) {
        api_version.split_once('/').unwrap_or(("", api_version))
    }

    /// What an object says of itself; whether its kind has namespaces is looked up.
    pub(crate) fn of_node(node: &Node, schema: &Schema) -> Self {
        let api_version = meta::top(node, "apiVersion");
        let kind = meta::top(node, "kind");
        let (group, version) = Self::split_api_version(api_version);
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            cluster_scoped: schema.is_cluster_scoped(api_version, kind),
        }
    }

    /// `group/version`, or `version` for the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Whether every part that `selector` names is the same.
    pub(crate) fn is_selected(&self, selector: &Self) -> bool {
        (selector.group.is_empty() || selector.group == self.group)
            && (selector.version.is_empty() || selector.version == self.version)
            && (selector.kind.is_empty() || selector.kind == self.kind)
    }
}

/// `Deployment.v1.apps`
impl fmt::Display for Gvk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |text: &'static str, value: &str| {
            if value.is_empty() { text.to_owned() } else { value.to_owned() }
        };
        write!(
            f,
            "{}.{}.{}",
            or("[noKind]", &self.kind),
            or("[noVer]", &self.version),
            or("[noGrp]", &self.group)
        )
    }
}

/// Kind, name and namespace with the default one spelled out.
pub(crate) type Key<'i> = (&'i Gvk, &'i str, &'i str);

/// Which object: group, version, kind, name and namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ResId {
    /// Group, version and kind.
    pub gvk: Gvk,
    /// Name.
    pub name: String,
    /// Namespace; empty means the default one, or none for kinds without namespaces.
    pub namespace: String,
}

impl ResId {
    /// What an object says of itself, without looking up whether its kind has namespaces.
    pub(crate) fn of_node(node: &Node) -> Self {
        let (group, version) = Gvk::split_api_version(meta::top(node, "apiVersion"));
        let gvk = Gvk {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: meta::top(node, "kind").to_owned(),
            cluster_scoped: false,
        };
        Self { gvk, name: meta::name(node).to_owned(), namespace: meta::namespace(node).to_owned() }
    }

    /// The namespace with the default one spelled out.
    pub(crate) fn effective_namespace(&self) -> &str {
        if self.gvk.cluster_scoped {
            NO_NAMESPACE
        } else if self.namespace.is_empty() {
            DEFAULT_NAMESPACE
        } else {
            &self.namespace
        }
    }

    /// Whether both are in the same namespace.
    pub(crate) fn same_namespace(&self, other: &Self) -> bool {
        self.effective_namespace() == other.effective_namespace()
    }

    /// Whether kind and name are the same.
    pub(crate) fn same_kind_and_name(&self, other: &Self) -> bool {
        self.name == other.name && self.gvk == other.gvk
    }

    /// Whether both mean the same object.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.same_namespace(other) && self.same_kind_and_name(other)
    }

    /// Whether every part that `selector` names is the same.
    pub(crate) fn is_selected_by(&self, selector: &Self) -> bool {
        (selector.name.is_empty() || selector.name == self.name)
            && (selector.namespace.is_empty() || selector.same_namespace(self))
            && self.gvk.is_selected(&selector.gvk)
    }

    /// Whether nothing is named.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// A key under which the same objects, and only they, are found.
    pub(crate) fn key(&self) -> Key<'_> {
        (&self.gvk, &self.name, self.effective_namespace())
    }

    /// As Go's `%#v` prints it.
    pub(crate) fn go_syntax(&self) -> String {
        format!(
            "resid.ResId{{Gvk:resid.Gvk{{Group:{:?}, Version:{:?}, Kind:{:?}, isClusterScoped:{}}}, Name:{:?}, Namespace:{:?}}}",
            self.gvk.group,
            self.gvk.version,
            self.gvk.kind,
            self.gvk.cluster_scoped,
            self.name,
            self.namespace
        )
    }
}

/// `Deployment.v1.apps/web.prod`
impl fmt::Display for ResId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() { "[noName]" } else { &self.name };
        let namespace = if self.namespace.is_empty() { "[noNs]" } else { &self.namespace };
        write!(f, "{}/{name}.{namespace}", self.gvk)
    }
}
