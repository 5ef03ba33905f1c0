//! Comparisons of single objects, kept while nothing changes that they were made from.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use crate::flow::{Observation, Prediction, ResourceComparison, Writing};
use crate::object::{Manifest, ResourceKey};

/// What one comparison was made from. That the values are kept makes their addresses their identity.
#[derive(Clone, Debug)]
struct Premise {
    desired: Arc<Manifest>,
    live: Arc<Manifest>,
    predicted: Option<Arc<Manifest>>,
    owners: Option<Arc<Vec<Value>>>,
    writing: Writing,
}

impl Premise {
    /// Nothing where the comparison is not worth keeping, or may change by itself.
    fn of(key: &ResourceKey, desired: &Arc<Manifest>, seen: &Observation) -> Option<Self> {
        let predicted = match seen.predictions.get(key) {
            Some(Prediction::Refused(_)) => return None,
            Some(Prediction::Object(object)) => Some(Arc::clone(object)),
            None => None,
        };
        if seen.gaps.contains_key(&key.group_kind()) {
            return None;
        }
        Some(Self {
            desired: Arc::clone(desired),
            live: Arc::clone(seen.live.get(key)?),
            predicted,
            owners: seen.owners.get(key).map(Arc::clone),
            writing: seen.writing.get(key).cloned().unwrap_or_default(),
        })
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.desired, &other.desired)
            && Arc::ptr_eq(&self.live, &other.live)
            && same(self.predicted.as_ref(), other.predicted.as_ref())
            && same(self.owners.as_ref(), other.owners.as_ref())
            && self.writing == other.writing
    }
}

fn same<T>(left: Option<&Arc<T>>, right: Option<&Arc<T>>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => Arc::ptr_eq(left, right),
        (left, right) => left.is_none() && right.is_none(),
    }
}

/// The comparisons of an application's objects under the same rules, made before. Whoever changes the rules starts with
/// an empty one. An operation may want another revision than the spec: each has its comparisons.
#[derive(Debug, Default)]
pub struct Remembered(HashMap<(ResourceKey, usize), (Premise, ResourceComparison)>);

/// Comparisons of so many revisions are kept.
const REVISIONS: usize = 3;

impl Remembered {
    /// Forgets what revisions of long ago left behind.
    pub(super) fn bound(&mut self, objects: usize) {
        if self.0.len() > objects.saturating_mul(REVISIONS) {
            self.0.clear();
        }
    }

    /// The comparison of an object, made only where it is not known.
    pub(super) fn or_compare(
        &mut self,
        key: &ResourceKey,
        desired: &Arc<Manifest>,
        seen: &Observation,
        compare: impl FnOnce() -> ResourceComparison,
    ) -> ResourceComparison {
        let Some(premise) = Premise::of(key, desired, seen) else { return compare() };
        let place = (key.clone(), Arc::as_ptr(desired).addr());
        if let Some((known, comparison)) = self.0.get(&place)
            && known.is(&premise)
        {
            return comparison.clone();
        }
        let comparison = compare();
        self.0.insert(place, (premise, comparison.clone()));
        comparison
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Time;
    use serde_json::json;

    fn object(value: &str) -> Arc<Manifest> {
        let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "n"},
            "data": {"key": value}});
        Arc::new(Manifest::new(body).unwrap())
    }

    #[test]
    fn only_what_changed_is_compared_again() {
        let (desired, key) = (object("git"), object("git").key());
        let mut seen = Observation::empty(Time::new(jiff::Timestamp::UNIX_EPOCH));
        seen.live.insert(key.clone(), object("git"));
        let mut remembered = Remembered::default();
        let mut asked = 0;
        let mut look = |desired: &Arc<Manifest>, seen: &Observation| {
            let before = asked;
            let _ = remembered.or_compare(&key, desired, seen, || {
                asked += 1;
                super::super::compare::surplus(&key, &seen.live[&key])
            });
            asked > before
        };
        assert!(look(&desired, &seen) && !look(&desired, &seen));
        assert!(look(&object("git"), &seen), "another revision");
        assert!(!look(&desired, &seen), "the first is still known");
        seen.live.insert(key.clone(), object("git"));
        assert!(look(&desired, &seen) && !look(&desired, &seen), "the object changed");
        seen.predictions.insert(key.clone(), Prediction::Object(object("git")));
        assert!(look(&desired, &seen) && !look(&desired, &seen), "the prediction changed");
        seen.writing.insert(key.clone(), Writing { object: Some(object("x")), ..Writing::default() });
        assert!(look(&desired, &seen), "it would be written in another way");
        let problem = crate::flow::Problem::stalled(
            crate::flow::Stage::Compare,
            crate::flow::Cause::ObjectRefused,
            "no",
        );
        seen.predictions.insert(key.clone(), Prediction::Refused(problem));
        assert!(look(&desired, &seen) && look(&desired, &seen), "a refusal may pass by itself");
    }
}
