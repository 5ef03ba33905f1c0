//! Health rules as data, for the kinds whose status decides by conditions, phases and generations.
//!
//! Each file of `data/` holds rules for a family of groups, in a small line language:
//!
//! ```text
//! [cert-manager.io/Issuer certmanager.k8s.io/Issuer]      the kinds (a group may start with `*.`, a kind may be `*`)
//! needs .spec                                             Unknown where this is absent, for the lines below
//! conditions .status.statuses                             another list than .status.conditions
//! .spec.suspend=true => Suspended {.kind} is suspended    a line about the object
//! Ready=False @reason!=Creating => Degraded {message}     a line about one condition
//! Ready=True => Healthy {message|no message}
//! ---                                                     a new pass over the conditions
//! => Progressing Waiting for certificate                  for everything else
//! ```
//!
//! Lines are tried from the top. Neighbouring condition lines are one pass: for each condition in its order, the
//! first line that matches decides. A code with `~` in front is kept, and the pass goes on: what is kept last
//! holds unless a later line of the pass decides; it is taken when the pass ends. `Code!Reason` names the cause,
//! `None` says that there is no health to tell.
//! `test` and `template` document
//! what stands left and right of the arrow.

mod line;
mod table;
mod template;
mod test;

use serde_json::Value;

use crate::flow::{HealthStatus, Reason};
use line::{Arm, Step, Verdict};
use test::Scope;

pub(super) use table::kinds;
pub(super) use test::equal;

/// A rule: the lines of one section.
#[derive(Debug, Default)]
struct Rule {
    kinds: Vec<(&'static str, &'static str)>,
    conditions: Option<test::Path>,
    steps: Vec<Step>,
}

/// Why a rule gives no answer: what a message needs is not there.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message of the health rule needs {0}, which is not there")]
struct MissingPart(String);

/// Applies the rule of a kind, if there is one in the tables. The rule may find that there is no health to tell.
pub(super) fn assess(group: &str, kind: &str, object: &Value) -> Option<Option<HealthStatus>> {
    let rule = table::find(group, kind)?;
    Some(rule.apply(object).unwrap_or_else(|missing| {
        Some(HealthStatus::unknown(missing.to_string()).because(Reason::RuleFailed))
    }))
}

impl Rule {
    fn apply(&self, object: &Value) -> Verdict {
        let conditions = match &self.conditions {
            Some(path) => path.get(object),
            None => object.get("status").and_then(|status| status.get("conditions")).unwrap_or(&Value::Null),
        };
        let scope =
            Scope { object, conditions: conditions.as_array().map_or(&[], Vec::as_slice), condition: None };
        for step in &self.steps {
            let decided = match step {
                Step::Needs(paths) => paths
                    .iter()
                    .find(|path| is_out_of_reach(path.get(object)))
                    .map(|path| Err(MissingPart(path.to_string()))),
                Step::Object(arm) => arm.matches(&scope).then(|| arm.verdict(&scope)),
                Step::Pass(_)
                    if matches!(conditions, Value::Bool(_) | Value::Number(_) | Value::String(_)) =>
                {
                    return Err(MissingPart("a list of conditions".to_owned()));
                }
                Step::Pass(arms) => pass(arms, &scope),
            };
            if let Some(health) = decided {
                return health;
            }
        }
        Ok(None)
    }
}

/// Whether a script cannot look into a value. It finds nothing in a list or a text, and that is all.
fn is_out_of_reach(value: &Value) -> bool {
    matches!(value, Value::Null | Value::Bool(_) | Value::Number(_))
}

fn pass(arms: &[Arm], scope: &Scope<'_>) -> Option<Verdict> {
    let mut kept = None;
    for condition in scope.conditions {
        let scope = Scope { condition: Some(condition), ..*scope };
        let Some(arm) = arms.iter().find(|arm| arm.matches(&scope)) else { continue };
        let verdict = arm.verdict(&scope);
        if !arm.kept {
            return Some(verdict);
        }
        kept = Some(verdict);
    }
    kept
}
