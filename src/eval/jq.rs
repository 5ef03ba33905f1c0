//! jq path expressions (`jqPathExpressions` of ignoreDifferences): what is allowed, and how it is compiled.
//!
//! jaq's parser reads the text; `jq_run` walks our own, smaller tree with a budget of steps, so that no expression
//! can run long, use much memory, or see more than the object. Allowed are paths, `select`, comparisons, `and`, `or`,
//! `not`, `//`, `if`, `try` and tests of strings; the rest of jq is refused by name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Term};
use jaq_core::ops::Cmp;
use jaq_core::path::{Opt, Part};
use regex::{Regex, RegexBuilder};
use serde_json::Value;

use crate::flow::{PathLanguage, PathQuery, ScriptError};

/// Longer expressions are refused: the parser recurses once per character in the worst case.
const MAX_TEXT: usize = 4096;
/// Deeper expressions are refused.
const MAX_DEPTH: usize = 64;
/// Stack for the parser; only what is used is taken from memory.
const PARSER_STACK: usize = 64 << 20;
/// Memory of a compiled regular expression.
const MAX_REGEX: usize = 1 << 18;

/// So many compiled expressions are kept: rules are read anew at each comparison, and rarely change.
const MOST_COMPILED: usize = 1024;
static COMPILED: Mutex<BTreeMap<String, Arc<dyn PathQuery>>> = Mutex::new(BTreeMap::new());

/// Compiles jq path expressions.
#[derive(Clone, Copy, Debug, Default)]
pub struct JqPaths;

impl PathLanguage for JqPaths {
    fn compile(&self, text: &str) -> Result<Arc<dyn PathQuery>, ScriptError> {
        if text.len() > MAX_TEXT {
            return Err(ScriptError(format!("a jq path expression may have {MAX_TEXT} bytes")));
        }
        if let Some(known) = COMPILED.lock().unwrap_or_else(PoisonError::into_inner).get(text) {
            return Ok(Arc::clone(known));
        }
        let owned = text.to_owned();
        // On a thread of its own: the parser recurses, and the stack of the caller is not known.
        let parsed = std::thread::Builder::new()
            .stack_size(PARSER_STACK)
            .spawn(move || match jaq_core::load::parse(&owned, |parser| parser.term()) {
                Some(term) => expression(&term, 0),
                None => Err(Refused::new("it is not valid jq")),
            })
            .map_err(|error| ScriptError(format!("cannot parse: {error}")))?
            .join()
            .unwrap_or_else(|_| Err(Refused::new("it is not valid jq")));
        match parsed {
            Ok(query) => {
                let query: Arc<dyn PathQuery> = Arc::new(query);
                let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
                if compiled.len() >= MOST_COMPILED {
                    compiled.clear();
                }
                compiled.insert(text.to_owned(), Arc::clone(&query));
                Ok(query)
            }
            Err(refused) => Err(ScriptError(format!("\"{text}\": {}", refused.0))),
        }
    }
}

struct Refused(String);

impl Refused {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    fn construct(name: &str) -> Self {
        Self(format!(
            "{name} is not supported in jqPathExpressions: use paths, select, comparisons and string tests"
        ))
    }
}

/// The part of jq that runs in process.
#[derive(Debug)]
pub(super) enum Query {
    Identity,
    Recurse,
    Literal(Value),
    List(Option<Box<Self>>),
    Path(Box<Self>, Vec<Step>),
    Pipe(Box<Self>, Box<Self>),
    Both(Box<Self>, Box<Self>),
    Otherwise(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    And(Box<Self>, Box<Self>),
    Compare(Cmp, Box<Self>, Box<Self>),
    Try(Box<Self>),
    If(Vec<(Self, Self)>, Option<Box<Self>>),
    Select(Box<Self>),
    Map(Box<Self>),
    Any(Box<Self>),
    All(Box<Self>),
    Matches(Regex),
    Builtin(Builtin, Vec<Self>),
}

/// A step of a path, as it is written.
#[derive(Debug)]
pub(super) enum Step {
    Index { of: Query, optional: bool },
    Each { optional: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Builtin {
    Empty,
    Not,
    Length,
    Keys,
    Type,
    ToString,
    Lowercase,
    Uppercase,
    Has,
    Contains,
    Inside,
    StartsWith,
    EndsWith,
    TrimStart,
    TrimEnd,
    Of(&'static str),
}

const BUILTINS: &[(&str, usize, Builtin)] = &[
    ("empty", 0, Builtin::Empty),
    ("not", 0, Builtin::Not),
    ("length", 0, Builtin::Length),
    ("keys", 0, Builtin::Keys),
    ("type", 0, Builtin::Type),
    ("tostring", 0, Builtin::ToString),
    ("ascii_downcase", 0, Builtin::Lowercase),
    ("ascii_upcase", 0, Builtin::Uppercase),
    ("has", 1, Builtin::Has),
    ("contains", 1, Builtin::Contains),
    ("inside", 1, Builtin::Inside),
    ("startswith", 1, Builtin::StartsWith),
    ("endswith", 1, Builtin::EndsWith),
    ("ltrimstr", 1, Builtin::TrimStart),
    ("rtrimstr", 1, Builtin::TrimEnd),
    ("nulls", 0, Builtin::Of("null")),
    ("booleans", 0, Builtin::Of("boolean")),
    ("numbers", 0, Builtin::Of("number")),
    ("strings", 0, Builtin::Of("string")),
    ("arrays", 0, Builtin::Of("array")),
    ("objects", 0, Builtin::Of("object")),
    ("values", 0, Builtin::Of("values")),
    ("scalars", 0, Builtin::Of("scalars")),
    ("iterables", 0, Builtin::Of("iterables")),
];

type Compiled = Result<Query, Refused>;

fn boxed(term: &Term<&str>, depth: usize) -> Result<Box<Query>, Refused> {
    Ok(Box::new(expression(term, depth)?))
}

fn expression(term: &Term<&str>, depth: usize) -> Compiled {
    if depth > MAX_DEPTH {
        return Err(Refused::new(format!("it is nested more than {MAX_DEPTH} deep")));
    }
    let below = depth + 1;
    Ok(match term {
        Term::Id => Query::Identity,
        Term::Recurse => Query::Recurse,
        Term::Num(text) => Query::Literal(number(text)?),
        Term::Neg(inner) => match &**inner {
            Term::Num(text) => Query::Literal(number(&format!("-{text}"))?),
            _ => return Err(Refused::construct("arithmetic")),
        },
        Term::Str(..) => Query::Literal(Value::String(literal_text(term)?)),
        Term::Arr(None) => Query::List(None),
        Term::Arr(Some(inner)) => Query::List(Some(boxed(inner, below)?)),
        Term::BinOp(left, operator, right) => binary(left, operator, right, below)?,
        Term::TryCatch(inner, None) => Query::Try(boxed(inner, below)?),
        Term::IfThenElse(branches, otherwise) => {
            let branches = branches
                .iter()
                .map(|(test, then)| Ok((expression(test, below)?, expression(then, below)?)))
                .collect::<Result<_, Refused>>()?;
            Query::If(branches, otherwise.as_ref().map(|term| boxed(term, below)).transpose()?)
        }
        Term::Call(name, arguments) => call(name, arguments, below)?,
        Term::Path(base, path) => {
            let steps = path.0.iter().map(|part| step(part, below)).collect::<Result<_, Refused>>()?;
            Query::Path(boxed(base, below)?, steps)
        }
        Term::Obj(_) => return Err(Refused::construct("an object constructor")),
        Term::Label(..) | Term::Break(_) => return Err(Refused::construct("label")),
        Term::Fold(name, ..) => return Err(Refused::construct(name)),
        Term::TryCatch(_, Some(_)) => return Err(Refused::construct("catch")),
        Term::Def(..) => return Err(Refused::construct("def")),
        Term::Var(name) => return Err(Refused::construct(&format!("the variable {name}"))),
    })
}

fn step((part, optional): &(Part<Term<&str>>, Opt), depth: usize) -> Result<Step, Refused> {
    let optional = matches!(optional, Opt::Optional);
    match part {
        Part::Index(of) => Ok(Step::Index { of: expression(of, depth)?, optional }),
        Part::Range(None, None) => Ok(Step::Each { optional }),
        Part::Range(..) => Err(Refused::construct("a slice")),
    }
}

fn binary(left: &Term<&str>, operator: &BinaryOp<&str>, right: &Term<&str>, depth: usize) -> Compiled {
    let join = |make: fn(Box<Query>, Box<Query>) -> Query| -> Compiled {
        Ok(make(boxed(left, depth)?, boxed(right, depth)?))
    };
    match operator {
        BinaryOp::Pipe(None) => join(Query::Pipe),
        BinaryOp::Comma => join(Query::Both),
        BinaryOp::Alt => join(Query::Otherwise),
        BinaryOp::Or => join(Query::Or),
        BinaryOp::And => join(Query::And),
        BinaryOp::Cmp(compare) => Ok(Query::Compare(*compare, boxed(left, depth)?, boxed(right, depth)?)),
        BinaryOp::Pipe(Some(_)) => Err(Refused::construct("as")),
        BinaryOp::Math(_) => Err(Refused::construct("arithmetic")),
        BinaryOp::Assign | BinaryOp::Update | BinaryOp::UpdateMath(_) | BinaryOp::UpdateAlt => {
            Err(Refused::construct("an assignment"))
        }
    }
}

fn call(name: &str, arguments: &[Term<&str>], depth: usize) -> Compiled {
    match (name, arguments) {
        ("null", []) => return Ok(Query::Literal(Value::Null)),
        ("true", []) => return Ok(Query::Literal(Value::Bool(true))),
        ("false", []) => return Ok(Query::Literal(Value::Bool(false))),
        ("recurse", []) => return Ok(Query::Recurse),
        ("select", [test]) => return Ok(Query::Select(boxed(test, depth)?)),
        ("map", [inner]) => return Ok(Query::Map(boxed(inner, depth)?)),
        ("any", []) => return Ok(Query::Any(Box::new(Query::Identity))),
        ("all", []) => return Ok(Query::All(Box::new(Query::Identity))),
        ("any", [test]) => return Ok(Query::Any(boxed(test, depth)?)),
        ("all", [test]) => return Ok(Query::All(boxed(test, depth)?)),
        ("test", [pattern]) => return matches(&literal_text(pattern)?, ""),
        ("test", [pattern, flags]) => return matches(&literal_text(pattern)?, &literal_text(flags)?),
        _ => {}
    }
    let known = BUILTINS.iter().find(|(known, count, _)| *known == name && *count == arguments.len());
    let Some((_, _, builtin)) = known else { return Err(Refused::construct(name)) };
    let arguments = arguments.iter().map(|term| expression(term, depth)).collect::<Result<_, Refused>>()?;
    Ok(Query::Builtin(*builtin, arguments))
}

fn matches(pattern: &str, flags: &str) -> Compiled {
    let mut builder = RegexBuilder::new(pattern);
    builder.size_limit(MAX_REGEX).dfa_size_limit(MAX_REGEX);
    for flag in flags.chars() {
        match flag {
            'i' => builder.case_insensitive(true),
            'x' => builder.ignore_whitespace(true),
            's' => builder.dot_matches_new_line(true),
            'g' | 'n' => &mut builder,
            _ => return Err(Refused::new(format!("test has no flag {flag}: use i, x, s, g or n"))),
        };
    }
    builder
        .build()
        .map(Query::Matches)
        .map_err(|error| Refused::new(format!("test(\"{pattern}\") cannot be used: {error}")))
}

fn number(text: &str) -> Result<Value, Refused> {
    serde_json::from_str(text).map_err(|_| Refused::new(format!("{text} is not a number")))
}

fn literal_text(term: &Term<&str>) -> Result<String, Refused> {
    let Term::Str(None, parts) = term else {
        return Err(Refused::new("test takes a string that is written out, as in test(\"^kube-\")"));
    };
    let mut text = String::new();
    for part in parts {
        match part {
            StrPart::Str(piece) => text.push_str(piece),
            StrPart::Char(letter) => text.push(*letter),
            StrPart::Term(_) => return Err(Refused::construct("string interpolation")),
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn paths(text: &str, value: &Value) -> Result<Vec<String>, String> {
        let query = JqPaths.compile(text).map_err(|error| error.0)?;
        let found = query.paths(value).map_err(|error| error.0)?;
        let show = |path: &Vec<crate::flow::PathStep>| {
            path.iter()
                .map(|step| match step {
                    crate::flow::PathStep::Item(index) => format!("/{index}"),
                    crate::flow::PathStep::Field(name) => format!("/{name}"),
                })
                .collect()
        };
        Ok(found.iter().map(show).collect())
    }

    #[test]
    fn paths_select_and_tests_give_places() {
        let pod =
            json!({"spec": {"containers": [{"name": "app", "n": 1}, {"name": "istio-proxy"}], "a.b/c": 1}});
        let cases: &[(&str, &[&str])] = &[
            (".spec.containers[] | select(.name == \"app\")", &["/spec/containers/0"]),
            (
                ".spec.containers[] | select(.name | test(\"^istio-\")) | .image",
                &["/spec/containers/1/image"],
            ),
            (".spec.containers[]?.n", &["/spec/containers/0/n", "/spec/containers/1/n"]),
            (".spec[\"a.b/c\"], .spec.gone.further", &["/spec/a.b/c", "/spec/gone/further"]),
            (".spec.gone[]?", &[]),
            (".. | objects | select(has(\"n\")) | .n", &["/spec/containers/0/n"]),
            (".spec.containers[-1].name", &["/spec/containers/1/name"]),
            (".spec.containers[] | select(.name | startswith(\"i\") or . == \"x\")", &["/spec/containers/1"]),
        ];
        for (text, wanted) in cases {
            assert_eq!(paths(text, &pod).as_deref(), Ok(&wanted.map_to_owned()[..]), "{text}");
        }
    }

    trait MapToOwned {
        fn map_to_owned(&self) -> Vec<String>;
    }
    impl MapToOwned for &[&str] {
        fn map_to_owned(&self) -> Vec<String> {
            self.iter().map(|text| (*text).to_owned()).collect()
        }
    }

    #[test]
    fn the_ready_rules_for_known_drift_are_understood() {
        let system = crate::settings::Customizations::read(&BTreeMap::new());
        assert!(system.known_drift.len() >= 10);
        for text in system.known_drift.iter().flat_map(|rule| &rule.jq_path_expressions) {
            assert!(JqPaths.compile(text).is_ok(), "{text}");
        }
        let ray = |on: bool| json!({"spec": {"enableInTreeAutoscaling": on, "workerGroupSpecs": [{"replicas": 1}]}});
        let rule = "select(.spec.enableInTreeAutoscaling == true) | .spec.workerGroupSpecs[]?.replicas";
        assert_eq!(paths(rule, &ray(true)), Ok(vec!["/spec/workerGroupSpecs/0/replicas".to_owned()]));
        assert_eq!(paths(rule, &ray(false)), Ok(Vec::new()));
        let rules = system.known_drift.iter().find(|rule| rule.kind == "APIService").unwrap();
        let service = |annotation: &str| json!({"metadata": {"annotations": {annotation: "x"}}, "spec": {"caBundle": "b"}});
        let found = |annotation: &str| paths(&rules.jq_path_expressions[0], &service(annotation));
        assert_eq!(found("cert-manager.io/inject-apiserver-ca"), Ok(vec!["/spec/caBundle".to_owned()]));
        assert_eq!(found("other"), Ok(Vec::new()));
    }

    #[test]
    fn what_is_not_caged_is_refused_by_name() {
        for text in
            ["env", "$ENV", "input", "halt", "[range(1e9)]", "repeat(.)", "def f: f; f", ".a |= 1", ".["]
        {
            assert!(paths(text, &json!({})).is_err(), "{text}");
        }
        assert!(paths("env.HOME", &json!({})).is_err_and(|error| error.contains("env is not supported")));
        assert!(paths("1", &json!({})).is_err_and(|error| error.contains("path")));
    }

    #[test]
    fn no_expression_runs_long_or_deep() {
        let doubling = "(.,.)|".repeat(60) + ".";
        assert!(paths(&doubling, &json!({})).is_err());
        let nested = "(".repeat(2000) + "." + &")".repeat(2000);
        let _ = paths(&nested, &json!({}));
        assert!(paths(&"-".repeat(4000), &json!({})).is_err());
        assert!(paths(&"[".repeat(4000), &json!({})).is_err());
    }
}
