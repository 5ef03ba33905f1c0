//! The table of an OpenAPI v2 document, or of kustomize's own joined with that of an API server.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value, json};

use super::table::{SERVER, Table};

type Document = Map<String, Value>;

/// How the names of definitions begin that an API server has by itself; those of CRDs begin otherwise.
const BUILT_IN: [&str; 4] =
    ["io.k8s.api.", "io.k8s.apimachinery.", "io.k8s.apiextensions-apiserver.", "io.k8s.kube-aggregator."];

/// How deep inline schemas (not references) may nest.
const DEEPEST_INLINE: usize = 64;

/// A kind: its shape, if it has one, whether its objects are in namespaces, if known, and whether only the
/// server's document has it.
#[derive(Debug, Clone, Copy, Default)]
struct KindEntry {
    shape: Option<u32>,
    namespaced: Option<bool>,
    server: bool,
}

type Kinds = BTreeMap<(String, String), KindEntry>;

impl Table {
    /// The table of an OpenAPI v2 document, or of kyaml's bundle of one: `definitions`, and `paths` or
    /// `resources` for the scopes.
    pub fn from_openapi(document: &Value) -> Self {
        Builder::new(document, None).table()
    }

    /// The table of one field's schema; see [`Table::field_shape`].
    pub(crate) fn of_field(schema: Value) -> Self {
        Self::from_openapi(&json!({"definitions": {"": {"properties": {"": schema}}}}))
    }

    /// The table of kustomize's own document, joined with that of an API server: what the server says and
    /// kustomize does not is marked, kinds, fields, strategies and keys. CRDs of the server are left out.
    pub fn joined(kustomize: &Value, server: &Value) -> Self {
        Builder::new(kustomize, Some(server)).table()
    }
}

fn section<'d>(document: &'d Value, name: &str) -> Option<&'d Document> {
    document.get(name).and_then(Value::as_object)
}

fn type_of(gvk: &Value) -> Option<(String, String)> {
    let text = |name: &str| gvk.get(name).and_then(Value::as_str);
    let version = text("version")?;
    let api_version = match text("group") {
        Some(group) if !group.is_empty() => format!("{group}/{version}"),
        _ => version.to_owned(),
    };
    Some((api_version, text("kind")?.to_owned()))
}

fn types_of(schema: &Value) -> impl Iterator<Item = (String, String)> {
    let kinds = schema.get("x-kubernetes-group-version-kind").and_then(Value::as_array);
    kinds.into_iter().flatten().filter_map(type_of)
}

/// The words for a list's strategy and keys.
fn strategy(schema: &Value) -> Vec<String> {
    let text = |name: &str| schema.get(name).and_then(Value::as_str);
    let Some(strategy) = text("x-kubernetes-patch-strategy") else { return Vec::new() };
    let list = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
    let keys: Vec<&str> = match list {
        Some(keys) => keys.iter().filter_map(Value::as_str).collect(),
        None => text("x-kubernetes-patch-merge-key").into_iter().collect(),
    };
    let keys = (!keys.is_empty()).then(|| format!(":{}", keys.join(",")));
    std::iter::once(format!("+{strategy}")).chain(keys).collect()
}

/// Whether the objects of the kinds that `paths` serves are in namespaces.
fn scopes_of_paths(document: &Value) -> BTreeMap<(String, String), bool> {
    let mut scopes = BTreeMap::new();
    for (path, item) in section(document, "paths").into_iter().flatten() {
        if let Some(kind) = item.pointer("/get/x-kubernetes-group-version-kind").and_then(type_of) {
            *scopes.entry(kind).or_insert(false) |= path.contains("namespaces/{namespace}");
        }
    }
    scopes
}

/// A schema of the document, and what the server's document has in its place.
#[derive(Clone, Copy)]
struct Pair<'d> {
    ours: &'d Value,
    server: Option<&'d Value>,
}

impl<'d> Pair<'d> {
    fn inner(self, pointer: &str) -> Option<Pair<'d>> {
        let server = self.server.and_then(|schema| schema.pointer(pointer));
        self.ours.pointer(pointer).map(|ours| Pair { ours, server })
    }
}

struct Builder<'d> {
    document: &'d Value,
    server: Option<&'d Value>,
    shapes: Vec<Cow<'static, str>>,
    known: HashMap<&'d str, u32>,
    same: HashMap<String, u32>,
    kinds: Kinds,
}

impl<'d> Builder<'d> {
    fn new(document: &'d Value, server: Option<&'d Value>) -> Self {
        Self {
            document,
            server,
            shapes: Vec::new(),
            known: HashMap::new(),
            same: HashMap::new(),
            kinds: Kinds::new(),
        }
    }

    fn table(mut self) -> Table {
        let ours = section(self.document, "definitions").map(|all| all.keys()).into_iter().flatten();
        let theirs = self.server.and_then(|server| section(server, "definitions"));
        let theirs = theirs.map(|all| all.keys()).into_iter().flatten();
        let theirs = theirs.filter(|name| BUILT_IN.iter().any(|beginning| name.starts_with(beginning)));
        for name in ours.chain(theirs).collect::<BTreeSet<_>>() {
            self.definition(name);
        }
        self.scopes();
        let definitions = section(self.document, "definitions");
        let is_ours = |name: &str| definitions.is_some_and(|all| all.contains_key(name));
        let mut names: Vec<(&str, u32)> = self.known.into_iter().collect();
        names.sort_unstable();
        let names =
            names.into_iter().map(|(name, number)| line(&[name, &number.to_string()], !is_ours(name)));
        Table {
            kinds: self.kinds.iter().map(kind_line).collect(),
            names: names.collect(),
            shapes: self.shapes,
        }
    }

    fn scopes(&mut self) {
        for (kind, namespaced) in scopes_of_paths(self.document) {
            self.kinds.entry(kind).or_default().namespaced = Some(namespaced);
        }
        for resource in self.document.get("resources").and_then(Value::as_array).into_iter().flatten() {
            let text = |name: &str| resource.get(name).and_then(Value::as_str);
            let (Some(api_version), Some(kind)) = (text("apiVersion"), text("kind")) else { continue };
            if let Some(scope @ ("Namespaced" | "Cluster")) = text("scope") {
                let entry = self.kinds.entry((api_version.to_owned(), kind.to_owned())).or_default();
                entry.namespaced = Some(scope == "Namespaced");
            }
        }
        for (kind, namespaced) in self.server.map(scopes_of_paths).unwrap_or_default() {
            if let Some(entry) = self.kinds.get_mut(&kind).filter(|entry| entry.server) {
                entry.namespaced = Some(namespaced);
            }
        }
    }

    fn reserve(&mut self) -> u32 {
        self.shapes.push(Cow::Borrowed(""));
        u32::try_from(self.shapes.len() - 1).unwrap_or(u32::MAX)
    }

    /// The number of a named definition's shape.
    fn definition(&mut self, name: &str) -> Option<u32> {
        if let Some(number) = self.known.get(name) {
            return Some(*number);
        }
        let ours = section(self.document, "definitions").and_then(|all| all.get_key_value(name));
        let theirs = self.server.and_then(|server| section(server, "definitions")?.get_key_value(name));
        let (name, schema) = ours.or(theirs)?;
        let number = self.reserve();
        self.known.insert(name, number);
        let words = self.words(Pair { ours: schema, server: theirs.map(|(_, schema)| schema) }, 0);
        if let Some(slot) = self.shapes.get_mut(number as usize) {
            *slot = Cow::Owned(words);
        }
        for kind in ours.into_iter().flat_map(|(_, schema)| types_of(schema)) {
            let entry = self.kinds.entry(kind).or_default();
            (entry.shape, entry.server) = (Some(number), false);
        }
        for kind in theirs.into_iter().flat_map(|(_, schema)| types_of(schema)) {
            let new = KindEntry { shape: Some(number), namespaced: None, server: true };
            self.kinds.entry(kind).or_insert(new);
        }
        Some(number)
    }

    /// The reference to the shape of a schema that stands inside another.
    fn inline(&mut self, schema: Pair<'d>, depth: usize) -> Option<String> {
        if depth > DEEPEST_INLINE {
            return None;
        }
        if let Some(reference) = schema.ours.get("$ref").and_then(Value::as_str) {
            let name = reference.strip_prefix("#/definitions/")?;
            let number = self.definition(name);
            return Some(number.map_or_else(|| format!("@{name}"), |number| number.to_string()));
        }
        let words = self.words(schema, depth + 1);
        if let Some(number) = self.same.get(&words) {
            return Some(number.to_string());
        }
        let number = self.reserve();
        if let Some(slot) = self.shapes.get_mut(number as usize) {
            *slot = Cow::Owned(words.clone());
        }
        self.same.insert(words, number);
        Some(number.to_string())
    }

    fn words(&mut self, schema: Pair<'d>, depth: usize) -> String {
        let mut words = self.properties(schema, depth);
        let is_array = schema.ours.get("type").and_then(Value::as_str) == Some("array");
        if let (true, Some(items)) = (is_array, schema.inner("/items"))
            && let Some(number) = self.inline(items, depth)
        {
            words.push(format!("[{number}"));
        }
        if let Some(values) = schema.inner("/additionalProperties").filter(|values| values.ours.is_object())
            && let Some(number) = self.inline(values, depth)
        {
            words.push(format!("{{{number}"));
        }
        let ours = strategy(schema.ours);
        let theirs = schema.server.map(strategy).unwrap_or_default();
        if theirs != ours {
            words.extend(theirs.iter().map(|word| format!("~{word}")));
        }
        words.extend(ours);
        words.join(" ")
    }

    fn properties(&mut self, schema: Pair<'d>, depth: usize) -> Vec<String> {
        let ours = section(schema.ours, "properties");
        let theirs = schema.server.and_then(|schema| section(schema, "properties"));
        let names: BTreeSet<&String> =
            [ours, theirs].into_iter().flatten().flat_map(Document::keys).collect();
        let mut words = Vec::new();
        for name in names {
            let of = |all: Option<&'d Document>| all.and_then(|all| all.get(name));
            let (mark, inner) = match (of(ours), of(theirs)) {
                (Some(ours), server) => ("", Pair { ours, server }),
                (None, Some(server)) => ("~", Pair { ours: server, server: None }),
                (None, None) => continue,
            };
            if let Some(number) = self.inline(inner, depth) {
                words.push(format!("{mark}{name}={number}"));
            }
        }
        words
    }
}

fn line(words: &[&str], server: bool) -> Cow<'static, str> {
    let last = server.then_some(SERVER);
    Cow::Owned(words.iter().copied().chain(last).collect::<Vec<_>>().join(" "))
}

fn kind_line(((api_version, kind), entry): (&(String, String), &KindEntry)) -> Cow<'static, str> {
    let shape = entry.shape.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let scope = match entry.namespaced {
        Some(true) => "namespaced",
        Some(false) => "cluster",
        None => "-",
    };
    line(&[api_version, kind, &shape, scope], entry.server)
}
