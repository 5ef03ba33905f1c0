//! Walking a schema over values.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::document::{Document, Draft, ROOT};
use super::failure::{Failure, Role};

/// Most schemas that are visited in one validation.
const MAX_STEPS: u64 = 5_000_000;

/// Deepest nesting of schemas in each other, references included.
const MAX_DEPTH: usize = 2_000;

/// One validation of one document.
pub(super) struct Validator<'s> {
    pub(super) document: &'s Document,
    pub(super) patterns: HashMap<&'s str, Option<regex::Regex>>,
    steps: u64,
    /// Schemas under way for the value under way, to notice references in a circle.
    scope: Vec<(*const Value, usize)>,
    /// An error of the schema itself, which stops everything.
    pub(super) broken: Option<String>,
}

/// Where a schema is applied.
pub(super) struct Spot<'p> {
    /// Address of the schema's document.
    pub(super) base: String,
    /// Keys and indexes from the top of the values.
    pub(super) path: &'p mut Vec<String>,
    /// Counts values: the same for all schemas of one value.
    pub(super) value_id: usize,
}

/// What schemas have looked at, for `unevaluated…`.
#[derive(Debug, Default, Clone)]
pub(super) struct Evaluated {
    pub(super) keys: BTreeSet<String>,
    pub(super) items: BTreeSet<usize>,
}

impl Evaluated {
    pub(super) fn merge(&mut self, other: Evaluated) {
        self.keys.extend(other.keys);
        self.items.extend(other.items);
    }
}

pub(super) type Outcome = Result<Evaluated, Failure>;

impl<'s> Validator<'s> {
    pub(super) fn new(document: &'s Document) -> Self {
        Validator { document, patterns: HashMap::new(), steps: 0, scope: Vec::new(), broken: None }
    }

    /// Validates a value against the whole document.
    pub(super) fn run(&mut self, value: &Value) -> Result<(), Failure> {
        let mut path = Vec::new();
        let mut spot = Spot { base: ROOT.to_owned(), path: &mut path, value_id: 0 };
        let document = self.document;
        self.schema(&document.root, value, &mut spot).map(drop)
    }

    pub(super) fn draft(&self) -> Draft {
        self.document.draft
    }

    pub(super) fn fail(spot: &Spot<'_>, message: impl Into<String>) -> Failure {
        Failure { path: spot.path.clone(), role: Role::Rule, message: message.into(), causes: Vec::new() }
    }

    /// Applies a schema to the value that it is for.
    pub(super) fn schema(&mut self, schema: &'s Value, value: &Value, spot: &mut Spot<'_>) -> Outcome {
        self.steps += 1;
        if self.broken.is_some() {
            return Ok(Evaluated::default());
        }
        if self.steps > MAX_STEPS || self.scope.len() > MAX_DEPTH {
            self.broken = Some("the schema takes too long to check".into());
            return Ok(Evaluated::default());
        }
        let keywords = match schema {
            Value::Bool(false) => return Err(Self::fail(spot, "false schema")),
            Value::Object(keywords) => keywords,
            _ => return Ok(Evaluated::default()),
        };
        let here = (std::ptr::from_ref(schema), spot.value_id);
        if self.scope.iter().rev().take_while(|s| s.1 == spot.value_id).any(|s| *s == here) {
            return Err(Self::fail(spot, "reference cycle"));
        }
        let base = self.document.own_base(keywords, &spot.base);
        let outer = base.map(|base| std::mem::replace(&mut spot.base, base));
        self.scope.push(here);
        let outcome = self.keywords(keywords, value, spot);
        self.scope.pop();
        if let Some(outer) = outer {
            spot.base = outer;
        }
        outcome
    }

    fn keywords(&mut self, s: &'s Map<String, Value>, value: &Value, spot: &mut Spot<'_>) -> Outcome {
        let mut failures = Vec::new();
        let mut evaluated = Evaluated::default();
        let ref_only = self.draft() < Draft::V2019 && s.contains_key("$ref");
        if !ref_only {
            self.value_rules(s, value, spot)?;
        }
        if let Some(reference) = s.get("$ref").and_then(Value::as_str) {
            match self.reference("$ref", reference, value, spot) {
                Ok(seen) => evaluated.merge(seen),
                Err(failure) => failures.push(failure),
            }
        }
        if !ref_only {
            match value {
                Value::Object(map) => self.object(s, map, spot, &mut evaluated, &mut failures),
                Value::Array(items) => self.array(s, items, spot, &mut evaluated, &mut failures),
                Value::String(text) => self.string(s, text, spot, &mut failures),
                Value::Number(number) => super::rules::number(s, number, self.draft(), spot, &mut failures),
                _ => {}
            }
            if self.draft() >= Draft::V2019 {
                for keyword in ["$recursiveRef", "$dynamicRef"] {
                    let Some(reference) = s.get(keyword).and_then(Value::as_str) else { continue };
                    match self.reference(keyword, reference, value, spot) {
                        Ok(seen) => evaluated.merge(seen),
                        Err(failure) => failures.push(failure),
                    }
                }
            }
            self.conditions(s, value, spot, &mut evaluated, &mut failures);
            if self.draft() >= Draft::V2019 {
                self.unevaluated(s, value, spot, &mut evaluated, &mut failures);
            }
        }
        match failures.len() {
            0 => Ok(evaluated),
            1 => Err(failures.remove(0)),
            _ => Err(Failure {
                path: spot.path.clone(),
                role: Role::Group,
                message: "validation failed".into(),
                causes: failures,
            }),
        }
    }

    fn reference(&mut self, _keyword: &str, reference: &str, value: &Value, spot: &mut Spot<'_>) -> Outcome {
        let document = self.document;
        let (schema, base) = match document.resolve(reference, &spot.base) {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Evaluated::default()),
            Err(message) => {
                self.broken = Some(message);
                return Ok(Evaluated::default());
            }
        };
        let outer = std::mem::replace(&mut spot.base, base);
        let outcome = self.schema(schema, value, spot);
        spot.base = outer;
        outcome.map_err(|failure| {
            let causes = if failure.role == Role::Group { failure.causes } else { vec![failure] };
            let message = "validation failed".to_owned();
            Failure { path: spot.path.clone(), role: Role::Reference, message, causes }
        })
    }

    /// Applies a schema to a key or an element of the value.
    pub(super) fn inner(
        &mut self,
        schema: &'s Value,
        value: &Value,
        token: &str,
        spot: &mut Spot<'_>,
    ) -> Result<(), Failure> {
        spot.path.push(token.to_owned());
        let value_id = spot.value_id + 1;
        let mut inner = Spot { base: spot.base.clone(), path: spot.path, value_id };
        let outcome = self.schema(schema, value, &mut inner);
        spot.path.pop();
        outcome.map(drop)
    }

    fn conditions(
        &mut self,
        s: &'s Map<String, Value>,
        value: &Value,
        spot: &mut Spot<'_>,
        evaluated: &mut Evaluated,
        failures: &mut Vec<Failure>,
    ) {
        if let Some(not) = s.get("not")
            && self.schema(not, value, spot).is_ok()
        {
            failures.push(Self::fail(spot, "'not' failed"));
        }
        if let Some(all) = s.get("allOf").and_then(Value::as_array) {
            let mut causes = Vec::new();
            for schema in all {
                match self.schema(schema, value, spot) {
                    Ok(seen) => evaluated.merge(seen),
                    Err(failure) => causes.push(failure),
                }
            }
            if !causes.is_empty() {
                failures.push(Failure { causes, ..Self::fail(spot, "'allOf' failed") });
            }
        }
        if let Some(any) = s.get("anyOf").and_then(Value::as_array) {
            self.any_of(any, value, spot, evaluated, failures);
        }
        if let Some(one) = s.get("oneOf").and_then(Value::as_array) {
            self.one_of(one, value, spot, evaluated, failures);
        }
        if let Some(condition) = s.get("if").filter(|_| self.draft() >= Draft::V7) {
            let branch = match self.schema(condition, value, spot) {
                Ok(seen) => {
                    evaluated.merge(seen);
                    "then"
                }
                Err(_) => "else",
            };
            if let Some(schema) = s.get(branch) {
                match self.schema(schema, value, spot) {
                    Ok(seen) => evaluated.merge(seen),
                    Err(failure) => failures.push(failure),
                }
            }
        }
    }

    fn any_of(
        &mut self,
        any: &'s [Value],
        value: &Value,
        spot: &mut Spot<'_>,
        evaluated: &mut Evaluated,
        failures: &mut Vec<Failure>,
    ) {
        let mut causes = Vec::new();
        let mut matched = any.is_empty();
        for schema in any {
            match self.schema(schema, value, spot) {
                Ok(seen) => {
                    evaluated.merge(seen);
                    matched = true;
                }
                Err(failure) => causes.push(failure),
            }
        }
        if !matched {
            failures.push(Failure { causes, ..Self::fail(spot, "'anyOf' failed") });
        }
    }

    fn one_of(
        &mut self,
        one: &'s [Value],
        value: &Value,
        spot: &mut Spot<'_>,
        evaluated: &mut Evaluated,
        failures: &mut Vec<Failure>,
    ) {
        let mut causes = Vec::new();
        let mut matched: Option<usize> = None;
        for (i, schema) in one.iter().enumerate() {
            match (self.schema(schema, value, spot), matched) {
                (Ok(seen), None) => {
                    evaluated.merge(seen);
                    matched = Some(i);
                }
                (Ok(_), Some(first)) => {
                    let message = format!("'oneOf' failed, subschemas {first}, {i} matched");
                    failures.push(Self::fail(spot, message));
                    return;
                }
                (Err(failure), None) => causes.push(failure),
                (Err(_), Some(_)) => {}
            }
        }
        if matched.is_none() && !one.is_empty() {
            failures.push(Failure { causes, ..Self::fail(spot, "'oneOf' failed, none matched") });
        }
    }

    fn unevaluated(
        &mut self,
        s: &'s Map<String, Value>,
        value: &Value,
        spot: &mut Spot<'_>,
        evaluated: &mut Evaluated,
        failures: &mut Vec<Failure>,
    ) {
        match (value, s.get("unevaluatedProperties"), s.get("unevaluatedItems")) {
            (Value::Object(map), Some(schema), _) => {
                for (key, value) in map.iter().filter(|(k, _)| !evaluated.keys.contains(*k)) {
                    failures.extend(self.inner(schema, value, key, spot).err());
                }
                evaluated.keys.extend(map.keys().cloned());
            }
            (Value::Array(items), _, Some(schema)) => {
                for (i, value) in items.iter().enumerate().filter(|(i, _)| !evaluated.items.contains(i)) {
                    failures.extend(self.inner(schema, value, &i.to_string(), spot).err());
                }
                evaluated.items.extend(0..items.len());
            }
            _ => {}
        }
    }

    /// A compiled pattern; a broken one stops the validation.
    pub(super) fn pattern(&mut self, pattern: &'s str, text: &str, keyword: &str) -> bool {
        let compiled =
            self.patterns.entry(pattern).or_insert_with(|| match gotemplate::sprig::go_regex(pattern) {
                Ok(regex) => Some(regex),
                Err(message) => {
                    let place = format!("{ROOT}#/{keyword}");
                    self.broken.get_or_insert(format!("invalid regex {pattern:?} at {place:?}: {message}"));
                    None
                }
            });
        compiled.as_ref().is_none_or(|regex| regex.is_match(text))
    }
}
