//! The table of shapes: made from an OpenAPI document, written as text, read from text.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};

type Document = Map<String, Value>;

/// A kind of the table: its shape, if it has one, and whether its objects are in namespaces, if known.
#[derive(Debug, Clone, Copy, Default)]
struct KindEntry {
    shape: Option<u32>,
    namespaced: Option<bool>,
}

/// Shapes of objects and what is known of kinds.
///
/// A shape is a line of words: `field=N` (the shape of a field), `[N` (of the items of a list), `{N` (of the
/// values of a map), `+merge` (the patch strategy), `:a,b` (the merge keys). In place of a number, `@name` is
/// a definition that another document has.
#[derive(Debug, Default)]
pub struct Table {
    shapes: Vec<Cow<'static, str>>,
    kinds: HashMap<(String, String), KindEntry>,
    names: HashMap<Cow<'static, str>, u32>,
}

/// One shape of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape<'t> {
    table: &'t Table,
    /// Where definitions are that the table refers to and has not.
    other: Option<&'t Table>,
    words: &'t str,
}

impl<'t> Shape<'t> {
    fn at(self, reference: &str) -> Option<Shape<'t>> {
        match reference.strip_prefix('@') {
            Some(name) => {
                let other = self.other?;
                other.shape(*other.names.get(name)? as usize, None)
            }
            None => self.table.shape(reference.parse().ok()?, self.other),
        }
    }

    fn reference(self, mark: char) -> Option<Shape<'t>> {
        let word = self.words.split(' ').find_map(|word| word.strip_prefix(mark))?;
        self.at(word)
    }

    /// The shape of a field, or of the values of a map.
    pub(crate) fn field(self, name: &str) -> Option<Shape<'t>> {
        let found = self.words.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        match found {
            Some(reference) => self.at(reference),
            None => self.reference('{'),
        }
    }

    /// The shape of the items of a list.
    pub(crate) fn items(self) -> Option<Shape<'t>> {
        self.reference('[')
    }

    /// The patch strategy (`merge`, `merge,retainKeys`, `replace`), empty when there is none.
    pub(crate) fn strategy(self) -> &'t str {
        self.words.split(' ').find_map(|word| word.strip_prefix('+')).unwrap_or("")
    }

    /// The keys by which the items of a list are merged; only lists with a strategy have them.
    pub(crate) fn merge_keys(self) -> Vec<String> {
        if self.strategy().is_empty() {
            return Vec::new();
        }
        let keys = self.words.split(' ').find_map(|word| word.strip_prefix(':')).unwrap_or("");
        keys.split(',').filter(|key| !key.is_empty()).map(str::to_owned).collect()
    }

    /// Whether a list is merged item by item.
    pub(crate) fn merges_items(self) -> bool {
        self.strategy().split(',').any(|word| word == "merge")
    }
}

impl Table {
    /// Reads what [`Table::to_text`] wrote.
    pub fn from_text(text: &'static str) -> Self {
        let mut table = Self::default();
        let mut section = 0;
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            match (line, section) {
                ("---", _) => section += 1,
                (line, 0) => table.read_kind(line),
                (line, 1) => {
                    if let Some((name, number)) = line.split_once(' ')
                        && let Ok(number) = number.parse()
                    {
                        table.names.insert(Cow::Borrowed(name), number);
                    }
                }
                (line, _) => table.shapes.push(Cow::Borrowed(line)),
            }
        }
        table
    }

    fn read_kind(&mut self, line: &str) {
        let mut words = line.split(' ');
        let (Some(api_version), Some(kind)) = (words.next(), words.next()) else { return };
        let shape = words.next().and_then(|number| number.parse().ok());
        let namespaced = match words.next() {
            Some("namespaced") => Some(true),
            Some("cluster") => Some(false),
            _ => None,
        };
        self.kinds.insert((api_version.to_owned(), kind.to_owned()), KindEntry { shape, namespaced });
    }

    /// The table as text: kinds, names of definitions, shapes, with lines `---` between.
    pub fn to_text(&self) -> String {
        let mut kinds: Vec<_> = self.kinds.iter().collect();
        kinds.sort_by_key(|(name, _)| (*name).clone());
        let mut text = String::new();
        for ((api_version, kind), entry) in kinds {
            let shape = entry.shape.map_or_else(|| "-".to_owned(), |number| number.to_string());
            let scope = match entry.namespaced {
                Some(true) => "namespaced",
                Some(false) => "cluster",
                None => "-",
            };
            let _ = writeln!(text, "{api_version} {kind} {shape} {scope}");
        }
        text.push_str("---\n");
        let mut names: Vec<_> = self.names.iter().collect();
        names.sort();
        for (name, number) in names {
            let _ = writeln!(text, "{name} {number}");
        }
        text.push_str("---\n");
        for shape in &self.shapes {
            text.push_str(shape);
            text.push('\n');
        }
        text
    }

    fn shape<'t>(&'t self, number: usize, other: Option<&'t Table>) -> Option<Shape<'t>> {
        self.shapes.get(number).map(|words| Shape { table: self, other, words })
    }

    pub(super) fn kind<'t>(
        &'t self,
        api_version: &str,
        kind: &str,
        other: Option<&'t Table>,
    ) -> Option<Shape<'t>> {
        let entry = self.kinds.get(&(api_version.to_owned(), kind.to_owned()))?;
        self.shape(entry.shape? as usize, other)
    }

    pub(super) fn is_namespaced(&self, api_version: &str, kind: &str) -> Option<bool> {
        self.kinds.get(&(api_version.to_owned(), kind.to_owned()))?.namespaced
    }

    /// The table of an OpenAPI v2 document, or of kyaml's bundle of one: `definitions`, and `paths` or
    /// `resources` for the scopes.
    pub fn from_openapi(document: &Value) -> Self {
        let empty = Document::new();
        let section = |name: &str| document.get(name).and_then(Value::as_object).unwrap_or(&empty);
        let definitions = section("definitions");
        let mut builder =
            Builder { definitions, table: Self::default(), known: HashMap::new(), same: HashMap::new() };
        let mut names: Vec<&String> = definitions.keys().collect();
        names.sort();
        for name in names {
            builder.definition(name);
        }
        let mut table = builder.table;
        table.names =
            builder.known.into_iter().map(|(name, number)| (Cow::Owned(name.to_owned()), number)).collect();
        table.read_paths(section("paths"));
        for resource in document.get("resources").and_then(Value::as_array).into_iter().flatten() {
            table.read_resource(resource);
        }
        table
    }

    fn scope(&mut self, api_version: String, kind: String) -> &mut Option<bool> {
        &mut self.kinds.entry((api_version, kind)).or_default().namespaced
    }

    fn read_paths(&mut self, paths: &Document) {
        for (path, item) in paths {
            let Some(gvk) = item.pointer("/get/x-kubernetes-group-version-kind") else { continue };
            let Some((api_version, kind)) = type_of(gvk) else { continue };
            let namespaced = path.contains("namespaces/{namespace}");
            let scope = self.scope(api_version, kind);
            *scope = Some(namespaced || *scope == Some(true));
        }
    }

    fn read_resource(&mut self, resource: &Value) {
        let text = |name: &str| resource.get(name).and_then(Value::as_str);
        let (Some(api_version), Some(kind)) = (text("apiVersion"), text("kind")) else { return };
        match text("scope") {
            Some("Namespaced") => *self.scope(api_version.to_owned(), kind.to_owned()) = Some(true),
            Some("Cluster") => *self.scope(api_version.to_owned(), kind.to_owned()) = Some(false),
            _ => {}
        }
    }
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

/// How deep inline schemas (not references) may nest.
const DEEPEST_INLINE: usize = 64;

struct Builder<'d> {
    definitions: &'d Document,
    table: Table,
    known: HashMap<&'d str, u32>,
    same: HashMap<String, u32>,
}

impl<'d> Builder<'d> {
    fn reserve(&mut self) -> u32 {
        self.table.shapes.push(Cow::Borrowed(""));
        u32::try_from(self.table.shapes.len() - 1).unwrap_or(u32::MAX)
    }

    /// The number of a named definition's shape.
    fn definition(&mut self, name: &str) -> Option<u32> {
        if let Some(number) = self.known.get(name) {
            return Some(*number);
        }
        let (name, schema) = self.definitions.get_key_value(name)?;
        let number = self.reserve();
        self.known.insert(name, number);
        let words = self.words(schema, 0);
        if let Some(slot) = self.table.shapes.get_mut(number as usize) {
            *slot = Cow::Owned(words);
        }
        let kinds = schema.get("x-kubernetes-group-version-kind").and_then(Value::as_array);
        for (api_version, kind) in kinds.into_iter().flatten().filter_map(type_of) {
            self.table.kinds.entry((api_version, kind)).or_default().shape = Some(number);
        }
        Some(number)
    }

    /// The reference to the shape of a schema that stands inside another.
    fn inline(&mut self, schema: &'d Value, depth: usize) -> Option<String> {
        if depth > DEEPEST_INLINE {
            return None;
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let name = reference.strip_prefix("#/definitions/")?;
            let number = self.definition(name);
            return Some(number.map_or_else(|| format!("@{name}"), |number| number.to_string()));
        }
        let words = self.words(schema, depth + 1);
        if let Some(number) = self.same.get(&words) {
            return Some(number.to_string());
        }
        let number = self.reserve();
        if let Some(slot) = self.table.shapes.get_mut(number as usize) {
            *slot = Cow::Owned(words.clone());
        }
        self.same.insert(words, number);
        Some(number.to_string())
    }

    fn words(&mut self, schema: &'d Value, depth: usize) -> String {
        let mut words = Vec::new();
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            let mut names: Vec<&String> = properties.keys().collect();
            names.sort();
            for name in names {
                if let Some(number) = properties.get(name).and_then(|property| self.inline(property, depth)) {
                    words.push(format!("{name}={number}"));
                }
            }
        }
        let is_array = schema.get("type").and_then(Value::as_str) == Some("array");
        if let (true, Some(items)) = (is_array, schema.get("items"))
            && let Some(number) = self.inline(items, depth)
        {
            words.push(format!("[{number}"));
        }
        if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object())
            && let Some(number) = self.inline(values, depth)
        {
            words.push(format!("{{{number}"));
        }
        let text = |name: &str| schema.get(name).and_then(Value::as_str);
        if let Some(strategy) = text("x-kubernetes-patch-strategy") {
            words.push(format!("+{strategy}"));
            let list = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
            let keys: Vec<&str> = match list {
                Some(keys) => keys.iter().filter_map(Value::as_str).collect(),
                None => text("x-kubernetes-patch-merge-key").into_iter().collect(),
            };
            if !keys.is_empty() {
                words.push(format!(":{}", keys.join(",")));
            }
        }
        words.join(" ")
    }
}
