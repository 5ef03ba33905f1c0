//! The rules for one kind of value each.

use std::cmp::Ordering;
use std::fmt::Write as _;

use serde_json::{Map, Number, Value};

use super::document::Draft;
use super::failure::{Failure, grouped, quote, quoted_list};
use super::format;
use super::number::Decimal;
use super::validate::{Evaluated, Spot, Validator};

/// A schema's keywords.
type Keywords = Map<String, Value>;

fn size(s: &Keywords, keyword: &str) -> Option<usize> {
    let number = s.get(keyword)?.as_f64()?;
    (number >= 0.0 && number.fract() == 0.0).then_some(number as usize)
}

fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// In the order in which messages name them.
const KINDS: [&str; 7] = ["null", "boolean", "number", "integer", "string", "array", "object"];

fn wanted_kinds(types: &Value) -> Vec<&'static str> {
    let named: Vec<&str> = match types {
        Value::String(one) => vec![one],
        list => texts(Some(list)).collect(),
    };
    KINDS.into_iter().filter(|kind| named.contains(kind)).collect()
}

/// Equality of JSON values; numbers by value.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => Decimal::new(a).compare(Decimal::new(b)) == Ordering::Equal,
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| equal(v, w)))
        }
        (a, b) => a == b,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quote(text),
        Value::Null => "<nil>".into(),
        other => other.to_string(),
    }
}

fn is_compound(value: &Value) -> bool {
    matches!(value, Value::Array(_) | Value::Object(_))
}

impl<'s> Validator<'s> {
    /// `type`, `const`, `enum`, `format`: the first that is broken is the only failure.
    pub(super) fn value_rules(&self, s: &'s Keywords, value: &Value, spot: &Spot<'_>) -> Result<(), Failure> {
        if let Some(types) = s.get("type") {
            let wanted = wanted_kinds(types);
            let is_integer = || matches!(value, Value::Number(n) if Decimal::new(n).is_integer());
            let fits = wanted.contains(&kind(value)) || (wanted.contains(&"integer") && is_integer());
            if !wanted.is_empty() && !fits {
                return Err(Self::fail(spot, format!("got {}, want {}", kind(value), wanted.join(" or "))));
            }
        }
        if let Some(only) = s.get("const").filter(|_| self.draft() >= Draft::V6)
            && !equal(value, only)
        {
            let message = if is_compound(only) {
                "'const' failed".into()
            } else {
                format!("value must be {}", shown(only))
            };
            return Err(Self::fail(spot, message));
        }
        if let Some(Value::Array(options)) = s.get("enum")
            && !options.iter().any(|option| equal(value, option))
        {
            let message = match options.as_slice() {
                options if options.iter().any(is_compound) => "'enum' failed".to_owned(),
                [one] => format!("value must be {}", shown(one)),
                options => {
                    let options: Vec<String> = options.iter().map(shown).collect();
                    format!("value must be one of {}", options.join(", "))
                }
            };
            return Err(Self::fail(spot, message));
        }
        // From 2019 on, formats are remarks.
        if let (Some(Value::String(name)), Value::String(text), true) =
            (s.get("format"), value, self.draft() < Draft::V2019)
            && let Err(why) = format::check(name, text)
        {
            return Err(Self::fail(spot, format!("{} is not valid {name}: {why}", quote(text))));
        }
        Ok(())
    }

    pub(super) fn object(
        &mut self,
        s: &'s Keywords,
        map: &Map<String, Value>,
        spot: &mut Spot<'_>,
        evaluated: &mut Evaluated,
        failures: &mut Vec<Failure>,
    ) {
        object_size(s, map, spot, failures);
        self.dependencies(s, map, spot, evaluated, failures);
        let mut additional = Vec::new();
        for (key, value) in map {
            let mut known = false;
            if let Some(schema) = s.get("properties").and_then(|p| p.get(key)) {
                known = true;
                failures.extend(self.inner(schema, value, key, spot).err());
            }
            if let Some(Value::Object(patterns)) = s.get("patternProperties") {
                for (pattern, schema) in patterns {
                    if self.pattern(pattern, key, "patternProperties") {
                        known = true;
                        failures.extend(self.inner(schema, value, key, spot).err());
                    }
                }
            }
            match s.get("additionalProperties") {
                Some(Value::Bool(false)) if !known => additional.push(key.as_str()),
                Some(schema) if !known => failures.extend(self.inner(schema, value, key, spot).err()),
                None if !known => continue,
                _ => {}
            }
            evaluated.keys.insert(key.clone());
        }
        if !additional.is_empty() {
            let message = format!("additional properties {} not allowed", quoted_list(additional));
            failures.push(Self::fail(spot, message));
        }
        if let Some(schema) = s.get("propertyNames").filter(|_| self.draft() >= Draft::V6) {
            for key in map.keys() {
                let name = Value::String(key.clone());
                if let Err(failure) = self.inner(schema, &name, key, spot) {
                    let causes = vec![failure.moved(spot.path)];
                    let message = format!("invalid propertyName {}", quote(key));
                    failures.push(Failure { causes, ..Self::fail(spot, message) });
                }
            }
        }
    }

    fn dependencies(
        &mut self,
        s: &'s Keywords,
        map: &Map<String, Value>,
        spot: &mut Spot<'_>,
        evaluated: &mut Evaluated,
        failures: &mut Vec<Failure>,
    ) {
        let newer: &[&str] = &["dependentSchemas", "dependentRequired"];
        let newer = if self.draft() >= Draft::V2019 { newer } else { &[] };
        for keyword in ["dependencies"].iter().chain(newer) {
            let Some(Value::Object(rules)) = s.get(*keyword) else { continue };
            for (key, rule) in rules.iter().filter(|(key, _)| map.contains_key(*key)) {
                if rule.is_array() {
                    let missing: Vec<&str> = texts(Some(rule)).filter(|k| !map.contains_key(*k)).collect();
                    if !missing.is_empty() {
                        let missing = quoted_list(missing);
                        let message = format!("properties {missing} required, if {} exists", quote(key));
                        failures.push(Self::fail(spot, message));
                    }
                    continue;
                }
                match self.schema(rule, &Value::Object(map.clone()), spot) {
                    Ok(seen) => evaluated.merge(seen),
                    Err(failure) => failures.push(failure),
                }
            }
        }
    }

    pub(super) fn array(
        &mut self,
        s: &'s Keywords,
        items: &[Value],
        spot: &mut Spot<'_>,
        evaluated: &mut Evaluated,
        failures: &mut Vec<Failure>,
    ) {
        array_size(s, items, spot, failures);
        let newest = self.draft() >= Draft::V2020;
        let (first, rest) = match (newest, s.get("items")) {
            (true, items) => (s.get("prefixItems").and_then(Value::as_array), items),
            (false, Some(Value::Array(first))) => (Some(first), s.get("additionalItems")),
            (false, items) => (None, items),
        };
        let first = first.map_or(&[][..], Vec::as_slice);
        for (i, (schema, item)) in first.iter().zip(items).enumerate() {
            failures.extend(self.inner(schema, item, &i.to_string(), spot).err());
            evaluated.items.insert(i);
        }
        match rest {
            Some(Value::Bool(false)) if !newest && items.len() > first.len() => {
                let count = grouped(items.len() - first.len());
                failures.push(Self::fail(spot, format!("last {count} additionalItem(s) not allowed")));
            }
            Some(schema) => {
                for (i, item) in items.iter().enumerate().skip(first.len()) {
                    failures.extend(self.inner(schema, item, &i.to_string(), spot).err());
                }
                evaluated.items.extend(0..items.len());
            }
            None => {}
        }
        if let Some(schema) = s.get("contains").filter(|_| self.draft() >= Draft::V6) {
            self.contains(s, schema, items, spot, evaluated, failures);
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one visit; a struct would only rename them")]
    fn contains(
        &mut self,
        s: &'s Keywords,
        schema: &'s Value,
        items: &[Value],
        spot: &mut Spot<'_>,
        evaluated: &mut Evaluated,
        failures: &mut Vec<Failure>,
    ) {
        let (mut matched, mut causes) = (Vec::new(), Vec::new());
        for (i, item) in items.iter().enumerate() {
            match self.inner(schema, item, &i.to_string(), spot) {
                Ok(()) => matched.push(i),
                Err(failure) => causes.push(failure),
            }
        }
        if self.draft() >= Draft::V2020 {
            evaluated.items.extend(matched.iter().copied());
        }
        let places = matched.iter().fold(String::new(), |mut text, i| {
            let _ = write!(text, "{}{i}", if text.is_empty() { "" } else { " " });
            text
        });
        let bound = |keyword| size(s, keyword).filter(|_| self.draft() >= Draft::V2019);
        let (min, max, count) = (bound("minContains"), bound("maxContains"), matched.len());
        let message = match min {
            Some(min) if count >= min => None,
            Some(min) if count == 0 => {
                Some(format!("min {min} items required to match contains schema, but none matched"))
            }
            Some(min) => Some(format!(
                "min {min} items required to match contains schema, but matched {count} items at {places}"
            )),
            None if count == 0 => Some("no items match contains schema".to_owned()),
            None => None,
        };
        failures.extend(message.map(|message| Failure { causes, ..Self::fail(spot, message) }));
        if let Some(max) = max.filter(|max| count > *max) {
            let message = format!(
                "max {max} items required to match contains schema, but matched {count} items at {places}"
            );
            failures.push(Self::fail(spot, message));
        }
    }

    pub(super) fn string(
        &mut self,
        s: &'s Keywords,
        text: &str,
        spot: &Spot<'_>,
        failures: &mut Vec<Failure>,
    ) {
        let length = text.chars().count();
        for (keyword, broken) in [("minLength", Ordering::Less), ("maxLength", Ordering::Greater)] {
            if let Some(want) = size(s, keyword).filter(|want| length.cmp(want) == broken) {
                let message = format!("{keyword}: got {}, want {}", grouped(length), grouped(want));
                failures.push(Self::fail(spot, message));
            }
        }
        if let Some(Value::String(pattern)) = s.get("pattern")
            && !self.pattern(pattern, text, "pattern")
        {
            let message = format!("{} does not match pattern {}", quote(text), quote(pattern));
            failures.push(Self::fail(spot, message));
        }
    }
}

impl Failure {
    /// The same failure at another place: names of keys are not values with a path of their own.
    fn moved(mut self, path: &[String]) -> Self {
        self.path = path.to_vec();
        self
    }
}

fn object_size(s: &Keywords, map: &Map<String, Value>, spot: &Spot<'_>, failures: &mut Vec<Failure>) {
    for (keyword, broken) in [("minProperties", Ordering::Less), ("maxProperties", Ordering::Greater)] {
        if let Some(want) = size(s, keyword).filter(|want| map.len().cmp(want) == broken) {
            let message = format!("{keyword}: got {}, want {}", grouped(map.len()), grouped(want));
            failures.push(Validator::fail(spot, message));
        }
    }
    let missing: Vec<&str> = texts(s.get("required")).filter(|key| !map.contains_key(*key)).collect();
    let message = match missing.as_slice() {
        [] => return,
        [one] => format!("missing property {}", quote(one)),
        several => format!("missing properties {}", quoted_list(several.iter().copied())),
    };
    failures.push(Validator::fail(spot, message));
}

fn array_size(s: &Keywords, items: &[Value], spot: &Spot<'_>, failures: &mut Vec<Failure>) {
    for (keyword, broken) in [("minItems", Ordering::Less), ("maxItems", Ordering::Greater)] {
        if let Some(want) = size(s, keyword).filter(|want| items.len().cmp(want) == broken) {
            let message = format!("{keyword}: got {}, want {}", grouped(items.len()), grouped(want));
            failures.push(Validator::fail(spot, message));
        }
    }
    if s.get("uniqueItems") == Some(&Value::Bool(true)) {
        let twin = (1..items.len()).find_map(|i| {
            Some((items.iter().take(i).position(|item| equal(item, items.get(i).unwrap_or(item)))?, i))
        });
        if let Some((first, second)) = twin {
            failures.push(Validator::fail(spot, format!("items at {first} and {second} are equal")));
        }
    }
}

pub(super) fn number(
    s: &Keywords,
    number: &Number,
    draft: Draft,
    spot: &Spot<'_>,
    failures: &mut Vec<Failure>,
) {
    let have = Decimal::new(number);
    let bound = |keyword: &str| match s.get(keyword) {
        Some(Value::Number(n)) => Some(Decimal::new(n)),
        _ => None,
    };
    let flag = |keyword: &str| draft == Draft::V4 && s.get(keyword) == Some(&Value::Bool(true));
    let (open_min, open_max) = (flag("exclusiveMinimum"), flag("exclusiveMaximum"));
    let (min, max) = (bound("minimum"), bound("maximum"));
    let rules = [
        ("minimum", min.filter(|_| !open_min), Ordering::Less, false),
        ("maximum", max.filter(|_| !open_max), Ordering::Greater, false),
        ("exclusiveMinimum", if open_min { min } else { bound("exclusiveMinimum") }, Ordering::Less, true),
        ("exclusiveMaximum", if open_max { max } else { bound("exclusiveMaximum") }, Ordering::Greater, true),
    ];
    for (name, want, broken, open) in rules {
        let Some(want) = want else { continue };
        let order = have.compare(want);
        if order == broken || (open && order == Ordering::Equal) {
            let message = format!("{name}: got {}, want {}", have.shown(), want.shown());
            failures.push(Validator::fail(spot, message));
        }
    }
    if let Some(want) = bound("multipleOf").filter(|want| !have.is_multiple_of(*want)) {
        let message = format!("multipleOf: got {}, want {}", have.shown(), want.shown());
        failures.push(Validator::fail(spot, message));
    }
}
