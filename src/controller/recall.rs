//! What was looked at while an operation runs.
//!
//! An operation looks at all of its objects after each step, and at each event that it waits for; of thousands, few have
//! changed. What was made of the others is kept here until the operation ends. Nothing is taken on trust: every piece is
//! kept with the values that it was made from, and used only where these are the very same.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::api::IgnoreDifferences;
use crate::cluster;
use crate::diff::{IgnoreRules, InvalidRule, Remembered};
use crate::eval::JqPaths;
use crate::flow::{HealthStatus, Reason};
use crate::health::HealthScript;
use crate::object::{GroupVersionKind, Manifest, ResourceKey};
use crate::render::Scope;
use crate::settings::{ArgocdCm, Customizations};

/// Revisions whose marked objects are kept: that of the spec, and that of the operation.
const REVISIONS: usize = 2;

/// Scopes of kinds.
pub(super) type Scopes = BTreeMap<GroupVersionKind, Scope>;

/// What one application's operation has looked at.
#[derive(Default)]
pub(super) struct Recall(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    rules: Option<KeptRules>,
    tracked: Vec<Tracked>,
    observed: cluster::Recall,
    compared: Option<(Arc<IgnoreRules>, Remembered)>,
    health: Option<(Scripts, HashMap<ResourceKey, Assessed>)>,
}

type Scripts = Arc<BTreeMap<String, HealthScript>>;
/// A live object and its health.
type Assessed = (Arc<Manifest>, Option<HealthStatus>);

struct KeptRules {
    of_app: Vec<IgnoreDifferences>,
    settings: Arc<ArgocdCm>,
    rules: Arc<IgnoreRules>,
    invalid: Vec<InvalidRule>,
}

/// Objects and what became of them when they were marked.
struct Tracked {
    by: String,
    scopes: Scopes,
    objects: Vec<Arc<Manifest>>,
    marked: Vec<Arc<Manifest>>,
}

impl Recall {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        *self.inner() = Inner::default();
    }

    /// The ignore rules of an application and of the system, and what is wrong with them.
    pub(super) fn rules(
        &self,
        of_app: &[IgnoreDifferences],
        settings: Arc<ArgocdCm>,
    ) -> (Arc<IgnoreRules>, Vec<InvalidRule>) {
        let mut inner = self.inner();
        if let Some(kept) = &inner.rules
            && Arc::ptr_eq(&kept.settings, &settings)
            && kept.of_app == of_app
        {
            return (Arc::clone(&kept.rules), kept.invalid.clone());
        }
        let system = Customizations::read(&settings.data);
        let (rules, invalid) = IgnoreRules::read(of_app, &system, &JqPaths);
        let rules = Arc::new(rules);
        let kept = KeptRules {
            of_app: of_app.to_vec(),
            settings,
            rules: Arc::clone(&rules),
            invalid: invalid.clone(),
        };
        inner.rules = Some(kept);
        (rules, invalid)
    }

    /// The objects with their marks. `by` names all that marks depend on besides scopes.
    pub(super) fn tracked(
        &self,
        objects: &[Arc<Manifest>],
        by: String,
        scopes: Scopes,
        track: impl FnOnce(&Scopes) -> Vec<Arc<Manifest>>,
    ) -> Vec<Arc<Manifest>> {
        let mut inner = self.inner();
        let same = |kept: &Tracked| {
            kept.by == by
                && kept.scopes == scopes
                && kept.objects.len() == objects.len()
                && kept.objects.iter().zip(objects).all(|(left, right)| Arc::ptr_eq(left, right))
        };
        if let Some(kept) = inner.tracked.iter().find(|kept| same(kept)) {
            return kept.marked.clone();
        }
        let marked = track(&scopes);
        if inner.tracked.len() >= REVISIONS {
            inner.tracked.remove(0);
        }
        inner.tracked.push(Tracked { by, scopes, objects: objects.to_vec(), marked: marked.clone() });
        marked
    }

    /// Lends what was observed last; it is given back with [`Recall::observed`].
    pub(super) fn to_observe(&self) -> cluster::Recall {
        std::mem::take(&mut self.inner().observed)
    }

    pub(super) fn observed(&self, observed: cluster::Recall) {
        self.inner().observed = observed;
    }

    /// Compares with what was compared by the same rules at hand.
    pub(super) fn compare<T>(
        &self,
        rules: &Arc<IgnoreRules>,
        compare: impl FnOnce(&mut Remembered) -> T,
    ) -> T {
        let mut inner = self.inner();
        let (_, remembered) = match &mut inner.compared {
            Some(kept) if Arc::ptr_eq(&kept.0, rules) => kept,
            other => other.insert((Arc::clone(rules), Remembered::default())),
        };
        compare(remembered)
    }

    /// The health of objects by these scripts, asked for only where an object has changed.
    pub(super) fn health<'a>(
        &self,
        scripts: &Scripts,
        objects: impl Iterator<Item = (&'a ResourceKey, &'a Arc<Manifest>)>,
        assess: impl Fn(&Manifest) -> Option<HealthStatus>,
    ) -> HashMap<&'a ResourceKey, HealthStatus> {
        let mut inner = self.inner();
        let before = match inner.health.take() {
            Some((by, before)) if Arc::ptr_eq(&by, scripts) => before,
            _ => HashMap::new(),
        };
        let mut kept = HashMap::with_capacity(before.len());
        let mut found = HashMap::new();
        for (key, live) in objects {
            let health = match before.get(key) {
                Some((known, health)) if Arc::ptr_eq(known, live) => health.clone(),
                _ => assess(live),
            };
            // A script that ran out of time may do better the next time.
            let failed = health.as_ref().is_some_and(|health| health.reason == Some(Reason::RuleFailed));
            if let Some(health) = &health {
                found.insert(key, health.clone());
            }
            if !failed {
                kept.insert(key.clone(), (Arc::clone(live), health));
            }
        }
        inner.health = Some((Arc::clone(scripts), kept));
        found
    }
}
