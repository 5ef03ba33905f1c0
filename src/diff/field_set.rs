//! Sets of fields as `managedFields` writes them (structured-merge-diff's `fieldsV1`).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::object::{list_at, str_at};

/// Sets nest as deep as objects; deeper is not followed.
const MAX_DEPTH: usize = 64;

/// A set of fields: a tree whose steps are `f:name`, `k:{keys}`, `v:value` and `i:index`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FieldSet {
    /// Whether the field at this place is itself in the set.
    pub(super) member: bool,
    pub(super) children: BTreeMap<String, FieldSet>,
}

impl FieldSet {
    /// Reads `fieldsV1`.
    pub(super) fn read(fields: &Value) -> Self {
        let mut root = Self::at(fields, 0);
        root.member = false;
        root
    }

    fn at(fields: &Value, depth: usize) -> Self {
        let Some(fields) = fields.as_object().filter(|_| depth <= MAX_DEPTH) else {
            return Self { member: true, children: BTreeMap::new() };
        };
        let children = fields.iter().filter(|(step, _)| *step != ".");
        Self {
            member: fields.is_empty() || fields.contains_key("."),
            children: children.map(|(step, inner)| (step.clone(), Self::at(inner, depth + 1))).collect(),
        }
    }

    /// The fields of all entries that `wanted` picks.
    pub(super) fn of_entries(entries: &[Value], wanted: impl Fn(&Value) -> bool) -> Self {
        let mut all = Self::default();
        for entry in entries.iter().filter(|entry| wanted(entry)) {
            all.add(Self::read(entry.get("fieldsV1").unwrap_or(&Value::Null)));
        }
        all
    }

    /// Writes `fieldsV1`.
    pub(super) fn write(&self) -> Value {
        let mut fields = Map::new();
        for (step, inner) in &self.children {
            let mut written = inner.write();
            if inner.member
                && !inner.children.is_empty()
                && let Some(fields) = written.as_object_mut()
            {
                fields.insert(".".to_owned(), Value::Object(Map::new()));
            }
            fields.insert(step.clone(), written);
        }
        Value::Object(fields)
    }

    /// Whether nothing is in the set.
    pub(super) fn is_empty(&self) -> bool {
        !self.member && self.children.values().all(Self::is_empty)
    }

    /// Adds the fields of another set.
    pub(super) fn add(&mut self, other: Self) {
        self.member |= other.member;
        for (step, inner) in other.children {
            self.children.entry(step).or_default().add(inner);
        }
    }

    /// Takes the fields of another set out.
    pub(super) fn subtract(&mut self, other: &Self) {
        self.member &= !other.member;
        for (step, inner) in &mut self.children {
            if let Some(other) = other.children.get(step) {
                inner.subtract(other);
            }
        }
        self.children.retain(|_, inner| !inner.is_empty());
    }

    /// Takes a field out, with all below it.
    pub(super) fn remove(&mut self, names: &[&str]) {
        let Some((name, rest)) = names.split_first() else { return };
        let step = format!("f:{name}");
        if rest.is_empty() {
            self.children.remove(&step);
        } else if let Some(inner) = self.children.get_mut(&step) {
            inner.remove(rest);
            if inner.is_empty() {
                self.children.remove(&step);
            }
        }
    }

    /// Whether a field is in the set.
    #[cfg(test)]
    pub(super) fn has(&self, names: &[&str]) -> bool {
        let found = names.iter().try_fold(self, |set, name| set.children.get(&format!("f:{name}")));
        found.is_some_and(|set| set.member)
    }
}

/// Whether an entry of `managedFields` is about the object itself, not about a subresource such as status.
pub(super) fn is_whole(entry: &Value) -> bool {
    str_at(entry, &["subresource"]).is_none_or(str::is_empty)
}

/// `metadata.managedFields` of an object.
pub fn managed_fields(body: &Value) -> &[Value] {
    list_at(body, &["metadata", "managedFields"])
}

/// The keys of a step `k:{…}`.
pub(super) fn keys_of(step: &str) -> Option<Map<String, Value>> {
    step.strip_prefix("k:").and_then(|text| serde_json::from_str(text).ok())
}

/// Whether an item of a list has these keys; a key that it leaves out is taken for its default where it has one.
pub(super) fn has_keys(item: &Value, keys: &Map<String, Value>) -> bool {
    keys.iter().all(|(name, wanted)| match item.get(name) {
        Some(value) => value == wanted,
        None => name == "protocol" && wanted == "TCP",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sets_are_read_written_added_and_subtracted() {
        let text = json!({"f:spec": {"f:a": {}, "f:list": {".": {}, "k:{\"name\":\"x\"}": {".": {}, "f:image": {}}}}});
        let set = FieldSet::read(&text);
        assert_eq!(set.write(), text);
        let mut more = FieldSet::read(&json!({"f:spec": {"f:list": {"k:{\"name\":\"x\"}": {"f:args": {}}}}}));
        more.add(set.clone());
        assert!(more.has(&["spec", "a"]) && !more.has(&["spec"]));
        more.subtract(&set);
        assert_eq!(more.write(), json!({"f:spec": {"f:list": {"k:{\"name\":\"x\"}": {"f:args": {}}}}}));
        let mut less = set.clone();
        less.remove(&["spec", "a"]);
        less.remove(&["spec", "list"]);
        assert!(less.is_empty() && !set.is_empty());
    }
}
