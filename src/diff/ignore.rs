//! ignoreDifferences: fields that do not count.

use serde_json::Value;

use crate::api::IgnoreDifferences;
use crate::object::{ResourceKey, glob_matches};

use super::pointer;

/// A rule of which a part cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ignoreDifferences[{index}]: {message}")]
pub struct InvalidRule {
    /// Place of the rule in `spec.ignoreDifferences`.
    pub index: usize,
    /// What is wrong with it and what to write instead.
    pub message: String,
}

/// Rules, read once per application.
#[derive(Clone, Debug, Default)]
pub struct IgnoreRules {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    group: String,
    kind: String,
    name: String,
    namespace: String,
    pointers: Vec<Vec<String>>,
}

impl IgnoreRules {
    /// Reads the rules of an application. A rule that cannot be read is left out and named.
    pub fn read(rules: &[IgnoreDifferences]) -> (Self, Vec<InvalidRule>) {
        let mut read = Self::default();
        let mut problems = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            let mut pointers = Vec::new();
            for text in &rule.json_pointers {
                match pointer::tokens(text) {
                    Some(tokens) if !tokens.is_empty() => pointers.push(tokens),
                    _ => problems.push(InvalidRule {
                        index,
                        message: format!(
                            "\"{text}\" is not a JSON pointer: it starts with a slash, as in /spec/replicas"
                        ),
                    }),
                }
            }
            read.rules.push(Rule {
                group: rule.group.clone(),
                kind: rule.kind.clone(),
                name: rule.name.clone(),
                namespace: rule.namespace.clone(),
                pointers,
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
        }
    }

    /// Whether any rule is about an object.
    pub fn concerns(&self, key: &ResourceKey) -> bool {
        self.rules.iter().any(|rule| rule.matches(key))
    }
}

impl Rule {
    fn matches(&self, key: &ResourceKey) -> bool {
        glob_matches(&self.group, &key.group)
            && glob_matches(&self.kind, &key.kind)
            && (self.name.is_empty() || self.name == key.name)
            && (self.namespace.is_empty() || self.namespace == key.namespace)
    }
}
