//! One line of a rule: tests, an arrow, a code and a message.

use super::MissingPart;
use super::template::Template;
use super::test::{Operand, Path, Scope, Test};
use crate::flow::{HealthCode, HealthStatus, Reason};

/// What a line decides: a health, that there is none, or that its message cannot be made.
pub(super) type Verdict = Result<Option<HealthStatus>, MissingPart>;

/// A line, or neighbouring lines about conditions.
#[derive(Debug)]
pub(super) enum Step {
    /// What has to be there from here on.
    Needs(Vec<Path>),
    /// A line about the object.
    Object(Arm),
    /// Lines about one condition, tried for each condition.
    Pass(Vec<Arm>),
}

/// One line.
#[derive(Debug)]
pub(super) struct Arm {
    tests: Vec<Test>,
    code: Code,
    message: Template,
    /// The cause, where the line names one.
    reason: Option<Reason>,
    /// Whether the pass goes on after this line.
    pub(super) kept: bool,
}

#[derive(Debug)]
enum Code {
    Fixed(HealthCode),
    /// The word of a field is the code.
    Field(Operand),
    /// The kind has no health in this state.
    Nothing,
}

impl Arm {
    /// Reads `tests => Code message`.
    pub(super) fn parse(line: &'static str) -> Option<Self> {
        let (tests, verdict) = match line.strip_prefix("=> ") {
            Some(verdict) => ("", verdict),
            None => line.split_once(" => ")?,
        };
        let tests: Option<Vec<Vec<Test>>> = tokens(tests).into_iter().map(Test::parse).collect();
        let (code, message) = verdict.trim().split_once(' ').unwrap_or((verdict.trim(), ""));
        let (kept, code) = match code.strip_prefix('~') {
            Some(code) => (true, code),
            None => (false, code),
        };
        let (code, reason) = match code.split_once('!') {
            Some((code, word)) => (code, Some(Reason::ALL.into_iter().find(|known| known.as_str() == word)?)),
            None => (code, None),
        };
        let code = match code.parse() {
            Ok(code) => Code::Fixed(code),
            Err(_) if code == "None" => Code::Nothing,
            Err(_) => Code::Field(Operand::parse(code)?),
        };
        Some(Self { tests: tests?.concat(), code, message: Template::parse(message)?, reason, kept })
    }

    pub(super) fn is_about_condition(&self) -> bool {
        self.tests.iter().any(Test::is_about_condition)
    }

    pub(super) fn matches(&self, scope: &Scope<'_>) -> bool {
        self.tests.iter().all(|test| test.holds(scope))
    }

    pub(super) fn verdict(&self, scope: &Scope<'_>) -> Verdict {
        let message = self.message.fill(scope)?;
        let health = match &self.code {
            Code::Nothing => return Ok(None),
            Code::Fixed(code) => HealthStatus::new(*code, message),
            Code::Field(operand) => match operand.get(scope).as_str().map(str::parse) {
                Some(Ok(code)) => HealthStatus::new(code, message),
                _ => HealthStatus::unknown("Lua returned an invalid health status"),
            },
        };
        Ok(Some(match self.reason {
            Some(reason) => health.because(reason),
            None => health,
        }))
    }
}

/// Words with spaces between them; a space inside of double quotes or brackets belongs to the word.
fn tokens(text: &'static str) -> Vec<&'static str> {
    let (mut words, mut start, mut quoted, mut depth) = (Vec::new(), 0, false, 0_i32);
    for (at, sign) in text.char_indices() {
        match sign {
            '"' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth -= 1,
            ' ' if !quoted && depth == 0 => {
                words.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    words.push(&text[start..]);
    words.retain(|word| !word.is_empty());
    words
}
