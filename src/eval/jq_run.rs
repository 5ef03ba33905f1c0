//! Runs a jq path expression on a value, within a budget of steps.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::rc::Rc;

use jaq_core::ops::Cmp;
use serde_json::Value;

use crate::flow::{PathQuery, PathStep, ScriptError};

use super::jq::{Builtin, Query, Step};

/// Steps of one run: about a fifth of a second of an unoptimised build.
const BUDGET: usize = 400_000;
/// Nodes or bytes of text that cost one step.
const PER_STEP: usize = 16;

/// A value and, where it is a part of the input, the way to it.
#[derive(Clone)]
struct Found<'v> {
    value: Cow<'v, Value>,
    place: Option<Rc<Place>>,
}

/// A way, from its end to the root.
enum Place {
    Root,
    Below(Rc<Place>, PathStep),
}

enum Stop {
    /// The expression failed on this value; `try` and `?` catch it.
    Failed(String),
    /// The budget is spent; nothing catches it.
    Limit,
}

type Outcome = Result<(), Stop>;

static NULL: Value = Value::Null;

impl PathQuery for Query {
    fn paths(&self, value: &Value) -> Result<Vec<Vec<PathStep>>, ScriptError> {
        let mut run = Run { left: BUDGET };
        let mut found = Vec::new();
        let root = Found { value: Cow::Borrowed(value), place: Some(Rc::new(Place::Root)) };
        match run.query(self, &root, &mut found) {
            Ok(()) => {}
            Err(Stop::Failed(message)) => return Err(ScriptError(message)),
            Err(Stop::Limit) => return Err(ScriptError("the expression takes too many steps".to_owned())),
        }
        found
            .iter()
            .map(|one| match &one.place {
                Some(place) => Ok(steps(place)),
                None => Err(ScriptError("the expression gives a value that is no path of the object".into())),
            })
            .collect()
    }
}

fn steps(mut place: &Rc<Place>) -> Vec<PathStep> {
    let mut steps = Vec::new();
    while let Place::Below(parent, step) = &**place {
        steps.push(step.clone());
        place = parent;
    }
    steps.reverse();
    steps
}

struct Run {
    left: usize,
}

impl Run {
    fn spend(&mut self, steps: usize) -> Outcome {
        self.left = self.left.checked_sub(steps).ok_or(Stop::Limit)?;
        Ok(())
    }

    fn query<'v>(&mut self, query: &Query, at: &Found<'v>, out: &mut Vec<Found<'v>>) -> Outcome {
        self.spend(1)?;
        match query {
            Query::Identity => out.push(at.clone()),
            Query::Recurse => self.recurse(at, out)?,
            Query::Literal(value) => out.push(computed(value.clone())),
            Query::List(inner) => {
                let items = match inner {
                    Some(inner) => {
                        self.all(inner, at)?.into_iter().map(|one| one.value.into_owned()).collect()
                    }
                    None => Vec::new(),
                };
                out.push(self.priced(Value::Array(items))?);
            }
            Query::Path(base, path) => {
                let mut bases = Vec::new();
                let ended = self.query(base, at, &mut bases);
                for base in bases {
                    self.walk(path, at, &base, out)?;
                }
                ended?;
            }
            Query::Pipe(left, right) => {
                let mut between = Vec::new();
                let ended = self.query(left, at, &mut between);
                for one in between {
                    self.query(right, &one, out)?;
                }
                ended?;
            }
            Query::Both(left, right) => {
                self.query(left, at, out)?;
                self.query(right, at, out)?;
            }
            Query::Try(inner) => match self.query(inner, at, out) {
                Err(Stop::Failed(_)) | Ok(()) => {}
                Err(Stop::Limit) => return Err(Stop::Limit),
            },
            _ => return self.conditional(query, at, out),
        }
        Ok(())
    }

    fn conditional<'v>(&mut self, query: &Query, at: &Found<'v>, out: &mut Vec<Found<'v>>) -> Outcome {
        match query {
            Query::Otherwise(left, right) => {
                let mut found = Vec::new();
                if let Err(Stop::Limit) = self.query(left, at, &mut found) {
                    return Err(Stop::Limit);
                }
                found.retain(|one| is_true(&one.value));
                if found.is_empty() {
                    return self.query(right, at, out);
                }
                out.extend(found);
            }
            Query::Or(left, right) => self.logic(left, right, true, at, out)?,
            Query::And(left, right) => self.logic(left, right, false, at, out)?,
            Query::Compare(compare, left, right) => {
                let rights = self.all(right, at)?;
                let lefts = self.all(left, at)?;
                for right in &rights {
                    for left in &lefts {
                        self.spend(1 + weight(&left.value).min(weight(&right.value)))?;
                        out.push(computed(Value::Bool(holds(*compare, &left.value, &right.value))));
                    }
                }
            }
            Query::If(branches, otherwise) => return self.branch(branches, otherwise.as_deref(), at, out),
            Query::Select(test) => {
                let mut tests = Vec::new();
                let ended = self.query(test, at, &mut tests);
                out.extend(tests.iter().filter(|one| is_true(&one.value)).map(|_| at.clone()));
                ended?;
            }
            Query::Map(inner) => {
                let mut items = Vec::new();
                for part in self.each(at)? {
                    items.extend(self.all(inner, &part)?.into_iter().map(|one| one.value.into_owned()));
                }
                out.push(self.priced(Value::Array(items))?);
            }
            Query::Any(test) => out.push(computed(Value::Bool(self.count(test, true, at)? > 0))),
            Query::All(test) => out.push(computed(Value::Bool(self.count(test, false, at)? == 0))),
            Query::Matches(pattern) => {
                let text = text_of(&at.value, "test")?;
                self.spend(text.len())?;
                out.push(computed(Value::Bool(pattern.is_match(text))));
            }
            Query::Builtin(builtin, arguments) => match arguments.first() {
                None => self.plain(*builtin, at, out)?,
                Some(argument) => {
                    for argument in self.all(argument, at)? {
                        self.spend(weight(&at.value) + weight(&argument.value))?;
                        let answer = with_argument(*builtin, &at.value, &argument.value)?;
                        out.push(computed(answer));
                    }
                }
            },
            _ => {}
        }
        Ok(())
    }

    fn all<'v>(&mut self, query: &Query, at: &Found<'v>) -> Result<Vec<Found<'v>>, Stop> {
        let mut found = Vec::new();
        self.query(query, at, &mut found)?;
        Ok(found)
    }

    fn priced<'v>(&mut self, value: Value) -> Result<Found<'v>, Stop> {
        self.spend(weight(&value))?;
        Ok(computed(value))
    }

    fn recurse<'v>(&mut self, at: &Found<'v>, out: &mut Vec<Found<'v>>) -> Outcome {
        self.spend(1)?;
        out.push(at.clone());
        if at.value.is_object() || at.value.is_array() {
            for part in self.each(at)? {
                self.recurse(&part, out)?;
            }
        }
        Ok(())
    }

    fn walk<'v>(
        &mut self,
        path: &[Step],
        origin: &Found<'v>,
        base: &Found<'v>,
        out: &mut Vec<Found<'v>>,
    ) -> Outcome {
        let Some((step, rest)) = path.split_first() else {
            out.push(base.clone());
            return Ok(());
        };
        match step {
            Step::Each { optional } => match self.each(base) {
                Ok(parts) => {
                    for part in parts {
                        self.walk(rest, origin, &part, out)?;
                    }
                    Ok(())
                }
                Err(Stop::Failed(_)) if *optional => Ok(()),
                Err(stop) => Err(stop),
            },
            Step::Index { of, optional } => {
                for index in self.all(of, origin)? {
                    match part(base, &index.value) {
                        Ok(part) => self.walk(rest, origin, &part, out)?,
                        Err(Stop::Failed(_)) if *optional => {}
                        Err(stop) => return Err(stop),
                    }
                }
                Ok(())
            }
        }
    }

    fn each<'v>(&mut self, at: &Found<'v>) -> Result<Vec<Found<'v>>, Stop> {
        let parts: Vec<Found<'v>> = match &*at.value {
            Value::Array(items) => (0..items.len()).map(|index| item(at, index)).collect(),
            Value::Object(fields) => fields.keys().map(|name| field(at, name)).collect(),
            other => return Err(Stop::Failed(format!("cannot iterate over {}", type_of(other)))),
        };
        self.spend(parts.len())?;
        Ok(parts)
    }

    fn logic<'v>(
        &mut self,
        left: &Query,
        right: &Query,
        decisive: bool,
        at: &Found<'v>,
        out: &mut Vec<Found<'v>>,
    ) -> Outcome {
        for left in self.all(left, at)? {
            if is_true(&left.value) == decisive {
                out.push(computed(Value::Bool(decisive)));
                continue;
            }
            for right in self.all(right, at)? {
                out.push(computed(Value::Bool(is_true(&right.value))));
            }
        }
        Ok(())
    }

    fn branch<'v>(
        &mut self,
        branches: &[(Query, Query)],
        otherwise: Option<&Query>,
        at: &Found<'v>,
        out: &mut Vec<Found<'v>>,
    ) -> Outcome {
        self.spend(1)?;
        let Some(((test, then), rest)) = branches.split_first() else {
            return match otherwise {
                Some(otherwise) => self.query(otherwise, at, out),
                None => {
                    out.push(at.clone());
                    Ok(())
                }
            };
        };
        for test in self.all(test, at)? {
            if is_true(&test.value) {
                self.query(then, at, out)?;
            } else {
                self.branch(rest, otherwise, at, out)?;
            }
        }
        Ok(())
    }

    /// How many parts give the wanted answer to a test.
    fn count(&mut self, test: &Query, wanted: bool, at: &Found<'_>) -> Result<usize, Stop> {
        let mut count = 0;
        for part in self.each(at)? {
            count += self.all(test, &part)?.iter().filter(|one| is_true(&one.value) == wanted).count();
        }
        Ok(count)
    }

    fn plain<'v>(&mut self, builtin: Builtin, at: &Found<'v>, out: &mut Vec<Found<'v>>) -> Outcome {
        let value = &*at.value;
        let answer = match builtin {
            Builtin::Empty => return Ok(()),
            Builtin::Of(kind) => {
                if is_of(value, kind) {
                    out.push(at.clone());
                }
                return Ok(());
            }
            Builtin::Not => Value::Bool(!is_true(value)),
            Builtin::Type => Value::String(type_of(value).to_owned()),
            Builtin::Length => length(value)?,
            Builtin::Keys => match value {
                Value::Object(fields) => fields.keys().cloned().map(Value::String).collect(),
                Value::Array(items) => (0..items.len()).map(Value::from).collect(),
                other => return Err(Stop::Failed(format!("{} has no keys", type_of(other)))),
            },
            Builtin::ToString => match value {
                Value::String(text) => Value::String(text.clone()),
                other => {
                    self.spend(weight(other))?;
                    Value::String(other.to_string())
                }
            },
            Builtin::Lowercase => Value::String(text_of(value, "ascii_downcase")?.to_ascii_lowercase()),
            Builtin::Uppercase => Value::String(text_of(value, "ascii_upcase")?.to_ascii_uppercase()),
            _ => return Err(Stop::Failed("an argument is missing".to_owned())),
        };
        out.push(self.priced(answer)?);
        Ok(())
    }
}

fn computed<'v>(value: Value) -> Found<'v> {
    Found { value: Cow::Owned(value), place: None }
}

fn below(at: &Found<'_>, step: PathStep) -> Option<Rc<Place>> {
    at.place.as_ref().map(|place| Rc::new(Place::Below(Rc::clone(place), step)))
}

fn item<'v>(at: &Found<'v>, index: usize) -> Found<'v> {
    let value = match &at.value {
        Cow::Borrowed(value) => Cow::Borrowed(value.get(index).unwrap_or(&NULL)),
        Cow::Owned(value) => Cow::Owned(value.get(index).cloned().unwrap_or_default()),
    };
    Found { value, place: below(at, PathStep::Item(index)) }
}

fn field<'v>(at: &Found<'v>, name: &str) -> Found<'v> {
    let value = match &at.value {
        Cow::Borrowed(value) => Cow::Borrowed(value.get(name).unwrap_or(&NULL)),
        Cow::Owned(value) => Cow::Owned(value.get(name).cloned().unwrap_or_default()),
    };
    Found { value, place: below(at, PathStep::Field(name.to_owned())) }
}

fn part<'v>(base: &Found<'v>, index: &Value) -> Result<Found<'v>, Stop> {
    match (&*base.value, index) {
        (Value::Object(_) | Value::Null, Value::String(name)) => Ok(field(base, name)),
        (Value::Array(items), Value::Number(number)) => {
            let wanted = number.as_f64().unwrap_or_default().floor();
            let counted = if wanted < 0.0 { wanted + items.len() as f64 } else { wanted };
            // From before the start there is nothing, as from behind the end.
            let index = if counted < 0.0 { usize::MAX } else { counted as usize };
            Ok(item(base, index))
        }
        (Value::Null, Value::Number(number)) => Ok(item(base, number.as_u64().unwrap_or(u64::MAX) as usize)),
        (base, index) => Err(Stop::Failed(format!("cannot index {} with {}", type_of(base), type_of(index)))),
    }
}

fn is_true(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "values" => !value.is_null(),
        "scalars" => !value.is_array() && !value.is_object(),
        "iterables" => value.is_array() || value.is_object(),
        _ => type_of(value) == kind,
    }
}

fn text_of<'a>(value: &'a Value, what: &str) -> Result<&'a str, Stop> {
    value.as_str().ok_or_else(|| Stop::Failed(format!("{what} needs a string, not {}", type_of(value))))
}

fn length(value: &Value) -> Result<Value, Stop> {
    Ok(match value {
        Value::Null => Value::from(0),
        Value::Bool(_) => return Err(Stop::Failed("a boolean has no length".to_owned())),
        Value::Number(number) => Value::from(number.as_f64().unwrap_or_default().abs()),
        Value::String(text) => Value::from(text.chars().count()),
        Value::Array(items) => Value::from(items.len()),
        Value::Object(fields) => Value::from(fields.len()),
    })
}

/// What it costs to look at a whole value, in steps.
fn weight(value: &Value) -> usize {
    fn nodes(value: &Value) -> usize {
        match value {
            Value::String(text) => 1 + text.len() / PER_STEP,
            Value::Array(items) => 1 + items.iter().map(nodes).sum::<usize>(),
            Value::Object(fields) => 1 + fields.values().map(nodes).sum::<usize>(),
            _ => 1,
        }
    }
    nodes(value)
}

fn with_argument(builtin: Builtin, value: &Value, argument: &Value) -> Result<Value, Stop> {
    Ok(match builtin {
        Builtin::Has => match (value, argument) {
            (Value::Object(fields), Value::String(name)) => fields.contains_key(name).into(),
            (Value::Array(items), Value::Number(index)) => {
                index.as_u64().is_some_and(|index| (index as usize) < items.len()).into()
            }
            _ => return Err(Stop::Failed(format!("{} has no such key", type_of(value)))),
        },
        Builtin::Contains => contains(value, argument)?.into(),
        Builtin::Inside => contains(argument, value)?.into(),
        Builtin::StartsWith => {
            text_of(value, "startswith")?.starts_with(text_of(argument, "startswith")?).into()
        }
        Builtin::EndsWith => text_of(value, "endswith")?.ends_with(text_of(argument, "endswith")?).into(),
        Builtin::TrimStart => match (value, argument) {
            (Value::String(text), Value::String(start)) => {
                text.strip_prefix(start.as_str()).unwrap_or(text).into()
            }
            _ => value.clone(),
        },
        Builtin::TrimEnd => match (value, argument) {
            (Value::String(text), Value::String(end)) => {
                text.strip_suffix(end.as_str()).unwrap_or(text).into()
            }
            _ => value.clone(),
        },
        _ => return Err(Stop::Failed("an argument too many".to_owned())),
    })
}

fn contains(value: &Value, part: &Value) -> Result<bool, Stop> {
    Ok(match (value, part) {
        (Value::String(text), Value::String(part)) => text.contains(part.as_str()),
        (Value::Array(items), Value::Array(parts)) => {
            parts.iter().all(|part| items.iter().any(|item| matches!(contains(item, part), Ok(true))))
        }
        (Value::Object(fields), Value::Object(parts)) => parts.iter().all(|(name, part)| {
            fields.get(name).is_some_and(|field| matches!(contains(field, part), Ok(true)))
        }),
        (value, part) if type_of(value) == type_of(part) => order(value, part) == Ordering::Equal,
        (value, part) => {
            return Err(Stop::Failed(format!("{} cannot contain {}", type_of(value), type_of(part))));
        }
    })
}

fn holds(compare: Cmp, left: &Value, right: &Value) -> bool {
    let order = order(left, right);
    match compare {
        Cmp::Lt => order.is_lt(),
        Cmp::Le => order.is_le(),
        Cmp::Gt => order.is_gt(),
        Cmp::Ge => order.is_ge(),
        Cmp::Eq => order.is_eq(),
        Cmp::Ne => order.is_ne(),
    }
}

/// jq's order of all values: null, false, true, numbers, strings, arrays, objects.
fn order(left: &Value, right: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Bool(false) => 1,
        Value::Bool(true) => 2,
        Value::Number(_) => 3,
        Value::String(_) => 4,
        Value::Array(_) => 5,
        Value::Object(_) => 6,
    };
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => left.as_f64().unwrap_or_default().total_cmp(&right.as_f64().unwrap_or_default()),
        },
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Array(left), Value::Array(right)) => left
            .iter()
            .zip(right)
            .map(|(left, right)| order(left, right))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| left.len().cmp(&right.len())),
        (Value::Object(left), Value::Object(right)) => left.keys().cmp(right.keys()).then_with(|| {
            left.values()
                .zip(right.values())
                .map(|(left, right)| order(left, right))
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        }),
        _ => rank(left).cmp(&rank(right)),
    }
}
