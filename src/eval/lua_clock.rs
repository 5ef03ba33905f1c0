//! The time of a script.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// Until when a script may run, and whether it ran for longer.
#[derive(Debug, Default)]
pub(super) struct Clock {
    deadline: Cell<Option<Instant>>,
    expired: Cell<bool>,
}

impl Clock {
    pub(super) fn start(&self, time: Duration) {
        self.deadline.set(Some(Instant::now() + time));
    }

    pub(super) fn stop(&self) {
        self.deadline.set(None);
    }

    /// Whether the script has run for longer than it may; it stays so.
    pub(super) fn has_expired(&self) -> bool {
        self.expired.get()
    }

    /// An error where the time is over. No `pcall` catches it.
    pub(super) fn check(&self) -> mlua::Result<()> {
        if self.deadline.get().is_some_and(|until| Instant::now() >= until) {
            self.expired.set(true);
            return Err(mlua::Error::runtime("the script ran longer than it may"));
        }
        Ok(())
    }
}
