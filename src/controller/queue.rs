//! Which application is reconciled when.
//!
//! A name is in the queue once for a reconcile and once for a health step, each at the earliest time that anybody asked
//! for. A reconcile looks at health as well, so that it takes the place of a health step. While a name is being worked
//! on it is not handed out again; what is asked for in the meantime comes after.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::cluster::Asks;
use crate::flow::ObjectName;

/// What is to be done with an application.
type Turn = (ObjectName, Asks);

#[derive(Default)]
struct State {
    order: BTreeSet<(Instant, ObjectName, Asks)>,
    due: HashMap<Turn, Instant>,
    running: HashSet<ObjectName>,
}

impl State {
    fn remove(&mut self, (name, asks): Turn) {
        if let Some(at) = self.due.remove(&(name.clone(), asks)) {
            self.order.remove(&(at, name, asks));
        }
    }
}

/// The queue.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Notify,
}

impl Queue {
    /// Asks for a reconcile, not before `delay` has passed.
    pub(super) fn add(&self, name: &ObjectName, delay: Duration) {
        self.ask(name, Asks::Reconcile, delay);
    }

    /// Asks for a reconcile or a health step, not before `delay` has passed.
    pub(super) fn ask(&self, name: &ObjectName, asks: Asks, delay: Duration) {
        let at = Instant::now() + delay;
        let turn = (name.clone(), asks);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.due.get(&turn).is_some_and(|earlier| *earlier <= at) {
            return;
        }
        state.remove(turn.clone());
        state.order.insert((at, turn.0.clone(), asks));
        state.due.insert(turn, at);
        drop(state);
        self.changed.notify_one();
    }

    /// Forgets an application.
    pub(super) fn remove(&self, name: &ObjectName) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.remove((name.clone(), Asks::Reconcile));
        state.remove((name.clone(), Asks::Health));
    }

    /// The next application that is due; waits for it. It has to be given back with [`Queue::done`].
    pub(super) async fn next(&self) -> Turn {
        loop {
            let wait = match self.take_due() {
                Ok(turn) => return turn,
                Err(wait) => wait,
            };
            let changed = self.changed.notified();
            match wait {
                Some(wait) => {
                    let _ = tokio::time::timeout(wait, changed).await;
                }
                None => changed.await,
            }
        }
    }

    /// The first that is due and not being worked on, or how long until there may be one.
    fn take_due(&self) -> Result<Turn, Option<Duration>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let first = state.order.iter().find(|(_, name, _)| !state.running.contains(name)).cloned();
        match first {
            None => Err(None),
            Some((at, ..)) if at > now => Err(Some(at - now)),
            Some((_, name, _)) => {
                let whole = (name.clone(), Asks::Reconcile);
                let asks = match state.due.get(&whole) {
                    Some(at) if *at <= now => Asks::Reconcile,
                    _ => Asks::Health,
                };
                if asks == Asks::Reconcile {
                    state.remove(whole);
                }
                state.remove((name.clone(), Asks::Health));
                state.running.insert(name.clone());
                drop(state);
                // Another worker may wait on what comes after.
                self.changed.notify_one();
                Ok((name, asks))
            }
        }
    }

    /// Gives an application back.
    pub(super) fn done(&self, name: &ObjectName) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).running.remove(name);
        self.changed.notify_one();
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).due.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_is_handed_out_once_until_it_is_given_back() {
        let queue = Queue::default();
        let (a, b) = (ObjectName::new("n", "a"), ObjectName::new("n", "b"));
        queue.add(&a, Duration::from_secs(600));
        queue.add(&a, Duration::ZERO);
        queue.add(&b, Duration::ZERO);
        assert_eq!(queue.next().await, (a.clone(), Asks::Reconcile));
        queue.add(&a, Duration::ZERO);
        assert_eq!(queue.next().await, (b, Asks::Reconcile));
        assert_eq!(queue.take_due(), Err(None), "a is being worked on");
        queue.done(&a);
        assert_eq!(queue.next().await, (a, Asks::Reconcile));
    }

    #[tokio::test]
    async fn a_health_step_comes_before_a_later_reconcile_and_in_one_that_is_due() {
        let queue = Queue::default();
        let a = ObjectName::new("n", "a");
        queue.add(&a, Duration::from_secs(600));
        queue.ask(&a, Asks::Health, Duration::ZERO);
        assert_eq!(queue.next().await, (a.clone(), Asks::Health));
        queue.done(&a);
        assert_eq!(queue.len(), 1, "the reconcile is still to come");
        queue.ask(&a, Asks::Health, Duration::ZERO);
        queue.add(&a, Duration::ZERO);
        assert_eq!(queue.next().await, (a.clone(), Asks::Reconcile));
        queue.done(&a);
        assert_eq!(queue.take_due(), Err(None), "the reconcile has looked at health");
    }
}
