//! Which application is reconciled when.
//!
//! A name is in the queue once, at the earliest time that anybody asked for. While it is being worked on it is not
//! handed out again; what is asked for in the meantime comes after.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::flow::ObjectName;

#[derive(Default)]
struct State {
    order: BTreeSet<(Instant, ObjectName)>,
    due: HashMap<ObjectName, Instant>,
    running: HashSet<ObjectName>,
}

/// The queue.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Notify,
}

impl Queue {
    /// Asks for an application, not before `delay` has passed.
    pub(super) fn add(&self, name: &ObjectName, delay: Duration) {
        let at = Instant::now() + delay;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(earlier) = state.due.get(name).copied() {
            if earlier <= at {
                return;
            }
            state.order.remove(&(earlier, name.clone()));
        }
        state.order.insert((at, name.clone()));
        state.due.insert(name.clone(), at);
        drop(state);
        self.changed.notify_one();
    }

    /// Forgets an application.
    pub(super) fn remove(&self, name: &ObjectName) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = state.due.remove(name) {
            state.order.remove(&(at, name.clone()));
        }
    }

    /// The next application that is due; waits for it. It has to be given back with [`Queue::done`].
    pub(super) async fn next(&self) -> ObjectName {
        loop {
            let wait = match self.take_due() {
                Ok(name) => return name,
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
    fn take_due(&self) -> Result<ObjectName, Option<Duration>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let first = state.order.iter().find(|(_, name)| !state.running.contains(name)).cloned();
        match first {
            None => Err(None),
            Some((at, _)) if at > now => Err(Some(at - now)),
            Some((at, name)) => {
                state.order.remove(&(at, name.clone()));
                state.due.remove(&name);
                state.running.insert(name.clone());
                drop(state);
                // Another worker may wait on what comes after.
                self.changed.notify_one();
                Ok(name)
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
        assert_eq!(queue.next().await, a);
        queue.add(&a, Duration::ZERO);
        assert_eq!(queue.next().await, b);
        assert_eq!(queue.take_due(), Err(None), "a is being worked on");
        queue.done(&a);
        assert_eq!(queue.next().await, a);
    }
}
