//! Left of the arrow: what a line asks of an object or of one of its conditions.
//!
//! | token | asks |
//! |---|---|
//! | `Ready=True`, `Ready!=True`, `Ready`, `*=False` | type and status of the condition |
//! | `@reason=A\|B`, `@severity!=Info`, `@reason`, `!@reason` | another field of the condition |
//! | `.status.phase=Running`, `.status.phase`, `!.status.phase` | a field of the object: its value, there, not there |
//! | `.status.ready?`, `!.status.ready?` | there and not `false`, and its opposite |
//! | `#.status.active>0` | the length of a list |
//! | `.status.a<.status.b` | two fields |
//! | `[Ready=True,@reason=X]`, `![…]` | some condition, no condition |
//!
//! Operators: `=`, `!=` (true for an absent field too), `^=` (starts with), `>`, `<`, `>=`, `<=` (false unless both
//! sides are numbers). Values are numbers, `true`, `false`, or text; text with spaces stands in double quotes, as
//! does a field name with dots: `.metadata.labels["a.b/c"]`.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

const NOTHING: &Value = &Value::Null;

/// A way into an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path(Vec<&'static str>);

impl Path {
    /// Reads `.status.phase` or `.metadata.labels["a.b/c"]`.
    pub(super) fn parse(text: &'static str) -> Option<Self> {
        let mut fields = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(indexed) = rest.strip_prefix("[0]") {
                fields.push("0");
                rest = indexed;
            } else if let Some(quoted) = rest.strip_prefix("[\"") {
                let (field, after) = quoted.split_once("\"]")?;
                fields.push(field);
                rest = after;
            } else {
                let plain = rest.strip_prefix('.')?;
                let end = plain.find(['.', '[']).unwrap_or(plain.len());
                let (field, after) = plain.split_at(end);
                fields.push(field);
                rest = after;
            }
        }
        (!fields.is_empty() && !fields.contains(&"")).then_some(Self(fields))
    }

    /// The value, null where there is none.
    pub(super) fn get<'a>(&self, object: &'a Value) -> &'a Value {
        let step = |value: &'a Value, field: &&str| match value {
            Value::Array(list) => list.first().filter(|_| *field == "0"),
            _ => value.get(*field),
        };
        self.0.iter().try_fold(object, step).unwrap_or(NOTHING)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// What a test looks at.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) object: &'a Value,
    pub(super) conditions: &'a [Value],
    pub(super) condition: Option<&'a Value>,
}

/// One side of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    Object(Path),
    Length(Path),
    Condition(&'static str),
}

impl Operand {
    pub(super) fn parse(text: &'static str) -> Option<Self> {
        if let Some(path) = text.strip_prefix('#') {
            return Path::parse(path).map(Self::Length);
        }
        match text.strip_prefix('@') {
            Some(field) => Some(Self::Condition(field)),
            None => Path::parse(text).map(Self::Object),
        }
    }

    pub(super) fn get<'a>(&self, scope: &Scope<'a>) -> Cow<'a, Value> {
        match self {
            Self::Object(path) => Cow::Borrowed(path.get(scope.object)),
            Self::Length(path) => {
                let list = path.get(scope.object).as_array();
                list.map_or(Cow::Borrowed(NOTHING), |list| Cow::Owned(Value::from(list.len())))
            }
            Self::Condition(field) => {
                Cow::Borrowed(scope.condition.and_then(|found| found.get(*field)).unwrap_or(NOTHING))
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    Different,
    StartsWith,
    Greater,
    Less,
    AtLeast,
    AtMost,
}

const OPERATORS: &[(&str, Operator)] = &[
    ("!=", Operator::Different),
    ("^=", Operator::StartsWith),
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
];

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Right {
    Operand(Operand),
    Values(Vec<Value>),
}

/// One token left of the arrow.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    Compare { left: Operand, operator: Operator, right: Right },
    Present(Operand),
    Absent(Operand),
    Truthy(Operand),
    Falsy(Operand),
    AnyCondition(Vec<Test>),
    NoCondition(Vec<Test>),
}

impl Test {
    /// Whether the test looks at the condition at hand, so that its line belongs to a pass.
    pub(super) fn is_about_condition(&self) -> bool {
        let about = |operand: &Operand| matches!(operand, Operand::Condition(_));
        match self {
            Self::Compare { left, right, .. } => {
                about(left) || matches!(right, Right::Operand(operand) if about(operand))
            }
            Self::Present(operand) | Self::Absent(operand) | Self::Truthy(operand) | Self::Falsy(operand) => {
                about(operand)
            }
            Self::AnyCondition(_) | Self::NoCondition(_) => false,
        }
    }

    /// Reads one token; a condition's `Type=Status` gives two tests.
    pub(super) fn parse(token: &'static str) -> Option<Vec<Self>> {
        let (negated, plain) = match token.strip_prefix('!') {
            Some(rest) if !rest.starts_with('=') => (true, rest),
            _ => (false, token),
        };
        if let Some(inner) = plain.strip_prefix('[') {
            let tests = parse_list(inner.strip_suffix(']')?)?;
            return Some(vec![if negated { Self::NoCondition(tests) } else { Self::AnyCondition(tests) }]);
        }
        if plain.starts_with(['.', '#', '@']) {
            return Some(vec![if negated { parse_bare(plain, true)? } else { parse_field(plain)? }]);
        }
        if negated { None } else { parse_condition(plain) }
    }

    pub(super) fn holds(&self, scope: &Scope<'_>) -> bool {
        match self {
            Self::Compare { left, operator, right } => compare(left, *operator, right, scope),
            Self::Present(operand) => !operand.get(scope).is_null(),
            Self::Absent(operand) => operand.get(scope).is_null(),
            Self::Truthy(operand) => is_truthy(&operand.get(scope)),
            Self::Falsy(operand) => !is_truthy(&operand.get(scope)),
            Self::AnyCondition(tests) => find(tests, scope).is_some(),
            Self::NoCondition(tests) => find(tests, scope).is_none(),
        }
    }
}

/// Reads tests with commas between them.
pub(super) fn parse_list(text: &'static str) -> Option<Vec<Test>> {
    let parts: Option<Vec<Vec<Test>>> = text.split(',').map(Test::parse).collect();
    parts.map(|parts| parts.into_iter().flatten().collect())
}

/// The last condition for which all tests hold.
pub(super) fn find<'a>(tests: &[Test], scope: &Scope<'a>) -> Option<&'a Value> {
    scope.conditions.iter().rev().find(|condition| {
        let scope = Scope { condition: Some(condition), ..*scope };
        tests.iter().all(|test| test.holds(&scope))
    })
}

fn is_truthy(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}

fn split_operator(text: &'static str) -> Option<(&'static str, Operator, &'static str)> {
    // Operator signs inside of a quoted field name belong to the name.
    let start = text.rfind("\"]").filter(|end| !text[..*end].contains(['=', '<', '>'])).unwrap_or(0);
    let at = start + text.get(start..)?.find(['=', '<', '>', '!', '^'])?;
    let (left, rest) = text.split_at(at);
    let (sign, operator) = OPERATORS.iter().find(|(sign, _)| rest.starts_with(sign))?;
    Some((left, *operator, rest.get(sign.len()..)?))
}

fn parse_field(text: &'static str) -> Option<Test> {
    let Some((left, operator, right)) = split_operator(text) else { return parse_bare(text, false) };
    let right = if right.starts_with(['.', '#', '@']) {
        Right::Operand(Operand::parse(right)?)
    } else {
        Right::Values(right.split('|').map(literal).collect())
    };
    Some(Test::Compare { left: Operand::parse(left)?, operator, right })
}

fn parse_bare(text: &'static str, negated: bool) -> Option<Test> {
    match text.strip_suffix('?') {
        Some(text) if negated => Operand::parse(text).map(Test::Falsy),
        Some(text) => Operand::parse(text).map(Test::Truthy),
        None if negated => Operand::parse(text).map(Test::Absent),
        None => Operand::parse(text).map(Test::Present),
    }
}

fn parse_condition(text: &'static str) -> Option<Vec<Test>> {
    let (kind, status) = match split_operator(text) {
        Some((kind, operator, status)) => (kind, Some((operator, status))),
        None => (text, None),
    };
    let texts = |words: &str| words.split('|').map(|word| Value::String(word.to_owned())).collect();
    let compare = |field, operator, words: &str| Test::Compare {
        left: Operand::Condition(field),
        operator,
        right: Right::Values(texts(words)),
    };
    let mut tests = Vec::new();
    if kind != "*" {
        tests.push(compare("type", Operator::Equal, kind));
    }
    if let Some((operator, status)) = status {
        tests.push(compare("status", operator, status));
    }
    (!tests.is_empty()).then_some(tests)
}

fn literal(text: &str) -> Value {
    if let Some(quoted) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        return Value::String(quoted.to_owned());
    }
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "{}" => Value::Object(serde_json::Map::new()),
        _ => text.parse::<i64>().map_or_else(|_| Value::String(text.to_owned()), Value::from),
    }
}

fn compare(left: &Operand, operator: Operator, right: &Right, scope: &Scope<'_>) -> bool {
    let value = left.get(scope);
    let value = value.as_ref();
    match operator {
        Operator::Equal | Operator::Different => {
            let same = match right {
                Right::Operand(right) => equal(value, &right.get(scope)),
                Right::Values(values) => values.iter().any(|other| equal(value, other)),
            };
            same == (operator == Operator::Equal)
        }
        Operator::StartsWith => match (value, right) {
            (Value::String(text), Right::Values(values)) => {
                values.iter().filter_map(Value::as_str).any(|start| text.starts_with(start))
            }
            _ => false,
        },
        Operator::Greater | Operator::Less | Operator::AtLeast | Operator::AtMost => {
            let other = match right {
                Right::Operand(right) => right.get(scope).as_f64(),
                Right::Values(values) => values.first().and_then(Value::as_f64),
            };
            let (Some(value), Some(other)) = (value.as_f64(), other) else { return false };
            match operator {
                Operator::Greater => value > other,
                Operator::Less => value < other,
                Operator::AtLeast => value >= other,
                _ => value <= other,
            }
        }
    }
}

/// Equal as a script sees it: numbers by value, everything else by type and value.
pub(in crate::health) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        _ => left == right,
    }
}
