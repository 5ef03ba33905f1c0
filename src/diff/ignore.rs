//! ignoreDifferences: fields that do not count.

use std::sync::Arc;

use serde_json::Value;

use crate::api::IgnoreDifferences;
use crate::flow::{PathLanguage, PathQuery, PathStep};
use crate::object::{ResourceKey, glob_matches};
use crate::settings::Customizations;

use super::{KnownFields, managed, pointer};

/// A rule of which a part cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ignoreDifferences[{index}]: {message}")]
pub struct InvalidRule {
    /// Place of the rule in `spec.ignoreDifferences`; those of the system are counted behind them.
    pub index: usize,
    /// What is wrong with it and what to write instead.
    pub message: String,
}

/// Rules, read once per application: its own, then those of the system.
#[derive(Clone, Debug, Default)]
pub struct IgnoreRules {
    rules: Vec<Rule>,
    known: KnownFields,
    /// Those for what other controllers write. What is applied never takes that from them.
    drift: Option<Arc<IgnoreRules>>,
}

#[derive(Clone, Debug)]
struct Rule {
    group: String,
    kind: String,
    name: String,
    namespace: String,
    pointers: Vec<Vec<String>>,
    queries: Vec<Arc<dyn PathQuery>>,
    managers: Vec<String>,
}

impl IgnoreRules {
    /// Reads the rules of an application and those of the system. A part of a rule that cannot be read is left out
    /// and named.
    pub fn read(
        rules: &[IgnoreDifferences],
        system: &Customizations,
        language: &dyn PathLanguage,
    ) -> (Self, Vec<InvalidRule>) {
        let mut read = Self { rules: Vec::new(), known: KnownFields::new(system), drift: None };
        if !system.known_drift.is_empty() {
            let none = Customizations::default();
            read.drift = Some(Arc::new(Self::read(&system.known_drift, &none, language).0));
        }
        let system = system.ignore_differences.iter().chain(&system.known_drift);
        let mut problems = Vec::new();
        for (index, rule) in rules.iter().chain(system).enumerate() {
            let mut wrong = |message: String| problems.push(InvalidRule { index, message });
            let mut pointers = Vec::new();
            for text in &rule.json_pointers {
                match pointer::tokens(text) {
                    Some(tokens) if !tokens.is_empty() => pointers.push(tokens),
                    _ => wrong(format!(
                        "\"{text}\" is not a JSON pointer: it starts with a slash, as in /spec/replicas"
                    )),
                }
            }
            let mut queries = Vec::new();
            for text in &rule.jq_path_expressions {
                match language.compile(text) {
                    Ok(query) => queries.push(query),
                    Err(error) => wrong(format!("jqPathExpressions: {error}")),
                }
            }
            read.rules.push(Rule {
                group: rule.group.clone(),
                kind: rule.kind.clone(),
                name: rule.name.clone(),
                namespace: rule.namespace.clone(),
                pointers,
                queries,
                managers: rule.managed_fields_managers.clone(),
            });
        }
        (read, problems)
    }

    /// Takes the fields that do not count out of an object.
    pub fn remove_ignored(&self, key: &ResourceKey, body: &mut Value) {
        for rule in self.rules.iter().filter(|rule| rule.matches(key)) {
            for tokens in &rule.pointers {
                pointer::remove(body, tokens);
            }
            for query in &rule.queries {
                // An expression that fails on an object, such as one that enters a list that is not there, ignores
                // nothing in it.
                remove_places(body, query.paths(body).unwrap_or_default());
            }
        }
    }

    /// Takes fields that differ and belong to a trusted manager out of both objects. Whom a field belongs to is in
    /// `owners`, the live object's `metadata.managedFields`.
    pub fn remove_managed(&self, key: &ResourceKey, owners: &[Value], desired: &mut Value, live: &mut Value) {
        let managers = self.managers(key);
        if !managers.is_empty() {
            managed::remove_owned(&managers, owners, desired, live);
        }
    }

    /// The places in an object that do not count, as far as they are there.
    pub(super) fn places(&self, key: &ResourceKey, body: &Value) -> Vec<Vec<String>> {
        let mut places = Vec::new();
        for rule in self.rules.iter().filter(|rule| rule.matches(key)) {
            places.extend(rule.pointers.iter().cloned());
            for query in &rule.queries {
                places.extend(query.paths(body).unwrap_or_default().iter().map(|place| tokens_of(place)));
            }
        }
        places.sort_unstable();
        places.dedup();
        places
    }

    /// Gives fields that differ and belong to a trusted manager the values that they have.
    pub(super) fn copy_managed(
        &self,
        key: &ResourceKey,
        applied: &mut Value,
        live: &Value,
        owners: &[Value],
    ) {
        let managers = self.managers(key);
        if !managers.is_empty() {
            managed::copy_owned(&managers, owners, applied, live);
        }
    }

    fn managers(&self, key: &ResourceKey) -> Vec<&str> {
        let rules = self.rules.iter().filter(|rule| rule.matches(key));
        rules.flat_map(|rule| &rule.managers).map(String::as_str).collect()
    }

    /// Whether fields of an object may not count because of who owns them: whether a manager that is trusted with it
    /// is among those that own any of its fields.
    pub fn trusts(&self, key: &ResourceKey, owns: impl Fn(&str) -> bool) -> bool {
        self.managers(key).into_iter().any(owns)
    }

    /// What the system says about kinds beyond ignored fields.
    pub fn known(&self) -> &KnownFields {
        &self.known
    }

    /// The rules whose fields keep their live values when an object is applied: all of them with
    /// `RespectIgnoreDifferences=true`, and else those for what other controllers write.
    pub fn respected(&self, all: bool) -> Option<&Self> {
        if all { Some(self) } else { self.drift.as_deref() }
    }

    /// Whether any rule is about an object.
    pub fn concerns(&self, key: &ResourceKey) -> bool {
        self.rules.iter().any(|rule| rule.matches(key))
    }
}

/// From the last to the first, so that items that go do not move those that are still to go.
fn remove_places(body: &mut Value, mut places: Vec<Vec<PathStep>>) {
    places.sort_unstable();
    places.dedup();
    for place in places.iter().rev() {
        pointer::remove(body, &tokens_of(place));
    }
}

fn tokens_of(place: &[PathStep]) -> Vec<String> {
    let token = |step: &PathStep| match step {
        PathStep::Item(index) => index.to_string(),
        PathStep::Field(name) => name.clone(),
    };
    place.iter().map(token).collect()
}

impl Rule {
    fn matches(&self, key: &ResourceKey) -> bool {
        glob_matches(&self.group, &key.group)
            && glob_matches(&self.kind, &key.kind)
            && (self.name.is_empty() || self.name == key.name)
            && (self.namespace.is_empty() || self.namespace == key.namespace)
    }
}
